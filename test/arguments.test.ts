// What arguments mean, and which exception they deserve. Browsers have the last word: test/browser/conformance*.test.ts.
import { describe, expect, test } from 'vitest'
import { checkUrl, clampToShort, insistOnTwo, splitArguments, toTarget, withDefaults } from '../src/arguments.ts'

describe('[P1] splitArguments', () => {
  test.each<[string, unknown, unknown, unknown]>([
    ['options second', { queue: false }, undefined, [undefined, { queue: false }]],
    ['a protocol, then options', 'chat', { queue: false }, ['chat', { queue: false }]],
    ['protocols, then options', ['chat'], { queue: false }, [['chat'], { queue: false }]],
    ['nothing', undefined, undefined, [undefined, undefined]],
    // Natively null is the protocol "null".
    ['null', null, undefined, [null, undefined]],
  ])('%s', (_, second, third, expected) => {
    expect(splitArguments(second, third)).toEqual(expected)
  })

  test.each([{ queue: true }, 'chat', ['chat']])('options that are not last are an error: %j after them', (third) => {
    expect(() => splitArguments({ queue: false }, third)).toThrow(TypeError)
  })
})

test('[P1] toTarget converts once, leaves functions alone, and refuses what is no url', () => {
  const provider = (): string => 'ws://x/'
  expect(toTarget(provider)).toBe(provider)
  expect(toTarget(new URL('ws://x/y'))).toBe('ws://x/y')
  expect(() => toTarget({} as URL)).toThrow(TypeError)
})

describe('[P2] checkUrl', () => {
  test.each(['ws://x/', 'wss://x/', 'http://x/', 'https://x/', 'WSS://X/?a=b'])('%s is fine', (url) => {
    expect(() => checkUrl(url)).not.toThrow()
  })

  test.each(['ftp://x/', 'news:x', 'ws://x/#part', 'ws://', 'x', ''])('%j is not', (url) => {
    const message = `Cannot connect as 'url' must be a WebSocket url without a fragment: current value is '${url}'`
    expect(() => checkUrl(url)).toThrow(expect.objectContaining({ name: 'SyntaxError', message }))
  })
})

test.each([
  [0.5, 0],
  [1.5, 2],
  [2.5, 2],
  [3.5, 4],
  [1.4, 1],
  [1.6, 2],
  [-5, 0],
  [70_000, 65_535],
  [Number.NaN, 0],
  ['1000', 1_000],
])('[P2] clampToShort(%j) is %i: halves go to the even neighbour', (value, expected) => {
  expect(clampToShort(value)).toBe(expected)
})

test('[P2] insistOnTwo says what is missing', () => {
  const call = (...given: unknown[]): void => {
    // The object that functions have, not an array.
    ;(function check() {
      insistOnTwo(arguments)
    }).apply(null, given as [])
  }
  expect(() => call('open')).toThrow(new TypeError("Cannot go on as 'type' and 'listener' must be given"))
  expect(() => call('open', null)).not.toThrow()
})

test('[P4] withDefaults takes a whole option or none of it', () => {
  const defaults = { queue: { ttl: 5 }, start: 'manual' } as const
  expect(withDefaults({ queue: { maxMessages: 1 }, start: undefined }, defaults as object)).toEqual({
    queue: { maxMessages: 1 },
    start: 'manual',
  })
  expect(withDefaults(undefined, defaults)).toEqual(defaults)
  expect(() => withDefaults('chat' as unknown as object, defaults)).toThrow(TypeError)
})
