// The demo's pages, looked at by axe-core (all its rules) as they are in each state: light and dark, on a desktop and a phone.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { DESKTOP, PHONE } from '../support/visitor.ts'
import type { Visitor } from '../support/visitor.ts'
import { AppPage } from './app-page.ts'
import { useDemo } from './demo-page.ts'
import { inEachEngine } from './engines.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Axe {
  run(): Promise<{
    passes: unknown[]
    violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[]
  }>
}

/** Runs in the page. */
const violations = async (): Promise<{ checked: number; found: string[] }> => {
  const { passes, violations: broken } = await (globalThis as unknown as { axe: Axe }).axe.run()
  const tell = (id: string, target: string[], summary: string): string => `${id}: ${target.join(' ')}: ${summary}`
  return {
    checked: passes.length,
    found: broken.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => tell(id, target, failureSummary)),
    ),
  }
}

async function expectAccessible(visitor: Visitor): Promise<void> {
  await visitor.inject(axe)
  for (const size of [PHONE, DESKTOP]) {
    await visitor.resize(size)
    const { checked, found } = await visitor.evaluate(violations)
    expect(found, `${size.width} px`).toEqual([])
    // A run that has looked at nothing would find nothing.
    expect(checked).toBeGreaterThan(10)
  }
}

inEachEngine('accessible', (engine) => {
  describe.for(['light', 'dark'] as const)('%s', (colorScheme) => {
    const demo = useDemo(engine, colorScheme)

    test('the page is shown as the user likes it', async () => {
      const visitor = await demo.visit()
      expect(await visitor.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)).toBe(
        colorScheme === 'dark',
      )
    })

    test('open, with messages, a fault and an error', async () => {
      const page = await demo.open()
      demo.expectProblem('400 (Bad Request)')
      await page.toggle('slow', true)
      await page.visitor.click('#hundred')
      await page.closeWith(1006, '')
      await page.visitor.waitFor('#fault-error')
      await page.visitor.click('#pause')
      await expectAccessible(page.visitor)
      expect(await page.state()).toBe('open')
    })

    test('waiting, with messages in the queue', async () => {
      const page = await demo.open()
      await page.toggle('refuse', true)
      await page.logged('waiting', 'attempt 3 ')
      await page.send(3)
      await page.reach('waiting')
      await expectAccessible(page.visitor)
    })

    test('closed by the user, with messages given up', async () => {
      const page = await demo.open()
      await page.toggle('refuse', true)
      await page.logged('lost', '1006')
      await page.send(3)
      await page.visitor.click('#close')
      await page.logged('dropped', '3 messages')
      await expectAccessible(page.visitor)
    })

    test('logged out', async () => {
      const page = await demo.open()
      await page.cause('logout')
      await page.reach('closed')
      await expectAccessible(page.visitor)
    })

    test('the script-tag page', async () => {
      const visitor = await demo.visit('/script-tag.html')
      await visitor.waitFor('#state', { text: 'open' })
      await visitor.click('#form button.primary')
      await visitor.waitFor('#echoes li')
      await expectAccessible(visitor)
    })

    // They share their style and most of their structure, and so the states.
    test('the page for Vue: open, without a room, not mounted', async () => {
      const page = await AppPage.open(demo, '/vue.html')
      await page.say('a')
      await page.hear('a')
      await expectAccessible(page.visitor)
      await page.visitor.click('#none')
      await page.reach('idle')
      await expectAccessible(page.visitor)
      await page.mount(false)
      await expectAccessible(page.visitor)
    })

    test('the page for React: open, waiting, with a message in the queue', async () => {
      const page = await AppPage.open(demo, '/react.html')
      await expectAccessible(page.visitor)
      await page.toggle('refuse', true)
      await page.visitor.waitFor('.retry')
      await page.say('b')
      await page.visitor.waitFor('.unconfirmed')
      await expectAccessible(page.visitor)
    })
  })
})
