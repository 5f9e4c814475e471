// A stock Firefox of the test's own, driven by raw WebDriver BiDi: Playwright opens each page in a window of its own, so
// that none is ever hidden, and cannot take it off the network. https://www.w3.org/TR/webdriver-bidi/
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'
import { findFirefox } from '../../scripts/browser.mjs'
import type { OtherBrowser, PageDriver } from './other-engines-page.ts'

/** ms for a browser to say where it listens, and for any command. */
const PATIENCE = 60_000

/** Only the page under test is to use the network. */
const PREFERENCES: Record<string, unknown> = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.server': 'data:,',
}

interface Answer {
  readonly type: 'success' | 'error' | 'event'
  readonly id?: number
  readonly result?: any
  readonly error?: string
  readonly message?: string
}

/** One connection to the browser: commands and their answers; our tests need no events. */
interface Bidi {
  /** Rejects when the browser refuses, is gone or says nothing for a minute. */
  send(method: string, params?: object): Promise<any>
  close(): void
}

async function connectBidi(url: string): Promise<Bidi> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  const waiting = new Map<number, (answer: Answer) => void>()
  let lastId = 0
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
  const endAll = (): void => {
    for (const settle of waiting.values()) settle({ type: 'error', error: 'The browser is gone' })
  }
  socket.on('error', endAll)
  socket.on('close', endAll)
  socket.on('message', (data: Buffer) => {
    const answer = JSON.parse(data.toString()) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  })
  return {
    send(method, params = {}) {
      const id = (lastId += 1)
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => settle({ type: 'error', error: `No answer within ${PATIENCE} ms` }), PATIENCE)
        const settle = ({ type, result, error, message = '' }: Answer): void => {
          clearTimeout(timer)
          waiting.delete(id)
          if (type === 'success') resolve(result)
          else reject(new Error(`${method}: ${error} ${message}`))
        }
        waiting.set(id, settle)
        if (socket.readyState !== socket.OPEN) return settle({ type: 'error', error: 'The browser is gone' })
        socket.send(JSON.stringify({ id, method, params }))
      })
    },
    close: () => socket.terminate(),
  }
}

function bidiUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = []
    const fail = (why: string): void => reject(new Error(`Cannot start Firefox: ${why}\n${said.join('\n')}`))
    const timer = setTimeout(() => fail(`no address within ${PATIENCE} ms`), PATIENCE)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`it ended with ${code}`))
    if (!child.stderr) return fail('it has no stderr')
    createInterface(child.stderr).on('line', (line) => {
      said.push(line)
      const url = /^WebDriver BiDi listening on (ws:.*)$/.exec(line)?.[1]
      if (!url) return
      clearTimeout(timer)
      resolve(`${url}/session`)
    })
  })
}

const exited = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

function drivePage(bidi: Bidi, context: string): PageDriver {
  const send = (method: string, params: object): Promise<any> => bidi.send(method, params)
  let inFront: string | undefined
  return {
    async goto(url) {
      await send('browsingContext.navigate', { context, url, wait: 'complete' })
    },
    async back() {
      await send('browsingContext.traverseHistory', { context, delta: -1 })
    },
    async reload() {
      await send('browsingContext.reload', { context, wait: 'complete' })
    },
    async evaluate(expression) {
      const answer = (await send('script.evaluate', {
        expression: `JSON.stringify(${expression})`,
        target: { context },
        awaitPromise: false,
      })) as { result?: { value?: string }; exceptionDetails?: { text: string } }
      if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.text)
      return answer.result?.value === undefined ? undefined : (JSON.parse(answer.result.value) as unknown)
    },
    async hide() {
      const tab = (await send('browsingContext.create', { type: 'tab', referenceContext: context })) as {
        context: string
      }
      inFront = tab.context
    },
    async show() {
      await send('browsingContext.activate', { context })
      if (inFront) await send('browsingContext.close', { context: inFront })
      inFront = undefined
    },
    async setOffline(isOffline) {
      const networkConditions = isOffline ? { type: 'offline' } : null
      await send('emulation.setNetworkConditions', { networkConditions, contexts: [context] })
    },
    async close() {
      await send('browsingContext.close', { context })
    },
  }
}

/** Starts one with an empty profile. */
export async function startFirefox(): Promise<OtherBrowser> {
  const executable = await findFirefox()
  const profile = await mkdtemp(join(tmpdir(), 'heartwire-life-'))
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`)
  await writeFile(join(profile, 'user.js'), lines)
  const args = ['--headless', '--no-remote', '--remote-debugging-port=0', '--profile', profile, 'about:blank']
  const child = spawn(executable, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let bidi: Bidi | undefined

  const close = async (): Promise<void> => {
    await bidi?.send('browser.close').catch(() => child.kill('SIGKILL'))
    if (!bidi) child.kill('SIGKILL')
    await exited(child)
    bidi?.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  try {
    const browser = await connectBidi(await bidiUrl(child))
    bidi = browser
    const { capabilities } = (await browser.send('session.new', { capabilities: {} })) as {
      capabilities: { 'moz:processID': number }
    }
    const { contexts } = (await browser.send('browsingContext.getTree')) as { contexts: { context: string }[] }
    return {
      pid: capabilities['moz:processID'],
      front: drivePage(browser, contexts[0]?.context ?? ''),
      async openBehind() {
        const options = { type: 'tab', background: true }
        const { context } = (await browser.send('browsingContext.create', options)) as { context: string }
        return drivePage(browser, context)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
