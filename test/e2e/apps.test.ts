// The pages for Vue and React, used as visitors do: a connection comes, goes and comes back with its component, and leaves
// nothing behind. What is open is counted by the server.
import { expect, test } from 'vitest'
import { AppPage } from './app-page.ts'
import { fault, useDemo } from './demo-page.ts'
import { inEachEngine } from './engines.ts'

/** How a close without a code of its own comes to the server: a clean one, its frame empty (RFC 6455 7.1.5). */
const CLOSED = 1005

const WELCOME = {
  lobby: 'Welcome to the lobby room. A second tab is company.',
  support: 'Welcome to the support room. A second tab is company.',
}

inEachEngine('in Vue and React', (engine) => {
  const demo = useDemo(engine)

  /** Both pages: what is waited for with the one is waited for with the other meanwhile. */
  const openBoth = (): Promise<AppPage[]> =>
    Promise.all(['/vue.html', '/react.html'].map((path) => AppPage.open(demo, path)))

  test('mounted, it has one connection; unmounted, none; mounted again, another one', async () => {
    await inEach(await openBoth(), async (page) => {
      expect(await page.count()).toEqual({ open: 1, opened: 1, lastCode: null })
      await page.mount(false)
      expect(await page.settled(0)).toEqual({ open: 0, opened: 1, lastCode: CLOSED })
      await page.mount(true)
      await page.reach('open')
      expect(await page.count()).toEqual({ open: 1, opened: 2, lastCode: CLOSED })
      await page.mount(false)
      // Had the first one left anything that connects, it would have had a whole cycle to do so.
      expect(await page.settled(0)).toEqual({ open: 0, opened: 2, lastCode: CLOSED })
      await page.visitor.waitFor('#count-open', { exactText: 0 })
      await page.visitor.waitFor('#count-opened', { exactText: 2 })
    })
  })

  test('unmounted while open, connecting or waiting, it leaves no timer and no retry', async () => {
    const pages = await openBoth()
    await inEach(pages, async (page) => {
      await page.mount(false)
      await page.settled(0)
      await page.watchTimers()
      await page.mount(true)
      await page.reach('open')
      await page.leavesNothing('open')
      expect(await page.settled(0)).toMatchObject({ open: 0, opened: 2 })

      await demo.control(page.name, 'hang', { on: true })
      await page.mount(true)
      await page.reach('connecting')
      await page.leavesNothing('connecting')
      await demo.control(page.name, 'hang', { on: false })
    })
    await demo.control('all', 'refuse', { on: true })
    await inEach(pages, async (page) => {
      await page.mount(true)
      await page.visitor.waitFor('.countdown')
      await page.leavesNothing('waiting')
    })
    await demo.control('all', 'refuse', { on: false })
    // It connects, and nobody does on behalf of those that are gone.
    await inEach(pages, async (page) => {
      await page.mount(true)
      await page.reach('open')
      expect(await page.count()).toMatchObject({ open: 1, opened: 3 })
    })
  })

  test('what is said is shown once; another url is another connection, and nothing of the old one is shown', async () => {
    const [vue, react] = (await openBoth()) as [AppPage, AppPage]
    await vue.say('a')
    await react.hear('a')
    await react.say('b')
    await vue.hear('b')
    await react.hear('b')
    const lobby = [WELCOME.lobby, 'a', 'b']
    expect(await vue.heard()).toEqual(lobby)
    expect(await react.heard()).toEqual(lobby)
    expect(await vue.visitor.texts('.messages li b')).toEqual(['host', 'you', react.name])
    expect(await react.visitor.texts('.messages li b')).toEqual(['host', vue.name, 'you'])

    const support = [WELCOME.support]
    for (const [page, other, text] of [
      [vue, react, 'c'],
      [react, vue, 'd'],
    ] as const) {
      const { opened } = await page.count()
      await page.visitor.click('#support')
      await page.hear(WELCOME.support)
      expect(await page.settled(1)).toEqual({ open: 1, opened: opened + 1, lastCode: CLOSED })
      // In the lobby, which it has left, and where it is now, to know when the first would have come.
      await other.say(text)
      lobby.push(text)
      await other.hear(text)
      await page.say(text.toUpperCase())
      support.push(text.toUpperCase())
      await page.hear(text.toUpperCase())
      expect(await page.heard()).toEqual(support)

      await page.visitor.click('#none')
      await page.reach('idle')
      expect(await page.settled(0)).toEqual({ open: 0, opened: opened + 1, lastCode: CLOSED })
      expect(await page.heard()).toEqual([])
      expect(await page.visitor.isDisabled('.chat input')).toBe(true)

      await page.visitor.click('#lobby')
      await page.hear(text)
      expect(await page.heard()).toEqual(lobby)
      expect(await page.count()).toMatchObject({ open: 1, opened: opened + 2 })
    }
  })

  test('a server that is killed: it counts down, keeps what is sent, retries when told to, and is back by itself', async () => {
    const pages = await openBoth()
    await pages[0]!.toggle('refuse', true)
    await inEach(pages, async (page) => {
      await page.visitor.waitFor('.error', { text: 'Cannot connect' })
      await page.visitor.waitFor('.detail', { text: 'Retry ' })
      await page.say(page.name)
      await page.visitor.waitFor('.messages .unconfirmed b', { exactText: 'you, queued' })
      expect(await page.settled(0)).toMatchObject({ open: 0, opened: 1 })
      expect(await page.retryNow()).toBe('connecting')
    })
    await pages[0]!.toggle('refuse', false)
    await inEach(pages, async (page) => {
      await page.reach('open')
      for (const { name } of pages) await page.hear(name)
      expect(await page.heard()).toHaveLength(3)
      expect(await page.visitor.texts('.unconfirmed, .countdown, .error, .retry')).toEqual([])
      expect((await page.count()).open).toBe(1)
    })
  })

  test('a slow link shows in the latency, one that is killed is mended, and a black hole is noticed by the heartbeat alone', async () => {
    await inEach(await openBoth(), async (page) => {
      await page.toggle('slow', true)
      await page.visitor.until(() => {
        const [latency = ''] = /[\d.]+/.exec(document.querySelector('.latency')?.textContent ?? '') ?? []
        return Number(latency) >= 600
      })
      expect((await page.count()).open).toBe(1)
      await page.toggle('slow', false)

      await page.visitor.click(fault('kill'))
      await page.visitor.waitFor('#count-code', { exactText: 1006 })
      await page.settled(1)
      await page.reach('open')

      await page.toggle('hole', true)
      await page.visitor.waitFor('.error', { text: 'nothing came for' })
      await page.say(page.name)
      await page.toggle('hole', false)
      await page.reach('open')
      await page.hear(page.name)
      // The end of the old connection has come out of the hole, too.
      await page.settled(1)
    })
  })

  test('React: two components share one connection, in StrictMode and without', async () => {
    const page = await AppPage.open(demo, '/react.html')
    // Mounted twice, connected once.
    await page.visitor.waitFor('#runs', { exactText: 2 })
    expect(await page.count()).toEqual({ open: 1, opened: 1, lastCode: null })
    // One component shows the state and who is there, the other what is said.
    await page.say('a')
    await page.hear('a')
    expect(await page.visitor.text('.detail')).toMatch(/^1 here/)

    for (const [runs, opened] of [
      [1, 2],
      [2, 3],
    ] as const) {
      await page.visitor.click('#strict')
      await page.visitor.waitFor('#runs', { exactText: runs })
      await page.hear('a')
      expect(await page.settled(1)).toEqual({ open: 1, opened, lastCode: CLOSED })
    }
    await page.mount(false)
    expect(await page.settled(0)).toEqual({ open: 0, opened: 3, lastCode: CLOSED })
  })

  test('the pages lead to each other', async () => {
    const visitor = await demo.visit('/')
    for (const page of ['/vue.html', '/react.html', '/', '/react.html', '/vue.html', '/']) {
      await visitor.click(`header nav a[href="${page}"]:not([target])`)
      await visitor.waitFor('[data-state="open"]')
    }
  })
})

/** Does the same with each page, side by side. */
async function inEach(pages: readonly AppPage[], act: (page: AppPage) => Promise<void>): Promise<void> {
  await Promise.all(
    pages.map((page) =>
      act(page).catch((error: unknown) => {
        throw new Error(`${page.path}: ${String(error)}`, { cause: error })
      }),
    ),
  )
}
