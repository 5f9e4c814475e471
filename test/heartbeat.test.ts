// Is the link alive? First by example, then on simulated links: healthy or dead, with timers that are on time or late.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstPulse, judge, nextBeat, nextCheck, probe, SHORT_TIMEOUT, shortTimeout } from '../src/heartbeat.ts'
import type { HeartbeatRule, Pulse, Verdict } from '../src/heartbeat.ts'

const idle: HeartbeatRule = { interval: 25_000, timeout: 10_000, when: 'idle', from: 'client', canAsk: true }
const always: HeartbeatRule = { ...idle, when: 'always' }
const server: HeartbeatRule = { ...idle, from: 'server', canAsk: false }
const askable: HeartbeatRule = { ...server, canAsk: true }

/** A pulse of a connection that was heard at 0 and never asked. */
const pulse = (known: Partial<Pulse> = {}): Pulse => ({
  heard: 0,
  sent: 0,
  asked: null,
  patience: 0,
  isForgiven: false,
  ...known,
})

/** A question asked at `at`, and not answered since 0. */
const asking = (at: number, patience = 10_000, isForgiven = false): Pulse =>
  pulse({ sent: at, asked: at, patience, isForgiven })

/** Checks the verdict, and when to look again after it. */
const check = (
  [verdict, after]: [Verdict, Pulse],
  rule: HeartbeatRule,
  expected: Verdict,
  lookAgainAt: number,
): void => {
  expect({ verdict, lookAgainAt: nextCheck(after, rule) }).toEqual({ verdict: expected, lookAgainAt })
}

describe('the first beat', () => {
  test.each([
    [0, 125_000],
    [0.5, 112_500],
    [0.75, 106_250],
  ])('[H8] a client that draws %d beats first at %i', (draw, at) => {
    for (const rule of [idle, always])
      expect(
        nextCheck(
          firstPulse(rule, 100_000, () => draw),
          rule,
        ),
      ).toBe(at)
  })

  test('[H2] a server has its whole time to beat first, whatever is drawn', () => {
    expect(
      nextCheck(
        firstPulse(server, 100_000, () => 0.9),
        server,
      ),
    ).toBe(135_000)
  })
})

describe('idle', () => {
  test('[H1] nothing is asked before the interval is over', () => {
    check(judge(pulse(), idle, 24_999, false), idle, 'fine', 25_000)
  })

  test('[H1] after an interval of silence it asks', () => {
    check(judge(pulse(), idle, 25_000, false), idle, 'ask', 35_000)
  })

  test('[H1] any message postpones the beat', () => {
    check(judge(pulse({ heard: 20_000 }), idle, 25_000, false), idle, 'fine', 45_000)
  })

  test('[H1] a question that was asked is not asked again', () => {
    check(judge(asking(25_000), idle, 34_999, false), idle, 'fine', 35_000)
  })

  test('[H1] [H4] without an answer within the timeout the link is dead', () => {
    check(judge(asking(25_000), idle, 35_000, false), idle, 'dead', 35_000)
  })

  test('[H1] a beat that was due and left out is due again an interval later, not at once', () => {
    expect(nextBeat(pulse({ sent: 25_000 }), idle)).toBe(50_000)
  })

  test.each([25_000, 25_001, 34_999])('[H1] anything that arrives at %i is an answer', (heard) => {
    check(judge({ ...asking(25_000), heard }, idle, 35_000, false), idle, 'fine', heard + 25_000)
  })

  test('[H1] what arrived before the question is no answer', () => {
    check(judge({ ...asking(25_000), heard: 24_999 }, idle, 35_000, false), idle, 'dead', 35_000)
  })
})

describe('always', () => {
  test('[H1] messages postpone nothing', () => {
    check(judge(pulse({ heard: 24_999 }), always, 25_000, false), always, 'ask', 35_000)
  })

  test('[H7] the next beat is due an interval after the last', () => {
    expect(nextBeat(pulse({ sent: 50_000, heard: 60_000 }), always)).toBe(75_000)
  })

  test('[H1] a timeout longer than the interval: beats go on, the first question stays open', () => {
    const rule = { ...always, timeout: 60_000 }
    const [verdict, after] = judge(asking(25_000, 60_000), rule, 50_000, false)
    check([verdict, after], rule, 'ask', 75_000)
    expect(after).toMatchObject({ sent: 50_000, asked: 25_000, patience: 60_000 })
    check(judge(after, rule, 85_000, false), rule, 'dead', 75_000)
  })

  test('[H1] an answered question is closed, so that the next beat opens one of its own', () => {
    const [, after] = judge({ ...asking(25_000), heard: 26_000 }, always, 50_000, false)
    expect(after).toMatchObject({ sent: 50_000, asked: 50_000, patience: 10_000 })
  })
})

describe('the server beats', () => {
  test('[H2] the next beat is never ours', () => {
    expect(nextBeat(pulse(), server)).toBe(Infinity)
    expect(nextBeat(pulse(), { ...askable, when: 'always' })).toBe(Infinity)
  })

  test('[H2] silence of interval and timeout together is death', () => {
    check(judge(pulse(), server, 34_999, false), server, 'fine', 35_000)
    check(judge(pulse(), server, 35_000, false), server, 'dead', 35_000)
    check(judge(pulse({ heard: 1 }), server, 35_000, false), server, 'fine', 35_001)
  })
})

describe('a check that comes late', () => {
  test('[H6] is no evidence: it asks again, and judges after a short timeout', () => {
    check(judge(asking(25_000), idle, 95_000, true), idle, 'ask', 100_000)
  })

  test('[H6] judges after the timeout itself where that is shorter', () => {
    const rule = { ...idle, timeout: 300 }
    check(judge(asking(25_000, 300), rule, 95_000, true), rule, 'ask', 95_300)
  })

  test('[H6] gives a server that cannot be asked its whole time again', () => {
    check(judge(pulse(), server, 95_000, true), server, 'fine', 130_000)
  })

  test('[H6] asks a server that can be asked', () => {
    check(judge(pulse(), askable, 95_000, true), askable, 'ask', 100_000)
  })

  test('[H6] does not forgive twice in a row', () => {
    const [, after] = judge(asking(25_000), idle, 95_000, true)
    check(judge(after, idle, 155_000, true), idle, 'dead', 100_000)
    const [, waiting] = judge(pulse(), server, 95_000, true)
    check(judge(waiting, server, 195_000, true), server, 'dead', 130_000)
  })

  test('[H6] forgives again after a sign of life', () => {
    const [, after] = judge(asking(25_000), idle, 95_000, true)
    const [verdict, alive] = judge({ ...after, heard: 95_100 }, idle, 155_000, true)
    check([verdict, alive], idle, 'ask', 165_000)
    check(judge(alive, idle, 255_000, true), idle, 'ask', 260_000)
  })

  test('[H6] asks in turn when nothing was overdue', () => {
    check(judge(pulse(), idle, 95_000, true), idle, 'ask', 105_000)
    check(judge(asking(25_000), idle, 30_000, true), idle, 'fine', 35_000)
  })
})

describe('probe', () => {
  test('[H2] grants a silent server no more time than it has without it', () => {
    // Silence since 0; death at 35,000.
    check(probe(pulse(), askable, 34_000, false), askable, 'ask', 35_000)
    check(probe(pulse(), askable, 20_000, false), askable, 'ask', 25_000)
    // Late: who slept through the server's beats asks first.
    check(probe(pulse(), askable, 90_000, true), askable, 'ask', 95_000)
  })

  test('[N1] asks at once, with a short timeout', () => check(probe(pulse(), idle, 7_000, false), idle, 'ask', 12_000))

  test('[N1] the short timeout is never longer than the timeout', () => {
    expect(shortTimeout(idle)).toBe(SHORT_TIMEOUT)
    expect(shortTimeout({ ...idle, timeout: 4_999 })).toBe(4_999)
  })

  test('[N1] with nothing to ask with it leaves the link alone', () => {
    check(probe(pulse(), server, 7_000, false), server, 'fine', 35_000)
  })

  test('[N3] an open question gets no new one, but less time', () => {
    check(probe(asking(25_000), idle, 26_000, false), idle, 'fine', 31_000)
    check(probe(asking(25_000), idle, 34_000, false), idle, 'fine', 35_000)
  })

  test('[N3] one signal after the other never gives a dead link more time', () => {
    let [, last] = probe(asking(25_000), idle, 26_000, false)
    for (const now of [27_000, 28_000, 30_999]) [, last] = probe(last, idle, now, false)
    expect(nextCheck(last, idle)).toBe(31_000)
  })

  test('[H6] an open question that we slept through is asked again', () => {
    check(probe(asking(25_000), idle, 95_000, true), idle, 'ask', 100_000)
  })

  test('[H6] a sign of life makes good what was forgiven, so that a late check after a probe is forgiven again', () => {
    const [, forgiven] = judge(asking(25_000), idle, 95_000, true)
    const [, probed] = probe({ ...forgiven, heard: 95_100 }, idle, 96_000, false)
    check(judge(probed, idle, 200_000, true), idle, 'ask', 205_000)
  })

  test('[N3] a question that was answered is none', () => {
    check(probe({ ...asking(25_000), heard: 25_100 }, idle, 26_000, false), idle, 'ask', 31_000)
  })
})

test('[H5] a pulse is never changed: what is known goes in, and a new one comes out', () => {
  for (const known of [pulse(), asking(25_000)]) {
    const frozen = Object.freeze({ ...known })
    for (const rule of [idle, always, server, askable]) {
      for (const isLate of [false, true]) {
        judge(frozen, rule, 95_000, isLate)
        probe(frozen, rule, 95_000, isLate)
      }
    }
    expect(frozen).toEqual(known)
  }
})

/** A link, and what runs over it besides our questions. Times are in ms from the moment it opened. */
interface Link {
  /** How long a question takes to be answered. */
  readonly latency: number
  /** From then on nothing arrives any more. */
  readonly deadFrom: number
  /** When the server says something of its own accord. */
  readonly chatter: readonly number[]
  /** How late the server's beats are, in turn. A client's heartbeat hears none. */
  readonly beats: readonly number[]
  /** When a signal makes us look. */
  readonly signals: readonly number[]
  /** How late our checks are, in turn. */
  readonly lateness: readonly number[]
  /** What chance says about the first beat. */
  readonly draw: number
}

interface Outcome {
  /** When the link was found dead; `null` if it was not in 1,000 checks. */
  readonly diedAt: number | null
  /** The last sign of life; the opening is one. */
  readonly lastHeard: number
}

/** Runs a heartbeat over a link in the worst order: what arrives while a check is late is delivered after it. */
const simulate = (rule: HeartbeatRule, link: Link): Outcome => {
  const answers = [...link.chatter]
  const signals = [...link.signals]
  let beats = 0
  let now = 0
  let known = firstPulse(rule, now, () => link.draw)
  let due = nextCheck(known, rule, now)

  /** When the server's next beat arrives. */
  const beat = (): number =>
    rule.from === 'client' ? Infinity : (beats + 1) * rule.interval + (link.beats[beats % link.beats.length] as number)

  /** Does what a verdict says, and sets the timer, which a message never does. */
  const obey = ([verdict, next]: [Verdict, Pulse]): boolean => {
    if (verdict === 'ask') answers.push(now + link.latency)
    known = next
    due = nextCheck(known, rule, now)
    return verdict === 'dead'
  }

  for (let checks = 0; checks < 1_000;) {
    const answer = Math.min(...answers)
    const arrival = Math.min(answer, beat())
    const signal = Math.min(...signals)
    const dueFrom = Math.max(now, due)
    if (Math.min(arrival, signal) > dueFrom) {
      const late = link.lateness[checks++ % link.lateness.length] as number
      now = dueFrom + late
      if (obey(judge(known, rule, now, late > 100))) return { diedAt: now, lastHeard: Math.max(0, known.heard) }
    } else if (arrival <= signal) {
      if (arrival === answer) answers.splice(answers.indexOf(answer), 1)
      else beats++
      now = Math.max(now, arrival)
      if (arrival < link.deadFrom) known.heard = now
    } else {
      signals.splice(signals.indexOf(signal), 1)
      now = Math.max(now, signal)
      obey(probe(known, rule, now, false))
    }
  }
  return { diedAt: null, lastHeard: Math.max(0, known.heard) }
}

const anyRule: fc.Arbitrary<HeartbeatRule> = fc
  .record({
    interval: fc.integer({ min: 500, max: 60_000 }),
    timeout: fc.integer({ min: 1, max: 60_000 }),
    when: fc.constantFrom('idle', 'always'),
    from: fc.constantFrom('client', 'server'),
    canAsk: fc.boolean(),
  })
  .filter(({ from, canAsk }) => from === 'server' || canAsk)

/** 0, 1/8, … 7/8: sums of such parts are exact. */
const anyPart = fc.nat(7).map((eighths) => eighths / 8)

/** A rule, and a link on which questions are answered within `patience` and a server beats in time, until it is dead. */
const anyLink = (patience: (rule: HeartbeatRule) => number): fc.Arbitrary<[HeartbeatRule, Link]> =>
  anyRule.chain((rule) => {
    const anyTime = fc.nat(40 * rule.interval)
    return fc.tuple(
      fc.constant(rule),
      fc.record({
        latency: anyPart.map((part) => part * patience(rule)),
        deadFrom: anyTime,
        chatter: fc.array(anyTime, { maxLength: 8 }),
        beats: fc.array(
          anyPart.map((part) => part * rule.timeout),
          { minLength: 1, maxLength: 8 },
        ),
        signals: fc.array(anyTime, { maxLength: 4 }),
        lateness: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 101, max: 101 + 20 * rule.interval })), {
          minLength: 1,
          maxLength: 8,
        }),
        draw: anyPart,
      }),
    )
  })

const ON_TIME = { lateness: [0] }
const HEALTHY = { deadFrom: Infinity }
const UNDISTURBED = { signals: [] }

describe('on a simulated link', () => {
  const anyWithinTimeout = anyLink((rule) => rule.timeout)
  const anyWithinShortTimeout = anyLink(shortTimeout)

  test('[H1] [H2] one that answers within the timeout is never found dead', () => {
    fc.assert(
      fc.property(anyWithinTimeout, ([rule, link]) => {
        expect(simulate(rule, { ...link, ...HEALTHY, ...ON_TIME, ...UNDISTURBED }).diedAt).toBeNull()
      }),
    )
  })

  test('[H6] [N3] one that answers within the short timeout is never found dead, however late the checks, for any signals', () => {
    fc.assert(
      fc.property(anyWithinShortTimeout, ([rule, link]) => {
        expect(simulate(rule, { ...link, ...HEALTHY }).diedAt).toBeNull()
      }),
    )
  })

  test('[H4] one that dies is noticed within interval and timeout of the last sign of life, and not before', () => {
    fc.assert(
      fc.property(anyWithinTimeout, ([rule, link]) => {
        const { diedAt, lastHeard } = simulate(rule, { ...link, ...ON_TIME, ...UNDISTURBED })
        expect(diedAt).not.toBeNull()
        expect(diedAt).toBeGreaterThanOrEqual(link.deadFrom)
        expect(diedAt).toBeLessThanOrEqual(lastHeard + rule.interval + rule.timeout)
      }),
    )
  })

  test('[H4] [N1] signals never delay what is noticed', () => {
    fc.assert(
      fc.property(anyWithinShortTimeout, ([rule, link]) => {
        const { diedAt, lastHeard } = simulate(rule, { ...link, ...ON_TIME })
        expect(diedAt).not.toBeNull()
        expect(diedAt).toBeLessThanOrEqual(lastHeard + rule.interval + rule.timeout)
      }),
    )
  })

  test('[H6] one that dies is noticed although every check is late: each is late once, and one is forgiven', () => {
    fc.assert(
      fc.property(anyWithinShortTimeout, ([rule, link]) => {
        const { diedAt, lastHeard } = simulate(rule, { ...link, ...UNDISTURBED })
        const forgiven = rule.canAsk ? shortTimeout(rule) : rule.interval + rule.timeout
        const late = Math.max(...link.lateness)
        expect(diedAt).not.toBeNull()
        expect(diedAt).toBeLessThanOrEqual(lastHeard + rule.interval + rule.timeout + forgiven + 3 * late)
      }),
    )
  })
})
