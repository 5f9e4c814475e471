// Our own errors, and what to do with those of the application. Codes are public API.

/** What went wrong, as a stable word ([E3]). */
export type HeartwireErrorCode =
  | 'unsupported'
  | 'connect-timeout'
  | 'connect-failed'
  | 'heartbeat-timeout'
  | 'provider-failed'
  | 'handshake-failed'
  | 'decode-failed'
  | 'gave-up'
  | 'refused'
  | 'aborted'
  | 'closed'
  | 'queue-overflow'
  | 'worker-failed'

/** What a caller may want to catch: a `code` to switch on and, where there is one, the `cause`. */
export class HeartwireError extends Error {
  readonly code: HeartwireErrorCode

  constructor(code: HeartwireErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'HeartwireError'
    this.code = code
  }
}

/** What a cause adds to a message. Anything can be thrown, even what cannot be turned into text. */
export function because(cause: unknown): string {
  return cause instanceof Error ? `: ${cause.message}` : ''
}

/** A promise whose rejection is its owner's to look at, or not: never unhandled. */
export function handled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {})
  return promise
}

/** Reports an error of the application's without letting it disturb us ([S4]). */
export function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error)
  // Node has no reportError: this ends in 'uncaughtException', as for any listener of an EventTarget there.
  else
    queueMicrotask(() => {
      throw error
    })
}

/** Runs code of the application's. What it throws is reported, and `undefined` returned. */
export function isolated<Result>(run: () => Result): Result | undefined {
  try {
    return run()
  } catch (error) {
    report(error)
    return undefined
  }
}
