// The HTTP side, at the page's own origin: the pages, the login, and the buttons. It is never broken, so that what the
// buttons have broken can be mended.
import { createServer } from 'node:http'
import { BadRequest } from './faults.mjs'
import { servePage } from './pages.mjs'

/** An id that the page made up for itself. */
const CLIENT = /^[\w-]{1,40}$/

/** A body holds a few numbers and a close reason. */
const LONGEST_BODY = 4_096

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */

const json = (/** @type {Response} */ response, /** @type {unknown} */ value, status = 200) => {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(value))
}

/**
 * @param {Request} request
 * @returns {Promise<Record<string, unknown>>}
 */
const readBody = async (request) => {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > LONGEST_BODY) throw new BadRequest('the body is too long')
  }
  try {
    return Object(JSON.parse(text || '{}'))
  } catch {
    throw new BadRequest('the body must be JSON')
  }
}

/** Other sites' pages can reach this server too, from the same browser; they may not press our buttons. */
const isForeign = (/** @type {Request} */ request) => {
  const { origin, host } = request.headers
  return origin !== undefined && origin !== `http://${host}`
}

/**
 * @param {object} parts
 * @param {import('./proxy.mjs').Proxy} parts.proxy
 * @param {import('./application.mjs').Application} parts.application
 * @param {import('./sessions.mjs').Sessions} parts.sessions
 * @param {import('./faults.mjs').Faults} parts.faults
 */
export function createSite({ proxy, application, sessions, faults }) {
  /** The WebSocket's origin, by the name under which the browser knows us. */
  const webSocketOrigin = (/** @type {Request} */ request) => {
    const { hostname } = new URL(`http://${request.headers.host ?? 'localhost'}`)
    return `ws://${hostname}:${proxy.port}`
  }

  /**
   * @param {Request} request
   * @param {Response} response
   */
  const answer = async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const client = searchParams.get('client') ?? ''
    const [, area, fault = ''] = pathname.split('/')
    const isClient = CLIENT.test(client)

    if (request.method === 'POST') {
      if (isForeign(request)) return json(response, { error: 'this button belongs to another page' }, 403)
      if (!isClient) throw new BadRequest('client must be an id')
      if (pathname === '/login') return json(response, { token: sessions.open(client) })
      if (area === 'control' && faults.has(fault)) {
        await faults.cause(fault, client, await readBody(request))
        return json(response, faults.status(client))
      }
    } else if (request.method === 'GET') {
      if (pathname === '/address') return response.end(webSocketOrigin(request))
      if (pathname === '/control' && isClient) return json(response, faults.status(client))
      if (pathname === '/connections' && isClient) return json(response, application.countOf(client))
      if (pathname === '/receipts' && isClient) {
        const { sums, order } = application.receiptsOf(client)
        return json(response, { ...sums, order })
      }
      if (await servePage(pathname, webSocketOrigin(request), response)) return
    }
    json(response, { error: `nothing at ${request.method} ${pathname}` }, 404)
  }

  return createServer((request, response) => {
    answer(request, response).catch((error) => {
      if (error instanceof BadRequest) json(response, { error: error.message }, 400)
      else {
        console.error(error)
        json(response, { error: 'the demo server failed; its terminal says why' }, 500)
      }
    })
  })
}
