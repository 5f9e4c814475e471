// What the browser says of the network, true or not, and what is done about it.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { HeartwireOptions } from '../../src/index.ts'
import type { Rig } from '../support/rig.ts'
import { AT_ONCE, connectionsOf, count, MEASURING, messagesOf, pass, startStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { SOON } from './tab.ts'
import type { Tab } from './tab.ts'

const INTERVAL = 1_000
const TIMEOUT = 1_000
const BEAT = { message: 'ping', pong: 'pong', interval: INTERVAL, timeout: TIMEOUT } as const

/** Nothing is asked but what a signal asks; and a signal is not told of while a question is open. */
const ONLY_PROBES = { ...BEAT, interval: 86_400_000 } as const

/** ms of the first retry's delay at most, by default. */
const FIRST_DELAY = 1_000
/** ms of all, in the test that counts attempts. */
const MAX_DELAY = 1_600

const FULL_SPEED = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 }

let stage: Stage
let rig: Rig

beforeAll(async () => {
  stage = await startStage()
})

afterAll(() => stage?.close())

beforeEach(async () => {
  rig = await stage.rig()
})

const openAll = (heartwire: HeartwireOptions): Promise<Tab> =>
  stage.tab(rig, { heartwire, native: {}, 'reconnecting-websocket': {} })

/** Takes the page off the network, or lets it back, and says so. */
const goOffline = (tab: Tab, offline: boolean): Promise<unknown> =>
  tab.send('Network.emulateNetworkConditions', { offline, ...FULL_SPEED })

/** Only says so: nothing happens to the network. */
const claim = (tab: Tab, offline: boolean, speed = FULL_SPEED): Promise<unknown> =>
  tab.send('Network.overrideNetworkState', { offline, ...speed })

/** Says something to the server, and waits until it is there. */
async function sayFrom(tab: Tab, text: string): Promise<void> {
  await tab.call((life, said) => life.sockets.heartwire?.send(said), text)
  await expect.poll(() => messagesOf(rig, 'heartwire').map(({ data }) => data), { timeout: SOON }).toContain(text)
}

test.for([
  ['asks at once', { heartbeat: ONLY_PROBES }],
  ['leaves it to the socket without a heartbeat', {}],
] as const)('[N1] offline that lies costs nothing: %s', async ([, options]) => {
  const tab = await openAll(options)
  const since = tab.entries.length
  await claim(tab, true)
  await tab.first({ subject: 'page', type: 'offline' }, SOON, since)
  if ('heartbeat' in options) await tab.first({ subject: 'heartwire', type: 'bus.heartbeat' }, SOON, since)
  await sayFrom(tab, 'while it says offline')
  // Long enough for an unanswered question to have been judged.
  await pass(INTERVAL + 2 * TIMEOUT)
  await claim(tab, false)
  await tab.first({ subject: 'page', type: 'online' }, SOON, since)
  await sayFrom(tab, 'afterwards')
  expect(tab.all({ subject: 'heartwire', type: 'bus.probe' })).toHaveLength('heartbeat' in options ? 2 : 0)
  expect(tab.all({ subject: 'heartwire', type: 'bus.lost' })).toEqual([])
  expect(tab.all({ subject: 'heartwire', type: 'open' })).toHaveLength(1)
  expect(connectionsOf(rig, 'heartwire')).toMatchObject([{ closed: null }])
  const scenario = `navigator.onLine false, link works${'heartbeat' in options ? '' : ', no heartbeat'}`
  await stage.note({ scenario, subject: 'heartwire', saw: 'stays open, messages arrive', after: null, bound: null })
  await stage.notePeers(tab, scenario, null)
})

test('[N1] [N2] [N3] truly offline: noticed soon, nothing is tried, and open at once when online', async () => {
  const tab = await openAll({ heartbeat: { ...BEAT, interval: 30_000 } })
  const since = tab.entries.length
  await goOffline(tab, true)
  const offline = await tab.first({ subject: 'page', type: 'offline' }, SOON, since)
  const lost = await tab.first({ subject: 'heartwire', type: 'close' }, SOON, since)
  expect(lost.detail).toMatchObject({ code: 1006, reason: 'heartbeat timeout', willReconnect: true })
  expect(await tab.call((life) => life.sockets.heartwire?.readyState)).toBe(0)
  await tab.call((life) => life.sockets.heartwire?.send('said while offline'))
  await pass(3_000)
  expect(tab.all({ subject: 'heartwire', type: 'bus.state' }).at(-1)?.detail).toMatchObject({ state: 'paused' })
  await stage.notePeers(tab, 'offline, navigator.onLine false', offline.at)
  await goOffline(tab, false)
  const online = await tab.first({ subject: 'page', type: 'online' }, SOON, since)
  const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
  await expect.poll(() => messagesOf(rig, 'heartwire').map(({ data }) => data)).toContain('said while offline')
  const said = messagesOf(rig, 'heartwire').filter(({ data }) => data === 'said while offline')
  expect(said).toEqual([{ connection: connectionsOf(rig, 'heartwire')[1]?.id, data: 'said while offline' }])
  expect(connectionsOf(rig, 'heartwire')).toHaveLength(2)
  await stage.note({
    scenario: 'offline, navigator.onLine false',
    subject: 'heartwire',
    saw: 'close 1006 "heartbeat timeout", paused',
    after: lost.at - offline.at,
    bound: TIMEOUT + MEASURING,
  })
  await stage.note({
    scenario: 'online again',
    subject: 'heartwire',
    saw: 'open again, what was sent meanwhile arrives',
    after: opened.at - online.at,
    bound: AT_ONCE + MEASURING,
  })
})

test('[H4] [R1] offline that nobody tells: noticed by the heartbeat, and open again when the link is back', async () => {
  const tab = await openAll({ heartbeat: BEAT })
  const since = tab.entries.length
  const stalledAt = Date.now()
  rig.proxy.stall()
  expect(await tab.call(() => navigator.onLine)).toBe(true)
  const lost = await tab.first({ subject: 'heartwire', type: 'close' }, SOON, since)
  expect(lost.detail).toMatchObject({ code: 1006, reason: 'heartbeat timeout', willReconnect: true })
  const scenario = 'link stalls, navigator.onLine true'
  const after = lost.at - stalledAt
  const saw = 'close 1006 "heartbeat timeout"'
  await stage.note({ scenario, subject: 'heartwire', saw, after, bound: INTERVAL + TIMEOUT + MEASURING })
  await tab.first({ subject: 'heartwire', type: 'bus.state', detail: { state: 'connecting' } }, SOON, since)
  await stage.notePeers(tab, scenario, stalledAt)
  const resumedAt = Date.now()
  rig.proxy.resume()
  const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
  const last = { scenario: 'the same link, back again', subject: 'heartwire', saw: 'open again' } as const
  await stage.note({ ...last, after: opened.at - resumedAt, bound: null })
})

test('[N3] another network: asks at once', async () => {
  const tab = await openAll({ heartbeat: { ...BEAT, interval: 30_000 } })
  const since = tab.entries.length
  rig.proxy.blackhole()
  const changedAt = Date.now()
  // What `navigator.connection` makes of it: another `effectiveType`, and `change`.
  await claim(tab, false, { latency: 600, downloadThroughput: 20_000, uploadThroughput: 20_000 })
  const lost = await tab.first({ subject: 'heartwire', type: 'close' }, SOON, since)
  expect(lost.detail).toMatchObject({ code: 1006, reason: 'heartbeat timeout', willReconnect: true })
  const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
  const scenario = 'from Wi-Fi to mobile, the old link dead (black hole)'
  await stage.note({
    scenario,
    subject: 'heartwire',
    saw: `close 1006 "heartbeat timeout" after ${count(lost.at - changedAt)} ms, open again`,
    after: opened.at - changedAt,
    bound: TIMEOUT + FIRST_DELAY + MEASURING,
  })
  await stage.notePeers(tab, scenario, changedAt)
})

test('[R1] [R7] online too early: tried at once, then ever more slowly, then open', async () => {
  // Without chance in the delays, so that the number of attempts is known.
  const tab = await openAll({ reconnect: { minDelay: 400, maxDelay: MAX_DELAY, jitter: 0 } })
  const since = tab.entries.length
  await claim(tab, true)
  await tab.first({ subject: 'page', type: 'offline' }, SOON, since)
  rig.proxy.refuse()
  await rig.proxy.reset()
  await tab.first({ subject: 'heartwire', type: 'bus.state', detail: { state: 'paused' } }, SOON, since)
  const early = tab.entries.length
  await claim(tab, false)
  const online = await tab.first({ subject: 'page', type: 'online' }, SOON, since)
  const isAttempt = { subject: 'heartwire', type: 'bus.state', detail: { state: 'connecting' } } as const
  const tried = await tab.first(isAttempt, SOON, early)
  await pass(4_000)
  const attempts = tab.all(isAttempt).length - 1
  const delaysFrom = (index: number): number[] =>
    tab.entries.slice(index).flatMap(({ type, detail }) => (type === 'bus.waiting' ? [detail.delay as number] : []))
  expect(delaysFrom(early)[0]).toBeLessThanOrEqual(100)
  // 800, 1600, 1600 …: the loss of the connection was the first failure. (The clock has moved on a little.)
  for (const delay of delaysFrom(tab.entries.indexOf(tried))) expect(delay).toBeGreaterThan(700)
  expect(attempts).toBeLessThanOrEqual(5)
  const backAt = Date.now()
  await rig.proxy.accept()
  const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
  const scenario = 'online, but the server is reachable only 4 s later'
  await stage.note({
    scenario,
    subject: 'heartwire',
    saw: `first attempt ${count(tried.at - online.at)} ms after online, ${attempts} in 4 s; open once reachable`,
    after: opened.at - backAt,
    bound: MAX_DELAY + MEASURING,
  })
  const peer = await tab.first({ subject: 'reconnecting-websocket', type: 'open' }, SOON, since)
  const saw = 'open once reachable'
  await stage.note({ scenario, subject: 'reconnecting-websocket', saw, after: peer.at - backAt, bound: null })
})
