// Pages that are left, loaded anew, gone back to or closed beside another, in Firefox and WebKit. Firefox closes a page's
// sockets itself, as soon as it begins to go elsewhere and before the page hears of it; WebKit keeps the page.
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen } from '../support/listen.ts'
import type { Rig } from '../support/rig.ts'
import type { Entry } from './in-page.ts'
import { inEachOther, startOtherStage } from './other-engines.ts'
import type { OtherStage } from './other-engines.ts'
import type { OtherPage } from './other-engines-page.ts'
import { addressOf, AT_ONCE, connectionsOf, count, MEASURING, pass, PEERS } from './stage.ts'

const BEAT = { message: 'ping', pong: 'pong', interval: 500, timeout: 5_000 } as const

/** A client that would be back at once, were there anybody left to be; and ms to look whether somebody is. */
const EAGER = { heartbeat: BEAT, reconnect: { minDelay: 10, maxDelay: 50 } }
const LOOK = 1_500

/** ms for what was on its way. */
const SETTLE = 300

/** [R4]: ms of the first retry's delay at most, after 1001. */
const RESTART_SPREAD = 5_000

const ALL = { heartwire: { heartbeat: BEAT }, native: {}, 'reconnecting-websocket': {} }
const SUBJECTS = ['heartwire', ...PEERS] as const
const ENDS = {
  'left for another page': (page: OtherPage, elsewhere: string) => page.driver.goto(elsewhere),
  reloaded: (page: OtherPage) => page.driver.reload(),
}
const BACK = 'left, and gone back to'

/** How the server saw the first connection end, once it has. */
async function howItEnded(rig: Rig, end: () => Promise<void>): Promise<{ code: number | undefined; after: number }> {
  const since = Date.now()
  await Promise.all([end(), rig.server.waitForClosed(1)])
  return { code: rig.server.connections[0]?.closed?.code, after: Date.now() - since }
}

/** Its beats go on reaching the server, and no socket of the page was closed. */
async function isUndisturbed({ server }: Rig, page: OtherPage): Promise<void> {
  await server.waitForMessages(server.messages.length + 3)
  expect(await page.all({ type: 'close' })).toEqual([])
}

/** What a page tells last is lost with it: it leaves it to the next page of its site. */
const keepMemories = (page: OtherPage): Promise<void> =>
  page.call((life) => {
    addEventListener('pagehide', () => sessionStorage.setItem('memories', JSON.stringify(life.entries)))
  })

const memories = (page: OtherPage): Promise<Entry[]> =>
  page.call(() => JSON.parse(sessionStorage.getItem('memories') ?? '[]') as Entry[])

/** An address that browsers begin to go to and then stay where they are: no content, as with a download. */
async function startNowhere(): Promise<{ url: string; close(): void }> {
  const server = createServer((_request, response) => response.writeHead(204).end())
  return { url: `http://127.0.0.1:${await listen(server)}/`, close: () => server.close() }
}

inEachOther((engine) => {
  let stage: OtherStage

  beforeAll(async () => {
    stage = await startOtherStage(engine)
  })

  afterAll(() => stage?.close())

  test.for(Object.entries(ENDS))('[N4] %s: tells the server, and is heard of no more', async ([name, end]) => {
    const rigs: Rig[] = []
    for (const subject of SUBJECTS) {
      const rig = await stage.rig()
      rigs.push(rig)
      const page = await stage.front(rig, { [subject]: subject === 'heartwire' ? EAGER : {} })
      const { code, after } = await howItEnded(rig, () => end(page, stage.site.elsewhere))
      // Firefox itself, or a close frame of ours, which cannot say 1001.
      if (subject === 'heartwire') expect(code).toBe(engine === 'firefox' ? 1001 : 1005)
      const saw = code === 1006 ? 'server not told (1006)' : `server told (${code}), no attempt afterwards`
      await stage.note({ scenario: `page ${name}`, subject, saw, after, bound: null })
    }
    // Firefox closes before the page is gone, so that a retry may fall into the moment between.
    if (engine === 'webkit') expect(rigs.map(({ server }) => server.attempts)).toEqual([1, 1, 1])
    await pass(SETTLE)
    const attempts = rigs.map(({ server }) => server.attempts)
    await pass(LOOK)
    expect(rigs.map(({ server }) => [server.attempts, server.open.length])).toEqual(
      attempts.map((before) => [before, 0]),
    )
  })

  test.skipIf(engine !== 'webkit')('[N4] kept in the cache: one close, and open again at once on return', async () => {
    const rig = await stage.rig()
    const page = await stage.front(rig, { heartwire: { heartbeat: BEAT } })
    let worst = 0
    for (let visit = 1; visit <= 2; visit += 1) {
      await Promise.all([page.driver.goto(stage.site.elsewhere), rig.server.waitForClosed(visit)])
      const shown = await page.goBack()
      expect(shown.detail).toEqual({ persisted: true })
      const opened = await page.first({ subject: 'heartwire', type: 'open' }, shown.at)
      worst = Math.max(worst, opened.at - shown.at)
      const closes = await page.all({ subject: 'heartwire', type: 'close' })
      expect(closes).toHaveLength(visit)
      expect(closes.at(-1)?.detail).toEqual({ code: 1006, reason: 'page hidden', wasClean: false, willReconnect: true })
      await rig.server.waitForMessages(rig.server.messages.length + 2)
    }
    expect(connectionsOf(rig, 'heartwire').map(({ closed }) => closed?.code)).toEqual([1005, 1005, undefined])
    // Leaving is no failure.
    expect(await page.all({ subject: 'heartwire', type: 'error' })).toEqual([])
    const saw = 'server told on leaving (close frame), page kept; on return open again'
    const bound = AT_ONCE + MEASURING
    await stage.note({ scenario: BACK, subject: 'heartwire', saw, after: worst, bound })
  })

  test.skipIf(engine !== 'firefox')('[E1] [S2] not kept: one close, and the new page is alone', async () => {
    const rig = await stage.rig()
    const page = await stage.front(rig, { heartwire: EAGER })
    await keepMemories(page)
    const { code, after } = await howItEnded(rig, () => page.driver.goto(stage.site.elsewhere))
    expect(code).toBe(1001)
    const shown = await page.goBack()
    expect(shown.detail).toEqual({ persisted: false })
    const seen = (await memories(page)).filter(({ subject }) => subject === 'heartwire').map(({ type }) => type)
    // Of the browser's close (1001) or of our own (1006, `page hidden`), whichever the page hears of first.
    expect(seen.filter((type) => type === 'close')).toEqual(seen.filter((type) => type === 'open').map(() => 'close'))
    expect(seen).not.toContain('error')

    const attempts = rig.server.attempts
    await page.connect('heartwire', addressOf(rig, 'heartwire'), { heartbeat: BEAT })
    await pass(LOOK)
    expect(rig.server.attempts).toBe(attempts + 1)
    expect(rig.server.open).toHaveLength(1)
    const saw = `server told on leaving (1001, ${count(after)} ms), page not kept`
    await stage.note({ scenario: BACK, subject: 'heartwire', saw, after: null, bound: null })
  })

  test('what the peers see of going back', async () => {
    for (const subject of PEERS) {
      const rig = await stage.rig()
      const page = await stage.front(rig, { [subject]: {} })
      const { code } = await howItEnded(rig, () => page.driver.goto(stage.site.elsewhere))
      const shown = await page.goBack()
      const isKept = (shown.detail as { persisted: boolean }).persisted
      expect(isKept).toBe(engine === 'webkit')
      let saw = `server told on leaving (${code}), page not kept`
      let after: number | null = null
      if (isKept) {
        const closed = await page.first({ subject, type: 'close' }, shown.at)
        const isFinal = subject === 'native'
        const last = isFinal ? closed : await page.first({ subject, type: 'open' }, shown.at)
        const then = `close ${closed.detail.code}, ${isFinal ? 'for good' : 'open again'}`
        saw = `server told on leaving (${code}), page kept; on return ${then}`
        after = last.at - shown.at
      }
      await stage.note({ scenario: BACK, subject, saw, after, bound: null })
    }
  })

  test('[R4] a click that leads nowhere: in Firefox as if the server had gone', async () => {
    const nowhere = await startNowhere()
    const rig = await stage.rig()
    const page = await stage.front(rig, ALL)
    const since = Date.now()
    await page.call((_life, url) => {
      location.href = url
    }, nowhere.url)
    const scenario = 'a navigation that ends where it began (204, a download)'
    if (engine === 'firefox') {
      for (const subject of SUBJECTS) {
        const closed = await page.first({ subject, type: 'close' }, since)
        expect(closed.detail).toMatchObject({ code: 1001, wasClean: true })
        const isFinal = subject === 'native'
        const last = isFinal ? closed : await page.first({ subject, type: 'open' }, since)
        const saw = `close 1001, ${isFinal ? 'for good' : 'open again'}`
        const bound = subject === 'heartwire' ? RESTART_SPREAD + MEASURING : null
        await stage.note({ scenario, subject, saw, after: last.at - since, bound })
      }
      expect(connectionsOf(rig, 'heartwire')).toHaveLength(2)
    } else {
      await isUndisturbed(rig, page)
      expect(rig.server.attempts).toBe(SUBJECTS.length)
      await stage.note({ scenario, subject: 'heartwire', saw: 'stays open', after: null, bound: null })
      await stage.notePeers(page, scenario, null)
    }
    nowhere.close()
  })

  test('[S2] two tabs: both beat, and what ends one does not touch the other', async () => {
    const [rig, otherRig] = [await stage.rig(), await stage.rig()]
    const page = await stage.front(rig, ALL)
    const closed = await stage.behind(otherRig, ALL)
    const left = await stage.behind(otherRig, ALL)
    expect(await left.driver.evaluate('document.visibilityState')).toBe('hidden')
    await isUndisturbed(rig, page)
    await Promise.all([closed.driver.close(), left.driver.goto(stage.site.elsewhere), otherRig.server.waitForClosed(6)])
    await isUndisturbed(rig, page)
    const scenario = 'another tab of the site closed'
    await stage.note({ scenario, subject: 'heartwire', saw: 'stays open', after: null, bound: null })
    await stage.notePeers(page, scenario, null)
    expect(otherRig.server.open).toEqual([])
    // And the other way round: what is in sight goes, what is behind stays.
    const stays = await stage.behind(otherRig, { heartwire: { heartbeat: BEAT } })
    await Promise.all([page.driver.goto(stage.site.elsewhere), rig.server.waitForClosed(3)])
    await isUndisturbed(otherRig, stays)
    expect([rig.server.open.length, otherRig.server.open.length]).toEqual([0, 1])
    await Promise.all([stays.driver.close(), left.driver.close()])
  })
})
