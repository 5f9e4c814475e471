// The heartbeat through the shell: what is sent when, what counts as life, and how a death is told.
import { describe, expect, test, vi } from 'vitest'
import type { HeartbeatOptions, HeartwireOptions } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import {
  advance,
  chance,
  collect,
  create,
  createOpen,
  settle,
  sleep,
  stubReportError,
  useScenes,
  type Scene,
} from './support/scene.ts'

useScenes()

const beat = (heartbeat: HeartbeatOptions = {}, options: HeartwireOptions = {}): Promise<Scene> =>
  createOpen({ heartbeat: { message: 'ping', interval: 1_000, timeout: 400, ...heartbeat }, ...options })

/** A death as the application hears of it. */
const DEATH = [
  'waiting',
  '<error>',
  '<close 1006 heartbeat timeout again>',
  'error heartbeat-timeout',
  'lost, open, 0 requeued, 0 in doubt',
  'waiting 1: 1000',
]

const pings = (): unknown[] => FakeSocket.latest.sent.filter((data) => data === 'ping')

describe('[H1] the client beats', () => {
  test('after interval ms of silence', async () => {
    await beat()
    await advance(999)
    expect(pings()).toHaveLength(0)
    await advance(1)
    expect(pings()).toHaveLength(1)
  })

  test('not at all by default', async () => {
    await createOpen()
    await advance(1_000_000)
    expect(FakeSocket.latest.sent).toEqual([])
  })

  test('any message postpones it when idle', async () => {
    await beat()
    await advance(900)
    FakeSocket.latest.receive('x')
    await advance(999)
    expect(pings()).toHaveLength(0)
    await advance(1)
    expect(pings()).toHaveLength(1)
  })

  test('always: every interval, whatever arrives', async () => {
    await beat({ when: 'always' })
    for (let beats = 1; beats <= 5; beats++) {
      await advance(500)
      FakeSocket.latest.receive('x')
      await advance(500)
      FakeSocket.latest.receive('y')
      expect(pings()).toHaveLength(beats)
    }
  })

  test('nothing within timeout is death', async () => {
    const { log, socket } = await beat()
    await advance(1_399)
    expect(socket.state).toBe('open')
    await advance(1)
    expect(log).toEqual(DEATH)
  })

  test('any message is life, recognised or not', async () => {
    const { socket } = await beat({ pong: 'pong' })
    for (let n = 0; n < 5; n++) {
      await advance(1_399)
      FakeSocket.latest.receive('whatever')
    }
    expect(pings()).toHaveLength(5)
    expect(socket.state).toBe('open')
  })

  test('the message may be made anew for each beat', async () => {
    let count = 0
    await beat({ message: () => `ping ${++count}` })
    await advance(1_000)
    FakeSocket.latest.receive('x')
    await advance(1_000)
    expect(FakeSocket.latest.sent).toEqual(['ping 1', 'ping 2'])
  })

  test('the message may be binary, and is not encoded', async () => {
    const message = Uint8Array.of(9)
    await beat({ message }, { codec: { encode: () => 'encoded', decode: String } })
    await advance(1_000)
    expect(FakeSocket.latest.sent).toEqual([message])
  })

  test('a message() that throws is reported; a question that was not asked proves nothing', async () => {
    const reported = stubReportError()
    const failure = new Error('message')
    const { socket } = await beat({
      message: () => {
        throw failure
      },
    })
    await advance(10_000)
    expect(socket.state).toBe('open')
    expect(reported.length).toBeGreaterThan(1)
    expect(new Set(reported)).toEqual(new Set([failure]))
  })

  test('the well-known heartCheck', async () => {
    const { socket } = await beat({ message: '{"heart":1}', interval: 60_000, timeout: 60_000 })
    await advance(60_000)
    expect(FakeSocket.latest.sent).toEqual(['{"heart":1}'])
    await advance(59_999)
    expect(socket.state).toBe('open')
    await advance(1)
    expect(socket.state).toBe('waiting')
  })

  test('a new connection has a new heartbeat', async () => {
    const { socket } = await beat()
    await advance(1_400 + 1_000)
    FakeSocket.latest.accept()
    await advance(1_399)
    expect(socket.state).toBe('open')
    expect(pings()).toHaveLength(1)
  })
})

describe('[H2] the server beats', () => {
  const fromServer = { from: 'server', message: undefined } as const

  test('silence longer than interval + timeout is death, and nothing is sent', async () => {
    const { log } = await beat(fromServer)
    await advance(1_000)
    FakeSocket.latest.receive('beat')
    await advance(1_399)
    expect(log).toEqual(['message beat'])
    await advance(1)
    expect(log.slice(1)).toEqual(DEATH)
    expect(FakeSocket.latest.sent).toEqual([])
  })

  test('reply answers a beat that pong recognises, if it wants to', async () => {
    const { log } = await beat({
      ...fromServer,
      pong: (data) => String(data).startsWith('beat'),
      reply: (data) => (data === 'beat 2' ? undefined : `reply to ${data}`),
    })
    for (const data of ['beat 1', 'beat 2', 'beat 3', 'no']) FakeSocket.latest.receive(data)
    expect(FakeSocket.latest.sent).toEqual(['reply to beat 1', 'reply to beat 3'])
    expect(log).toEqual(['heartbeat null', 'heartbeat null', 'heartbeat null', 'message no'])
  })

  test('a reply that throws is reported', async () => {
    const reported = stubReportError()
    const failure = new Error('reply')
    const { log } = await beat({
      ...fromServer,
      pong: 'beat',
      reply: () => {
        throw failure
      },
    })
    FakeSocket.latest.receive('beat')
    expect(reported).toEqual([failure])
    expect(log).toEqual(['heartbeat null'])
  })

  test('a late check forgives once, without anything to ask', async () => {
    const { socket, log } = await beat(fromServer)
    sleep(60_000)
    await advance(1_400)
    expect(socket.state).toBe('open')
    await advance(1_399)
    expect(socket.state).toBe('open')
    await advance(1)
    expect(log).toEqual(DEATH)
  })

  test('a signal has nothing to probe with', async () => {
    const { network, log } = await beat(fromServer)
    network.emit('wake')
    expect(log).toEqual([])
    expect(FakeSocket.latest.sent).toEqual([])
  })

  test('with a message, a signal probes', async () => {
    const { network } = await beat({ from: 'server' })
    network.emit('wake')
    expect(pings()).toHaveLength(1)
  })
})

describe('[H3] pong', () => {
  test('clocks are coarse: an answer that seems to come before its question is one, with a latency of 0', async () => {
    const { socket } = await beat({ pong: 'pong' })
    await advance(1_000)
    expect(pings()).toHaveLength(1)
    FakeSocket.latest.onmessage?.({ type: 'message', data: 'pong', timeStamp: performance.now() - 0.1 })
    expect(socket.latency).toBe(0)
    await advance(400)
    expect(socket.state).toBe('open')
  })

  test('a beat of the server’s own is no answer, even while we ask', async () => {
    const { socket, network } = await beat({ from: 'server', pong: 'beat' })
    const beats = collect(socket, 'heartbeat')
    await advance(10)
    network.emit('wake')
    expect(pings()).toHaveLength(1)
    await advance(10)
    FakeSocket.latest.receive('beat')
    expect([beats, socket.latency]).toEqual([[{ latency: null }], null])
  })

  test('is kept from message listeners and gives the latency', async () => {
    const { socket, log } = await beat({ pong: 'pong' })
    const listener = vi.fn<() => void>()
    socket.addEventListener('message', listener)
    await advance(1_000)
    expect(socket.latency).toBeNull()
    await advance(123)
    FakeSocket.latest.receive('pong')
    expect(socket.latency).toBe(123)
    expect(log).toEqual(['heartbeat 123'])
    expect(listener).not.toHaveBeenCalled()
  })

  test('that nobody asked for has none', async () => {
    const { socket, log } = await beat({ pong: 'pong' })
    FakeSocket.latest.receive('pong')
    expect(log).toEqual(['heartbeat null'])
    expect(socket.latency).toBeNull()
  })

  test('a pong() that throws is reported, and its message delivered', async () => {
    const reported = stubReportError()
    const failure = new Error('pong')
    const { log } = await beat({
      pong: () => {
        throw failure
      },
    })
    FakeSocket.latest.receive('x')
    expect(reported).toEqual([failure])
    expect(log).toEqual(['message x'])
  })

  test('of a server that beats has none after a late check: nothing was asked', async () => {
    const { socket, log } = await beat({ from: 'server', message: undefined, pong: 'beat' })
    sleep(60_000)
    await advance(1_900)
    FakeSocket.latest.receive('beat')
    expect(log).toEqual(['heartbeat null'])
    expect(socket.latency).toBeNull()
  })

  test('answers that never come are not waited for one by one', async () => {
    const { socket, log } = await beat({ when: 'always', interval: 100, pong: 'pong' })
    for (let n = 0; n < 200; n++) {
      await advance(100)
      FakeSocket.latest.receive('news')
    }
    log.length = 0
    FakeSocket.latest.receive('pong')
    expect([socket.state, log.length]).toEqual(['open', 1])
    expect(socket.latency).toBeGreaterThan(0)
  })

  test('latency outlives the connection', async () => {
    const { socket } = await beat({ pong: 'pong' })
    await advance(1_050)
    FakeSocket.latest.receive('pong')
    FakeSocket.latest.finish(1006)
    expect(socket.latency).toBe(50)
  })
})

describe('[H1] a class that cannot send', () => {
  test('a beat is asked again later, and the other messages still arrive', async () => {
    const reported = stubReportError()
    const { socket } = await beat({ when: 'always' })
    const native = FakeSocket.latest
    const send = native.send.bind(native)
    const mistake = new Error('cannot send that')
    let calls = 0
    native.send = (data) => {
      calls++
      if (calls === 1) throw mistake
      send(data)
    }
    await advance(1_100)
    expect(reported).toEqual([mistake])
    await advance(1_000)
    expect([calls > 1, socket.state]).toEqual([true, 'open'])
  })
})

describe('[H3] a beat during the handshake', () => {
  test('is kept from the handshake and from the listeners, and is answered', async () => {
    let finish = (): void => {}
    const received: unknown[] = []
    const { socket } = create({
      heartbeat: { from: 'server', interval: 1_000, timeout: 400, pong: 'beat', reply: () => 'beaten' },
      handshake: async ({ receive }) => {
        received.push(await receive())
        await new Promise<void>((resolve) => {
          finish = resolve
        })
      },
    })
    const beats = collect(socket, 'heartbeat')
    socket.addEventListener('message', ({ data }) => received.push(data))
    FakeSocket.latest.accept()
    for (const data of ['beat', 'hello', 'beat']) FakeSocket.latest.receive(data)
    await settle()
    finish()
    await settle()
    expect(socket.state).toBe('open')
    expect(received).toEqual(['hello'])
    expect(FakeSocket.latest.sent).toEqual(['beaten', 'beaten'])
    expect(beats).toEqual([{ latency: null }, { latency: null }])
  })

  test('does not begin the silence: that is counted from open', async () => {
    const { socket } = create({
      heartbeat: { message: 'ping', interval: 1_000, timeout: 400, pong: 'pong', when: 'always' },
      handshake: () => new Promise((resolve) => setTimeout(resolve, 3_000)),
    })
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('pong')
    await advance(2_999)
    expect(FakeSocket.latest.sent).toEqual([])
    await advance(1)
    expect(socket.state).toBe('open')
    await advance(1_000)
    expect(FakeSocket.latest.sent).toEqual(['ping'])
  })
})

describe('[H4] death', () => {
  test('does not wait for the native close: the same turn', async () => {
    const { socket } = await beat()
    const dead = FakeSocket.latest
    await advance(1_000)
    vi.advanceTimersByTime(400)
    expect(socket.state).toBe('waiting')
    expect(socket.lastClose).toEqual({ code: 1006, reason: 'heartbeat timeout', wasClean: false })
    expect(dead.closes).toEqual([[undefined, undefined]])
    expect(dead.readyState).toBe(2)
  })

  test('at most interval + timeout after the last sign of life', async () => {
    for (const luck of [0, 0.3, 0.99]) {
      chance(luck)
      const { socket } = await beat()
      const lost = collect(socket, 'lost')
      FakeSocket.latest.receive('alive')
      await advance(1_399)
      expect(lost).toHaveLength(0)
      await advance(1)
      expect(lost).toHaveLength(1)
    }
  })

  test('says why', async () => {
    const { socket } = await beat()
    const errors = collect(socket, 'error')
    await advance(1_400)
    expect(String(errors[0])).toContain('nothing came for 1400 ms')
  })
})

describe('[H5] a message', () => {
  test('sets no timer and clears none', async () => {
    const { socket } = await beat({ pong: 'pong' })
    socket.onmessage = () => {}
    const calls = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')]
    for (let n = 0; n < 1_000; n++) FakeSocket.latest.receive(n % 2 ? 'pong' : 'x')
    expect(calls.map((spy) => spy.mock.calls.length)).toEqual([0, 0])
    expect(vi.getTimerCount()).toBe(1)
  })

  test('of the platform’s class tells its own time', async () => {
    const { socket } = await beat({ timeout: 1_000 })
    const event = new MessageEvent('message', { data: 'x' })
    Object.defineProperty(event, 'timeStamp', { value: 500 })
    await advance(900)
    FakeSocket.latest.onmessage?.(event)
    // Heard at 500, so the beat is due at 1500.
    await advance(599)
    expect(pings()).toHaveLength(0)
    await advance(1)
    expect(pings()).toHaveLength(1)
    expect(socket.state).toBe('open')
  })

  test('of a platform whose events are on another clock (jsdom: Date.now()) is timed by ours', async () => {
    const { socket } = await beat()
    const event = new MessageEvent('message', { data: 'x' })
    Object.defineProperty(event, 'timeStamp', { value: Date.now() })
    FakeSocket.latest.onmessage?.(event)
    await advance(1_400)
    expect(socket.state).toBe('waiting')
  })
})

describe('[H6] a late check is no evidence of death', () => {
  test.each([
    ['a throttled or busy thread', ['performance', 'Date']],
    ['a laptop whose monotonic clock sleeps, too', ['Date']],
    ['a wall clock that stands still', ['performance']],
  ] as const)('%s: it asks again, and judges after a short timeout', async (_, clocks) => {
    const { socket, log } = await beat({ interval: 30_000, timeout: 20_000 })
    await advance(30_000)
    expect(pings()).toHaveLength(1)
    await advance(10_000)
    sleep(3_600_000, clocks)
    await advance(10_000)
    expect(socket.state).toBe('open')
    expect(pings()).toHaveLength(2)
    await advance(4_999)
    expect(socket.state).toBe('open')
    FakeSocket.latest.receive('alive')
    await advance(1)
    expect(socket.state).toBe('open')
    expect(log).toEqual(['message alive'])
  })

  test('forgives once in a row: a dead link in a hidden tab is noticed', async () => {
    const { log } = await beat()
    await advance(1_000)
    sleep(60_000)
    await advance(400)
    expect(log).toEqual([])
    sleep(60_000)
    await advance(400)
    expect(log).toEqual(DEATH)
  })

  test('forgives again after a sign of life', async () => {
    const { socket } = await beat()
    for (let n = 1; n <= 5; n++) {
      await advance(1_000)
      sleep(60_000)
      await advance(400)
      expect(pings()).toHaveLength(2 * n)
      FakeSocket.latest.receive('alive')
    }
    expect(socket.state).toBe('open')
  })

  test('a probe does not make it forget a sign of life', async () => {
    const { socket, network } = await beat()
    await advance(1_000)
    sleep(60_000)
    await advance(401)
    FakeSocket.latest.receive('alive')
    await advance(1)
    network.emit('wake')
    sleep(60_000)
    await advance(400)
    expect(socket.state).toBe('open')
  })

  test('100 ms behind is still in time', async () => {
    const { log } = await beat()
    await advance(1_000)
    sleep(100)
    await advance(400)
    expect(log).toEqual(DEATH)
  })

  test('a message that comes late, but before the check, is life', async () => {
    const { socket } = await beat()
    await advance(1_000)
    sleep(60_000)
    FakeSocket.latest.receive('had been waiting')
    await advance(400)
    expect(socket.state).toBe('open')
    expect(pings()).toHaveLength(1)
  })

  test('what the application does at wake-up before the check does not hide that it is late', async () => {
    const { socket } = await beat()
    await advance(1_000)
    sleep(60_000)
    socket.send('x')
    socket.on('message', () => {})
    await advance(400)
    expect(socket.state).toBe('open')
    expect(pings()).toHaveLength(2)
  })
})

describe('[H7] overdue beats', () => {
  test('are also sent from onmessage, so that a hidden tab with traffic keeps beating', async () => {
    await beat({ when: 'always' })
    sleep(1_000)
    FakeSocket.latest.receive('traffic')
    expect(pings()).toHaveLength(1)
    FakeSocket.latest.receive('traffic')
    expect(pings()).toHaveLength(1)
    sleep(1_000)
    FakeSocket.latest.receive('traffic')
    expect(pings()).toHaveLength(2)
  })
})

describe('[H1] a connection that the server has begun to close', () => {
  /** Its close frame is here, the end of the connection is not. */
  const closing = async (options: HeartbeatOptions = {}): Promise<Scene> => {
    const scene = await beat(options)
    FakeSocket.latest.readyState = 2
    return scene
  }

  test('is sent no beat, which the browser would only complain about', async () => {
    await closing()
    const send = vi.spyOn(FakeSocket.latest, 'send')
    await advance(1_000)
    expect(send).not.toHaveBeenCalled()
  })

  test('is sent no reply', async () => {
    await closing({ from: 'server', pong: 'beat', reply: () => 'reply' })
    const send = vi.spyOn(FakeSocket.latest, 'send')
    FakeSocket.latest.receive('beat')
    expect(send).not.toHaveBeenCalled()
  })

  test('tells the code that the server gave', async () => {
    const { socket } = await closing()
    await advance(1_200)
    FakeSocket.latest.finish(4000, 'bye')
    expect(socket.lastClose).toMatchObject({ code: 4000, reason: 'bye' })
  })

  test('is still sent one by a class that says nothing of its state', async () => {
    await beat({}, { queue: false })
    Reflect.deleteProperty(FakeSocket.latest, 'readyState')
    const send = vi.spyOn(FakeSocket.latest, 'send')
    await advance(1_000)
    expect(send).toHaveBeenCalledOnce()
  })

  test('[S1] is given up when that takes longer than an answer may', async () => {
    const { socket, log } = await closing()
    await advance(1_400)
    expect(socket.state).toBe('waiting')
    expect(log).toEqual(DEATH)
  })
})

describe('[H8] the first beat', () => {
  test.each([
    [0, 1_000],
    [0.25, 750],
    [0.999, 1],
  ])('is drawn from the interval: %d', async (luck, ms) => {
    chance(luck)
    await beat()
    await advance(ms - 1)
    expect(pings()).toHaveLength(0)
    await advance(1)
    expect(pings()).toHaveLength(1)
  })
})

describe('[H9] a slow upload', () => {
  test('[H2] one before the last sign of life excuses nothing', async () => {
    FakeSocket.isStalled = true
    const { socket, network } = await createOpen({
      heartbeat: { from: 'server', message: 'ping', interval: 1_000, timeout: 1_000 },
    })
    socket.send('data')
    // A probe, behind data.
    network.emit('wake')
    FakeSocket.latest.drain()
    FakeSocket.latest.receive('anything')
    await advance(2_000)
    expect(socket.state).toBe('waiting')
  })

  test('a beat that has only just left may still be answered', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen({ heartbeat: { message: 'ping', interval: 10_000, timeout: 4_000 } })
    socket.send('x'.repeat(20_000))
    await advance(10_000)
    expect(pings()).toHaveLength(1)
    await advance(3_999)
    // Everything leaves 1 ms before the deadline, the beat last.
    FakeSocket.latest.drain()
    await advance(1)
    expect(socket.state).toBe('open')
    // But only once: silence after that is death.
    await advance(14_000)
    expect(socket.state).toBe('waiting')
  })

  // Firefox and Safari count a message until the whole of it has left: a slow upload looks like a stalled one there.
  describe('of one message that is counted until all of it has left', () => {
    const heartbeat = { message: 'ping', interval: 10_000, timeout: 4_000 } as const

    /** 640 kB take 10 s at 64 kB/s. The beat is sent behind them, at 10 s. */
    const upload = async (bytes = 640_000): Promise<Scene> => {
      FakeSocket.isStalled = true
      const scene = await createOpen({ heartbeat })
      scene.socket.send('x'.repeat(bytes))
      await advance(10_000)
      expect(pings()).toHaveLength(1)
      return scene
    }

    test('is no death while 64 kB/s would take as long', async () => {
      const { socket } = await upload()
      await advance(13_999)
      expect(socket.state).toBe('open')
      FakeSocket.latest.drain()
      await advance(1)
      // It has left at last, so its answer may still come.
      expect(socket.state).toBe('open')
      FakeSocket.latest.receive('pong')
      await advance(10_000)
      expect(socket.state).toBe('open')
    })

    test('is one when it takes longer: the time is granted once', async () => {
      const { socket } = await upload()
      await advance(13_999)
      expect(socket.state).toBe('open')
      await advance(1)
      expect(socket.state).toBe('waiting')
    })

    test('is one after a minute, however large the message is', async () => {
      const { socket } = await upload(100_000_000)
      await advance(63_999)
      expect(socket.state).toBe('open')
      await advance(1)
      expect(socket.state).toBe('waiting')
    })

    test('grants no time to the silence after it has left', async () => {
      const { socket } = await upload(6_400_000)
      await advance(10_000)
      FakeSocket.latest.drain()
      // Seen at the next look, then a beat and its answer's time, as after any sign of life.
      await advance(4_000 + 10_000 + 4_000)
      expect(socket.lastClose).toMatchObject({ reason: 'heartbeat timeout' })
    })

    test('is granted its time once, however often it is asked again', async () => {
      const { network } = await upload(6_400_000)
      for (let n = 0; n < 7; n++) {
        await advance(8_000)
        sleep(2_000)
        network.emit('wake')
      }
      await advance(14_000)
      expect(FakeSocket.all.length).toBeGreaterThan(1)
    })

    test('[H2] grants nothing to a server that beats: its beats do not wait behind what we send', async () => {
      FakeSocket.isStalled = true
      const { socket, network } = await createOpen({ heartbeat: { ...heartbeat, from: 'server' } })
      socket.send('x'.repeat(6_400_000))
      await advance(5_000)
      network.emit('wake')
      await advance(9_000)
      expect(socket.lastClose).toMatchObject({ reason: 'heartbeat timeout' })
    })

    test('is one after timeout when the message is small', async () => {
      const { socket } = await upload(256_000)
      await advance(3_999)
      expect(socket.state).toBe('open')
      await advance(1)
      expect(socket.state).toBe('waiting')
    })

    test('is one after timeout when a part of it has left: then the engine counts by parts, and nothing leaves', async () => {
      const { socket } = await upload()
      FakeSocket.latest.drain(1)
      await advance(4_000)
      expect(socket.state).toBe('open') // That byte was a sign of life.
      await advance(14_000)
      expect(socket.state).toBe('waiting')
    })

    test('grants each message that is next its own time', async () => {
      FakeSocket.isStalled = true
      const { socket } = await createOpen({ heartbeat })
      for (let n = 0; n < 3; n++) socket.send('x'.repeat(640_000))
      await advance(10_000)
      for (let n = 0; n < 3; n++) {
        await advance(13_999)
        expect(socket.state).toBe('open')
        FakeSocket.latest.drain(640_000)
        await advance(1)
      }
      expect(socket.state).toBe('open')
    })

    test('grants nothing for what was sent after the beat', async () => {
      FakeSocket.isStalled = true
      const { socket } = await createOpen({ heartbeat })
      await advance(10_000)
      FakeSocket.latest.drain()
      socket.send('x'.repeat(640_000))
      await advance(4_000)
      expect(socket.state).toBe('waiting')
    })
  })

  /** A link that takes a while for what is sent; the beat has to wait behind it. */
  const stalled = async (): Promise<Scene> => {
    FakeSocket.isStalled = true
    const scene = await beat()
    scene.socket.send('x'.repeat(1_000))
    await advance(1_000)
    expect(pings()).toHaveLength(1)
    return scene
  }

  test('is no death while the data before the beat is leaving', async () => {
    const { socket, log } = await stalled()
    for (let n = 0; n < 8; n++) {
      FakeSocket.latest.drain(100)
      await advance(400)
    }
    expect(socket.state).toBe('open')
    expect(log).toEqual([])
  })

  test('is one when nothing leaves any more', async () => {
    const { log } = await stalled()
    FakeSocket.latest.drain(100)
    await advance(400)
    expect(log).toEqual([])
    await advance(1_400)
    expect(log).toEqual(DEATH.map((line) => line.replace('0 in doubt', '1 in doubt')))
  })

  test('is one when the beat has left and nothing comes', async () => {
    const { socket } = await stalled()
    FakeSocket.latest.drain()
    // When it left is not known, so its answer gets one more interval and timeout.
    await advance(400)
    expect(socket.state).toBe('open')
    await advance(1_400)
    expect(socket.state).toBe('waiting')
  })
})

test('a user’s close in the window of the beat sticks, whatever comes then', async () => {
  const { socket, log } = await beat()
  await advance(1_000)
  socket.close()
  FakeSocket.latest.receive('late')
  await advance(400)
  expect(log).toEqual(['closing'])
  FakeSocket.latest.finish(1000)
  await settle()
  expect(socket).toMatchObject({ state: 'closed', reason: 'user' })
})

describe('[S3] functions that let go of the connection they are asked about', () => {
  test('message', async () => {
    const { socket } = await beat({
      message() {
        socket.reconnect()
        return 'ping'
      },
    })
    await advance(1_000)
    expect([socket.state, FakeSocket.all.map(({ sent }) => sent.length)]).toEqual(['connecting', [0, 0]])
  })

  test('message, and throws', async () => {
    const reported = stubReportError()
    const { socket } = await beat({
      message() {
        socket.reconnect()
        throw new Error('reported')
      },
    })
    await advance(1_000)
    expect([socket.state, reported.length]).toEqual(['connecting', 1])
  })

  test('message, with close()', async () => {
    const { socket } = await beat({
      message() {
        socket.close()
        return 'ping'
      },
    })
    await advance(1_000)
    expect([socket.state, socket.bufferedAmount]).toEqual(['closing', 0])
    await advance(2_000)
    expect(socket.state).toBe('closed')
  })

  test('reply', async () => {
    const reported = stubReportError()
    const { socket } = await beat({
      pong: 'bye',
      reply() {
        socket.reconnect()
        return 'ok'
      },
    })
    FakeSocket.latest.receive('bye')
    expect([socket.state, reported]).toEqual(['connecting', []])
  })

  test('pong: what it was asked about is told no more', async () => {
    const { socket, log } = await beat({
      pong() {
        socket.reconnect()
        return false
      },
    })
    FakeSocket.latest.receive('x')
    expect(socket.state).toBe('connecting')
    expect(log).not.toContain('message x')
  })
})
