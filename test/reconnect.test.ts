// When a connection is tried again, how long after, and when no more.
import { describe, expect, test, vi } from 'vitest'
import type { HeartwireOptions, RetryContext } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import {
  advance,
  chance,
  collect,
  create,
  createOpen,
  elapse,
  FakeNetwork,
  inState,
  settle,
  stubReportError,
  useScenes,
} from './support/scene.ts'

useScenes()

/** The delays of `count` failures in a row. */
const delaysOf = async (count: number, reconnect: HeartwireOptions['reconnect']): Promise<number[]> => {
  const { socket } = create({ reconnect })
  const delays = collect(socket, 'waiting')
  for (let n = 0; n < count; n++) {
    FakeSocket.latest.fail()
    await settle()
    vi.advanceTimersByTime(delays.at(-1)?.delay ?? 0)
  }
  return delays.map(({ delay }) => delay)
}

/** How long the first retry waits after an open connection ended like this. */
const firstDelayAfter = async (code: number, reason = '', options: HeartwireOptions = {}): Promise<number | null> => {
  const { socket } = await createOpen(options)
  const delays = collect(socket, 'waiting')
  FakeSocket.latest.finish(code, reason)
  await settle()
  return delays[0]?.delay ?? null
}

describe('[R1] the delay', () => {
  test('doubles from 1 s to 30 s', async () => {
    expect(await delaysOf(7, {})).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  test('is drawn from all of it by default', async () => {
    chance(0.75)
    expect(await delaysOf(3, {})).toEqual([250, 500, 1_000])
  })

  test('takes its numbers from the options', async () => {
    chance(1)
    const numbers = { minDelay: 100, maxDelay: 500, factor: 3, jitter: 0.5 }
    expect(await delaysOf(4, numbers)).toEqual([50, 150, 250, 250])
  })

  test('0 means 0', async () => {
    expect(await delaysOf(4, { minDelay: 0 })).toEqual([0, 0, 0, 0])
    expect(await delaysOf(4, { maxDelay: 0 })).toEqual([0, 0, 0, 0])
  })

  test('is in range after 1,100 failures', async () => {
    const delays = await delaysOf(1_100, { minDelay: 10, maxDelay: 100 })
    expect(delays).toHaveLength(1_100)
    expect(new Set(delays.slice(4))).toEqual(new Set([100]))
  })

  test('beyond what timers can do is clamped, not turned into none', async () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout')
    await delaysOf(1, { minDelay: 2 ** 40, maxDelay: 2 ** 41 })
    expect(Math.max(...setTimer.mock.calls.map(([, ms]) => ms as number))).toBe(2 ** 31 - 1)
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('is told with the number of the retry and its time on the wall clock', async () => {
    const { socket } = await createOpen()
    const waiting = collect(socket, 'waiting')
    FakeSocket.latest.finish(1006)
    expect(waiting).toEqual([{ attempt: 1, delay: 1_000, retryAt: Date.now() + 1_000 }])
    await advance(999)
    expect(FakeSocket.all).toHaveLength(1)
    await advance(1)
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('two sockets do not retry in step', async () => {
    vi.spyOn(Math, 'random').mockReturnValueOnce(0.2).mockReturnValueOnce(0.7)
    await createOpen()
    const first = FakeSocket.latest
    await createOpen()
    const second = FakeSocket.latest
    first.finish(1006)
    second.finish(1006)
    await advance(1_000)
    expect(FakeSocket.all.slice(2).map(({ bornAt }) => Math.round(bornAt))).toEqual([300, 800])
  })
})

describe('[R2] the attempt count', () => {
  test('grows with each retry, and is told by the socket and its open event', async () => {
    const { socket, log } = create()
    for (const attempt of [0, 1, 2]) {
      expect(socket.attempt).toBe(attempt)
      FakeSocket.latest.fail()
      await elapse()
    }
    FakeSocket.latest.accept()
    expect(log.at(-1)).toBe('open 3')
    expect(socket.attempt).toBe(3)
  })

  test('is 0 again once the connection has been open minUptime', async () => {
    const { socket } = await inState('waiting')
    await advance(1_000)
    FakeSocket.latest.accept()
    await advance(4_999)
    expect(socket.attempt).toBe(1)
    await advance(1)
    expect(socket.attempt).toBe(0)
  })

  test('a server that accepts and drops is still failing', async () => {
    const { socket } = create()
    const waiting = collect(socket, 'waiting')
    for (let n = 0; n < 4; n++) {
      FakeSocket.latest.accept()
      await advance(4_999)
      FakeSocket.latest.finish(1006)
      await advance(waiting.at(-1)?.delay ?? 0)
    }
    expect(waiting.map(({ attempt, delay }) => [attempt, delay])).toEqual([
      [1, 1_000],
      [2, 2_000],
      [3, 4_000],
      [4, 8_000],
    ])
  })

  test('0 means 0: any connection is a success', async () => {
    const { socket } = create({ reconnect: { minUptime: 0 } })
    const waiting = collect(socket, 'waiting')
    for (let n = 0; n < 3; n++) {
      FakeSocket.latest.accept()
      FakeSocket.latest.finish(1006)
      await advance(1_000)
    }
    expect(waiting.map(({ attempt }) => attempt)).toEqual([1, 1, 1])
  })

  test('pagehide does not make a stable connection a failure', async () => {
    const { socket, network } = create({ reconnect: { maxAttempts: 2 } })
    FakeSocket.latest.fail()
    await elapse()
    FakeSocket.latest.accept()
    await advance(5_000)
    network.emit('hide')
    network.emit('restore')
    expect(socket.attempt).toBe(1)
    FakeSocket.latest.fail()
    expect(socket.state).toBe('waiting')
  })

  test('reconnect() does not make a stable connection a failure', async () => {
    const { socket } = await createOpen({ reconnect: { maxAttempts: 1 } })
    await advance(5_000)
    socket.reconnect()
    FakeSocket.latest.accept()
    await advance(5_000)
    FakeSocket.latest.finish(1006)
    expect(socket.state).toBe('waiting')
  })
})

describe('[R3] maxAttempts', () => {
  test('gives up after maxAttempts consecutive failures', async () => {
    const { socket, log } = create({ reconnect: { maxAttempts: 3 } })
    const errors = collect(socket, 'error')
    for (let n = 0; n < 3; n++) {
      FakeSocket.latest.fail()
      await elapse()
    }
    expect(FakeSocket.all).toHaveLength(3)
    expect(socket).toMatchObject({ state: 'closed', reason: 'gave-up' })
    expect(errors.at(-1)).toMatchObject({ code: 'gave-up', cause: { code: 'connect-failed' } })
    expect(log.slice(-6)).toEqual([
      '<error>',
      '<close 1006 final>',
      'error connect-failed',
      'lost, attempt, 0 requeued, 0 in doubt',
      'error gave-up',
      'closed: gave-up',
    ])
  })

  test('0 never retries', async () => {
    const { socket } = create({ reconnect: { maxAttempts: 0 } })
    FakeSocket.latest.fail()
    expect(socket.reason).toBe('gave-up')
    const { socket: another } = await createOpen({ reconnect: { maxAttempts: 0 } })
    await advance(10_000)
    FakeSocket.latest.finish(1006)
    expect(another.reason).toBe('gave-up')
  })

  test('counts from zero after a stable connection', async () => {
    const { socket } = await createOpen({ reconnect: { maxAttempts: 3 } })
    await advance(5_000)
    FakeSocket.latest.finish(1006)
    for (let n = 0; n < 3; n++) {
      expect(socket.state).toBe('waiting')
      await elapse()
      FakeSocket.latest.fail()
    }
    expect(socket.reason).toBe('gave-up')
    expect(FakeSocket.all).toHaveLength(4)
  })

  test('a server that accepts and drops reaches it', async () => {
    const { socket } = create({ reconnect: { maxAttempts: 3 } })
    for (let n = 0; n < 3; n++) {
      FakeSocket.latest.accept()
      FakeSocket.latest.finish(1000)
      await advance(20_000)
    }
    expect(FakeSocket.all).toHaveLength(3)
    expect(socket.reason).toBe('gave-up')
  })

  test('reconnect() after giving up starts afresh', async () => {
    const { socket } = create({ reconnect: { maxAttempts: 1 } })
    FakeSocket.latest.fail()
    socket.reconnect()
    expect(socket).toMatchObject({ state: 'connecting', attempt: 0 })
    FakeSocket.latest.fail()
    expect(socket.reason).toBe('gave-up')
  })
})

describe('[R4] which ends are retried', () => {
  test.each([1002, 1003, 1007, 1008, 1009, 1010])('%i is final', async (code) => {
    const { socket, log } = await createOpen()
    FakeSocket.latest.finish(code, 'no')
    expect(socket.reason).toBe('refused')
    expect(log).toEqual([
      'closed',
      `<close ${code} no clean final>`,
      'lost, open, 0 requeued, 0 in doubt',
      'closed: refused',
    ])
  })

  test.each([1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 1015, 3000, 4999])('%i is retried', async (code) => {
    expect(await firstDelayAfter(code)).not.toBeNull()
  })

  test.each([1001, 1012, 1013])('%i: the first retry is drawn from 0 to 5 s', async (code) => {
    for (const [luck, delay] of [
      [0, 5_000],
      [0.5, 2_500],
      [0.75, 1_250],
    ] as const) {
      chance(luck)
      expect(await firstDelayAfter(code)).toBe(delay)
    }
  })

  test('only the first: the next follow the formula', async () => {
    chance(0.5)
    const { socket } = await createOpen()
    const waiting = collect(socket, 'waiting')
    FakeSocket.latest.finish(1012)
    await advance(2_500)
    FakeSocket.latest.finish(1012)
    expect(waiting.map(({ delay }) => delay)).toEqual([2_500, 1_000])
  })

  test('reconnect: false retries nothing', async () => {
    const { socket } = await createOpen({ reconnect: false })
    FakeSocket.latest.finish(1006)
    expect(socket.reason).toBe('refused')
    await advance(100_000)
    expect(FakeSocket.all).toHaveLength(1)
  })

  test('when() decides instead, and is told how it ended', async () => {
    const when = vi.fn<(close: object) => boolean>(() => true)
    expect(await firstDelayAfter(1008, 'policy', { reconnect: { when } })).toBe(1_000)
    expect(when).toHaveBeenCalledExactlyOnceWith({ code: 1008, reason: 'policy', wasClean: true })
    expect(await firstDelayAfter(1006, '', { reconnect: { when: () => false } })).toBeNull()
  })

  test('a when() that throws is reported, and the default decides', async () => {
    const reported = stubReportError()
    const failure = new Error('when')
    const when = (): never => {
      throw failure
    }
    expect(await firstDelayAfter(1006, '', { reconnect: { when } })).toBe(1_000)
    expect(await firstDelayAfter(1008, '', { reconnect: { when } })).toBeNull()
    expect(reported).toEqual([failure, failure])
  })

  test.each(['when', 'delay'] as const)('close() inside %s() sticks', async (name) => {
    const { socket, log } = await createOpen({
      reconnect: {
        [name]: () => {
          socket.close()
          return name === 'when' ? true : 10
        },
      },
    })
    FakeSocket.latest.finish(1006)
    await advance(10_000)
    expect(socket).toMatchObject({ state: 'closed', reason: 'user' })
    expect(log).toEqual([
      'closing',
      'closed',
      '<close 1006 final>',
      'lost, open, 0 requeued, 0 in doubt',
      'closed: user',
    ])
  })

  test('close() inside a when() that says no is the user’s close', async () => {
    const { socket } = await createOpen({ reconnect: { when: () => (socket.close(), false) } })
    FakeSocket.latest.finish(1006)
    expect(socket).toMatchObject({ state: 'closed', reason: 'user' })
  })

  test.each(['when', 'delay'] as const)('reconnect() inside %s() goes first', async (name) => {
    let isFirst = true
    const { socket, log } = await createOpen({
      reconnect: {
        [name]: () => {
          if (isFirst) socket.reconnect()
          isFirst = false
          return name === 'when' ? true : 10
        },
      },
    })
    FakeSocket.latest.finish(1006)
    expect(socket.state).toBe('connecting')
    expect(FakeSocket.all).toHaveLength(2)
    expect(log.filter((line) => line.startsWith('<close'))).toHaveLength(1)
  })
})

describe('[R5] reconnect.delay', () => {
  test('is told the retry, our delay and how it ended, and overrides it', async () => {
    const delay = vi.fn<(context: RetryContext) => number>(({ attempt }) => attempt * 10)
    expect(await delaysOf(3, { delay })).toEqual([10, 20, 30])
    expect(delay.mock.calls.map(([context]) => context)).toEqual([
      { attempt: 1, delay: 1_000, close: { code: 1006, reason: '', wasClean: false } },
      { attempt: 2, delay: 2_000, close: { code: 1006, reason: '', wasClean: false } },
      { attempt: 3, delay: 4_000, close: { code: 1006, reason: '', wasClean: false } },
    ])
  })

  test('false stops', async () => {
    const { socket } = await createOpen({ reconnect: { delay: () => false } })
    FakeSocket.latest.finish(1006)
    expect(socket.reason).toBe('refused')
  })

  test('0 means 0', async () => {
    expect(await delaysOf(2, { delay: () => 0 })).toEqual([0, 0])
  })

  test.each([-1, Number.NaN, undefined, '5', null])('%s is no delay: ours is taken', async (value) => {
    expect(await delaysOf(2, { delay: () => value as number })).toEqual([1_000, 2_000])
  })

  test('what it throws is reported, and our delay taken', async () => {
    const reported = stubReportError()
    const failure = new Error('delay')
    const delay = (): never => {
      throw failure
    }
    expect(await delaysOf(1, { delay })).toEqual([1_000])
    expect(reported).toEqual([failure])
  })

  test('Infinity waits until somebody says so', async () => {
    const { socket, network } = await createOpen({ reconnect: { delay: () => Infinity } })
    FakeSocket.latest.finish(1006)
    await advance(2 ** 32)
    expect(socket.state).toBe('waiting')
    network.emit('online')
    await advance(0)
    expect(socket.state).toBe('connecting')
  })
})

describe('[R6] a failed attempt', () => {
  test.each([1000, 1005, 1006])('that the socket reports as %i is error, then close 1006', async (code) => {
    const { log, socket } = create()
    await settle()
    log.length = 0
    FakeSocket.latest.finish(code, '', true)
    expect(log.slice(1, 3)).toEqual(['<error>', '<close 1006 again>'])
    expect(socket.lastClose).toEqual({ code: 1006, reason: '', wasClean: false })
  })

  test('keeps the code by which a server ended it during the handshake', async () => {
    const { socket, log } = await inState('handshaking')
    FakeSocket.latest.finish(4401, 'who are you', true)
    expect(log.slice(1, 3)).toEqual(['<error>', '<close 4401 who are you again>'])
    expect(socket.lastClose).toEqual({ code: 4401, reason: 'who are you', wasClean: false })
  })

  test('is told as connect-failed with the url', async () => {
    const { socket } = create()
    const errors = collect(socket, 'error')
    FakeSocket.latest.fail()
    await settle()
    expect(errors).toMatchObject([{ code: 'connect-failed' }])
    expect(String(errors[0])).toContain('ws://example.test/')
  })

  test('[E3] has the cause where the class tells one', async () => {
    const { socket } = create({ reconnect: { maxAttempts: 2 } })
    const errors = collect(socket, 'error')
    const cause = new Error('connect ECONNREFUSED')
    FakeSocket.latest.onerror?.({ type: 'error', error: cause })
    FakeSocket.latest.fail()
    await advance(1_000)
    // The next attempt has another cause, or none.
    FakeSocket.latest.fail()
    await settle()
    expect(errors).toMatchObject([{ code: 'connect-failed', cause }, { code: 'connect-failed' }, { code: 'gave-up' }])
    expect(String(errors[0])).toContain('1006: connect ECONNREFUSED')
    expect((errors[1] as Error).cause).toBeUndefined()
  })
})

describe('[R7] what cuts a wait short', () => {
  test.each(['online', 'wake'] as const)('%s: a retry within 100 ms', async (signal) => {
    const { socket, network, log } = await inState('waiting')
    chance(0.5)
    network.emit(signal)
    expect(log).toEqual(['waiting 1: 50'])
    await advance(49)
    expect(socket.state).toBe('waiting')
    await advance(1)
    expect(socket.state).toBe('connecting')
  })

  test('never longer than it would have been', async () => {
    const { socket, network } = await inState('waiting')
    await advance(990)
    chance(1)
    network.emit('wake')
    await advance(10)
    expect(socket.state).toBe('connecting')
  })

  test('reconnect(): at once', async () => {
    const { socket } = await inState('waiting')
    socket.reconnect()
    expect(socket).toMatchObject({ state: 'connecting', attempt: 1 })
  })

  test.each(['resolving', 'connecting', 'handshaking'] as const)(
    'a signal renews a stale attempt: %s',
    async (state) => {
      const { socket, network, log, unblock } = await inState(state)
      await advance(5_000)
      network.emit('wake')
      expect(log).toEqual([])
      const before = socket.attempt
      await advance(1)
      unblock()
      network.emit('wake')
      await settle()
      expect(log).not.toContain('<error>')
      expect(log.filter((line) => line.startsWith('<close'))).toEqual([])
      expect(socket).toMatchObject({ state: 'connecting', attempt: before })
    },
  )

  test('flapping does not shorten what was already shortened below its jitter', async () => {
    const { network } = await inState('waiting')
    chance(0.9)
    for (let n = 0; n < 20; n++) network.emit('online')
    await advance(89)
    expect(FakeSocket.all).toHaveLength(1)
    await advance(1)
    expect(FakeSocket.all).toHaveLength(2)
  })
})

describe('[R8] a server that knows better', () => {
  test.each([
    [1012, 'retry-after=60', 30_000],
    [1013, 'busy; retry-after=0.5', 250],
    [1006, 'retry-after=10', 5_000],
    [4000, 'retry-after=0', 0],
    [1012, 'retry-after=soon', 2_500],
  ])('%i %s', async (code, reason, delay) => {
    chance(0.5)
    expect(await firstDelayAfter(code, reason)).toBe(delay)
  })

  test('does not make a final code retried', async () => {
    expect(await firstDelayAfter(1008, 'retry-after=1')).toBeNull()
  })

  test('reconnect.delay goes first, and is told', async () => {
    chance(0.5)
    const delay = vi.fn<(context: RetryContext) => number>(() => 7)
    expect(await firstDelayAfter(1012, 'retry-after=60', { reconnect: { delay } })).toBe(7)
    expect(delay.mock.calls[0]?.[0]).toMatchObject({ delay: 30_000 })
  })
})

test('[R1] a hundred sockets on one network come back spread over the window', async () => {
  const network = new FakeNetwork()
  let seed = 0
  vi.spyOn(Math, 'random').mockImplementation(() => (seed = (seed + 0.618_034) % 1))
  const scenes = Array.from({ length: 100 }, () => create({ network }))
  for (const native of FakeSocket.all) native.fail()
  await advance(1_000)
  const times = FakeSocket.all.slice(scenes.length).map(({ bornAt }) => bornAt)
  expect(times).toHaveLength(100)
  expect(new Set(times).size).toBeGreaterThan(90)
  // Every tenth of the second has its share.
  for (let tenth = 0; tenth < 10; tenth++) {
    expect(times.filter((time) => Math.floor(time / 100.000_1) === tenth).length).toBeGreaterThan(5)
  }
  network.emit('offline')
})
