// The class that people use: the WebSocket interface over the shell, the bus, and what builds on both.
import { checkUrl, clampToShort, insistOnTwo, splitArguments, toTarget, withDefaults } from './arguments.js'
import { type Attributes, defineAttribute } from './attributes.js'
import { Audience } from './audience.js'
import { Messages, next, type Waiting } from './conveniences.js'
import { handled, HeartwireError } from './errors.js'
import type { HeartwireCloseEvent } from './events.js'
import { READY_STATE } from './machine.js'
import { type HeartwireOptions, readOptions } from './options.js'
import { sizeOf, toWireData } from './outbox.js'
import { Shell } from './shell.js'
import type { ClosedReason, CloseInfo, HeartwireEvents, Provider, State, WireData } from './types.js'

declare global {
  /** As in lib `esnext.disposable`, which those who do not have it need not add. */
  interface SymbolConstructor {
    readonly dispose: unique symbol
    readonly asyncDispose: unique symbol
  }
}

/** What the class cannot declare itself. Its parameters must be those of the class. */
// oxlint-disable-next-line no-unused-vars typescript/no-unsafe-declaration-merging
export interface Heartwire<Incoming, Outgoing> {
  // Read as the native type, so that it is a WebSocket to the compiler; set with what our event has more.
  get onclose(): ((this: WebSocket, event: CloseEvent) => any) | null
  set onclose(handler: ((this: WebSocket, event: HeartwireCloseEvent) => any) | null)
  // A pair, so that a class built on this one can do the same.
  get onerror(): ((this: WebSocket, event: Event) => any) | null
  set onerror(handler: ((this: WebSocket, event: Event) => any) | null)
  /** `using socket = …` closes it. */
  [Symbol.dispose](): void
  /** `await using socket = …` closes it and waits for the end. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What there is to listen to on the bus. */
const EVENTS: readonly string[] = [
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
] satisfies (keyof HeartwireEvents | '*')[]

/** What is never told must not be listened to in vain: `close`, say, is a DOM event. @throws TypeError */
function checkEvent(type: string): void {
  if (!EVENTS.includes(type))
    throw new TypeError(`Cannot listen to '${type}' as the type must be one of ${EVENTS.join(', ')}`)
}

/**
 * A `WebSocket` that stays alive.
 *
 * It conforms to the WHATWG interface and adds what its options say: reconnect, queue, heartbeat, network awareness.
 *
 * @example
 * const socket = new Heartwire('wss://example.com/feed', { heartbeat: { message: 'ping', pong: 'pong' } })
 * socket.onmessage = (event) => render(event.data)
 * socket.on('waiting', ({ attempt, delay }) => banner(`retry ${attempt} in ${Math.round(delay)} ms`))
 */
export class Heartwire<Incoming = any, Outgoing = WireData> extends EventTarget {
  declare static readonly CONNECTING: 0
  declare static readonly OPEN: 1
  declare static readonly CLOSING: 2
  declare static readonly CLOSED: 3
  declare readonly CONNECTING: 0
  declare readonly OPEN: 1
  declare readonly CLOSING: 2
  declare readonly CLOSED: 3

  declare onopen: ((this: WebSocket, event: Event) => any) | null
  declare onmessage: ((this: WebSocket, event: MessageEvent) => any) | null

  static {
    const { prototype } = this
    // As WebIDL has it: what an interface has is enumerable, what a class has is not.
    for (const name of Object.getOwnPropertyNames(prototype))
      if (name !== 'constructor') Object.defineProperty(prototype, name, { enumerable: true })
    for (const type of ['open', 'message', 'error', 'close'])
      defineAttribute(prototype, type, (socket) => ((socket as Heartwire).#attributes ??= {}))
    for (const [value, name] of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].entries()) {
      const constant = { value, enumerable: true }
      Object.defineProperty(Object.defineProperty(this, name, constant).prototype, name, constant)
    }
    // Not methods of the class, since browsers may not have these symbols yet.
    prototype[Symbol.dispose ?? Symbol.for('dispose')] = function dispose() {
      this.close()
    }
    prototype[Symbol.asyncDispose ?? Symbol.for('asyncDispose')] = async function asyncDispose() {
      this.close()
      if (this.state !== 'closed') await next(this.#waiting, 'closed', () => null)
    }
  }

  // any: what is private must not keep a socket of one kind of message from being passed as one of any.
  readonly #shell: Shell<any, any>
  readonly #audience: Audience
  #attributes: Attributes | null = null

  /**
   * @param url an absolute or relative `ws:`, `wss:`, `http:` or `https:` url, or a function that gives one per attempt
   * @throws DOMException `SyntaxError` for a bad url or protocol, as the native constructor
   * @throws TypeError or RangeError naming the option that is wrong
   * @throws HeartwireError `unsupported` where there is no `WebSocket`
   */
  constructor(url: Provider<string | URL>, options?: HeartwireOptions<Incoming, Outgoing>)
  constructor(
    url: Provider<string | URL>,
    protocols?: Provider<string | string[]>,
    options?: HeartwireOptions<Incoming, Outgoing>,
  )
  // One argument must be given, so natively its length is 1.
  constructor(
    url: Provider<string | URL>,
    ...[protocols, options]: [protocols?: unknown, options?: HeartwireOptions<Incoming, Outgoing>]
  ) {
    super()
    if (arguments.length === 0) throw new TypeError("Cannot create a Heartwire as 'url' must be given")
    // In the standard's order: the url is converted first, then the protocols.
    const target = toTarget(url)
    const [given, rest] = splitArguments(protocols, options)
    // Copied: it serves every attempt, and may be changed meanwhile or, as a generator, be read only once.
    const list = typeof given === 'object' && given !== null ? Array.from(given, (name) => `${name as string}`) : given
    const settings = readOptions<Incoming, Outgoing>(rest)
    if (settings.start !== 'now' && typeof target === 'string') checkUrl(target)
    this.#audience = new Audience(this, settings.codec)
    this.#shell = new Shell(settings, target, list === undefined ? settings.protocols : list, this.#audience)
  }

  /** A subclass with these defaults, for libraries that take a `WebSocket` class. Each option replaces the whole default. */
  static extend<Incoming = any, Outgoing = WireData>(
    defaults: HeartwireOptions<Incoming, Outgoing>,
  ): typeof Heartwire<Incoming, Outgoing> {
    readOptions(defaults)
    return class extends this<Incoming, Outgoing> {
      constructor(
        ...given: [url: Provider<string | URL>, protocols?: any, options?: HeartwireOptions<Incoming, Outgoing>]
      ) {
        const [protocols, own] = splitArguments(given[1], given[2])
        // Nothing given must stay nothing, for the native TypeError.
        super(...((given.length > 0 ? [given[0], protocols, withDefaults(own, defaults)] : []) as typeof given))
      }
    }
  }

  /** 0 to 3, as the native one; 0 while a retry is scheduled. */
  get readyState(): 0 | 1 | 2 | 3 {
    // The native socket may know already that it is closing; its close event will tell us.
    const { state, native } = this.#shell
    return state === 'open' ? (native?.readyState as 1) : READY_STATE[state]
  }

  /** The current or latest connection's url; empty until the first is constructed. */
  get url(): string {
    return this.#shell.url
  }

  get protocol(): string {
    return this.#shell.protocol
  }

  get extensions(): string {
    return this.#shell.extensions
  }

  get binaryType(): BinaryType {
    return this.#shell.binaryType
  }

  /** An unknown word is ignored, as the native attribute does. */
  set binaryType(value: BinaryType) {
    const shell = this.#shell
    const word = `${value}`
    if (word === 'blob' || word === 'arraybuffer') shell.setBinaryType(word)
  }

  /** Bytes accepted by `send` that have not left: queued, in the native buffer, or discarded by a close. */
  get bufferedAmount(): number {
    return this.#shell.bufferedAmount
  }

  /** Messages in the queue. */
  get queued(): number {
    return this.#shell.outbox?.length ?? 0
  }

  get state(): State {
    return this.#shell.state
  }

  /** The number of the current or coming retry; 0 for a first or a stable connection. */
  get attempt(): number {
    return this.#shell.attempt
  }

  /** ms between the latest heartbeat and its answer, or `null`; needs `heartbeat.pong`. */
  get latency(): number | null {
    return this.#shell.latency
  }

  /** How the latest connection or attempt ended. */
  get lastClose(): CloseInfo | null {
    return this.#shell.lastClose
  }

  /** Why it is `closed`; `null` in every other state. */
  get reason(): ClosedReason | null {
    return this.state === 'closed' ? this.#shell.reason : null
  }

  get [Symbol.toStringTag](): string {
    return 'WebSocket'
  }

  /**
   * Sends now if open, queues if a connection is to come, and announces `dropped` if none is.
   *
   * @throws DOMException `InvalidStateError` while connecting with `queue: false`, as the native one
   * @throws HeartwireError `queue-overflow` if the queue is full and set to throw; nothing is changed by it
   */
  send(message: Outgoing): void {
    if (arguments.length === 0) throw new TypeError("Cannot send as 'data' must be given")
    const raw: unknown = this.#audience.codec ? this.#audience.codec.encode(message) : message
    this.#shell.send(message, typeof raw === 'string' ? raw : toWireData(raw))
  }

  /**
   * Begins the closing handshake, or ends the attempt or the wait. Final: no retry follows. What was queued is announced as
   * `dropped`.
   *
   * @param code 1000 or 3000 to 4999
   * @param reason at most 123 bytes of UTF-8
   * @throws DOMException `InvalidAccessError` or `SyntaxError`, as the native one; nothing is changed by it
   */
  close(code?: number, reason?: string): void
  // Both are optional, so natively its length is 0.
  close(...[code, reason]: [code?: number, reason?: string]): void {
    const status = code === undefined ? code : clampToShort(code)
    const text = reason === undefined ? reason : `${reason}`
    if (status !== undefined && status !== 1000 && !(status >= 3000 && status <= 4999)) {
      throw new DOMException(
        `Cannot close as 'code' must be 1000 or from 3000 to 4999: current value is ${status}`,
        'InvalidAccessError',
      )
    }
    if (text !== undefined && sizeOf(text) > 123) {
      throw new DOMException(
        `Cannot close as 'reason' must have at most 123 bytes: current value has ${sizeOf(text)}`,
        'SyntaxError',
      )
    }
    // A reason without a code is fine with the standard and not with Chromium, which wants a code before it.
    this.#shell.close('user', null, text ? (status ?? 1000) : status, text || undefined)
  }

  /** A new attempt at once, in every state; the present connection is closed for it. Nothing after `signal` was aborted. */
  reconnect(): void {
    this.#shell.connect()
  }

  /** The same as {@link reconnect}, for sockets that have not been started, or were closed. */
  connect(): void {
    this.reconnect()
  }

  /** Listens on the bus; returns its undo. `'*'` hears everything as `(type, event)`. @throws TypeError for an unknown type */
  on<Type extends keyof HeartwireEvents>(
    type: Type,
    listener: (event: HeartwireEvents<Incoming, Outgoing>[Type]) => void,
  ): () => void
  on(type: '*', listener: (type: keyof HeartwireEvents, event: unknown) => void): () => void
  on(type: string, listener: (...event: any[]) => void): () => void {
    if (typeof listener !== 'function')
      throw new TypeError(
        `Cannot listen to '${type}' as 'listener' must be a function: current value is ${String(listener)}`,
      )
    checkEvent(type)
    const undo = this.#audience.bus.on(type, listener)
    if (type === 'message') this.#shell.startLazily()
    return undo
  }

  /** Undoes {@link on}. */
  off(type: keyof HeartwireEvents | '*', listener?: (...event: any[]) => void): void {
    this.#audience.bus.off(type, listener)
  }

  /** The next event of a type. Rejects with a {@link HeartwireError} if the socket closes for good first. @throws TypeError for an unknown type */
  once<Type extends keyof HeartwireEvents>(type: Type): Promise<HeartwireEvents<Incoming, Outgoing>[Type]> {
    checkEvent(type)
    return next(this.#waiting, type, () => this.#finalError())
  }

  /** Resolves when open (at once if it is). Rejects when closed for good, or with the reason of `signal`. */
  opened({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    this.#shell.startLazily()
    if (this.state === 'open') return Promise.resolve()
    return handled(this.#wait('open', signal))
  }

  /** Resolves when all that was accepted has left (at once if it has). Rejects when closed for good before. */
  drained(): Promise<void> {
    // An empty message has no bytes, but has to leave as well.
    if (this.bufferedAmount === 0 && this.queued === 0) return Promise.resolve()
    if (this.state !== 'closed') this.#shell.expectDrain()
    return handled(this.#wait('drain'))
  }

  /** Every message from now on, decoded. Ends when the user closes; throws when the socket is closed for another reason. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Incoming, undefined> {
    const failure = (): unknown => (this.#shell.reason === 'user' ? null : this.#finalError())
    return new Messages(this.#waiting, failure)
  }

  override addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (this: WebSocket, event: WebSocketEventMap[Type]) => any,
    options?: boolean | AddEventListenerOptions,
  ): void
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void
  // The options are a rest, since natively they do not count for its length.
  override addEventListener(type: string, callback: any, ...options: [(boolean | AddEventListenerOptions)?]): void {
    insistOnTwo(arguments)
    const name = `${type}`
    if (name !== 'message') return super.addEventListener(name, callback, ...options)
    this.#audience.add(callback, ...options)
    this.#shell.startLazily()
  }

  override removeEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (this: WebSocket, event: WebSocketEventMap[Type]) => any,
    options?: boolean | EventListenerOptions,
  ): void
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void
  override removeEventListener(type: string, callback: any, ...options: [(boolean | EventListenerOptions)?]): void {
    insistOnTwo(arguments)
    const name = `${type}`
    if (name === 'message') this.#audience.remove(callback, ...options)
    else super.removeEventListener(name, callback, ...options)
  }

  /** What promises and iteration are to know of us. */
  get #waiting(): Waiting {
    const { waiters } = this.#audience
    return {
      on: (type, listener) => {
        const undo = waiters.on(type, listener)
        if (type === 'message') this.#shell.startLazily()
        return undo
      },
      isClosed: () => this.state === 'closed',
    }
  }

  async #wait(type: keyof HeartwireEvents, signal?: AbortSignal): Promise<void> {
    // What is told may be of a connection that is over again: a listener may have closed or reconnected.
    do {
      if (this.state === 'closed') throw this.#finalError()
      await next(this.#waiting, type, () => this.#finalError(), signal)
    } while (type === 'open' && this.state !== 'open')
  }

  #finalError(): HeartwireError {
    const { error, failure, reason, lastClose } = this.#shell
    if (error) return error
    const how = lastClose ? `, after ${lastClose.code} ${lastClose.reason}`.trimEnd() : ''
    return new HeartwireError(
      reason === 'user' ? 'closed' : reason,
      `The socket is closed for good: ${reason}${how}`,
      failure,
    )
  }
}
