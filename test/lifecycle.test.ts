// The states: what leaves each of them, in which order it is told, and that nothing is left behind.
import { spawn } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { array, assert, asyncProperty, boolean, constantFrom, record } from 'fast-check'
import ts from 'typescript'
import { describe, expect, test, vi } from 'vitest'
import type { Heartwire, HeartwireEvents, HeartwireOptions, State } from '../src/index.ts'
import { READY_STATE } from '../src/machine.ts'
import { FakeSocket } from './support/fake-socket.ts'
import {
  advance,
  collect,
  create,
  elapse,
  inState,
  open,
  settle,
  STATES,
  stubReportError,
  uncaught,
  URL,
  useScenes,
  type Scene,
} from './support/scene.ts'

useScenes()

const ignore = (): void => {}

/** What an application can call, with what a newcomer would pass. */
const METHODS: Record<string, (socket: Heartwire) => unknown> = {
  close: (socket) => socket.close(),
  reconnect: (socket) => socket.reconnect(),
  connect: (socket) => socket.connect(),
  send: (socket) => socket.send('from inside'),
  on: (socket) => socket.on('state', () => {}),
  off: (socket) => socket.off('drain', () => {}),
  addEventListener: (socket) => socket.addEventListener('message', ignore),
  removeEventListener: (socket) => socket.removeEventListener('message', ignore),
  onmessage: (socket) => (socket.onmessage = () => {}),
  binaryType: (socket) => (socket.binaryType = 'arraybuffer'),
  once: (socket) => void socket.once('drain'),
  'close, then connect': (socket) => {
    socket.close()
    socket.connect()
  },
  'reconnect, then close': (socket) => {
    socket.reconnect()
    socket.close()
  },
}

describe('[S1] how long a state may last', () => {
  test.each<[State, number]>([
    ['idle', 0],
    ['resolving', 1],
    ['connecting', 1],
    ['handshaking', 1],
    ['open', 0],
    ['waiting', 1],
    ['paused', 1],
    ['closing', 1],
    ['closed', 0],
  ])('%s has %i timer', async (state, timers) => {
    await inState(state)
    expect(vi.getTimerCount()).toBe(timers)
  })

  test('open has one with a heartbeat', async () => {
    await inState('open', { heartbeat: { message: 'ping' } })
    expect(vi.getTimerCount()).toBe(1)
  })

  test.each<[State, number, State]>([
    ['resolving', 10_000, 'waiting'],
    ['connecting', 10_000, 'waiting'],
    ['handshaking', 10_000, 'waiting'],
    ['waiting', 1_000, 'connecting'],
    ['paused', 60_000, 'connecting'],
    ['closing', 2_000, 'closed'],
  ])('%s is over after %i ms: %s', async (from, ms, to) => {
    const { socket } = await inState(from)
    await advance(ms - 1)
    expect(socket.state).toBe(from)
    await advance(1)
    expect(socket.state).toBe(to)
  })

  test.each<State>(['idle', 'open', 'closed'])('%s lasts', async (state) => {
    const { socket } = await inState(state)
    await advance(10 * 24 * 3_600_000)
    expect(socket.state).toBe(state)
  })

  test('resolving, connecting and handshaking share one limit', async () => {
    const url = (): Promise<string> => new Promise((resolve) => setTimeout(resolve, 4_000, URL))
    const { socket, log } = create({ handshake: () => new Promise(() => {}) }, url)
    await advance(7_000)
    FakeSocket.latest.accept()
    await advance(2_999)
    expect(socket.state).toBe('handshaking')
    await advance(1)
    expect(log.slice(2)).toEqual([
      'handshaking',
      'waiting',
      '<error>',
      '<close 1006 connect timeout again>',
      'error connect-timeout',
      'lost, attempt, 0 requeued, 0 in doubt',
      'waiting 1: 1000',
    ])
  })

  test('0 means 0: connectTimeout', async () => {
    const { socket } = create({ connectTimeout: 0 })
    await advance(0)
    expect(socket.state).toBe('waiting')
  })

  test('0 means 0: closeTimeout', async () => {
    const { socket, log } = await inState('open', { closeTimeout: 0 })
    socket.close()
    expect(log).toEqual(['closing'])
    await advance(0)
    expect(socket.state).toBe('closed')
  })

  test('a limit beyond what timers can do is clamped, not turned into none', async () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout')
    const { socket } = create({ connectTimeout: 2 ** 33 })
    expect(setTimer.mock.calls.map(([, ms]) => ms)).toEqual([2 ** 31 - 1])
    vi.advanceTimersByTime(2 ** 33 - 1)
    expect(socket.state).toBe('connecting')
    vi.advanceTimersByTime(1)
    expect(socket.state).toBe('waiting')
    expect(Math.max(...setTimer.mock.calls.map(([, ms]) => ms as number))).toBe(2 ** 31 - 1)
  })

  test('a timer that fires a fraction of a ms early is waited for again', async () => {
    const { socket } = await inState('connecting', { connectTimeout: 1.5 })
    await advance(2)
    expect(socket.state).toBe('waiting')
  })
})

describe('[S2] one native socket, and no news from those let go', () => {
  const waysToLetGo: [string, HeartwireOptions, (scene: Awaited<ReturnType<typeof inState>>) => unknown][] = [
    ['reconnect', {}, ({ socket }) => socket.reconnect()],
    ['connect', {}, ({ socket }) => socket.connect()],
    ['pagehide', {}, ({ network }) => network.emit('hide')],
    ['a close timeout', {}, ({ socket }) => (socket.close(), advance(2_000))],
    ['heartbeat death', { heartbeat: { message: 'ping', interval: 10, timeout: 10 } }, () => advance(20)],
    ['its own close event', {}, () => FakeSocket.latest.finish(1006)],
  ]

  test.each(waysToLetGo)('after %s, late events reach nobody', async (_, options, letGo) => {
    const scene = await inState('open', options)
    const orphan = FakeSocket.latest
    const before = orphan.handlers()
    await letGo(scene)
    await settle()
    scene.log.length = 0
    const { state, lastClose, latency } = scene.socket
    for (const { onopen, onmessage, onerror, onclose } of [before, orphan.handlers()]) {
      onopen?.({ type: 'open' })
      onmessage?.({ type: 'message', data: 'late' })
      onerror?.({ type: 'error' })
      onclose?.({ type: 'close', code: 1000, reason: '', wasClean: true })
    }
    expect(scene.log).toEqual([])
    expect(scene.socket).toMatchObject({ state, lastClose, latency })
    // Node's ws ends the process when it has an error to emit and nobody to tell.
    expect(orphan.onerror).toBeTypeOf('function')
    expect(orphan.isLive).toBe(false)
  })

  test.each(['connecting', 'handshaking'] as const)('late events of an attempt superseded while %s', async (state) => {
    const scene = await inState(state)
    const orphan = FakeSocket.latest
    const { onopen, onmessage, onclose } = orphan.handlers()
    scene.socket.reconnect()
    scene.log.length = 0
    onopen?.({ type: 'open' })
    onmessage?.({ type: 'message', data: 'late' })
    onclose?.({ type: 'close', code: 1000, reason: '', wasClean: true })
    await settle()
    expect(orphan.isLive).toBe(false)
    expect(scene.socket.state).toBe('connecting')
    expect(scene.log).toEqual([])
  })

  test('late events do not mix with those of the next connection', async () => {
    const { socket, log } = await inState('open')
    const { onopen, onmessage, onerror, onclose } = FakeSocket.latest.handlers()
    socket.reconnect()
    FakeSocket.latest.accept('new')
    log.length = 0
    onopen?.({ type: 'open' })
    onmessage?.({ type: 'message', data: 'late' })
    onerror?.({ type: 'error' })
    onclose?.({ type: 'close', code: 1000, reason: '', wasClean: true })
    expect([socket.state, socket.protocol, log]).toEqual(['open', 'new', []])
    FakeSocket.latest.finish(1006)
    expect(log).not.toContain('<error>')
  })

  test('a socket that opens after close() stays unheard', async () => {
    const { socket, log } = await inState('connecting')
    socket.close()
    FakeSocket.latest.accept()
    expect(socket.state).toBe('closing')
    FakeSocket.latest.receive('x')
    FakeSocket.latest.fail()
    expect(log).not.toContain('<open>')
    expect(log).not.toContain('message x')
    expect(socket.state).toBe('closed')
  })

  test('messages after close() are not told, as natively', async () => {
    const { socket, log } = await inState('open')
    socket.close()
    FakeSocket.latest.receive('late')
    expect(log).toEqual(['closing'])
  })

  test('messages before open are not told', async () => {
    const { log } = await inState('connecting')
    FakeSocket.latest.receive('early')
    expect(log).toEqual([])
  })

  test('a native close that throws is reported, and that is all', async () => {
    const reported = stubReportError()
    const { socket } = await inState('open')
    const failure = new Error('close')
    const broken = FakeSocket.latest
    broken.close = () => {
      broken.beginClose()
      throw failure
    }
    socket.reconnect()
    expect(reported).toEqual([failure])
    expect(socket.state).toBe('connecting')
  })
})

describe('[S3] any method in any state', () => {
  const cases = STATES.flatMap((state) => Object.keys(METHODS).map((name) => [state, name] as const))

  test.each(cases)('%s: %s', async (state, name) => {
    const scene = await inState(state)
    const { socket } = scene
    METHODS[name]?.(socket)
    if (name.endsWith('close')) {
      expect(socket.readyState).toBe(READY_STATE[state] === 3 && name === 'close' ? 3 : 2)
    } else if (name.endsWith('connect')) {
      expect(['resolving', 'connecting']).toContain(socket.state)
    } else {
      expect(socket.state).toBe(state)
    }
    // Whatever it was, there is a way back.
    scene.unblock()
    socket.reconnect()
    await open(scene)
    expect(socket.state).toBe('open')
  })
})

/** What happens to a socket in its life; each step finds it as the one before left it, or as a listener did. */
const LIFE: ((scene: ReturnType<typeof create>) => unknown)[] = [
  () => settle(),
  () => FakeSocket.latest.accept(),
  () => FakeSocket.latest.receive('hello'),
  () => advance(100),
  () => FakeSocket.latest.receive('pong'),
  ({ network }) => network.emit('wake'),
  () => advance(10),
  () => FakeSocket.latest.fail(),
  ({ socket }) => socket.send('queued 1'),
  ({ socket }) => socket.send('queued 2'),
  () => advance(1_000),
  () => FakeSocket.latest.fail(),
  () => advance(2_000),
  () => FakeSocket.latest.accept(),
  () => advance(10),
  ({ socket }) => socket.close(),
  () => FakeSocket.latest.finish(1000),
  ({ socket }) => socket.send('too late'),
  () => settle(),
]

const BUS = [
  'state',
  'open',
  'message',
  'lost',
  'waiting',
  'closed',
  'heartbeat',
  'probe',
  'drain',
  'dropped',
  'error',
  '*',
] as const

const DOM = ['open', 'message', 'error', 'close'] as const

/** Bus events by name, DOM events in angle brackets. */
const EVENTS = [...BUS, ...DOM.map((type) => `<${type}>`)]

const listen = (socket: Heartwire, type: string, listener: () => void): void => {
  if (type.startsWith('<')) socket.addEventListener(type.slice(1, -1), listener)
  else socket.on(type as keyof HeartwireEvents, listener)
}

/** A socket that lives through all of it, with listeners of the test's own. */
const live = async (prepare: (socket: Heartwire, log: string[]) => unknown): Promise<string[]> => {
  const scene = create({
    heartbeat: { message: 'ping', pong: 'pong', interval: 100 },
    queue: { maxMessages: 1, overflow: 'drop-oldest' },
  })
  prepare(scene.socket, scene.log)
  for (const step of LIFE) {
    await step(scene)
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1)
  }
  return scene.log
}

const AN_ORDINARY_LIFE = [
  'resolving',
  'connecting',
  'open',
  '<open>',
  'open 0',
  'message hello',
  'heartbeat 0',
  'probe 5000',
  'waiting',
  '<error>',
  '<close 1006 again>',
  'lost, open, 0 requeued, 0 in doubt',
  'waiting 1: 1000',
  'dropped overflow: queued 1',
  'resolving',
  'connecting',
  'waiting',
  '<error>',
  '<close 1006 again>',
  'error connect-failed',
  'lost, attempt, 0 requeued, 0 in doubt',
  'waiting 2: 2000',
  'resolving',
  'connecting',
  'open',
  '<open>',
  'open 2 again',
  'drain',
  'closing',
  'closed',
  '<close 1000 clean final>',
  'closed: user',
  'dropped closed: too late',
]

describe('[S4] a class that misbehaves', () => {
  test('one that calls onmessage without an event silences nobody', async () => {
    const { log } = await inState('open')
    expect(() => FakeSocket.latest.onmessage?.(undefined)).toThrow(TypeError)
    FakeSocket.latest.receive('a')
    FakeSocket.latest.finish(1006)
    expect(log).toContain('message a')
    expect(log).toContain('<close 1006 again>')
  })

  test.each([
    ['without an event', undefined, [1006, '', false]],
    ['with nothing in it', {}, [1006, '', false]],
    ['with a code only', { code: 1000 }, [1000, '', true]],
  ])('one that calls onclose %s has closed', async (_, event, [code, reason, wasClean]) => {
    const { socket } = await inState('open')
    FakeSocket.latest.onclose?.(event)
    expect(socket.state).toBe('waiting')
    expect(socket.lastClose).toEqual({ code, reason, wasClean })
  })

  test('[S1] one whose binaryType cannot be set connects all the same', async () => {
    const reported = stubReportError()
    class Odd extends FakeSocket {
      constructor(url: string) {
        super(url)
        Object.defineProperty(this, 'binaryType', {
          set() {
            throw new Error('no blobs here')
          },
        })
      }
    }
    const { socket } = create({ WebSocket: Odd })
    FakeSocket.latest.fail()
    await advance(1_000)
    FakeSocket.latest.accept()
    expect(socket.state).toBe('open')
    expect(reported).toHaveLength(2)
  })

  test('[S2] one whose constructor reconnects leaves one connection', async () => {
    let socket: Heartwire | undefined
    class Odd extends FakeSocket {
      constructor(url: string) {
        super(url)
        const again = socket
        socket = undefined
        again?.reconnect()
      }
    }
    const scene = create({ WebSocket: Odd, start: 'manual' })
    socket = scene.socket
    scene.socket.connect()
    await settle()
    expect(FakeSocket.all.filter(({ closes }) => closes.length === 0)).toHaveLength(1)
    FakeSocket.all[1]?.accept()
    FakeSocket.all[0]?.accept()
    expect(FakeSocket.all.filter(({ closes }) => closes.length === 0)).toHaveLength(1)
    expect(scene.socket.state).toBe('open')
    // The class itself made two at once.
    FakeSocket.mostAtOnce = 1
  })
})

describe('[P2] close() in a listener', () => {
  test('of open: what the handshake left unread is for nobody, as natively', async () => {
    let finish = (): void => {}
    const { socket, log } = create({
      handshake: () =>
        new Promise<void>((resolve) => {
          finish = resolve
        }),
    })
    socket.addEventListener('open', () => socket.close())
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('unread')
    finish()
    await settle()
    expect(log).not.toContain('message unread')
  })

  test('of a heartbeat: it is told before what its reply causes', async () => {
    const { socket, log } = await inState('open', {
      heartbeat: {
        from: 'server',
        pong: 'beat',
        reply: () => {
          socket.reconnect()
          return undefined
        },
      },
    })
    log.length = 0
    FakeSocket.latest.receive('beat')
    expect(log.slice(0, 2)).toEqual(['heartbeat null', 'resolving'])
  })
})

describe('[S3] a provider that calls a method within the step that asked it', () => {
  test('listeners wait for the end of the step', async () => {
    let within = false
    let socketIsOpen = false
    const { socket } = create({}, () => {
      if (socketIsOpen) {
        within = true
        socket.close()
        within = false
      }
      return URL
    })
    await settle()
    FakeSocket.latest.accept()
    socketIsOpen = true
    const heard: boolean[] = []
    socket.on('*', () => heard.push(within))
    socket.reconnect()
    await advance(10)
    expect(socket.state).toBe('closed')
    expect(heard.length).toBeGreaterThan(2)
    expect(heard).not.toContain(true)
  })
})

describe('[S3] any method in any listener', () => {
  test('a life in which listeners only listen', async () => {
    expect(await live(() => {})).toEqual(AN_ORDINARY_LIFE)
  })

  const cases = EVENTS.flatMap((type) => Object.keys(METHODS).map((name) => [name, type] as const))

  test.each(cases)('%s in %s: what it causes is told after it', async (name, type) => {
    let calls = 0
    const toldInside: string[] = []
    await live((socket, log) => {
      listen(socket, type, () => {
        // More than once, since the second time finds another state; not for ever, since connect() would be.
        if (calls++ >= 3) return
        const before = log.length
        METHODS[name]?.(socket)
        toldInside.push(...log.slice(before))
      })
    })
    expect(calls).toBeGreaterThan(0)
    calls = Infinity
    expect(toldInside).toEqual([])
  })

  test('every listener of an event hears it before what one of them causes', async () => {
    const { socket, log } = await inState('open')
    socket.addEventListener('close', () => socket.close())
    socket.addEventListener('close', () => log.push('second listener'))
    FakeSocket.latest.finish(1006)
    await advance(0)
    expect(log).toEqual([
      'waiting',
      '<close 1006 again>',
      'second listener',
      'lost, open, 0 requeued, 0 in doubt',
      'waiting 1: 1000',
      'closing',
      'closed',
      '<close 1006 final>',
      'second listener',
      'closed: user',
    ])
  })

  // What everybody writes who had reconnect code before: it must not be told of the close that it causes, for ever.
  test.each(['close', 'lost'] as const)(
    'reconnect() in every %s comes to an end, with one attempt per call',
    async (type) => {
      const { socket } = await inState('open')
      let calls = 0
      const listener = (): void => {
        if (++calls < 100) socket.reconnect()
      }
      if (type === 'close') socket.addEventListener(type, listener)
      else socket.on(type, listener)
      socket.reconnect()
      expect(calls).toBeLessThan(3)
      expect(socket.state).toBe('connecting')
      FakeSocket.latest.fail()
      expect(socket.state).toBe('connecting')
      expect(FakeSocket.all).toHaveLength(4)
      expect(FakeSocket.all.filter((native) => native.isLive)).toEqual([FakeSocket.latest])
      calls = Infinity
    },
  )

  // What `async () => { await refreshToken(); socket.reconnect() }` does when the token is there already.
  test('reconnect() in an asynchronous listener of close comes to an end', async () => {
    const { socket } = await inState('open')
    let calls = 0
    const reconnect = async (): Promise<void> => {
      await Promise.resolve()
      if (++calls < 100) socket.reconnect()
    }
    socket.addEventListener('close', () => void reconnect())
    socket.reconnect()
    await settle()
    expect(calls).toBe(1)
    calls = Infinity
  })

  test('nor does an async listener, whatever it waits for', async () => {
    const { socket } = await inState('open')
    let calls = 0
    const reconnect = async (): Promise<void> => {
      await Promise.resolve()
      if (++calls < 100) socket.reconnect()
    }
    socket.addEventListener('close', () => void reconnect())
    socket.reconnect()
    await settle()
    const counted = calls
    calls = Infinity
    expect(counted).toBe(1)
  })

  test('connect() in every close, and a signal that renews a stale attempt', async () => {
    const { socket, network } = await inState('connecting')
    let calls = 0
    socket.addEventListener('close', () => {
      if (++calls < 100) socket.connect()
    })
    await advance(5_001)
    network.emit('wake')
    expect(calls).toBeLessThan(3)
    expect(FakeSocket.all).toHaveLength(2)
    calls = Infinity
  })

  test('in one listener, too, the last one counts', async () => {
    const { socket } = await inState('open')
    let isFirst = true
    socket.addEventListener('close', () => {
      if (!isFirst) return
      isFirst = false
      socket.reconnect()
      socket.close()
      socket.reconnect()
    })
    FakeSocket.latest.finish(1006)
    expect(socket.state).toBe('connecting')
    expect(FakeSocket.all).toHaveLength(3)
  })

  test('reconnect() in a listener renews an attempt that began before', async () => {
    const { socket } = await inState('connecting', { queue: { maxMessages: 0, overflow: 'drop-newest' } })
    socket.on('dropped', () => socket.reconnect())
    socket.send('x')
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('close() and reconnect() by turns: the last one counts', async () => {
    const { socket } = await inState('open')
    for (let turn = 0; turn < 5; turn++) {
      socket.close()
      socket.reconnect()
    }
    expect(socket.state).toBe('connecting')
    expect(FakeSocket.all.filter((native) => native.isLive)).toEqual([FakeSocket.latest])
    socket.close()
    expect(socket.state).toBe('closing')
  })
})

describe('[S3] abort listeners are listeners, too', () => {
  /** A socket whose first handshake has an abort listener that acts on the socket. */
  const createWith = (act: (socket: Heartwire) => void, reconnect = true): Scene => {
    let isFirst = true
    const scene = create({
      reconnect,
      handshake({ signal }) {
        if (isFirst) signal.addEventListener('abort', () => act(scene.socket))
        isFirst = false
      },
    })
    FakeSocket.latest.accept()
    return scene
  }

  test('[S2] connect() in one, during a reconnect()', async () => {
    const { socket } = createWith((it) => it.connect())
    await settle()
    socket.reconnect()
    FakeSocket.latest.accept()
    await settle()
    expect(socket.state).toBe('open')
    expect(FakeSocket.all.filter((native) => native.isLive)).toEqual([FakeSocket.latest])
  })

  test('[S5] connect() in one, at the end', async () => {
    const { network, log } = createWith((it) => it.connect(), false)
    await settle()
    FakeSocket.latest.finish(1006)
    expect(log.indexOf('connecting', 2)).toBeGreaterThan(log.indexOf('closed: refused'))
    expect(network.count).toBe(1)
  })

  test('[E4] close() in one: nothing is told of a retry that will not be', async () => {
    const { log } = createWith((it) => it.close())
    await settle()
    log.length = 0
    FakeSocket.latest.finish(1006)
    expect(log.slice(log.indexOf('closing')).filter((line) => line.startsWith('waiting'))).toEqual([])
  })
})

describe('[S4] listeners that throw', () => {
  test.each(EVENTS)('%s: it is reported, and nothing else changes', async (type) => {
    const reported = stubReportError()
    const failure = new Error(`thrown in ${type}`)
    let log: string[] = []
    const unheard = await uncaught(async () => {
      log = await live((socket) => {
        listen(socket, type, () => {
          throw failure
        })
      })
    })
    expect(log).toEqual(AN_ORDINARY_LIFE)
    // Node's own EventTarget reports to the process.
    const errors = [...reported, ...unheard]
    expect(errors.length).toBeGreaterThan(0)
    expect(new Set(errors)).toEqual(new Set([failure]))
  })

  test('all of them throwing', async () => {
    const reported = stubReportError()
    let log: string[] = []
    await uncaught(async () => {
      log = await live((socket) => {
        for (const type of EVENTS) {
          listen(socket, type, () => {
            throw new Error(type)
          })
        }
      })
    })
    expect(log).toEqual(AN_ORDINARY_LIFE)
    expect(reported.length).toBeGreaterThan(20)
  })

  test('without reportError it reaches the process, as for any listener', async () => {
    const failure = new Error('thrown')
    const errors = await uncaught(async () => {
      const { socket, log } = await inState('open')
      socket.on('message', () => {
        throw failure
      })
      FakeSocket.latest.receive('x')
      expect(log).toEqual(['message x'])
      await settle()
    })
    expect(errors).toEqual([failure])
  })
})

/** How often a socket's `close` event was told. */
const closesIn = (log: readonly string[]): string[] => log.filter((line) => line.startsWith('<close'))

describe('[S5] [S8] close() in every state', () => {
  const FINALS: Record<State, string[]> = {
    idle: [],
    resolving: ['<close 1006 final>'],
    connecting: ['<close 1006 final>'],
    handshaking: ['<close 1006 final>'],
    open: ['<close 1006 final>'],
    waiting: ['<close 1006 final>'],
    paused: ['<close 1006 final>'],
    closing: ['<close 1006 final>'],
    closed: [],
  }

  test.each(STATES)('%s: one close event, never inside the call, and then nothing is left', async (state) => {
    const controller = new AbortController()
    const { socket, log, network } = await inState(state, { signal: controller.signal })
    socket.close()
    expect(closesIn(log)).toEqual([])
    // The peer never answers.
    await advance(2_000)
    expect(closesIn(log)).toEqual(FINALS[state])
    expect(socket.state).toBe('closed')
    expect(socket.reason).toBe('user')
    expect(vi.getTimerCount()).toBe(0)
    expect(network.count).toBe(0)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    expect(FakeSocket.all.filter((native) => native.isLive)).toEqual([])
    const { length } = log
    for (const signal of ['wake', 'online', 'restore'] as const) network.emit(signal)
    await advance(24 * 3_600_000)
    socket.close()
    await advance(24 * 3_600_000)
    expect(log).toHaveLength(length)
  })

  test.each(['resolving', 'connecting'] as const)('%s: error comes before close, as natively', async (state) => {
    const { socket, log } = await inState(state)
    socket.close()
    await advance(2_000)
    expect(log).toEqual([
      'closing',
      'closed',
      '<error>',
      '<close 1006 final>',
      'lost, attempt, 0 requeued, 0 in doubt',
      'closed: user',
    ])
  })

  test('resolving, waiting and paused take no time to close', async () => {
    for (const state of ['resolving', 'waiting', 'paused'] as const) {
      const { socket } = await inState(state)
      socket.close()
      await advance(0)
      expect(socket.state).toBe('closed')
    }
  })

  test.each(['waiting', 'paused'] as const)('%s: one close without error, and lastClose stays', async (state) => {
    const { socket, log } = await inState(state)
    const { lastClose } = socket
    socket.close(4000, 'ignored, there is nothing to close')
    await advance(0)
    expect(log).toEqual(['closing', 'closed', '<close 1006 final>', 'closed: user'])
    expect(socket.lastClose).toEqual(lastClose)
  })

  test('idle: closed at once, and only the bus is told', async () => {
    const { socket, log } = await inState('idle')
    socket.close()
    expect(log).toEqual(['closed', 'closed: user'])
  })

  test('handshaking: for the application it was never open, so a clean end is an error, too', async () => {
    const { socket, log } = await inState('handshaking')
    socket.close()
    FakeSocket.latest.finish(1000)
    expect(log.slice(0, 4)).toEqual(['closing', 'closed', '<error>', '<close 1006 final>'])
  })

  test('open: what the peer answers is the close event', async () => {
    const { socket, log } = await inState('open')
    socket.close(4001, 'bye')
    FakeSocket.latest.finish(4001, 'bye')
    expect(log).toEqual(['closing', 'closed', '<close 4001 bye clean final>', 'closed: user'])
    expect(socket.lastClose).toEqual({ code: 4001, reason: 'bye', wasClean: true })
  })

  test('open: a peer that breaks off instead is an error first', async () => {
    const { socket, log } = await inState('open')
    socket.close()
    FakeSocket.latest.fail()
    expect(log).toEqual([
      'closing',
      'closed',
      '<error>',
      '<close 1006 final>',
      'lost, open, 0 requeued, 0 in doubt',
      'closed: user',
    ])
  })

  test('before anything was told: nothing but the end is', async () => {
    const { socket, log } = create()
    socket.close()
    await settle()
    FakeSocket.latest.fail()
    expect(log).toEqual([
      'resolving',
      'connecting',
      'closing',
      'closed',
      '<error>',
      '<close 1006 final>',
      'lost, attempt, 0 requeued, 0 in doubt',
      'closed: user',
    ])
  })

  test('during the backoff: no retry follows', async () => {
    const { socket } = await inState('waiting')
    await advance(500)
    socket.close()
    await advance(10_000)
    expect(FakeSocket.all).toHaveLength(1)
  })

  test('in the window in which the heartbeat would have died', async () => {
    const { socket, log } = await inState('open', { heartbeat: { message: 'ping', interval: 100, timeout: 100 } })
    await advance(199)
    socket.close()
    await advance(10_000)
    expect(log).toEqual([
      'closing',
      'closed',
      '<close 1006 final>',
      'lost, open, 0 requeued, 0 in doubt',
      'closed: user',
    ])
    expect(FakeSocket.all).toHaveLength(1)
  })

  test.each(['close', 'lost', 'error'] as const)('in the %s listener of a heartbeat death it sticks', async (type) => {
    const { socket } = await inState('open', { heartbeat: { message: 'ping', interval: 100, timeout: 100 } })
    if (type === 'lost') socket.on(type, () => socket.close())
    else socket.addEventListener(type, () => socket.close())
    await advance(200)
    expect(socket.readyState).toBeGreaterThan(1)
    await advance(100_000)
    expect(socket.state).toBe('closed')
    expect(FakeSocket.all).toHaveLength(1)
  })

  test('after the end changes nothing', async () => {
    const { socket, log } = create({ reconnect: false })
    FakeSocket.latest.fail()
    await settle()
    log.length = 0
    socket.close()
    await advance(2_000)
    expect([socket.reason, log]).toEqual(['refused', []])
  })

  test('twice is once', async () => {
    const { socket, log } = await inState('open')
    socket.close(4001)
    socket.close(4002)
    expect(FakeSocket.latest.closes).toEqual([[4001, undefined]])
    FakeSocket.latest.finish(4001)
    expect(closesIn(log)).toHaveLength(1)
  })
})

describe('[S5] reconnect() and connect() in every state', () => {
  const ways = STATES.flatMap((state) => [[state, 'reconnect'] as const, [state, 'connect'] as const])

  test.each(ways)('%s: %s() leads to a new attempt at once', async (state, method) => {
    const scene = await inState(state)
    const { socket, log, network } = scene
    const before = FakeSocket.all.length
    scene.unblock()
    socket[method]()
    await settle()
    expect(FakeSocket.all).toHaveLength(before + 1)
    expect(FakeSocket.all.filter((native) => native.isLive)).toEqual([FakeSocket.latest])
    expect(network.count).toBe(1)
    FakeSocket.latest.accept()
    await settle()
    expect(socket.state).toBe('open')
    // An attempt that is only replaced was never open: readyState stays 0, and there is no close to tell.
    const hadConnection = ['open', 'closing'].includes(state)
    expect(closesIn(log)).toEqual(hadConnection ? ['<close 1006 reconnect again>'] : [])
  })

  test('open: what is let go is told as lost, without error', async () => {
    const { socket, log } = await inState('open')
    socket.reconnect()
    expect(log).toEqual([
      'resolving',
      '<close 1006 reconnect again>',
      'lost, open, 0 requeued, 0 in doubt',
      'connecting',
    ])
  })

  test('after the end everything starts afresh', async () => {
    const { socket } = await inState('open', { reconnect: { maxAttempts: 1 } })
    FakeSocket.latest.fail()
    expect(socket.reason).toBe('gave-up')
    socket.connect()
    expect([socket.state, socket.attempt]).toEqual(['connecting', 0])
    FakeSocket.latest.accept()
    await advance(5_000)
    FakeSocket.latest.fail()
    expect(socket.state).toBe('waiting')
  })

  test('retries and failures are counted from zero', async () => {
    const { socket } = create({ reconnect: { maxAttempts: 2 } })
    for (let life = 0; life < 2; life++) {
      FakeSocket.latest.fail()
      expect([socket.state, socket.attempt]).toEqual(['waiting', 1])
      await elapse()
      FakeSocket.latest.fail()
      expect(socket.reason).toBe('gave-up')
      socket.connect()
      expect(socket.attempt).toBe(0)
    }
  })
})

describe('signal', () => {
  test.each(STATES)('aborted while %s: closed for good, with the reason', async (state) => {
    const controller = new AbortController()
    const { socket, log } = await inState(state, { signal: controller.signal })
    const errors = collect(socket, 'error')
    const cause = new Error('enough')
    controller.abort(cause)
    await advance(2_000)
    expect(socket.state).toBe('closed')
    if (state === 'closed') expect(log).toEqual([])
    else if (state === 'closing') expect([socket.reason, errors]).toEqual(['user', []])
    else {
      expect(socket.reason).toBe('aborted')
      expect(errors.at(-1)).toMatchObject({ code: 'aborted', cause })
      expect(log.at(-1)).toBe('closed: aborted')
    }
    const { length } = FakeSocket.all
    socket.reconnect()
    socket.connect()
    await advance(10_000)
    expect(FakeSocket.all).toHaveLength(length)
  })

  test('aborted before: nothing is ever constructed', async () => {
    for (const start of ['now', 'manual', 'lazy'] as const) {
      const { socket, log, network } = create({ start, signal: AbortSignal.abort() })
      expect(socket.state).toBe('closed')
      socket.on('message', () => {})
      await settle()
      expect(log).toEqual(['closed', 'error aborted', 'closed: aborted'])
      expect(network.count).toBe(0)
    }
    expect(FakeSocket.all).toEqual([])
  })

  test('aborted with what cannot be turned into text', () => {
    const controller = new AbortController()
    const { socket } = create({ signal: controller.signal })
    controller.abort(Object.create(null))
    expect(socket.state).toBe('closing')
  })

  test('is listened to once, however often the socket starts', async () => {
    const { signal } = new AbortController()
    const { socket } = await inState('open', { signal })
    for (let turn = 0; turn < 3; turn++) {
      socket.reconnect()
      socket.close()
      socket.connect()
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  })
})

describe('[S7] a constructor that refuses', () => {
  const refusal = new DOMException('blocked by policy', 'SecurityError')

  test('at a retry: terminal, not a loop', async () => {
    const { socket, log } = await inState('waiting')
    const errors = collect(socket, 'error')
    FakeSocket.refusal = refusal
    await advance(100_000)
    expect(log).toEqual([
      'resolving',
      'connecting',
      'closing',
      'closed',
      '<error>',
      '<close 1006 final>',
      'lost, attempt, 0 requeued, 0 in doubt',
      'error refused',
      'closed: refused',
    ])
    expect(errors[0]).toMatchObject({ code: 'refused', cause: refusal })
    expect(FakeSocket.all).toHaveLength(1)
  })

  test('after connect(): the call does not throw', async () => {
    const { socket } = await inState('idle')
    FakeSocket.refusal = refusal
    socket.connect()
    expect(socket.state).toBe('closing')
    await advance(0)
    expect([socket.state, socket.reason]).toEqual(['closed', 'refused'])
  })

  test('after a provider: the same', async () => {
    const { socket, log } = create({}, () => 'ftp://example.test')
    await advance(0)
    expect(socket.reason).toBe('refused')
    expect(log.at(-1)).toBe('closed: refused')
  })

  test('and where the class is gone: unsupported', async () => {
    vi.stubGlobal('WebSocket', FakeSocket)
    const { socket } = create({ WebSocket: undefined })
    vi.stubGlobal('WebSocket', undefined)
    const errors = collect(socket, 'error')
    FakeSocket.latest.fail()
    await advance(1_001)
    expect(socket.reason).toBe('unsupported')
    expect(errors.at(-1)).toMatchObject({ code: 'unsupported' })
  })

  test('a refusal that cannot be turned into text is one all the same', async () => {
    const { socket } = await inState('waiting')
    FakeSocket.refusal = Object.create(null)
    socket.reconnect()
    await advance(0)
    expect(socket.reason).toBe('refused')
  })

  test('connect() may try again', async () => {
    const { socket } = await inState('idle')
    FakeSocket.refusal = refusal
    socket.connect()
    await advance(0)
    FakeSocket.refusal = null
    socket.connect()
    FakeSocket.latest.accept()
    expect(socket.state).toBe('open')
  })
})

describe('walks', () => {
  type Act = (scene: ReturnType<typeof create>, say: () => string) => unknown

  const ACTS: Record<string, Act> = {
    accept: () => FakeSocket.all.at(-1)?.accept(),
    fail: () => FakeSocket.all.at(-1)?.fail(),
    finish: () => FakeSocket.all.at(-1)?.finish(1000),
    restart: () => FakeSocket.all.at(-1)?.finish(1012),
    beginClose: () => FakeSocket.all.at(-1)?.beginClose(),
    receive: () => FakeSocket.all.at(-1)?.receive('hello'),
    pong: () => FakeSocket.all.at(-1)?.receive('pong'),
    drain: () => FakeSocket.all.at(-1)?.drain(),
    'drain a little': () => FakeSocket.all.at(-1)?.drain(3),
    stall: () => (FakeSocket.isStalled = true),
    flow: () => (FakeSocket.isStalled = false),
    send: ({ socket }, say) => socket.send(say()),
    'send twice': ({ socket }, say) => (socket.send(say()), socket.send(say())),
    reconnect: ({ socket }) => socket.reconnect(),
    close: ({ socket }) => socket.close(),
    wake: ({ network }) => network.emit('wake'),
    online: ({ network }) => network.emit('online'),
    offline: ({ network }) => network.emit('offline'),
    hide: ({ network }) => network.emit('hide'),
    restore: ({ network }) => network.emit('restore'),
    'a moment': () => advance(10),
    'a second': () => advance(1_000),
    'a minute': () => advance(60_000),
  }
  // What keeps a connection going, more often than what ends it.
  const names = [
    ...Object.keys(ACTS),
    'accept',
    'accept',
    'accept',
    'send',
    'send',
    'send',
    'drain a little',
    'a second',
  ]

  const anyOptions = record({
    heartbeat: constantFrom<HeartwireOptions['heartbeat']>(
      false,
      { message: 'beat', pong: 'pong', interval: 500, timeout: 500 },
      { message: 'beat', when: 'always', interval: 100, timeout: 500 },
      { from: 'server', interval: 5_000 },
    ),
    handshake: constantFrom(
      undefined,
      () => {},
      ({ receive }: { receive: () => Promise<unknown> }) => receive(),
    ),
    reconnect: constantFrom<HeartwireOptions['reconnect']>(true, { maxAttempts: 3 }, { minUptime: 0, maxDelay: 0 }),
    queue: constantFrom<HeartwireOptions['queue']>(
      true,
      { replay: false },
      { maxMessages: 2, overflow: 'drop-oldest' },
      { maxBytes: 30, overflow: 'drop-newest' },
      { ttl: 5_000 },
    ),
  })

  const hasReplay = (queue: HeartwireOptions['queue']): boolean => typeof queue !== 'object' || queue.replay !== false

  test('[S1] [S2] [S3] [S5] [Q1] [Q3] whatever happens, every message has one fate and nothing is left behind', async () => {
    const aWalk = array(constantFrom(...names), { minLength: 5, maxLength: 50 })
    const property = asyncProperty(anyOptions, boolean(), aWalk, async (options, hasProvider, walk) => {
      FakeSocket.reset()
      const scene = create(options as HeartwireOptions, hasProvider ? () => URL : URL)
      const { socket } = scene
      const dropped = collect(socket, 'dropped')
      const losses = collect(socket, 'lost')
      const said: string[] = []
      const say = (): string => {
        said.push(`message ${'+'.repeat(said.length % 7)}${said.length}`)
        return said.at(-1) as string
      }
      for (const name of walk) {
        await ACTS[name]?.(scene, say)
        expect(vi.getTimerCount()).toBeLessThanOrEqual(1)
        expect(FakeSocket.all.filter((native) => native.isLive).length).toBeLessThanOrEqual(1)
        await settle()
      }
      socket.close()
      for (let turn = 0; turn < 10 && socket.state !== 'closed'; turn++) await advance(10_000)
      expect(socket.state).toBe('closed')
      expect(vi.getTimerCount()).toBe(0)

      const isSaid = (data: unknown): data is string => said.includes(data as string)
      const arrived = FakeSocket.all.flatMap((native) => native.arrived.filter(isSaid))
      const lost = new Set(dropped.flatMap(({ messages }) => messages as string[]))
      // Nothing twice, nothing out of order.
      expect(arrived).toEqual(said.filter((message) => arrived.includes(message)))
      // Nothing lost without a word: without replay, what never left is among those in doubt.
      const missing = said.filter((message) => !arrived.includes(message) && !lost.has(message))
      const inDoubt = losses.reduce((sum, loss) => sum + loss.inDoubt, 0)
      expect(Math.min(...losses.map((loss) => loss.inDoubt), 0)).toBe(0)
      expect(missing.length).toBeLessThanOrEqual(hasReplay(options.queue) ? 0 : inDoubt)
      expect(lost.size).toBe(dropped.flatMap(({ messages }) => messages).length)
    })
    await assert(property, { numRuns: 150 })
  })
})

test('[S5] a process whose sockets are closed ends at once', { timeout: 30_000 }, async () => {
  const root = fileURLToPath(new globalThis.URL('..', import.meta.url))
  // In there mitt is found, and nobody else looks.
  const folder = await mkdtemp(join(root, 'node_modules', '.exit-'))
  try {
    for (const name of await readdir(join(root, 'src'))) {
      const { outputText } = ts.transpileModule(await readFile(join(root, 'src', name), 'utf8'), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      })
      await writeFile(join(folder, name.replace('.ts', '.js')), outputText)
    }
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(
      join(folder, 'main.js'),
      `import { Heartwire } from './index.js'
      class Fake {
        url = ''
        bufferedAmount = 0
        send() {}
        close() { setImmediate(() => this.onclose?.({ code: 1000, reason: '', wasClean: true })) }
      }
      const natives = []
      class Recorded extends Fake { constructor() { super(); natives.push(this) } }
      const options = { WebSocket: Recorded, heartbeat: { message: 'ping' } }
      const open = new Heartwire('ws://example.test', options)
      const waiting = new Heartwire('ws://example.test', options)
      await null
      natives[0].onopen()
      natives[1].onclose({ code: 1006, reason: '', wasClean: false })
      open.send('x')
      console.log(open.state, waiting.state)
      open.close()
      waiting.close()
      let closed = 0
      for (const socket of [open, waiting]) socket.on('closed', () => {
        if (++closed === 2) setImmediate(() => console.log(process.getActiveResourcesInfo().includes('Timeout')))
      })`,
    )
    const child = spawn(process.execPath, [join(folder, 'main.js')])
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    const code = await new Promise((resolve) => {
      child.on('close', resolve)
    })
    expect([code, output]).toEqual([0, 'open waiting\nfalse\n'])
  } finally {
    await rm(folder, { recursive: true })
  }
})
