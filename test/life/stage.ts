// What every test here needs: a browser of its own, the page's site, and a server behind a link that breaks on request.
import type { HeartwireOptions } from '../../src/index.ts'
import { record } from '../support/reliability.ts'
import type { Observation } from '../support/reliability.ts'
import { startRig } from '../support/rig.ts'
import type { Rig } from '../support/rig.ts'
import type { Connection, Received } from '../support/server.ts'
import { startChromium } from './chromium.ts'
import type { Chromium } from './chromium.ts'
import type { Subject } from './in-page.ts'
import { startSite } from './site.ts'
import type { Site } from './site.ts'
import type { Tab } from './tab.ts'

/** Browser and site; rigs are a test's own. */
export interface Stage {
  readonly chromium: Chromium
  readonly site: Site
  /** A server that answers `ping` with `pong`, behind a link; ended with the stage. */
  rig(): Promise<Rig>
  /** A tab in front of the others, with these sockets open, each at the path that is its name. */
  tab(rig: Rig, sockets: Partial<Record<Subject, HeartwireOptions>>): Promise<Tab>
  /** Writes down what was seen. */
  note(observation: Omit<Observation, 'engine'>): Promise<void>
  /** Writes down what state the peers in `tab` are in now; `since` is when the fault began that killed the link, if any. */
  notePeers(tab: Tab, scenario: string, since: number | null): Promise<void>
  close(): Promise<void>
}

/** What we compare with; neither asks whether the link is alive. */
export const PEERS = ['native', 'reconnecting-websocket'] as const

const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']

/** [R7]: ms within which a retry begins when a signal says that it may succeed. */
export const AT_ONCE = 100

/** ms for connecting to a server on this machine and for telling of it, which no rule counts. A busy machine takes longer. */
export const MEASURING = 150

/** Starts a stage; `args` are for the browser. */
export async function startStage(...args: string[]): Promise<Stage> {
  // In this order: without a build there is no site, and then no browser to be left running.
  const site = await startSite()
  const chromium = await startChromium(...args).catch(async (error: unknown) => {
    await site.close()
    throw error
  })
  const rigs: Rig[] = []
  const note: Stage['note'] = (observation) => record({ engine: chromium.engine, ...observation })
  return {
    chromium,
    site,
    async rig() {
      const rig = await startRig()
      rigs.push(rig)
      rig.server.answerPings(true)
      return rig
    },
    async tab(rig, sockets) {
      const tab = await chromium.open(site.url)
      for (const [subject, options] of Object.entries(sockets)) {
        await tab.connect(subject as Subject, addressOf(rig, subject as Subject), options)
      }
      return tab
    },
    note,
    async notePeers(tab, scenario, since) {
      for (const subject of PEERS) {
        const state = STATES[await tab.call((life, name) => life.sockets[name]?.readyState ?? 3, subject)]
        const saw = since === null ? `stays ${state}` : `still ${state} after ${count(Date.now() - since)} ms`
        await note({ scenario, subject, saw, after: null, bound: null })
      }
    },
    async close() {
      await chromium.close()
      await Promise.all([site.close(), ...rigs.map((rig) => rig.close())])
    },
  }
}

/** The address by which the server's record tells the subjects apart. */
export const addressOf = (rig: Rig, subject: Subject): string => `${rig.url}${subject}`

/** The connections a subject ever had, as the server saw them. */
export const connectionsOf = (rig: Rig, subject: Subject): Connection[] =>
  rig.server.connections.filter(({ path }) => path === `/${subject}`)

/** What the server ever got from a subject. */
export function messagesOf(rig: Rig, subject: Subject): Received[] {
  const ids = connectionsOf(rig, subject).map(({ id }) => id)
  return rig.server.messages.filter(({ connection }) => ids.includes(connection))
}

/** Lets time pass: where the passing of it is the fault, or where we look whether nothing happens. */
export const pass = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

/** 12,345 */
export const count = (ms: number): string => Math.round(ms).toLocaleString('en')
