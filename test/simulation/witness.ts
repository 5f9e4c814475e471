// Hears everything that a client is told, and claims that each of it may follow what was told before.
import type { HeartwireCloseEvent, HeartwireEvents, State } from '../../src/index.ts'
import type { Clock } from './clock.ts'
import type { InvariantName, Judge } from './invariants.ts'
import { Schedule } from './schedule.ts'
import type { Facts } from './settings.ts'

/** What each state may lead to: the diagram of the specification. */
const NEXT: Record<State, readonly State[]> = {
  idle: ['resolving', 'closed'],
  resolving: ['resolving', 'connecting', 'waiting', 'paused', 'closing', 'closed'],
  connecting: ['resolving', 'handshaking', 'open', 'waiting', 'paused', 'closing', 'closed'],
  handshaking: ['resolving', 'open', 'waiting', 'paused', 'closing', 'closed'],
  open: ['resolving', 'waiting', 'paused', 'closing', 'closed'],
  waiting: ['resolving', 'paused', 'closing'],
  paused: ['resolving', 'waiting', 'closing'],
  closing: ['resolving', 'closed'],
  closed: ['resolving'],
}

/** What caused what is told in this turn, if anybody but time and the network did. */
export interface Causes {
  /** The application called `reconnect` or `connect`, or something that starts a lazy socket. */
  connect: boolean
  /** The application called `close`, disposed of it or aborted its signal. */
  close: boolean
  signal: boolean
  hide: boolean
  restore: boolean
  /** The application's `when` or `delay` called a method, and the policy starts over. */
  policy: boolean
}

export class Witness {
  state: State = 'idle'
  causes: Causes = { connect: false, close: false, signal: false, hide: false, restore: false, policy: false }
  /** Calls of `close()` that have not had their event yet. */
  owedCloses = 0
  /** Whether an `open` event was told and its `close` was not. */
  isOpen = false
  /** Whether the native socket has ended with an error, in this turn. */
  hasNativeError = false
  /** How many DOM events came in all. */
  events = 0
  readonly schedule: Schedule
  readonly #judge: Judge
  readonly #clock: Clock
  #hasErred = false
  #isFinal = false
  /** Whether the wait that is to be announced is a new one. */
  #isFresh = false
  /** Whether the counts start again, once the end of what was closing is told. */
  #startsAfresh = false

  constructor(facts: Facts, judge: Judge, clock: Clock) {
    this.schedule = new Schedule(facts, judge, clock)
    this.#judge = judge
    this.#clock = clock
  }

  /** ms until the next attempt that nobody asks for. */
  get remaining(): number {
    return Math.max(0, this.schedule.earliest - this.#clock.now)
  }

  #claim(invariant: InvariantName, isTrue: boolean, what: () => string): void {
    this.#judge.claim(invariant, isTrue, what)
  }

  // The bus.

  tellState({ state, previous }: HeartwireEvents['state'], isFirst: boolean): void {
    this.#claim(
      'legalState',
      isFirst || previous === this.state,
      () => `${state} came from ${previous}, but was ${this.state}`,
    )
    this.#claim('legalState', NEXT[previous].includes(state), () => `${previous} led to ${state}`)
    this.state = state
    if (state === 'resolving') this.#begin(previous)
    if (state === 'waiting' || state === 'paused') this.#isFresh = previous !== 'waiting' && previous !== 'paused'
    if (state === 'waiting') this.schedule.earliest = Infinity
    if (state === 'paused') this.schedule.earliest = this.#clock.now + 45_000
  }

  #begin(previous: State): void {
    const { connect, restore, signal } = this.causes
    const isWaiting = previous === 'waiting' || previous === 'paused'
    const early = this.schedule.earliest - this.#clock.now
    const isAsked = connect || restore
    this.#claim('noStorm', !isWaiting || isAsked || early <= 1, () => `${early} ms too early`)
    this.#claim('noStorm', isWaiting || isAsked || signal, () => `an attempt began while ${previous}`)
    this.#isFinal = false
    // A connection that was closing is told of first. What was not open is replaced without a word.
    const isReplaced = previous === 'closing' && !this.isOpen
    if (isReplaced) this.owedCloses--
    this.#startsAfresh = previous === 'closing' && this.isOpen
    if (isReplaced || previous === 'idle' || previous === 'closed') this.schedule.startAfresh()
  }

  tell<Type extends keyof HeartwireEvents>(type: Type, event: HeartwireEvents[Type]): void {
    const isLate = this.#isFinal && type !== 'dropped' && type !== 'state'
    this.#claim('silentAfterClosed', !isLate, () => `'${type}' was told`)
    if (type === 'open') this.schedule.opened(event)
    if (type === 'waiting') this.#wait(event)
    if (type === 'closed') this.#close(event)
    if (type === 'probe') this.#claim('noStorm', this.causes.signal, () => 'a probe that no signal asked for')
  }

  #wait(event: HeartwireEvents['waiting']): void {
    this.#claim('legalState', this.state === 'waiting', () => `waiting was told while ${this.state}`)
    this.schedule.waiting(event, this.#isFresh, this.causes.signal)
    this.#isFresh = false
  }

  #close({ reason }: HeartwireEvents['closed']): void {
    this.#isFinal = true
    this.#claim('legalState', this.state === 'closed', () => `closed was told while ${this.state}`)
    this.#claim('eventOrder', !this.isOpen, () => 'closed was told before the close event')
    this.schedule.closed(reason)
  }

  // The DOM.

  hear(event: Event): void {
    this.events++
    const { type } = event
    this.#claim('silentAfterClosed', !this.#isFinal, () => `<${type}> was dispatched`)
    this.#claim(
      'eventOrder',
      !this.#hasErred || type === 'close' || type === 'message',
      () => `<${type}> came after <error>`,
    )
    if (type === 'open') {
      this.#claim('eventOrder', !this.isOpen, () => 'two open events without a close between them')
      this.isOpen = true
    } else if (type === 'error') this.#hasErred = true
    else if (type === 'close') this.#hearClose(event as HeartwireCloseEvent)
    else this.#claim('eventOrder', this.isOpen, () => `<${type}> came while not open`)
  }

  #hearClose(event: HeartwireCloseEvent): void {
    const { willReconnect, reason, code, wasClean } = event
    // Without an open connection and without a failure there is only the end of a wait, and that somebody wanted.
    const isHidden = reason === 'page hidden'
    this.#claim(
      'oneClose',
      this.isOpen || this.#hasErred || this.owedCloses > 0 || isHidden,
      () => 'a close event that nothing led to',
    )
    this.#claim('eventOrder', this.isOpen || !wasClean, () => `a failed attempt ended clean, with ${code}`)
    this.#claim(
      'eventOrder',
      willReconnect === (this.state !== 'closed'),
      () => `willReconnect is ${willReconnect} while ${this.state}`,
    )
    // What the policy's functions end by a call of their own has that call's close.
    const isSilent = this.isOpen && this.hasNativeError && !this.#hasErred && reason !== 'reconnect'
    this.#claim('eventOrder', !isSilent, () => 'the error of the native socket was not told')
    const isOwed = this.owedCloses > 0
    if (isOwed) this.owedCloses--
    const isChosen = isOwed || isHidden || reason === 'reconnect'
    this.schedule.ended(event, isChosen, this.causes.policy)
    if (this.#startsAfresh) this.schedule.startAfresh()
    this.#startsAfresh = this.isOpen = this.#hasErred = false
  }

  /** A turn is over: nothing is left half told. */
  settle(state: State): void {
    this.#claim('eventOrder', !this.#hasErred, () => '<error> without <close>')
    const owed = state === 'closing' ? 1 : 0
    this.#claim('oneClose', this.owedCloses === owed, () => `${this.owedCloses} close events are owed while ${state}`)
    if (this.causes.policy) this.schedule.disturb()
    this.hasNativeError = false
    this.causes = { connect: false, close: false, signal: false, hide: false, restore: false, policy: false }
  }
}
