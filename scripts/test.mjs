// `npm test`: everything that decides whether this is fit to ship, in one command.
// The last line is the total. Each step without a runner of its own counts as one test.
// `npm test -- unit lint` runs only those steps.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENGINES, findEngine } from './browser.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'node_modules', '.bin')
/** @type {NodeJS.ProcessEnv} */
const env = { ...process.env, PATH: bin + delimiter + (process.env['PATH'] ?? '') }

/**
 * Runs a command line with its output shown, and tells whether it succeeded.
 * Without stdin: nothing may ask anything.
 * @param {string} line
 * @param {boolean} [isAside] Show the output in one piece at the end: others are shown meanwhile.
 * @returns {Promise<boolean>}
 */
const run = (line, isAside = false) =>
  new Promise((resolve) => {
    let said = `\n$ ${line}\n`
    if (!isAside) process.stdout.write(said)
    const output = isAside ? 'pipe' : 'inherit'
    const child = spawn(line, { cwd: root, env, shell: true, stdio: ['ignore', output, output] })
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (said += text))
    child.on('error', () => resolve(false))
    child.on('close', (code) => {
      if (isAside) process.stdout.write(said)
      resolve(code === 0)
    })
  })

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */

/**
 * A step that passes or fails as a whole: every command must succeed, and all run, to show all that is wrong.
 * @param {string[]} lines
 * @returns {() => Promise<Count>}
 */
const check =
  (...lines) =>
  async () => {
    let isFine = true
    for (const line of lines) isFine = (await run(line)) && isFine
    return { passed: isFine ? 1 : 0, failed: isFine ? 0 : 1, skipped: 0 }
  }

/** A failure that no single test reports: a crash, an error outside of tests, a file that does not load, no tests. */
const broken = (/** @type {string} */ reason) => {
  console.log(`\nFailed: ${reason}`)
  return 1
}

/**
 * A vitest project, counted from its JSON report.
 * @param {string} project
 * @param {boolean} [isAside]
 * @returns {() => Promise<Count>}
 */
const vitest = (project, isAside) => async () => {
  const report = join(results, `${project}.json`)
  const isFine = await run(
    `vitest run --project ${project} --reporter default --reporter json --outputFile.json "${report}"`,
    isAside,
  )
  try {
    /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number }} */
    const numbers = JSON.parse(await readFile(report, 'utf8'))
    const count = {
      passed: numbers.numPassedTests,
      failed: numbers.numFailedTests,
      skipped: numbers.numPendingTests + numbers.numTodoTests,
    }
    if (count.passed + count.failed === 0) count.failed += broken(`no test ran in the project ${project}`)
    else if (!isFine && count.failed === 0) count.failed += broken(`${project} failed outside of its tests`)
    return count
  } catch {
    return { passed: 0, failed: broken(`${project} left no report`), skipped: 0 }
  }
}

/** Engines that are not on this machine and may be left out. @type {Set<string>} */
const missing = new Set()

/** Finds or installs the browsers. In CI all must be there; elsewhere one that cannot be had is a skip that everybody sees. */
const engines = async () => {
  const count = { passed: 0, failed: 0, skipped: 0 }
  for (const engine of ENGINES) {
    console.log(`\n$ find ${engine}`)
    try {
      console.log(await findEngine(engine, { install: true }))
      count.passed += 1
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (process.env['CI']) count.failed += broken(reason)
      else {
        console.log(`\nSkipped: ${reason}`)
        missing.add(engine)
        count.skipped += 1
      }
    }
  }
  return count
}

/**
 * A project that needs an engine, unless that is missing.
 * @param {typeof ENGINES[number]} engine
 * @param {() => Promise<Count>} step
 */
const ifPresent = (engine, step) => () =>
  missing.has(engine) ? Promise.resolve({ passed: 0, failed: 0, skipped: 1 }) : step()

/** In this order: what others need first, then from fast to slow. */
/** @type {[name: string, step: () => Promise<Count>][]} */
const steps = [
  ['engines', engines],
  ['build', check('npm run --silent build', 'npm run --silent build:demo')],
  ['lint', check('oxlint --type-aware --deny-warnings')],
  ['format', check('oxfmt --check')],
  ['types', check('tsc -p test', 'tsc -p test/types', 'tsc -p demo')],
  ['package types', check('tsc -p test/types/tsconfig.dist.json', 'tsc -p test/types/tsconfig.plain.json')],
  ['package', check('node scripts/check-package.mjs')],
  ['publint', check('publint --strict')],
  ['attw', check('attw --pack --profile node16')],
  ['size', check('size-limit')],
  ['life', ifPresent('chromium', vitest('life', true))],
  ['unit', vitest('unit')],
  ['simulation', vitest('simulation')],
  ['dom', vitest('dom')],
  ['react-18', vitest('react-18')],
  ['vue-3.3', vitest('vue-3.3')],
  ['server', vitest('server')],
  ['chromium', ifPresent('chromium', vitest('chromium'))],
  ['firefox', ifPresent('firefox', vitest('firefox'))],
  ['webkit', ifPresent('webkit', vitest('webkit'))],
  ['e2e', vitest('e2e')],
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !steps.some(([known]) => known === name))
if (unknown.length > 0) {
  throw new RangeError(`Cannot run ${unknown.join(', ')}: the steps are ${steps.map(([name]) => name).join(', ')}`)
}

/** It waits for minutes and hardly computes: it runs beside those that follow. */
const aside = new Set(['life'])

/** For vitest's reports. */
const results = await mkdtemp(join(tmpdir(), 'heartwire-'))
const total = { passed: 0, failed: 0, skipped: 0 }
/** @type {string[]} */
const summary = []

/**
 * Runs a step and adds it up.
 * @param {string} name
 * @param {() => Promise<Count>} step
 */
const perform = async (name, step) => {
  const start = performance.now()
  const count = await step()
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  total.passed += count.passed
  total.failed += count.failed
  total.skipped += count.skipped
  const mark = count.failed > 0 ? 'FAILED' : 'ok'
  summary.push(`${mark.padEnd(6)}  ${name.padEnd(14)} ${describe(count)} (${seconds} s)`)
}

try {
  /** @type {Promise<void>[]} */
  const running = []
  for (const [name, step] of steps) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const done = perform(name, step)
    if (aside.has(name)) running.push(done)
    else await done
  }
  await Promise.all(running)
} finally {
  await rm(results, { recursive: true, force: true })
}

/** @param {Count} count */
function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

console.log(`\n${summary.join('\n')}\n`)
// Never `process.exit`: it may cut off the line that matters.
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
console.log(describe(total))
