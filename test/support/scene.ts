// A socket on a fake network and a fake clock, in any state, with everything it says written down.
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { Heartwire } from '../../src/index.ts'
import type { HeartwireEvents, HeartwireOptions, NetworkSignal, NetworkSource, State } from '../../src/index.ts'
import { FakeSocket } from './fake-socket.ts'

export const URL = 'ws://example.test/'

export const STATES = [
  'idle',
  'resolving',
  'connecting',
  'handshaking',
  'open',
  'waiting',
  'paused',
  'closing',
  'closed',
] as const satisfies readonly State[]

/** Where a test says what the network and the page are like. */
export class FakeNetwork implements NetworkSource {
  online = true
  readonly #listeners = new Set<(signal: NetworkSignal) => void>()

  /** How many listen. */
  get count(): number {
    return this.#listeners.size
  }

  subscribe(listener: (signal: NetworkSignal) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(signal: NetworkSignal): void {
    if (signal === 'online' || signal === 'offline') this.online = signal === 'online'
    for (const listener of [...this.#listeners]) listener(signal)
  }
}

/** A socket, and what decides about it. */
export interface Scene {
  readonly socket: Heartwire<any, any>
  readonly network: FakeNetwork
  /** What was told, in order: DOM events in angle brackets, bus events as words. */
  readonly log: string[]
  /** Lets providers and handshakes that hang answer from now on. */
  readonly unblock: () => void
}

let scenes: Scene[] = []
/** What was told against the rules, in any scene. */
let violations: string[] = []

/**
 * Fake time and chance around each test of a file; after each, whatever the test did: every socket closes, and then has no
 * timer and no subscription ([S5]), there was never more than one live native socket each ([S2]), and what was told made
 * sense ([S3], [E4]).
 */
export const useScenes = (): void => {
  beforeEach(() => {
    // Not queueMicrotask and not setImmediate: promises settle as they always do.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] })
    // 0 draws the longest of every delay.
    chance(0)
    FakeSocket.reset()
    scenes = []
    violations = []
    lateness = { performance: 0, Date: 0 }
  })

  afterEach(async () => {
    const { mostAtOnce } = FakeSocket
    await settle()
    for (const { socket } of scenes) socket.close()
    await advance(10_000)
    const left = { states: scenes.map(({ socket }) => socket.state), timers: vi.getTimerCount() }
    const subscriptions = scenes.map(({ network }) => network.count)
    const expected = scenes.length
    vi.restoreAllMocks()
    vi.useRealTimers()
    expect(left).toEqual({ states: Array.from({ length: expected }, () => 'closed'), timers: 0 })
    expect(violations).toEqual([])
    expect(subscriptions).toEqual(Array.from({ length: expected }, () => 0))
    expect(mostAtOnce).toBeLessThanOrEqual(expected)
  })
}

/** What `Math.random` answers from now on. */
export const chance = (value: number): void => {
  vi.spyOn(Math, 'random').mockReturnValue(value)
}

/** Time passes, timers fire, promises settle. */
export const advance = async (ms: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(ms)
}

/** The one timer fires, whenever it is due. */
export const elapse = async (): Promise<void> => {
  await vi.advanceTimersToNextTimerAsync()
}

/** Promises settle, and a task of its own has run: an unhandled rejection would have been noticed. */
export const settle = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })

/** A socket on the fake network. Options are ours, but for what the test says. */
export const create = (options: HeartwireOptions<any, any> = {}, url: any = URL): Scene => {
  const network = new FakeNetwork()
  const socket = new Heartwire(url, { WebSocket: FakeSocket, network, ...options })
  const scene: Scene = { socket, network, log: [], unblock() {} }
  scenes.push(scene)
  supervise(socket)
  record(socket, scene.log)
  return scene
}

/** A scene whose socket has just opened. The log begins after it. */
export const createOpen = async (options: HeartwireOptions<any, any> = {}, url: any = URL): Promise<Scene> => {
  const scene = create(options, url)
  await settle()
  FakeSocket.latest.accept()
  await settle()
  scene.log.length = 0
  return scene
}

/** Counts a socket of the test's own among those that are checked after the test. */
export const adopt = (socket: Heartwire): Scene => {
  const scene: Scene = { socket, network: new FakeNetwork(), log: [], unblock() {} }
  scenes.push(scene)
  return scene
}

/** Brings a socket into a state. The log begins after it. */
export const inState = async (state: State, options: HeartwireOptions<any, any> = {}): Promise<Scene> => {
  let isBlocked = true
  const block = (name: State): Promise<void> => new Promise((resolve) => (state === name && isBlocked ? 0 : resolve()))
  const scene = create(
    {
      ...(state === 'idle' && { start: 'manual' }),
      ...(state === 'handshaking' && { handshake: () => block('handshaking') }),
      ...options,
    },
    state === 'resolving' ? () => block('resolving').then(() => URL) : URL,
  )
  await settle()
  if (!['idle', 'resolving', 'connecting'].includes(state)) FakeSocket.latest.accept()
  await settle()
  if (state === 'paused') scene.network.online = false
  if (state === 'waiting' || state === 'paused') FakeSocket.latest.finish(1006)
  if (state === 'closing' || state === 'closed') scene.socket.close()
  if (state === 'closed') FakeSocket.latest.finish(1000)
  await settle()
  expect(scene.socket.state).toBe(state)
  scene.log.length = 0
  return {
    ...scene,
    unblock() {
      isBlocked = false
    },
  }
}

/** From wherever it is, the socket gets a connection. */
export const open = async ({ unblock }: Scene): Promise<void> => {
  unblock()
  await settle()
  FakeSocket.latest.accept()
  await settle()
}

/** Notes what no log may ever show: gaps between states, two connections at once, an end that is none. */
const supervise = (socket: Heartwire): void => {
  let state: State = socket.state
  let isOpen = false
  let isFirst = true
  const claim = (isTrue: boolean, what: string): void => {
    if (!isTrue) violations.push(what)
  }
  socket.on('state', (event) => {
    // The constructor's own changes are told after it.
    claim(isFirst || event.previous === state, `state ${event.state} came from ${event.previous}, but was ${state}`)
    isFirst = false
    state = event.state
  })
  socket.addEventListener('open', () => {
    claim(!isOpen, 'two open events without a close between them')
    isOpen = true
  })
  socket.addEventListener('close', () => {
    isOpen = false
  })
  socket.on('closed', () => {
    claim(state === 'closed', `closed was told while ${state}`)
    claim(!isOpen, 'closed was told before the close event')
  })
}

/** Writes down all that a socket tells. */
export const record = (socket: Heartwire, log: string[] = []): string[] => {
  socket.on('*', (type, event) => log.push(describe(type, event)))
  for (const type of ['open', 'error']) socket.addEventListener(type, () => log.push(`<${type}>`))
  socket.addEventListener('close', (event) => {
    const { code, reason, wasClean, willReconnect } = event as CloseEvent & { willReconnect: boolean }
    const words = [code, reason, wasClean ? 'clean' : '', willReconnect ? 'again' : 'final'].filter(Boolean)
    log.push(`<close ${words.join(' ')}>`)
  })
  return log
}

/** One line per bus event: what a debug log would say. */
const describe = (type: keyof HeartwireEvents, event: unknown): string => {
  const is = <Type extends keyof HeartwireEvents>(_: Type, it: unknown): HeartwireEvents[Type] => it as any
  switch (type) {
    case 'state':
      return is(type, event).state
    case 'open':
      return `open ${is(type, event).attempt}${is(type, event).isReconnect ? ' again' : ''}`
    case 'lost': {
      const { wasOpen, requeued, inDoubt } = is(type, event)
      return ['lost', wasOpen ? 'open' : 'attempt', `${requeued} requeued`, `${inDoubt} in doubt`].join(', ')
    }
    case 'waiting':
      return `waiting ${is(type, event).attempt}: ${is(type, event).delay}`
    case 'closed':
      return `closed: ${is(type, event).reason}`
    case 'heartbeat':
      return `heartbeat ${is(type, event).latency}`
    case 'probe':
      return `probe ${is(type, event).timeout}`
    case 'dropped':
      return `dropped ${is(type, event).reason}: ${is(type, event).messages.map(String).join(' ')}`
    case 'error':
      return `error ${is(type, event).code}`
    case 'message':
      return `message ${String(event)}`
    case 'drain':
      return type
    default:
      return type satisfies never
  }
}

/** Bus events of one type, as they come. */
export const collect = <Type extends keyof HeartwireEvents>(
  socket: Heartwire,
  type: Type,
): HeartwireEvents<any, any>[Type][] => {
  const events: HeartwireEvents[Type][] = []
  socket.on(type, (event) => events.push(event))
  return events
}

/** `reportError`, which Node does not have: what was reported. */
export const stubReportError = (): unknown[] => {
  const reported: unknown[] = []
  vi.stubGlobal('reportError', (error: unknown) => reported.push(error))
  return reported
}

/** What nobody caught while `run` ran and the task after it, instead of failing the whole run. */
export const uncaught = async (run: () => unknown): Promise<unknown[]> => {
  const errors: unknown[] = []
  const types = ['uncaughtException', 'unhandledRejection'] as const
  const before = types.map((type) => process.listeners(type as 'uncaughtException'))
  const note = (error: unknown): void => void errors.push(error)
  for (const type of types) process.removeAllListeners(type).on(type, note)
  try {
    await run()
    await settle()
    await settle()
  } finally {
    for (const [index, type] of types.entries()) {
      process.removeAllListeners(type)
      for (const listener of before[index] ?? []) process.on(type, listener)
    }
  }
  return errors
}

/** How far each clock is ahead of the timers. */
let lateness = { performance: 0, Date: 0 }

/** The thread sleeps, timers and all: the clocks that anyone can ask go on, what was due comes late ([H6]). */
export const sleep = (ms: number, clocks: readonly (keyof typeof lateness)[] = ['performance', 'Date']): void => {
  for (const clock of clocks) {
    const owner = clock === 'Date' ? Date : performance
    if (lateness[clock] === 0) {
      const now = owner.now.bind(owner)
      vi.spyOn(owner, 'now').mockImplementation(() => now() + lateness[clock])
    }
    lateness[clock] += ms
  }
}
