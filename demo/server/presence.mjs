// Who is online, by the well-known recipe: each heartbeat carries a client id and a time, the server remembers the last
// beat of each, and a client whose last beat is older than the limit is offline. It needs no `close` event to be right,
// which is the point: a dead link sends none.

/**
 * @typedef {object} Beat
 * @property {number} at When it came, by our own clock: clients' clocks are wrong by hours.
 * @property {number | null} clientTime What the client's clock said.
 */

/**
 * @param {{ limit: number, forgetAfter: number, now?: () => number }} options in ms
 */
export function createPresence({ limit, forgetAfter, now = Date.now }) {
  /** @type {Map<string, Beat>} */
  const beats = new Map()

  return {
    limit,

    /**
     * @param {string} client
     * @param {number | null} [clientTime]
     */
    beat(client, clientTime = null) {
      beats.set(client, { at: now(), clientTime })
    },

    /** Everybody, the longest known first; `age` is how long ago the last beat was. */
    list() {
      return [...beats].map(([client, { at, clientTime }]) => {
        const age = now() - at
        return { client, isOnline: age <= limit, age, clientTime }
      })
    },

    /** Forgets who has been silent for long, and returns them. */
    sweep() {
      const gone = [...beats].filter(([, { at }]) => now() - at > forgetAfter).map(([client]) => client)
      for (const client of gone) beats.delete(client)
      return gone
    },
  }
}

/** @typedef {ReturnType<typeof createPresence>} Presence */
