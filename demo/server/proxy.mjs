// The link between the page and the server: a TCP proxy that fails on request, for one client or for all.
// It knows of WebSocket only the request line, from which it reads whose connection this is. What it does to bytes, networks do.
import { connect, createServer } from 'node:net'
import { createPipe } from './pipe.mjs'
import { listenAnywhere, listenOn } from './listen.mjs'

/**
 * What is wrong with one client's link.
 * @typedef {object} Weather
 * @property {boolean} hole Nothing passes, in either direction, and nobody is told.
 * @property {boolean} hang New connections are accepted and never answered.
 * @property {boolean} slow Latency and a thin line, see `pipe.mjs`.
 */

/**
 * One connection. Without `upstream` it was swallowed: accepted during a hole or a hang, and going nowhere.
 * @typedef {object} Link
 * @property {string} client
 * @property {import('node:net').Socket} socket
 * @property {import('node:net').Socket} [upstream]
 * @property {import('./pipe.mjs').Pipe[]} pipes
 */

/** A request line longer than this is no browser's. */
const LONGEST_REQUEST_LINE = 8_192

/** The client id that the page put into its url: `GET /?client=ID HTTP/1.1`. */
const readClient = (/** @type {string} */ requestLine) => {
  const target = requestLine.split(' ')[1] ?? '/'
  return new URL(target, 'http://localhost').searchParams.get('client') ?? ''
}

/**
 * @param {{ host: string, wanted: readonly number[], upstreamPort: number }} options
 */
export async function createProxy({ host, wanted, upstreamPort }) {
  /** @type {Set<Link>} */
  const links = new Set()
  /** @type {Map<string, Weather>} */
  const weathers = new Map()
  /** @type {Set<import('node:net').Socket>} */
  const strangers = new Set()
  /** @type {import('node:net').Server | null} */
  let listener = createServer({ allowHalfOpen: true }, onConnection)
  const port = await listenAnywhere(listener, host, wanted)

  /** @returns {Weather} */
  const weatherOf = (/** @type {string} */ client) => weathers.get(client) ?? { hole: false, hang: false, slow: false }

  const linksOf = (/** @type {string | undefined} */ client) =>
    [...links].filter((link) => client === undefined || link.client === client)

  /** Reads the request line, then knows whose link this is. */
  function onConnection(/** @type {import('node:net').Socket} */ socket) {
    let head = Buffer.alloc(0)
    socket.setNoDelay(true)
    strangers.add(socket)
    socket.on('close', () => strangers.delete(socket))
    socket.on('error', () => {}) // Gone before it said who it was: there is nobody to tell.
    socket.on('data', function sniff(bytes) {
      head = Buffer.concat([head, bytes])
      const end = head.indexOf('\r\n')
      if (end < 0 && head.length < LONGEST_REQUEST_LINE) return
      socket.off('data', sniff)
      socket.pause()
      strangers.delete(socket)
      admit(socket, readClient(head.toString('latin1', 0, Math.max(end, 0))), head)
    })
  }

  /**
   * @param {import('node:net').Socket} socket
   * @param {string} client
   * @param {Buffer} head
   */
  function admit(socket, client, head) {
    const { hole, hang } = weatherOf(client)
    const link = hole || hang ? swallow(socket, client) : forward(socket, client, head)
    links.add(link)
    socket.on('close', () => links.delete(link))
  }

  /**
   * @param {import('node:net').Socket} socket
   * @param {string} client
   * @returns {Link}
   */
  function swallow(socket, client) {
    // Read on, so that we learn when the client gives up; it cannot observe anything after that.
    socket.on('end', () => socket.destroy())
    socket.resume()
    return { client, socket, pipes: [] }
  }

  /**
   * @param {import('node:net').Socket} socket
   * @param {string} client
   * @param {Buffer} head
   * @returns {Link}
   */
  function forward(socket, client, head) {
    const upstream = connect({ host: '127.0.0.1', port: upstreamPort, allowHalfOpen: true, noDelay: true })
    const weather = () => weatherOf(client)
    const pipes = [createPipe(socket, upstream, weather), createPipe(upstream, socket, weather)]
    pipes[0]?.put(head)
    return { client, socket, upstream, pipes }
  }

  const reset = (/** @type {Link} */ { socket, upstream }) => {
    socket.resetAndDestroy()
    upstream?.resetAndDestroy()
  }

  return {
    port,
    weatherOf,

    /**
     * Changes one client's weather. When a hole or a hang ends, what it swallowed is cut: a network that comes back does
     * not revive connections whose first packets it lost. What was open before the hole goes on, as TCP does.
     * @param {string} client
     * @param {Partial<Weather>} change
     */
    setWeather(client, change) {
      const weather = { ...weatherOf(client), ...change }
      if (Object.values(weather).some(Boolean)) weathers.set(client, weather)
      else weathers.delete(client)
      for (const link of linksOf(client)) {
        for (const pipe of link.pipes) pipe.pump()
        if (!link.upstream && !weather.hole && !weather.hang) reset(link)
      }
    },

    /** Kills a client's connections with RST, both ends. Without a client: everybody's. */
    kill(/** @type {string | undefined} */ client) {
      for (const link of linksOf(client)) reset(link)
    },

    /** Stops listening: from now on the system refuses new connections. Those there are stay. */
    refuse() {
      listener?.close()
      listener = null
    },

    /** Listens again, on the same port. */
    async accept() {
      if (listener) return
      listener = createServer({ allowHalfOpen: true }, onConnection)
      await listenOn(listener, port, host)
    },

    close() {
      listener?.close()
      listener = null
      for (const link of links) reset(link)
      for (const socket of strangers) socket.destroy()
    },
  }
}

/** @typedef {Awaited<ReturnType<typeof createProxy>>} Proxy */
