// The bounded queue against a simple model, and what a lost connection provably never sent.
import { File } from 'node:buffer'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HeartwireError } from '../src/errors.ts'
import { Outbox, sizeOf, snapshot, stillBuffered, toWireData, unsent } from '../src/outbox.ts'
import type { Entry, OutboxLimits } from '../src/outbox.ts'

const ordinary: OutboxLimits = { maxMessages: 4, maxBytes: 10, overflow: 'throw', ttl: Infinity }

const entry = (message: string, { size = message.length, at = 0 } = {}): Entry<string> => ({
  message,
  wire: message,
  size,
  at,
})

const names = (entries: readonly Entry<string>[]): string => entries.map(({ message }) => message).join(' ')

/** A queue that holds `messages`, each as long as its name. */
const holding = (messages: string, limits: Partial<OutboxLimits> = {}): Outbox<string> => {
  const outbox = new Outbox<string>({ ...ordinary, ...limits })
  for (const message of messages.split(' ').filter(Boolean)) outbox.add(entry(message))
  return outbox
}

/** Checks what a queue holds, in order, and what it says about that. */
const check = (outbox: Outbox<string>, expected: string): void => {
  const { length, bytes } = outbox
  const all = outbox.takeAll()
  expect(names(all)).toBe(expected)
  expect({ length, bytes }).toEqual({ length: all.length, bytes: all.reduce((sum, { size }) => sum + size, 0) })
  expect({ length: outbox.length, bytes: outbox.bytes }).toEqual({ length: 0, bytes: 0 })
}

describe('adding', () => {
  test('[Q1] messages are kept in order', () => check(holding('a bb ccc'), 'a bb ccc'))

  test('[Q1] a queue is full at its limits and not before', () => {
    check(holding('a b c d'), 'a b c d')
    check(holding('aaaaaaaaaa'), 'aaaaaaaaaa')
  })

  test('[Q1] a queue knows whether a message would be one too many', () => {
    const outbox = holding('a bbbb')
    expect([outbox.isFull(5), outbox.isFull(6)]).toEqual([false, true])
    const full = holding('a b c d')
    expect(full.isFull(0)).toBe(true)
  })

  test.each([
    ['a b c d', 'e', 'it holds 4 and 4, the message has 1'],
    ['aaaaa bbbbb', 'c', 'it holds 2 and 10, the message has 1'],
    ['', 'aaaaaaaaaaa', 'it holds 0 and 0, the message has 11'],
  ])("[Q1] with overflow 'throw' a queue with '%s' refuses '%s' and is as it was", (before, message, how) => {
    const outbox = holding(before)
    expect(() => outbox.add(entry(message))).toThrow(
      new HeartwireError(
        'queue-overflow',
        `Cannot send as the queue must hold at most 4 messages and 10 bytes: ${how}`,
      ),
    )
    check(outbox, before)
  })

  test.each([
    ['a b c d', 'e'],
    ['aaaaa bbbbb', 'c'],
    ['', 'aaaaaaaaaaa'],
  ])("[Q1] with overflow 'drop-newest' a queue with '%s' drops '%s'", (before, message) => {
    const outbox = holding(before, { overflow: 'drop-newest' })
    expect(names(outbox.add(entry(message)))).toBe(message)
    check(outbox, before)
  })

  test.each([
    ['a b c d', 'e', 'a', 'b c d e'],
    ['aaaaa bbbbb', 'c', 'aaaaa', 'bbbbb c'],
    ['a b c ddd', 'eeeeeeee', 'a b c ddd', 'eeeeeeee'],
    ['a b c', 'dddddddddd', 'a b c', 'dddddddddd'],
    ['a b', 'c', '', 'a b c'],
  ])("[Q1] with overflow 'drop-oldest' a queue with '%s' takes '%s' and drops '%s'", (before, message, gone, kept) => {
    const outbox = holding(before, { overflow: 'drop-oldest' })
    expect(names(outbox.add(entry(message)))).toBe(gone)
    check(outbox, kept)
  })

  test('[Q1] what could never fit does not push the others out', () => {
    const outbox = holding('a b', { overflow: 'drop-oldest' })
    expect(names(outbox.add(entry('ccccccccccc')))).toBe('ccccccccccc')
    check(outbox, 'a b')
  })

  test.each(['drop-oldest', 'drop-newest'] as const)('[O1] 0 messages is a limit, also with %s', (overflow) => {
    const outbox = holding('', { maxMessages: 0, overflow })
    expect(names(outbox.add(entry('a')))).toBe('a')
    check(outbox, '')
  })

  test('[O1] 0 bytes is a limit that an empty message keeps', () => {
    const outbox = holding('', { maxBytes: 0 })
    expect(outbox.add(entry(''))).toEqual([])
    expect(() => outbox.add(entry('a'))).toThrow(HeartwireError)
    expect(outbox.length).toBe(1)
  })
})

describe('putting back', () => {
  test('[Q3] what never left goes to the head, in its order', () => {
    const outbox = holding('c d')
    outbox.putBack([entry('a'), entry('b')])
    check(outbox, 'a b c d')
  })

  test('[Q3] what was accepted before is kept beyond the limits; what comes then is not', () => {
    const outbox = holding('e f g h')
    outbox.putBack([entry('aaaaaaaa'), entry('b')])
    expect(outbox.bytes).toBe(13)
    expect(() => outbox.add(entry('i'))).toThrow(HeartwireError)
    check(outbox, 'aaaaaaaa b e f g h')
  })

  test("[Q1] with 'drop-oldest' the next message brings the queue back within its limits", () => {
    const outbox = holding('e f g h', { overflow: 'drop-oldest' })
    outbox.putBack([entry('aaaaaaaa'), entry('b')])
    expect(names(outbox.add(entry('i')))).toBe('aaaaaaaa b e')
    check(outbox, 'f g h i')
  })
})

describe('expiring', () => {
  /** Accepted at 0, 5 and 10. */
  const aging = (ttl: number): Outbox<string> => {
    const outbox = new Outbox<string>({ ...ordinary, ttl })
    for (const [index, message] of ['a', 'bb', 'ccc'].entries()) outbox.add(entry(message, { at: index * 5 }))
    return outbox
  }

  test('[Q1] what has waited longer than ttl goes', () => {
    const outbox = aging(5)
    expect(names(outbox.expire(11))).toBe('a bb')
    check(outbox, 'ccc')
  })

  test('[Q1] what has waited just as long as ttl stays', () => {
    const outbox = aging(5)
    expect(outbox.expire(5)).toEqual([])
    check(outbox, 'a bb ccc')
  })

  test('[O1] a ttl of 0 lets a message live for as long as the clock stands still', () => {
    const outbox = aging(0)
    expect(names(outbox.expire(10))).toBe('a bb')
    check(outbox, 'ccc')
  })

  test('[Q1] without a ttl nothing ever goes', () => {
    const outbox = aging(Infinity)
    expect(outbox.expire(Number.MAX_VALUE)).toEqual([])
    check(outbox, 'a bb ccc')
  })

  test('[Q1] what was put back may be older than what follows', () => {
    const outbox = aging(5)
    outbox.putBack([entry('x', { at: 11 }), entry('y', { at: 2 })])
    expect(names(outbox.expire(12))).toBe('y a bb')
    check(outbox, 'x ccc')
  })
})

/** What a test does to a queue, and to the array that it must equal. Time is the number of the command. */
type Command = { readonly add: number } | { readonly putBack: readonly number[] } | 'expire' | 'takeAll'

const anyLimits: fc.Arbitrary<OutboxLimits> = fc.record({
  maxMessages: fc.oneof(fc.nat(6), fc.constant(Infinity)),
  maxBytes: fc.oneof(fc.nat(40), fc.constant(Infinity)),
  overflow: fc.constantFrom('throw', 'drop-oldest', 'drop-newest'),
  ttl: fc.oneof(fc.nat(8), fc.constant(Infinity)),
})

const anyCommands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ add: fc.nat(15) }) },
    { weight: 1, arbitrary: fc.record({ putBack: fc.array(fc.nat(15), { maxLength: 4 }) }) },
    { weight: 2, arbitrary: fc.constantFrom('expire' as const, 'takeAll' as const) },
  ),
  { maxLength: 60, size: 'max' },
)

const total = (entries: readonly Entry<string>[]): number => entries.reduce((sum, { size }) => sum + size, 0)

/** Whom a queue must drop for `added`; `null` if it must refuse. As slow and as plain as the rule reads. */
const victims = (before: Entry<string>[], added: Entry<string>, limits: OutboxLimits): Entry<string>[] | null => {
  const fits = (entries: Entry<string>[]): boolean =>
    entries.length <= limits.maxMessages && total(entries) <= limits.maxBytes
  if (fits([...before, added])) return []
  if (limits.overflow === 'throw') return null
  const most = limits.overflow === 'drop-oldest' ? before.length : 0
  for (let count = 1; count <= most; count++) {
    if (fits([...before.slice(count), added])) return before.slice(0, count)
  }
  return [added]
}

describe('every sequence of commands', () => {
  test('[Q1] [Q2] a queue equals an array: its order, its bytes, its limits, and nothing is lost', () => {
    fc.assert(
      fc.property(anyLimits, anyCommands, (limits, commands) => {
        const outbox = new Outbox<string>(limits)
        const accepted: Entry<string>[] = []
        const gone: Entry<string>[] = []
        let model: Entry<string>[] = []
        for (const [at, command] of commands.entries()) {
          let left: Entry<string>[] = []
          if (command === 'expire') {
            left = outbox.expire(at)
            expect(left).toEqual(model.filter((each) => at - each.at > limits.ttl))
          } else if (command === 'takeAll') {
            left = outbox.takeAll()
            expect(left).toEqual(model)
          } else if ('putBack' in command) {
            const entries = command.putBack.map((size, index) => entry(`${at}.${index}`, { size, at }))
            outbox.putBack(entries)
            accepted.push(...entries)
            model = entries.concat(model)
          } else {
            const added = entry(`${at}`, { size: command.add, at })
            const expected = victims(model, added, limits)
            if (expected) {
              left = outbox.add(added)
              expect(left).toEqual(expected)
              accepted.push(added)
              model = [...model, added]
            } else expect(() => outbox.add(added)).toThrow(HeartwireError)
          }
          model = model.filter((each) => !left.includes(each))
          gone.push(...left)
          expect({ length: outbox.length, bytes: outbox.bytes }).toEqual({ length: model.length, bytes: total(model) })
        }
        const kept = outbox.takeAll()
        expect(kept).toEqual(model)
        expect(kept.length + gone.length).toBe(accepted.length)
        expect(new Set([...kept, ...gone])).toEqual(new Set(accepted))
      }),
    )
  })

  test('[Q2] the bytes are exact after 20,000 messages', () => {
    const text = '€€€😀'
    const outbox = new Outbox<string>({ ...ordinary, maxMessages: Infinity, maxBytes: Infinity })
    for (let index = 0; index < 20_000; index++) outbox.add(entry(`${index}`, { size: sizeOf(text) }))
    expect(outbox.bytes).toBe(20_000 * 13)
    expect(outbox.takeAll().map(({ message }) => message)).toEqual(Array.from({ length: 20_000 }, (_, n) => `${n}`))
    expect(outbox.bytes).toBe(0)
  })

  test("[Q1] of 20,000 messages 'drop-oldest' keeps the last that fit", () => {
    const outbox = new Outbox<string>({ ...ordinary, maxMessages: 1_024, maxBytes: 13_000, overflow: 'drop-oldest' })
    let dropped = 0
    for (let index = 0; index < 20_000; index++) dropped += outbox.add(entry(`${index}`, { size: 13 })).length
    expect({ dropped, length: outbox.length, bytes: outbox.bytes }).toEqual({
      dropped: 19_000,
      length: 1_000,
      bytes: 13_000,
    })
    expect(outbox.takeAll()[0]?.message).toBe('19000')
  })
})

describe('what never left', () => {
  const inFlight = (sizes: readonly number[]): Entry<string>[] =>
    sizes.map((size, index) => entry(`${index}`, { size }))

  const anySizes = fc.array(fc.nat(20), { maxLength: 12 })

  /** The buffer byte by byte: whose each is, oldest first. */
  const owners = (sizes: readonly number[]): number[] =>
    sizes.flatMap((size, owner) => Array.from({ length: size }, () => owner))

  test.each([
    [[5, 5, 5], 0, ''],
    [[5, 5, 5], 4, ''],
    [[5, 5, 5], 5, '2'],
    [[5, 5, 5], 9, '2'],
    [[5, 5, 5], 10, '1 2'],
    [[5, 5, 5], 15, '0 1 2'],
    [[5, 5, 5], 99, '0 1 2'],
    [[], 99, ''],
    [[5, 0, 5], 5, '2'],
    [[5, 0, 5], 6, '1 2'],
    [[5, 0], 5, '0 1'],
    [[0, 0], 0, ''],
  ])(
    '[Q3] of %j with %i bytes still buffered, whole messages from the tail are unsent: %s',
    (sizes, buffered, which) => {
      expect(names(unsent(inFlight(sizes), buffered))).toBe(which)
    },
  )

  test('[Q3] a message counts as unsent exactly if every byte of it and of those after it is still buffered', () => {
    fc.assert(
      fc.property(anySizes, fc.nat(300), (sizes, given) => {
        const bytes = owners(sizes)
        const buffered = Math.min(given, bytes.length)
        const left = bytes.length - buffered
        // An empty message tells nothing of itself: it counts by whether anything before it is still there.
        const begins = sizes.map((_size, index) => bytes.filter((owner) => owner < index).length)
        const expected = sizes.flatMap((size, index) => {
          const isWhole = size > 0 ? (begins[index] as number) >= left : (begins[index] as number) > left
          return isWhole && buffered > 0 ? [`${index}`] : []
        })
        expect(names(unsent(inFlight(sizes), buffered))).toBe(expected.join(' '))
      }),
    )
  })

  test('[Q3] a message is still buffered as long as one byte of it is', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 12 }), fc.nat(300), (sizes, buffered) => {
        const bytes = owners(sizes)
        const left = bytes.length - Math.min(buffered, bytes.length)
        const expected = [...new Set(bytes.slice(left))].join(' ')
        expect(names(stillBuffered(inFlight(sizes), buffered))).toBe(expected)
      }),
    )
  })

  test('[Q3] what is unsent is still buffered, and what is no longer buffered never comes back', () => {
    fc.assert(
      fc.property(anySizes, fc.nat(300), fc.nat(300), (sizes, one, other) => {
        const entries = inFlight(sizes)
        const [less, more] = [Math.min(one, other), Math.max(one, other)]
        const kept = stillBuffered(entries, more)
        for (const each of unsent(entries, more)) expect(kept).toContain(each)
        // Forgetting early what has left changes no later answer.
        expect(unsent(kept, less)).toEqual(unsent(entries, less))
      }),
    )
  })
})

describe('what send accepts', () => {
  test('[P2] text and binary data travel as they are', () => {
    const bytes = new Uint8Array([1, 2])
    const view = new DataView(bytes.buffer)
    const blob = new Blob(['x'])
    const file = new File(['x'], 'x.txt')
    for (const data of ['text', '', bytes, bytes.buffer, view, blob, file]) expect(toWireData(data)).toBe(data)
  })

  test.each(['new ArrayBuffer(3)', 'new Uint8Array(3)', 'new DataView(new ArrayBuffer(3))'])(
    '[P2] binary data of another window is binary data: %s',
    (code) => {
      const data = runInNewContext(code) as ArrayBuffer
      expect(data).not.toBeInstanceOf(Object)
      expect(toWireData(data)).toBe(data)
      expect((snapshot(data) as ArrayBuffer).byteLength).toBe(3)
      expect(sizeOf(data)).toBe(3)
    },
  )

  test.each([
    ['null', null],
    ['undefined', undefined],
    ['5', 5],
    ['true', true],
    ['[object Object]', {}],
    ['1,2', [1, 2]],
    ['ws://x/', new URL('ws://x/')],
  ])('[P2] anything else becomes text: "%s"', (expected, data) => expect(toWireData(data)).toBe(expected))

  test('[P2] a symbol, shared and resizable memory are refused', () => {
    const shared = new SharedArrayBuffer(2)
    const resizable: ArrayBuffer = Reflect.construct(ArrayBuffer, [2, { maxByteLength: 4 }])
    const refused = [Symbol('no'), shared, new Uint8Array(shared), resizable, new Uint8Array(resizable)]
    for (const data of refused) expect(() => toWireData(data)).toThrow(TypeError)
    expect(() => toWireData(shared)).toThrow("Cannot send as 'data' must not be in shared or resizable memory")
  })
})

describe('snapshot', () => {
  test('[Q1] binary data is copied, since the caller may reuse it', () => {
    const bytes = new Uint8Array([1, 2, 3, 4])
    const copies = [snapshot(bytes), snapshot(bytes.subarray(1, 3)), snapshot(bytes.buffer)] as ArrayBuffer[]
    bytes.fill(0)
    expect(copies.map((copy) => Array.from(new Uint8Array(copy)))).toEqual([
      [1, 2, 3, 4],
      [2, 3],
      [1, 2, 3, 4],
    ])
  })

  test('[P2] a buffer that was given away has no bytes', () => {
    const buffer = new ArrayBuffer(5)
    const bytes = new Uint8Array(buffer, 2)
    structuredClone(buffer, { transfer: [buffer] })
    for (const data of [buffer, bytes]) {
      expect(snapshot(data)).toEqual(new ArrayBuffer(0))
      expect(sizeOf(data)).toBe(0)
    }
  })

  test('[Q1] text and blobs cannot change, so they are kept', () => {
    const blob = new Blob(['x'])
    expect(snapshot('text')).toBe('text')
    expect(snapshot(blob)).toBe(blob)
  })
})

describe('sizeOf', () => {
  test.each([
    ['no text', 0, ''],
    ['ASCII', 3, 'abc'],
    ['€€€😀', 13, '€€€😀'],
    ['half a surrogate pair, which travels as U+FFFD,', 3, '\u{d800}'],
    ['a buffer', 5, new ArrayBuffer(5)],
    ['an array of 5 words', 10, new Uint16Array(5)],
    ['a part of a buffer', 3, new Uint8Array(new ArrayBuffer(9), 2, 3)],
    ['a DataView', 4, new DataView(new ArrayBuffer(4))],
    ['a blob', 3, new Blob(['€'])],
  ])('[Q2] %s has %i bytes', (_name, expected, data) => expect(sizeOf(data)).toBe(expected))

  test('[Q2] text has as many bytes as UTF-8 makes of it', () => {
    // One, two, three and four bytes, and halves of surrogate pairs, which may find each other.
    const lengths = [0x7f, 0x7ff, 0xffff, 0x10ffff].map((max) => fc.nat(max))
    const anyCode = fc.oneof(...lengths, fc.integer({ min: 0xd800, max: 0xdfff }))
    const anyText = fc.array(anyCode).map((codes) => String.fromCodePoint(...codes))
    fc.assert(fc.property(anyText, (text) => sizeOf(text) === Buffer.byteLength(text, 'utf8')))
  })
})
