// A WebSocket class of the native shape on the simulated network: one class per client, so that the server can tell them apart.
import { Connection } from './connection.ts'
import type { Server } from './server.ts'
import type { Surroundings } from './surroundings.ts'

/** Who wants to know what a client does with its sockets. */
export interface SocketWatcher {
  /** One was constructed, or its constructor threw (`null`). */
  constructed(connection: Connection | null): void
  /** One was given a message; when closing it only counts it. */
  sent(connection: Connection, text: string): void
  /** `close()` was called on one that was not closing. */
  shut(connection: Connection): void
  /** One called back the page with a message. */
  delivered(connection: Connection, text: string): void
  /** One ended. */
  finished(connection: Connection, hasError: boolean): void
}

type Handler = ((event: any) => void) | null

/** What a native socket is, as far as anyone can ask, and what the network does with it. */
export interface SimulatedSocket {
  readonly readyState: 0 | 1 | 2 | 3
  readonly bufferedAmount: number
  readonly url: string
  readonly connection: Connection
  accept(): void
  receive(text: string): void
  beginClose(): void
  finish(code: number, reason: string, wasClean: boolean, hasError: boolean): void
}

/** The text of a Blob, which only reads it later. */
export const blobTexts = new WeakMap<Blob, string>()

/** What a message says, however it was packed. */
export function textOf(data: unknown): string {
  if (typeof data === 'string') return data
  if (data instanceof Blob) return blobTexts.get(data) ?? 'a strange Blob'
  const bytes = ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data as ArrayBuffer)
  return bytes.toString()
}

/** Whether events are the platform's own, with the time of the page's clock, or plain objects, as those of some classes. */
export type EventKind = 'platform' | 'plain'

/** The class that one client is given. */
export function socketClass(
  world: Surroundings,
  server: Server,
  client: number,
  watcher: SocketWatcher,
  kind: EventKind,
): new (url: string, protocols?: string | string[]) => SimulatedSocket {
  const messageEvent = (data: string): unknown => {
    if (kind === 'plain') return { type: 'message', data }
    return Object.defineProperty(new MessageEvent('message', { data }), 'timeStamp', { value: world.clock.now })
  }

  return class WebSocket implements SimulatedSocket {
    onopen: Handler = null
    onmessage: Handler = null
    onerror: Handler = null
    onclose: Handler = null
    readyState: 0 | 1 | 2 | 3 = 0
    binaryType = 'blob'
    protocol = ''
    extensions = ''
    readonly url: string
    readonly connection: Connection
    /** Bytes that it was given when it was closing: counted, never sent. */
    #refused = 0

    constructor(url: string, protocols: string | string[] = []) {
      try {
        this.url = parse(url)
        if ([protocols].flat().some((name) => !/^\w+$/.test(name))) throw syntaxError('A protocol is not a token')
      } catch (error) {
        watcher.constructed(null)
        throw error
      }
      this.connection = new Connection(world, server, client, server.count(), this)
      world.log(() => `client ${client}: socket ${this.connection.number} to ${this.url}`)
      watcher.constructed(this.connection)
      server.request(this.connection, [protocols].flat()[0] ?? '')
    }

    get bufferedAmount(): number {
      return this.connection.buffered + this.#refused
    }

    send(data: unknown): void {
      if (this.readyState === 0) throw new DOMException('Still connecting', 'InvalidStateError')
      const text = textOf(data)
      const size = data instanceof Blob ? data.size : Buffer.byteLength(text)
      watcher.sent(this.connection, text)
      if (this.readyState > 1) this.#refused += size
      else this.connection.push({ kind: 'data', text, size, rest: size })
    }

    close(code?: number, reason = ''): void {
      if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
        throw new DOMException(`Cannot close with ${code}`, 'InvalidAccessError')
      }
      if (Buffer.byteLength(reason) > 123) throw syntaxError('The reason is too long')
      if (this.readyState > 1) return
      const wasOpen = this.readyState === 1
      this.readyState = 2
      watcher.shut(this.connection)
      this.connection.closeByPage(code ?? 1005, reason, wasOpen)
    }

    // What the browser has for the page, each in a task of its own.

    accept(): void {
      if (this.readyState !== 0) return
      this.readyState = 1
      this.protocol = server.protocolOf(this.connection)
      this.onopen?.({ type: 'open' })
    }

    receive(text: string): void {
      if (this.readyState !== 1) return
      watcher.delivered(this.connection, text)
      this.onmessage?.(messageEvent(text))
    }

    beginClose(): void {
      if (this.readyState < 2) this.readyState = 2
    }

    finish(code: number, reason: string, wasClean: boolean, hasError: boolean): void {
      if (this.readyState === 3) return
      this.readyState = 3
      watcher.finished(this.connection, hasError)
      if (hasError) this.onerror?.({ type: 'error' })
      this.onclose?.({ type: 'close', code, reason, wasClean })
    }
  }
}

/** The standard's url parser for WebSockets. */
function parse(url: string): string {
  const { protocol, hash, href } = URL.canParse(url) ? new URL(url) : { protocol: '', hash: '', href: '' }
  if (!/^(ws|http)s?:$/.test(protocol) || hash) throw syntaxError(`'${url}' will not do`)
  return href.replace(/^http/, 'ws')
}

const syntaxError = (message: string): DOMException => new DOMException(message, 'SyntaxError')
