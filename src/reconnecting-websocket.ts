// For who comes from `reconnecting-websocket` or partysocket's class: their constructor, options, methods and defaults on ours.
// What it does otherwise than they do is in docs/reconnecting-websocket.md.
import { backoff } from './backoff.js'
import { isolated } from './errors.js'
import { closeEvent, type HeartwireCloseEvent } from './events.js'
import { Heartwire } from './heartwire.js'
import { check, type HeartwireOptions } from './options.js'
import { sizeOf, snapshot, toWireData } from './outbox.js'
import type { AttemptContext, State, WireData } from './types.js'

type NativeEvent = globalThis.Event

/** An event as the browser has it. Its target is the socket, and may be used without a question, as theirs. */
export interface Event extends NativeEvent {
  readonly target: any
}

/** Why an attempt or a connection failed. */
export interface ErrorEvent extends Event {
  /** `'TIMEOUT'` after `connectionTimeout`, else what `error` says. */
  readonly message: string
  /** What the `WebSocket` class or a provider gave, if it did: browsers never say why. */
  readonly error: Error
}

export interface CloseEvent extends HeartwireCloseEvent {
  readonly target: any
}

export interface WebSocketEventMap {
  close: CloseEvent
  error: ErrorEvent
  message: MessageEvent
  open: Event
}

export type ListenersMap = { [Type in keyof WebSocketEventMap]: ((event: WebSocketEventMap[Type]) => void)[] }

export type Message = WireData

/** Where to connect; a function is called, without arguments, for each attempt. */
export type UrlProvider = string | URL | (() => string | URL | Promise<string | URL>)

type Protocols = string | string[] | null | undefined

/** Subprotocols; a function is called for each attempt. Nothing and the empty text mean none. */
export type ProtocolsProvider = Protocols | (() => Protocols | Promise<Protocols>)

/** Those of `Heartwire` that theirs have no word for. */
type OwnOptions = Pick<
  HeartwireOptions,
  'binaryType' | 'closeTimeout' | 'handshake' | 'heartbeat' | 'network' | 'signal'
>

/** The options of `reconnecting-websocket`, of partysocket, and `heartbeat` and others of ours. All are optional. */
export interface Options extends OwnOptions {
  /** The `WebSocket` class, for example that of `ws`; looked up on `globalThis` at each attempt by default. */
  WebSocket?: any
  /** No delay before a retry exceeds it, in ms. @default 10000 */
  maxReconnectionDelay?: number | undefined
  /** The delay before the first retry, in ms. By default it is drawn from 1000 to 5000, for each retry anew. */
  minReconnectionDelay?: number | undefined
  /** What the delay grows by with each retry. @default 1.3 */
  reconnectionDelayGrowFactor?: number | undefined
  /** ms a connection must have been open before the count of retries starts again. @default 5000 */
  minUptime?: number | undefined
  /** ms for providers and native connect together. @default 4000 */
  connectionTimeout?: number | undefined
  /** Consecutive retries after which to give up; 0 never retries. @default Infinity */
  maxRetries?: number | undefined
  /** How many messages wait for a connection, at most; those after them are lost without a word. @default Infinity */
  maxEnqueuedMessages?: number | undefined
  /** Waits for `reconnect()`. @default false */
  startClosed?: boolean | undefined
  /** Whether to retry after a connection or an attempt that ended like this. Not asked after `close()` and `reconnect()`. */
  shouldReconnectOnClose?: ((event: CloseEvent) => boolean) | undefined
  /** Logs every event of the bus. @default false */
  debug?: boolean | undefined
  /** Where to; `console.log` by default. */
  debugLogger?: ((...what: any[]) => void) | undefined
}

/** Of theirs, those that are numbers; of ours, those that can be given beside them. */
const NUMBERS = /^m|Factor|nTimeout/
const OWN = /^(binaryType|closeTimeout|handshake|heartbeat|network|signal)$/

/** The states in which a retry is scheduled. */
const WAITING: readonly State[] = ['waiting', 'paused']

/** What the class cannot declare itself. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
export interface ReconnectingWebSocket {
  // Read as the native type, so that it is a WebSocket to the compiler; set with what our event has more.
  get onclose(): ((this: WebSocket, event: globalThis.CloseEvent) => any) | null
  set onclose(handler: ((this: WebSocket, event: CloseEvent) => any) | null)
  get onerror(): ((this: WebSocket, event: NativeEvent) => any) | null
  set onerror(handler: ((this: WebSocket, event: ErrorEvent) => any) | null)
  addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (this: WebSocket, event: WebSocketEventMap[Type]) => any,
    options?: boolean | AddEventListenerOptions,
  ): void
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void
  removeEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (this: WebSocket, event: WebSocketEventMap[Type]) => any,
    options?: boolean | EventListenerOptions,
  ): void
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void
}

/**
 * `reconnecting-websocket` 4.4 on the engine of {@link Heartwire}: migrating means changing one import. All that a
 * `Heartwire` has is there as well: `on`, `state`, `heartbeat`.
 *
 * @example
 * const rws = new ReconnectingWebSocket(async () => `wss://example.com/?token=${await token()}`, [], { maxRetries: 10 })
 * rws.addEventListener('open', () => rws.send('hello'))
 */
export class ReconnectingWebSocket extends Heartwire {
  declare onopen: ((this: WebSocket, event: Event) => any) | null

  readonly #limit: number
  /** What waits for a connection. The engine's own queue only gets back what provably never left one. */
  #queue: WireData[] = []
  /** Where the count of retries stood when the application called `reconnect()`. */
  #base = 0
  /** What was said of a failure, until that is told. */
  #cause: unknown
  /** Answers of providers that may come too late for the attempt that asked. */
  #late = new Map<unknown, Promise<unknown>>()
  /** What the next `close` event is to say: what `reconnect()` was given. */
  #told: PropertyDescriptorMap = {}
  /** Whether listeners are being told of a loss. */
  #isTelling = false

  /**
   * @throws DOMException `SyntaxError` for a bad url or protocol, as the native constructor
   * @throws TypeError or RangeError naming the option that is wrong
   * @throws HeartwireError `unsupported` where there is no `WebSocket`
   */
  constructor(url: UrlProvider, protocols?: ProtocolsProvider, options: Options = {}) {
    const {
      WebSocket: Native,
      maxReconnectionDelay: maxDelay = 10_000,
      minReconnectionDelay,
      reconnectionDelayGrowFactor: factor = 1.3,
      minUptime = 5_000,
      connectionTimeout = 4_000,
      maxRetries = Infinity,
      maxEnqueuedMessages = Infinity,
      startClosed,
      shouldReconnectOnClose,
      debug,
      debugLogger = console.log,
      ...own
    } = options
    for (const [name, value] of Object.entries(options)) {
      const rule = name in own ? !OWN.test(name) && 'left out' : NUMBERS.test(name) && ([0, Infinity] as const)
      if (rule && value !== undefined) check(name, value, rule)
    }
    // Theirs draw from 1 to 5 s, once for all sockets of a page; ours for each retry.
    const [minDelay, jitter] = minReconnectionDelay === undefined ? [5_000, 0.8] : [minReconnectionDelay, 0]
    /**
     * A provider as theirs: called without arguments, and not limited in time. Our attempts are, so an answer that comes too
     * late for one serves the next; after that the provider is asked again.
     */
    const patient = (provider: any): any =>
      typeof provider !== 'function'
        ? provider
        : async ({ signal }: AttemptContext) => {
            // The first attempt begins in our constructor, before there is a `this`.
            await Promise.resolve()
            const late = this.#late
            const answer = late.get(provider) ?? (async () => provider())()
            if (!late.delete(provider)) late.set(provider, answer)
            try {
              return (await answer) || undefined
            } catch (cause) {
              if (!signal.aborted) this.#cause = cause
              // A failure that comes too late is no answer: the next attempt asks again.
              late.delete(provider)
              throw cause
            } finally {
              if (!signal.aborted) late.delete(provider)
            }
          }
    /** Its instances are those of the class, heard when they say what is wrong, as those of `ws` and of Node do. */
    const construct = (...given: unknown[]): any => {
      const native = new (Native ?? globalThis.WebSocket)(...given)
      native.addEventListener?.('error', ({ error }: { error?: unknown }) => {
        // Of one that was let go, nothing is heard.
        if (native.onclose) this.#cause = error
      })
      return native
    }
    super(patient(url), patient(protocols || undefined), {
      ...own,
      // An arrow is no constructor.
      WebSocket:
        typeof (Native === undefined ? globalThis.WebSocket : Native) !== 'function'
          ? Native
          : function attentive(...given: unknown[]) {
              return construct(...given)
            },
      start: startClosed ? 'manual' : 'now',
      connectTimeout: connectionTimeout,
      reconnect: {
        minUptime,
        when: (close) => !shouldReconnectOnClose || !!shouldReconnectOnClose(closeEvent(close, true)),
        delay: ({ attempt, delay, close }) => {
          // The engine counts from 1 again after a connection that was a success.
          if (attempt <= this.#base) this.#base = 0
          const retry = attempt - this.#base
          if (retry > maxRetries) return false
          return /retry-after=\d/.test(close.reason)
            ? delay
            : backoff(retry - 1, { minDelay, maxDelay, factor, jitter })
        },
      },
    })
    this.#limit = maxEnqueuedMessages
    // The first of those that capture, so before any of the application's.
    super.addEventListener('open', () => this.#flush(), true)
    for (const type of ['error', 'close']) super.addEventListener(type, (event) => this.#explain(event), true)
    // A class that extends this one may have an `on`, `state` or `attempt` of its own.
    if (debug) super.on('*', (...told) => debugLogger('RWS>', ...told))
  }

  /** 0 to 3, as theirs: 3 also while a retry is scheduled; `state` tells the difference. */
  override get readyState(): 0 | 1 | 2 | 3 {
    return WAITING.includes(super.state) ? 3 : super.readyState
  }

  override get bufferedAmount(): number {
    return this.#queue.reduce((bytes, data) => bytes + sizeOf(data), super.bufferedAmount)
  }

  override get queued(): number {
    return super.queued + this.#queue.length
  }

  /** The number of the current or coming retry; 0 for a first or a stable connection, and after `reconnect()`. */
  get retryCount(): number {
    return Math.max(super.attempt - this.#base, 0)
  }

  /** Whether it connects, is connected or will be: `false` before a start by hand and after the end. */
  get shouldReconnect(): boolean {
    return super.state === 'open' || super.readyState < 2
  }

  /**
   * Sends now if open. Else the message waits for a connection, also after `close()`, or is lost if too many wait.
   *
   * @returns whether it was sent now
   */
  override send(data: Message): boolean {
    const isOpen = this.readyState === 1
    if (isOpen) {
      // It may be that nobody was told yet that it is open.
      this.#flush()
      super.send(data)
    } else if (this.#queue.length < this.#limit) this.#queue.push(snapshot(toWireData(data)))
    return isOpen
  }

  /** Removes and returns what waits for a connection, for example to give it to another socket. */
  drainQueuedMessages(): (string | ArrayBuffer | Blob)[] {
    // Other binary data was copied into one of these.
    return this.#queue.splice(0) as (string | ArrayBuffer | Blob)[]
  }

  /** As {@link Heartwire.close}, with 1000 if no code is given. What waits for a connection goes on to wait for `reconnect()`. */
  override close(code = 1000, reason?: string): void {
    super.close(code, reason)
  }

  /**
   * Closes what there is, with this code and reason, and connects again at once. The count of retries starts again. In a
   * listener of `error` or `close` that is all it does, while a retry is scheduled: who reconnects there must not make a storm.
   *
   * @throws DOMException `InvalidAccessError` or `SyntaxError` as {@link close}, if it is open
   */
  override reconnect(code = 1000, reason = ''): void {
    const isScheduled = WAITING.includes(super.state)
    if (super.state === 'open') {
      super.close(code, reason)
      this.#told = { code: { value: code }, reason: { value: reason }, wasClean: { value: true } }
    }
    // Where to connect may be another place by now.
    this.#late.clear()
    if (!isScheduled || !this.#isTelling) super.reconnect()
    this.#base = super.attempt
  }

  #flush(): void {
    for (const data of this.#queue.splice(0)) {
      // A connection that has begun to close would not send it; and what the class refuses keeps nothing else from going.
      if (this.readyState === 1) isolated(() => super.send(data))
      else this.#queue.push(data)
    }
  }

  /** Makes of an event what theirs would be, before any listener gets it. */
  #explain(event: NativeEvent): void {
    this.#isTelling = true
    queueMicrotask(() => (this.#isTelling = false))
    if (event.type === 'close') {
      Object.defineProperties(event, this.#told)
      this.#told = {}
      // One that the application dispatches says what it says.
    } else if (!('message' in event)) {
      const { reason } = super.lastClose ?? {}
      const cause = reason === 'connect timeout' ? new Error('TIMEOUT') : this.#cause
      const error = cause instanceof Error ? cause : new Error(reason || 'failed')
      Object.assign(event, { error, message: error.message })
      this.#cause = undefined
    }
  }
}

export default ReconnectingWebSocket
