// The command line: replays one seed, or runs many. `scripts/simulate.mjs` bundles and starts it.
import { parseArgs } from 'node:util'
import { planOf, run } from './run.ts'
import { explain, trySeed } from './report.ts'

const HELP = `npm run simulate -- [--runs N] [--steps N] [--from SEED]   many seeds, from a random one on (--runs 1000)
npm run simulate -- --seed N [--steps N] [--trail]         one seed; --trail shows all that happens in it`

/** The seeds there are. */
const SEEDS = 2 ** 32
/** Runs between two lines about how far it is. */
const PROGRESS = 1_000

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '200' },
    from: { type: 'string' },
    trail: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

function numberIn(name: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 0) return number
  throw new RangeError(`Cannot simulate as '--${name}' must be a whole number from 0: current value is '${text}'`)
}

async function replay(seed: number, steps: number): Promise<boolean> {
  const outcome = await run(planOf(seed, steps), { isTracing: values.trail })
  for (const line of outcome.trail) console.log(line)
  if (outcome.violation) console.log(await explain(seed, steps, outcome))
  else console.log(`Seed ${seed}: ${outcome.steps} steps, ${outcome.turns} turns, nothing broken`)
  return !outcome.violation
}

async function runMany(first: number, runs: number, steps: number): Promise<boolean> {
  const start = process.hrtime.bigint()
  const broken = new Map<string, number[]>()
  const total = { steps: 0, turns: 0 }
  for (let done = 1; done <= runs; done++) {
    const seed = (first + done - 1) % SEEDS
    const outcome = await trySeed(seed, steps)
    total.steps += outcome.steps
    total.turns += outcome.turns
    const { violation } = outcome
    if (violation) {
      const seeds = broken.get(violation.invariant) ?? []
      // The first of each kind is worth a look at once; the others are counted.
      if (seeds.length === 0) console.log(`\n${await explain(seed, steps, outcome)}\n`)
      broken.set(violation.invariant, [...seeds, seed])
    }
    if (done % PROGRESS !== 0 && done !== runs) continue
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    const perMillion = (seconds / total.steps) * 1e6
    const failures = [...broken.values()].reduce((sum, seeds) => sum + seeds.length, 0)
    console.log(
      `${done} seeds from ${first}, ${total.steps} steps, ${total.turns} turns in ${seconds.toFixed(1)} s (${perMillion.toFixed(0)} s per million steps), ${failures} broken`,
    )
  }
  for (const [invariant, seeds] of broken) console.log(`${invariant}: ${seeds.join(', ')}`)
  return broken.size === 0
}

if (values.help) console.log(HELP)
else {
  const steps = numberIn('steps', values.steps)
  const isFine =
    values.seed === undefined
      ? await runMany(
          values.from === undefined ? Math.floor(Math.random() * SEEDS) : numberIn('from', values.from),
          numberIn('runs', values.runs),
          steps,
        )
      : await replay(numberIn('seed', values.seed), steps)
  process.exitCode = isFine ? 0 : 1
}
