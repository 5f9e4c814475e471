// A tab that the browser froze to save memory, and that is used again. Chromium ends the sockets of such a page itself.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Entry } from './in-page.ts'
import { AT_ONCE, connectionsOf, MEASURING, pass, startStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { SOON } from './tab.ts'
import type { Tab } from './tab.ts'

const BEAT = { message: 'ping', pong: 'pong', interval: 1_000, timeout: 1_000 } as const

/** ms that the page is frozen: longer than a silence that would be death. */
const FROZEN = 4_000

let stage: Stage

beforeAll(async () => {
  stage = await startStage()
})

afterAll(() => stage?.close())

/** Hides and freezes a tab; resolves to what thaws it and shows it again. */
async function freeze(tab: Tab): Promise<() => Promise<Entry>> {
  const front = await stage.chromium.open(stage.site.elsewhere)
  await tab.first({ subject: 'page', type: 'hidden' })
  await tab.setLifecycle('frozen')
  return async () => {
    const since = tab.entries.length
    await tab.setLifecycle('active')
    await tab.show()
    const resumed = await tab.first({ subject: 'page', type: 'resume' }, SOON, since)
    await front.close()
    return resumed
  }
}

test('[N3] a frozen page: one close, as the browser says it, and open again at once', async () => {
  const rig = await stage.rig()
  const tab = await stage.tab(rig, { heartwire: { heartbeat: BEAT }, native: {}, 'reconnecting-websocket': {} })
  const since = tab.entries.length
  const thaw = await freeze(tab)
  await pass(FROZEN)
  const resumed = await thaw()
  const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
  const closes = tab.all({ subject: 'heartwire', type: 'close' })
  // The browser's own verdict; that nothing was heard while nothing could be heard is no heartbeat timeout.
  expect(closes.map(({ detail }) => detail)).toEqual([{ code: 1006, reason: '', wasClean: false, willReconnect: true }])
  expect(connectionsOf(rig, 'heartwire')).toHaveLength(2)
  const scenario = 'frozen for 4 s, then shown'
  const after = opened.at - resumed.at
  await stage.note({ scenario, subject: 'heartwire', saw: 'close 1006, open again', after, bound: 1_000 + MEASURING })
  const native = await tab.first({ subject: 'native', type: 'close' }, SOON, since)
  const nativeAfter = native.at - resumed.at
  const saw = `close ${native.detail.code}, for good`
  await stage.note({ scenario, subject: 'native', saw, after: nativeAfter, bound: null })
  const peerClosed = await tab.first({ subject: 'reconnecting-websocket', type: 'close' }, SOON, since)
  const peer = await tab.first({ subject: 'reconnecting-websocket', type: 'open' }, SOON, since)
  await stage.note({
    scenario,
    subject: 'reconnecting-websocket',
    saw: `close ${peerClosed.detail.code}, open again`,
    after: peer.at - resumed.at,
    bound: null,
  })
})

test('[N3] frozen while it waits for a retry: retried at once when it thaws', async () => {
  const rig = await stage.rig()
  const reconnect = { minDelay: 30_000, jitter: 0 }
  const tab = await stage.tab(rig, { heartwire: { reconnect }, 'reconnecting-websocket': {} })
  rig.proxy.refuse()
  await rig.proxy.reset()
  await tab.first({ subject: 'heartwire', type: 'bus.waiting' })
  const thaw = await freeze(tab)
  await rig.proxy.accept()
  const since = tab.entries.length
  const resumed = await thaw()
  const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
  const peer = await tab.first({ subject: 'reconnecting-websocket', type: 'open' }, SOON, since)
  const scenario = 'frozen while waiting for a retry, server back meanwhile, then shown'
  const after = opened.at - resumed.at
  await stage.note({ scenario, subject: 'heartwire', saw: 'open again', after, bound: AT_ONCE + MEASURING })
  const peerAfter = peer.at - resumed.at
  await stage.note({ scenario, subject: 'reconnecting-websocket', saw: 'open again', after: peerAfter, bound: null })
  expect(after).toBeLessThan(reconnect.minDelay / 2)
  expect(connectionsOf(rig, 'heartwire')).toHaveLength(2)
})
