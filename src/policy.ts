// What follows from a loss: how often it was tried, whether to try again, and when. Runs the application's `when` and `delay`.
import { backoff, isRetriable, retryWindow } from './backoff.js'
import { isolated } from './errors.js'
import type { Settings } from './options.js'
import type { CloseInfo } from './types.js'

/** The reconnect policy of one socket, and what it has to remember. */
export class Policy {
  /** Retries since the last stable connection. */
  retries = 0
  /** Consecutive failures: a first attempt may fail, but is no retry. */
  failures = 0
  readonly #options: Settings<unknown, unknown>['reconnect']

  constructor(options: Settings<unknown, unknown>['reconnect']) {
    this.#options = options
  }

  /** Whether there may ever be a second connection. */
  get allowsRetries(): boolean {
    return (this.#options?.maxAttempts ?? 0) > 0
  }

  /** Starts afresh. */
  reset(): void {
    this.retries = this.failures = 0
  }

  /** Whether a connection has lasted long enough to be a success ([R2]); `openedAt` is `null` for one that never opened. */
  isStable(openedAt: number | null, now: number): boolean {
    return openedAt !== null && now - openedAt >= (this.#options?.minUptime ?? 0)
  }

  /** Starts afresh after a connection that was a success. Returns whether it was. */
  credit(openedAt: number | null, now: number): boolean {
    const isStable = this.isStable(openedAt, now)
    if (isStable) this.reset()
    return isStable
  }

  /** A connection or attempt was lost: the delay before the next retry in ms, or why there is none ([R4], [R5], [R8]). */
  sentence(close: CloseInfo, openedAt: number | null, now: number): number | 'refused' | 'gave-up' {
    const options = this.#options
    if (!this.credit(openedAt, now)) this.failures++
    if (!options) return 'refused'
    const isWanted = options.when && isolated(() => options.when?.(close))
    if (!(isWanted ?? isRetriable(close))) return 'refused'
    if (this.failures >= options.maxAttempts) return 'gave-up'
    const window = retryWindow(close, this.retries === 0)
    const usual = backoff(
      this.retries,
      window === null ? options : { minDelay: window, maxDelay: window, factor: 1, jitter: 1 },
    )
    const wanted = options.delay && isolated(() => options.delay?.({ attempt: this.retries + 1, delay: usual, close }))
    if (wanted === false) return 'refused'
    return typeof wanted === 'number' && wanted >= 0 ? wanted : usual
  }
}
