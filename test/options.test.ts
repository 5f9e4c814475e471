// Every option: what is taken, what is refused, and with which words.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULTS, readOptions } from '../src/options.ts'
import type { HeartwireOptions } from '../src/options.ts'

const beating = { message: 'ping' }

/** Checks settings that options are read as, besides the defaults. */
const check = (options: HeartwireOptions, expected: object): void =>
  expect(readOptions(options)).toEqual({ ...readOptions(), ...expected })

/** Checks that options are refused: the kind of error, and the message after "Cannot create a Heartwire as ". */
const checkRefused = (options: unknown, Kind: ErrorConstructor, expected: string): void =>
  expect(() => readOptions(options)).toThrow(new Kind(`Cannot create a Heartwire as ${expected}`))

/** Options by their path: `{ 'queue.ttl': 5 }` is `{ queue: { ttl: 5 } }`. A heartbeat gets the message that it needs. */
const at = (path: string, value: unknown): object => {
  const [first, second] = path.split('.') as [string, string?]
  if (second === undefined) return { [first]: value }
  return { [first]: { ...(first === 'heartbeat' && beating), [second]: value } }
}

const NUMBERS: Record<string, readonly [min: number, max: number]> = {
  connectTimeout: [0, Number.MAX_VALUE],
  closeTimeout: [0, Number.MAX_VALUE],
  'heartbeat.interval': [1, Number.MAX_VALUE],
  'heartbeat.timeout': [1, Number.MAX_VALUE],
  'reconnect.maxDelay': [0, Number.MAX_VALUE],
  'reconnect.factor': [1, Number.MAX_VALUE],
  'reconnect.jitter': [0, 1],
  'reconnect.maxAttempts': [0, Infinity],
  'reconnect.minUptime': [0, Number.MAX_VALUE],
  'queue.maxMessages': [0, Infinity],
  'queue.maxBytes': [0, Infinity],
  'queue.ttl': [0, Infinity],
}

const WORDS: Record<string, readonly string[]> = {
  start: ['now', 'manual', 'lazy'],
  binaryType: ['blob', 'arraybuffer'],
  'heartbeat.when': ['idle', 'always'],
  'heartbeat.from': ['client', 'server'],
  'heartbeat.timers': ['page', 'worker'],
  'queue.overflow': ['throw', 'drop-oldest', 'drop-newest'],
}

/** What else is taken, and what is refused with which wording. */
const SHAPES: Record<string, { readonly good: readonly unknown[]; readonly bad: readonly unknown[]; rule: string }> = {
  protocols: { good: ['chat', ['chat', 'v2'], () => 'chat'], bad: [5, null, true], rule: 'string | object | function' },
  WebSocket: { good: [EventTarget], bad: ['ws', null, {}], rule: 'function' },
  handshake: { good: [() => {}], bad: [true, {}], rule: 'function' },
  heartbeat: { good: [], bad: [true, null, 25_000, () => {}], rule: 'false | object' },
  reconnect: { good: [], bad: [null, 5, 'yes', () => {}], rule: 'boolean | object' },
  queue: { good: [], bad: [null, 0, 'yes'], rule: 'boolean | object' },
  network: { good: [true, false, { online: true, subscribe() {} }], bad: [null, {}, 5], rule: 'boolean | {subscribe}' },
  signal: { good: [new AbortController().signal], bad: [null, {}, new AbortController()], rule: '{addEventListener}' },
  codec: { good: [{ encode() {}, decode() {} }], bad: [null, { encode() {} }, true], rule: '{encode,decode}' },
  'heartbeat.message': {
    good: ['ping', '', new ArrayBuffer(1), new Uint8Array(1), new Blob(['x']), () => 'ping'],
    bad: [5, null, {}, new SharedArrayBuffer(1)],
    rule: 'string | binary | function',
  },
  'heartbeat.pong': { good: ['pong', () => true], bad: [5, /pong/, null], rule: 'string | function' },
  'heartbeat.reply': { good: [() => 'pong'], bad: ['pong', null], rule: 'function' },
  'reconnect.when': { good: [() => true], bad: [true, 'always'], rule: 'function' },
  'reconnect.delay': { good: [() => 0], bad: [500, null], rule: 'function' },
  'queue.replay': { good: [true, false], bad: [0, 'yes', null], rule: 'boolean' },
}

/** How a message shows a value. */
const shown = (value: unknown): string => {
  if (typeof value === 'string') return `'${value}'`
  return Object(value) === value ? Object.prototype.toString.call(value) : String(value)
}

describe('defaults', () => {
  test('[O2] without options, everything has its default', () => {
    const { heartbeat: _, ...rest } = DEFAULTS
    expect(readOptions()).toEqual({ ...rest, heartbeat: null })
    expect(readOptions(undefined)).toEqual(readOptions({}))
  })

  test('[O1] undefined means not given, in every place', () => {
    for (const path of [...Object.keys(NUMBERS), ...Object.keys(WORDS), ...Object.keys(SHAPES), 'reconnect.minDelay']) {
      const isBeat = path.startsWith('heartbeat.')
      if (path === 'heartbeat.message') continue
      expect(readOptions(at(path, undefined)), path).toEqual(readOptions(isBeat ? { heartbeat: beating } : {}))
    }
  })

  test('[O2] a group that is given has the defaults of what it leaves out', () => {
    check({ heartbeat: beating }, { heartbeat: { ...DEFAULTS.heartbeat, ...beating, canAsk: true } })
    check({ reconnect: { factor: 3 } }, { reconnect: { ...DEFAULTS.reconnect, factor: 3 } })
    check({ queue: { replay: false } }, { queue: { ...DEFAULTS.queue, replay: false } })
  })

  test('[O2] true is a group with all its defaults, false is none', () => {
    check({ reconnect: true, queue: true, network: true }, {})
    check({ heartbeat: false }, { heartbeat: null })
    check({ reconnect: false }, { reconnect: null })
    check({ queue: false }, { queue: null })
    check({ network: false }, { network: false })
  })

  test('[O1] options are read, never changed', () => {
    const freeze = (value: object): object => {
      for (const inner of Object.values(value)) if (Object(inner) === inner) freeze(inner as object)
      return Object.freeze(value)
    }
    const before = JSON.stringify(DEFAULTS)
    const options = freeze({
      connectTimeout: 5,
      heartbeat: { ...beating },
      reconnect: { factor: 3 },
      queue: { ttl: 5 },
    })
    expect(() => readOptions(options)).not.toThrow()
    expect(() => readOptions({ ...options, start: 'never' })).toThrow(TypeError)
    expect(JSON.stringify(DEFAULTS)).toBe(before)
  })
})

describe('numbers', () => {
  test.each(Object.entries(NUMBERS))('[O1] %s takes its least and its greatest value', (path, [min, max]) => {
    const [first, second] = path.split('.') as [string, string?]
    for (const value of [min, max, Math.min(max, min + 0.5)]) {
      const settings = readOptions(at(path, value)) as unknown as Record<string, Record<string, unknown>>
      expect(second === undefined ? settings[first] : settings[first]?.[second]).toBe(value)
    }
  })

  test.each(Object.entries(NUMBERS))(
    '[O1] %s refuses what is out of range, and what is no number',
    (path, [min, max]) => {
      const range = max === 1 ? `a number from ${min} to 1` : `a number from ${min}`
      const beyond = [
        min - 1,
        -Infinity,
        Number.NaN,
        ...(max === 1 ? [1.01] : []),
        ...(max < Infinity ? [Infinity] : []),
      ]
      for (const value of beyond) {
        checkRefused(at(path, value), RangeError, `'${path}' must be ${range}: current value is ${value}`)
      }
      for (const value of ['5', null, true, 5n, {}, Symbol('5')]) {
        checkRefused(at(path, value), TypeError, `'${path}' must be ${range}: current value is ${shown(value)}`)
      }
    },
  )
})

describe('words', () => {
  test.each(Object.entries(WORDS))('[O1] %s takes each of its words and no other', (path, words) => {
    const rule = words.map((word) => `'${word}'`).join(' | ')
    for (const word of words) expect(() => readOptions(at(path, word))).not.toThrow()
    for (const value of ['', 'other', `'${words[0]}'`, words, 0, true, null]) {
      checkRefused(at(path, value), TypeError, `'${path}' must be ${rule}: current value is ${shown(value)}`)
    }
  })
})

describe('shapes', () => {
  test.each(Object.entries(SHAPES))(
    '[O1] %s takes what it is made for and nothing else',
    (path, { good, bad, rule }) => {
      for (const value of good) expect(() => readOptions(at(path, value)), String(value)).not.toThrow()
      for (const value of bad) {
        checkRefused(at(path, value), TypeError, `'${path}' must be ${rule}: current value is ${shown(value)}`)
      }
    },
  )

  test.each([null, 5, 'ws', true, () => {}])('[O1] options that are no object (%o) are refused', (options) => {
    checkRefused(options, TypeError, `'options' must be an object: current value is ${shown(options)}`)
  })
})

describe('names', () => {
  test.each(['retries', 'heartbeat.every', 'reconnect.maxRetries', 'queue.size', 'constructor', '0'])(
    '[O1] %s is unknown and refused, even if it is undefined',
    (path) => {
      const refusal = `Cannot create a Heartwire as '${path}' must be one of `
      expect(() => readOptions(at(path, 5))).toThrow(expect.objectContaining({ name: 'TypeError' }))
      expect(() => readOptions(at(path, 5))).toThrow(refusal)
      expect(() => readOptions(at(path, undefined))).toThrow(refusal)
    },
  )

  test('[O1] the names that there are are told', () => {
    checkRefused(
      { queue: { size: 5 } },
      TypeError,
      "'queue.size' must be one of maxMessages, maxBytes, overflow, ttl, replay: current value is 5",
    )
  })

  test('[O1] any name but ours is refused', () => {
    const known = [...Object.keys(NUMBERS), ...Object.keys(WORDS), ...Object.keys(SHAPES)]
    fc.assert(
      fc.property(fc.string(), fc.anything(), (name, value) => {
        fc.pre(!known.includes(name) && name !== '__proto__')
        expect(() => readOptions({ [name]: value })).toThrow(TypeError)
      }),
    )
  })
})

describe('what belongs together', () => {
  test('[H1] a client that beats needs a message', () => {
    const expected = "'heartbeat.message' must be given when the client beats: current value is undefined"
    for (const heartbeat of [{}, { from: 'client' }, { interval: 5, message: undefined }]) {
      checkRefused({ heartbeat }, TypeError, expected)
    }
  })

  test('[H2] a server that beats needs none', () => {
    check({ heartbeat: { from: 'server' } }, { heartbeat: { ...DEFAULTS.heartbeat, from: 'server', canAsk: false } })
  })

  test('[O1] a maxDelay below the default minDelay caps it', () => {
    check({ reconnect: { maxDelay: 500 } }, { reconnect: { ...DEFAULTS.reconnect, maxDelay: 500 } })
  })

  test('[O1] a minDelay that was given must not be above maxDelay, given or not', () => {
    const refused = (reconnect: object, maxDelay: number, minDelay: number): void =>
      checkRefused(
        { reconnect },
        RangeError,
        `'reconnect.minDelay' must be at most reconnect.maxDelay (${maxDelay}): current value is ${minDelay}`,
      )
    refused({ minDelay: 501, maxDelay: 500 }, 500, 501)
    refused({ minDelay: 30_001 }, 30_000, 30_001)
    refused({ minDelay: 1, maxDelay: 0 }, 0, 1)
    check(
      { reconnect: { minDelay: 500, maxDelay: 500 } },
      { reconnect: { ...DEFAULTS.reconnect, minDelay: 500, maxDelay: 500 } },
    )
    check({ reconnect: { minDelay: 30_000 } }, { reconnect: { ...DEFAULTS.reconnect, minDelay: 30_000 } })
  })

  test('[O1] minDelay itself is a number from 0', () => {
    const refusal = "'reconnect.minDelay' must be a number from 0: current value is"
    checkRefused({ reconnect: { minDelay: -1 } }, RangeError, `${refusal} -1`)
    checkRefused({ reconnect: { minDelay: '5' } }, TypeError, `${refusal} '5'`)
    check({ reconnect: { minDelay: 0 } }, { reconnect: { ...DEFAULTS.reconnect, minDelay: 0 } })
  })
})
