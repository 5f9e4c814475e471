// The rows: what is measured against what, how often, in which order. Every ratio is of two neighbours in one round.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { bundle } from './lab.mjs'
import { quantile, summarize } from './statistics.mjs'

/**
 * @typedef {import('./lab.mjs').Lab} Lab
 * @typedef {import('./lab.mjs').Page} Page
 * @typedef {{ native: number, subject: number }} Pair
 */

/** What two neighbours say: the ratio and the difference of each round, and the subject's and native's own medians. */
export function compare(/** @type {readonly Pair[]} */ pairs) {
  return {
    ratio: summarize(pairs.map(({ native, subject }) => subject / native)),
    over: summarize(pairs.map(({ native, subject }) => subject - native)),
    native: summarize(pairs.map(({ native }) => native)),
    subject: summarize(pairs.map(({ subject }) => subject)),
  }
}

/** @typedef {ReturnType<typeof compare>} Comparison */

/**
 * How much is measured: so many rounds in each of so many blocks, or as many as fit into the time, but at least one.
 * @typedef {{ blocks: number, rounds: number, seconds: number }} Effort
 */

/**
 * Fresh pages for all names in every block; in each round, the names take turns. What one page's luck with memory is worth
 * shows in the spread, and no name has all the good or all the bad minutes of the machine.
 * @param {Lab} lab
 * @param {readonly string[]} names
 * @param {Effort} effort
 * @param {(page: Page, name: string) => Promise<unknown>} prepare
 * @param {(page: Page, name: string, round: number) => Promise<Pair[]>} measure
 * @returns {Promise<Record<string, Comparison>>}
 */
async function inTurns(lab, names, { blocks, rounds, seconds }, prepare, measure) {
  const end = performance.now() + seconds * 1_000
  /** @type {Record<string, Pair[]>} */
  const results = Object.fromEntries(names.map((name) => [name, []]))
  for (let block = 0; block < blocks; block++) {
    // A block that has no time for rounds is not worth its pages.
    if (block > 0 && performance.now() > end - (seconds * 1_000) / blocks / 2) break
    const pages = await Promise.all(names.map(() => lab.openPage()))
    for (const [index, name] of names.entries()) await prepare(pages[index], name)
    const blockEnd = end - (seconds * 1_000 * (blocks - 1 - block)) / blocks
    for (let round = 0; round < rounds && (round === 0 || performance.now() < blockEnd); round++) {
      for (const [index, name] of names.entries()) {
        results[name]?.push(...(await measure(pages[index], name, round)))
      }
    }
    await Promise.all(pages.map((page) => page.close()))
  }
  return Object.fromEntries(names.map((name) => [name, compare(results[name] ?? [])]))
}

/**
 * The CPU of both neighbours, per piece, in ns; which is first changes with the round.
 * @param {Page} page
 * @param {string} call
 * @param {number} count
 * @param {number} round
 * @returns {Promise<Pair[]>}
 */
async function cpuOfBoth(page, call, count, round) {
  const cpu = async (/** @type {'native' | 'subject'} */ which) => {
    const before = await page.cpu()
    await page.call(call, which, count)
    return (((await page.cpu()) - before) / count) * 1e6
  }
  const isFirst = round % 2 === 0
  const early = await cpu(isFirst ? 'native' : 'subject')
  const late = await cpu(isFirst ? 'subject' : 'native')
  return [isFirst ? { native: early, subject: late } : { native: late, subject: early }]
}

/**
 * Of a round of short measurements by the clock on the wall, what it was when nobody else had the processor: the lowest
 * decile of both. What disturbs only ever adds.
 * @param {readonly Pair[]} pairs
 * @returns {Pair[]}
 */
function undisturbed(pairs) {
  const best = (/** @type {keyof Pair} */ which) =>
    quantile(
      pairs.map((pair) => pair[which]),
      0.1,
    )
  return [{ native: best('native'), subject: best('subject') }]
}

export const RECEIVERS = ['native', 'onmessage', 'addEventListener', 'on', 'heartbeat', 'reconnecting-websocket']

/** Row 1: CPU per message of a flood. */
export function receive(/** @type {Lab} */ lab, /** @type {boolean} */ isShort) {
  const count = isShort ? 2_000 : 4_000
  return inTurns(
    lab,
    RECEIVERS,
    isShort ? { blocks: 1, rounds: 2, seconds: 8 } : { blocks: 3, rounds: 30, seconds: 75 },
    async (page, name) => {
      await page.call('openReceivers', lab.url, name)
      // V8 has compiled by then what it will compile.
      for (const which of isShort ? ['native', 'subject'] : ['native', 'subject', 'native', 'subject'])
        await page.call('flood', which, count)
    },
    (page, _, round) => cpuOfBoth(page, 'flood', count, round),
  )
}

/** Row 2: the wrapper alone, per message. */
export function receiveAlone(/** @type {Lab} */ lab, /** @type {boolean} */ isShort) {
  return alone(lab, 'receiveAlone', RECEIVERS, 4_000, isShort)
}

export const SENDERS = ['native', 'heartwire', 'queue: false', 'queue: { replay: false }', 'reconnecting-websocket']

/** Row 2: the wrapper alone, per call of `send`. */
export function sendAlone(/** @type {Lab} */ lab, /** @type {boolean} */ isShort) {
  return alone(lab, 'sendAlone', SENDERS, 4_000, isShort)
}

/**
 * @param {Lab} lab
 * @param {string} call
 * @param {readonly string[]} names
 * @param {number} size
 * @param {boolean} isShort
 */
function alone(lab, call, names, size, isShort) {
  return inTurns(
    lab,
    names,
    isShort ? { blocks: 1, rounds: 1, seconds: 3 } : { blocks: 2, rounds: 4, seconds: 22 },
    (page, name) => page.call(call, name, size, 10),
    async (page, name) => undisturbed(await page.call(call, name, size, isShort ? 10 : 40)),
  )
}

export const STEPS = [
  '+ a method',
  '+ readyState',
  '+ bufferedAmount after',
  '+ bufferedAmount before',
  '+ an entry per message',
  'an entry, and no native attribute',
]

/** Row 3: `send` when open, in bursts; and where its time goes. */
export function send(/** @type {Lab} */ lab, /** @type {boolean} */ isShort) {
  return inTurns(
    lab,
    [...SENDERS, ...STEPS],
    isShort ? { blocks: 1, rounds: 1, seconds: 8 } : { blocks: 2, rounds: 8, seconds: 60 },
    async (page, name) => {
      await page.call('openSenders', lab.url, name)
      await page.call('sendBursts', 500, isShort ? 4 : 12)
    },
    async (page) => undisturbed(await page.call('sendBursts', 500, isShort ? 8 : 24)),
  )
}

/** Row 3: `send` when open, one message at a time: what is paid per burst, then, is paid per message. */
export function sendSingly(/** @type {Lab} */ lab, /** @type {boolean} */ isShort) {
  const count = isShort ? 30 : 80
  return inTurns(
    lab,
    SENDERS,
    isShort ? { blocks: 1, rounds: 1, seconds: 4 } : { blocks: 2, rounds: 4, seconds: 30 },
    async (page, name) => {
      await page.call('openSenders', lab.url, name)
      await page.call('sendSingly', 'native', 20)
      await page.call('sendSingly', 'subject', 20)
    },
    (page, _, round) => cpuOfBoth(page, 'sendSingly', count, round),
  )
}

export const HOLDERS = [
  'heartwire',
  'heartwire, heartbeat',
  'heartwire, onmessage',
  "heartwire, on('message')",
  'heartwire, queue: false',
  'reconnecting-websocket',
  'reconnecting-websocket, onmessage',
]

/**
 * Row 4: bytes of heap per instance, and beside it those of a native (or fake) socket in the same round.
 * @param {Lab} lab
 * @param {boolean} isShort
 * @param {'hold' | 'holdAlone'} call
 * @returns {Promise<Record<string, Comparison>>}
 */
export async function heap(lab, isShort, call) {
  const isAlone = call === 'holdAlone'
  // A browser opens at most 255 WebSockets.
  const count = isAlone ? (isShort ? 500 : 2_000) : isShort ? 60 : 100
  const rounds = isShort ? 1 : 5
  const names = isShort ? HOLDERS.slice(0, 1) : HOLDERS
  const end = performance.now() + 25_000
  /** @type {Record<string, Pair[]>} */
  const results = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds && (round === 0 || performance.now() < end); round++) {
    const native = await bytesEach(lab, call, 'native', count)
    const listening = isAlone || isShort ? native : await bytesEach(lab, call, 'native, onmessage', count)
    for (const name of names) {
      // On a real socket the application's own handler weighs something, too.
      const beside = name.endsWith('onmessage') ? listening : native
      results[name]?.push({ native: beside, subject: await bytesEach(lab, call, name, count) })
    }
  }
  return Object.fromEntries(names.map((name) => [name, compare(results[name] ?? [])]))
}

/**
 * @param {Lab} lab
 * @param {'hold' | 'holdAlone'} call
 * @param {string} name
 * @param {number} count
 */
async function bytesEach(lab, call, name, count) {
  const page = await lab.openPage()
  const args = call === 'hold' ? [lab.url, name] : [name]
  // The first few pay for the code and what it learns.
  await page.call(call, ...args, 40)
  const before = await page.heap()
  await page.call(call, ...args, count)
  const bytes = ((await page.heap()) - before) / count
  await page.close()
  return bytes
}

/**
 * Row 5: what 10,000 reconnects leave behind.
 * @param {string} dist
 * @param {boolean} isShort
 */
export async function reconnects(dist, isShort) {
  const script = fileURLToPath(new URL('reconnects.mjs', import.meta.url))
  const entry = join(dist, '..', 'index.mjs')
  const runs = isShort ? 1 : 5
  /** @type {{ count: number, growth: number, before: object, after: object, natives: number, closed: Record<string, unknown> }[]} */
  const results = []
  for (let run = 0; run < runs; run++) {
    const { stdout } = await promisify(execFile)(execPath, ['--expose-gc', script, entry, '10000'], { timeout: 60_000 })
    results.push(JSON.parse(stdout))
  }
  const growths = results.map(({ growth }) => growth)
  return { ...results[0], runs, growth: summarize(growths) }
}

/** Row 6: bytes to load. */
export async function weights(/** @type {string} */ dist) {
  const bundles = {
    heartwire: `import { Heartwire } from 'heartwire'; console.log(Heartwire)`,
    'reconnecting-websocket': `import Reconnecting from 'reconnecting-websocket'; console.log(Reconnecting)`,
  }
  const scripts = {
    heartwire: join(dist, 'heartwire.umd.min.js'),
    'reconnecting-websocket': fileURLToPath(
      new URL('../node_modules/reconnecting-websocket/dist/reconnecting-websocket-iife.min.js', import.meta.url),
    ),
  }
  const weigh = (/** @type {string | Buffer} */ code) => {
    const bytes = Buffer.from(code)
    return {
      minified: bytes.length,
      gzip: gzipSync(bytes, { level: 9 }).length,
      brotli: brotliCompressSync(bytes).length,
    }
  }
  return {
    'import, heartwire': weigh(await bundle(bundles.heartwire, dist, { minify: true })),
    'import, reconnecting-websocket': weigh(await bundle(bundles['reconnecting-websocket'], dist, { minify: true })),
    'script, heartwire': weigh(await readFile(scripts.heartwire)),
    'script, reconnecting-websocket': weigh(await readFile(scripts['reconnecting-websocket'])),
  }
}
