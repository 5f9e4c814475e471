// The connection: all that an application writes to have a socket that stays alive, with a login and nothing lost.
import { Heartwire, isRetriable, json } from 'heartwire'

/**
 * What travels, but for the heartbeat.
 * @typedef {{ type: 'message', number: number, text: string }} Outgoing
 * @typedef {{ client: string, isOnline: boolean, age: number }} Person
 * @typedef {import('./ledger.js').Receipts} Receipts
 * @typedef {{ type: 'welcome', client: string, receipts: Receipts }
 *   | { type: 'receipt', number: number, receipts: Receipts }
 *   | { type: 'presence', clients: Person[] }
 *   | { type: 'flood', number: number, count: number }} Incoming
 * @typedef {Heartwire<Incoming, Outgoing>} Connection
 */

/** Who we are, for the server and the fault proxy: another one for each load of the page, so that two tabs can be compared. */
export const client = Math.random().toString(36).slice(2, 8).padEnd(6, '0')

/** Short, to be lively; the defaults (25 s and 10 s) suit a real application. */
export const INTERVAL = 2_000
export const TIMEOUT = 2_000

/** The server's answer to a bad token. */
const LOGGED_OUT = 4401

/** @type {string | null} */
let token = null

/**
 * Called before each attempt: a logged-out page gets a fresh token, the others keep theirs.
 * @param {{ signal: AbortSignal }} attempt
 */
async function url({ signal }) {
  const address = await (await fetch('/address', { signal })).text()
  if (!token) {
    const answer = await (await fetch(`/login?client=${client}`, { method: 'POST', signal })).json()
    token = /** @type {string} */ (answer.token)
  }
  return `${address}/?client=${client}&token=${token}`
}

/**
 * @param {import('./ledger.js').Ledger} ledger
 * @returns {Connection}
 */
export function createConnection(ledger) {
  return new Heartwire(url, {
    codec: json(),
    connectTimeout: 5_000,

    // The server says first what it has got. Whatever is still in doubt then is sent again, ahead of the queue: the library
    // never sends twice what may have left, but who can ask the server may know better.
    handshake: async (server) => {
      const welcome = await server.receive()
      if (welcome.type !== 'welcome') throw new Error(`The server began with ${welcome.type} instead of a welcome`)
      for (const message of ledger.settle(welcome.receipts)) server.send(message)
    },

    heartbeat: {
      message: () => JSON.stringify({ heart: 1, client, time: Date.now() }),
      interval: INTERVAL,
      timeout: TIMEOUT,
      // Presence wants a beat from everybody all the time, not only from those who have nothing to say.
      when: 'always',
      pong: (data) => data.startsWith('{"heart":1'),
    },

    reconnect: {
      maxDelay: 10_000,
      when: (close) => {
        if (close.code !== LOGGED_OUT) return isRetriable(close)
        token = null
        return false
      },
    },
  })
}
