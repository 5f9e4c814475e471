// Where the measuring is done: a Chromium, and on loopback a server that floods it and swallows what it sends.
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright'
import { WebSocketServer } from 'ws'
import { chromiumArgs, findChromium } from '../scripts/browser.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Bytes of every message: a small piece of JSON. */
export const MESSAGE_BYTES = 64

/** Unmasked text frames, as many as asked for, in one piece: the server must not be what is measured. */
function frames(/** @type {number} */ count) {
  const frame = Buffer.concat([Buffer.from([0x81, MESSAGE_BYTES]), Buffer.alloc(MESSAGE_BYTES, 'a')])
  return Buffer.alloc(count * frame.length, frame)
}

/** A copy of what was built: others may build again meanwhile. */
export async function copyBuild() {
  const folder = await mkdtemp(join(tmpdir(), 'heartwire-bench-'))
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  return { dist: join(folder, 'dist'), remove: () => rm(folder, { recursive: true, force: true }) }
}

/**
 * Bundles an entry over the copy of the build.
 * @param {import('esbuild').StdinOptions['contents']} contents
 * @param {string} dist
 * @param {{ minify: boolean }} options
 */
export async function bundle(contents, dist, { minify }) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    alias: { heartwire: join(dist, 'index.js') },
    // The copy lies outside of the repository, and mitt inside.
    nodePaths: [join(root, 'node_modules')],
    bundle: true,
    minify,
    format: 'esm',
    target: 'es2022',
    tsconfigRaw: '{}',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

async function startServer(/** @type {string} */ script) {
  const http = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    // Isolated, a page has a clock of 5 µs instead of 100.
    response.writeHead(200, {
      'Content-Type': isScript ? 'text/javascript' : 'text/html',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    })
    response.end(
      isScript ? script : '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>',
    )
  })
  const sockets = new WebSocketServer({ server: http })
  sockets.on('connection', (socket, request) => {
    socket.on('message', (data, isBinary) => {
      const count = isBinary ? null : /^flood (\d+)$/.exec(data.toString())
      if (count) request.socket.write(frames(Number(count[1])))
    })
  })
  await new Promise((resolve) => http.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (http.address())
  const close = async () => {
    for (const client of sockets.clients) client.terminate()
    sockets.close()
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
  return { port, close }
}

/** Opens the laboratory. Everything it holds ends with `close()`. */
export async function openLab(/** @type {string} */ dist) {
  const script = await bundle(`import { bench } from './page.mjs'; Object.assign(globalThis, { bench })`, dist, {
    minify: false,
  })
  const server = await startServer(script)
  try {
    const browser = await chromium.launch({ executablePath: await findChromium(), args: chromiumArgs() })
    return {
      version: browser.version(),
      url: `ws://127.0.0.1:${server.port}/`,
      /** A page in a renderer of its own, so that what V8 has learnt in one says nothing about another. */
      async openPage() {
        const context = await browser.newContext()
        const page = await context.newPage()
        await page.goto(`http://127.0.0.1:${server.port}/`)
        await page.waitForFunction(() => 'bench' in globalThis)
        const cdp = await context.newCDPSession(page)
        // CPU time of the main thread, not time on the wall: other processes run beside us.
        await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
        return {
          /**
           * Calls a function of `page.mjs`.
           * @param {string} name
           * @param {...unknown} args
           * @returns {Promise<any>}
           */
          call: (name, ...args) =>
            page.evaluate(
              ([wanted, given]) => /** @type {any} */ (globalThis).bench[wanted](...given),
              /** @type {[string, any[]]} */ ([name, args]),
            ),
          /** ms of CPU that the main thread has spent on tasks. */
          async cpu() {
            const { metrics } = await cdp.send('Performance.getMetrics')
            return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1_000
          },
          /** Bytes in use after a collection: V8's and the browser's own. */
          async heap() {
            await cdp.send('HeapProfiler.collectGarbage')
            await cdp.send('HeapProfiler.collectGarbage')
            const usage = await cdp.send('Runtime.getHeapUsage')
            return usage.usedSize + usage.embedderHeapUsedSize
          },
          close: () => context.close(),
        }
      },
      async close() {
        await browser.close()
        await server.close()
      },
    }
  } catch (error) {
    await server.close()
    throw error
  }
}

/** @typedef {Awaited<ReturnType<typeof openLab>>} Lab */
/** @typedef {Awaited<ReturnType<Lab['openPage']>>} Page */
