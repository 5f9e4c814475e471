// Is each link given up exactly when it should be? Compares what the library does with what the network knows.
import type { Connection } from './connection.ts'
import type { Judge } from './invariants.ts'
import type { Facts } from './settings.ts'
import type { Surroundings } from './surroundings.ts'
import type { Causes } from './witness.ts'

/** ms that the timers of a page that nothing delays may be late in all, from the last sign of life to the verdict. */
const SLACK = 400
/** ms between the timers of a hidden page. */
const THROTTLED = 60_000
/** ms after its time from which on a check counts as late. */
const LATE = 100
/** Bytes per ms at which a message that is still in the buffer in whole may leave ([H9]). */
const SLOWEST = 64
/** ms that an out-of-turn question may take, at most. */
const SHORT_TIMEOUT = 5_000

export class Vitals {
  readonly #facts: Facts
  readonly #judge: Judge
  readonly #world: Surroundings
  /** The open connection, when it last gave a sign of life, and how often the page had been stopped then. */
  #connection: Connection | null = null
  #lastSign = 0
  #stops = 0
  /** When a question was last left out, as the application's `message` threw. */
  #lastOmission = -Infinity

  constructor(facts: Facts, judge: Judge, world: Surroundings) {
    this.#facts = facts
    this.#judge = judge
    this.#world = world
  }

  opened(connection: Connection | null): void {
    this.#connection = connection
    this.signOfLife(connection)
  }

  signOfLife(connection: Connection | null): void {
    if (connection !== this.#connection) return
    this.#lastSign = this.#world.clock.time
    this.#stops = this.#world.page.stops
  }

  omitted(): void {
    this.#lastOmission = this.#world.clock.time
  }

  /** The heartbeat found the link dead. */
  died(connection: Connection | null): void {
    const claim = (isTrue: boolean, why: () => string): void => this.#judge.claim('healthyStays', isTrue, why)
    if (!connection) return claim(false, () => 'a heartbeat timeout without a connection')
    if (!this.#facts.isFair || connection.isBlack || connection.isCut) return
    const { page, clock } = this.#world
    const stops = page.stops - this.#stops
    // The page may be stopped again before it reads the answer to its second question; it forgives once in a row. Nor does
    // it forgive when it was stopped, but the check is hardly late ([H6]).
    const isForgiven = stops >= 2 || (stops === 1 && clock.lateness <= LATE)
    const isFaulty = connection.lastFault >= this.#lastSign || connection.rate === 0
    claim(
      isFaulty || isForgiven,
      () => `socket ${connection.number} had answered ${this.#world.clock.time - this.#lastSign} ms before`,
    )
  }

  /** Open sockets were let go of in this turn. */
  letGo(connections: readonly Connection[], causes: Causes, hasDied: boolean): void {
    const hasCause = causes.connect || causes.close || causes.hide || causes.restore || hasDied
    const isUnexplained = connections.includes(this.#connection as Connection) && !hasCause
    this.#judge.claim(
      'healthyStays',
      !isUnexplained,
      () => `socket ${this.#connection?.number} was closed, but nobody asked for it`,
    )
  }

  ended(): void {
    this.#connection = null
  }

  /** After each turn, while open. */
  check(): void {
    const { heartbeat } = this.#facts
    const connection = this.#connection
    const { page, clock } = this.#world
    if (!heartbeat || !connection || page.isStopped || page.hasTaskOf(connection.client)) return
    const { interval, timeout } = heartbeat
    const wasLate = page.hiddenAt !== null || page.lastLate >= this.#lastSign
    // With late timers a question is asked again, and judged by a check that may be late, too; then the same once more.
    const lateness = wasLate ? SHORT_TIMEOUT + interval + timeout + (page.hiddenAt === null ? 0 : 4 * THROTTLED) : 0
    // That bytes have left shows at the next look only.
    const left = connection.lastLeft + timeout
    const since = Math.max(this.#lastSign, left, this.#lastOmission, wasLate ? page.lastLate : 0)
    const times = connection.outgoing.map(({ size, rest }) => (rest === size ? size / SLOWEST : 0))
    const whole = Math.max(0, ...times.filter((time) => time > timeout))
    const bound = since + interval + timeout + whole + lateness + SLACK
    this.#judge.claim(
      'deadIsNoticed',
      clock.time <= bound,
      () => `socket ${connection.number} was silent for ${clock.time - this.#lastSign} ms`,
    )
  }
}
