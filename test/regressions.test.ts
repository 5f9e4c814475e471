// The field's bugs as regressions: closing, opening again after it, and giving up.
// Each title says what goes wrong elsewhere; the test runs it in every state in which it can.
import { describe, expect, test, vi } from 'vitest'
import type { ClosedReason, Heartwire, HeartwireEvents, HeartwireOptions } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import {
  advance,
  collect,
  create,
  createOpen,
  elapse,
  inState,
  open,
  settle,
  STATES,
  uncaught,
  URL as ADDRESS,
  useScenes,
} from './support/scene.ts'
import type { Scene } from './support/scene.ts'

useScenes()

const HOUR = 3_600_000

/** What ends a socket for good. */
const WAYS_TO_CLOSE: Record<string, (socket: Heartwire) => unknown> = {
  'close()': (socket) => socket.close(),
  'Symbol.dispose': (socket) => socket[Symbol.dispose](),
  'Symbol.asyncDispose': (socket) => void socket[Symbol.asyncDispose](),
}

const WAYS = Object.keys(WAYS_TO_CLOSE)

const close = (socket: Heartwire, way: string): unknown => WAYS_TO_CLOSE[way]?.(socket)

/** All pairs. */
const pairs = <First, Second>(first: readonly First[], second: readonly Second[]): [First, Second][] =>
  first.flatMap((one) => second.map((other): [First, Second] => [one, other]))

/** However long one waits and whatever the page says, it stays closed, and no socket is left. */
const expectClosedForGood = async ({ socket, network, log }: Scene): Promise<void> => {
  await advance(10_000)
  const { length } = FakeSocket.all
  const before = [...log]
  for (const signal of ['wake', 'online', 'restore', 'hide'] as const) network.emit(signal)
  await advance(HOUR)
  expect([socket.state, socket.readyState]).toEqual(['closed', 3])
  expect(log).toEqual(before)
  expect(FakeSocket.all).toHaveLength(length)
  expect(FakeSocket.all.filter(({ isLive }) => isLive)).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
}

/** `reconnect()` makes one attempt at once, and it can open. */
const expectToComeBack = async (scene: Scene): Promise<void> => {
  const { socket } = scene
  const { length } = FakeSocket.all
  scene.unblock()
  socket.reconnect()
  expect(socket.readyState).toBe(0)
  await open(scene)
  expect(FakeSocket.all).toHaveLength(length + 1)
  expect(socket.state).toBe('open')
  socket.send('back')
  expect(FakeSocket.latest.sent).toContain('back')
}

/** The lines of a log that tell that a connection ended. */
const closesIn = (log: readonly string[]): string[] => log.filter((line) => line.startsWith('<close'))

describe('close() that a retry forgets', () => {
  test.for(pairs(STATES, WAYS))('[S5] while %s, %s: no retry undoes it', async ([state, way]) => {
    const scene = await inState(state)
    close(scene.socket, way)
    scene.unblock()
    await expectClosedForGood(scene)
    expect(closesIn(scene.log)).toHaveLength(state === 'idle' || state === 'closed' ? 0 : 1)
  })

  test.for(pairs(STATES, ['at once', 'after its end']))(
    '[S5] close() while %s leaves no lock behind: reconnect() %s works',
    async ([state, when]) => {
      const scene = await inState(state)
      scene.socket.close()
      if (when !== 'at once') await advance(10_000)
      await expectToComeBack(scene)
    },
  )

  test.for(['resolving', 'waiting', 'paused'] as const)(
    '[S5] close() while %s and reconnect(), by turns, never have two attempts',
    async (state) => {
      const scene = await inState(state)
      scene.unblock()
      for (let turn = 0; turn < 5; turn++) {
        scene.socket.close()
        scene.socket.reconnect()
      }
      await open(scene)
      expect(scene.socket.state).toBe('open')
      expect(FakeSocket.mostAtOnce).toBe(1)
      scene.socket.close()
      await expectClosedForGood(scene)
    },
  )

  test.for(['at once', 'a turn later'])(
    '[S5] [S8] close() before the first socket, %s, is told and kept: the url that comes then is used by nobody',
    async (when) => {
      let answer = (_url: string): void => {}
      const scene = create({}, () => new Promise<string>((resolve) => (answer = resolve)))
      if (when !== 'at once') await settle()
      scene.socket.close()
      answer(ADDRESS)
      await advance(0)
      expect(closesIn(scene.log)).toEqual(['<close 1006 final>'])
      expect(FakeSocket.all).toEqual([])
      await expectClosedForGood(scene)
      scene.socket.reconnect()
      answer(ADDRESS)
      await open(scene)
      expect(scene.socket.state).toBe('open')
    },
  )

  test('[S5] close() before the first socket, in the turn of the constructor, ends it, and reconnect() begins another', async () => {
    const scene = create()
    scene.socket.close()
    await expectClosedForGood(scene)
    await expectToComeBack(scene)
  })
})

describe('close() in a listener', () => {
  const DOM = ['open', 'message', 'error', 'close'] as const
  const BUS = [
    'state',
    'open',
    'message',
    'lost',
    'waiting',
    'heartbeat',
    'probe',
    'drain',
    'dropped',
    'error',
  ] as const

  /** A life in which each event but `closed` comes at least once. */
  const live = async (scene: Scene): Promise<void> => {
    const { socket, network } = scene
    socket.send('dropped')
    socket.send('sent')
    await settle()
    FakeSocket.latest.fail()
    await elapse()
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('hello')
    FakeSocket.latest.receive('pong')
    await advance(100)
    network.emit('wake')
    await settle()
    FakeSocket.latest.fail()
    await advance(5_000)
  }

  const options: HeartwireOptions = {
    heartbeat: { message: 'ping', pong: 'pong' },
    queue: { maxMessages: 1, overflow: 'drop-oldest' },
  }

  test.for([...DOM.map((type) => `<${type}>`), ...BUS])(
    '[S3] [S5] of %s sticks: no retry was begun before',
    async (name) => {
      const scene = create(options)
      const { socket } = scene
      let calls = 0
      const end = (): void => {
        calls += 1
        if (calls === 1) socket.close()
      }
      if (name.startsWith('<')) socket.addEventListener(name.slice(1, -1), end)
      else socket.on(name as keyof HeartwireEvents, end)
      await live(scene)
      expect(calls).toBeGreaterThan(0)
      await expectClosedForGood(scene)
      await expectToComeBack({ ...scene, socket })
    },
  )

  test.for(pairs(DOM, WAYS))(
    '[S3] [S5] in the listener of %s, reconnect() and then %s: the last one counts',
    async ([type, way]) => {
      const scene = create(options)
      const { socket } = scene
      // Once: a listener of close that always reconnects and closes has its own next event to thank for.
      const change = (): void => {
        socket.reconnect()
        close(socket, way)
      }
      socket.addEventListener(type, change, { once: true })
      await live(scene)
      await expectClosedForGood(scene)
    },
  )

  test.for(['user', 'gave-up', 'refused'] as const)(
    '[S5] reconnect() in the closed listener after %s works: nothing resets what it began',
    async (reason) => {
      const scene = await inState('open', reason === 'gave-up' ? { reconnect: { maxAttempts: 1 } } : {})
      scene.socket.once('closed').then(() => scene.socket.reconnect(), expect.unreachable)
      const undo = scene.socket.on('closed', () => {
        undo()
        scene.socket.reconnect()
      })
      if (reason === 'user') scene.socket.close()
      FakeSocket.latest.finish({ user: 1000, 'gave-up': 1006, refused: 1008 }[reason])
      await open(scene)
      expect(scene.socket.state).toBe('open')
      expect(FakeSocket.mostAtOnce).toBe(1)
    },
  )
})

describe('reconnect() after the end', () => {
  const ENDS: Record<Exclude<ClosedReason, 'aborted'>, (options: HeartwireOptions) => Promise<Scene>> = {
    user: async (options) => inState('closed', options),
    'gave-up': async (options) => {
      const scene = create({ ...options, reconnect: { maxAttempts: 2 } })
      FakeSocket.latest.fail()
      await elapse()
      FakeSocket.latest.fail()
      return scene
    },
    refused: async (options) => {
      const scene = await createOpen(options)
      FakeSocket.latest.finish(1008)
      return scene
    },
    unsupported: async (options) => {
      const scene = create({ ...options, WebSocket: undefined }, () => ADDRESS)
      await settle()
      vi.stubGlobal('WebSocket', FakeSocket)
      return scene
    },
  }

  test.for(pairs(Object.keys(ENDS) as (keyof typeof ENDS)[], ['reconnect', 'connect'] as const))(
    '[S5] [R3] with reason %s is no dead end: %s() begins another life, with a fresh count',
    async ([reason, method]) => {
      vi.stubGlobal('WebSocket', undefined)
      const scene = await ENDS[reason]({})
      const { socket } = scene
      await advance(0)
      expect([socket.state, socket.reason]).toEqual(['closed', reason])
      socket[method]()
      await open(scene)
      expect([socket.state, socket.reason, socket.attempt]).toEqual(['open', null, 0])
      const waiting = collect(socket, 'waiting')
      FakeSocket.latest.finish(1006)
      expect(waiting).toMatchObject([{ attempt: 1, delay: 1_000 }])
    },
  )

  test('[R3] gives up anew, after as many attempts as at first', async () => {
    const { socket } = create({ reconnect: { maxAttempts: 3 } })
    for (let life = 1; life <= 3; life++) {
      for (let n = 0; n < 3; n++) {
        FakeSocket.latest.fail()
        await elapse()
      }
      expect([socket.reason, FakeSocket.all.length]).toEqual(['gave-up', 3 * life])
      socket.reconnect()
    }
  })
})

describe('a listener of close that throws', () => {
  test.for(['error', 'close'] as const)('[S4] on%s that throws does not keep the retry from coming', async (type) => {
    const { socket } = await inState('open')
    const failure = new Error('listener')
    socket[`on${type}`] = () => {
      throw failure
    }
    expect(await uncaught(() => FakeSocket.latest.fail())).toEqual([failure])
    socket[`on${type}`] = null
    await elapse()
    expect(FakeSocket.all).toHaveLength(2)
  })
})
