// One attempt to connect and, if it succeeds, its connection: everything that must not outlive it, and what it has sent.
import { handled, HeartwireError, isolated } from './errors.js'
import { type Entry, snapshot, stillBuffered, unsent } from './outbox.js'
import type { CloseInfo, WireData } from './types.js'

/** How an attempt ended. */
export interface Ending {
  readonly close: CloseInfo
  /** Whether the browser would fire `error` before `close`. */
  readonly isFailure: boolean
  readonly error?: HeartwireError | undefined
  /** Whether the native socket has closed, so that nothing in its buffer can leave any more. */
  readonly isGone?: boolean
}

/** Marks an entry in flight that is there for its bytes only: a heartbeat, or any message without `replay`. */
const NOT_OURS = -1

/** Heartbeats without an answer that are remembered, at most. */
const MOST_QUESTIONS = 64

interface Reader {
  resolve(event: MessageEvent): void
  reject(error: unknown): void
}

export class Attempt<Message> {
  readonly startedAt: number
  native: WebSocket | null = null
  /** When it became usable; `null` until then. */
  openedAt: number | null = null
  hasErred = false
  /** Whether the application has closed or replaced it: then what has arrived and was not told yet is for nobody. */
  isForsaken = false
  /** What its `error` event said. */
  cause: unknown
  /** Messages sent, and how many of them an answered heartbeat proves to have arrived. */
  sent = 0
  confirmed = 0
  /** Bytes of messages that are kept here since they may not have left yet. */
  held = 0
  #controller: AbortController | null = null
  #isOver = false
  /** What arrived during the handshake, and who waits for it. These lists are made when needed: many sockets are idle. */
  #inbox: MessageEvent[] | undefined
  #readers: Reader[] | undefined
  /** Sent messages that may not have left yet, oldest first; heartbeats are among them, for their bytes. */
  #inFlight: Entry<Message>[] = []
  /** Bytes given to the native socket. */
  #bytes = 0
  /** The heartbeats without an answer, oldest first: when each was sent, and where `sent` stood. */
  #questions: { readonly at: number; readonly sent: number }[] | undefined
  /** Where `#bytes` stood at the latest heartbeat, whether that waited behind messages, and how much had left at the last look. */
  #bytesWhenAsked = 0
  /** Where `#bytes` stood after the latest message of the application's. */
  #messagesEnd = 0
  #isBehind = false
  #left = 0

  constructor(startedAt: number) {
    this.startedAt = startedAt
  }

  /** Aborted when the attempt is over. Made when asked for: most attempts need none. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#isOver) this.#controller.abort()
    return this.#controller.signal
  }

  /** The native `bufferedAmount`; 0 where a class of that shape has none. */
  get buffered(): number {
    return this.native?.bufferedAmount || 0
  }

  /** Whether either end has begun to close, so that the native socket sends nothing any more. */
  get isClosing(): boolean {
    return this.native === null || this.native.readyState > 1
  }

  /** Sends a message of the application's, accepted `at` that time; with `keep`, a loss can give it back. */
  send(message: Message, wire: WireData, keep: boolean, at = 0): void {
    if (!keep) this.sendAside(wire)
    else {
      // The native send copies binary data at once, and the caller may reuse it at once.
      const kept = snapshot(wire)
      this.#push(message === wire ? (kept as Message) : message, kept, at)
    }
    this.sent++
    this.#messagesEnd = this.#bytes
  }

  /** Sends what cannot be sent again: it is accounted for by its bytes only. */
  sendAside(wire: WireData): void {
    this.#push(undefined as Message, wire, NOT_OURS)
  }

  #push(message: Message, wire: WireData, at: number): void {
    const native = this.native as WebSocket
    const before = native.bufferedAmount || 0
    native.send(wire as string)
    const after = native.bufferedAmount || 0
    // A message's size is what it added to the native buffer; classes of that shape count frame headers, too. One that
    // empties its buffer first leaves nothing to know of the messages before.
    const size = after < before ? after : after - before
    if (before === 0 || after < before) this.#inFlight.length = this.held = 0
    this.#inFlight.push({ message, wire, size, at })
    this.held += size
    this.#bytes += size
  }

  /** Begins the closing handshake; `false` if there is nothing to close. */
  shut([code, reason]: readonly [code?: number | undefined, reason?: string | undefined]): boolean {
    this.isForsaken = true
    this.hasLeft()
    isolated(() => this.native?.close(code, reason))
    return this.native !== null
  }

  /** Remembers that a heartbeat was sent just now. */
  asked(at: number): void {
    // Who answers only some may not make us remember all; then an answer proves less, never more.
    const questions = (this.#questions ??= [])
    if (questions.length < MOST_QUESTIONS) questions.push({ at, sent: this.sent })
    this.#bytesWhenAsked = this.#bytes
    this.hasLeft()
    this.#isBehind = this.#left < this.#messagesEnd
  }

  /**
   * A heartbeat was answered, and answers come in order: it is the oldest. The peer has read everything sent before it.
   * Returns its latency, or `null` if none was open. One that is older than `longest` ms was probably never answered:
   * then the latency is that of the next.
   */
  answered(now: number, longest = Infinity): number | null {
    const questions = this.#questions ?? []
    const question = questions.shift()
    if (!question) return null
    this.confirmed = question.sent
    const { at } = [question, ...questions].find((each) => now - each.at <= longest) ?? question
    return now - at
  }

  /**
   * Whether the open heartbeat still waits behind data that is leaving: then no answer can be expected yet, and leaving is
   * a sign of life ([H9]). Into a black hole nothing leaves for long.
   */
  isProgressing(): boolean {
    // One that has left since the last look may still be answered.
    const wasWaiting = this.#isBehind && this.#left < this.#bytesWhenAsked
    return this.hasLeft() && wasWaiting
  }

  /**
   * The message that leaves next, if it is in the native buffer in whole and before the open heartbeat: its size, and how
   * much had left before it. Firefox and Safari count a message until all of it has left, so that a slow upload looks like a
   * stalled one ([H9]).
   */
  wholeNext(): { readonly size: number; readonly after: number } | null {
    const { buffered } = this
    const [first, ...others] = unsent(this.#inFlight, buffered)
    const after = this.#bytes - buffered
    const isWhole = others.reduce((sum, { size }) => sum + size, first?.size ?? 0) === buffered
    return first && isWhole && this.#isBehind && after < this.#bytesWhenAsked ? { size: first.size, after } : null
  }

  /** Whether any bytes have left since the last look. */
  hasLeft(): boolean {
    const before = this.#left
    this.#left = this.#bytes - this.buffered
    return this.#left > before
  }

  /** Forgets what has left. Returns whether anything is still buffered. */
  prune(): boolean {
    const { buffered } = this
    this.#inFlight = stillBuffered(this.#inFlight, buffered)
    this.held = buffered
    return buffered > 0
  }

  /** What is still in the native buffer in whole, oldest first. */
  unsent(): Entry<Message>[] {
    const entries = unsent(this.#inFlight, this.buffered)
    return entries.filter((entry) => entry.at !== NOT_OURS)
  }

  /** Takes a message that arrived during the handshake. */
  keep(event: MessageEvent): void {
    const reader = this.#readers?.shift()
    if (reader) reader.resolve(event)
    else (this.#inbox ??= []).push(event)
  }

  /** The next message of the handshake. */
  receive(): Promise<MessageEvent> {
    const event = this.#inbox?.shift()
    if (event) return Promise.resolve(event)
    return handled(new Promise((resolve, reject) => (this.#readers ??= []).push({ resolve, reject })))
  }

  /** What the handshake left unread: it belongs to the message listeners. */
  unread(): MessageEvent[] {
    return this.#inbox?.splice(0) ?? []
  }

  /** The attempt is over: aborts what still works for it and rejects who still waits. Runs code of the application's. */
  abort(): void {
    this.#isOver = true
    this.#controller?.abort()
    for (const reader of this.#readers?.splice(0) ?? []) {
      reader.reject(new HeartwireError('handshake-failed', 'Cannot receive as the attempt is over'))
    }
  }

  /** Lets go of the native socket: it is closed, and what it still says reaches nobody ([S2]). */
  orphan(): void {
    const { native } = this
    this.native = null
    if (!native) return
    native.onopen = native.onmessage = native.onclose = null
    // Not null: `ws` emits an error when closed while connecting, and an error that nobody hears ends the process.
    native.onerror = () => {}
    isolated(() => native.close())
  }
}
