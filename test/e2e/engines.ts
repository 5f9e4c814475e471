// One suite for all engines: which of them are on this machine, and what to do without one.
import { describe } from 'vitest'
import { ENGINES, findEngine } from '../../scripts/browser.mjs'
import type { Engine } from '../../scripts/browser.mjs'

const missing = new Set<Engine>()
for (const engine of ENGINES) {
  await findEngine(engine).catch(() => missing.add(engine)) // Who starts it anyway is told why it cannot be.
}

/** `npm test` always has a Chromium, and CI must have them all; whoever names one by its variable wants just that one. */
const isRequired = (engine: Engine): boolean =>
  Boolean(engine === 'chromium' || process.env['CI'] || process.env[`HEARTWIRE_${engine.toUpperCase()}`])

/**
 * Runs a suite in each engine: side by side, since most of the time goes by in waiting for a heartbeat or a retry, and one
 * test after the other within each. An engine that is not there is a skip that says so, or a failure where it is required.
 */
export function inEachEngine(name: string, suite: (engine: Engine) => void): void {
  for (const engine of ENGINES) {
    const isSkipped = missing.has(engine) && !isRequired(engine)
    describe.skipIf(isSkipped).concurrent(isSkipped ? `${engine}, which is not on this machine` : engine, () => {
      describe.sequential(name, () => suite(engine))
    })
  }
}
