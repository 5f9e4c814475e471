// `npm run reliability`: lets every fault happen in every engine and writes what users saw into docs/reliability.md.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChromium, findFirefox, findWebKit } from './browser.mjs'

/** @typedef {import('../test/support/reliability.ts').Observation} Observation */

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'heartwire-'))

/** What one run has seen. @param {number} index */
const fileOf = (index) => join(folder, `${index}.jsonl`)

/** `Mozilla Firefox 153.7.0esr` → `153.7`. @param {string} path */
const versionOf = (path) =>
  /\d+\.\d+/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout)?.[0] ?? 'of unknown version'

/** The window that tells its version needs a display, even for that. @param {import('./browser.mjs').WebKit} webkit */
const versionOfWebKit = ({ browser }) => {
  const { stdout } = spawnSync('dpkg-query', ['--search', browser], { encoding: 'utf8' })
  const owner = stdout?.split(':')[0] ?? ''
  const { stdout: version } = spawnSync('dpkg-query', ['--show', owner], { encoding: 'utf8' })
  return /\d+\.\d+/.exec(version?.split('\t')[1] ?? '')?.[0] ?? 'of unknown version'
}

const ENGINES = {
  chromium: ['Chromium', versionOf(await findChromium({ install: true }))],
  firefox: ['Firefox', versionOf(await findFirefox({ install: true }))],
  webkit: ['WebKitGTK', versionOfWebKit(await findWebKit({ install: true }))],
}

const SUBJECTS = /** @type {const} */ (['heartwire', 'native', 'reconnecting-websocket'])

const ms = (/** @type {number} */ value) => (value < 1_000 ? `${value} ms` : `${(value / 1_000).toFixed(1)} s`)

/** One cell: what was seen, and when. @param {Observation | undefined} seen */
const cell = (seen) => {
  if (!seen) return '—'
  const after = seen.after === null ? '' : `, after ${ms(seen.after)}`
  return `${seen.saw}${after}`.replaceAll('|', '\\|')
}

/** @param {readonly Observation[]} observations */
const boundOf = (observations) => {
  const bound = observations.find((each) => each.bound !== null)?.bound
  if (bound === undefined || bound === null) return ''
  return bound === 0 ? 'at once' : ms(bound)
}

/** @param {readonly Observation[]} observations */
const table = (observations) => {
  const scenarios = [...new Set(observations.map(({ scenario }) => scenario))]
  const rows = scenarios.map((scenario) => {
    const here = observations.filter((each) => each.scenario === scenario)
    const cells = SUBJECTS.map((subject) => cell(here.find((each) => each.subject === subject)))
    return `| ${scenario} | ${boundOf(here)} | ${cells.join(' | ')} |`
  })
  return ['| fault | bound | heartwire | native | reconnecting-websocket |', '| --- | --- | --- | --- | --- |', ...rows]
}

/** @param {Observation[]} observations */
const report = (observations) => {
  const sections = Object.entries(ENGINES).flatMap(([engine, [name, version]]) => {
    const own = observations.filter((each) => each.engine.toLowerCase().startsWith(engine))
    return own.length > 0 ? `## ${name} ${version}\n\n${table(own).join('\n')}\n` : []
  })
  return `# What a user sees of a fault

Written by \`npm run reliability\`, ${new Date().toISOString().slice(0, 10)}, in real browsers against a real server behind a TCP proxy that fails on request; the tests that make the faults run in CI, too (test/browser/faults.test.ts, test/life/).

The three clients meet each fault in the same page. To fit many faults into a run, heartwire's times are shorter than its defaults: \`heartbeat\` \`interval\` 500 ms and \`timeout\` 500 ms (25 s and 10 s by default), \`connectTimeout\` 1 s (10 s), \`closeTimeout\` 500 ms (2 s), delays of at most 400 ms (30 s); the page's life has its own, named in the row. reconnecting-websocket has the same delays and connection timeout. *Bound*: when heartwire promises that it is seen, from the fault on; "at once" is as fast as the browser tells. "still OPEN after 5 s": nothing was seen for as long as we looked.

What engines do that no client can change: WebKitGTK tells 1012 and 1013 as 1006 and counts nothing as buffered, so that a loss leaves all in doubt; Firefox connects to one address once at a time and delays further attempts after failures; Chromium waits 2 s, WebKit longer, for a server that has closed but keeps TCP open, so that a faster heartbeat is told and not the code.

${sections.join('\n')}`
}

/**
 * Runs tests that write what they see; tells whether they passed.
 * @param {string[]} args
 * @param {number} index
 * @returns {Promise<boolean>}
 */
const observe = (args, index) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
      cwd: root,
      env: { ...process.env, HEARTWIRE_RECORD: fileOf(index) },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    child.on('error', () => resolve(false))
    child.on('close', (code) => resolve(code === 0))
  })

try {
  const projects = ['chromium', 'firefox', 'webkit']
  const runs = [
    ...projects.map((project) => ['--project', project, 'test/browser/faults.test.ts']),
    ['--project', 'life'],
  ]
  // Side by side: they wait for most of the time, and for minutes.
  const results = await Promise.all(runs.map(observe))
  if (results.includes(false))
    throw new Error('Cannot write docs/reliability.md as a fault was not seen as it should be')
  /** @type {Observation[]} */
  const observations = []
  for (const index of runs.keys()) {
    const lines = (await readFile(fileOf(index), 'utf8')).trim().split('\n')
    /** @type {Observation[]} */
    const own = lines.map((line) => JSON.parse(line))
    // The files of a page's life run side by side, so that theirs come in any order.
    if (index === runs.length - 1) own.sort((a, b) => a.scenario.localeCompare(b.scenario))
    observations.push(...own)
  }
  await writeFile(join(root, 'docs/reliability.md'), report(observations))
  console.log('\nWrote docs/reliability.md')
} finally {
  await rm(folder, { recursive: true, force: true })
}
