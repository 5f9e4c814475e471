// From figures to the document: tables with a ratio in every row, and whether the goals are met, in words.
import { RECEIVERS, SENDERS, STEPS, HOLDERS } from './rows.mjs'

/**
 * @typedef {import('./rows.mjs').Comparison} Comparison
 * @typedef {import('./statistics.mjs').Summary} Summary
 */

/** The goals, as the project set them before anything was measured. */
const RECEIVE_GOAL = 1.05
const SEND_GOAL = 50
const HEAP_GOAL = 2_000
const SIZE_GOAL = 4_000
/** Bytes per reconnect: less than the smallest object. V8's own heap moves by some, up and down. */
const NOTHING = 16

const LABELS = {
  native: 'native (against itself: the noise)',
  onmessage: 'Heartwire, `onmessage`',
  addEventListener: 'Heartwire, `addEventListener`',
  on: "Heartwire, `on('message')`",
  heartbeat: 'Heartwire with a heartbeat, `onmessage`',
  heartwire: 'Heartwire',
  'queue: false': 'Heartwire, `queue: false`',
  'queue: { replay: false }': 'Heartwire, `queue: { replay: false }`',
  'heartwire, heartbeat': 'Heartwire with a heartbeat',
  'heartwire, onmessage': 'Heartwire, `onmessage` set',
  "heartwire, on('message')": "Heartwire, one `on('message')`",
  'heartwire, queue: false': 'Heartwire, `queue: false`',
  'reconnecting-websocket, onmessage': 'reconnecting-websocket, `onmessage` set',
}

const label = (/** @type {string} */ name) => /** @type {Record<string, string>} */ (LABELS)[name] ?? name
const isOurs = (/** @type {string} */ name) => name !== 'native' && !name.startsWith('reconnecting')
const whole = (/** @type {number} */ value) => Math.round(value).toLocaleString('en')
const hundredths = (/** @type {number} */ value) => value.toFixed(2)
const thousandths = (/** @type {number} */ value) => value.toFixed(3)

/** A median with its quartiles. */
const spread = (/** @type {Summary} */ { median, low, high }, format = whole) =>
  `${format(median)} (${format(low)} to ${format(high)})`

/**
 * Whether a goal is met, and how surely; never surer than the noise, which is what native beside native gives.
 * @param {Summary} result
 * @param {number} goal
 * @param {Summary} [noise]
 */
function verdict({ median, low, high, count }, goal, noise) {
  const word = median <= goal ? 'met' : '**not met**'
  const isNoisy = noise && noise.high > goal && low <= noise.high
  if (isNoisy || (noise && count < 4)) return `undecided, too noisy; by the median ${word}`
  if (median <= goal) return high <= goal ? word : `${word}, upper quartile over it`
  return low > goal ? word : `${word}, lower quartile within it`
}

function table(/** @type {string[]} */ head, /** @type {string[][]} */ rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n')
}

/**
 * @param {Record<string, Comparison>} results
 * @param {readonly string[]} names
 */
const compared = (results, names) => names.flatMap((name) => (results[name] ? [{ name, ...results[name] }] : []))

function receiveTable(/** @type {Record<string, Comparison>} */ results) {
  return table(
    ['receiver', '× native', 'ns over native', `goal: at most ${RECEIVE_GOAL} ×`],
    compared(results, RECEIVERS).map(({ name, ratio, over }) => [
      label(name),
      spread(ratio, thousandths),
      spread(over),
      isOurs(name) ? verdict(ratio, RECEIVE_GOAL, results['native']?.ratio) : '',
    ]),
  )
}

/**
 * @param {Record<string, Comparison>} results
 * @param {readonly string[]} names
 * @param {number} nativeCost ns of a native one
 */
function aloneTable(results, names, nativeCost) {
  return table(
    ['', 'ns of its own', 'as a part of native'],
    compared(results, names).map(({ name, over }) => [label(name), spread(over), hundredths(over.median / nativeCost)]),
  )
}

/**
 * @param {Record<string, Comparison>} results
 * @param {readonly string[]} names
 * @param {boolean} hasGoal
 */
function sendTable(results, names, hasGoal) {
  const rows = compared(results, names).map(({ name, ratio, over }) => [
    label(name),
    spread(ratio, hundredths),
    spread(over),
    isOurs(name) ? verdict(over, SEND_GOAL, results['native']?.over) : '',
  ])
  const head = ['sender', '× native', 'ns over native', `goal: at most ${SEND_GOAL} ns`]
  const columns = hasGoal ? 4 : 3
  return table(
    head.slice(0, columns),
    rows.map((cells) => cells.slice(0, columns)),
  )
}

function heapTable(/** @type {Record<string, Comparison>} */ results) {
  return table(
    ['instance', 'bytes over the socket', '× the socket', `goal: at most ${whole(HEAP_GOAL)} bytes`],
    compared(results, HOLDERS).map(({ name, ratio, over }) => [
      label(name),
      spread(over),
      hundredths(ratio.median),
      isOurs(name) ? verdict(over, HEAP_GOAL) : '',
    ]),
  )
}

function reconnectTable(/** @type {any} */ result) {
  const { count, growth, before, after, natives, closed } = result
  const isSame = JSON.stringify(before) === JSON.stringify(after)
  const each = growth.median / count
  const words = (/** @type {any} */ { timers, abortListeners, subscribers }) =>
    `${timers} timers, ${abortListeners} listeners on \`signal\`, ${subscribers} on the network`
  return table(
    ['', 'measured', 'goal: nothing is left'],
    [
      [
        'heap, bytes per reconnect',
        `${hundredths(each)} (${hundredths(growth.low / count)} to ${hundredths(growth.high / count)})`,
        each < NOTHING ? 'met' : '**not met**',
      ],
      ['held before', words(before), ''],
      ['held after', words(after), isSame ? 'met' : '**not met**'],
      ['native sockets alive after', `${natives}`, natives <= 2 ? 'met' : '**not met**'],
      [
        `held once \`${closed.state}\``,
        words(closed),
        closed.timers + closed.abortListeners + closed.subscribers === 0 ? 'met' : '**not met**',
      ],
    ],
  )
}

function sizeTable(/** @type {Awaited<ReturnType<typeof import('./rows.mjs').weights>>} */ result) {
  const row = (/** @type {string} */ what, /** @type {any} */ ours, /** @type {any} */ theirs, goal = '') => [
    what,
    whole(ours.brotli),
    whole(theirs.brotli),
    hundredths(ours.brotli / theirs.brotli),
    whole(ours.gzip),
    whole(ours.minified),
    goal,
  ]
  const ours = result['import, heartwire']
  return table(
    [
      '',
      'Heartwire',
      'reconnecting-websocket',
      'ratio',
      'Heartwire, gzip',
      'minified',
      `goal: at most ${whole(SIZE_GOAL)}`,
    ],
    [
      row(
        '`import`, bundled, mitt included',
        ours,
        result['import, reconnecting-websocket'],
        ours.brotli <= SIZE_GOAL ? 'met' : '**not met**',
      ),
      row('the file for `<script>`', result['script, heartwire'], result['script, reconnecting-websocket']),
    ],
  )
}

/**
 * The whole document.
 * @param {{ date: string, machine: string, versions: string }} about
 * @param {any} results
 */
export function report({ date, machine, versions }, results) {
  const count = (/** @type {Record<string, Comparison>} */ rows) => Object.values(rows)[0]?.ratio.count
  return `# Benchmarks

Generated by \`npm run bench\`; do not edit. ${date}, ${machine}, ${versions}.

Every ratio and every difference is of two neighbours: the subject and a native socket in the same page, one right after the other, each first every other time. Given are the median and, in brackets, the quartiles of all rounds. The machine was not idle.

## Receiving

CPU time of the page's main thread per message (64 bytes of text), while a local server floods it; ${count(results.receive)} rounds.

${receiveTable(results.receive)}

## The wrapper alone

Over a fake native socket, with the platform's own events; what each adds to a bare listener or a bare call, and how much that is of what native costs above and below.

Per message:

${aloneTable(results.receiveAlone, RECEIVERS, results.receive.native.native.median)}

Per call of \`send\`:

${aloneTable(results.sendAlone, SENDERS, results.send.native.native.median)}

## Sending

Time per call of \`send\` when open (64 bytes of text), in bursts of 500, each after the one before has left; ${count(results.send)} rounds. By the clock on the wall, so a round counts with the lowest decile of its bursts: other processes only ever add.

${sendTable(results.send, SENDERS, true)}

Where it goes, each step the one before and more; the last leaves out what asks the native socket:

${sendTable(results.send, STEPS, false)}

One message at a time: CPU time of the main thread per message, everything included that follows from it; ${count(results.sendSingly)} rounds.

${sendTable(results.sendSingly, SENDERS, false)}

## Memory

Heap per open instance after a collection, V8's and the browser's; ${count(results.heapAlone)} rounds of fresh pages.

2,000 over a fake native socket, which weighs nothing here but its own object:

${heapTable(results.heapAlone)}

100 over real ones:

${heapTable(results.heapReal)}

## Reconnects

${whole(results.reconnects.count)} reconnects of one instance with a heartbeat, a \`signal\` and a network source, half after a loss, half asked for, a message each way in between; ${results.reconnects.runs} processes. The heap is compared three times in each, and the least growth counts: a leak grows every time, what V8 compiles does not.

${reconnectTable(results.reconnects)}

## Size

Bytes, minified and brotli unless it says otherwise.

${sizeTable(results.size)}
`
}
