// Virtual time: what a page can ask, and the timers it can set. Knows nothing of when a page lets its timers fire.

/** A timer that somebody set and nobody has cleared. */
export interface Timer {
  readonly id: number
  /** Which client's code set it. */
  readonly owner: number
  /** When it is due, on the `performance.now()` clock. */
  readonly due: number
  /** ms that it fires after that, or before: timers are never exact. */
  readonly inexactness: number
  readonly callback: () => void
}

/** The owner of what no client did. */
export const NOBODY = -1

const FIRST_DATE = Date.UTC(2026, 0, 1)
/** A page is never at 0 when it makes its first socket. */
const FIRST_NOW = 1_234.5
/** A longer delay overflows in browsers and in Node, and means the shortest there is. */
const LONGEST_DELAY = 2 ** 31 - 1

export class Clock {
  /** ms since the beginning of the run, whatever the page's clocks say: the network's time. */
  time = 0
  /** ms of it that `performance.now()` has not seen, as it stands still on some systems while a laptop sleeps. */
  unseen = 0
  /** ms that somebody has set the wall clock ahead, or back. */
  skew = 0
  /** Whose code is running: what it sets is that client's. */
  owner = NOBODY
  /** What the next timer's inexactness is drawn from. */
  inexactness: () => number = () => 0
  /** ms that the latest timer fired after it was due. */
  lateness = 0
  /** How many timers were set to more than a timer can hold. */
  overflows = 0
  readonly timers = new Map<number, Timer>()
  #lastId = 0
  #latest = FIRST_NOW

  /** `performance.now()`. It never goes back, which the difference of two large numbers does by a hair after a sleep. */
  get now(): number {
    return (this.#latest = Math.max(this.#latest, FIRST_NOW + this.time - this.unseen))
  }

  /** `Date.now()` */
  get date(): number {
    return Math.floor(FIRST_DATE + this.time + this.skew)
  }

  /** When a timer is due in the network's time. */
  timeOf(timer: Timer): number {
    return timer.due + timer.inexactness - FIRST_NOW + this.unseen
  }

  setTimeout(callback: (...values: unknown[]) => void, delay: unknown, ...values: unknown[]): number {
    const wanted = Number(delay) || 0
    if (wanted > LONGEST_DELAY) this.overflows++
    const ms = wanted > LONGEST_DELAY || wanted < 1 ? 1 : wanted
    const id = ++this.#lastId
    const inexactness = this.inexactness()
    const timer = { id, owner: this.owner, due: this.now + ms, inexactness, callback: () => callback(...values) }
    this.timers.set(id, timer)
    return id
  }

  clearTimeout(id: unknown): void {
    this.timers.delete(id as number)
  }

  timersOf(owner: number): Timer[] {
    const own: Timer[] = []
    for (const timer of this.timers.values()) if (timer.owner === owner) own.push(timer)
    return own
  }

  /** Takes the place of the platform's clocks, timers and chance. Returns what gives them back. */
  install(random: () => number): () => void {
    const before = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout }
    const { now: dateNow } = Date
    const { random: platformRandom } = Math
    Object.assign(globalThis, {
      setTimeout: this.setTimeout.bind(this),
      clearTimeout: this.clearTimeout.bind(this),
    })
    Date.now = () => this.date
    Math.random = random
    // The platform's is on the prototype: a property of our own hides it until it is deleted.
    Object.defineProperty(performance, 'now', { configurable: true, value: () => this.now })
    return () => {
      Object.assign(globalThis, before)
      Date.now = dateNow
      Math.random = platformRandom
      Reflect.deleteProperty(performance, 'now')
    }
  }
}
