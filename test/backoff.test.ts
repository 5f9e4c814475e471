// How long to wait before a retry, for every number of failures and every draw.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoff, isRetriable, retryWindow } from '../src/backoff.ts'
import type { BackoffOptions } from '../src/backoff.ts'

const ordinary: BackoffOptions = { minDelay: 1_000, maxDelay: 30_000, factor: 2, jitter: 1 }

/** `0.999…`: the largest number that `Math.random` can return. */
const largest = 1 - 2 ** -53

/** The delay before retry `n`, with the draw fixed: 0 draws the ceiling, 1 the floor. */
const check = (n: number, options: Partial<BackoffOptions>, draw: number, expected: number): void =>
  expect(backoff(n, { ...ordinary, ...options }, () => draw)).toBe(expected)

/** Any schedule that the options allow. */
const anySchedule: fc.Arbitrary<BackoffOptions> = fc.record({
  minDelay: fc.double({ min: 0, max: 1e9, noNaN: true }),
  maxDelay: fc.double({ min: 0, max: 1e9, noNaN: true }),
  factor: fc.double({ min: 1, max: 1e6, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
})

/** Any number of failures, with a liking for where `2 ** n` overflows: between 1,023 and 1,024. */
const anyCount = fc.oneof(fc.integer({ min: 0, max: 1e6 }), fc.constantFrom(0, 1, 1_023, 1_024, 1_100, 1e6))

const anyDraw = fc.double({ min: 0, max: largest, noNaN: true })

describe('backoff', () => {
  test('[R1] the ceiling doubles with each retry up to maxDelay', () => {
    for (const [n, ceiling] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) check(n, {}, 0, ceiling)
  })

  test('[R1] jitter says how much of the ceiling is left to chance', () => {
    check(1, { jitter: 0 }, 0.75, 2_000)
    check(1, { jitter: 0.5 }, 0.75, 1_250)
    check(1, { jitter: 1 }, 0.75, 500)
  })

  test('[R1] a maxDelay below minDelay caps the first delay, too', () => check(0, { maxDelay: 500 }, 0, 500))

  test('[R1] a minDelay of 0 is 0 after any number of failures', () => {
    for (const n of [0, 1, 1_100, 1e6]) check(n, { minDelay: 0 }, 0, 0)
  })

  test('[R1] a factor of 1 keeps the delay', () => check(1_100, { factor: 1 }, 0, 1_000))

  test('[R1] chance is Math.random unless it is given', () => {
    const delays = new Set(Array.from({ length: 20 }, () => backoff(0, ordinary)))
    expect(delays.size).toBeGreaterThan(1)
    for (const delay of delays) expect(delay).toSatisfy((value: number) => value >= 0 && value <= 1_000)
  })

  test('[R1] the delay is within its ceiling and its jitter after any number of failures', () => {
    fc.assert(
      fc.property(anyCount, anySchedule, anyDraw, (n, options, draw) => {
        const delay = backoff(n, options, () => draw)
        const ceiling = backoff(n, { ...options, jitter: 0 }, () => draw)
        expect(ceiling).toSatisfy((value: number) => value >= 0 && value <= options.maxDelay)
        expect(delay).toSatisfy((value: number) => value >= ceiling * (1 - options.jitter) && value <= ceiling)
      }),
    )
  })

  test('[R1] the ceiling never shrinks from one retry to the next', () => {
    fc.assert(
      fc.property(anyCount, anySchedule, (n, options) => {
        const ceiling = (count: number): number => backoff(count, { ...options, jitter: 0 })
        expect(ceiling(n + 1)).toBeGreaterThanOrEqual(ceiling(n))
      }),
    )
  })

  test('[R1] two clients that draw differently wait differently', () => {
    const share = fc.integer({ min: 1, max: 100 })
    const schedule = fc.record({
      minDelay: share.map((part) => part * 10),
      maxDelay: share.map((part) => part * 1_000),
      factor: share,
      jitter: share.map((part) => part / 100),
    })
    const draw = fc.integer({ min: 0, max: 999 })
    fc.assert(
      fc.property(anyCount, schedule, draw, draw, (n, options, one, other) => {
        fc.pre(one !== other)
        expect(backoff(n, options, () => one / 1_000)).not.toBe(backoff(n, options, () => other / 1_000))
      }),
    )
  })
})

describe('retryWindow', () => {
  const window = (code: number, reason: string, isFirst = true): number | null =>
    retryWindow({ code, reason, wasClean: true }, isFirst)

  test.each([1001, 1012, 1013])('[R4] the first retry after %i is drawn from 5 s', (code) => {
    expect(window(code, '')).toBe(5_000)
  })

  test.each([1001, 1012, 1013])('[R4] the second retry after %i follows the formula', (code) => {
    expect(window(code, '', false)).toBeNull()
  })

  test.each([1000, 1002, 1005, 1006, 1011, 1014, 4000])('[R4] no retry after %i has a window of its own', (code) => {
    expect(window(code, '')).toBeNull()
  })

  test.each([
    ['retry-after=30', 30_000],
    ['retry-after=0', 0],
    ['retry-after=1.5', 1_500],
    ['retry-after=0.125', 125],
    ['restarting; retry-after=60; see status page', 60_000],
    ['retry-after=7 retry-after=9', 7_000],
  ])('[R8] the reason "%s" is a window of %i ms, for any code and any retry', (reason, expected) => {
    for (const code of [1000, 1001, 1012, 1013, 4000]) {
      expect(window(code, reason, true)).toBe(expected)
      expect(window(code, reason, false)).toBe(expected)
    }
  })

  test.each(['retry-after', 'retry-after=', 'retry-after=soon', 'retry-after=-5', 'Retry after 5'])(
    '[R8] the reason "%s" says nothing',
    (reason) => expect(window(1000, reason)).toBeNull(),
  )
})

describe('isRetriable', () => {
  const isRetried = (code: number): boolean => isRetriable({ code, reason: '', wasClean: false })

  test.each([1002, 1003, 1007, 1008, 1009, 1010])('[R4] %i is final: the same client would fail again', (code) => {
    expect(isRetried(code)).toBe(false)
  })

  test.each([1000, 1001, 1004, 1005, 1006, 1011, 1012, 1013, 1014, 1015, 3000, 4401, 4999])(
    '[R4] %i is retried',
    (code) => expect(isRetried(code)).toBe(true),
  )
})
