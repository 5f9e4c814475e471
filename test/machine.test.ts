// The lifecycle table: what every state does with every trigger, and what no walk over it can ever do.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { edges, LEADS_TO, LIMIT, READY_STATE, stepFor, TABLE, TRIGGERS } from '../src/machine.ts'
import type { Step, Trigger } from '../src/machine.ts'
import type { State } from '../src/types.ts'

const STATES = Object.keys(TABLE) as State[]
const STEPS = Object.keys(LEADS_TO) as Step[]
const ATTEMPTING: readonly State[] = ['resolving', 'connecting', 'handshaking']

/** Where `trigger` leads from `state`. */
const after = (state: State, ...triggers: Trigger[]): State =>
  triggers.reduce((at, trigger) => {
    const step = stepFor(at, trigger)
    return step ? (LEADS_TO[step] ?? at) : at
  }, state)

/** Checks one cell of the table: `'retry → waiting'`, or `''` where the trigger is ignored. */
const check = (state: State, trigger: Trigger, expected: string): void => {
  const step = stepFor(state, trigger)
  expect(step ? `${step} → ${after(state, trigger)}` : '', `${trigger} in ${state}`).toBe(expected)
}

describe('the table', () => {
  test('[S1] every trigger in every state is defined, or ignored on purpose', () => {
    for (const state of STATES) {
      expect(TABLE[state], state).toHaveLength(TRIGGERS.length)
      for (const step of TABLE[state]) if (step) expect(STEPS).toContain(step)
    }
  })

  test('[S1] every step is used, and every trigger does something somewhere', () => {
    expect(STEPS.filter((step) => !edges().some((edge) => edge.step === step))).toEqual([])
    expect(TRIGGERS.filter((trigger) => !edges().some((edge) => edge.trigger === trigger))).toEqual([])
  })

  test('[S1] every state is reached from idle', () => {
    const reached = new Set<State>(['idle'])
    for (const from of reached) for (const edge of edges()) if (edge.from === from) reached.add(edge.to)
    expect([...reached].sort()).toEqual([...STATES].sort())
  })

  test('[S1] every state that must move on has a limit, and does something when it is over', () => {
    for (const state of STATES) {
      const isAtRest = state === 'idle' || state === 'closed'
      expect(LIMIT[state] === null, `limit of ${state}`).toBe(isAtRest)
      expect(stepFor(state, 'timeout') === null, `timeout in ${state}`).toBe(isAtRest)
    }
  })

  test('[S1] a trigger never leads to two states by way of one step', () => {
    for (const { from, step, to } of edges()) expect(to).toBe(LEADS_TO[step] ?? from)
  })

  test('[S1] the edges are the cells of the table that are defined', () => {
    const cells = STATES.flatMap((state) => TRIGGERS.map((trigger) => stepFor(state, trigger)).filter(Boolean))
    expect(edges().map(({ step }) => step)).toEqual(cells)
    for (const { from, trigger, step } of edges()) expect(stepFor(from, trigger)).toBe(step)
  })

  test('[P2] readyState is open in open, closing in closing, closed where nothing goes on, and connecting elsewhere', () => {
    const numbers = STATES.map((state) => [state, READY_STATE[state]])
    expect(Object.fromEntries(numbers)).toEqual({
      idle: 3,
      resolving: 0,
      connecting: 0,
      handshaking: 0,
      open: 1,
      waiting: 0,
      paused: 0,
      closing: 2,
      closed: 3,
    })
  })
})

describe('the way up', () => {
  test('[S1] with a handshake: resolving, connecting, handshaking, open', () => {
    expect(after('idle', 'connect')).toBe('resolving')
    expect(after('idle', 'connect', 'resolved')).toBe('connecting')
    expect(after('idle', 'connect', 'resolved', 'opened')).toBe('handshaking')
    expect(after('idle', 'connect', 'resolved', 'opened', 'ready')).toBe('open')
  })

  test('[S1] without a handshake connecting leads to open', () => {
    expect(after('idle', 'connect', 'resolved', 'ready')).toBe('open')
  })

  test('[S5] connect leads to a new attempt from every state', () => {
    for (const state of STATES) expect(after(state, 'connect'), state).toBe('resolving')
  })

  test('[S2] connect lets go of what there is first', () => {
    for (const state of ['resolving', 'connecting', 'handshaking', 'open', 'closing'] as const) {
      check(state, 'connect', 'renew → resolving')
    }
    for (const state of ['idle', 'waiting', 'paused', 'closed'] as const) check(state, 'connect', 'start → resolving')
  })
})

describe('the way down', () => {
  test('[S1] a loss is retried, paused while offline, or final', () => {
    for (const state of [...ATTEMPTING, 'open'] as const) {
      check(state, 'lost', 'retry → waiting')
      check(state, 'stranded', 'strand → paused')
      check(state, 'ended', 'finish → closed')
    }
  })

  test('[S5] whatever ends it while closing, it ends in closed', () => {
    for (const trigger of ['lost', 'stranded', 'ended'] as const) check('closing', trigger, 'finish → closed')
  })

  test('[S5] close leads to closed from every state, by way of closing at most', () => {
    for (const state of STATES) {
      const next = after(state, 'close')
      expect(['closing', 'closed'], state).toContain(next)
      if (next === 'closing') expect(after(next, 'timeout', 'ended'), state).toBe('closed')
    }
  })

  test('[S8] close begins a closing handshake, or the report of one, wherever readyState is 0 or 1', () => {
    for (const state of STATES) {
      if (READY_STATE[state] < 2) check(state, 'close', 'shut → closing')
    }
    check('idle', 'close', 'finish → closed')
    check('closing', 'close', '')
    check('closed', 'close', '')
  })

  test('[S1] the attempt that takes too long is failed, the wait that is over retries, the rest is looked at', () => {
    for (const state of ATTEMPTING) check(state, 'timeout', `expire → ${state}`)
    check('open', 'timeout', 'beat → open')
    check('waiting', 'timeout', 'start → resolving')
    check('paused', 'timeout', 'start → resolving')
    check('closing', 'timeout', 'settle → closing')
  })
})

describe('signals', () => {
  test('[N1] [N3] while open, wake and offline test the link and never drop it', () => {
    check('open', 'wake', 'probe → open')
    check('open', 'offline', 'probe → open')
  })

  test('[N2] offline while waiting pauses', () => check('waiting', 'offline', 'strand → paused'))

  test('[R7] wake cuts a wait short', () => {
    check('waiting', 'wake', 'hasten → waiting')
    check('paused', 'wake', 'hasten → waiting')
  })

  test('[R7] wake looks at an attempt that may hang; offline leaves it alone', () => {
    for (const state of ATTEMPTING) {
      check(state, 'wake', `refresh → ${state}`)
      check(state, 'offline', '')
    }
  })

  test('[N4] hide lets go of the connection or attempt, and stops a wait', () => {
    for (const state of [...ATTEMPTING, 'open'] as const) check(state, 'hide', 'leave → paused')
    check('waiting', 'hide', 'strand → paused')
    check('paused', 'hide', '')
  })

  test('[S5] no signal moves what is not started, closing or closed', () => {
    for (const state of ['idle', 'closing', 'closed'] as const) {
      for (const trigger of ['wake', 'offline', 'hide'] as const) check(state, trigger, '')
    }
  })
})

/** One step of a walk: where it was, what happened, and where it is then. */
interface Stride {
  readonly from: State
  readonly trigger: Trigger
  readonly step: Step | null
  readonly to: State
}

/** Walks from idle. Of ten numbers nine pick a trigger that is legal in the current state, so that walks get somewhere. */
const walk = (choices: readonly number[]): Stride[] => {
  const strides: Stride[] = []
  let state: State = 'idle'
  for (const choice of choices) {
    const legal = TRIGGERS.filter((trigger) => stepFor(state, trigger))
    const pool = choice % 10 > 0 ? legal : TRIGGERS
    const trigger = pool[Math.floor(choice / 10) % pool.length] as Trigger
    const to = after(state, trigger)
    strides.push({ from: state, trigger, step: stepFor(state, trigger), to })
    state = to
  }
  return strides
}

/** A connection or attempt is ours in these states: from `start` until its end is reported. */
const HOLDS: readonly State[] = [...ATTEMPTING, 'open']

/** Steps that let go of the connection or attempt. */
const LETS_GO: readonly (Step | null)[] = ['renew', 'retry', 'strand', 'finish', 'leave', 'shut']

/** What holds for each stride of every walk. */
const INVARIANTS: Record<string, (stride: Stride) => boolean> = {
  '[S5] closed is only left by connect': ({ from, trigger, to }) =>
    from !== 'closed' || to === 'closed' || trigger === 'connect',
  '[S5] closing is only left by its end or by connect': ({ from, trigger, to }) =>
    from !== 'closing' || to === 'closing' || to === 'closed' || trigger === 'connect',
  'idle is never entered again': ({ from, to }) => to !== 'idle' || from === 'idle',
  '[S1] a trigger that is ignored changes nothing': ({ step, from, to }) => step !== null || from === to,
  '[S1] only resolving leads to connecting, and only connecting to handshaking': ({ from, to }) =>
    (to !== 'connecting' || from === 'resolving' || from === to) &&
    (to !== 'handshaking' || from === 'connecting' || from === to),
  '[P6] open is only entered by ready, from a native connection that is open': ({ from, trigger, to }) =>
    to !== 'open' || from === 'open' || (trigger === 'ready' && (from === 'connecting' || from === 'handshaking')),
  '[S2] a connection or attempt is never left but by a step that lets go of it': ({ from, step, to }) =>
    !HOLDS.includes(from) || HOLDS.indexOf(to) >= HOLDS.indexOf(from) || LETS_GO.includes(step),
  '[P2] readyState never goes from 1 to 0 but by the loss, the renewal or the hiding of the connection': ({
    from,
    trigger,
    to,
  }) =>
    READY_STATE[from] !== 1 ||
    READY_STATE[to] !== 0 ||
    (['lost', 'stranded', 'connect', 'hide'] as Trigger[]).includes(trigger),
  '[P2] readyState never goes back from 2 but by connect': ({ from, trigger, to }) =>
    READY_STATE[from] !== 2 || READY_STATE[to] >= 2 || trigger === 'connect',
  '[N1] no signal but hide ever ends a connection': ({ from, trigger, to }) =>
    from !== 'open' || to === 'open' || (trigger !== 'wake' && trigger !== 'offline'),
  '[S1] a state that must move on has a limit': ({ to }) => LIMIT[to] !== null || to === 'idle' || to === 'closed',
}

describe('every walk over the table', () => {
  const walks = fc.array(fc.nat(), { minLength: 1, maxLength: 60, size: 'max' }).map(walk)

  test.each(Object.entries(INVARIANTS))('%s', (_name, holds) => {
    fc.assert(fc.property(walks, (strides) => strides.every(holds)))
  })

  test('[S5] close, a timeout and the end that it causes lead to closed from wherever a walk stands', () => {
    fc.assert(
      fc.property(walks, (strides) => {
        const { to } = strides.at(-1) as Stride
        expect(after(to, 'close', 'timeout', 'ended')).toBe('closed')
      }),
    )
  })

  test('[S1] walks visit every state, or they would prove nothing', () => {
    const visited = fc.sample(walks, { seed: 1, numRuns: 200 }).flatMap((strides) => strides.map(({ to }) => to))
    for (const state of STATES) if (state !== 'idle') expect(visited).toContain(state)
  })
})
