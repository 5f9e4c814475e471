// Ten thousand reconnects of one instance, half after a loss and half asked for, and what they leave behind. A process of
// its own, so that the heap holds little else: `node --expose-gc bench/reconnects.mjs <heartwire's index.js> <count>`.
import { getEventListeners } from 'node:events'
import { argv, memoryUsage } from 'node:process'
import { pathToFileURL } from 'node:url'
import { FakeSocket } from './fake.mjs'

const [, , path = '', total = '10000'] = argv
const warmUp = 1_000

/** Timers that run when we say so: nothing waits, and each one left over is seen. @type {Map<number, () => void>} */
const timers = new Map()
let handles = 0
const realTimers = { setTimeout: globalThis.setTimeout }
Object.assign(globalThis, {
  setTimeout(/** @type {() => void} */ callback) {
    timers.set(++handles, callback)
    return handles
  },
  clearTimeout: (/** @type {number} */ handle) => timers.delete(handle),
})

function runTimers() {
  // A copy: a timer that is called too early sets another.
  for (const [handle, callback] of [...timers]) {
    timers.delete(handle)
    callback()
  }
}

const tick = () => new Promise((resolve) => realTimers.setTimeout(resolve, 0))

/** Heap after a collection. Objects that wait for finalisation go in a second one. */
async function heapUsed() {
  for (let turn = 0; turn < 4; turn++) {
    globalThis.gc?.()
    await tick()
  }
  return memoryUsage().heapUsed
}

/** How many native sockets are alive: each orphan must go. */
let alive = 0
const registry = new FinalizationRegistry(() => alive--)
class Counted extends FakeSocket {
  constructor(/** @type {string} */ url) {
    super(url)
    alive++
    registry.register(this, undefined)
  }
}

const controller = new AbortController()
/** @type {Set<unknown>} */
const subscribers = new Set()
const network = {
  online: true,
  subscribe(/** @type {unknown} */ listener) {
    subscribers.add(listener)
    return () => subscribers.delete(listener)
  },
}

const { Heartwire } = await import(path.startsWith('file:') ? path : pathToFileURL(path).href)
const socket = new Heartwire('ws://127.0.0.1/', {
  WebSocket: Counted,
  network,
  signal: controller.signal,
  heartbeat: { message: 'ping', pong: 'pong' },
  reconnect: { minDelay: 0, maxDelay: 0 },
})
let opened = 0
let messages = 0
socket.addEventListener('open', () => opened++)
socket.onmessage = () => messages++

/** Node 20 has no CloseEvent. */
const closed = (/** @type {number} */ code) =>
  Object.assign(new Event('close'), { code, reason: '', wasClean: code === 1000 })

/** One life: open, a message each way, and the end. */
async function live(/** @type {boolean} */ isLost) {
  const native = /** @type {FakeSocket} */ (FakeSocket.latest)
  native.emit('open', new Event('open'))
  native.message(new MessageEvent('message', { data: 'a message' }))
  socket.send('another')
  if (isLost) {
    native.readyState = 3
    native.emit('close', closed(1006))
  } else socket.reconnect()
  await Promise.resolve()
  // The retry is one of the timers that there are.
  for (let turn = 0; FakeSocket.latest === native && turn < 10; turn++) {
    runTimers()
    await Promise.resolve()
  }
  if (FakeSocket.latest === native) throw new Error(`No reconnect after a ${isLost ? 'loss' : 'reconnect()'}`)
}

async function liveOften(/** @type {number} */ count) {
  for (let index = 0; index < count; index++) await live(index % 2 === 0)
}

await tick()
await liveOften(warmUp)
const counts = () => ({
  timers: timers.size,
  abortListeners: getEventListeners(controller.signal, 'abort').length,
  subscribers: subscribers.size,
})
const before = counts()
/** A leak grows every time; what V8 learns and compiles does not, and may come at any time. */
let growth = Infinity
for (let turn = 0; turn < 3; turn++) {
  const heapBefore = await heapUsed()
  await liveOften(Number(total))
  growth = Math.min(growth, (await heapUsed()) - heapBefore)
}
const after = counts()
const expected = warmUp + 3 * Number(total)
if (opened !== expected || messages !== expected)
  throw new Error(`${opened} opens, ${messages} messages: not ${expected}`)
const aliveAfter = alive
socket.close()
runTimers()
FakeSocket.latest?.emit('close', closed(1000))
await tick()
console.log(
  JSON.stringify({
    count: Number(total),
    growth,
    before,
    after,
    natives: aliveAfter,
    closed: { state: socket.state, ...counts() },
  }),
)
