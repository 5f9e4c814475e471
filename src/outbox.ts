// What was accepted and has not left yet: the bounded queue, its bytes, and what provably never left. Pure.
import { HeartwireError } from './errors.js'
import type { WireData } from './types.js'

/** One accepted message. */
export interface Entry<Message> {
  /** What the application gave us; what `dropped` hands back. Binary data is a copy ([Q1]). */
  readonly message: Message
  /** What travels. */
  readonly wire: WireData
  /** Bytes: UTF-8 for text. For a message in flight, what the native `bufferedAmount` grew by. */
  readonly size: number
  /** When it was accepted, in ms, for `ttl`. */
  readonly at: number
}

export interface OutboxLimits {
  readonly maxMessages: number
  readonly maxBytes: number
  readonly overflow: 'throw' | 'drop-oldest' | 'drop-newest'
  readonly ttl: number
}

/** Messages in the order they were accepted, within limits. */
export class Outbox<Message> {
  readonly #limits: OutboxLimits
  #entries: Entry<Message>[] = []
  #bytes = 0

  constructor(limits: OutboxLimits) {
    this.#limits = limits
  }

  get length(): number {
    return this.#entries.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Accepts a message and returns those that had to go for it ([Q1]): the oldest, or itself.
   *
   * @throws HeartwireError `queue-overflow` if it does not fit and nothing may be dropped; the queue is as it was.
   */
  add(entry: Entry<Message>): Entry<Message>[] {
    const { maxMessages, maxBytes, overflow } = this.#limits
    const dropped: Entry<Message>[] = []
    if (this.isFull(entry.size)) {
      if (overflow === 'throw') {
        throw new HeartwireError(
          'queue-overflow',
          `Cannot send as the queue must hold at most ${maxMessages} messages and ${maxBytes} bytes: it holds ${this.length} and ${this.#bytes}, the message has ${entry.size}`,
        )
      }
      // What could never fit must not push the others out.
      if (overflow === 'drop-newest' || maxMessages < 1 || entry.size > maxBytes) return [entry]
      while (this.isFull(entry.size)) dropped.push(this.#shift())
    }
    this.#entries.push(entry)
    this.#bytes += entry.size
    return dropped
  }

  /** Puts messages that never left back at the head ([Q3]). They were accepted before, so no limit applies. */
  putBack(entries: readonly Entry<Message>[]): void {
    this.#entries = [...entries, ...this.#entries]
    for (const entry of entries) this.#bytes += entry.size
  }

  /** Removes and returns what has waited longer than `ttl`. */
  expire(now: number): Entry<Message>[] {
    const isExpired = (entry: Entry<Message>): boolean => now - entry.at > this.#limits.ttl
    const expired = this.#entries.filter(isExpired)
    if (expired.length > 0) this.#entries = this.#entries.filter((entry) => !isExpired(entry))
    for (const entry of expired) this.#bytes -= entry.size
    return expired
  }

  /** Removes and returns everything. */
  takeAll(): Entry<Message>[] {
    const all = this.#entries
    this.#entries = []
    this.#bytes = 0
    return all
  }

  /** Whether a message of this size would be one too many. */
  isFull(size: number): boolean {
    return this.length >= this.#limits.maxMessages || this.#bytes + size > this.#limits.maxBytes
  }

  #shift(): Entry<Message> {
    const entry = this.#entries.shift() as Entry<Message>
    this.#bytes -= entry.size
    return entry
  }
}

/**
 * Which of the messages in flight (oldest first) provably never left, given the bytes still buffered at the loss: whole
 * messages from the tail. One that left in part is in doubt and is not among them ([Q3]).
 */
export function unsent<Message>(inFlight: readonly Entry<Message>[], buffered: number): Entry<Message>[] {
  let first = inFlight.length
  // A message that left nothing to buffer (size 0) tells nothing about itself: it counts as left.
  for (let rest = buffered; first > 0; first--) {
    const size = (inFlight[first - 1] as Entry<Message>).size
    if (size > rest || rest === 0) break
    rest -= size
  }
  return inFlight.slice(first)
}

/** Of the messages in flight (oldest first), those of which at least a part is still among the `buffered` bytes. */
export function stillBuffered<Message>(inFlight: readonly Entry<Message>[], buffered: number): Entry<Message>[] {
  let first = inFlight.length
  for (let rest = buffered; first > 0 && rest > 0; first--) rest -= (inFlight[first - 1] as Entry<Message>).size
  return inFlight.slice(first)
}

/** The tag rather than `instanceof`: data may come from another window. */
const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1)

/** What the standard's `send` makes of any argument. @throws TypeError as the native one (a symbol, shared or resizable memory) */
export function toWireData(data: unknown): WireData {
  const isView = ArrayBuffer.isView(data)
  const buffer: unknown = isView ? data.buffer : data
  const tag = tagOf(buffer)
  if (tag === 'SharedArrayBuffer' || (tag === 'ArrayBuffer' && (buffer as { resizable?: boolean }).resizable)) {
    throw new TypeError("Cannot send as 'data' must not be in shared or resizable memory")
  }
  if (isView || tag === 'ArrayBuffer' || tag === 'Blob' || tag === 'File') return data as WireData
  return `${data as string}`
}

/** A copy of binary data, since the caller may reuse its buffer; anything else as it is. */
export function snapshot(data: WireData): WireData {
  if (typeof data === 'string') return data
  if (ArrayBuffer.isView(data))
    return (data.byteLength > 0 ? data.buffer : new ArrayBuffer(0)).slice(
      data.byteOffset,
      data.byteOffset + data.byteLength,
    )
  if (tagOf(data) !== 'ArrayBuffer') return data
  // A detached buffer has no bytes, and cannot be copied.
  const buffer = data as ArrayBuffer
  return buffer.byteLength > 0 ? buffer.slice(0) : new ArrayBuffer(0)
}

/** Bytes on the wire, as the native `bufferedAmount` counts them. */
export function sizeOf(data: WireData): number {
  if (typeof data === 'string') return new TextEncoder().encode(data).length
  return 'size' in data ? data.size : data.byteLength
}
