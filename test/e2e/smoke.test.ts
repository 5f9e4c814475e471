import { chromium } from 'playwright'
import { expect, test } from 'vitest'
import { chromiumArgs, findChromium } from '../../scripts/browser.mjs'

test('the Chromium that was found starts and shows a page', async () => {
  const browser = await chromium.launch({ executablePath: await findChromium(), args: chromiumArgs() })
  try {
    const page = await browser.newPage()
    await page.goto('data:text/html,<h1>alive</h1>')
    expect(await page.textContent('h1')).toBe('alive')
  } finally {
    await browser.close()
  }
})
