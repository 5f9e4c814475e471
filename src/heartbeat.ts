// Is the link alive? Pure: what is known goes in, a verdict and the time of the next look come out.

/** The numbers and modes that the verdict depends on. */
export interface HeartbeatRule {
  readonly interval: number
  readonly timeout: number
  readonly when: 'idle' | 'always'
  readonly from: 'client' | 'server'
  /** Whether we have something to ask with; `from: 'server'` may have nothing. */
  readonly canAsk: boolean
}

/** What is known of one connection. All times are in ms on one monotonic clock. */
export interface Pulse {
  /** When anything last arrived. A message writes this and nothing else ([H5]). */
  heard: number
  /** When we last asked. */
  sent: number
  /** When the question that is still open was asked; `null` when none is. */
  asked: number | null
  /** How long its answer may take. */
  patience: number
  /** Whether a late check has already been forgiven since the last sign of life. */
  isForgiven: boolean
}

export type Verdict = 'fine' | 'ask' | 'dead'

/**
 * How long an answer may take when we ask out of turn, at most, in ms. A phone that wakes up needs a second or two for its
 * radio; a user who looks at the page again should not wait much longer than that.
 */
export const SHORT_TIMEOUT = 5_000

/** A fresh connection. The first beat is drawn from the interval, so that a fleet does not beat in step ([H8]). */
export function firstPulse(rule: HeartbeatRule, now: number, random: () => number): Pulse {
  const start = rule.from === 'client' ? now - rule.interval * random() : now
  return { heard: start, sent: start, asked: null, patience: 0, isForgiven: false }
}

/** How long to wait for an answer that we asked for out of turn. */
export function shortTimeout(rule: HeartbeatRule): number {
  return Math.min(rule.timeout, SHORT_TIMEOUT)
}

/** When the next beat is due; `Infinity` when it is not ours to send. */
export function nextBeat(pulse: Pulse, rule: HeartbeatRule): number {
  if (rule.from === 'server') return Infinity
  if (rule.when === 'always') return pulse.sent + rule.interval
  return isAsking(pulse) ? Infinity : Math.max(pulse.heard, pulse.sent) + rule.interval
}

/**
 * When to look again. A message re-arms nothing, so while a question is open look once an interval: if its answer came
 * long before `timeout`, the silence after it must not be granted the rest of that time ([H4]).
 */
export function nextCheck(pulse: Pulse, rule: HeartbeatRule, now = Infinity): number {
  const due = Math.min(nextBeat(pulse, rule), deadline(pulse, rule))
  if (!isAsking(pulse)) return due
  const intervals = Math.floor(Math.max(now - pulse.sent, 0) / rule.interval) + 1
  return Math.min(due, pulse.sent + intervals * rule.interval)
}

/**
 * The verdict at `now`, and the pulse after it. `isLate`: the check itself came late. A late check forgives once: whatever
 * the link has delivered meanwhile may still lie in a queue, so ask again and judge after a short timeout ([H6]). It does
 * not forgive twice in a row, or a dead link would never be noticed in a hidden tab, where every check is late.
 */
export function judge(pulse: Pulse, rule: HeartbeatRule, now: number, isLate: boolean): [Verdict, Pulse] {
  const known = settled(pulse)
  if (now >= deadline(known, rule)) {
    if (!isLate || known.isForgiven) return ['dead', known]
    return ask({ ...known, asked: null, isForgiven: true }, rule, now, shortTimeout(rule))
  }
  return now < nextBeat(known, rule) ? ['fine', known] : ask(known, rule, now, rule.timeout)
}

/**
 * A signal says: look now ([N1], [N3]). Asks with a short timeout, unless a question is open: then its answer has at most
 * that long. An overdue question is one we slept through, so it is asked again.
 */
export function probe(pulse: Pulse, rule: HeartbeatRule, now: number, isLate: boolean): [Verdict, Pulse] {
  if (!rule.canAsk) return ['fine', pulse]
  const known = settled(pulse)
  // The question must not grant a silent server more time than it has without it ([H2]).
  const rest = rule.from === 'server' && !isLate ? known.heard + rule.interval + rule.timeout - now : Infinity
  const short = Math.min(shortTimeout(rule), rest)
  if (known.asked === null || isLate) return ask({ ...known, asked: null }, rule, now, short)
  return ['fine', { ...known, patience: Math.min(known.patience, now - known.asked + short) }]
}

function ask(pulse: Pulse, rule: HeartbeatRule, now: number, patience: number): [Verdict, Pulse] {
  if (!rule.canAsk) return ['fine', { ...pulse, asked: now, patience: rule.interval + rule.timeout }]
  return ['ask', pulse.asked === null ? { ...pulse, sent: now, asked: now, patience } : { ...pulse, sent: now }]
}

/** A question that was answered is none, and a sign of life makes good what was forgiven. */
function settled(pulse: Pulse): Pulse {
  return isAsking(pulse) ? pulse : { ...pulse, asked: null, isForgiven: false }
}

/** Whether a question is open: asked, and nothing was heard since. */
export function isAsking(pulse: Pulse): boolean {
  return pulse.asked !== null && pulse.heard < pulse.asked
}

function deadline(pulse: Pulse, rule: HeartbeatRule): number {
  if (pulse.asked !== null && isAsking(pulse)) return pulse.asked + pulse.patience
  return rule.from === 'server' ? pulse.heard + rule.interval + rule.timeout : Infinity
}
