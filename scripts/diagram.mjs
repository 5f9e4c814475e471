// The state diagram (Mermaid) and the whole table (Markdown), drawn from src/machine.ts. Run by `npm run diagram` after a
// build, it writes them into the documents, between the markers; a test fails when they are stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

// A test runs this on the source; plain Node, which may not read TypeScript, on what was built from it.
const { edges, stepFor, TABLE, TRIGGERS } = await import('../src/machine.ts').catch(() => import('../build/machine.js'))

/** What leads to the same from almost everywhere would hide the rest of the diagram; the text beside it says it. */
const EVERYWHERE = ['connect', 'close', 'hide']

/** One arrow for all triggers that lead from one state to another. */
export function diagram() {
  /** @type {Map<string, string[]>} */
  const arrows = new Map()
  for (const { from, trigger, to } of edges()) {
    if (from === to || (EVERYWHERE.includes(trigger) && from !== 'idle' && from !== 'closed')) continue
    const arrow = `${from} --> ${to}`
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), trigger])
  }
  const lines = [...arrows].map(([arrow, triggers]) => `  ${arrow}: ${triggers.join(', ')}`)
  return [
    '```mermaid',
    'stateDiagram-v2',
    '  direction LR',
    '  [*] --> idle',
    '  open --> closing: close',
    ...lines,
    '```',
  ].join('\n')
}

/** State × trigger → step, every cell. */
export function table() {
  const row = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`
  const states = /** @type {import('../src/types.ts').State[]} */ (Object.keys(TABLE))
  return [
    row(['', ...TRIGGERS]),
    row(['---', ...TRIGGERS.map(() => '---')]),
    ...states.map((state) => row([`\`${state}\``, ...TRIGGERS.map((trigger) => stepFor(state, trigger) ?? '')])),
  ].join('\n')
}

/** A document with what is between its markers replaced. */
export function refreshed(/** @type {string} */ text) {
  return text
    .replace(/<!-- diagram -->[\s\S]*?<!-- \/diagram -->/, () => `<!-- diagram -->\n${diagram()}\n<!-- /diagram -->`)
    .replace(/<!-- table -->[\s\S]*?<!-- \/table -->/, () => `<!-- table -->\n${table()}\n<!-- /table -->`)
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  for (const document of ['README.md', 'README.zh-CN.md', 'docs/SPEC.md']) {
    const path = fileURLToPath(new URL(`../${document}`, import.meta.url))
    writeFileSync(path, refreshed(readFileSync(path, 'utf8')))
  }
}
