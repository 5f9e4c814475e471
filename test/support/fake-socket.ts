// A socket of the native shape that does nothing by itself: the test says when it opens, what arrives and how it ends.

/** What a message adds to `bufferedAmount`: its payload, as the standard counts it. */
const sizeOf = (data: unknown): number => {
  if (typeof data === 'string') return new TextEncoder().encode(data).length
  if (data instanceof Blob) return data.size
  return (data as ArrayBuffer).byteLength
}

/** Events are plain objects, as those of some classes of that shape: whoever needs the time has to look at a clock. */
interface FakeEvent {
  readonly type: string
  readonly data?: unknown
  readonly code?: number
  readonly reason?: string
  readonly wasClean?: boolean
}

type Handler = ((event: any) => void) | null

/** The handlers that were set at one moment: events that the browser had queued before they were taken away. */
export interface Handlers {
  readonly onopen: Handler
  readonly onmessage: Handler
  readonly onerror: Handler
  readonly onclose: Handler
}

/** The native class as far as it can be without a network. `FakeSocket.all` are those of the present test. */
export class FakeSocket extends EventTarget implements Handlers {
  /** Every instance since `reset`, oldest first. */
  static all: FakeSocket[] = []
  /** How many that nobody had closed existed at once, at most ([S2]). */
  static mostAtOnce = 0
  /** What the next constructions throw; `null` lets them pass. */
  static refusal: unknown = null
  /** Whether new sockets keep what is sent in their buffer until `drain`. */
  static isStalled = false

  static reset(): void {
    FakeSocket.all = []
    FakeSocket.mostAtOnce = 0
    FakeSocket.refusal = null
    FakeSocket.isStalled = false
  }

  /** The newest instance. */
  static get latest(): FakeSocket {
    const latest = FakeSocket.all.at(-1)
    if (!latest) throw new Error('Nobody has constructed a socket yet')
    return latest
  }

  onopen: Handler = null
  onmessage: Handler = null
  onerror: Handler = null
  onclose: Handler = null
  readyState: 0 | 1 | 2 | 3 = 0
  bufferedAmount = 0
  binaryType = 'blob'
  protocol = ''
  extensions = ''
  readonly url: string
  readonly protocols: readonly string[]
  /** When it was constructed, on the fake clock. */
  readonly bornAt = performance.now()
  /** What was sent while it was open, in order. */
  readonly sent: unknown[] = []
  /** The arguments of each `close` call. */
  readonly closes: (readonly [code: number | undefined, reason: string | undefined])[] = []
  isStalled = FakeSocket.isStalled
  /** Bytes that it was given when it was closing: counted, never sent. */
  #refused = 0
  #hasEndedAlone = false

  /** @throws DOMException `SyntaxError`, as the native one */
  constructor(url: string | URL, protocols: string | string[] = []) {
    super()
    if (FakeSocket.refusal !== null) throw FakeSocket.refusal
    this.url = parse(url)
    this.protocols = [protocols].flat()
    if (this.protocols.some((name) => !/^[\w!#$%&'*+.^`|~-]+$/.test(name))) {
      throw new DOMException('A protocol is not a token', 'SyntaxError')
    }
    if (new Set(this.protocols).size < this.protocols.length) {
      throw new DOMException('A protocol is there twice', 'SyntaxError')
    }
    FakeSocket.all.push(this)
    FakeSocket.mostAtOnce = Math.max(FakeSocket.mostAtOnce, FakeSocket.all.filter((socket) => socket.isLive).length)
  }

  /**
   * What of `sent` may have arrived, for all that we can know: what had begun to leave when it ended, or everything if we
   * let go of it before it did, since it may have gone on.
   */
  get arrived(): unknown[] {
    if (!this.#hasEndedAlone) return this.sent
    let left = this.sent.reduce<number>((bytes, data) => bytes + sizeOf(data), this.#refused) - this.bufferedAmount
    return this.sent.filter((data) => {
      const hasBegun = left > 0
      left -= sizeOf(data)
      return hasBegun
    })
  }

  /** Whether it is connecting or open and nobody has closed it. */
  get isLive(): boolean {
    return this.readyState < 2 && this.closes.length === 0
  }

  /** @throws DOMException `InvalidStateError` while connecting, as the native one */
  send(data: unknown): void {
    if (this.readyState === 0) throw new DOMException('Still connecting', 'InvalidStateError')
    const size = sizeOf(data)
    if (this.readyState === 1) this.sent.push(data)
    // A closing socket discards what it is given, but counts it.
    else this.#refused += size
    if (this.isStalled || this.bufferedAmount > 0 || this.readyState > 1) this.bufferedAmount += size
  }

  /** @throws DOMException `InvalidAccessError` or `SyntaxError`, as the native one */
  close(code?: number, reason?: string): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException(`Cannot close with ${code}`, 'InvalidAccessError')
    }
    if (reason !== undefined && sizeOf(reason) > 123) throw new DOMException('The reason is too long', 'SyntaxError')
    this.closes.push([code, reason])
    if (this.readyState < 2) this.readyState = 2
  }

  // What the network does. Nothing happens any more to a socket that has ended.

  /** The upgrade succeeds. */
  accept(protocol = '', extensions = ''): void {
    if (this.readyState === 3) return
    this.readyState = 1
    this.protocol = protocol
    this.extensions = extensions
    this.onopen?.({ type: 'open' } satisfies FakeEvent)
  }

  /** A message arrives. */
  receive(data: unknown): void {
    if (this.readyState === 3) return
    this.onmessage?.({ type: 'message', data } satisfies FakeEvent)
  }

  /** An event of the platform's own arrives, as in a browser: dispatched on this socket. */
  dispatch(event: MessageEvent): void {
    this.addEventListener('message', (given) => this.onmessage?.(given), { once: true })
    this.dispatchEvent(event)
  }

  /** It ends; `hasError` fires `error` first, as every failure does while connecting. */
  finish(code = 1000, reason = '', wasClean = code !== 1006, hasError = !wasClean && this.readyState === 0): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.#hasEndedAlone = this.closes.length === 0
    if (hasError) this.onerror?.({ type: 'error' } satisfies FakeEvent)
    this.onclose?.({ type: 'close', code, reason, wasClean } satisfies FakeEvent)
  }

  /** `error`, then `close` 1006: what a refused port or a broken link looks like. */
  fail(): void {
    this.finish(1006, '', false, true)
  }

  /** The server has begun the closing handshake: `readyState` says so before the `close` event comes. */
  beginClose(): void {
    this.readyState = 2
  }

  /** Bytes leave the buffer, if it is open; all of them by default. */
  drain(bytes = Infinity): void {
    if (this.readyState < 3) this.bufferedAmount -= Math.min(bytes, this.bufferedAmount - this.#refused)
  }

  /** The handlers as they are now, to call them when they are not ours any more. */
  handlers(): Handlers {
    const { onopen, onmessage, onerror, onclose } = this
    return { onopen, onmessage, onerror, onclose }
  }
}

/** The standard's url parser for WebSockets. */
const parse = (url: string | URL): string => {
  const { protocol, hash, href } = URL.canParse(url) ? new URL(url) : { protocol: '', hash: '', href: '' }
  if (!/^(ws|http)s?:$/.test(protocol) || hash) throw new DOMException(`'${String(url)}' will not do`, 'SyntaxError')
  return href.replace(/^http/, 'ws')
}
