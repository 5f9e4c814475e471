// The one timer: it comes at its time, not before, and knows when it comes late.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Timer } from '../src/timer.ts'

const DAY = 86_400_000
const LONGEST = 2 ** 31 - 1

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'], now: 1e12 })
})

afterEach(() => {
  vi.useRealTimers()
})

/** A timer, and when it came, in ms from now. */
const createTimer = (): { timer: Timer; calls: number[]; start: number; set: (after: number) => void } => {
  const start = performance.now()
  const calls: number[] = []
  const timer = new Timer({ onTimer: () => calls.push(performance.now() - start) })
  return { timer, calls, start, set: (after) => timer.set(start + after) }
}

describe('set', () => {
  test('calls back once, at its time', () => {
    const { set, calls } = createTimer()
    set(50)
    vi.advanceTimersByTime(49)
    expect(calls).toEqual([])
    vi.advanceTimersByTime(1_000)
    expect(calls).toEqual([50])
  })

  test('a time that has passed is now, but never inside the call', () => {
    const { set, calls } = createTimer()
    set(-50)
    expect(calls).toEqual([])
    vi.advanceTimersByTime(0)
    expect(calls).toEqual([0])
  })

  test('another time replaces the first, be it earlier or later', () => {
    const { set, calls } = createTimer()
    set(50)
    set(20)
    set(70)
    vi.advanceTimersByTime(1_000)
    expect(calls).toEqual([70])
  })

  test('[S5] Infinity is never: it leaves no timer', () => {
    const { set, calls } = createTimer()
    set(50)
    set(Infinity)
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(DAY)
    expect(calls).toEqual([])
  })

  test('[H5] the same time again costs nothing', () => {
    const setTimeout = vi.spyOn(globalThis, 'setTimeout')
    const { set, calls } = createTimer()
    for (let times = 0; times < 100; times++) set(50)
    expect(setTimeout).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(50)
    expect(calls).toEqual([50])
  })

  test('the same time again counts once it has come', () => {
    const { set, calls } = createTimer()
    set(50)
    vi.advanceTimersByTime(50)
    set(50)
    vi.advanceTimersByTime(0)
    expect(calls).toEqual([50, 50])
  })

  test('may be called by the callback', () => {
    const start = performance.now()
    const calls: number[] = []
    const timer: Timer = new Timer({
      onTimer() {
        calls.push(performance.now() - start)
        if (calls.length < 3) timer.set(performance.now() + 10)
      },
    })
    timer.set(start + 10)
    vi.advanceTimersByTime(1_000)
    expect(calls).toEqual([10, 20, 30])
  })

  test('[R1] a time further away than a timer can be takes several', () => {
    const setTimeout = vi.spyOn(globalThis, 'setTimeout')
    const { set, calls } = createTimer()
    set(60 * DAY)
    vi.advanceTimersByTime(59 * DAY)
    expect(calls).toEqual([])
    vi.advanceTimersByTime(2 * DAY)
    expect(calls).toEqual([60 * DAY])
    for (const [, delay] of setTimeout.mock.calls) expect(delay).toBeLessThanOrEqual(LONGEST)
  })

  test('a platform’s timer that comes too early is set again; a fraction of a ms is on time', () => {
    const pending: (() => void)[] = []
    vi.stubGlobal('setTimeout', (task: () => void) => pending.push(task))
    const { set, calls, start } = createTimer()
    const now = vi.spyOn(performance, 'now')
    set(50)
    now.mockReturnValue(start + 49)
    pending.shift()?.()
    expect([calls.length, pending.length]).toEqual([0, 1])
    now.mockReturnValue(start + 49.1)
    pending.shift()?.()
    expect([calls.length, pending.length]).toEqual([1, 0])
  })
})

describe('isLate', () => {
  test('[H6] a timer that was never set is not late', () => expect(createTimer().timer.isLate).toBe(false))

  test('[H6] 100 ms behind the time it is not late, one more and it is', () => {
    const { timer, set } = createTimer()
    set(50)
    vi.setSystemTime(Date.now() + 150)
    expect(timer.isLate).toBe(false)
    vi.setSystemTime(Date.now() + 1)
    expect(timer.isLate).toBe(true)
  })

  test('[H6] a laptop that slept shows on the wall clock alone', () => {
    const { timer, set } = createTimer()
    set(50)
    const before = performance.now()
    vi.setSystemTime(Date.now() + DAY)
    expect(performance.now()).toBe(before)
    expect(timer.isLate).toBe(true)
  })

  test('[H6] a busy thread shows on the monotonic clock alone, should the wall clock be set back', () => {
    const { timer, set, start } = createTimer()
    set(50)
    vi.setSystemTime(Date.now() - DAY)
    const now = vi.spyOn(performance, 'now')
    now.mockReturnValue(start + 150)
    expect(timer.isLate).toBe(false)
    now.mockReturnValue(start + 151)
    expect(timer.isLate).toBe(true)
  })

  test('[H6] is known within the callback', () => {
    const verdicts: boolean[] = []
    const timer: Timer = new Timer({ onTimer: () => verdicts.push(timer.isLate) })
    timer.set(performance.now() + 50)
    vi.advanceTimersByTime(50)
    timer.set(performance.now() + 50)
    vi.setSystemTime(Date.now() + DAY)
    vi.advanceTimersByTime(50)
    expect(verdicts).toEqual([false, true])
  })

  test('[H6] is over with the next time', () => {
    const { timer, set } = createTimer()
    set(50)
    vi.setSystemTime(Date.now() + DAY)
    set(60)
    expect(timer.isLate).toBe(false)
  })
})
