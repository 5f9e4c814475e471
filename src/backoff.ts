// How long to wait before a retry. Pure: chance is an argument.
import type { CloseInfo } from './types.js'

/** The numbers of a retry schedule. */
export interface BackoffOptions {
  /** Ceiling of the first delay, in ms. @default 1000 */
  minDelay: number
  /** No delay exceeds it, in ms. @default 30000 */
  maxDelay: number
  /** What the ceiling grows by with each retry. @default 2 */
  factor: number
  /** How much of the ceiling is left to chance: 0 none, 1 all of it ("full jitter"). @default 1 */
  jitter: number
}

/**
 * The first retry after a server said that it goes away or restarts is drawn from this window, in ms, so that the server is
 * not met by all its clients at once ([R4]).
 */
const RESTART_WINDOW = 5_000

/** A day, in ms: a typing error of a server's must not strand its clients for ever ([R8]). */
const LONGEST_WINDOW = 86_400_000

/** Protocol and policy errors: the same client would only fail the same way again ([R4]). */
const FATAL = [1002, 1003, 1007, 1008, 1009, 1010]

/** Going away, restart, try again later. */
const RESTARTING = [1001, 1012, 1013]

/**
 * Delay before retry `n` (from 0), in ms: `ceiling = min(maxDelay, minDelay · factor^n)`, drawn uniformly from
 * `[ceiling · (1 − jitter), ceiling]` ([R1]).
 */
export function backoff(n: number, options: BackoffOptions, random: () => number = Math.random): number {
  // factor^n overflows to Infinity after about 1,000 failures, which min() would survive; 0 · Infinity it would not.
  const growth = Math.min(options.factor ** n, Number.MAX_VALUE)
  const ceiling = Math.min(options.maxDelay, options.minDelay * growth)
  return ceiling * (1 - options.jitter * random())
}

/**
 * The window in ms from which a server wants the next retry drawn, or `null` if it did not say. A close reason may carry
 * `retry-after=SECONDS` ([R8]); without it the first retry after 1001, 1012 or 1013 gets a window of its own ([R4]).
 */
export function retryWindow(close: CloseInfo, isFirst: boolean): number | null {
  const hint = /retry-after=(\d+(?:\.\d+)?)/.exec(close.reason)
  if (hint) return Math.min(Number(hint[1]) * 1_000, LONGEST_WINDOW)
  return isFirst && RESTARTING.includes(close.code) ? RESTART_WINDOW : null
}

/** Whether a connection that ended like this is worth another attempt: the default of `reconnect.when` ([R4]). */
export function isRetriable(close: CloseInfo): boolean {
  return !FATAL.includes(close.code)
}
