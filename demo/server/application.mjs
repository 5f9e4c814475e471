// The WebSocket server that the page talks to: an ordinary `ws` server, which knows nothing of the faults on the way.
//
// What travels is JSON. From the page: `{ heart: 1, client, time }` and `{ type: 'message', number, text }`. To the page:
// the beat back, `welcome` (first of all), `receipt` for each message, `presence` and `flood`.
import { once } from 'node:events'
import { WebSocketServer } from 'ws'
import { createCensus } from './census.mjs'
import { createReceipts } from './receipts.mjs'
import { createRooms } from './rooms.mjs'

/** Looks at who has fallen silent this often; it only bounds how late the others hear of it. */
const SWEEP = 500

/** Far more than the page sends; a stranger's gigabyte ends here. */
const LARGEST_MESSAGE = 1024 * 1024

/** "No such room", after HTTP's 404. */
const NO_SUCH_ROOM = 4404

/** "Log in first", in the range that RFC 6455 leaves to applications, after HTTP's 401. */
export const LOGGED_OUT = 4401

/** @typedef {import('ws').WebSocket} Socket */

/**
 * @param {{ presence: import('./presence.mjs').Presence, sessions: import('./sessions.mjs').Sessions }} options
 */
export async function startApplication({ presence, sessions }) {
  /** @type {Map<string, import('./receipts.mjs').Receipts>} As a database would: it outlives connections and restarts. */
  const ledgers = new Map()
  /** @type {Map<string, Socket>} */
  const sockets = new Map()
  const rooms = createRooms()
  const census = createCensus()
  let announced = ''

  // Only the proxy needs to reach us.
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: LARGEST_MESSAGE })
  await once(server, 'listening')

  const receiptsOf = (/** @type {string} */ client) => {
    const receipts = ledgers.get(client) ?? createReceipts()
    ledgers.set(client, receipts)
    return receipts
  }

  const send = (/** @type {Socket} */ socket, /** @type {unknown} */ message) => socket.send(JSON.stringify(message))

  /** Tells everybody who is online, if that has changed. */
  const announcePresence = () => {
    const clients = presence.list().map(({ client, isOnline, age }) => ({ client, isOnline, age }))
    const summary = JSON.stringify(clients.map(({ client, isOnline }) => [client, isOnline]))
    if (summary === announced) return
    announced = summary
    for (const socket of sockets.values()) send(socket, { type: 'presence', clients })
  }

  /**
   * @param {Socket} socket
   * @param {string} client
   */
  const serve = (socket, client) => {
    // A client has one connection. What is left of an earlier one must not deliver its messages after the newer one's.
    sockets.get(client)?.terminate()
    sockets.set(client, socket)
    socket.on('close', () => {
      if (sockets.get(client) === socket) sockets.delete(client)
    })
    socket.on('message', (data) => receive(socket, client, parse(String(data))))
    // The page asks: what have you got? Whatever was in doubt when the last connection broke is settled by the answer.
    send(socket, { type: 'welcome', client, receipts: receiptsOf(client).sums })
    presence.beat(client)
    announced = '' // The newcomer has not heard it.
    announcePresence()
  }

  /**
   * @param {Socket} socket
   * @param {string} client
   * @param {any} message
   */
  const receive = (socket, client, message) => {
    if (message?.heart === 1) {
      presence.beat(client, typeof message.time === 'number' ? message.time : null)
      send(socket, message)
      announcePresence()
    } else if (message?.type === 'message') {
      const receipts = receiptsOf(client)
      receipts.note(message.number)
      send(socket, { type: 'receipt', number: message.number, receipts: receipts.sums })
    }
  }

  server.on('connection', (socket, request) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const client = searchParams.get('client') ?? ''
    // Every way in which a connection breaks ends in `close`; `ws` also tells of the cause, which we have made ourselves.
    socket.on('error', () => {})
    census.count(socket, client)
    const room = /^\/rooms\/(.*)$/.exec(pathname)?.[1]
    if (pathname === '/echo') socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    else if (room !== undefined) {
      if (!rooms.enter(room, socket, client)) socket.close(NO_SUCH_ROOM, 'no such room')
    }
    // A browser hides the status of a refused upgrade from the page, so we let it in and close with a code it can read.
    else if (!sessions.isValid(client, searchParams.get('token'))) socket.close(LOGGED_OUT, 'log in again')
    else serve(socket, client)
  })

  const sweeper = setInterval(() => {
    for (const client of presence.sweep()) sockets.get(client)?.terminate()
    announcePresence()
  }, SWEEP)

  return {
    port: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    receiptsOf,

    /** A client's connections. */
    countOf: census.countOf,

    /** Closes one client's connection as a server does: with a code and a reason. */
    closeClient(/** @type {string} */ client, /** @type {number} */ code, /** @type {string} */ reason) {
      sockets.get(client)?.close(code, reason)
    },

    /** Closes everybody's, those on `/echo` and in `/rooms` included. */
    closeAll(/** @type {number} */ code, /** @type {string} */ reason) {
      for (const socket of server.clients) socket.close(code, reason)
    },

    /** Sends `count` messages at once. */
    flood(/** @type {string} */ client, /** @type {number} */ count) {
      const socket = sockets.get(client)
      if (!socket) return
      for (let number = 1; number <= count; number += 1) send(socket, { type: 'flood', number, count })
    },

    close() {
      clearInterval(sweeper)
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}

const parse = (/** @type {string} */ text) => {
  try {
    return JSON.parse(text)
  } catch {
    return null // Not ours: ignored like any other message we do not know.
  }
}

/** @typedef {Awaited<ReturnType<typeof startApplication>>} Application */
