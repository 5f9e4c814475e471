// Everything that can be broken on request: one function per fault. Where a fault lives (server, link or session) is its
// group on the page; whom it concerns is said with each. Arguments come from HTTP and are not trusted.
import { LOGGED_OUT } from './application.mjs'

/** Answered with status 400: the page shows the text. */
export class BadRequest extends Error {}

/** RFC 6455 7.4: what an endpoint may put into a close frame. `ws` enforces the same. */
const mayBeSent = (/** @type {number} */ code) =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)

/** A close frame holds 125 bytes, two of them the code. */
const LONGEST_REASON = 123

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} lowest
 * @param {number} highest
 */
const number = (value, name, lowest, highest) => {
  if (typeof value === 'number' && Number.isInteger(value) && value >= lowest && value <= highest) return value
  throw new BadRequest(`${name} must be a whole number from ${lowest} to ${highest}`)
}

/**
 * @param {object} parts
 * @param {import('./proxy.mjs').Proxy} parts.proxy
 * @param {import('./application.mjs').Application} parts.application
 * @param {import('./sessions.mjs').Sessions} parts.sessions
 */
export function createFaults({ proxy, application, sessions }) {
  let isRefusing = false
  /** @type {NodeJS.Timeout | undefined} */
  let restart

  /** Listens unless something says no; two faults may say so at once. */
  const listen = async () => {
    if (isRefusing || restart) proxy.refuse()
    else await proxy.accept()
  }

  /** @typedef {Record<string, unknown>} Arguments What the page sends along. */
  /** @type {Record<string, (client: string, given: Arguments) => void | Promise<void>>} */
  const faults = {
    /** The server, for all pages: closes everybody with 1012, is gone for some seconds, and comes back. */
    async restart(_client, given) {
      const seconds = number(given['seconds'], 'seconds', 1, 60)
      clearTimeout(restart)
      restart = setTimeout(async () => {
        restart = undefined
        // Somebody may have taken the port meanwhile; then we are still restarting, which is the truth.
        await listen().catch(() => faults['restart']?.('', { seconds: 1 }))
      }, seconds * 1_000)
      await listen()
      application.closeAll(1012, 'service restart')
    },

    /** The server, for all pages: as if its process had died. Connections break, new ones are refused. */
    async refuse(_client, given) {
      isRefusing = given['on'] === true
      await listen()
      if (isRefusing) proxy.kill(undefined)
    },

    /** The server, this page: many messages in one burst. */
    flood(client, given) {
      application.flood(client, number(given['count'], 'count', 1, 100_000))
    },

    /** The link, this page: both ends get a TCP reset. */
    kill(client) {
      proxy.kill(client)
    },

    /** The link, this page: nothing passes any more, and nobody is told. */
    hole(client, given) {
      proxy.setWeather(client, { hole: given['on'] === true })
    },

    /** The link, this page: latency and a thin line. */
    slow(client, given) {
      proxy.setWeather(client, { slow: given['on'] === true })
    },

    /** The link, this page: cut, and from then on TCP connects but the upgrade is never answered. */
    hang(client, given) {
      const isOn = given['on'] === true
      proxy.setWeather(client, { hang: isOn })
      if (isOn) proxy.kill(client)
    },

    /** The session, this page: the server closes, with a code and a reason. */
    close(client, given) {
      const code = number(given['code'], 'code', 1000, 4999)
      const reason = String(given['reason'] ?? '')
      if (!mayBeSent(code))
        throw new BadRequest(`code ${code} cannot be sent: it must be 1000-1003, 1007-1014 or 3000-4999`)
      if (Buffer.byteLength(reason) > LONGEST_REASON) {
        throw new BadRequest(`reason must be at most ${LONGEST_REASON} bytes`)
      }
      application.closeClient(client, code, reason)
    },

    /** The session, this page: its token is void, and it is told so with 4401. */
    logout(client) {
      sessions.close(client)
      application.closeClient(client, LOGGED_OUT, 'logged out')
    },
  }

  return {
    /** Whether there is a fault of that name; `name` comes from a url. */
    has: (/** @type {string} */ name) => Object.hasOwn(faults, name),

    /**
     * @param {string} name
     * @param {string} client
     * @param {Arguments} given
     */
    async cause(name, client, given) {
      await faults[name]?.(client, given)
    },

    /** What is broken now, as `client` sees it. */
    status: (/** @type {string} */ client) => ({
      ...proxy.weatherOf(client),
      refuse: isRefusing,
      restart: restart !== undefined,
    }),

    close: () => clearTimeout(restart),
  }
}

/** @typedef {ReturnType<typeof createFaults>} Faults */
