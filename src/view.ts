// What a component shows of a Heartwire: plain values that follow its events. It knows no framework.
import type { Heartwire } from './heartwire.js'
import type { HeartwireError } from './errors.js'
import type { HeartwireEvents, State, WireData } from './types.js'

/** What there is to show of the present socket, as of its latest event. */
export interface HeartwireView<Incoming = any> {
  readonly state: State
  readonly readyState: 0 | 1 | 2 | 3
  /** The last message. Several may come before anything is rendered: `onMessage` gets each. */
  readonly data: Incoming | undefined
  /** ms between the latest heartbeat and its answer; needs `heartbeat.pong`. */
  readonly latency: number | null
  /** The number of the current or coming retry. */
  readonly attempt: number
  /** ms until the next retry, counted down in whole seconds while `waiting`; else `null`. */
  readonly retryIn: number | null
  /** The latest error since it was last open. */
  readonly error: HeartwireError | null
  /** Bytes that `send` accepted and that have not left, as of the latest `send` or event. */
  readonly bufferedAmount: number
}

/** What can be done, whatever socket there is, with functions that stay the same. */
export interface HeartwireControls<Outgoing = WireData> {
  /** As {@link Heartwire.send}. Returns whether there was a socket to take it: without one it is gone. */
  readonly send: (message: Outgoing) => boolean
  /** As {@link Heartwire.close}: final, until `reconnect()` or another url. */
  readonly close: (code?: number, reason?: string) => void
  /** As {@link Heartwire.reconnect}. */
  readonly reconnect: () => void
}

/** To write a view while it is made. */
type Draft = { -readonly [Name in keyof HeartwireView]?: HeartwireView[Name] }

/** What a socket says of itself, and what there is to say of none. */
const FACTS = { state: 'idle', readyState: 3, latency: null, attempt: 0, bufferedAmount: 0 } as const

/** The view of no socket. */
export const NOTHING: HeartwireView & { socket: null } = {
  ...FACTS,
  data: undefined,
  retryIn: null,
  error: null,
  socket: null,
}

/** Calls `show` with what may have changed, at every event of the socket. Returns how to look in between. */
export function follow(socket: Heartwire<any, any>, show: (changes: Draft) => void): () => void {
  let timer: ReturnType<typeof setTimeout>
  let retryAt: number | null = null

  const read = (type?: keyof HeartwireEvents, event?: any): void => {
    const changes: Draft = {}
    for (const name in FACTS) changes[name as 'attempt'] = socket[name as 'attempt']
    if (type === 'open') changes.error = null
    if (type === 'error') changes.error = event
    if (type === 'waiting') retryAt = event.retryAt
    // Also when the wait was over before it was told.
    if (changes.state !== 'waiting') retryAt = null
    changes.retryIn = retryAt && Math.max(0, Math.ceil(retryAt - Date.now()))
    clearTimeout(timer)
    // The next look is when the next whole second is left.
    if (retryAt) timer = setTimeout(read, changes.retryIn! % 1_000 || 1_000)
    show(changes)
  }

  // A message costs no more than this.
  socket.on('*', (type, event) => (type === 'message' ? show({ data: event }) : read(type, event)))
  return read
}
