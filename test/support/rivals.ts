// Runs one script with reconnecting-websocket or what has its interface, and with ours, on the same fake socket and clock.
import { afterEach, beforeEach, vi } from 'vitest'
import { FakeSocket } from './fake-socket.ts'
import { advance, chance, settle, uncaught, URL as ADDRESS } from './scene.ts'

type Slot = 'onopen' | 'onmessage' | 'onerror' | 'onclose'

/** reconnecting-websocket adds one listener per type, and asks whether the class is one by its constant. */
export class ListenedSocket extends FakeSocket {
  static readonly CLOSING = 2

  override addEventListener(type: string, listener: any): void {
    this[`on${type}` as Slot] = listener
  }

  override removeEventListener(type: string, listener: unknown): void {
    if (this[`on${type}` as Slot] === listener) this[`on${type}` as Slot] = null
  }
}

/** What both have, and more than both have declared. */
export type Socket = WebSocket & { reconnect(): void }

/** Options in words of neither. `attempts` counts the first one. */
export interface Options {
  readonly minDelay?: number
  readonly attempts?: number
  readonly connectTimeout?: number
  readonly limit?: number
  readonly isManual?: boolean
  readonly protocols?: string[]
  readonly hasDefaults?: boolean
  /** In the words of reconnecting-websocket. */
  readonly theirs?: object
}

export interface Side {
  readonly name: string
  readonly make: (url: unknown, options: Options) => Socket
}

/** reconnecting-websocket, or another class with its constructor. */
export const sideOf = (name: string, Class: new (url: any, protocols?: any, options?: any) => unknown): Side => ({
  name,
  make(url, { minDelay = 1_000, attempts, connectTimeout = 10_000, limit, isManual, protocols, hasDefaults, theirs }) {
    const timing = {
      minReconnectionDelay: minDelay,
      maxReconnectionDelay: 30_000,
      reconnectionDelayGrowFactor: 2,
      connectionTimeout: connectTimeout,
    }
    return new Class(url, protocols, {
      WebSocket: ListenedSocket,
      ...(!hasDefaults && timing),
      ...(attempts !== undefined && { maxRetries: attempts - 1 }),
      ...(limit !== undefined && { maxEnqueuedMessages: limit }),
      ...(isManual && { startClosed: true }),
      ...theirs,
    }) as Socket
  },
})

/** What a script gets. */
export interface Stage {
  /** A socket whose events are logged, and the start of its first native socket if it is late. */
  readonly make: (options?: Options, url?: unknown) => Promise<Socket>
  /** `make` and the first connection. The log begins after it. */
  readonly open: (options?: Options, url?: unknown) => Promise<Socket>
  /** A socket that nobody listens to, in the turn in which it was made. */
  readonly bare: (options?: Options, url?: unknown) => Socket
  /** Adds a line to the log. */
  readonly note: (...values: unknown[]) => void
  /** Adds when native sockets were made, in ms between one and the next. */
  readonly noteTimes: () => void
}

export type Script = (stage: Stage) => unknown

const describeEvent = (event: Event & Partial<CloseEvent & MessageEvent>): string => {
  const { type, code, reason, wasClean, data } = event
  if (type === 'message') return `message ${String(data)}`
  return type === 'close'
    ? `close ${code} ${reason ?? ''} ${wasClean ? 'clean' : ''}`.replaceAll(/ +/g, ' ').trim()
    : type
}

/** Runs a script; what was logged, and what nobody caught. */
export const perform = async ({ make }: Side, script: Script): Promise<string[]> => {
  FakeSocket.reset()
  const log: string[] = []
  const sockets: Socket[] = []
  const stage: Stage = {
    bare(options = {}, url = ADDRESS) {
      const socket = make(url, options)
      sockets.push(socket)
      return socket
    },
    async make(options, url) {
      const socket = stage.bare(options, url)
      for (const type of ['open', 'message', 'error', 'close'] as const)
        socket.addEventListener(type, (event) => log.push(describeEvent(event)))
      await advance(0)
      return socket
    },
    async open(options, url) {
      const socket = await stage.make(options, url)
      FakeSocket.latest.accept()
      await settle()
      log.length = 0
      return socket
    },
    note(...values) {
      log.push(values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' '))
    },
    noteTimes() {
      const times = FakeSocket.all.map(({ bornAt }) => Math.round(bornAt))
      stage.note(times.slice(1).map((time, index) => time - (times[index] as number)))
    },
  }
  const errors = await uncaught(() => script(stage))
  const outcome = [...log, ...errors.map((error) => `uncaught ${String(error)}`)]
  // Whatever the script left running, it is no part of the next one.
  await uncaught(async () => {
    for (const socket of sockets) socket.close()
    await advance(100_000)
  })
  vi.clearAllTimers()
  return outcome
}

/** Fake time around each test of a file, and 0 for chance: the longest of every delay. */
export const useFakeTime = (): void => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] })
    chance(0)
  })

  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })
}
