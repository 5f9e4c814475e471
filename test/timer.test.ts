// The one timer: it comes at its time, not before, and knows when it comes late.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Timer } from '../src/timer.ts'
import { FakeWorker, hidePage } from './support/fake-worker.ts'

const DAY = 86_400_000
const LONGEST = 2 ** 31 - 1

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'], now: 1e12 })
})

afterEach(() => {
  // First, or they would bring the fake timers back.
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** A timer, and when it came, in ms from now. */
const createTimer = (): {
  timer: Timer
  calls: number[]
  failures: unknown[]
  start: number
  set: (after: number) => void
} => {
  const start = performance.now()
  const calls: number[] = []
  const failures: unknown[] = []
  const timer = new Timer({
    onTimer: () => calls.push(performance.now() - start),
    onWorkerFailed: (cause) => failures.push(cause),
  })
  return { timer, calls, failures, start, set: (after) => timer.set(start + after) }
}

/** The owner of a timer that needs no worker. */
const onWorkerFailed = (): void => {}

// Chromium counts how deep timers are set within timers, and five deep it wakes a hidden page for them once a minute only.
describe('[H7] while the page is hidden', () => {
  beforeEach(() => {
    vi.stubGlobal('document', { hidden: true })
  })

  /** Every task that is under way, but no timer. */
  const tasks = (): Promise<void> =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        port1.close()
        resolve()
      }
      port2.postMessage(null)
    })

  test('calls back at once, and what is set then is set again by a task that is no timer', async () => {
    const set: number[] = []
    const timer: Timer = new Timer({ onWorkerFailed, onTimer: () => timer.set(performance.now() + 10) })
    timer.set(performance.now() + 50)
    const setTimeout = vi.spyOn(globalThis, 'setTimeout').mockImplementation((_, delay = 0) => {
      set.push(delay)
      return 1 as unknown as NodeJS.Timeout
    })
    vi.advanceTimersByTime(50)
    expect(set).toEqual([10])
    setTimeout.mockClear()
    await tasks()
    expect(set).toEqual([10, 10])
    expect(setTimeout).toHaveBeenCalledOnce()
  })

  test('what has come and was not set again does not come again', async () => {
    const { set, calls } = createTimer()
    set(50)
    vi.advanceTimersByTime(50)
    await tasks()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(1_000)
    expect(calls).toEqual([50])
  })

  test('comes as it is where there are no channels', () => {
    const { MessageChannel: Channel } = globalThis
    Reflect.deleteProperty(globalThis, 'MessageChannel')
    try {
      const { set, calls } = createTimer()
      set(50)
      vi.advanceTimersByTime(50)
      expect(calls).toEqual([50])
    } finally {
      globalThis.MessageChannel = Channel
    }
  })

  test('a time that is set meanwhile is the one that counts, and never is never', async () => {
    const { set, calls } = createTimer()
    set(50)
    vi.advanceTimersByTime(50)
    set(70)
    await tasks()
    vi.advanceTimersByTime(20)
    expect(calls).toEqual([50, 70])
    set(Infinity)
    await tasks()
    expect(vi.getTimerCount()).toBe(0)
  })
})

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
      onWorkerFailed,
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
    const timer: Timer = new Timer({ onWorkerFailed, onTimer: () => verdicts.push(timer.isLate) })
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

describe('[H10] with a worker', () => {
  let current: Timer | null = null

  beforeEach(() => FakeWorker.use())

  afterEach(() => {
    current?.set(Infinity)
    current?.release()
    current = null
    expect(vi.getTimerCount()).toBe(0)
  })

  /** A timer with a worker that runs. */
  const hire = async (): Promise<ReturnType<typeof createTimer>> => {
    const created = createTimer()
    current = created.timer
    current.hire()
    await FakeWorker.latest.load()
    return created
  }

  test('whichever comes first counts, and the owner is called once', async () => {
    const { set, calls } = await hire()
    set(50)
    expect(vi.getTimerCount()).toBe(2)
    vi.advanceTimersByTime(1_000)
    expect(calls).toEqual([50])
    hidePage()
    set(2_000)
    vi.advanceTimersByTime(120_000)
    expect(calls).toEqual([50, 2_000])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('one that comes second finds nothing to do, even when the owner has set the next time', async () => {
    const { timer, set, calls } = await hire()
    const { latest } = FakeWorker
    latest.held = []
    set(50)
    vi.advanceTimersByTime(50)
    latest.deliver()
    expect(calls).toEqual([50])
    latest.held = []
    set(100)
    vi.advanceTimersByTime(50)
    set(200)
    latest.deliver()
    expect(calls).toEqual([50, 100])
    vi.advanceTimersByTime(1_000)
    expect(calls).toEqual([50, 100, 200])
    expect(timer.isLate).toBe(true)
  })

  test('a worker without a word costs nothing: the page’s timer comes as ever', () => {
    const { timer, set, calls, failures } = createTimer()
    current = timer
    timer.hire()
    set(50)
    vi.advanceTimersByTime(1_000)
    expect([calls, failures]).toEqual([[50], []])
  })

  test.each([
    ['Infinity is never', (timer: Timer) => timer.set(Infinity)],
    ['a later time is that time', (timer: Timer) => timer.set(performance.now() + DAY)],
  ])('[S5] %s, even for a wake-up on its way', async (_, then) => {
    const { timer, set, calls } = await hire()
    hidePage()
    const { latest } = FakeWorker
    latest.held = []
    set(50)
    vi.advanceTimersByTime(50)
    then(timer)
    latest.deliver()
    vi.advanceTimersByTime(DAY / 2)
    expect(calls).toEqual([])
  })

  test('another time replaces the first there, too: it has one timer for each of ours', async () => {
    const { set, calls } = await hire()
    hidePage()
    for (const after of [50, 20, 70]) set(after)
    expect(FakeWorker.latest.timers).toBe(1)
    vi.advanceTimersByTime(1_000)
    expect(calls).toEqual([70])
    expect(FakeWorker.latest).toMatchObject({ timers: 0, remembered: 0 })
  })

  test('nothing to wait for wakes nobody for what was set before', async () => {
    const { set } = await hire()
    const { latest } = FakeWorker
    set(50)
    set(Infinity)
    latest.held = []
    vi.advanceTimersByTime(DAY)
    expect(latest.held).toEqual([])
  })

  test('a wake-up that is early by our clock is set again', async () => {
    const { set, calls, start } = await hire()
    hidePage()
    set(50)
    // Some clocks tell the time in steps.
    const now = vi.spyOn(performance, 'now').mockReturnValue(start + 40)
    vi.advanceTimersByTime(50)
    expect(calls).toEqual([])
    now.mockRestore()
    vi.advanceTimersByTime(10)
    expect(calls).toEqual([60])
  })

  test('[R1] a time further away than a timer can be takes several', async () => {
    const { set, calls } = await hire()
    hidePage()
    set(60 * DAY)
    vi.advanceTimersByTime(61 * DAY)
    expect(calls).toEqual([60 * DAY])
    for (const [, delay] of FakeWorker.latest.received as number[][]) expect(delay).toBeLessThanOrEqual(LONGEST)
  })

  test('[H6] what the worker wakes is not late; a laptop that slept is, also after a wake-up for an earlier time', async () => {
    const { timer, set, calls } = await hire()
    hidePage()
    set(50)
    vi.advanceTimersByTime(50)
    expect([calls, timer.isLate]).toEqual([[50], false])
    const { latest } = FakeWorker
    latest.held = []
    set(100)
    vi.advanceTimersByTime(50)
    set(10_000)
    vi.setSystemTime(Date.now() + DAY)
    latest.deliver()
    expect([calls, timer.isLate]).toEqual([[50], true])
  })

  test('is released, and hired again', async () => {
    const { timer, set, calls } = await hire()
    timer.hire()
    expect(FakeWorker.all).toHaveLength(1)
    timer.release()
    timer.release()
    expect(FakeWorker.latest.isTerminated).toBe(true)
    set(50)
    vi.advanceTimersByTime(50)
    timer.hire()
    expect(FakeWorker.all).toHaveLength(2)
    await FakeWorker.latest.load()
    hidePage()
    set(100)
    vi.advanceTimersByTime(50)
    expect(calls).toEqual([50, 100])
  })

  test('where there can be none it says so, once', () => {
    const { timer, set, calls, failures } = createTimer()
    FakeWorker.refusal = new Error('by policy')
    for (let times = 0; times < 3; times++) timer.hire()
    timer.release()
    timer.hire()
    expect([failures, FakeWorker.asked]).toEqual([[FakeWorker.refusal], 1])
    set(50)
    vi.advanceTimersByTime(50)
    expect(calls).toEqual([50])
  })
})
