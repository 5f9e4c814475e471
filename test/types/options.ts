// Every option with what it takes, and the mistakes that people make.
import { backoff, Heartwire, isRetriable, json } from 'heartwire'
import type {
  BackoffOptions,
  CloseInfo,
  HeartbeatOptions,
  HeartwireOptions,
  QueueOptions,
  ReconnectOptions,
  WebSocketClass,
} from 'heartwire'
import { NetworkMonitor } from 'heartwire/network'

declare const url: string
declare const signal: AbortSignal

export const all: HeartwireOptions = {
  protocols: ['chat'],
  WebSocket,
  start: 'lazy',
  binaryType: 'arraybuffer',
  connectTimeout: 5_000,
  closeTimeout: 0,
  handshake: async ({ send, receive, attempt, signal: own }) => {
    own.throwIfAborted()
    send(`hello ${attempt}`)
    await receive()
  },
  heartbeat: {
    message: () => 'ping',
    interval: 25_000,
    timeout: 10_000,
    when: 'always',
    pong: (data: string) => data === 'pong',
    from: 'client',
    reply: () => undefined,
    timers: 'worker',
  },
  reconnect: {
    minDelay: 500,
    maxDelay: 10_000,
    factor: 1.5,
    jitter: 0.5,
    maxAttempts: 5,
    minUptime: 1_000,
    when: (close) => close.code !== 4401,
    delay: ({ attempt, delay, close }) => (attempt > 3 || !close.wasClean ? false : delay * 2),
  },
  queue: { maxMessages: 10, maxBytes: 1_000, overflow: 'drop-oldest', ttl: 60_000, replay: false },
  network: new NetworkMonitor({ probe: '/ping' }),
  signal,
  codec: json(),
}

export const off: HeartwireOptions = { heartbeat: false, reconnect: false, queue: false, network: false }
export const on: HeartwireOptions = { reconnect: true, queue: true, network: true }
export const absent: HeartwireOptions = { heartbeat: undefined, signal: undefined, reconnect: { when: undefined } }

/** A class that has the shape of the native one. */
class Simulated {
  readyState = 0
  send(): void {}
}

export const classes: WebSocketClass[] = [WebSocket, Simulated, Heartwire]
export const simulated: Heartwire = new Heartwire(url, { WebSocket: Simulated })

// @ts-expect-error A class, not an instance.
export const instance: HeartwireOptions = { WebSocket: new WebSocket(url) }
// @ts-expect-error A class, not its name.
export const named: HeartwireOptions = { WebSocket: 'ws' }
// @ts-expect-error It is `reconnect`.
export const unknownName: HeartwireOptions = { reconnectInterval: 1_000 }
// @ts-expect-error A heartbeat needs to know what to send: `true` does not say.
export const beating: HeartwireOptions = { heartbeat: true }
// @ts-expect-error It is `interval`.
export const unknownBeat: HeartbeatOptions = { message: 'ping', every: 5 }
// @ts-expect-error 'idle' or 'always'.
export const wrongWord: HeartbeatOptions = { message: 'ping', when: 'never' }
// @ts-expect-error 'page' or 'worker'.
export const wrongTimers: HeartbeatOptions = { message: 'ping', timers: true }
// @ts-expect-error A beat is text or binary data.
export const wrongMessage: HeartbeatOptions = { message: { heart: 1 } }
// @ts-expect-error It is `maxAttempts`.
export const unknownRetry: ReconnectOptions = { maxRetries: 3 }
// @ts-expect-error A number of ms.
export const wrongDelay: ReconnectOptions = { minDelay: '1s' }
// @ts-expect-error A delay or `false`.
export const wrongPolicy: ReconnectOptions = { delay: () => 'later' }
// @ts-expect-error It is `maxMessages`.
export const unknownQueue: QueueOptions = { size: 10 }
// @ts-expect-error There is no such way out.
export const wrongOverflow: QueueOptions = { overflow: 'drop' }
// @ts-expect-error 'now', 'manual' or 'lazy'.
export const wrongStart: HeartwireOptions = { start: 'later' }
// @ts-expect-error A controller is no signal.
export const controller: HeartwireOptions = { signal: new AbortController() }
// @ts-expect-error A source has `online`, too.
export const wrongSource: HeartwireOptions = { network: { subscribe: () => () => {} } }
// @ts-expect-error A codec has both directions.
export const halfCodec: HeartwireOptions = { codec: { encode: String } }
// @ts-expect-error The constructor knows its options, too.
export const constructed: Heartwire = new Heartwire(url, { retries: 3 })

const schedule: BackoffOptions = { minDelay: 1_000, maxDelay: 30_000, factor: 2, jitter: 1 }
const close: CloseInfo = { code: 1006, reason: '', wasClean: false }

export const delay: number = backoff(3, schedule)
export const fixed: number = backoff(3, schedule, () => 0.5)
export const retriable: boolean = isRetriable(close)

// @ts-expect-error A schedule is complete.
export const incomplete: number = backoff(3, { minDelay: 1_000 })
