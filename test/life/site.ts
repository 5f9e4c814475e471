// The pages under test, over HTTP: the built library and its peer as script tags, as users load them.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import { listen } from '../support/listen.ts'

/** A running site. */
export interface Site {
  /** The page with the sockets. */
  readonly url: string
  /** A page without any, to go to. */
  readonly elsewhere: string
  close(): Promise<void>
}

const html = (body: string): string => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${body}`

const read = (path: string): Promise<string> =>
  readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

/** Starts it. The files are read now, so that a build in the meantime does no harm. */
export async function startSite(): Promise<Site> {
  const { code } = await transform(await read('test/life/in-page.ts'), { loader: 'ts', format: 'iife' })
  const scripts: Record<string, string> = {
    '/heartwire.js': await read('dist/heartwire.umd.js'),
    '/peer.js': await read('node_modules/reconnecting-websocket/dist/reconnecting-websocket-iife.js'),
    '/in-page.js': code,
  }
  const tags = Object.keys(scripts).map((path) => `<script src="${path}"></script>`)
  const answer = (response: ServerResponse, type: string, body: string): void => {
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body)
  }
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const script = scripts[path]
    if (script !== undefined) answer(response, 'text/javascript', script)
    else answer(response, 'text/html', path === '/' ? html(tags.join('')) : html('elsewhere'))
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}/`,
    elsewhere: `http://127.0.0.1:${port}/elsewhere`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
