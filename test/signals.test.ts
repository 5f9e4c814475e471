// What the network and the page say, and what a socket makes of it. All of it is a hint.
import { describe, expect, test, vi } from 'vitest'
import type { Heartwire, NetworkSignal, State } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import {
  advance,
  chance,
  collect,
  create,
  createOpen,
  inState,
  settle,
  STATES,
  stubReportError,
  useScenes,
} from './support/scene.ts'
import type { Scene } from './support/scene.ts'

useScenes()

const SIGNALS = ['online', 'offline', 'wake', 'hide', 'restore'] as const satisfies readonly NetworkSignal[]

const heartbeat = { message: 'ping', pong: 'pong', interval: 60_000, timeout: 20_000 }

/** Open, with a heartbeat, and the link has been quiet for a ms: what arrives in the ms of a question answers it. */
const createQuiet = async (options: Partial<typeof heartbeat> = {}): Promise<Scene> => {
  const scene = await createOpen({ heartbeat: { ...heartbeat, ...options } })
  await advance(1)
  return scene
}

describe('[S1] every signal in every state', () => {
  // Where nothing is said, the state stays and nothing is told.
  const EXPECTED: Partial<Record<`${State} ${NetworkSignal}`, string[]>> = {
    'resolving hide': ['paused', '<close 1006 page hidden again>', 'lost, attempt, 0 requeued, 0 in doubt'],
    'connecting hide': ['paused', '<close 1006 page hidden again>', 'lost, attempt, 0 requeued, 0 in doubt'],
    'handshaking hide': ['paused', '<close 1006 page hidden again>', 'lost, attempt, 0 requeued, 0 in doubt'],
    'open hide': ['paused', '<close 1006 page hidden again>', 'lost, open, 0 requeued, 0 in doubt'],
    'waiting online': ['waiting 1: 0'],
    'waiting wake': ['waiting 1: 0'],
    'waiting restore': ['resolving', 'connecting'],
    'waiting offline': ['paused'],
    'waiting hide': ['paused'],
    'paused online': ['waiting', 'waiting 1: 0'],
    'paused wake': ['waiting', 'waiting 1: 0'],
    'paused restore': ['resolving', 'connecting'],
  }
  const cells = STATES.flatMap((state) => SIGNALS.map((signal) => [state, signal] as const))

  test.each(cells)('%s: %s', async (state, signal) => {
    const { network, log } = await inState(state)
    network.emit(signal)
    await settle()
    expect(log).toEqual(EXPECTED[`${state} ${signal}`] ?? [])
  })
})

describe('[N1] offline while open', () => {
  test('probes, and drops nothing that works', async () => {
    const { network, log, socket } = await createQuiet()
    network.emit('offline')
    expect(FakeSocket.latest.sent).toEqual(['ping'])
    expect(log).toEqual(['probe 5000'])
    await advance(4_999)
    FakeSocket.latest.receive('pong')
    await advance(50_000)
    expect(socket.state).toBe('open')
  })

  test('finds out within 5 s that it does not', async () => {
    const { network, socket } = await createQuiet()
    network.emit('offline')
    await advance(5_000)
    expect(socket.state).toBe('paused')
    expect(socket.lastClose).toMatchObject({ reason: 'heartbeat timeout' })
  })

  test('a shorter timeout of its own stays', async () => {
    const { network, log } = await createQuiet({ timeout: 300 })
    network.emit('offline')
    expect(log).toEqual(['probe 300'])
  })

  test('without a heartbeat it is the socket’s business', async () => {
    const { network, log } = await createOpen()
    network.emit('offline')
    await advance(1_000_000)
    expect(log).toEqual([])
  })
})

describe('[N2] offline while lost', () => {
  test.each([
    [0, 60_000],
    [0.5, 52_500],
    [0.999, 45_015],
  ])('retries at most once a minute, not in step: %d', async (luck, ms) => {
    chance(luck)
    const { socket } = await inState('paused')
    await advance(ms - 1)
    expect(socket.state).toBe('paused')
    await advance(1)
    expect(socket.state).toBe('connecting')
  })

  test('pauses again while that fails, and counts on', async () => {
    const { socket } = await inState('paused')
    for (const attempt of [1, 2, 3]) {
      await advance(60_000)
      expect(socket.attempt).toBe(attempt)
      FakeSocket.latest.fail()
      expect(socket.state).toBe('paused')
    }
  })

  test('online: at once, within 100 ms', async () => {
    const { socket, network } = await inState('paused')
    chance(0.7)
    network.emit('online')
    await advance(69)
    expect(socket.state).toBe('waiting')
    await advance(1)
    expect(socket.state).toBe('connecting')
  })

  test('going offline while waiting pauses', async () => {
    const { socket, network } = await inState('waiting')
    network.emit('offline')
    expect(socket.state).toBe('paused')
    await advance(59_999)
    expect(FakeSocket.all).toHaveLength(1)
  })

  test('starts optimistic: offline does not keep the first attempt back', async () => {
    const network = { online: false, subscribe: () => () => {} }
    const { socket } = create({ network })
    expect(socket.state).toBe('connecting')
    FakeSocket.latest.accept()
    expect(socket.state).toBe('open')
  })

  test('a failure while offline pauses at once', async () => {
    const { socket, network, log } = await createOpen()
    network.emit('offline')
    FakeSocket.latest.fail()
    expect(log).toEqual(['paused', '<error>', '<close 1006 again>', 'lost, open, 0 requeued, 0 in doubt'])
    expect(socket.readyState).toBe(0)
  })

  test('giving up and final codes go first', async () => {
    const { socket, network } = await createOpen({ reconnect: { maxAttempts: 0 } })
    network.online = false
    FakeSocket.latest.fail()
    expect(socket.reason).toBe('gave-up')
  })
})

describe('[N3] waking up', () => {
  test('probes with the short timeout', async () => {
    const { network, log } = await createQuiet()
    network.emit('wake')
    network.emit('wake')
    expect(log).toEqual(['probe 5000'])
    expect(FakeSocket.latest.sent).toEqual(['ping'])
  })

  test('shortens the wait for an answer that is still due', async () => {
    const { network, socket } = await createQuiet()
    await advance(59_999)
    await advance(2_000)
    network.emit('wake')
    expect(FakeSocket.latest.sent).toEqual(['ping'])
    await advance(4_999)
    expect(socket.state).toBe('open')
    await advance(1)
    expect(socket.state).toBe('waiting')
  })

  test('never lengthens it', async () => {
    const { network, socket } = await createQuiet()
    await advance(59_999)
    await advance(19_000)
    network.emit('wake')
    await advance(1_000)
    expect(socket.state).toBe('waiting')
  })

  test('within a probe does not postpone its end', async () => {
    const { network, socket } = await createQuiet()
    network.emit('wake')
    for (let second = 1; second < 5; second++) {
      await advance(1_000)
      network.emit('wake')
    }
    await advance(1_000)
    expect(socket.state).toBe('waiting')
  })
})

describe('[N4] the page goes and comes', () => {
  test('hide closes, so that the server learns and the page may be kept', async () => {
    const { network, socket } = await inState('open')
    const native = FakeSocket.latest
    network.emit('hide')
    expect(native.closes).toEqual([[undefined, undefined]])
    expect(socket).toMatchObject({ state: 'paused', readyState: 0 })
    expect(socket.lastClose).toMatchObject({ reason: 'page hidden' })
  })

  test('restore reconnects at once', async () => {
    const { network, socket, log } = await inState('open')
    network.emit('hide')
    network.emit('restore')
    expect(socket.state).toBe('connecting')
    FakeSocket.latest.accept()
    expect(log.at(-1)).toBe('open 1 again')
  })

  test('also when the page is said to be visible first, as in Chromium', async () => {
    const { network, socket } = await inState('open')
    network.emit('hide')
    chance(0.5)
    for (const signal of ['wake', 'wake', 'restore'] as const) network.emit(signal)
    expect(socket.state).toBe('connecting')
  })

  test('what was queued meanwhile is sent then', async () => {
    const { network, socket } = await inState('open')
    network.emit('hide')
    socket.send('while hidden')
    network.emit('restore')
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual(['while hidden'])
  })

  test('a page that was not kept after all retries by itself', async () => {
    const { network, socket } = await inState('open')
    network.emit('hide')
    await advance(60_000)
    expect(socket.state).toBe('connecting')
  })

  test('all the signals of a restore make one attempt', async () => {
    const { network } = await inState('open')
    network.emit('hide')
    for (const signal of ['restore', 'wake', 'online', 'wake'] as const) network.emit(signal)
    await advance(200)
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('hide in the middle of closing changes nothing', async () => {
    const { network, log } = await inState('closing')
    network.emit('hide')
    FakeSocket.latest.finish(1000)
    expect(log).toEqual(['closed', '<close 1000 clean final>', 'closed: user'])
  })
})

describe.each([false, { maxAttempts: 0 }])(
  '[P2] with reconnect: %j there is one connection, as natively',
  (reconnect) => {
    test.each(['resolving', 'connecting', 'handshaking', 'open'] as const)(
      '%s: no signal makes another',
      async (state) => {
        const { socket, network, log } = await inState(state, { reconnect })
        const { length } = FakeSocket.all
        for (const signal of SIGNALS) {
          network.emit(signal)
          await advance(9_000 / SIGNALS.length)
        }
        expect([socket.state, log, FakeSocket.all.length]).toEqual([state, [], length])
      },
    )

    test('with a heartbeat, signals still probe', async () => {
      const { network, log } = await createOpen({ reconnect, heartbeat })
      await advance(1)
      network.emit('wake')
      expect(log).toEqual(['probe 5000'])
    })
  },
)

describe('[N5] a source that misbehaves', () => {
  const mistake = new Error('a mistake of the application')

  test.each(SIGNALS)('one that says %s while it is subscribed to is not heeded yet', async (signal) => {
    const network = {
      online: true,
      subscribe: (listener: (signal: NetworkSignal) => void) => {
        listener(signal)
        return () => {}
      },
    }
    const { socket, log } = create({ network })
    await settle()
    expect(socket.state).toBe('connecting')
    expect(log).toEqual(['resolving', 'connecting'])
  })

  test.each<[string, () => unknown]>([
    [
      'throws when subscribed to',
      () => {
        throw mistake
      },
    ],
    ['returns nothing', () => {}],
    ['returns an object', () => ({ unsubscribe() {} })],
    [
      'throws when it is let go',
      () => () => {
        throw mistake
      },
    ],
  ])('one that %s hurts nobody', async (_, subscribe) => {
    stubReportError()
    const { socket, log } = create({ network: { online: true, subscribe: subscribe as () => () => void } })
    FakeSocket.latest.fail()
    await advance(1_000)
    FakeSocket.latest.accept()
    expect(socket.state).toBe('open')
    socket.close()
    FakeSocket.latest.finish(1000)
    expect(log.at(-1)).toBe('closed: user')
  })

  test('[S2] one that reconnects while it is subscribed to makes one connection', async () => {
    let socket: Heartwire | undefined
    const network = {
      online: true,
      subscribe: () => {
        socket?.reconnect()
        return () => {}
      },
    }
    socket = create({ network, start: 'manual' }).socket
    socket.connect()
    await advance(9_000)
    expect(FakeSocket.all.filter(({ readyState }) => readyState < 2)).toHaveLength(1)
    FakeSocket.latest.accept()
    expect(socket.state).toBe('open')
  })

  test('one whose online throws says nothing about the network', async () => {
    const reported = stubReportError()
    const network = {
      get online(): boolean {
        throw mistake
      },
      subscribe: () => () => {},
    }
    const { socket } = create({ network })
    FakeSocket.latest.fail()
    expect(socket.state).toBe('waiting')
    expect(reported).toContain(mistake)
  })
})

describe('[N5] the source', () => {
  test.each(STATES)('is subscribed to once while alive: %s', async (state) => {
    const { network } = await inState(state)
    expect(network.count).toBe(state === 'idle' || state === 'closed' ? 0 : 1)
  })

  test('stays subscribed over reconnects, once', async () => {
    const { network, socket } = await inState('open')
    const subscribe = vi.spyOn(network, 'subscribe')
    socket.reconnect()
    FakeSocket.latest.fail()
    await advance(10_000)
    expect(subscribe).not.toHaveBeenCalled()
    expect(network.count).toBe(1)
  })

  test('is let go at the end, and taken again by connect()', async () => {
    const { network, socket } = await inState('closing')
    FakeSocket.latest.finish()
    expect(network.count).toBe(0)
    socket.connect()
    expect(network.count).toBe(1)
  })

  test('is let go when the socket gives up', async () => {
    const { network } = create({ reconnect: false })
    FakeSocket.latest.fail()
    expect(network.count).toBe(0)
  })

  test('false and, outside a page, true listen to nothing', async () => {
    for (const network of [false, true]) {
      const { socket } = create({ network })
      FakeSocket.latest.fail()
      await advance(0)
      expect(socket.state).toBe('waiting')
    }
  })

  test('an unsubscribed signal that comes all the same changes nothing', async () => {
    let signal: ((signal: NetworkSignal) => void) | undefined
    const network = {
      online: true,
      subscribe: (listener: typeof signal) => {
        signal = listener
        return () => {}
      },
    }
    const { socket, log } = create({ network })
    FakeSocket.latest.accept()
    socket.close()
    FakeSocket.latest.finish()
    await settle()
    log.length = 0
    for (const name of SIGNALS) signal?.(name)
    expect(log).toEqual([])
  })

  test('sockets on one source hear it each', async () => {
    const first = await createOpen({ heartbeat })
    const second = await createOpen({ heartbeat, network: first.network })
    const probes = [collect(first.socket, 'probe'), collect(second.socket, 'probe')]
    first.network.emit('wake')
    expect(probes.map(({ length }) => length)).toEqual([1, 1])
    first.socket.close()
    expect(first.network.count).toBe(2)
    await advance(2_000)
    expect(first.network.count).toBe(1)
    second.socket.close()
    await advance(2_000)
  })
})
