// Listening on a port that stays ours, for a server that goes away and comes back at the same address.

/**
 * Below every system's range of ephemeral ports and above the ports that browsers block. A port from the ephemeral range
 * can be taken by somebody's outgoing connection in the seconds during which we refuse.
 */
const LOWEST = 12_000
const HIGHEST = 32_000
const TRIES = 50

/**
 * @param {import('node:net').Server} server
 * @param {number} port
 * @param {string} host
 * @returns {Promise<number>}
 */
export function listenOn(server, port, host) {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve(port)
    })
  })
}

/** @param {unknown} error */
export const isTaken = (error) => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

/**
 * Listens on the first of `wanted` that is free, else on any free port; resolves to the port.
 * @param {import('node:net').Server} server
 * @param {string} host
 * @param {readonly number[]} wanted
 * @returns {Promise<number>}
 */
export async function listenAnywhere(server, host, wanted = []) {
  for (let attempt = 0; ; attempt += 1) {
    const port = wanted[attempt] ?? LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    try {
      return await listenOn(server, port, host)
    } catch (error) {
      if (!isTaken(error) || attempt >= wanted.length + TRIES) throw error
    }
  }
}
