// A person at a page, the same in every engine: what a test does is said once, and how an engine is told so is said here.
import { chromium, firefox } from 'playwright'
import type { Browser, Page } from 'playwright'
import { chromiumArgs, findChromium, findFirefox } from '../../scripts/browser.mjs'
import type { Engine } from '../../scripts/browser.mjs'
import type { WebDriver } from './webdriver.ts'
import { startWebKit } from './webkit.ts'

/** ms. Everything is waited for by looking at it; this only ends a wait that has failed, on a machine that does much else. */
const PATIENCE = 20_000

/** ms between two looks. */
const PAUSE = 40

export interface Size {
  readonly width: number
  readonly height: number
}

export const DESKTOP: Size = { width: 1_280, height: 900 }
export const PHONE: Size = { width: 360, height: 740 }

export type ColorScheme = 'light' | 'dark'

/** As WebDriver calls them (chapter 17 of its standard); Playwright goes by our names. */
const KEYS = { Tab: '\uE004', Enter: '\uE007', Space: ' ' } as const

/** What an engine has to be able to do; all else is made of it. */
interface Tab {
  goto(url: string): Promise<void>
  /** Evaluates an expression; its value must be JSON, or a promise of such. */
  evaluate(expression: string): Promise<unknown>
  /** As by hand, with the browser's own events. The element is there, enabled and in sight. */
  click(selector: string): Promise<void>
  /** Presses what opens a tab; resolves to that one. */
  follow(selector: string): Promise<Tab>
  fill(selector: string, text: string): Promise<void>
  press(key: keyof typeof KEYS): Promise<void>
  resize(size: Size): Promise<void>
  screenshot(): Promise<Buffer>
  /** Errors and warnings of the console, and errors that nobody caught. */
  problems(): Promise<string[]>
  close(): Promise<void>
}

/** What an element is to say, apart from white space. */
type Saying = { readonly text: string | number } | { readonly exactText: string | number }

/** One tab of its own, with a person at it. */
export class Visitor {
  readonly #tab: Tab

  constructor(tab: Tab) {
    this.#tab = tab
  }

  /** Goes to a page; resolves once it has loaded. */
  goto(url: string): Promise<void> {
    return this.#tab.goto(url)
  }

  /** Runs a function in the page. It sees only its arguments, which must be JSON, as must its result. */
  evaluate<Args extends readonly unknown[], Result>(
    script: (...args: Args) => Result,
    ...args: Args
  ): Promise<Awaited<Result>> {
    const given = args.map((value) => JSON.stringify(value) ?? 'undefined').join(', ')
    return this.#tab.evaluate(`(${String(script)})(${given})`) as Promise<Awaited<Result>>
  }

  /** Runs a script as it stands, for what it leaves behind. */
  async inject(source: string): Promise<void> {
    await this.#tab.evaluate(`(() => { ${source}\n })()`)
  }

  /** Looks again and again until a function in the page returns something true; resolves to that. */
  async until<Args extends readonly unknown[], Result>(
    script: (...args: Args) => Result,
    ...args: Args
  ): Promise<Awaited<Result>> {
    for (const start = performance.now(); performance.now() - start < PATIENCE; await pause()) {
      const result = await this.evaluate(script, ...args)
      if (result) return result
    }
    throw new Error(`Waited ${PATIENCE} ms in vain for ${String(script)} of ${JSON.stringify(args)}`)
  }

  /** Waits until an element that a CSS selector finds is in the layout, with that text if one is given. */
  async waitFor(selector: string, saying?: Saying): Promise<void> {
    try {
      await this.until(isThere, selector, saying ?? null)
    } catch (error) {
      const found = JSON.stringify(await this.texts(selector).catch(String))
      throw new Error(`Waited in vain for ${selector} ${JSON.stringify(saying ?? 'in sight')}; found ${found}`, {
        cause: error,
      })
    }
  }

  /** Presses it, once it can be pressed. */
  async click(selector: string): Promise<void> {
    await this.#bringIntoReach(selector)
    await this.#tab.click(selector)
  }

  /** Presses what opens another tab; resolves to the visitor there, who is in sight now. */
  async follow(selector: string): Promise<Visitor> {
    await this.#bringIntoReach(selector)
    return new Visitor(await this.#tab.follow(selector))
  }

  /** Types into a field, in place of what is there. */
  async fill(selector: string, text: string): Promise<void> {
    await this.#bringIntoReach(selector)
    await this.#tab.fill(selector, text)
  }

  /** Presses a key where the focus is. */
  press(key: keyof typeof KEYS): Promise<void> {
    return this.#tab.press(key)
  }

  async focus(selector: string): Promise<void> {
    await this.waitFor(selector)
    await this.evaluate((given: string) => document.querySelector<HTMLElement>(given)?.focus(), selector)
  }

  /** The texts of all that a CSS selector finds. */
  texts(selector: string): Promise<string[]> {
    return this.evaluate(
      (given: string) =>
        [...document.querySelectorAll(given)].map(({ textContent }) => textContent.replaceAll(/\s+/g, ' ').trim()),
      selector,
    )
  }

  async text(selector: string): Promise<string> {
    return (await this.texts(selector))[0] ?? ''
  }

  /** An attribute of all that a CSS selector finds. */
  attributes(selector: string, name: string): Promise<(string | null)[]> {
    return this.evaluate(
      (given: string, wanted: string) =>
        [...document.querySelectorAll(given)].map((element) => element.getAttribute(wanted)),
      selector,
      name,
    )
  }

  async attribute(selector: string, name: string): Promise<string | null> {
    return (await this.attributes(selector, name))[0] ?? null
  }

  isDisabled(selector: string): Promise<boolean> {
    return this.evaluate((given: string) => document.querySelector(given)?.matches(':disabled') ?? false, selector)
  }

  /** Where it is. */
  address(): Promise<string> {
    return this.evaluate(() => location.href)
  }

  /** Gives the page another size; resolves once the page has it. */
  async resize(size: Size): Promise<void> {
    await this.#tab.resize(size)
    await this.until((width: number) => innerWidth === width, size.width)
  }

  /** A PNG of what is in sight. */
  screenshot(): Promise<Buffer> {
    return this.#tab.screenshot()
  }

  /** What the page has complained of so far. */
  problems(): Promise<string[]> {
    return this.#tab.problems()
  }

  close(): Promise<void> {
    return this.#tab.close()
  }

  async #bringIntoReach(selector: string): Promise<void> {
    await this.waitFor(`${selector}:not(:disabled)`)
    // To the middle: at the edges something sticky may lie over it.
    await this.evaluate(
      (given: string) => document.querySelector(given)?.scrollIntoView({ block: 'center', behavior: 'instant' }),
      selector,
    )
  }
}

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, PAUSE)
  })

/** Runs in the page. */
const isThere = (selector: string, saying: Saying | null): boolean =>
  [...document.querySelectorAll(selector)].some((element) => {
    if (!element.checkVisibility()) return false
    const said = element.textContent.replaceAll(/\s+/g, ' ').trim()
    if (!saying) return true
    return 'text' in saying ? said.includes(String(saying.text)) : said === String(saying.exactText)
  })

/** A browser of our own. */
export interface VisitedBrowser {
  /** Somebody with a tab of their own, in sight: nobody's timers are throttled. */
  newVisitor(size?: Size): Promise<Visitor>
  close(): Promise<void>
}

/** Starts an engine's browser, for users who like their pages light or dark. @throws when it is not on this machine */
export function startBrowser(engine: Engine, colorScheme: ColorScheme = 'light'): Promise<VisitedBrowser> {
  switch (engine) {
    case 'chromium':
      return startChromium(colorScheme)
    case 'firefox':
      return startFirefox(colorScheme)
    case 'webkit':
      return startWebKitGtk(colorScheme)
  }
}

async function startChromium(colorScheme: ColorScheme): Promise<VisitedBrowser> {
  const browser = await chromium.launch({ executablePath: await findChromium(), args: chromiumArgs() })
  return overPlaywright(browser, colorScheme)
}

async function startFirefox(colorScheme: ColorScheme): Promise<VisitedBrowser> {
  const browser = await firefox.launch({
    // Over WebDriver BiDi: the Firefox that users have, not one that was patched for tests.
    channel: 'moz-firefox',
    executablePath: await findFirefox(),
    // What the page is told, by the preference's numbers. BiDi has no command for it.
    firefoxUserPrefs: { 'layout.css.prefers-color-scheme.content-override': colorScheme === 'dark' ? 0 : 1 },
  })
  return overPlaywright(browser, colorScheme)
}

const overPlaywright = (browser: Browser, colorScheme: ColorScheme): VisitedBrowser => ({
  async newVisitor(size = DESKTOP) {
    const context = await browser.newContext({ viewport: size, colorScheme })
    return new Visitor(playwrightTab(await context.newPage()))
  },
  close: () => browser.close(),
})

/** A connection that fails is told by the browser itself, Chromium or Firefox; all else is the page's. */
const isBrowsers = (text: string): boolean =>
  /^WebSocket connection to '.*' failed|^Firefox can’t establish a connection|^The connection to .* was interrupted/.test(
    text,
  )

function playwrightTab(page: Page): Tab {
  const problems: string[] = []
  const note = (text: string): void => {
    if (!isBrowsers(text)) problems.push(text)
  }
  page.on('pageerror', (error) => note(String(error)))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) note(message.text())
  })
  return {
    async goto(url) {
      await page.goto(url)
    },
    evaluate: (expression) => page.evaluate(expression),
    click: (selector) => page.click(selector),
    async follow(selector) {
      const [opened] = await Promise.all([page.context().waitForEvent('page'), page.click(selector)])
      return playwrightTab(opened)
    },
    async fill(selector, text) {
      // Not `page.fill`: in Firefox over BiDi it adds to what a number field holds.
      await page.focus(selector)
      await page.keyboard.press('ControlOrMeta+A')
      await page.keyboard.press('Delete')
      await page.keyboard.type(text)
    },
    press: (key) => page.keyboard.press(key),
    resize: (size) => page.setViewportSize(size),
    // Playwright would hide the caret by a style of its own, which a strict page refuses.
    screenshot: () => page.screenshot({ caret: 'initial' }),
    problems: async () => [...problems],
    close: () => page.context().close(),
  }
}

async function startWebKitGtk(colorScheme: ColorScheme): Promise<VisitedBrowser> {
  // GTK's own theme is what the page is told.
  const browser = await startWebKit(colorScheme === 'dark' ? { GTK_THEME: 'Adwaita:dark' } : {})
  const { driver } = browser
  const opener = await driver.window()
  const within = createTurns(driver)
  return {
    async newVisitor(size = DESKTOP) {
      const handle = await within(opener, () => openPopUp(driver, size))
      return new Visitor(webDriverTab(driver, within, handle))
    },
    close: () => browser.close(),
  }
}

/** Does something in a window. */
type Within = <Result>(handle: string, act: () => Promise<Result>) => Promise<Result>

/** One after the other: WebDriver has one current window for all commands. */
function createTurns(driver: WebDriver): Within {
  let last: Promise<unknown> = Promise.resolve()
  let current = ''
  return (handle, act) => {
    const turn = last.then(async () => {
      if (handle !== current) await driver.switchTo(handle)
      current = handle
      return act()
    })
    last = turn.catch(() => {})
    return turn
  }
}

function webDriverTab(driver: WebDriver, within: Within, handle: string): Tab {
  const here = <Result>(act: () => Promise<Result>): Promise<Result> => within(handle, act)
  return {
    goto: (url) =>
      here(async () => {
        await driver.navigate(url)
        await driver.execute(`(${String(collectProblems)})()`)
      }),
    evaluate: (expression) => here(() => driver.execute(`return ${expression}`)),
    click: (selector) => here(() => driver.click(selector)),
    follow: (selector) =>
      here(async () => webDriverTab(driver, within, await newWindow(driver, () => driver.click(selector)))),
    fill: (selector, text) =>
      here(async () => {
        await driver.clear(selector)
        if (text) await driver.type(selector, text)
      }),
    press: (key) => here(() => driver.press(KEYS[key])),
    resize: ({ width, height }) => here(() => driver.resize(width, height)),
    screenshot: () => here(() => driver.screenshot()),
    problems: async () => (await here(() => driver.execute('return globalThis.collectedProblems ?? []'))) as string[],
    close: () => here(() => driver.closeWindow()),
  }
}

/**
 * A pop-up window: it is in sight beside others, unlike a tab, and it has no toolbar, which would keep it wider than a phone.
 */
async function openPopUp(driver: WebDriver, { width, height }: Size): Promise<string> {
  await driver.execute(`(${String(showOpener)})(${JSON.stringify(`popup,noopener,width=${width},height=${height}`)})`)
  // Only a press of a user's may open a window.
  return newWindow(driver, () => driver.click('#opener'))
}

/** What opens a window, and which it was. */
async function newWindow(driver: WebDriver, open: () => Promise<void>): Promise<string> {
  const before = await driver.windows()
  await open()
  for (const start = performance.now(); performance.now() - start < PATIENCE; await pause()) {
    const handle = (await driver.windows()).find((each) => !before.includes(each))
    if (handle) return handle
  }
  throw new Error(`No window was opened within ${PATIENCE} ms`)
}

/** Runs in an empty page. */
const showOpener = (features: string): void => {
  const button = document.createElement('button')
  button.id = 'opener'
  button.addEventListener('click', () => open('about:blank', '_blank', features))
  document.body.replaceChildren(button)
}

/**
 * Runs in the page once it has loaded. WebDriver does not tell what a page's console says, nor can it run a script before
 * the page's own: what goes wrong earlier than this is only seen by what does not work then.
 */
const collectProblems = (): void => {
  const problems: string[] = []
  Object.assign(globalThis, { collectedProblems: problems })
  addEventListener('error', (event) => problems.push(event.message))
  addEventListener('unhandledrejection', (event) => problems.push(String(event.reason)))
  addEventListener('securitypolicyviolation', (event) =>
    problems.push(`${event.violatedDirective} ${event.blockedURI}`),
  )
  for (const level of ['error', 'warn'] as const) {
    console[level] = (...what: unknown[]) => problems.push(what.join(' '))
  }
}
