// The account of what one client gave to `send`: an independent model of the queue, of what is under way and of what is lost.
import type { HeartwireEvents } from '../../src/index.ts'
import type { Connection } from './connection.ts'
import type { Judge } from './invariants.ts'
import type { Facts } from './settings.ts'
import { textOf } from './socket.ts'

/** One message that `send` was given. */
interface Entry {
  readonly sequence: number
  readonly text: string
  readonly size: number
  /** When it was accepted, or came back. */
  at: number
  status: 'offered' | 'queued' | 'flying' | 'dropped'
  connection: Connection | null
}

/** What a connection was given and what was said about it when it ended. */
interface Account {
  readonly entries: Entry[]
  /** Messages of a handshake, which nobody accounts for one by one. */
  asides: number
  lastSequence: number
  lost: HeartwireEvents['lost'] | null
}

/** The number that a message carries, or `null` for a heartbeat or a frame of the handshake. */
export function sequenceOf(text: string): number | null {
  const match = /m(\d+)\|/.exec(text)
  return match ? Number(match[1]) : null
}

export class Ledger {
  /** The connection that the latest announcements are about, and the one that has just ended. */
  current: Connection | null = null
  ended: Connection | null = null
  /** Bytes accepted that no connection will take, since the last one began. */
  discarded = 0
  readonly accounts = new Map<Connection, Account>()
  /** Every message that was accepted, by its number. */
  readonly entries = new Map<number, Entry>()
  readonly #facts: Facts
  readonly #judge: Judge
  #queue: Entry[] = []
  /** Sockets constructed and not yet told of by `state`; `null` for a constructor that threw. */
  #untold: (Connection | null)[] = []
  /** Whether what is in the queue may be more than its limits allow: what was accepted before comes back all the same. */
  #hasRequeued = false
  #overtaken: Entry[] = []

  constructor(facts: Facts, judge: Judge) {
    this.#facts = facts
    this.#judge = judge
  }

  get queued(): number {
    return this.#queue.length
  }

  get queuedBytes(): number {
    return this.#queue.reduce((sum, entry) => sum + entry.size, 0)
  }

  // What the application does.

  /** Whether a message of this size does not fit, even without what has outlived its time. */
  isFull(size: number, now: number): boolean {
    const { maxMessages, maxBytes, ttl } = this.#facts.queue ?? { maxMessages: 0, maxBytes: 0, ttl: 0 }
    const live = this.#queue.filter((entry) => now - entry.at <= ttl && entry.status === 'queued')
    return live.length >= maxMessages || live.reduce((sum, entry) => sum + entry.size, 0) + size > maxBytes
  }

  /** `send` is about to be called. */
  offer(sequence: number, text: string, at: number): void {
    const entry: Entry = { sequence, text, size: Buffer.byteLength(text), at, status: 'offered', connection: null }
    this.entries.set(sequence, entry)
    this.#queue.push(entry)
  }

  /** `send` returned: nothing that it accepted may be forgotten. */
  accept(sequence: number): void {
    const entry = this.entries.get(sequence) as Entry
    if (entry.status === 'offered') entry.status = 'queued'
  }

  /** `send` threw: as if it had never been called. */
  refuse(sequence: number): void {
    const entry = this.entries.get(sequence) as Entry
    this.#judge.claim(
      'badInput',
      entry.status === 'offered',
      () => `send threw, but message ${sequence} is ${entry.status}`,
    )
    this.entries.delete(sequence)
    this.#unqueue(entry)
  }

  /** Whether none of what `send` accepted is left here. */
  get isEmpty(): boolean {
    return this.queued === 0 && !this.current?.outgoing.some(({ text }) => sequenceOf(text) !== null)
  }

  // What the library does.

  constructed(connection: Connection | null): void {
    this.#untold.push(connection)
  }

  /** A native socket was given a message. */
  fly(connection: Connection, text: string): void {
    const account = this.#accountOf(connection)
    const sequence = sequenceOf(text)
    if (sequence === null) {
      if (text.startsWith('h')) account.asides++
      return
    }
    const entry = this.entries.get(sequence)
    const claim = (isTrue: boolean, why: string): void =>
      this.#judge.claim(
        'onceInOrder',
        isTrue,
        () => `message ${sequence} was given to socket ${connection.number} ${why}`,
      )
    if (!entry || entry.text !== text) return claim(false, `as '${text.slice(0, 60)}', which nobody sent`)
    claim(entry.status === 'offered' || entry.status === 'queued', `when it was ${entry.status}`)
    claim(sequence > account.lastSequence, `after ${account.lastSequence}`)
    // Those before it have expired, and that is told only now; see `settle`.
    this.#overtaken.push(...this.#queue.slice(0, this.#queue.indexOf(entry)))
    this.#unqueue(entry)
    account.lastSequence = sequence
    account.entries.push(entry)
    entry.status = 'flying'
    entry.connection = connection
  }

  // What the library tells.

  state({ state, previous }: HeartwireEvents['state']): void {
    if (['resolving', 'waiting', 'paused', 'closed'].includes(state)) {
      this.ended = this.current
      this.current = null
    }
    if (state === 'resolving') this.discarded = 0
    if (state === 'connecting') this.current = this.#untold.shift() ?? null
    // What the native socket still holds will never leave, as far as the page is concerned.
    if (state === 'closed' && previous !== 'idle') this.discarded += this.ended?.socket.bufferedAmount ?? 0
  }

  lost(event: HeartwireEvents['lost'], isNativelyClosed: boolean, at: number): void {
    const connection = this.ended
    const account = connection && this.accounts.get(connection)
    const claim = (isTrue: boolean, what: string): void => this.#judge.claim('replayed', isTrue, () => what)
    if (!account) return claim(event.requeued === 0 && event.inDoubt === 0, 'messages of a connection that never was')
    claim(account.lost === null, `socket ${connection.number} was lost twice`)
    account.lost = event
    const flying = account.entries.filter((entry) => entry.status === 'flying')
    const whole = flying.filter((entry) =>
      connection.outgoing.some((parcel) => parcel.text === entry.text && parcel.rest === parcel.size),
    )
    const mayReplay = this.#facts.queue?.replay === true && isNativelyClosed && event.willReconnect
    // Without a next connection they are dropped, whether or not they are called requeued before.
    const isDropped = !event.willReconnect && event.requeued === whole.length
    claim(
      isDropped || event.requeued === (mayReplay ? whole.length : 0),
      `${event.requeued} requeued, but ${whole.length} of ${flying.length} were wholly in the buffer of socket ${connection.number}, which is ${isNativelyClosed ? '' : 'not '}closed`,
    )
    const back = event.requeued > 0 ? flying.slice(-event.requeued) : []
    for (const entry of back) {
      entry.status = 'queued'
      entry.connection = null
      entry.at = at
      if (!event.willReconnect) this.discarded -= entry.size
    }
    this.#queue.unshift(...back)
    if (back.length > 0) this.#hasRequeued = true
    const sent = account.entries.filter((entry) => entry.connection === connection).length + account.asides
    this.#judge.claim(
      'noneLost',
      event.inDoubt <= sent && event.inDoubt >= 0,
      () => `${event.inDoubt} in doubt of ${sent}`,
    )
  }

  dropped({ messages, reason }: HeartwireEvents['dropped']): void {
    for (const message of messages) {
      const text = textOf((message as { m?: string }).m ?? message)
      const entry = this.entries.get(sequenceOf(text) ?? -1)
      this.#judge.claim(
        'noneLost',
        entry !== undefined && entry.status !== 'dropped',
        () => `'${text}' was dropped, but is ${entry?.status}`,
      )
      if (!entry) continue
      const isQueued = this.#queue.includes(entry)
      this.#judge.claim(
        'noneLost',
        isQueued || reason === 'closed',
        () => `message ${entry.sequence} dropped (${reason}) while ${entry.status}`,
      )
      // Bytes in the native buffer were counted when the state was told.
      if (reason === 'closed' && isQueued) this.discarded += entry.size
      this.#unqueue(entry)
      entry.status = 'dropped'
    }
  }

  /** A turn is over: all that happened in it has been told. */
  settle(): void {
    const left = this.#overtaken.find((entry) => entry.status === 'queued')
    this.#judge.claim(
      'onceInOrder',
      !left,
      () => `message ${left?.sequence} was overtaken by one that was sent after it`,
    )
    this.#overtaken.length = 0
  }

  /** Whether the queue is within its limits; what came back to it is let in regardless. */
  checkLimits(): void {
    const { maxMessages, maxBytes } = this.#facts.queue ?? { maxMessages: 0, maxBytes: 0 }
    const isWithin = this.#hasRequeued || (this.queued <= maxMessages && this.queuedBytes <= maxBytes)
    this.#judge.claim('withinLimits', isWithin, () => `${this.queued} messages, ${this.queuedBytes} bytes`)
  }

  #accountOf(connection: Connection): Account {
    let account = this.accounts.get(connection)
    if (!account) this.accounts.set(connection, (account = { entries: [], asides: 0, lastSequence: 0, lost: null }))
    return account
  }

  #unqueue(entry: Entry): void {
    const index = this.#queue.indexOf(entry)
    if (index >= 0) this.#queue.splice(index, 1)
    if (this.#queue.length === 0) this.#hasRequeued = false
  }
}
