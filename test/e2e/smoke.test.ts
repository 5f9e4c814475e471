import { expect, test } from 'vitest'
import { startBrowser } from '../support/visitor.ts'
import { inEachEngine } from './engines.ts'

inEachEngine('alive', (engine) => {
  test('the browser that was found starts and shows a page', async () => {
    const browser = await startBrowser(engine)
    try {
      const visitor = await browser.newVisitor()
      await visitor.goto('data:text/html,<h1>alive</h1>')
      expect(await visitor.text('h1')).toBe('alive')
    } finally {
      await browser.close()
    }
  })
})
