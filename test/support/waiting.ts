// "Wait until there are N of them" without polling or sleeping.

/** Counts that tests can wait for. */
export interface Counter {
  /** How many there have been. */
  readonly count: number
  /** One more. */
  add(): void
  /** Resolves once there have been `count`; rejects when the counter is closed before. */
  reached(count: number): Promise<void>
  /** Nothing will come any more: rejects whoever waits. */
  close(): void
}

/** A counter of `what`, which names it in the error of a wait that can no longer succeed. */
export function createCounter(what: string): Counter {
  let count = 0
  let isClosed = false
  let waiters: { target: number; resolve: () => void; reject: (error: Error) => void }[] = []
  const failure = (target: number): Error => new Error(`Closed after ${count} ${what} while waiting for ${target}`)
  return {
    get count() {
      return count
    },
    add() {
      count += 1
      for (const waiter of waiters) if (waiter.target <= count) waiter.resolve()
      waiters = waiters.filter((waiter) => waiter.target > count)
    },
    reached(target) {
      if (target <= count) return Promise.resolve()
      if (isClosed) return Promise.reject(failure(target))
      return new Promise((resolve, reject) => {
        waiters.push({ target, resolve, reject })
      })
    },
    close() {
      isClosed = true
      for (const waiter of waiters) waiter.reject(failure(waiter.target))
      waiters = []
    },
  }
}
