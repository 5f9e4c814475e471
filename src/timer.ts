// The one timer of a socket: set to a time, not for a duration, and it knows when it comes late.

/** Browsers turn a longer timeout into none at all ([R1]). */
const LONGEST = 2 ** 31 - 1

/**
 * Later than this is late ([H6]), in ms. Foreground timers are a few ms late; background ones, a busy thread or a sleeping
 * laptop by a second or more.
 */
const LATE = 100

/** Whom the timer calls. An object rather than a function: it is there anyway, and a closure per socket is not. */
interface Owner {
  onTimer(): void
}

/** Calls its owner at a time on the `performance.now()` clock. */
export class Timer {
  readonly #owner: Owner
  #handle: ReturnType<typeof setTimeout> | undefined
  #at = Infinity
  /** The same time on the wall clock, which goes on while a laptop sleeps; `performance.now()` may not. */
  #wallAt = Infinity

  constructor(owner: Owner) {
    this.#owner = owner
  }

  /** Whether the time it is set to passed a while ago: somebody slept, or time was not given to us. */
  get isLate(): boolean {
    return performance.now() > this.#at + LATE || Date.now() > this.#wallAt + LATE
  }

  /** Sets the time; `Infinity` for never. Setting it to the same time again costs nothing. */
  set(at: number): void {
    if (at === this.#at && this.#handle) return
    clearTimeout(this.#handle)
    this.#handle = undefined
    this.#at = this.#wallAt = at
    if (at < Infinity) this.#start()
  }

  #start(): void {
    const rest = this.#at - performance.now()
    this.#wallAt = Date.now() + rest
    this.#handle = setTimeout(
      () => {
        // Timers may be a fraction of a ms early, and a long wait takes several.
        if (this.#at - performance.now() >= 1) return this.#start()
        this.#handle = undefined
        this.#owner.onTimer()
      },
      Math.min(Math.max(rest, 0), LONGEST),
    )
  }
}
