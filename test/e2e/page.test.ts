// The built files in pages as users write them: by script tag and as a module, under a strict Content-Security-Policy.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { Server } from 'node:http'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { listen } from '../support/listen.ts'
import { startRig } from '../support/rig.ts'
import type { Rig } from '../support/rig.ts'
import { startBrowser } from '../support/visitor.ts'
import type { VisitedBrowser, Visitor } from '../support/visitor.ts'
import { inEachEngine } from './engines.ts'

/** No inline script, no eval, no other host, no text turned into script. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  'connect-src ws://127.0.0.1:*',
  // Browsers look for an icon by themselves.
  "img-src 'self'",
  "require-trusted-types-for 'script'",
].join('; ')

/** What a page, or its worker, has said so far, in `globalThis.said` of the page. */
const saying = `
  const say = (...what) => (globalThis.said ? said.push(what) : postMessage(what))
  if (globalThis.document) globalThis.said = []
`

/** What every page does: connects, is cut off, sends meanwhile, and says what it saw. Runs in the page, or in a worker. */
const script = `
  ${saying}
  globalThis.addEventListener('securitypolicyviolation', (event) => say('violation', event.violatedDirective, event.blockedURI))
  const url = new URL(location.href).searchParams.get('url')
  const socket = new Heartwire(url, {
    reconnect: { minDelay: 20, maxDelay: 20 },
    heartbeat: { message: 'ping', pong: 'pong', interval: 50, timeout: 5_000 },
  })
  socket.send('before it is open')
  socket.onmessage = ({ data }) => say('message', data)
  socket.once('heartbeat').then(() => say('heartbeat'))
  socket.onclose = ({ code, willReconnect }) => {
    say('close', code, willReconnect)
    if (willReconnect) {
      socket.send('while it is down')
      socket.once('message').then(() => socket.close(1000))
    }
  }
`

/** A page that was written for reconnecting-websocket: connects, is cut off, sends meanwhile, and says what it saw. */
const rwsScript = `
  ${saying}
  const url = new URL(location.href).searchParams.get('url')
  const options = { minReconnectionDelay: 20, maxReconnectionDelay: 20, minUptime: 60000, connectionTimeout: 20000 }
  const rws = new ReconnectingWebSocket(() => url, undefined, options)
  rws.send('before it is open')
  rws.addEventListener('message', ({ data }) => {
    say('message', data, rws.retryCount, rws.readyState === ReconnectingWebSocket.OPEN)
    if (data === 'while it is down') rws.close()
  })
  rws.onclose = ({ code }) => {
    say('close', code, rws.readyState)
    if (code !== 1000) rws.send('while it is down')
  }
`

/** Where trusted types check the address of a script, the page has to say that it means it. */
const trusted = (url: string): string =>
  `(globalThis.trustedTypes?.createPolicy('own', { createScriptURL: (given) => given }).createScriptURL(${url}) ?? ${url})`

const FILES: Record<string, () => string | Promise<string>> = {
  '/script-tag.html': () =>
    '<!doctype html><script src="heartwire.umd.min.js"></script><script src="script.js"></script>',
  '/reconnecting-websocket.html': () =>
    '<!doctype html><script src="reconnecting-websocket-iife.min.js"></script><script src="rws.js"></script>',
  '/heartwire.html': () =>
    '<!doctype html><script src="reconnecting-websocket.umd.min.js"></script><script src="rws.js"></script>',
  '/rws.js': () => rwsScript,
  '/module.html': () => '<!doctype html><script type="module" src="module.js"></script>',
  '/worker.html': () => '<!doctype html><script src="start-worker.js"></script>',
  '/globals.html': () => '<!doctype html><script src="globals.js"></script>',
  '/script.js': () => script,
  '/module.js': () => `import { Heartwire } from './index.js'\n${script}`,
  '/worker.js': () => `importScripts(${trusted("'heartwire.umd.min.js'")})\n${script}`,
  '/start-worker.js': () =>
    `${saying}
     new Worker(${trusted("'worker.js' + location.search")}).onmessage = ({ data }) => say(...data)`,
  '/globals.js': () =>
    `${saying}
     const before = new Set(Reflect.ownKeys(globalThis))
     const { file, name } = Object.fromEntries(new URL(location.href).searchParams)
     const element = document.createElement('script')
     element.src = ${trusted('file')}
     element.onload = () => {
       // Playwright has names of its own.
       const isNew = (key) => !before.has(key) && !String(key).startsWith('__pw')
       const added = Reflect.ownKeys(globalThis).filter(isNew).map(String)
       const Class = globalThis[name]
       say('globals', added, typeof Class, Object.keys(Class), Class.OPEN)
     }
     document.documentElement.append(element)`,
  '/favicon.ico': () => '',
  '/heartwire.umd.min.js': () => readDist('heartwire.umd.min.js'),
  '/reconnecting-websocket.umd.min.js': () => readDist('reconnecting-websocket.umd.min.js'),
  '/reconnecting-websocket-iife.min.js': () => {
    const main = createRequire(import.meta.url).resolve('reconnecting-websocket')
    return readFile(new URL('reconnecting-websocket-iife.min.js', pathToFileURL(main)), 'utf8')
  },
  '/index.js': () => readDist('index.js'),
  // As a bundler or an import map would resolve it.
  '/shared-heartwire.js': async () =>
    (await readDist('shared-heartwire.js')).replaceAll(/(['"])mitt\1/g, "'./mitt.mjs'"),
  '/shared-network.js': () => readDist('shared-network.js'),
  '/mitt.mjs': () => readFile(new URL(import.meta.resolve('mitt')), 'utf8'),
}

const readDist = async (name: string): Promise<string> => {
  const source = await readFile(new URL(`../../dist/${name}`, import.meta.url), 'utf8')
  return source.replace(/^\/\/# sourceMappingURL=.*$/m, '')
}

/** Runs in the page: what it has said, once that is enough or something is wrong. */
const heard = (word: string, count: number): unknown[][] | null => {
  const { said = [] } = globalThis as unknown as { said?: unknown[][] }
  const isWrong = said.some(([first]) => first === 'violation')
  return isWrong || said.filter(([first]) => first === word).length >= count ? said : null
}

/** Resolves once the page has said so many things with that first word, to all it has said. */
const until = async (visitor: Visitor, word: string, count = 1): Promise<unknown[][]> =>
  (await visitor.until(heard, word, count)) ?? []

inEachEngine('the built files', (engine) => {
  let browser: VisitedBrowser
  let visitor: Visitor
  let site: Server
  let origin: string
  let rig: Rig

  beforeAll(async () => {
    browser = await startBrowser(engine)
    site = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', origin)
      const content = FILES[pathname]
      if (!content) return void response.writeHead(404).end()
      response.setHeader('content-type', pathname.endsWith('.html') ? 'text/html' : 'text/javascript')
      response.setHeader('content-security-policy', POLICY)
      Promise.resolve(content()).then(
        (text) => response.end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      )
    })
    origin = `http://127.0.0.1:${await listen(site)}`
  })

  afterAll(async () => {
    await browser?.close()
    site?.closeAllConnections()
    site?.close()
  })

  beforeEach(async () => {
    rig = await startRig()
    rig.server.echo(true)
    rig.server.answerPings(true)
    visitor = await browser.newVisitor()
  })

  afterEach(async () => {
    const problems = await visitor.problems()
    await visitor.close()
    await rig.close()
    expect(problems).toEqual([])
  })

  const visit = (path: string, query: Record<string, string> = {}): Promise<void> =>
    visitor.goto(`${origin}/${path}?${String(new URLSearchParams({ url: rig.url, ...query }))}`)

  test.for([
    ['the UMD file by script tag', 'script-tag.html'],
    ['the ES module', 'module.html'],
    ['the UMD file in a worker', 'worker.html'],
  ] as const)('%s lives through a loss under a strict Content-Security-Policy', async ([, path]) => {
    await visit(path)
    await until(visitor, 'message')
    await until(visitor, 'heartbeat')
    await rig.proxy.reset()
    await rig.server.waitForConnections(2)
    await rig.server.waitForClosed(2)
    // The page tells of the last close after everything else.
    const said = await until(visitor, 'close', 2)
    const log = said.filter(([word]) => word !== 'heartbeat')
    expect(log.slice(0, 3)).toEqual([
      ['message', 'before it is open'],
      ['close', 1006, true],
      ['message', 'while it is down'],
    ])
    expect(rig.server.connections[1]?.closed).toEqual({ code: 1000, reason: '' })
  })

  test.for(['reconnecting-websocket.html', 'heartwire.html'])(
    '[D12] a page for reconnecting-websocket runs as well with the file that replaces it: %s',
    async (path) => {
      await visit(path)
      await until(visitor, 'message')
      rig.server.closeClients(4001, 'enough')
      const said = await until(visitor, 'close', 2)
      expect(said).toEqual([
        ['message', 'before it is open', 0, true],
        ['close', 4001, 3],
        ['message', 'while it is down', 1, true],
        ['close', 1000, 3],
      ])
      // The page may know before the server does.
      await rig.server.waitForClosed(2)
      expect(rig.server.connections.map(({ closed }) => closed?.code)).toEqual([4001, 1000])
    },
  )

  test.for([
    ['heartwire.umd.min.js', 'Heartwire', ['Heartwire', 'HeartwireError', 'backoff', 'isRetriable', 'json']],
    ['reconnecting-websocket.umd.min.js', 'ReconnectingWebSocket', []],
  ] as const)('[D12] %s sets one global', async ([file, name, expected]) => {
    await visit('globals.html', { file, name })
    const [[, added, type, names, OPEN]] = (await until(visitor, 'globals')) as [unknown[]]
    expect(added).toEqual([name])
    expect(type).toBe('function')
    expect(names).toEqual(expect.arrayContaining([...expected]))
    expect(OPEN).toBe(1)
  })
})
