// What the tests of Firefox and WebKit need: a browser, the page's site, and servers behind links that break on request.
import { readdir, readFile } from 'node:fs/promises'
import { kill } from 'node:process'
import { describe } from 'vitest'
import { findEngine } from '../../scripts/browser.mjs'
import type { HeartwireOptions } from '../../src/index.ts'
import { record } from '../support/reliability.ts'
import type { Observation } from '../support/reliability.ts'
import { startRig } from '../support/rig.ts'
import type { Rig } from '../support/rig.ts'
import type { Subject } from './in-page.ts'
import { startFirefox } from './other-engines-firefox.ts'
import { watchPage } from './other-engines-page.ts'
import type { OtherPage, PageDriver } from './other-engines-page.ts'
import { startWebKit } from './other-engines-webkit.ts'
import { startSite } from './site.ts'
import type { Site } from './site.ts'
import { addressOf, count, PEERS } from './stage.ts'

/** All but Chromium. */
export type OtherEngine = 'firefox' | 'webkit'

const STARTS = { firefox: startFirefox, webkit: startWebKit }
const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']

/** Browser and site; rigs are a test's own. */
export interface OtherStage {
  readonly site: Site
  /** A server that answers `ping` with `pong`, behind a link; ended with the stage. */
  rig(): Promise<Rig>
  /** The page in sight, loaded anew, with these sockets open, each at the path that is its name. */
  front(rig: Rig, sockets: Sockets): Promise<OtherPage>
  /** The same in a tab of its own that nobody sees. */
  behind(rig: Rig, sockets: Sockets): Promise<OtherPage>
  /** Stops all the browser's processes, as the lid of a laptop does, right after `before`; resolves to what makes them go on. */
  sleep(before?: () => Promise<void>): Promise<() => void>
  /** Writes down what was seen. */
  note(observation: Omit<Observation, 'engine'>): Promise<void>
  /** Writes down what state the peers are in now; `since` is when the fault began that killed the link, if any. */
  notePeers(page: OtherPage, scenario: string, since: number | null): Promise<void>
  close(): Promise<void>
}

type Sockets = Partial<Record<Subject, HeartwireOptions>>

/** A process and all that descend from it, as Linux lists them. */
async function processTree(root: number): Promise<number[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    // The name of a program, in parentheses, may hold anything. A process that has ended meanwhile is no loss.
    const status = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : ''
    const parent = /^.*\) \S (\d+)/s.exec(status)?.[1]
    if (parent) parents.set(Number(name), Number(parent))
  }
  const tree = [root]
  for (const process of tree) for (const [child, parent] of parents) if (parent === process) tree.push(child)
  return tree
}

function signalIfThere(id: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    kill(id, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Starts a stage with an engine's browser. */
export async function startOtherStage(engine: OtherEngine): Promise<OtherStage> {
  const site = await startSite()
  const browser = await STARTS[engine]().catch(async (error: unknown) => {
    await site.close()
    throw error
  })
  const rigs: Rig[] = []
  let wakeUp = (): void => {}
  const load = async (driver: PageDriver, rig: Rig, sockets: Sockets): Promise<OtherPage> => {
    await driver.goto(site.url)
    const page = watchPage(driver)
    for (const [subject, options] of Object.entries(sockets)) {
      await page.connect(subject as Subject, addressOf(rig, subject as Subject), options)
    }
    return page
  }
  const note: OtherStage['note'] = (observation) => record({ engine, ...observation })
  return {
    site,
    async rig() {
      const rig = await startRig()
      rigs.push(rig)
      rig.server.answerPings(true)
      return rig
    },
    async front(rig, sockets) {
      // A test before may have hidden it.
      await browser.front.show()
      return load(browser.front, rig, sockets)
    },
    behind: async (rig, sockets) => load(await browser.openBehind(), rig, sockets),
    async sleep(before) {
      const processes = await processTree(browser.pid)
      wakeUp = () => {
        wakeUp = () => {}
        for (const id of processes) signalIfThere(id, 'SIGCONT')
      }
      await before?.()
      for (const id of processes) signalIfThere(id, 'SIGSTOP')
      return () => wakeUp()
    },
    note,
    async notePeers(page, scenario, since) {
      for (const subject of PEERS) {
        const state = STATES[await page.call((life, name) => life.sockets[name]?.readyState ?? 3, subject)]
        const saw = since === null ? `stays ${state}` : `still ${state} after ${count(Date.now() - since)} ms`
        await note({ scenario, subject, saw, after: null, bound: null })
      }
    },
    async close() {
      wakeUp()
      await browser.close()
      await Promise.all([site.close(), ...rigs.map((rig) => rig.close())])
    },
  }
}

const ENGINES = ['firefox', 'webkit'] as const
const missing = new Set<OtherEngine>()
for (const engine of ENGINES) {
  await findEngine(engine).catch(() => missing.add(engine)) // Who starts it anyway is told why it cannot be.
}

const isRequired = (engine: OtherEngine): boolean =>
  Boolean(process.env['CI'] || process.env[`HEARTWIRE_${engine.toUpperCase()}`])

/**
 * Runs a suite in each engine: side by side, since most of the time goes by in waiting, and one test after the other within
 * each. An engine that is not there is a skip that says so, or a failure where it is required.
 */
export function inEachOther(suite: (engine: OtherEngine) => void): void {
  for (const engine of ENGINES) {
    const isSkipped = missing.has(engine) && !isRequired(engine)
    describe.skipIf(isSkipped).concurrent(isSkipped ? `${engine}, which is not on this machine` : engine, () => {
      describe.sequential('a page', () => suite(engine))
    })
  }
}
