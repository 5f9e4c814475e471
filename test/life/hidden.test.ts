// Tabs that nobody looks at for minutes: Chromium lets timers come once a second, and those that timers have set once a
// minute. All of them wait at the same time, each with a server of its own, since this takes minutes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HeartwireOptions } from '../../src/index.ts'
import type { Rig } from '../support/rig.ts'
import type { Subject } from './in-page.ts'
import { connectionsOf, count, MEASURING, pass, startStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { SOON } from './tab.ts'
import type { Tab } from './tab.ts'

const INTERVAL = 1_000
const TIMEOUT = 3_000
/** Without a `pong`, so that nothing but timers sets timers. */
const BEAT = { message: 'ping', interval: INTERVAL, timeout: TIMEOUT } as const

/** ms of the first retry's delay at most, by default. */
const FIRST_DELAY = 1_000

/** ms between the timers of a hidden page at least. */
const ALIGNED = 1_000

/** ms between two wake-ups of a hidden page for timers that timers have set, five deep. */
const WAKE_UP = 60_000
/** s after which that begins; by default it is 5 min, or 10 s for a page that has just been loaded. */
const GRACE = 5

/** ms from the fault to open again: a beat, a verdict that is late and forgives, the next, and the retry, at full seconds. */
const IN_TIME = INTERVAL + 2 * TIMEOUT + FIRST_DELAY + 4 * ALIGNED + MEASURING

/** ms for four wake-ups, the last of which may come late on a busy machine. */
const MINUTES = 285_000

let stage: Stage
/** One scene for each test, by a name. */
const scenes = new Map<string, { rig: Rig; tab: Tab }>()

/** The server that beats, until its test is over. */
let feed: NodeJS.Timeout | undefined

const PEERS = { native: {}, 'reconnecting-websocket': {} }
const CAST: Record<string, Partial<Record<Subject, HeartwireOptions>>> = {
  idle: { heartwire: { heartbeat: BEAT } },
  traffic: { heartwire: { heartbeat: { ...BEAT, when: 'always' } } },
  dead: { heartwire: { heartbeat: BEAT }, ...PEERS },
  shown: { heartwire: { heartbeat: BEAT }, ...PEERS },
  'server beats': { heartwire: { heartbeat: { from: 'server', interval: INTERVAL, timeout: TIMEOUT } } },
  worker: { heartwire: { heartbeat: { ...BEAT, timers: 'worker' } } },
  cut: { heartwire: { heartbeat: BEAT }, ...PEERS },
}

beforeAll(async () => {
  stage = await startStage(`--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/${GRACE}`)
  for (const [name, sockets] of Object.entries(CAST)) {
    const rig = await stage.rig()
    const tab = await stage.tab(rig, sockets)
    scenes.set(name, { rig, tab })
    if (name === 'server beats') feed = setInterval(() => rig.server.send('beat'), 500)
    await tab.call((life) => life.tick(500))
  }
  await stage.chromium.open(stage.site.elsewhere)
  for (const { tab } of scenes.values()) await tab.first({ subject: 'page', type: 'hidden' })
  // Twice as long would do for the browser; and beats have become timers set by timers, were it for them alone.
  await pass(4 * GRACE * 1_000)
})

afterAll(async () => {
  clearInterval(feed)
  await stage?.close()
})

const scene = (name: string): { rig: Rig; tab: Tab } => scenes.get(name) ?? expect.fail(`No scene ${name}`)

/** Waits until the tab's own timer has come late so many times, by more than half a minute: the fault is real. */
async function wakeUps(tab: Tab, number: number): Promise<void> {
  let since = tab.entries.length
  let previous = Date.now()
  for (let seen = 0; seen < number;) {
    const tick = await tab.first({ type: 'tick' }, MINUTES, since)
    if (tick.at - previous > WAKE_UP / 2) seen += 1
    previous = tick.at
    since = tab.entries.indexOf(tick) + 1
  }
}

/** The longest time between the next so many messages to the server. */
async function longestGap({ server }: Rig, messages: number): Promise<number> {
  const before = server.messages.length
  const times: number[] = []
  for (let next = 1; next <= messages; next += 1) {
    await server.waitForMessages(before + next)
    times.push(Date.now())
  }
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? 0)))
}

const HIDDEN = 'hidden tab, other timers once a minute'

describe.concurrent('a hidden tab', () => {
  test('[H7] beats in time for minutes, while other timers come once a minute', { timeout: MINUTES }, async () => {
    const { rig, tab } = scene('idle')
    const before = rig.server.messages.length
    const [longest] = await Promise.all([longestGap(rig, 60), wakeUps(tab, 3)])
    const beats = rig.server.messages.length - before
    expect(longest).toBeLessThan(SOON)
    // Every check was late: by up to a second, since it comes at a full one.
    expect(connectionsOf(rig, 'heartwire')).toMatchObject([{ closed: null }])
    expect(tab.all({ type: 'bus.lost' })).toEqual([])
    await stage.note({
      scenario: `${HIDDEN}, link alive`,
      subject: 'heartwire',
      saw: `stays open for 3 minutes, ${beats} beats; the longest gap`,
      after: longest,
      bound: INTERVAL + ALIGNED + MEASURING,
    })
  })

  test('[H7] keeps beating when there is traffic', { timeout: MINUTES }, async () => {
    const { rig, tab } = scene('traffic')
    const news = setInterval(() => rig.server.send('news'), 500)
    const [longest] = await Promise.all([longestGap(rig, 30), wakeUps(tab, 1)])
    clearInterval(news)
    // Due every second, and sent with the next message or by the timer, whichever is first.
    expect(longest).toBeLessThan(SOON)
    expect(connectionsOf(rig, 'heartwire')).toMatchObject([{ closed: null }])
    expect(tab.all({ type: 'bus.lost' })).toEqual([])
    await stage.note({
      scenario: `${HIDDEN}, two messages a second, when: 'always'`,
      subject: 'heartwire',
      saw: 'keeps beating; the longest gap between beats',
      after: longest,
      bound: INTERVAL + 500 + MEASURING,
    })
  })

  test.for([
    ['[H7]', 'dead', 'link dies (black hole)'],
    ['[H10]', 'worker', 'timers in a worker, link dies (black hole)'],
  ] as const)('%s notices a dead link and retries in time: %s', { timeout: MINUTES }, async ([, name, words]) => {
    const { rig, tab } = scene(name)
    const [longest] = await Promise.all([longestGap(rig, 20), wakeUps(tab, 1)])
    expect(longest).toBeLessThan(SOON)
    expect(tab.all({ type: 'bus.error' })).toEqual([])
    const since = tab.entries.length
    const diedAt = Date.now()
    rig.proxy.blackhole()
    const lost = await tab.first({ subject: 'heartwire', type: 'close' }, SOON, since)
    expect(lost.detail).toMatchObject({ code: 1006, reason: 'heartbeat timeout', willReconnect: true })
    const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
    expect(connectionsOf(rig, 'heartwire')).toHaveLength(2)
    const scenario = `${HIDDEN}, ${words}`
    const saw = `close 1006 "heartbeat timeout" after ${count(lost.at - diedAt)} ms, open again`
    await stage.note({ scenario, subject: 'heartwire', saw, after: opened.at - diedAt, bound: IN_TIME })
    if (name === 'worker') return
    await wakeUps(tab, 1)
    await stage.notePeers(tab, scenario, diedAt)
  })

  test('[N3] asks at once when it is shown, and is open again', { timeout: MINUTES }, async () => {
    const { rig, tab } = scene('shown')
    const since = tab.entries.length
    const diedAt = Date.now()
    rig.proxy.blackhole()
    await tab.show()
    const shown = await tab.first({ subject: 'page', type: 'visible' }, SOON, since)
    const lost = await tab.first({ subject: 'heartwire', type: 'close' }, SOON + TIMEOUT, since)
    const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
    expect(lost.detail).toMatchObject({ code: 1006, reason: 'heartbeat timeout', willReconnect: true })
    expect(connectionsOf(rig, 'heartwire')).toHaveLength(2)
    const scenario = 'link died in a hidden tab, which is then shown'
    await stage.note({
      scenario,
      subject: 'heartwire',
      saw: `close 1006 "heartbeat timeout" after ${count(lost.at - shown.at)} ms, open again`,
      after: opened.at - shown.at,
      bound: TIMEOUT + FIRST_DELAY + MEASURING,
    })
    await stage.notePeers(tab, scenario, diedAt)
  })

  test('[H2] notices the silence of a server that beats', { timeout: MINUTES }, async () => {
    const { rig, tab } = scene('server beats')
    await wakeUps(tab, 1)
    clearInterval(feed)
    // Until here there was nothing to notice.
    expect(tab.all({ type: 'bus.lost' })).toEqual([])
    const diedAt = Date.now()
    rig.proxy.blackhole()
    const lost = await tab.first({ subject: 'heartwire', type: 'close' }, SOON)
    expect(lost.detail).toMatchObject({ code: 1006, reason: 'heartbeat timeout' })
    await stage.note({
      scenario: `${HIDDEN}, a server that beats falls silent`,
      subject: 'heartwire',
      saw: 'close 1006 "heartbeat timeout"',
      after: lost.at - diedAt,
      // Late, and forgiven once.
      bound: 2 * (INTERVAL + TIMEOUT + ALIGNED) + MEASURING,
    })
  })

  test('[R1] comes back after a cut', { timeout: MINUTES }, async () => {
    const { rig, tab } = scene('cut')
    const since = tab.entries.length
    const cutAt = Date.now()
    rig.proxy.cut()
    const closed = await tab.first({ subject: 'heartwire', type: 'close' }, SOON, since)
    expect(closed.detail).toMatchObject({ code: 1006, willReconnect: true })
    const scenario = `${HIDDEN}, connection cut (FIN)`
    for (const subject of ['heartwire', 'reconnecting-websocket'] as const) {
      const { at } = await tab.first({ subject, type: 'open' }, MINUTES, since)
      const bound = subject === 'heartwire' ? FIRST_DELAY + ALIGNED + MEASURING : null
      await stage.note({ scenario, subject, saw: 'close 1006, open again', after: at - cutAt, bound })
      if (bound) expect(at - cutAt).toBeLessThan(SOON)
    }
    const { at } = await tab.first({ subject: 'native', type: 'close' }, SOON, since)
    await stage.note({ scenario, subject: 'native', saw: 'close 1006, for good', after: at - cutAt, bound: null })
  })
})
