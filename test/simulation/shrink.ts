// From a plan that breaks an invariant to a small one that breaks the same: fewer steps, then clients with fewer options.
import type { Action } from './actions.ts'
import type { Substitutes } from './client.ts'
import { type Outcome, type Plan, run } from './run.ts'
import { OMISSIBLE } from './settings.ts'

/** Runs that shrinking may take: a minute at the very most. */
const MOST_RUNS = 1_500

/** The smallest plan that was found, and what came of it. */
export interface Shrunk {
  readonly plan: Plan
  readonly outcome: Outcome
}

export async function shrink(plan: Plan, outcome: Outcome, substitutes?: Substitutes): Promise<Shrunk> {
  let best: Shrunk = { plan, outcome }
  let runs = 0

  /** Keeps a smaller plan if the same invariant breaks. Steps after it are of no use. */
  const attempt = async (actions: readonly Action[]): Promise<boolean> => {
    if (runs++ >= MOST_RUNS) return false
    const smaller = { seed: plan.seed, actions }
    const after = await run(smaller, { ...(substitutes && { substitutes }) })
    if (after.violation?.invariant !== outcome.violation?.invariant) return false
    best = { plan: { seed: plan.seed, actions: actions.slice(0, after.steps) }, outcome: after }
    return true
  }

  await attempt(plan.actions.slice(0, outcome.steps))
  for (let size = Math.ceil(best.plan.actions.length / 2); size >= 1; size = Math.floor(size / 2)) {
    // From the end: what came last is most likely to matter, and what goes before it is not.
    for (let start = best.plan.actions.length - size; start > -size; start -= size) {
      const { actions } = best.plan
      await attempt([...actions.slice(0, Math.max(start, 0)), ...actions.slice(start + size)])
    }
  }
  for (const [index, action] of best.plan.actions.entries()) {
    if (action.kind !== 'create') continue
    for (const name of OMISSIBLE) {
      const { actions } = best.plan
      const current = actions[index]
      if (!current) break
      const simpler = { ...current, without: [...(current.without ?? []), name] }
      await attempt([...actions.slice(0, index), simpler, ...actions.slice(index + 1)])
    }
  }
  const traced = await run(best.plan, { isTracing: true, ...(substitutes && { substitutes }) })
  return { plan: best.plan, outcome: traced }
}
