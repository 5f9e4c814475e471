// How many connections each client has and has had, as the server counts them: the proof that a page leaks none.

/** @typedef {{ open: number, opened: number, lastCode: number | null }} Count `lastCode` is that of the latest close. */

export function createCensus() {
  /** @type {Map<string, Count>} */
  const counts = new Map()

  const countOf = (/** @type {string} */ client) => counts.get(client) ?? { open: 0, opened: 0, lastCode: null }

  return {
    /**
     * @param {import('ws').WebSocket} socket
     * @param {string} client
     */
    count(socket, client) {
      const count = countOf(client)
      counts.set(client, count)
      count.open += 1
      count.opened += 1
      socket.on('close', (code) => {
        count.open -= 1
        count.lastCode = code
      })
    },
    countOf,
  }
}
