// What is measured in the page. `rows.mjs` calls it by name and reads the clocks that only the outside has.
import { Heartwire } from 'heartwire'
import ReconnectingWebSocket from 'reconnecting-websocket'
import { FakeSocket } from './fake.mjs'

const text = 'a'.repeat(64)
/** Longer than any run, so that no beat falls into a measurement. */
const heartbeat = { message: 'ping', pong: 'pong', interval: 3_600_000, timeout: 3_600_000 }

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** A socket that is open. */
async function opened(/** @type {any} */ socket) {
  if (socket.readyState !== 1) await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
  return socket
}

// Receiving.

let bytes = 0
let awaited = 0
/** @type {() => void} */
let arrived = () => {}

/** What every listener does with a message: next to nothing, but it looks at the data. */
function take(/** @type {string} */ data) {
  bytes += data.length
  if (--awaited === 0) arrived()
}

/** Heartwire with one kind of listener. @type {Record<string, (socket: any) => any>} */
const listening = {
  onmessage: (socket) => Object.assign(socket, { onmessage: (/** @type {MessageEvent} */ event) => take(event.data) }),
  addEventListener(socket) {
    socket.addEventListener('message', (/** @type {MessageEvent} */ event) => take(event.data))
    return socket
  },
  on(socket) {
    socket.on('message', (/** @type {string} */ data) => take(data))
    return socket
  },
  nothing: (socket) => socket,
}

/**
 * Who receives, by name.
 * @type {Record<string, (url: string, Native: any) => any>}
 */
const receivers = {
  native(url, Native) {
    const socket = new Native(url)
    socket.onmessage = (/** @type {MessageEvent} */ event) => take(event.data)
    return socket
  },
  onmessage: (url, Native) => listening.onmessage?.(new Heartwire(url, { WebSocket: Native })),
  addEventListener: (url, Native) => listening.addEventListener?.(new Heartwire(url, { WebSocket: Native })),
  on: (url, Native) => listening.on?.(new Heartwire(url, { WebSocket: Native })),
  heartbeat: (url, Native) => listening.onmessage?.(new Heartwire(url, { WebSocket: Native, heartbeat })),
  'reconnecting-websocket': (url, Native) =>
    listening.onmessage?.(new ReconnectingWebSocket(url, [], { WebSocket: Native, minUptime: 0 })),
}

/** @type {Record<string, any>} */
const open = {}

/** Opens a native socket, and the subject beside it. */
async function openReceivers(/** @type {string} */ url, /** @type {string} */ name) {
  open['native'] = await opened(receivers.native?.(url, WebSocket))
  open['subject'] = await opened(receivers[name]?.(url, WebSocket))
}

/** Has the server flood one of the two, until all has been heard. */
function flood(/** @type {'native' | 'subject'} */ which, /** @type {number} */ count) {
  awaited = count
  return new Promise((resolve) => {
    arrived = () => resolve(bytes)
    open[which].send(`flood ${count}`)
  })
}

/**
 * ns per message through the wrapper alone, over a fake native socket: with the wrapper, and with the bare listener.
 * The events are the platform's, and new each time: the first to touch one pays for it.
 */
async function receiveAlone(/** @type {string} */ name, /** @type {number} */ count, /** @type {number} */ rounds) {
  const url = location.href.replace('http', 'ws')
  receivers.native?.(url, FakeSocket)
  const bare = /** @type {FakeSocket} */ (FakeSocket.latest)
  receivers[name]?.(url, FakeSocket)
  // reconnecting-websocket connects a little later.
  for (let turn = 0; FakeSocket.latest === bare && turn < 100; turn++) await pause(1)
  const fake = /** @type {FakeSocket} */ (FakeSocket.latest)
  fake.emit('open', new Event('open'))
  await pause(1)
  const time = (/** @type {FakeSocket} */ socket) => {
    const events = Array.from({ length: count }, () => new MessageEvent('message', { data: text }))
    awaited = count
    const start = performance.now()
    for (const event of events) socket.message(event)
    const spent = performance.now() - start
    if (awaited !== 0) throw new Error(`${name} lost ${awaited} of ${count} messages`)
    return (spent / count) * 1e6
  }
  return inTurns(
    rounds,
    () => time(bare),
    () => time(fake),
  )
}

// Sending.

/** What `Attempt` keeps per message, for the variants below. */
class Accounts {
  /** @type {object[]} */
  inFlight = []
  bytes = 0
  sent = 0
}

/**
 * Who sends. The variants with a plus do, step by step, what Heartwire's `send` does; each is the one before and more.
 * @type {Record<string, (url: string, Native: any) => any>}
 */
const senders = {
  native: (url, Native) => new Native(url),
  heartwire: (url, Native) => new Heartwire(url, { WebSocket: Native }),
  'queue: false': (url, Native) => new Heartwire(url, { WebSocket: Native, queue: false }),
  'queue: { replay: false }': (url, Native) => new Heartwire(url, { WebSocket: Native, queue: { replay: false } }),
  'reconnecting-websocket': (url, Native) => new ReconnectingWebSocket(url, [], { WebSocket: Native, minUptime: 0 }),
  '+ a method': (url, Native) => variant(url, Native, (native, data) => native.send(data)),
  '+ readyState': (url, Native) =>
    variant(url, Native, (native, data) => {
      if (native.readyState === 1) native.send(data)
    }),
  '+ bufferedAmount after': (url, Native) =>
    variant(url, Native, (native, data, accounts) => {
      if (native.readyState !== 1) return
      native.send(data)
      accounts.bytes = native.bufferedAmount
    }),
  '+ bufferedAmount before': (url, Native) =>
    variant(url, Native, (native, data, accounts) => {
      if (native.readyState !== 1) return
      const before = native.bufferedAmount
      native.send(data)
      accounts.bytes += native.bufferedAmount - before
    }),
  '+ an entry per message': (url, Native) =>
    variant(url, Native, (native, data, accounts) => {
      if (native.readyState !== 1) return
      const before = native.bufferedAmount
      native.send(data)
      const size = native.bufferedAmount - before
      if (before === 0) accounts.inFlight.length = 0
      accounts.inFlight.push({ message: data, wire: data, size, at: 0 })
      accounts.bytes += size
      accounts.sent++
    }),
  'an entry, and no native attribute': (url, Native) =>
    variant(url, Native, (native, data, accounts) => {
      native.send(data)
      if (accounts.inFlight.length > 4_096) accounts.inFlight.length = 0
      accounts.inFlight.push({ message: data, wire: data, size: data.length, at: 0 })
      accounts.bytes += data.length
      accounts.sent++
    }),
}

/** A wrapper that does one thing more than native. */
function variant(
  /** @type {string} */ url,
  /** @type {any} */ Native,
  /** @type {(native: any, data: string, accounts: Accounts) => void} */ send,
) {
  const native = new Native(url)
  const accounts = new Accounts()
  return {
    send: (/** @type {string} */ data) => send(native, data, accounts),
    addEventListener: native.addEventListener?.bind(native),
    get readyState() {
      return native.readyState
    },
    get bufferedAmount() {
      return native.bufferedAmount
    },
  }
}

/** Opens a native socket, and the subject beside it. */
async function openSenders(/** @type {string} */ url, /** @type {string} */ name) {
  open['native'] = await opened(senders.native?.(url, WebSocket))
  open['subject'] = await opened(senders[name]?.(url, WebSocket))
}

/** ns per call in bursts; each waits until the one before has left, and what it set going has ended. */
function sendBursts(/** @type {number} */ size, /** @type {number} */ rounds) {
  const time = async (/** @type {any} */ socket) => {
    const start = performance.now()
    for (let index = 0; index < size; index++) socket.send(text)
    const spent = performance.now() - start
    for (let turn = 0; (turn === 0 || socket.bufferedAmount > 0) && turn < 1_000; turn++) await pause(6)
    return (spent / size) * 1e6
  }
  return inTurns(
    rounds,
    () => time(open['native']),
    () => time(open['subject']),
  )
}

/** Sends one by one, each long after the one before, so that nothing is shared between two. */
async function sendSingly(/** @type {'native' | 'subject'} */ which, /** @type {number} */ count) {
  for (let index = 0; index < count; index++) {
    open[which].send(text)
    await pause(8)
  }
}

/** ns per call over a fake native socket. */
async function sendAlone(/** @type {string} */ name, /** @type {number} */ size, /** @type {number} */ rounds) {
  const url = location.href.replace('http', 'ws')
  const bare = senders.native?.(url, FakeSocket)
  const wrapper = senders[name]?.(url, FakeSocket)
  for (let turn = 0; FakeSocket.latest === bare && turn < 100; turn++) await pause(1)
  const fake = /** @type {FakeSocket} */ (FakeSocket.latest)
  fake.emit('open', new Event('open'))
  await pause(1)
  const time = async (/** @type {any} */ socket) => {
    bare.bufferedAmount = fake.bufferedAmount = 0
    const start = performance.now()
    for (let index = 0; index < size; index++) socket.send(text)
    const spent = performance.now() - start
    bare.bufferedAmount = fake.bufferedAmount = 0
    await pause(6)
    return (spent / size) * 1e6
  }
  return inTurns(
    rounds,
    () => time(bare),
    () => time(wrapper),
  )
}

/**
 * Measures both in every round, each first every other time.
 * @param {number} rounds
 * @param {() => number | Promise<number>} native
 * @param {() => number | Promise<number>} subject
 */
async function inTurns(rounds, native, subject) {
  /** @type {{ native: number, subject: number }[]} */
  const results = []
  for (let round = 0; round < rounds; round++) {
    const isFirst = round % 2 === 0
    const early = await (isFirst ? native : subject)()
    const late = await (isFirst ? subject : native)()
    results.push(isFirst ? { native: early, subject: late } : { native: late, subject: early })
  }
  return results
}

// Memory.

/**
 * Who is held, by name.
 * @type {Record<string, (url: string, Native: any) => any>}
 */
const holders = {
  native: (url, Native) => new Native(url),
  heartwire: (url, Native) => new Heartwire(url, { WebSocket: Native }),
  'heartwire, heartbeat': (url, Native) => new Heartwire(url, { WebSocket: Native, heartbeat }),
  'heartwire, onmessage': (url, Native) => listening.onmessage?.(new Heartwire(url, { WebSocket: Native })),
  "heartwire, on('message')": (url, Native) => listening.on?.(new Heartwire(url, { WebSocket: Native })),
  'heartwire, queue: false': (url, Native) => new Heartwire(url, { WebSocket: Native, queue: false }),
  'native, onmessage': (url, Native) => receivers.native?.(url, Native),
  'reconnecting-websocket': (url, Native) => new ReconnectingWebSocket(url, [], { WebSocket: Native, minUptime: 0 }),
  'reconnecting-websocket, onmessage': (url, Native) =>
    listening.onmessage?.(holders['reconnecting-websocket']?.(url, Native)),
}

/** @type {unknown[]} */
const held = []

/** Holds instances over fake native sockets, open. */
async function holdAlone(/** @type {string} */ name, /** @type {number} */ count) {
  const url = location.href.replace('http', 'ws')
  /** @type {FakeSocket[]} */
  const fakes = []
  class Recorded extends FakeSocket {
    constructor(/** @type {string} */ to) {
      super(to)
      fakes.push(this)
    }
  }
  const create = holders[name]
  for (let index = 0; index < count; index++) held.push(create?.(url, Recorded))
  for (let turn = 0; fakes.length < count && turn < 1_000; turn++) await pause(1)
  for (const fake of fakes) fake.emit('open', new Event('open'))
  held.push(fakes)
  await pause(20)
  return fakes.length
}

/** Holds instances over real sockets, open; few at a time, as the browser connects them one after the other. */
async function hold(/** @type {string} */ url, /** @type {string} */ name, /** @type {number} */ count) {
  for (let index = 0; index < count; index++) {
    const socket = holders[name]?.(url, WebSocket)
    held.push(socket)
    // Asked, not listened to: a listener would be part of what is weighed.
    for (let turn = 0; socket.readyState !== 1 && turn < 5_000; turn++) await pause(1)
  }
  await pause(20)
  return count
}

export const bench = {
  openReceivers,
  flood,
  receiveAlone,
  openSenders,
  sendBursts,
  sendSingly,
  sendAlone,
  holdAlone,
  hold,
}
