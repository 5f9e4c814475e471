// Beats from a worker, through the shell: whose worker it is, how long it lives, and what follows where there can be none.
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { HeartbeatOptions, HeartwireOptions } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import { FakeWorker, hidePage } from './support/fake-worker.ts'
import { advance, collect, create, createOpen, open, settle, useScenes, type Scene } from './support/scene.ts'

useScenes()

beforeEach(() => FakeWorker.use())

const heartbeat = { message: 'ping', interval: 5_000, timeout: 2_000, timers: 'worker' } satisfies HeartbeatOptions

/** An open socket that asked for a worker. */
const hire = (options: HeartwireOptions = {}): Promise<Scene> => createOpen({ heartbeat, ...options })

const pings = (socket = FakeSocket.latest): number => socket.sent.filter((data) => data === 'ping').length

/** The peer answers every beat of the next ms, and nothing else happens. */
const live = async (ms: number): Promise<void> => {
  const native = FakeSocket.latest
  for (let passed = 0; passed < ms; passed += 1_000) {
    const before = pings(native)
    await advance(1_000)
    if (pings(native) > before) native.receive('pong')
  }
}

/** What was told beside the answers to beats. */
const told = ({ log }: Scene): string[] => log.filter((line) => line !== 'message pong')

const errorsOf = ({ log }: Scene): string[] => log.filter((line) => line.startsWith('error'))

describe('[H10] a hidden page', () => {
  test('beats in time', async () => {
    hidePage()
    await hire()
    await FakeWorker.latest.load()
    await live(60_000)
    expect(pings()).toBe(12)
  })

  test('beats late without it', async () => {
    hidePage()
    const { socket } = await createOpen({ heartbeat: { ...heartbeat, timers: 'page' } })
    await live(60_000)
    expect(pings()).toBe(0)
    await live(5_000)
    expect(pings()).toBe(1)
    socket.close()
    FakeSocket.latest.finish(1000)
  })

  test('[H4] notices a dead link in time, retries in time, and beats again', async () => {
    const { log, socket } = await hire()
    await FakeWorker.latest.load()
    hidePage()
    await live(5_000)
    await advance(7_000)
    expect(log).toContain('error heartbeat-timeout')
    expect(socket.state).toBe('waiting')
    await advance(1_000)
    expect(FakeSocket.all).toHaveLength(2)
    FakeSocket.latest.accept()
    await live(5_000)
    expect(pings()).toBe(1)
    expect(FakeWorker.all).toHaveLength(1)
  })

  test('[H2] notices the silence of a server that beats', async () => {
    const { socket } = await hire({ heartbeat: { from: 'server', interval: 5_000, timeout: 2_000, timers: 'worker' } })
    await FakeWorker.latest.load()
    hidePage()
    await advance(6_999)
    expect(socket.state).toBe('open')
    await advance(1)
    expect(socket.state).toBe('waiting')
  })
})

describe('[H10] a page in the foreground', () => {
  test('beats once an interval, though both timers come', async () => {
    await hire()
    await FakeWorker.latest.load()
    await live(60_000)
    expect(pings()).toBe(12)
  })

  test('beats by its own timers while the worker is silent', async () => {
    const scene = await hire()
    await live(60_000)
    expect(pings()).toBe(12)
    expect(told(scene)).toEqual([])
  })

  test('[H5] tells the worker nothing for a message', async () => {
    await hire()
    const { length } = FakeWorker.latest.received
    for (let messages = 0; messages < 100; messages++) FakeSocket.latest.receive('x')
    expect(FakeWorker.latest.received).toHaveLength(length)
  })
})

describe('[H10] the worker', () => {
  test('is not made by a socket that does not ask', async () => {
    await createOpen({ heartbeat: { message: 'ping' } })
    await createOpen()
    await advance(100_000)
    expect(FakeWorker.asked).toBe(0)
  })

  test('is not made before the first connection', async () => {
    const scene = create({ heartbeat })
    await settle()
    FakeSocket.latest.fail()
    await advance(1_000)
    expect(FakeSocket.all).toHaveLength(2)
    expect(FakeWorker.asked).toBe(0)
    await open(scene)
    expect(FakeWorker.asked).toBe(1)
  })

  test('is one for all sockets, and ends with the last', async () => {
    const scenes = [await hire(), await hire(), await hire()]
    const natives = [...FakeSocket.all]
    await FakeWorker.latest.load()
    hidePage()
    await advance(5_000)
    expect(natives.map(pings)).toEqual([1, 1, 1])
    for (const [index, { socket }] of scenes.entries()) {
      expect(FakeWorker.latest.isTerminated).toBe(false)
      socket.close()
      natives[index]?.finish(1000)
      expect(socket.state).toBe('closed')
    }
    expect(FakeWorker.latest.isTerminated).toBe(true)
    expect(FakeWorker.asked).toBe(1)
  })

  test('wakes the others after one is closed, and nobody for that one', async () => {
    const [first] = [await hire(), await hire()]
    const [native, other] = FakeSocket.all
    await FakeWorker.latest.load()
    hidePage()
    first.socket.close()
    native?.finish(1000)
    first.log.length = 0
    await advance(5_000)
    expect([pings(native), pings(other)]).toEqual([0, 1])
    expect(first.log).toEqual([])
    // Its timer went off for nothing, and left nothing: what there is belongs to the other.
    expect(FakeWorker.latest).toMatchObject({ timers: 1, remembered: 1 })
  })

  test('is kept over losses and pauses', async () => {
    const scene = await hire()
    FakeSocket.latest.finish(1006)
    await advance(1_000)
    await open(scene)
    scene.network.emit('hide')
    expect(scene.socket.state).toBe('paused')
    scene.network.emit('restore')
    await open(scene)
    expect(scene.socket.state).toBe('open')
    expect(FakeWorker.asked).toBe(1)
    expect(FakeWorker.latest.isTerminated).toBe(false)
  })

  const endings: Record<string, (scene: Scene, controller: AbortController) => unknown> = {
    'close()': ({ socket }) => socket.close(),
    'disposing of it': ({ socket }) => socket[Symbol.dispose ?? Symbol.for('dispose')](),
    'asynchronously, too': ({ socket }) => void socket[Symbol.asyncDispose ?? Symbol.for('asyncDispose')](),
    'an aborted signal': (_, controller) => controller.abort(),
    'a refused retry': () => FakeSocket.latest.finish(1008),
    'a heartbeat without an answer': () => advance(7_000),
  }

  test.each(Object.entries(endings))('[S5] is released by %s', async (name, end) => {
    const controller = new AbortController()
    const isDeath = name.startsWith('a heartbeat')
    const scene = await hire({
      signal: controller.signal,
      ...(isDeath && { reconnect: { maxAttempts: 1, minUptime: 60_000 } }),
    })
    await FakeWorker.latest.load()
    expect(FakeWorker.latest.timers).toBe(1)
    await end(scene, controller)
    FakeSocket.latest.finish(1000)
    await advance(2_000)
    expect(scene.socket.state).toBe('closed')
    expect(FakeWorker.latest).toMatchObject({ isTerminated: true, timers: 0 })
    expect(FakeWorker.asked).toBe(1)
  })

  test('is made again after connect()', async () => {
    const scene = await hire()
    for (let lives = 2; lives <= 3; lives++) {
      scene.socket.close()
      FakeSocket.latest.finish(1000)
      scene.socket.connect()
      expect(FakeWorker.asked).toBe(lives - 1)
      await open(scene)
      expect(FakeWorker.asked).toBe(lives)
    }
    await FakeWorker.latest.load()
    hidePage()
    await live(60_000)
    expect(pings()).toBe(12)
  })

  test('is not made within a worker, whose own timers are in time', async () => {
    vi.stubGlobal('WorkerGlobalScope', EventTarget)
    const scene = await hire()
    await live(10_000)
    expect([pings(), FakeWorker.asked, told(scene)]).toEqual([2, 0, []])
  })
})

describe('[H10] without a worker', () => {
  const REFUSAL = new Error('blocked by policy')

  /** What there is instead of a worker, and what the error says of it. */
  const refusals: Record<string, [refuse: () => void, words: string]> = {
    'there is no such class': [() => vi.stubGlobal('Worker', undefined), 'Worker is not a constructor'],
    'its constructor throws': [() => (FakeWorker.refusal = REFUSAL), 'blocked by policy'],
  }

  test.each(Object.entries(refusals))('it goes on by the page and says so, as %s', async (_, [refuse, words]) => {
    refuse()
    const scene = create({ heartbeat })
    const { socket, log } = scene
    const errors = collect(socket, 'error')
    await settle()
    FakeSocket.latest.accept()
    expect(log).toEqual(['resolving', 'connecting', 'open', '<open>', 'open 0', 'error worker-failed'])
    expect(errors[0]).toMatchObject({ name: 'HeartwireError', code: 'worker-failed', cause: { message: words } })
    expect(errors[0]?.message).toBe(`Cannot beat from a worker, only from the page: ${words}`)
    log.length = 0
    await live(60_000)
    expect(pings()).toBe(12)
    expect([socket.state, told(scene)]).toEqual(['open', []])
  })

  test('a worker that cannot be told anything is none', async () => {
    const scene = create({ heartbeat })
    await settle()
    const post = vi.spyOn(FakeWorker.prototype, 'postMessage').mockImplementation(() => {
      throw new Error('patched')
    })
    FakeSocket.latest.accept()
    expect(scene.log).toEqual(['resolving', 'connecting', 'open', '<open>', 'open 0', 'error worker-failed'])
    await live(60_000)
    expect([pings(), post.mock.calls.length]).toEqual([12, 1])
    // The next socket finds no leftover of it.
    post.mockRestore()
    const other = create({ heartbeat })
    await settle()
    FakeSocket.latest.accept()
    expect(errorsOf(other)).toEqual([])
  })

  test('a socket that opens while the others are told of a worker that failed has one of its own', async () => {
    const [first, second] = [create({ heartbeat }), create({ heartbeat })]
    await settle()
    for (const native of FakeSocket.all) native.accept()
    let late: Scene | undefined
    first.socket.on('error', () => {
      late = create({ heartbeat })
      FakeSocket.latest.accept()
    })
    FakeWorker.latest.fail()
    expect([first, second, late as Scene].map(errorsOf)).toEqual([['error worker-failed'], ['error worker-failed'], []])
    expect(FakeWorker.all).toHaveLength(2)
  })

  test('it is said once in the life of a socket, and not tried again by it', async () => {
    FakeWorker.refusal = REFUSAL
    const scene = create({ heartbeat })
    const errors = collect(scene.socket, 'error')
    await open(scene)
    FakeSocket.latest.finish(1006)
    await advance(1_000)
    await open(scene)
    scene.socket.close()
    FakeSocket.latest.finish(1000)
    scene.socket.connect()
    await open(scene)
    expect(scene.socket.state).toBe('open')
    expect(errors.map(({ code }) => code)).toEqual(['worker-failed'])
    expect(FakeWorker.asked).toBe(1)
  })

  test('a policy that speaks up later is told to each that asked, and to no other', async () => {
    const scenes = [await hire(), await hire(), await createOpen({ heartbeat: { ...heartbeat, timers: 'page' } })]
    const natives = [...FakeSocket.all]
    FakeWorker.latest.fail()
    FakeWorker.latest.fail()
    expect(scenes.map(({ log }) => log)).toEqual([['error worker-failed'], ['error worker-failed'], []])
    expect(scenes.map(({ socket }) => socket.state)).toEqual(['open', 'open', 'open'])
    expect(FakeWorker.latest.isTerminated).toBe(true)
    await advance(5_000)
    expect(natives.map(pings)).toEqual([1, 1, 1])
    for (const [index, { socket }] of scenes.entries()) {
      natives[index]?.finish(1006)
      expect(socket.state).toBe('waiting')
    }
    await advance(1_000)
    expect(FakeWorker.asked).toBe(1)
  })

  test('it is told while waiting for a retry, too, which goes on', async () => {
    const { socket, log } = await hire()
    FakeSocket.latest.finish(1006)
    log.length = 0
    FakeWorker.latest.fail()
    expect([socket.state, log]).toEqual(['waiting', ['error worker-failed']])
    await advance(1_000)
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('a socket that opens after it tries for itself', async () => {
    const { socket } = await hire()
    FakeWorker.latest.fail()
    socket.close()
    FakeSocket.latest.finish(1000)
    const scene = await hire()
    await FakeWorker.latest.load()
    hidePage()
    await live(10_000)
    expect([FakeWorker.asked, pings(), told(scene)]).toEqual([2, 2, []])
  })

  test('[S5] a socket that is closed by a listener of it hears nothing of it', async () => {
    const [first, second] = [await hire(), await hire()]
    const [, native] = FakeSocket.all
    first.socket.on('error', () => {
      second.socket.close()
      native?.finish(1000)
    })
    FakeWorker.latest.fail()
    expect(second.log).toEqual(['closing', 'closed', '<close 1000 clean final>', 'closed: user'])
    expect(FakeWorker.latest.isTerminated).toBe(true)
  })

  test('what a worker says after its end concerns nobody', async () => {
    const { socket } = await hire()
    const [worker] = FakeWorker.all
    socket.close()
    FakeSocket.latest.finish(1000)
    const { log } = await hire()
    worker?.fail()
    expect(log).toEqual([])
    expect(FakeWorker.latest.isTerminated).toBe(false)
  })
})
