// The one timer of a socket: set to a time, not for a duration, and it knows when it comes late.
import { dismiss, enlist, wakeAfter } from './alarm.js'

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
  /** There is no worker to be woken by; the page's own timers go on. Told once, if one was asked for. */
  onWorkerFailed(cause?: unknown): void
}

/**
 * Runs it in a task of its own. Chromium counts how deep timers are set within timers, and five deep it wakes a hidden page
 * for them once a minute only; a message in between ends the count ([H7]).
 */
function inTask(run: () => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    port1.close()
    run()
  }
  port2.postMessage(0)
}

/** Calls its owner at a time on the `performance.now()` clock. */
export class Timer {
  readonly #owner: Owner
  #handle: ReturnType<typeof setTimeout> | undefined
  #at = Infinity
  /** The same time on the wall clock, which goes on while a laptop sleeps; `performance.now()` may not. */
  #wallAt = Infinity
  /** Its number with the worker that wakes it, too ([H10]); `null` when that has failed. */
  #alarm: number | null | undefined

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
    this.#at = at
    this.#wallAt = Date.now() + at - performance.now()
    this.#start()
  }

  /** From now on a worker wakes it, too, where there can be one. Once it could not, it is not tried again. */
  hire(): void {
    // A worker's own timers come in time, wherever it is.
    if (this.#alarm !== undefined || 'WorkerGlobalScope' in globalThis) return
    try {
      this.#alarm = enlist(this)
    } catch (cause) {
      this.#giveUp(cause)
    }
  }

  /** Needs no worker any more. */
  release(): void {
    if (!this.#alarm) return
    dismiss(this.#alarm)
    this.#alarm = undefined
  }

  /** The page's timer has come, or the worker's: the first counts, the other finds nothing to do. */
  wake(): void {
    if (!this.#handle) return
    // Timers may be a fraction of a ms early, a long wait takes several, and a worker's may be one that was set before.
    if (this.#at - performance.now() >= 1) return this.#start()
    clearTimeout(this.#handle)
    this.#handle = undefined
    this.#owner.onTimer()
  }

  /** The worker is none. One that was let go of meanwhile is nobody's concern. */
  fail(): void {
    if (this.#alarm) this.#giveUp()
  }

  #giveUp(cause?: unknown): void {
    this.#alarm = null
    this.#owner.onWorkerFailed(cause)
  }

  #start(): void {
    clearTimeout(this.#handle)
    const delay = Math.min(Math.max(this.#at - performance.now(), 0), LONGEST)
    this.#handle = this.#at < Infinity ? setTimeout(() => this.#onTimeout(), delay) : undefined
    // For never, too: it replaces what was set before.
    if (!this.#alarm) return
    try {
      wakeAfter(this.#alarm, delay)
    } catch (cause) {
      dismiss(this.#alarm)
      this.#giveUp(cause)
    }
  }

  #onTimeout(): void {
    this.wake()
    // What was set just now was set within a timer: set it again from outside of any. Simulated pages may have no channel.
    if (!globalThis.document?.hidden || typeof MessageChannel !== 'function') return
    inTask(() => {
      if (this.#handle) this.#start()
    })
  }
}
