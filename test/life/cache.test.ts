// Away and back: the back/forward cache keeps the page, and with it every socket that nobody closed.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Entry, Subject } from './in-page.ts'
import { AT_ONCE, connectionsOf, count, MEASURING, pass, startStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { SOON } from './tab.ts'
import type { Tab } from './tab.ts'

const SCENARIO = 'left, and shown again from the back/forward cache'

const BEAT = { message: 'ping', pong: 'pong', interval: 200, timeout: SOON } as const

let stage: Stage

beforeAll(async () => {
  stage = await startStage()
})

afterAll(() => stage?.close())

/** Why the browser would not keep the page, if it says so. */
function refusals(tab: Tab): unknown[] {
  const found: unknown[] = []
  tab.on('Page.backForwardCacheNotUsed', (event) => found.push(event))
  return found
}

/** Goes back; resolves to the event that shows the page again. */
async function goBack(tab: Tab): Promise<Entry> {
  const since = tab.entries.length
  await tab.send('Runtime.evaluate', { expression: 'history.back()' })
  return tab.first({ subject: 'page', type: 'pageshow' }, SOON, since)
}

/** What a page remembers: what it told while it was being left did not reach us. */
const memories = (tab: Tab, subject: Entry['subject']): Promise<Entry[]> =>
  tab.call((life, wanted) => life.entries.filter((entry) => entry.subject === wanted), subject)

test.for([
  ['[N4]', 'page'],
  // A worker is a page's own, and must not cost it its place in the cache.
  ['[N4] [H10]', 'worker'],
] as const)('%s tells the server, is kept, and is open again at once (timers: %s)', async ([, timers]) => {
  const rig = await stage.rig()
  const tab = await stage.tab(rig, { heartwire: { heartbeat: { ...BEAT, timers } } })
  const reasons = refusals(tab)
  await tab.call((life) => {
    // What an application says while it is left belongs to the next connection.
    addEventListener('pagehide', () => life.sockets.heartwire?.send('while leaving'))
  })
  let worst: { after: number; toldAfter: number } | undefined
  for (let visit = 1; visit <= 3; visit += 1) {
    const leftAt = Date.now()
    await Promise.all([tab.navigate(stage.site.elsewhere), rig.server.waitForClosed(visit)])
    const toldAfter = Date.now() - leftAt
    // A real close frame without a code, and not a line that is just gone.
    expect(connectionsOf(rig, 'heartwire').map(({ closed }) => closed?.code)).toEqual(Array(visit).fill(1005))

    const since = tab.entries.length
    const shown = await goBack(tab)
    expect(shown.detail).toEqual({ persisted: true })
    const opened = await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
    const after = opened.at - shown.at
    if (after > (worst?.after ?? 0)) worst = { after, toldAfter }
    const seen = await memories(tab, 'heartwire')
    const closes = seen.filter(({ type }) => type === 'close')
    expect(closes).toHaveLength(visit)
    expect(closes.at(-1)?.detail).toEqual({ code: 1006, reason: 'page hidden', wasClean: false, willReconnect: true })
    expect(seen.filter(({ type }) => type === 'open')).toHaveLength(visit + 1)
    // Leaving is no failure.
    expect(seen.filter(({ type }) => type === 'error' || type === 'bus.error')).toEqual([])
    // The first is what waited, then it beats as before.
    await expect.poll(() => rig.server.received(visit + 1).length, { timeout: SOON }).toBeGreaterThan(3)
    expect(rig.server.received(visit + 1).slice(0, 4)).toEqual(['while leaving', 'ping', 'ping', 'ping'])
  }
  await stage.note({
    scenario: `${SCENARIO}${timers === 'worker' ? ', timers in a worker' : ''}`,
    subject: 'heartwire',
    saw: `server told on leaving (close frame, ${count(worst?.toldAfter ?? 0)} ms); on return open again`,
    after: worst?.after ?? null,
    bound: AT_ONCE + MEASURING,
  })
  expect(rig.server.attempts).toBe(4)
  expect(rig.server.open).toHaveLength(1)
  expect(reasons).toEqual([])
})

test('[N4] where nothing is retried the browser decides: the socket ends as a native one does', async () => {
  const rig = await stage.rig()
  const tab = await stage.tab(rig, { heartwire: { reconnect: false }, native: {} })
  await tab.navigate(stage.site.elsewhere)
  expect((await goBack(tab)).detail).toEqual({ persisted: true })
  const [ours, native] = await Promise.all([
    tab.first({ subject: 'heartwire', type: 'close' }),
    tab.first({ subject: 'native', type: 'close' }),
  ])
  expect(ours.detail).toEqual({ ...native.detail, willReconnect: false })
  await tab.first({ subject: 'heartwire', type: 'bus.closed' })
  expect(rig.server.attempts).toBe(2)
})

/** ms that the peers' pages are away: long enough to be told, had the browser anything to tell. */
const AWAY = 1_000

test('what the peers see of it', async () => {
  const rig = await stage.rig()
  const peers = ['native', 'reconnecting-websocket'] as const
  const tab = await stage.tab(rig, { native: {}, 'reconnecting-websocket': {} })
  const reasons = refusals(tab)
  await tab.navigate(stage.site.elsewhere)
  await pass(AWAY)
  const isTold = (peer: Subject): boolean => connectionsOf(rig, peer)[0]?.closed !== null
  const told = Object.fromEntries(peers.map((peer) => [peer, isTold(peer)]))
  const since = tab.entries.length
  const shown = await goBack(tab)
  for (const peer of peers) {
    const closed = await tab.first({ subject: peer, type: 'close' }, SOON, since)
    const server = told[peer] ? 'server told on leaving' : `server not told within ${count(AWAY)} ms of leaving`
    const isFinal = peer === 'native'
    const last = isFinal ? closed : await tab.first({ subject: peer, type: 'open' }, SOON, since)
    await stage.note({
      scenario: SCENARIO,
      subject: peer,
      saw: `${server}; on return close ${closed.detail.code}, ${isFinal ? 'for good' : 'open again'}`,
      after: last.at - shown.at,
      bound: null,
    })
  }
  expect(shown.detail).toEqual({ persisted: true })
  expect(reasons).toEqual([])
})
