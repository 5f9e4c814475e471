// A WebKitGTK of Debian's packages, driven by its own WebDriver, in a window on a display that nobody sees.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { findWebKit } from '../../scripts/browser.mjs'
import { listen } from './listen.ts'
import { startSession } from './webdriver.ts'
import type { WebDriver } from './webdriver.ts'

/** ms for a process to be ready on a machine that does much else. */
const PATIENCE = 30_000

/** A browser of our own. */
export interface WebKitBrowser {
  readonly driver: WebDriver
  /** The driver's process, which the browser's descend from. */
  readonly pid: number
  /** Ends browser, driver and display. Harmless twice. */
  close(): Promise<void>
}

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill()
  })

/** The first line that the display server says: the number it has found for itself. */
const startDisplay = async (command: string): Promise<[ChildProcess, string]> => {
  const args = ['-displayfd', '3', '-screen', '0', '1600x1200x24', '-nolisten', 'tcp']
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const number = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)))
    ;(child.stdio[3] as Readable).once('data', (bytes: Buffer) => resolve(bytes.toString().trim()))
  })
  return [child, `:${number}`]
}

/** A port that is free now. The driver can only be told a port, so that between the two somebody could take it. */
const freePort = async (): Promise<number> => {
  const server = createServer()
  const port = await listen(server)
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}

const untilReady = async (address: string, child: ChildProcess): Promise<void> => {
  for (const start = performance.now(); performance.now() - start < PATIENCE; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`WebKitWebDriver ended with ${child.exitCode}`)
    try {
      if ((await fetch(`${address}/status`)).ok) return
    } catch {
      // Not listening yet.
    }
  }
  throw new Error(`WebKitWebDriver was not ready within ${PATIENCE} ms`)
}

/**
 * Starts one, with these variables in its environment besides ours.
 * @throws when there is none on this machine
 */
export async function startWebKit(variables: Record<string, string> = {}): Promise<WebKitBrowser> {
  const { driver: command, browser, display } = await findWebKit()
  const [displayProcess, displayName] = await startDisplay(display)
  /** In the order in which to end them. */
  const children = [displayProcess]
  const close = async (): Promise<void> => {
    for (const child of children) await end(child)
  }
  try {
    const port = await freePort()
    const env = { ...process.env, ...variables, DISPLAY: displayName, GDK_BACKEND: 'x11' }
    const driverProcess = spawn(command, [`--port=${port}`], { env, stdio: 'ignore' })
    children.unshift(driverProcess)
    const address = `http://127.0.0.1:${port}`
    await untilReady(address, driverProcess)
    const driver = await startSession(address, {
      'webkitgtk:browserOptions': { binary: browser, args: ['--automation'] },
    })
    return {
      driver,
      pid: driverProcess.pid ?? 0,
      async close() {
        // A browser that has crashed has no session to end; its processes end below.
        await driver.quit().catch(() => {})
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
