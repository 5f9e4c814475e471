// The demo's main job, driven as a visitor would: real browsers, the real server, and a link that is broken by pressing the
// buttons.
import { describe, expect, test } from 'vitest'
import { startDemo } from '../../demo/server.mjs'
import { edges } from '../../src/machine.ts'
import { PHONE } from '../support/visitor.ts'
import { fault, upTo, useDemo } from './demo-page.ts'
import { inEachEngine } from './engines.ts'

/** What the page promises: a beat every 2 s, dead 2 s after one that is not answered ([H4]). */
const INTERVAL = 2_000
const TIMEOUT = 2_000

/** A check that comes later than this is no verdict: it asks once more, with the same timeout ([H6]). */
const LATE = 100

/**
 * For the measuring alone, in ms: the log notes the clock when a listener runs, a few ms after the fact it is told of, at
 * both ends of what we measure. A check may be a bit late and still count ([H6]), which bounds the other part.
 */
const MEASURING = 150

/** From now on the page notes by how much a timer of its own comes late: a busy machine gives nobody their time. */
const watchTimers = (): void => {
  const timers = { latest: 0 }
  let before = performance.now()
  setInterval(() => {
    const now = performance.now()
    timers.latest = Math.max(timers.latest, now - before - 20)
    before = now
  }, 20)
  Object.assign(globalThis, { timers })
}
const latestTimer = (): number => (globalThis as unknown as { timers: { latest: number } }).timers.latest

inEachEngine('the demo', (engine) => {
  const demo = useDemo(engine)

  test('[H4] [Q1] a black hole is noticed in time, what is sent meanwhile queues, and all of it arrives once and in order', async () => {
    const page = await demo.open()
    const { visitor } = page
    await page.send(3)
    await visitor.waitFor('#score-arrived', { exactText: 3 })

    await visitor.evaluate(watchTimers)
    await page.toggle('hole', true)
    expect(await page.state()).toBe('open')
    await page.send(2) // The page cannot know yet: these two leave into the hole.
    await page.logged('lost', 'heartbeat timeout')

    const log = await page.log()
    const lost = log.findIndex(({ type, text }) => type === 'lost' && text.includes('heartbeat timeout'))
    const sign = log.slice(lost).find(({ type }) => type === 'message' || type === 'heartbeat')!
    const late = await visitor.evaluate(latestTimer)
    const bound = INTERVAL + TIMEOUT + MEASURING + (late > LATE ? TIMEOUT + 2 * late : 0)
    expect(log[lost]!.first - sign.last).toBeLessThanOrEqual(bound)

    await page.send(10)
    await visitor.waitFor('#fact-queue', { text: '10 msg' })
    expect((await page.receipts()).order).toEqual(upTo(3))
    expect(await visitor.text('#headline')).toMatch(/^(Link lost, retrying in \d+\.\d s|Connecting) \(attempt \d+\)$/)

    await page.toggle('hole', false)
    await page.reach('open')
    await page.expectNothingLost(15)
  })

  test('[Q5] what was queued when the user closed is given up in plain sight, and nothing else can be sent', async () => {
    const page = await demo.open()
    const { visitor } = page
    await page.send(2)
    await visitor.waitFor('#score-arrived', { exactText: 2 })
    await page.toggle('refuse', true)
    await page.logged('lost', '1006')
    await page.send(3)
    await visitor.waitFor('#fact-queue', { text: '3 msg' })
    await visitor.click('#close')
    await page.logged('dropped', '3 messages, closed')
    await visitor.waitFor('#headline', { exactText: 'Closed by you' })
    for (const control of ['#send .primary', '#hundred', '#text', fault('kill'), fault('flood')]) {
      expect(await visitor.isDisabled(control), control).toBe(true)
    }
    await page.toggle('refuse', false)
    await visitor.click('#connect')
    await page.reach('open')
    await page.send(1)
    await visitor.waitFor('#score-arrived', { exactText: 3 })
    expect((await page.receipts()).order).toEqual([1, 2, 6])
    expect(await visitor.text('#score-lost')).toBe('0')
    expect(await visitor.attributes('#strip i', 'data-stage')).toEqual([
      ...['arrived', 'arrived', 'dropped', 'dropped', 'dropped', 'arrived'],
    ])
  })

  test('what is in doubt is said to be asked only when it was', async () => {
    const page = await demo.open()
    await page.toggle('hole', true)
    await page.send(2)
    await page.logged('lost', 'heartbeat timeout')
    await page.visitor.waitFor('#doubt', { text: 'In doubt when a link broke: 2. As soon as it is back' })
    await page.toggle('hole', false)
    await page.reach('open')
    await page.visitor.waitFor('#doubt', { text: 'The page asked the server what it had: ' })
    await page.expectNothingLost(2)
  })

  test('presence: who is behind a black hole goes offline by its heartbeats alone, and comes back', async () => {
    const page = await demo.open()
    const other = await demo.open()
    const name = { text: await other.client() }
    await page.visitor.waitFor('#people li[data-online="true"]', name)
    await other.toggle('hole', true)
    await page.visitor.waitFor('#people li[data-online="false"]', name)
    await other.toggle('hole', false)
    await page.visitor.waitFor('#people li[data-online="true"]', name)
  })

  test('the state diagram is the table, with the current state lit', async () => {
    const page = await demo.open()
    const { visitor } = page
    const pairs = new Set(edges().flatMap(({ from, to }) => (from === to ? [] : [`${from}>${to}`])))
    expect((await visitor.texts('#diagram .arrow')).length).toBe(pairs.size)
    expect(await visitor.texts('#diagram .current')).toEqual(['open'])
    expect((await visitor.texts('#diagram .last')).length).toBe(1)
    await visitor.click('#close')
    await visitor.waitFor('#diagram .current[data-state="closed"]')
  })

  test.for(['/', '/script-tag.html', '/vue.html', '/react.html'])('%s fits a phone', async (path) => {
    const visitor = await demo.visit(path, PHONE)
    const [inner, content] = await visitor.evaluate(() => [innerWidth, document.documentElement.scrollWidth])
    expect(inner).toBe(PHONE.width)
    expect(content).toBeLessThanOrEqual(PHONE.width)
  })
})

describe('the server', () => {
  test('serves nothing but the demo, and takes orders from its own page only', async () => {
    const started = await startDemo({ port: 0 })
    try {
      const status = async (path: string, request?: RequestInit): Promise<number> =>
        (await fetch(new URL(path, started.url), request)).status
      expect(await status('/package.json')).toBe(404)
      expect(await status('/page/..%2fserver.mjs')).toBe(404)
      expect(await status('/page/%2e%2e/server/start.mjs')).toBe(404)
      const foreign = { method: 'POST', headers: { origin: 'https://example.com' } }
      expect(await status('/control/kill?client=abc', foreign)).toBe(403)
      const policy = (await fetch(started.url)).headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toContain('unsafe')
    } finally {
      await started.close()
    }
  })
})
