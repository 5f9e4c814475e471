// Pages without time or network, in Firefox and WebKit: hidden, busy, asleep or offline. What cannot be made to happen there:
// a page that is frozen, and WebKit off the network.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Rig } from '../support/rig.ts'
import { inEachOther, startOtherStage } from './other-engines.ts'
import type { OtherStage } from './other-engines.ts'
import type { OtherPage } from './other-engines-page.ts'
import { AT_ONCE, connectionsOf, count, MEASURING, messagesOf, pass } from './stage.ts'
import { SOON } from './tab.ts'

const INTERVAL = 500
const TIMEOUT = 2_000
const BEAT = { message: 'ping', pong: 'pong', interval: INTERVAL, timeout: TIMEOUT } as const

/** ms of the first retry's delay at most, by default. */
const FIRST_DELAY = 1_000

/** ms between the timers of a hidden page, in both engines. */
const ALIGNED = 1_000

/** ms without any time for the page: longer than a silence that would be death. */
const AWAY = 3_000

/** ms that a network needs when a laptop wakes up. */
const RADIO = 300

/** Asks only when a signal makes it. Otherwise a beat might be out already, and then a signal asks no second time. */
const SELDOM = { ...BEAT, interval: 600_000 } as const

const ALL = { heartwire: { heartbeat: BEAT }, native: {}, 'reconnecting-websocket': {} }

/** Three more beats that reach the server: the link was judged alive, more than once. */
async function keepsBeating(rig: Rig, page: OtherPage): Promise<void> {
  await rig.server.waitForMessages(rig.server.messages.length + 3)
  expect(connectionsOf(rig, 'heartwire')).toMatchObject([{ closed: null }])
  expect(messagesOf(rig, 'heartwire').every(({ data }) => data === 'ping')).toBe(true)
  expect(await page.all({ subject: 'heartwire', type: 'close' })).toEqual([])
  expect(await page.all({ subject: 'heartwire', type: 'bus.error' })).toEqual([])
}

/** A beat has arrived, and its answer is held back: once time has passed that looks like death. */
async function holdAnswer(rig: Rig): Promise<void> {
  rig.proxy.delay(RADIO)
  await rig.server.waitForMessages(rig.server.messages.length + 1)
  rig.proxy.stall()
}

async function releaseAnswer(rig: Rig): Promise<void> {
  await pass(RADIO)
  rig.proxy.delay(0)
  rig.proxy.resume()
}

/** The longest time between the next so many messages to the server. */
async function longestGap({ server }: Rig, messages: number): Promise<number> {
  const before = server.messages.length
  let longest = 0
  let previous = Date.now()
  for (let next = 1; next <= messages; next += 1) {
    await server.waitForMessages(before + next)
    longest = Math.max(longest, Date.now() - previous)
    previous = Date.now()
  }
  return longest
}

/** How often the page's own timers, set every 50 ms, came late by most of a second: the fault is real. */
async function lateTicks(page: OtherPage, since: number): Promise<number> {
  const ticks = (await page.all({ type: 'tick' })).map(({ at }) => at).filter((at) => at >= since)
  return ticks.filter((at, index) => at - (ticks[index - 1] ?? at) > ALIGNED / 2).length
}

inEachOther((engine) => {
  let stage: OtherStage

  beforeAll(async () => {
    stage = await startOtherStage(engine)
  })

  afterAll(() => stage?.close())

  /** The link is dead since `since`: the heartbeat says so, and another connection takes over. */
  async function isReplaced(rig: Rig, page: OtherPage, scenario: string, since: number, bound: number): Promise<void> {
    const lost = await page.first({ subject: 'heartwire', type: 'close' }, since)
    expect(lost.detail).toMatchObject({ code: 1006, reason: 'heartbeat timeout', willReconnect: true })
    const opened = await page.first({ subject: 'heartwire', type: 'open' }, since)
    expect(connectionsOf(rig, 'heartwire')).toHaveLength(2)
    const saw = `close 1006 "heartbeat timeout" after ${count(lost.at - since)} ms, open again`
    await stage.note({ scenario, subject: 'heartwire', saw, after: opened.at - since, bound })
    await stage.notePeers(page, scenario, since)
  }

  async function staysOpen(rig: Rig, page: OtherPage, scenario: string, saw = 'stays open'): Promise<void> {
    await keepsBeating(rig, page)
    await stage.note({ scenario, subject: 'heartwire', saw, after: null, bound: null })
    await stage.notePeers(page, scenario, null)
  }

  test('[H6] [H7] hidden: beats, and notices a dead link', async () => {
    const rig = await stage.rig()
    const page = await stage.front(rig, ALL)
    await page.call((life) => life.tick(50))
    await page.driver.hide()
    const { at: hiddenAt } = await page.first({ subject: 'page', type: 'hidden' })
    const longest = await longestGap(rig, 5)
    // A slow machine may let a timer come late; only a beat that waited for more than the next wake-up would be our doing.
    expect(longest).toBeLessThan(SOON)
    await expect.poll(() => lateTicks(page, hiddenAt), { timeout: SOON }).toBeGreaterThan(2)
    expect(await page.all({ type: 'bus.lost' })).toEqual([])
    const scenario = 'hidden tab, timers once a second'
    const saw = 'beats; the longest gap between beats'
    const bound = INTERVAL + ALIGNED + MEASURING
    await stage.note({ scenario, subject: 'heartwire', saw, after: longest, bound })
    await stage.notePeers(page, scenario, null)

    const diedAt = Date.now()
    rig.proxy.blackhole()
    // Looks that come late ask again, once in a row, and each may wait for the next second.
    const noticed = INTERVAL + 2 * TIMEOUT + 3 * ALIGNED
    const fault = `${scenario}, link dies (black hole)`
    await isReplaced(rig, page, fault, diedAt, noticed + FIRST_DELAY + ALIGNED + MEASURING)
  })

  test('[N3] shown again: asks at once', async () => {
    const rig = await stage.rig()
    const page = await stage.front(rig, { heartwire: { heartbeat: SELDOM } })
    await page.driver.hide()
    await page.first({ subject: 'page', type: 'hidden' })
    await page.driver.show()
    const shown = await page.first({ subject: 'page', type: 'visible' })
    const asked = await page.first({ subject: 'heartwire', type: 'bus.heartbeat' }, shown.at)
    expect(await page.all({ type: 'bus.lost' })).toEqual([])
    const scenario = 'hidden tab is shown, link alive'
    const after = asked.at - shown.at
    await stage.note({ scenario, subject: 'heartwire', saw: 'asked and answered', after, bound: MEASURING })
  })

  test('[H10] hidden: beats in time with timers in a worker', async () => {
    const rig = await stage.rig()
    const page = await stage.behind(rig, { heartwire: { heartbeat: { ...BEAT, timers: 'worker' } } })
    const longest = await longestGap(rig, 6)
    expect(await page.driver.evaluate('document.visibilityState')).toBe('hidden')
    await keepsBeating(rig, page)
    const scenario = 'hidden tab, timers in a worker'
    const saw = 'beats; the longest gap between beats'
    await stage.note({ scenario, subject: 'heartwire', saw, after: longest, bound: INTERVAL + MEASURING })
    await page.driver.close()
  })

  test('[H6] a busy main thread is not death', async () => {
    const rig = await stage.rig()
    const page = await stage.front(rig, ALL)
    const ms = INTERVAL + TIMEOUT + 500
    // Twice: a late check that found nothing is forgiven once in a row.
    for (let time = 1; time <= 2; time += 1) {
      await holdAnswer(rig)
      await page.call((life, length) => life.block(length), ms)
      await releaseAnswer(rig)
    }
    await staysOpen(rig, page, `main thread blocked for ${count(ms)} ms`)
  })

  // Which processes are a browser's own is asked of Linux.
  test.skipIf(process.platform !== 'linux')('[H6] sleep is not death, and hides no death', async () => {
    const rig = await stage.rig()
    const page = await stage.front(rig, ALL)
    await keepsBeating(rig, page)
    const wakeUp = await stage.sleep(() => holdAnswer(rig))
    const before = rig.server.messages.length
    rig.server.send('in the night')
    await pass(AWAY)
    // It does sleep: at most what was on its way has arrived.
    expect(rig.server.messages.length).toBeLessThan(before + 2)
    wakeUp()
    await releaseAnswer(rig)
    await page.first({ subject: 'heartwire', type: 'message', detail: 'in the night' })
    const scenario = `asleep for ${count(AWAY)} ms`
    await staysOpen(rig, page, `${scenario}, link alive`, 'stays open, what came meanwhile is delivered')

    const wakeUpAgain = await stage.sleep()
    rig.proxy.blackhole()
    await pass(AWAY)
    const awokeAt = Date.now()
    wakeUpAgain()
    // The last answer may have been on its way when the lid was closed.
    const bound = INTERVAL + TIMEOUT + FIRST_DELAY + MEASURING
    await isReplaced(rig, page, `${scenario}, link dead on waking (black hole)`, awokeAt, bound)
  })

  test.skipIf(engine !== 'firefox')('[N1] [N2] [R7] offline: asks, and is open at once when online', async () => {
    const rig = await stage.rig()
    const page = await stage.front(rig, { ...ALL, heartwire: { heartbeat: SELDOM } })
    // Firefox refuses new connections then; those that are there go on.
    await page.driver.setOffline?.(true)
    const { at: offlineAt } = await page.first({ subject: 'page', type: 'offline' })
    await page.first({ subject: 'heartwire', type: 'bus.heartbeat' }, offlineAt)
    rig.server.send('news')
    await page.first({ subject: 'heartwire', type: 'message', detail: 'news' })
    expect(await page.all({ type: 'close' })).toEqual([])
    const works = 'navigator.onLine false, link works'
    const kept = 'stays open, messages arrive'
    await stage.note({ scenario: works, subject: 'heartwire', saw: kept, after: null, bound: null })
    await stage.notePeers(page, works, null)

    rig.server.terminate()
    const scenario = 'connection lost while offline, then online'
    await page.first({ subject: 'heartwire', type: 'bus.state', detail: { state: 'paused' } })
    await pass(AWAY)
    expect(connectionsOf(rig, 'heartwire')).toHaveLength(1)
    const onlineAt = Date.now()
    await page.driver.setOffline?.(false)
    const opened = await page.first({ subject: 'heartwire', type: 'open' }, onlineAt)
    const peer = await page.first({ subject: 'reconnecting-websocket', type: 'open' }, onlineAt)
    expect(connectionsOf(rig, 'heartwire')).toHaveLength(2)
    const bound = AT_ONCE + MEASURING
    await stage.note({ scenario, subject: 'heartwire', saw: 'open again', after: opened.at - onlineAt, bound })
    const after = peer.at - onlineAt
    await stage.note({ scenario, subject: 'reconnecting-websocket', saw: 'open again', after, bound: null })
    await stage.note({ scenario, subject: 'native', saw: 'close 1006, for good', after: null, bound: null })
  })
})
