// The field's bugs as regressions: providers and handshakes that fail, refused connections, and bad arguments.
// Each title says what goes wrong elsewhere; the test runs it in every state in which it can.
import { describe, expect, test, vi } from 'vitest'
import type { CloseInfo, HeartwireOptions } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import {
  advance,
  collect,
  create,
  createOpen,
  elapse,
  inState,
  settle,
  STATES,
  uncaught,
  URL as ADDRESS,
  useScenes,
} from './support/scene.ts'
import type { Scene } from './support/scene.ts'

useScenes()

/** How a provider fails, and how long it takes until that is known. */
const FAILURES: Record<string, [provider: () => unknown, ms: number]> = {
  'rejects with an Error': [() => Promise.reject(new Error('no token')), 0],
  'rejects with undefined': [() => Promise.reject(), 0],
  throws: [
    () => {
      throw new Error('no token')
    },
    0,
  ],
  'throws undefined': [
    () => {
      throw undefined
    },
    0,
  ],
  hangs: [() => new Promise(() => {}), 10_000],
}

/** Where a provider stands. */
const PLACES = ['url', 'protocols'] as const

/** Which attempt asks it. */
const MOMENTS = ['the first attempt', 'a retry', 'reconnect() while open', 'connect() after the end'] as const

type Moment = (typeof MOMENTS)[number]

const cases = PLACES.flatMap((place) =>
  MOMENTS.flatMap((moment) => Object.keys(FAILURES).map((failure) => [place, failure, moment] as const)),
)

/** Calls `provider` for one attempt; before and after it all is well. `prepare` gets the scene before that attempt. */
const withProvider = async (
  place: (typeof PLACES)[number],
  moment: Moment,
  provider: () => unknown,
  prepare: (scene: Scene) => unknown,
): Promise<Scene> => {
  let isBad = moment === 'the first attempt'
  const good = { url: ADDRESS, protocols: 'chat' }[place]
  const asked = (): unknown => {
    const isNow = isBad
    isBad = false
    return isNow ? provider() : good
  }
  const options = place === 'protocols' ? { protocols: asked as () => string } : {}
  const scene = create(options, place === 'url' ? asked : ADDRESS)
  const { socket } = scene
  if (moment === 'the first attempt') prepare(scene)
  else {
    await settle()
    FakeSocket.latest.accept()
    if (moment === 'connect() after the end') socket.close()
    if (moment !== 'reconnect() while open') FakeSocket.latest.finish(1006, '', true)
    await settle()
    isBad = true
    prepare(scene)
    if (moment === 'a retry') await elapse()
    else socket.reconnect()
  }
  return scene
}

/** A failed provider is one failed attempt, and the next one is made. */
const expectRetry = async ({ socket }: Scene): Promise<void> => {
  expect(socket.state).toBe('waiting')
  await elapse()
  await settle()
  FakeSocket.latest.accept()
  await settle()
  expect(socket.state).toBe('open')
}

describe('a provider', () => {
  test.for(cases)(
    '[S6] of the %s that %s for %s is neither the last attempt nor an unhandled rejection',
    async ([place, failure, moment]) => {
      const [provider, ms] = FAILURES[failure] as (typeof FAILURES)[string]
      const told: string[] = []
      const errors = await uncaught(async () => {
        const scene = await withProvider(place, moment, provider, ({ socket }) =>
          socket.on('error', ({ code }) => told.push(code)),
        )
        await advance(ms)
        await settle()
        expect(told).toEqual([failure === 'hangs' ? 'connect-timeout' : 'provider-failed'])
        await expectRetry(scene)
      })
      expect(errors).toEqual([])
    },
  )

  const LATE = ['in the turn of close()', 'after its end', 'when the next attempt runs'] as const

  test.for(
    PLACES.flatMap((place) =>
      ['resolves', 'rejects'].flatMap((how) => LATE.map((when) => [place, how, when] as const)),
    ),
  )('[S6] [S5] of the %s that %s %s opens nothing and fails nothing', async ([place, how, when]) => {
    const settlers: ((how: string) => void)[] = []
    const hangs = (): Promise<string> =>
      new Promise((resolve, reject) => {
        settlers.push((outcome) => (outcome === 'resolves' ? resolve(ADDRESS) : reject(new Error('late'))))
      })
    const errors = await uncaught(async () => {
      const scene = create(place === 'protocols' ? { protocols: hangs } : {}, place === 'url' ? hangs : ADDRESS)
      await settle()
      const told = collect(scene.socket, 'error')
      scene.socket.close()
      if (when !== 'in the turn of close()') await advance(10_000)
      if (when === 'when the next attempt runs') scene.socket.reconnect()
      told.length = 0
      settlers[0]?.(how)
      await settle()
      expect(told).toEqual([])
      expect(FakeSocket.all).toEqual([])
      if (when === 'when the next attempt runs') expect(scene.socket.state).toBe('resolving')
      else {
        await advance(100_000)
        expect([scene.socket.state, scene.socket.reason]).toEqual(['closed', 'user'])
      }
    })
    expect(errors).toEqual([])
  })

  test.for(cases)('[S4] [S6] of the %s that %s for %s is retried although onerror throws', async (given) => {
    const [place, failure, moment] = given
    const [provider, ms] = FAILURES[failure] as (typeof FAILURES)[string]
    const thrown = new Error('onerror')
    const closes: unknown[] = []
    const errors = await uncaught(async () => {
      const scene = await withProvider(place, moment, provider, ({ socket }) => {
        socket.addEventListener('close', ({ code, reason }) => closes.push([code, reason]))
        socket.onerror = () => {
          throw thrown
        }
      })
      await advance(ms)
      await settle()
      expect(closes.at(-1)).toEqual([1006, failure === 'hangs' ? 'connect timeout' : 'provider failed'])
      await expectRetry(scene)
      scene.socket.onerror = null
    })
    expect(errors).toEqual([thrown])
  })
})

describe('a failed attempt', () => {
  const FAULTS: Record<string, [HeartwireOptions, (scene: Scene) => unknown, reason: string]> = {
    'a refused connection': [{}, () => FakeSocket.latest.fail(), ''],
    'a connection that a class reports as closed with 1000': [{}, () => FakeSocket.latest.finish(1000, '', true), ''],
    'a connection that a class reports as closed with 1005': [{}, () => FakeSocket.latest.finish(1005, '', true), ''],
    'an upgrade that hangs': [{}, () => advance(10_000), 'connect timeout'],
    'a handshake that is refused': [
      { handshake: () => Promise.reject(new Error('401')) },
      () => FakeSocket.latest.accept(),
      'handshake failed',
    ],
    'a handshake in which the server closes cleanly': [
      { handshake: () => new Promise(() => {}) },
      () => {
        FakeSocket.latest.accept()
        FakeSocket.latest.finish(1000, '', true)
      },
      '',
    ],
  }

  test.for(
    Object.keys(FAULTS).flatMap((fault) => ['at first', 'at a retry'].map((when): [string, string] => [fault, when])),
  )(
    '[R6] [R4] %s, %s, is never a clean 1000: reconnect.when and listeners see 1006, not clean',
    async ([fault, when]) => {
      const [options, fail, reason] = FAULTS[fault] as (typeof FAULTS)[string]
      const seen: CloseInfo[] = []
      const reconnect = { when: (close: CloseInfo) => (seen.push(close), true), jitter: 0 }
      const scene = create({ ...options, reconnect })
      const { socket } = scene
      if (when === 'at a retry') {
        FakeSocket.latest.fail()
        await elapse()
      }
      await settle()
      seen.length = 0
      const closes: unknown[] = []
      socket.addEventListener('error', () => closes.push('error'))
      socket.addEventListener('close', ({ code, wasClean }) => closes.push([code, wasClean]))
      await fail(scene)
      await settle()
      expect(seen).toEqual([{ code: 1006, reason, wasClean: false }])
      expect(closes).toEqual(['error', [1006, false]])
      expect(socket.lastClose).toEqual(seen[0])
    },
  )

  test('[R6] [R4] a provider that fails is never a clean 1000 either', async () => {
    const seen: CloseInfo[] = []
    const { socket } = create({ reconnect: { when: (close) => (seen.push(close), false) } }, () => Promise.reject())
    await advance(0)
    expect(seen).toEqual([{ code: 1006, reason: 'provider failed', wasClean: false }])
    expect([socket.state, socket.reason]).toEqual(['closed', 'refused'])
  })
})

describe('a close() with bad arguments', () => {
  const UNPAIRED = '\uD800'

  const BAD: [string, [code: number, reason?: string], string][] = [
    ['close(1001)', [1001], 'InvalidAccessError'],
    ['close(999)', [999], 'InvalidAccessError'],
    ['close(5000)', [5_000], 'InvalidAccessError'],
    ['a reason of 124 bytes', [1000, 'x'.repeat(124)], 'SyntaxError'],
    ['a reason of 124 bytes in 31 characters', [1000, '😀'.repeat(31)], 'SyntaxError'],
    ['42 unpaired surrogates, 126 bytes', [1000, UNPAIRED.repeat(42)], 'SyntaxError'],
  ]

  test.for(STATES.flatMap((state) => BAD.map(([what, given, name]) => [state, what, given, name] as const)))(
    '[P2] while %s, %s, throws before anything is changed: the link and its retries go on',
    async ([state, , given, name]) => {
      const scene = await inState(state, { heartbeat: { message: 'ping' } })
      const { socket, log } = scene
      if (['connecting', 'waiting', 'paused'].includes(state)) socket.send('queued')
      const facts = (): unknown => {
        const { readyState, queued, bufferedAmount, lastClose, attempt, reason } = socket
        const natives = FakeSocket.all.map(({ closes, isLive }) => [closes.length, isLive])
        return { state: socket.state, readyState, queued, bufferedAmount, lastClose, attempt, reason, natives }
      }
      const before = [facts(), vi.getTimerCount()]
      expect(() => socket.close(...given)).toThrow(expect.objectContaining({ name }))
      await settle()
      expect([facts(), vi.getTimerCount()]).toEqual(before)
      expect(log).toEqual([])
      // A retry comes when it would have come.
      if (state === 'waiting') {
        await advance(1_000)
        expect(socket.state).toBe('connecting')
      }
    },
  )

  test('[P2] one unpaired surrogate is the replacement character, 3 bytes, and no URIError halfway', async () => {
    const { socket } = await createOpen()
    // Sent as the native one takes it: the conversion is the browser's.
    socket.close(4000, UNPAIRED.repeat(41))
    expect(FakeSocket.latest.closes).toHaveLength(1)
    expect(socket.state).toBe('closing')
  })

  test.for(['connecting', 'waiting', 'open'] as const)(
    '[Q2] while %s, an unpaired surrogate that is sent has 3 bytes, and throws no URIError',
    async (state) => {
      const { socket } = await inState(state)
      FakeSocket.latest.isStalled = true
      socket.send(UNPAIRED)
      expect(socket.bufferedAmount).toBe(3)
    },
  )
})
