// Time that the page did not get: a laptop whose lid was closed, and a page that was busy with itself.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Rig } from '../support/rig.ts'
import { connectionsOf, count, MEASURING, messagesOf, pass, startStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { SOON } from './tab.ts'
import type { Tab } from './tab.ts'

const INTERVAL = 500
const TIMEOUT = 2_000
const BEAT = { message: 'ping', pong: 'pong', interval: INTERVAL, timeout: TIMEOUT } as const

/** ms of the first retry's delay at most, by default. */
const FIRST_DELAY = 1_000

/** ms that a network needs when a laptop wakes up. */
const RADIO = 300

/** ms without any time for the page: longer than a silence that would be death, several times over. */
const AWAY = 5_000

let stage: Stage
let rig: Rig
let tab: Tab

beforeAll(async () => {
  stage = await startStage()
})

afterAll(() => stage?.close())

beforeEach(async () => {
  rig = await stage.rig()
  tab = await stage.tab(rig, { heartwire: { heartbeat: BEAT }, native: {}, 'reconnecting-websocket': {} })
  await rig.server.waitForMessages(2)
})

/** Three more beats that reach the server: the link was judged alive, more than once. */
async function keepsBeating(): Promise<void> {
  await rig.server.waitForMessages(rig.server.messages.length + 3)
  expect(connectionsOf(rig, 'heartwire')).toMatchObject([{ closed: null }])
  expect(messagesOf(rig, 'heartwire').every(({ data }) => data === 'ping')).toBe(true)
  expect(tab.all({ subject: 'heartwire', type: 'close' })).toEqual([])
  expect(tab.all({ subject: 'heartwire', type: 'bus.error' })).toEqual([])
}

/** Closes the lid, does something to the world meanwhile, opens the lid. Resolves to when that was. */
async function sleep(meanwhile: () => void): Promise<number> {
  const wakeUp = await stage.chromium.sleep()
  meanwhile()
  await pass(AWAY)
  wakeUp()
  return Date.now()
}

describe('sleep', () => {
  test('[H6] is not death: the link that is alive on waking is kept', async () => {
    await sleep(() => rig.server.send('in the night'))
    // What came meanwhile is delivered.
    await tab.first({ subject: 'heartwire', type: 'message', detail: 'in the night' })
    await keepsBeating()
    const scenario = `asleep for ${count(AWAY)} ms, link alive`
    const saw = 'stays open, what came meanwhile is delivered'
    await stage.note({ scenario, subject: 'heartwire', saw, after: null, bound: null })
    await stage.notePeers(tab, scenario, null)
  })

  test('[H6] is not death: an answer that comes a moment after waking still counts', async () => {
    // A beat has arrived whose answer is still on its way: overdue on waking, and the radio needs a moment.
    rig.proxy.delay(300)
    await rig.server.waitForMessages(rig.server.messages.length + 1)
    rig.proxy.stall()
    await sleep(() => {})
    await pass(RADIO)
    rig.proxy.resume()
    await keepsBeating()
    const scenario = `asleep for ${count(AWAY)} ms, link alive ${RADIO} ms after waking`
    await stage.note({ scenario, subject: 'heartwire', saw: 'stays open', after: null, bound: null })
    await stage.notePeers(tab, scenario, null)
  })

  test('[H6] does not hide that the link died meanwhile', async () => {
    const since = tab.entries.length
    const awokeAt = await sleep(() => rig.proxy.blackhole())
    const lost = await tab.first({ subject: 'heartwire', type: 'close' }, SOON, since)
    expect(lost.detail).toMatchObject({ code: 1006, reason: 'heartbeat timeout', willReconnect: true })
    // Asked, or asked again, on waking, and judged by that.
    expect(lost.at).toBeGreaterThanOrEqual(awokeAt)
    const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
    expect(connectionsOf(rig, 'heartwire')).toHaveLength(2)
    const scenario = `asleep for ${count(AWAY)} ms, link dead on waking (black hole)`
    await stage.note({
      scenario,
      subject: 'heartwire',
      saw: `close 1006 "heartbeat timeout" after ${count(lost.at - awokeAt)} ms, open again`,
      after: opened.at - awokeAt,
      // The last answer may have been on its way when the lid was closed.
      bound: INTERVAL + TIMEOUT + FIRST_DELAY + MEASURING,
    })
    await stage.notePeers(tab, scenario, awokeAt)
  })

  test('[R1] does not lose the retry that was due', async () => {
    const since = tab.entries.length
    rig.proxy.refuse()
    await rig.proxy.reset()
    await tab.first({ subject: 'heartwire', type: 'bus.waiting' }, SOON, since)
    const wakeUp = await stage.chromium.sleep()
    await rig.proxy.accept()
    await pass(AWAY)
    wakeUp()
    const awokeAt = Date.now()
    const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
    const peer = await tab.first({ subject: 'reconnecting-websocket', type: 'open' }, SOON, since)
    const scenario = `asleep for ${count(AWAY)} ms while waiting for a retry, server back meanwhile`
    const bound = 4 * FIRST_DELAY + MEASURING
    await stage.note({ scenario, subject: 'heartwire', saw: 'open again', after: opened.at - awokeAt, bound })
    const after = peer.at - awokeAt
    await stage.note({ scenario, subject: 'reconnecting-websocket', saw: 'open again', after, bound: null })
  })
})

describe('a busy main thread', () => {
  test.for([
    ['longer than the interval and the timeout together', INTERVAL + TIMEOUT + 1_000],
    ['for several times that', 3 * (INTERVAL + TIMEOUT)],
  ] as const)('[H6] is not death: %s', async ([, ms]) => {
    await tab.call((life, length) => life.block(length), ms)
    await keepsBeating()
    const scenario = `main thread blocked for ${count(ms)} ms`
    await stage.note({ scenario, subject: 'heartwire', saw: 'stays open', after: null, bound: null })
    await stage.notePeers(tab, scenario, null)
  })

  test('[H6] again and again is not death', async () => {
    // Each time a beat is out or due when the thread is taken; a late check that found nothing is forgiven once in a row.
    for (let time = 1; time <= 4; time += 1) {
      await tab.call((life, length) => life.block(length), INTERVAL + TIMEOUT + 500)
    }
    await keepsBeating()
  })
})
