// Every button of the demo that breaks something, pressed: what it says happens, and then all is well again.
import { describe, expect, test } from 'vitest'
import { useDemo } from './demo-page.ts'
import { inEachEngine } from './engines.ts'

/** ms that the page's heartbeat leaves an answer. */
const TIMEOUT = 2_000

/**
 * What a page is told of a close with 1012. WebKitGTK's network library takes the codes from 1012 to 2999 for violations of
 * the protocol, as RFC 6455 had left them unassigned.
 */
const SERVICE_RESTART = { chromium: '1012, “service restart”', firefox: '1012, “service restart”', webkit: '1006' }

inEachEngine('breaking', (engine) => {
  const demo = useDemo(engine)

  describe('the link', () => {
    test('kill: a reset is noticed and mended', async () => {
      const page = await demo.open()
      await page.send(5)
      await page.cause('kill')
      await page.logged('lost', 'connection ended with 1006')
      await page.logged('open', 'again')
      await page.send(5)
      await page.expectNothingLost(10)
    })

    test('slow: the latency shows it, the connection stays', async () => {
      const page = await demo.open()
      const latency = (lowest: number, highest: number): Promise<unknown> =>
        page.visitor.until(
          (low: number, high: number) => {
            const shown = Number.parseFloat(document.querySelector('#fact-latency')?.textContent ?? '')
            return shown >= low && shown < high
          },
          lowest,
          highest,
        )
      await page.toggle('slow', true)
      await page.send(20)
      await latency(600, TIMEOUT)
      await page.toggle('slow', false)
      await latency(0, 300)
      await page.expectNothingLost(20)
      expect(await page.loggedTypes()).not.toContain('lost')
    })

    test('slow, then killed: what was on its way is sent again, once', async () => {
      const page = await demo.open()
      await page.toggle('slow', true)
      await page.visitor.click('#hundred') // 8 kB/s: some of these are still in the proxy when the link dies.
      await page.cause('kill')
      await page.logged('open', 'again')
      await page.toggle('slow', false)
      await page.expectNothingLost(100)
    })

    test('hang: the attempt is given up, and connecting works again afterwards', async () => {
      const page = await demo.open()
      await page.toggle('hang', true)
      await page.logged('lost', 'connect timeout')
      await page.toggle('hang', false)
      await page.reach('open')
    })
  })

  describe('the server', () => {
    test('restart: closes with 1012, refuses for so many seconds, and comes back', async () => {
      const page = await demo.open()
      await page.visitor.fill('#restart-seconds', '1')
      await page.cause('restart')
      await page.logged('lost', `connection ended with ${SERVICE_RESTART[engine]}`)
      await page.send(3)
      await page.logged('open', 'again')
      await page.expectNothingLost(3)
    })

    test('refuse: concerns every page, and ends for all of them', async () => {
      const page = await demo.open()
      const other = await demo.open()
      await page.toggle('refuse', true)
      await other.visitor.waitFor('[data-fault="refuse"][aria-pressed="true"]')
      await page.logged('waiting', 'attempt 2 ')
      await page.toggle('refuse', false)
      await page.reach('open')
      await other.reach('open')
    })

    test('flood: every message is heard and the link stays open', async () => {
      const page = await demo.open()
      await page.visitor.fill('#flood-count', '4321')
      await page.cause('flood')
      await page.visitor.until(() => {
        const rows = document.querySelectorAll<HTMLElement>('#entries li[data-type="message"]')
        return [...rows].reduce((sum, row) => sum + Number(row.dataset['count']), 0) >= 4_321
      })
      expect(await page.state()).toBe('open')
      expect(await page.loggedTypes()).not.toContain('lost')
    })
  })

  describe('the session', () => {
    test('close: code and reason appear in the log, and it is open again', async () => {
      const page = await demo.open()
      await page.closeWith(4321, 'chosen by hand')
      await page.logged('lost', '4321, “chosen by hand”')
      await page.logged('open', 'again')
    })

    test('[R4] close: a final code is final until one connects again', async () => {
      const page = await demo.open()
      await page.closeWith(1008, 'not you')
      await page.reach('closed')
      expect(await page.visitor.text('#headline')).toBe('Closed for good')
      await page.visitor.click('#connect')
      await page.reach('open')
    })

    test('close: a code that cannot be sent is refused in words, and nothing happens', async () => {
      const page = await demo.open()
      // Chromium tells of the refused request in its console.
      demo.expectProblem('400 (Bad Request)')
      await page.closeWith(1006, '')
      await page.visitor.waitFor('#fault-error', { text: 'code 1006 cannot be sent' })
      expect(await page.state()).toBe('open')
    })

    test('log out: stops for good with 4401, and a fresh token opens it again', async () => {
      const page = await demo.open()
      await page.cause('logout')
      await page.reach('closed')
      expect(await page.visitor.text('#headline')).toBe('Logged out')
      expect(await page.loggedTypes()).not.toContain('waiting')
      await page.visitor.click('#login')
      await page.logged('open', 'again')
      await page.send(1)
      await page.expectNothingLost(1)
    })
  })
})
