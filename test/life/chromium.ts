// A Chromium of the test's own, driven by CDP alone, so that its tabs are hidden, frozen and cached as a user's are.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill } from 'node:process'
import { createInterface } from 'node:readline'
import { chromiumArgs, findChromium } from '../../scripts/browser.mjs'
import { connectCdp } from './cdp.ts'
import type { Cdp } from './cdp.ts'
import { openTab } from './tab.ts'
import type { Tab } from './tab.ts'

/** A running browser. */
export interface Chromium {
  readonly cdp: Cdp
  /** Its name and major version, as the table of observations has it. */
  readonly engine: string
  /** Opens a tab in front of the others, at `url`. */
  open(url: string): Promise<Tab>
  /** Stops all its processes, as the lid of a laptop does; resolves to what makes them go on. */
  sleep(): Promise<() => void>
  /** Ends it and removes its profile. Harmless twice. */
  close(): Promise<void>
}

/** ms for a browser to say where it listens. */
const START = 30_000

function debuggingUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = []
    const fail = (why: string): void => reject(new Error(`Cannot start Chromium: ${why}\n${said.join('\n')}`))
    const timer = setTimeout(() => fail(`no debugging address within ${START} ms`), START)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`it ended with ${code}`))
    if (!child.stderr) return fail('it has no stderr')
    createInterface(child.stderr).on('line', (line) => {
      said.push(line)
      const url = /^DevTools listening on (ws:.*)$/.exec(line)?.[1]
      if (!url) return
      clearTimeout(timer)
      resolve(url)
    })
  })
}

const exited = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

/** A helper process that has ended meanwhile is no loss, and must not keep the others from going on. */
function signalIfThere(id: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    kill(id, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Starts one with an empty profile. `args` come on top of what all our browsers get. */
export async function startChromium(...args: string[]): Promise<Chromium> {
  const executable = await findChromium()
  const profile = await mkdtemp(join(tmpdir(), 'heartwire-life-'))
  const child = spawn(
    executable,
    [...chromiumArgs(), '--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`, ...args],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let cdp: Cdp | undefined
  let wakeUp = (): void => {}

  const close = async (): Promise<void> => {
    wakeUp()
    // A browser that is told to close ends its children, too; one that is killed may leave some behind.
    await cdp?.send('Browser.close').catch(() => child.kill('SIGKILL'))
    if (!cdp) child.kill('SIGKILL')
    await exited(child)
    cdp?.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  try {
    cdp = await connectCdp(await debuggingUrl(child))
    const browser = cdp
    const { product } = (await browser.send('Browser.getVersion')) as { product: string }
    const version = /\/(\d+)/.exec(product)?.[1] ?? '?'
    return {
      cdp: browser,
      engine: `Chromium ${version}`,
      open: (url) => openTab(browser, url),
      async sleep() {
        const { processInfo } = (await browser.send('SystemInfo.getProcessInfo')) as { processInfo: { id: number }[] }
        const signalAll = (signal: 'SIGSTOP' | 'SIGCONT'): void => {
          for (const { id } of processInfo) signalIfThere(id, signal)
        }
        wakeUp = () => {
          wakeUp = () => {}
          signalAll('SIGCONT')
        }
        signalAll('SIGSTOP')
        return () => wakeUp()
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
