// Who may connect: one token per client, handed out over HTTP, gone when we log the client out.
import { randomUUID } from 'node:crypto'

export function createSessions() {
  /** @type {Map<string, string>} */
  const tokens = new Map()

  return {
    /** Logs a client in; an earlier token of its stays good, so that a page may ask as often as it likes. */
    open(/** @type {string} */ client) {
      const token = tokens.get(client) ?? randomUUID()
      tokens.set(client, token)
      return token
    },
    isValid: (/** @type {string} */ client, /** @type {string | null} */ token) =>
      token !== null && tokens.get(client) === token,
    close: (/** @type {string} */ client) => tokens.delete(client),
  }
}

/** @typedef {ReturnType<typeof createSessions>} Sessions */
