// The field's bugs as regressions: limits and delays that are none, and the news of sockets that were let go.
// Each title says what goes wrong elsewhere; the test runs it in every state in which it can.
import { describe, expect, test, vi } from 'vitest'
import type { HeartwireOptions, State } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import type { Handlers } from './support/fake-socket.ts'
import {
  advance,
  chance,
  collect,
  create,
  elapse,
  inState,
  open,
  settle,
  uncaught,
  useScenes,
} from './support/scene.ts'
import type { Scene } from './support/scene.ts'

useScenes()

describe('limits that are no limits', () => {
  test.for([
    ['breaks off', 'open', 1006],
    ['closes cleanly', 'open', 1000],
    ['breaks off', 'during the handshake', 1006],
    ['closes cleanly', 'during the handshake', 1000],
  ] as const)('[R2] [R3] a server that accepts and %s %s reaches maxAttempts', async ([, when, code]) => {
    const hang = { handshake: () => new Promise(() => {}) }
    const { socket } = create({ reconnect: { maxAttempts: 4 }, ...(when !== 'open' && hang) })
    for (let n = 0; n < 10; n++) {
      if (socket.state !== 'connecting') break
      FakeSocket.latest.accept()
      FakeSocket.latest.finish(code)
      await elapse()
    }
    expect([socket.state, socket.reason, FakeSocket.all.length]).toEqual(['closed', 'gave-up', 4])
  })

  /** What an option of 0 does, and would not if it meant "default" or "unlimited". */
  const ZEROS: [string, HeartwireOptions, (scene: Scene) => Promise<unknown>, unknown][] = [
    [
      'reconnect.minDelay',
      { reconnect: { minDelay: 0 } },
      async ({ socket }) => {
        const waiting = collect(socket, 'waiting')
        for (let n = 0; n < 3; n++) {
          FakeSocket.latest.fail()
          await advance(1)
        }
        return waiting.map(({ delay }) => delay)
      },
      [0, 0, 0],
    ],
    [
      'reconnect.maxDelay',
      { reconnect: { maxDelay: 0 } },
      async ({ socket }) => {
        const waiting = collect(socket, 'waiting')
        FakeSocket.latest.fail()
        await settle()
        return waiting.map(({ delay }) => delay)
      },
      [0],
    ],
    [
      'reconnect.jitter',
      { reconnect: { jitter: 0 } },
      async ({ socket }) => {
        chance(0.999)
        const waiting = collect(socket, 'waiting')
        FakeSocket.latest.fail()
        await settle()
        return waiting.map(({ delay }) => delay)
      },
      [1_000],
    ],
    [
      'reconnect.maxAttempts',
      { reconnect: { maxAttempts: 0 } },
      async ({ socket }) => {
        FakeSocket.latest.fail()
        await settle()
        return [socket.reason, FakeSocket.all.length]
      },
      ['gave-up', 1],
    ],
    [
      'reconnect.minUptime',
      { reconnect: { minUptime: 0 } },
      async ({ socket }) => {
        FakeSocket.latest.fail()
        await elapse()
        FakeSocket.latest.accept()
        return socket.attempt
      },
      0,
    ],
    [
      'connectTimeout',
      { connectTimeout: 0 },
      async ({ socket }) => {
        await advance(0)
        return socket.state
      },
      'waiting',
    ],
    [
      'closeTimeout',
      { closeTimeout: 0 },
      async ({ socket }) => {
        FakeSocket.latest.accept()
        socket.close()
        await advance(0)
        return socket.state
      },
      'closed',
    ],
    [
      'queue.maxMessages',
      { queue: { maxMessages: 0 } },
      async ({ socket }) => {
        expect(() => socket.send('')).toThrow(expect.objectContaining({ code: 'queue-overflow' }))
        return socket.queued
      },
      0,
    ],
    [
      'queue.maxBytes',
      { queue: { maxBytes: 0 } },
      async ({ socket }) => {
        expect(() => socket.send('x')).toThrow(expect.objectContaining({ code: 'queue-overflow' }))
        return socket.queued
      },
      0,
    ],
    [
      'queue.ttl',
      { queue: { ttl: 0 } },
      async ({ socket }) => {
        socket.send('old')
        await advance(1)
        FakeSocket.latest.accept()
        return FakeSocket.latest.sent
      },
      [],
    ],
    [
      'reconnect.delay()',
      { reconnect: { delay: () => 0 } },
      async ({ socket }) => {
        const waiting = collect(socket, 'waiting')
        FakeSocket.latest.fail()
        await settle()
        return waiting.map(({ delay }) => delay)
      },
      [0],
    ],
  ]

  test.for(ZEROS)('[O1] %s: 0 is 0, not the default and not "unlimited"', async ([, options, script, expected]) => {
    const scene = create(options)
    expect(await script(scene)).toEqual(expected)
  })

  test.for(['interval', 'timeout'])('[O1] heartbeat.%s: 0 would be a storm, and is refused aloud', (name) => {
    expect(() => create({ heartbeat: { message: 'ping', [name]: 0 } })).toThrow(RangeError)
  })

  test.for<[string, HeartwireOptions['reconnect'], number]>([
    ['by default', {}, 30_000],
    ['with a factor of 1.3', { factor: 1.3 }, 30_000],
    ['with a factor of 10', { factor: 10, maxDelay: 60_000 }, 60_000],
    ['with a minDelay of 0', { minDelay: 0 }, 0],
    ['with no jitter', { jitter: 0 }, 30_000],
  ])(
    '[R1] 1,100 failed attempts make no power overflow: the delay is still in range, %s',
    async ([, reconnect, most]) => {
      const { socket } = create({ reconnect })
      const waiting = collect(socket, 'waiting')
      for (let n = 0; n < 1_100; n++) {
        FakeSocket.latest.fail()
        await elapse()
      }
      expect(waiting).toHaveLength(1_100)
      expect(Math.max(...waiting.map(({ delay }) => delay))).toBe(most)
      expect(waiting.at(-1)?.delay).toBe(most)
      expect(FakeSocket.all).toHaveLength(1_101)
    },
  )

  test('[R1] chance is drawn anew for each retry of each client, not once for all that share a configuration', async () => {
    let draw = 0
    vi.spyOn(Math, 'random').mockImplementation(() => (draw = (draw + 0.137) % 1))
    const options: HeartwireOptions = { reconnect: {} }
    const clients = Array.from({ length: 20 }, () => create(options))
    const waiting = clients.map(({ socket }) => collect(socket, 'waiting'))
    for (let round = 0; round < 3; round++) {
      for (const native of FakeSocket.all) native.fail()
      await advance(30_000)
    }
    for (const round of [0, 1, 2]) {
      const delays = new Set(waiting.map((events) => events[round]?.delay))
      expect(delays.size).toBe(clients.length)
    }
  })
})

describe('the news of a socket that was let go', () => {
  const BEAT = { message: 'ping', interval: 100, timeout: 100 }

  /** Each way to let go of a connection or an attempt, from which state, and where we are then. */
  const WAYS_OUT: [how: string, from: State, HeartwireOptions, letGo: (scene: Scene) => unknown, to: State][] = [
    ...(['open', 'connecting', 'handshaking', 'closing'] as const).flatMap((from): typeof WAYS_OUT => [
      ['reconnect()', from, {}, ({ socket }) => socket.reconnect(), 'connecting'],
    ]),
    ...(['open', 'connecting', 'handshaking'] as const).flatMap((from): typeof WAYS_OUT => [
      ['pagehide', from, {}, ({ network }) => network.emit('hide'), 'paused'],
      ['close() and its timeout', from, {}, ({ socket }) => (socket.close(), advance(2_000)), 'closed'],
    ]),
    ...(['connecting', 'handshaking'] as const).flatMap((from): typeof WAYS_OUT => [
      ['the connect timeout', from, {}, () => advance(10_000), 'waiting'],
      [
        'a signal that renews a stale attempt',
        from,
        {},
        ({ network }) => advance(5_001).then(() => network.emit('wake')),
        'connecting',
      ],
    ]),
    ['heartbeat death', 'open', { heartbeat: BEAT }, () => advance(200), 'waiting'],
  ]

  const EVENTS: Record<string, (handlers: Handlers, native: FakeSocket) => unknown> = {
    open: ({ onopen }) => onopen?.({ type: 'open' }),
    message: ({ onmessage }) => onmessage?.({ type: 'message', data: 'late' }),
    error: ({ onerror }) => onerror?.({ type: 'error' }),
    close: ({ onclose }) => onclose?.({ type: 'close', code: 1008, reason: 'late', wasClean: true }),
  }

  test.for(
    WAYS_OUT.flatMap(([how, from, options, letGo, to]) =>
      Object.keys(EVENTS).map((type) => [how, from, type, options, letGo, to] as const),
    ),
  )(
    '[S2] after %s while %s, a late %s is no news: not now, not to the next connection',
    async ([, from, type, options, letGo, to]) => {
      const scene = await inState(from, options)
      const { socket, log } = scene
      const orphan = FakeSocket.latest
      const before = orphan.handlers()
      await letGo(scene)
      await settle()
      expect([socket.state, orphan.isLive]).toEqual([to, false])
      // Some classes end the process when they have an error to tell and nobody to tell it to.
      expect(orphan.onerror).toBeTypeOf('function')
      const { lastClose } = socket
      log.length = 0
      const say = (): void => {
        for (const handlers of [before, orphan.handlers()]) EVENTS[type]?.(handlers, orphan)
      }
      expect(await uncaught(say)).toEqual([])
      expect(log).toEqual([])
      expect([socket.state, socket.lastClose]).toEqual([to, lastClose])
      socket.reconnect()
      await open(scene)
      log.length = 0
      say()
      await settle()
      expect([socket.state, log]).toEqual(['open', []])
      // An error of the old one must not be told with the end of the new one.
      FakeSocket.latest.finish(1006)
      expect(log).not.toContain('<error>')
    },
  )
})
