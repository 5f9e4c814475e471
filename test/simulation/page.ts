// The page's one thread: which task or timer runs next, and how hiding, freezing, sleep and a busy thread delay them.
import type { Chance } from './chance.ts'
import type { Clock, Timer } from './clock.ts'

/** Something the browser has in its queue for the page: an event of a socket, a signal. */
export interface Task {
  readonly owner: number
  readonly run: () => void
  readonly isTimer?: boolean
}

/** ms between the moments at which a hidden page's timers may fire, at first and after `GRACE`. */
const HIDDEN_PERIOD = 1_000
const THROTTLED_PERIOD = 60_000
/** ms that a page must be hidden for that; five minutes in Chromium, less here so that it happens often. */
const GRACE = 10_000

export class Page {
  /** When it was hidden; `null` while it is visible. */
  hiddenAt: number | null = null
  /** Until when nothing runs at all: it is frozen, asleep or busy. */
  stoppedUntil = 0
  /** How often it was stopped. */
  stops = 0
  /** When timers last were or may have been late: it was hidden, or stopped. */
  lastLate = -Infinity
  readonly #clock: Clock
  #tasks: Task[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isStopped(): boolean {
    return this.#clock.time < this.stoppedUntil
  }

  /** Whether the browser holds something for a client that its code has not been given yet. */
  hasTaskOf(owner: number): boolean {
    return this.#tasks.some((task) => task.owner === owner)
  }

  /** The browser has something for a client's code. */
  queue(owner: number, run: () => void): void {
    this.#tasks.push({ owner, run })
  }

  /** Nothing runs until `time`. */
  stop(time: number): void {
    this.stops++
    this.stoppedUntil = Math.max(this.stoppedUntil, time)
    this.lastLate = Math.max(this.lastLate, this.stoppedUntil)
  }

  resume(): void {
    this.stoppedUntil = Math.min(this.stoppedUntil, this.#clock.time)
    this.lastLate = Math.min(this.lastLate, this.#clock.time)
  }

  hide(): void {
    this.hiddenAt ??= this.#clock.time
  }

  show(): void {
    if (this.hiddenAt !== null) this.lastLate = Math.max(this.lastLate, this.#clock.time)
    this.hiddenAt = null
  }

  /** When the next task or timer can run; `Infinity` if there is none. */
  get next(): number {
    const first = this.#firstTimer()
    const at = this.#tasks.length > 0 ? 0 : first ? this.#timeOf(first) : Infinity
    return Math.max(at, this.stoppedUntil, this.#clock.time)
  }

  /** Takes the next task or timer. Which of both comes first is the browser's choice: here, chance. */
  take(chance: Chance): Task | null {
    if (this.isStopped) return null
    const first = this.#firstTimer()
    const isDue = first !== null && this.#timeOf(first) <= this.#clock.time
    const [task] = this.#tasks
    if (task && !(isDue && chance.is(0.5))) return this.#tasks.shift() as Task
    if (!first || !isDue) return null
    this.#clock.timers.delete(first.id)
    this.#clock.lateness = this.#clock.now - first.due
    return { owner: first.owner, run: first.callback, isTimer: true }
  }

  /** Forgets what was for a client that is no more. */
  forget(owner: number): void {
    this.#tasks = this.#tasks.filter((task) => task.owner !== owner)
  }

  #firstTimer(): Timer | null {
    let first: Timer | null = null
    for (const timer of this.#clock.timers.values()) {
      if (!first || this.#clock.timeOf(timer) < this.#clock.timeOf(first)) first = timer
    }
    return first
  }

  #timeOf(timer: Timer): number {
    const time = this.#clock.timeOf(timer)
    if (this.hiddenAt === null) return time
    const slow = Math.ceil(time / HIDDEN_PERIOD) * HIDDEN_PERIOD
    return slow < this.hiddenAt + GRACE ? slow : Math.ceil(time / THROTTLED_PERIOD) * THROTTLED_PERIOD
  }
}
