// The lifecycle as one pure table. It decides what happens; it never does anything itself.
import type { State } from './types.js'

/**
 * What can happen to a socket. Orders are imperative (`connect`, `close`); the rest has happened.
 *
 * The three ends of a connection or attempt differ by what the reconnect policy made of it: `lost` is retried, `stranded`
 * is retried but the network is believed to be down, `ended` is final.
 */
export const TRIGGERS = [
  'connect',
  'resolved',
  'opened',
  'ready',
  'lost',
  'stranded',
  'ended',
  'timeout',
  'close',
  'wake',
  'offline',
  'hide',
] as const
export type Trigger = (typeof TRIGGERS)[number]

/** What is done about it. Each step leads to one state ([S1]). */
export type Step = keyof typeof LEADS_TO

/** Where each step leads; `null` stays. */
export const LEADS_TO = {
  /** Ask the providers for a url and protocols. */
  start: 'resolving',
  /** Let go of what there is, report its close if it was open, then `start`. */
  renew: 'resolving',
  /** Construct the native socket. */
  dial: 'connecting',
  /** Run the application's handshake. */
  greet: 'handshaking',
  /** Usable: flush the queue, begin the heartbeat. */
  establish: 'open',
  /** Look at the heartbeat and at what has drained. */
  beat: null,
  /** Test the link now, with a short timeout. */
  probe: null,
  /** The attempt took too long: fail it. The policy then decides, as `lost`, `stranded` or `ended`. */
  expire: null,
  /** A signal came: begin a connecting attempt anew if it has been hanging for long. */
  refresh: null,
  /** Wait for the retry's delay. */
  retry: 'waiting',
  /** Cut the wait short. */
  hasten: 'waiting',
  /** Wait for a signal, and retry slowly meanwhile, since signals lie. */
  strand: 'paused',
  /** The page may go into the back/forward cache: close now, reconnect when it is shown again. */
  leave: 'paused',
  /** Begin the closing handshake; with nothing to close, report it in a task of its own, as the native one does. */
  shut: 'closing',
  /** The closing handshake took too long: report the close, unless data is still leaving. */
  settle: null,
  /** Final. */
  finish: 'closed',
} as const satisfies Record<string, State | null>

const _ = null

// prettier-ignore
/** THE TABLE: state × trigger → step. `_` is ignored on purpose. Columns are in the order of TRIGGERS. */
export const TABLE: Record<State, readonly (Step | null)[]> = {
  //            connect  resolved opened   ready        lost      stranded  ended     timeout   close      wake       offline   hide
  idle:        ['start', _,       _,       _,           _,        _,        _,        _,        'finish',  _,         _,        _],
  resolving:   ['renew', 'dial',  _,       _,           'retry',  'strand', 'finish', 'expire', 'shut',    'refresh', _,        'leave'],
  connecting:  ['renew', _,       'greet', 'establish', 'retry',  'strand', 'finish', 'expire', 'shut',    'refresh', _,        'leave'],
  handshaking: ['renew', _,       _,       'establish', 'retry',  'strand', 'finish', 'expire', 'shut',    'refresh', _,        'leave'],
  open:        ['renew', _,       _,       _,           'retry',  'strand', 'finish', 'beat',   'shut',    'probe',   'probe',  'leave'],
  waiting:     ['start', _,       _,       _,           _,        _,        _,        'start',  'shut',    'hasten',  'strand', 'strand'],
  paused:      ['start', _,       _,       _,           _,        _,        _,        'start',  'shut',    'hasten',  _,        _],
  closing:     ['renew', _,       _,       _,           'finish', 'finish', 'finish', 'settle', _,         _,         _,        _],
  closed:      ['start', _,       _,       _,           _,        _,        _,        _,        _,         _,         _,        _],
}

/** The step that `trigger` causes in `state`, or `null` if it is ignored there. */
export function stepFor(state: State, trigger: Trigger): Step | null {
  return TABLE[state][TRIGGERS.indexOf(trigger)] as Step | null
}

/** What `readyState` says in each state: the native numbers, so that code written for a `WebSocket` reads them right. */
export const READY_STATE: Record<State, 0 | 1 | 2 | 3> = {
  idle: 3,
  resolving: 0,
  connecting: 0,
  handshaking: 0,
  open: 1,
  waiting: 0,
  paused: 0,
  closing: 2,
  closed: 3,
}

/**
 * What bounds the time a state lasts ([S1]); `null` lasts until somebody acts. The three connecting states share one limit,
 * counted from the first of them. `open` is looked at by the heartbeat; it has no limit without one.
 */
export const LIMIT: Record<State, 'connectTimeout' | 'heartbeat' | 'delay' | 'recheck' | 'closeTimeout' | null> = {
  idle: null,
  resolving: 'connectTimeout',
  connecting: 'connectTimeout',
  handshaking: 'connectTimeout',
  open: 'heartbeat',
  waiting: 'delay',
  paused: 'recheck',
  closing: 'closeTimeout',
  closed: null,
}

/** One arrow of the state diagram. */
export interface Edge {
  readonly from: State
  readonly trigger: Trigger
  readonly step: Step
  readonly to: State
}

/** Every arrow of the table: the diagram in the docs and the one in the demo are drawn from it. */
export function edges(): Edge[] {
  return (Object.keys(TABLE) as State[]).flatMap((from) =>
    TRIGGERS.flatMap((trigger) => {
      const step = stepFor(from, trigger)
      return step ? [{ from, trigger, step, to: LEADS_TO[step] ?? from }] : []
    }),
  )
}
