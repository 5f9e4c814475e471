// Every other button, field and link of the demo, used: what it says happens. Those that break something have a file of
// their own.
import { expect, test } from 'vitest'
import { DemoPage, fault, useDemo } from './demo-page.ts'
import { inEachEngine } from './engines.ts'

/** All that can be pressed or filled in. Who adds one, adds the test that uses it. */
const CONTROLS = [
  ...['Second tab', 'Script-tag page', 'Vue', 'React', 'login', 'connect', 'reconnect', 'close'],
  ...['kill', 'hole', 'slow', 'hang', 'restart', 'restart-seconds', 'refuse', 'flood', 'flood-count'],
  ...['close', 'close-code', 'close-reason', 'logout'],
  ...['text', 'Send', 'ticking', 'hundred', 'pause', 'clear'],
]
const SCRIPT_TAG_CONTROLS = ['The full demo', 'text', 'Send', 'kill']

/** Of the pages for Vue and React; apps.test.ts uses them. */
const ROOM_CONTROLS = ['lobby', 'support', 'none', 'Message', 'Send', 'kill', 'hole', 'slow', 'refuse']

/** What the option `queue` holds by default. */
const QUEUE = 1_024

inEachEngine('using', (engine) => {
  const demo = useDemo(engine)

  test.for([
    ['/', CONTROLS],
    ['/script-tag.html', SCRIPT_TAG_CONTROLS],
    ['/vue.html', ['The full demo', 'React', 'mounted', ...ROOM_CONTROLS]],
    ['/react.html', ['The full demo', 'Vue', 'mounted', 'strict', ...ROOM_CONTROLS]],
  ] as const)('%s has no control but those that are tested', async ([path, controls]) => {
    const visitor = await demo.visit(path)
    // A framework mounts when it has loaded.
    await visitor.until(
      (count) => document.querySelectorAll('a, button, input, select, textarea, summary').length >= count,
      controls.length,
    )
    const found = await visitor.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('a, button, input, select, textarea, summary')].map(
        (element) => element.id || element.dataset['fault'] || element.ariaLabel || element.textContent.trim(),
      ),
    )
    expect(found).toEqual(controls)
  })

  test('reconnect: another connection takes over at once', async () => {
    const page = await demo.open()
    await page.visitor.click('#reconnect')
    await page.logged('state', 'open → resolving')
    await page.logged('open', 'again')
    expect(await page.loggedTypes()).not.toContain('waiting')
    await page.send(1)
    await page.expectNothingLost(1)
  })

  test('close and connect: closed until one connects', async () => {
    const page = await demo.open()
    await page.visitor.click('#close')
    await page.reach('closed')
    expect(await page.visitor.text('#headline')).toBe('Closed by you')
    await page.logged('closed', 'user, 1000, “closed by the user”')
    await page.visitor.click('#connect')
    await page.logged('open', 'again')
  })

  test('text: what was typed is sent, by the button and by the Enter key', async () => {
    const page = await demo.open()
    await page.visitor.fill('#text', 'by button')
    await page.send(1)
    await page.visitor.fill('#text', 'by key')
    await page.visitor.press('Enter')
    await page.expectNothingLost(2)
    await page.visitor.waitFor('#strip i[data-stage="arrived"] + i[data-stage="arrived"]')
    expect(await page.visitor.attributes('#strip i', 'title')).toEqual([
      '1 “by button”: arrived',
      '2 “by key”: arrived',
    ])
  })

  test('1 per second: sends until it is pressed again', async () => {
    const page = await demo.open()
    const sent = async (): Promise<number> => Number(await page.visitor.text('#score-sent'))
    await page.visitor.click('#ticking')
    await page.visitor.waitFor('#score-sent', { exactText: 2 })
    await page.visitor.click('#ticking')
    await page.visitor.waitFor('#ticking[aria-pressed="false"]')
    const count = await sent()
    await page.send(1)
    await page.expectNothingLost(count + 1)
  })

  test('[Q1] 100 at once: what the queue cannot hold is refused in words, the rest arrives', async () => {
    const page = await demo.open()
    await page.toggle('refuse', true)
    await page.logged('lost', '1006')
    for (let sent = 0; sent <= QUEUE; sent += 100) await page.visitor.click('#hundred')
    await page.visitor.waitFor('#send-error', { text: 'queue' })
    await page.toggle('refuse', false)
    await page.reach('open')
    await page.expectNothingLost(QUEUE)
  })

  test('pause and clear: the log stands still, goes on, and is emptied', async () => {
    const page = await demo.open()
    await page.visitor.click('#pause')
    const before = await page.log()
    await page.cause('kill')
    await page.visitor.waitFor('#pause[aria-pressed="true"]', { text: 'new' })
    await page.visitor.waitFor('#headline', { exactText: 'Connected' })
    expect(await page.log()).toEqual(before)
    await page.visitor.click('#pause')
    await page.logged('lost', '1006')
    await page.visitor.click('#close')
    await page.logged('closed', 'user')
    await page.visitor.click('#clear')
    expect(await page.log()).toEqual([])
  })

  test('second tab: another page, online beside the first', async () => {
    const page = await demo.open()
    const opened = await page.visitor.follow('nav a[target]')
    const other = new DemoPage(opened, demo.address)
    await other.reach('open')
    const name = await other.client()
    expect(name).not.toBe(await page.client())
    await page.visitor.waitFor('#people li[data-online="true"]', { text: name })
    await opened.close()
  })

  test('the script-tag page: leads there and back, echoes, and survives a kill', async () => {
    const { visitor } = await demo.open()
    await visitor.click('nav a:not([target])')
    await visitor.waitFor('#state', { text: 'open' })
    await visitor.click('#form button.primary')
    await visitor.waitFor('#echoes li', { exactText: 'hello' })
    // The first retry may come at once, so what was shown in between has to be written down.
    await visitor.inject(`
      globalThis.shown = []
      const state = document.querySelector('#state')
      new MutationObserver(() => shown.push(state.textContent)).observe(state, { childList: true })`)
    await visitor.click('#kill')
    await visitor.until(() => (globalThis as unknown as { shown: string[] }).shown.includes('waiting'))
    await visitor.fill('#text', 'queued')
    await visitor.click('#form button.primary')
    await visitor.waitFor('#echoes li', { exactText: 'queued' })
    expect(await visitor.texts('#echoes li')).toEqual(['queued', 'hello'])
    expect(await visitor.text('#code')).toContain('new Heartwire(url, {')
    await visitor.click('nav a')
    await visitor.waitFor('#status[data-state="open"]')
  })

  test('the keyboard reaches and presses the buttons', async () => {
    const { visitor } = await demo.open()
    await visitor.focus(fault('kill'))
    await visitor.press('Tab')
    await visitor.press('Space')
    await visitor.waitFor(`${fault('hole')}[aria-pressed="true"]`)
    await visitor.press('Enter')
    await visitor.waitFor(`${fault('hole')}[aria-pressed="false"]`)
  })

  test('a screen reader is told of each change, without the countdown', async () => {
    const page = await demo.open()
    await page.visitor.waitFor('#spoken[role="status"]', { exactText: 'Connected' })
    await page.toggle('refuse', true)
    await page.logged('waiting', 'attempt 2 ')
    await page.visitor.until(() =>
      /^(Link lost, retrying|Connecting) \(attempt \d\)$/.test(document.querySelector('#spoken')?.textContent ?? ''),
    )
  })
})
