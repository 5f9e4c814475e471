// The words that every other file shares. Types only: nothing here exists at run time.

/** The lifecycle of a {@link Heartwire}, finer than `readyState` (SPEC, chapter 3). */
export type State =
  | 'idle'
  | 'resolving'
  | 'connecting'
  | 'handshaking'
  | 'open'
  | 'waiting'
  | 'paused'
  | 'closing'
  | 'closed'

/** What a native `WebSocket` can send. */
export type WireData = string | ArrayBufferLike | Blob | ArrayBufferView<ArrayBufferLike>

/** Turns an application's messages into what travels, and back. Both functions are synchronous; see [C1] in the SPEC. */
export interface Codec<Incoming, Outgoing> {
  /** Called once per `send`; what it throws reaches the caller of `send`, and nothing is queued. */
  encode(message: Outgoing): WireData
  /** Called once per received message; what it throws becomes an `error` event (`decode-failed`), never a lost connection. */
  decode(data: any): Incoming
}

/** How a connection or an attempt ended: the interesting half of a `CloseEvent`. */
export interface CloseInfo {
  /** The close code; 1006 when the connection broke without a closing handshake. */
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
}

/** Why a socket is `closed` for good. */
export type ClosedReason = 'user' | 'refused' | 'gave-up' | 'aborted' | 'unsupported'

/** What a provider is told when it is asked for a url or for protocols ([P1]). */
export interface AttemptContext {
  /** 0 for the first connection, then the number of the retry since the last stable connection. */
  readonly attempt: number
  /** Aborted as soon as the attempt is over: failed, superseded or closed. */
  readonly signal: AbortSignal
  /** How the connection before this one ended; `null` before the first. */
  readonly lastClose: CloseInfo | null
}

/** A value, or a function that is called afresh for each attempt. */
export type Provider<Value> = Value | ((context: AttemptContext) => Value | Promise<Value>)

/** What an application handshake can do before the socket is `open` ([P6]). */
export interface HandshakeContext<Incoming, Outgoing> {
  /** Sends at once, ahead of everything queued. */
  send: (message: Outgoing) => void
  /** The next message from the server; rejects when the attempt is over. */
  receive: () => Promise<Incoming>
  readonly attempt: number
  readonly signal: AbortSignal
}

/** Signals about the network and the page. Hints, all of them: only the socket knows. */
export type NetworkSignal = 'online' | 'offline' | 'wake' | 'hide' | 'restore'

/** Where a socket learns about the network and the page; bring your own as the `network` option ([N5]). */
export interface NetworkSource {
  /** `false` only when the network is believed to be down. */
  readonly online: boolean
  /** Calls `listener` for each signal until the returned function is called. */
  subscribe(listener: (signal: NetworkSignal) => void): () => void
}

/** The bus events of {@link Heartwire.on} ([E2]) and what each carries. */
export interface HeartwireEvents<Incoming = any, Outgoing = WireData> {
  /** Every change of `state`. */
  state: { readonly state: State; readonly previous: State }
  /** The connection is usable; `attempt` is the number of retries it took. */
  open: { readonly attempt: number; readonly isReconnect: boolean }
  /** A message, decoded. */
  message: Incoming
  /**
   * A connection or an attempt ended. `requeued` messages provably never left and will be sent again; `inDoubt` is an upper
   * bound of the messages that left but may not have arrived ([Q3]), those of a handshake among them.
   */
  lost: {
    readonly close: CloseInfo
    readonly wasOpen: boolean
    readonly willReconnect: boolean
    readonly requeued: number
    readonly inDoubt: number
  }
  /** A retry is scheduled: its number, its delay in ms, and when (`Date.now()` clock). */
  waiting: { readonly attempt: number; readonly delay: number; readonly retryAt: number }
  /** Final: nothing happens any more until `connect()`. */
  closed: { readonly reason: ClosedReason; readonly close: CloseInfo | null }
  /** A heartbeat was answered (`latency` in ms), or the server's beat arrived (`latency` is `null`). */
  heartbeat: { readonly latency: number | null }
  /** A signal made us test the link out of turn. */
  probe: { readonly timeout: number }
  /** Everything accepted by `send` has left the browser's buffer. */
  drain: undefined
  /** Messages that will never be sent, and why. Never silent ([Q1], [Q5]). */
  dropped: { readonly messages: readonly Outgoing[]; readonly reason: 'overflow' | 'expired' | 'closed' | 'refused' }
  /** A failure with its code and cause. */
  error: import('./errors.js').HeartwireError
}
