// An independent model of the reconnect policy: how many attempts there were, whether another follows, and after which delay.
import type { CloseInfo, HeartwireEvents } from '../../src/index.ts'
import type { Clock } from './clock.ts'
import type { InvariantName, Judge } from './invariants.ts'
import type { Facts } from './settings.ts'

/** Codes that are not retried, and those after which a server restarts. */
const FATAL = [1002, 1003, 1007, 1008, 1009, 1010]
const RESTARTING = [1001, 1012, 1013]
const DAY = 86_400_000
/** ms within which a signal leads to an attempt. */
const SPREAD = 100
/** Sums of fractions are not exact. */
const EXACT = 1e-3

/** What the application's own functions have answered, since the last time that it mattered. */
interface Answers {
  when?: unknown
  delay?: unknown
}

export class Schedule {
  answers: Answers = {}
  /** When an attempt may begin by itself at the earliest, on the `performance.now()` clock. */
  earliest = -Infinity
  readonly #facts: Facts
  readonly #judge: Judge
  readonly #clock: Clock
  #retries = 0
  #failures = 0
  #openedAt: number | null = null
  #verdict: 'retry' | 'refused' | 'gave-up' | null = null
  #lastClose: CloseInfo | null = null
  /** Whether the counts are known: functions that call methods can make them uncertain. */
  #isCertain = true

  constructor(facts: Facts, judge: Judge, clock: Clock) {
    this.#facts = facts
    this.#judge = judge
    this.#clock = clock
  }

  #claim(invariant: InvariantName, isTrue: boolean, what: () => string): void {
    this.#judge.claim(invariant, isTrue || !this.#isCertain, what)
  }

  startAfresh(): void {
    this.#retries = this.#failures = 0
    this.#isCertain = true
  }

  /** The application's functions called methods: what was counted meanwhile is known to nobody but the library. */
  disturb(): void {
    this.#isCertain = false
  }

  opened({ attempt }: HeartwireEvents['open']): void {
    this.#openedAt = this.#clock.now
    this.#claim('givesUp', attempt === this.#retries, () => `open after ${attempt} retries, not ${this.#retries}`)
  }

  /** A connection or an attempt has ended; `isChosen`: the library or the user ended it, and the policy was not asked. */
  ended(close: CloseInfo & { readonly willReconnect: boolean }, isChosen: boolean, isDisturbed: boolean): void {
    const { minUptime = 0 } = this.#facts.reconnect ?? {}
    const isStable = this.#openedAt !== null && this.#clock.now - this.#openedAt >= minUptime
    if (isStable) this.#retries = this.#failures = 0
    else if (!isChosen) this.#failures++
    if (isStable) this.#isCertain = true
    if (isDisturbed) this.#isCertain = false
    this.#verdict = isChosen ? null : this.#decide(close.code)
    const expected = isChosen || this.#verdict === 'retry'
    const detail = (): string => `${close.code} after ${this.#failures} failures was ${expected ? 'not ' : ''}retried`
    if (!isChosen) this.#claim('policy', close.willReconnect === expected, detail)
    if (close.willReconnect) this.#retries++
    this.#openedAt = null
    this.#lastClose = close
    delete this.answers.when
  }

  #decide(code: number): 'retry' | 'refused' | 'gave-up' {
    const { reconnect } = this.#facts
    const { when, delay } = this.answers
    if (!reconnect || !(when ?? !FATAL.includes(code))) return 'refused'
    if (this.#failures >= reconnect.maxAttempts) return 'gave-up'
    return delay === false ? 'refused' : 'retry'
  }

  /** A wait was announced; `isFresh`: by a loss, and not by a signal that cuts it short. */
  waiting({ attempt, delay, retryAt }: HeartwireEvents['waiting'], isFresh: boolean, isSignalled: boolean): void {
    this.earliest = this.#clock.now + delay
    this.#claim('givesUp', attempt === this.#retries, () => `retry ${attempt}, but the model says ${this.#retries}`)
    const claim = (isTrue: boolean, what: () => string): void => this.#judge.claim('delayInRange', isTrue, what)
    claim(Math.abs(retryAt - this.#clock.date - delay) < 1, () => `${delay} ms, but at ${retryAt - this.#clock.date}`)
    const [least, most] = isFresh ? this.#range() : [0, isSignalled ? SPREAD : -1]
    const isInRange = delay >= least - EXACT && delay <= most + EXACT
    claim(isInRange || !this.#isCertain, () => `${delay} ms, but must be from ${least} to ${most}`)
    delete this.answers.delay
  }

  #range(): [least: number, most: number] {
    const { delay } = this.answers
    if (typeof delay === 'number' && delay >= 0) return [delay, delay]
    const { code = 0, reason = '' } = this.#lastClose ?? {}
    const hint = /retry-after=(\d+)/.exec(reason)
    if (hint) return [0, Math.min(Number(hint[1]) * 1_000, DAY)]
    if (this.#retries === 1 && RESTARTING.includes(code)) return [0, 5_000]
    const { minDelay = 0, maxDelay = 0, factor = 1, jitter = 0 } = this.#facts.reconnect ?? {}
    const most = Math.min(maxDelay, minDelay * Math.min(factor ** (this.#retries - 1), Number.MAX_VALUE))
    return [most * (1 - jitter), most]
  }

  closed(reason: string): void {
    const isDecided = this.#verdict === 'refused' || this.#verdict === 'gave-up'
    this.#claim('givesUp', !isDecided || reason === this.#verdict, () => `${reason}, but it is ${this.#verdict}`)
    this.#verdict = null
  }
}
