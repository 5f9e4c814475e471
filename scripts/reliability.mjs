// `npm run reliability`: lets every fault happen in every engine and writes what users saw into docs/reliability.md.
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChromium, findFirefox, findWebKit } from './browser.mjs'

/** @typedef {import('../test/support/reliability.ts').Observation} Observation */

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'heartwire-'))
const file = join(folder, 'observations.jsonl')

/** `Mozilla Firefox 153.7.0esr` → `153.7`. @param {string} path */
const versionOf = (path) =>
  /\d+\.\d+/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout)?.[0] ?? 'of unknown version'

const ENGINES = {
  chromium: ['Chromium', versionOf(await findChromium({ install: true }))],
  firefox: ['Firefox', versionOf(await findFirefox({ install: true }))],
  webkit: ['WebKitGTK', versionOf((await findWebKit({ install: true })).browser)],
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

The three clients meet each fault in the same page. To fit many faults into a run, heartwire's times are shorter than its defaults: \`heartbeat\` \`interval\` 500 ms and \`timeout\` 500 ms (25 s and 10 s by default), \`connectTimeout\` 1 s (10 s), \`closeTimeout\` 500 ms (2 s), delays of at most 400 ms (30 s); the page's life has its own, named in the row. reconnecting-websocket has the same delays and connection timeout. *Bound*: when heartwire promises that it is seen, from the fault on; "at once" is as fast as the browser tells. A time is that of the first thing seen. "still OPEN after 10 s": nothing was seen for as long as we looked.

What engines do that no client can change: WebKitGTK tells 1012 and 1013 as 1006 and counts nothing as buffered, so that a loss leaves all in doubt; Firefox connects to one address once at a time and delays further attempts after failures; Chromium waits 2 s, WebKit longer, for a server that has closed but keeps TCP open, so that a faster heartbeat is told and not the code.

${sections.join('\n')}`
}

try {
  const projects = ['chromium', 'firefox', 'webkit']
  const runs = [
    ...projects.map((project) => ['--project', project, 'test/browser/faults.test.ts']),
    ['--project', 'life'],
  ]
  let isFine = true
  for (const args of runs) {
    const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
      cwd: root,
      env: { ...process.env, HEARTWIRE_RECORD: file },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    isFine = status === 0 && isFine
  }
  if (!isFine) throw new Error('Cannot write docs/reliability.md as a fault was not seen as it should be')
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  await writeFile(join(root, 'docs/reliability.md'), report(lines.map((line) => JSON.parse(line))))
  console.log('\nWrote docs/reliability.md')
} finally {
  await rm(folder, { recursive: true, force: true })
}
