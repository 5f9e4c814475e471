// Thousands of lives of real sockets in a simulated world. Nothing here waits: time is virtual.
import { describe, expect, test } from 'vitest'
import { BROKEN } from './broken.ts'
import type { Substitutes } from './client.ts'
import { INVARIANTS } from './invariants.ts'
import { explain, trySeed } from './report.ts'
import { planOf, run } from './run.ts'
import { shrink } from './shrink.ts'

const STEPS = 200
/** Seeds per test, and how many such tests: together about 20 s. */
const SEEDS = 100
const FIXED = 6
/** Seeds that are new in each run; `npm run simulate` tries as many as one likes. */
const FRESH = 50
/** A broken client must be found within so many seeds. */
const MOST_SEEDS = 150

const isLong = { timeout: 120_000 }

/** Runs seeds until one breaks something; `null` if none does. */
async function search(first: number, count: number, substitutes?: Substitutes): Promise<string | null> {
  for (let seed = first; seed < first + count; seed++) {
    const outcome = await trySeed(seed, STEPS, substitutes)
    if (outcome.violation) return explain(seed, STEPS, outcome, substitutes)
  }
  return null
}

describe('[S1] to [S8], [Q1] to [Q5]: every invariant holds', isLong, () => {
  test.each(Array.from({ length: FIXED }, (_, index) => 1 + index * SEEDS))('over 100 seeds from %i', async (first) => {
    expect(await search(first, SEEDS)).toBeNull()
  })

  test('over seeds that nobody has tried before', async () => {
    expect(await search(Math.floor(Math.random() * 2 ** 31), FRESH)).toBeNull()
  })
})

describe('the simulation', isLong, () => {
  test('is deterministic: one seed, one trail', async () => {
    const first = await run(planOf(42, STEPS), { isTracing: true })
    const second = await run(planOf(42, STEPS), { isTracing: true })
    expect(first.trail.length).toBeGreaterThan(200)
    expect(second).toEqual(first)
  })

  test('gives the platform back', async () => {
    const look = (): unknown[] => [
      ...[globalThis.setTimeout, globalThis.clearTimeout, Date.now, Math.random],
      Object.hasOwn(performance, 'now'),
      ...['uncaughtException', 'unhandledRejection'].map((type) => process.listenerCount(type)),
    ]
    const before = look()
    await trySeed(1, STEPS)
    expect(look()).toEqual(before)
  })

  test.each(Object.entries(BROKEN))('notices a client that %s', async (_, [invariant, substitutes]) => {
    for (let seed = 1; seed <= MOST_SEEDS; seed++) {
      const { violation } = await trySeed(seed, STEPS, substitutes)
      if (violation) return expect(violation.message).toContain(INVARIANTS[invariant])
    }
    expect.unreachable(`nothing was noticed in ${MOST_SEEDS} seeds`)
  })

  test('has a broken client for every invariant', () => {
    // A second connection at the server would take a second socket, and that is noticed first.
    const proved = new Set(['oneConnection', ...Object.values(BROKEN).map(([invariant]) => invariant)])
    expect([...proved].sort()).toEqual(Object.keys(INVARIANTS).sort())
  })

  test('shrinks what it finds', async () => {
    const [, substitutes] = BROKEN['counts one byte too many'] as (typeof BROKEN)[string]
    const outcome = await trySeed(2, STEPS, substitutes)
    const { plan } = await shrink(planOf(2, STEPS), outcome, substitutes)
    expect(plan.actions.length).toBeLessThan(5)
    expect(plan.actions.map(({ kind }) => kind)).toContain('create')
  })

  test('says how to see it again', async () => {
    const [, substitutes] = BROKEN['counts one byte too many'] as (typeof BROKEN)[string]
    expect(await search(1, MOST_SEEDS, substitutes)).toContain('npm run simulate -- --seed')
  })
})
