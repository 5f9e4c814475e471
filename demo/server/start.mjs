// Puts the demo together: site (HTTP) · proxy (the link that breaks) · application (the WebSocket server behind it).
import { startApplication } from './application.mjs'
import { createFaults } from './faults.mjs'
import { isTaken, listenAnywhere, listenOn } from './listen.mjs'
import { requireBuild } from './pages.mjs'
import { createPresence } from './presence.mjs'
import { createProxy } from './proxy.mjs'
import { createSessions } from './sessions.mjs'
import { createSite } from './site.mjs'

const DEFAULT_PORT = 8787

/** The page beats every 2 s: two beats may be missing, and the third may take a second on its way. */
const PRESENCE_LIMIT = 5_000

/** Long enough to see "offline" on the page, short enough that the list does not fill with closed tabs. */
const PRESENCE_FORGET = 60_000

/**
 * Starts the demo in this process.
 * @param {{ port?: number | undefined, host?: string | undefined }} [options] `port`: by default 8787, or a free one if
 *   that is taken; 0 for a free one. `host`: by default 127.0.0.1.
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function startDemo({ port, host = '127.0.0.1' } = {}) {
  requireBuild()
  const presence = createPresence({ limit: PRESENCE_LIMIT, forgetAfter: PRESENCE_FORGET })
  const sessions = createSessions()
  const application = await startApplication({ presence, sessions })
  // The usual pair is 8787 for the page and 8788 for its socket: easy to find in the browser's network panel.
  const proxy = await createProxy({
    host,
    wanted: port ? [port + 1] : port === 0 ? [] : [DEFAULT_PORT + 1],
    upstreamPort: application.port,
  })
  const faults = createFaults({ proxy, application, sessions })
  const site = createSite({ proxy, application, sessions, faults })

  const close = async () => {
    faults.close()
    proxy.close()
    application.close()
    if (!site.listening) return
    const closed = new Promise((resolve) => site.close(resolve))
    site.closeAllConnections()
    await closed
  }

  try {
    const sitePort = port
      ? await listenOn(site, port, host)
      : await listenAnywhere(site, host, port === 0 ? [] : [DEFAULT_PORT])
    return { url: `http://${nameOf(host)}:${sitePort}/`, close }
  } catch (error) {
    await close()
    if (!isTaken(error)) throw error
    throw new Error(`Cannot serve the demo as port ${port} is taken: choose another with --port`, { cause: error })
  }
}

/** What to type into the browser for an address to listen on. */
const nameOf = (/** @type {string} */ host) => {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
