// What a failure says: the sentence, the seed, and the shortest way there.
import type { Substitutes } from './client.ts'
import { type Outcome, type Plan, planOf, run } from './run.ts'
import { shrink } from './shrink.ts'

/** Lines of a trail that are shown; the end of it is what matters. */
const MOST_LINES = 120
const MOST_COLUMNS = 400

/** One seed, from the plan to the verdict. */
export async function trySeed(seed: number, steps: number, substitutes?: Substitutes): Promise<Outcome> {
  return run(planOf(seed, steps), { ...(substitutes && { substitutes }) })
}

/** Shrinks what a seed has broken, and puts it in words. */
export async function explain(
  seed: number,
  steps: number,
  outcome: Outcome,
  substitutes?: Substitutes,
): Promise<string> {
  const plan: Plan = planOf(seed, steps)
  const { plan: smallest, outcome: last } = await shrink(plan, outcome, substitutes)
  const lines = last.trail.map((line) => (line.length > MOST_COLUMNS ? `${line.slice(0, MOST_COLUMNS)}…` : line))
  const hidden = Math.max(0, lines.length - MOST_LINES)
  return [
    `Not so: ${outcome.violation?.message}`,
    `Seed ${seed}, step ${outcome.steps} of ${steps}; see it again with: npm run simulate -- --seed ${seed} --steps ${steps}`,
    `The same breaks in ${smallest.actions.length} steps: ${last.violation?.message}`,
    ...(hidden > 0 ? [`  … ${hidden} lines before`] : []),
    ...lines.slice(hidden).map((line) => `  ${line}`),
  ].join('\n')
}
