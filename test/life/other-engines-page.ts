// One page in Firefox or WebKit: what is done to it, and what it tells when it is asked. Neither engine's driver can do
// what Chromium's can, so that a page is asked again and again here; what a hidden page does on time, its server says.
import type { HeartwireOptions } from '../../src/index.ts'
import type { Entry, Life, Subject } from './in-page.ts'
import { SOON } from './tab.ts'
import type { Wanted } from './tab.ts'

/** What an engine has to be able to do with a page; all else is made of it. */
export interface PageDriver {
  /** Resolves once the other page has loaded. */
  goto(url: string): Promise<void>
  /** Goes back in history; may resolve before the page is there. */
  back(): Promise<void>
  reload(): Promise<void>
  /** The value of an expression, which must be JSON. */
  evaluate(expression: string): Promise<unknown>
  /** Takes the page out of sight. */
  hide(): Promise<void>
  show(): Promise<void>
  /** Null where the driver has no means for it. */
  readonly setOffline: ((isOffline: boolean) => Promise<void>) | null
  close(): Promise<void>
}

/** A running browser. */
export interface OtherBrowser {
  /** The process that all the browser's own descend from. */
  readonly pid: number
  /** The page in sight. */
  readonly front: PageDriver
  /** Opens a page in a tab that nobody sees. */
  openBehind(): Promise<PageDriver>
  /** Ends it and what it has left on disk. */
  close(): Promise<void>
}

/** A page with sockets. */
export interface OtherPage {
  readonly driver: PageDriver
  /** Calls a function in the page, which knows nothing but the page; arguments and result are plain data. */
  call<Result, Args extends unknown[]>(run: (life: Life, ...args: Args) => Result, ...args: Args): Promise<Result>
  /** Opens a socket and waits until it is open. */
  connect(subject: Subject, url: string, options?: HeartwireOptions): Promise<void>
  /** What it has told that fits, in order. */
  all(wanted: Wanted): Promise<Entry[]>
  /** Resolves to the first that fits and comes after `since` (as `Date.now()`): by default, ever. */
  first(wanted: Wanted, since?: number): Promise<Entry>
  /** Goes back to it; resolves to the event that shows it. */
  goBack(): Promise<Entry>
}

/** ms between two looks. */
const PAUSE = 40

const fits = (entry: Entry, { detail, ...wanted }: Wanted): boolean =>
  Object.entries(wanted).every(([key, value]) => entry[key as 'type'] === value) &&
  (typeof detail === 'string'
    ? entry.detail === detail
    : Object.entries(detail ?? {}).every(([key, value]) => entry.detail?.[key] === value))

/** Looks until there is something; a page that is being left or loaded answers with an error or with nothing. */
async function until<Value>(look: () => Promise<Value | undefined>, failure: () => Promise<string>): Promise<Value> {
  for (const end = Date.now() + SOON; Date.now() < end;) {
    const value = await look()
    if (value !== undefined) return value
    await new Promise((resolve) => {
      setTimeout(resolve, PAUSE)
    })
  }
  throw new Error(await failure())
}

/** The page that `driver` drives, as the tests see it. */
export function watchPage(driver: PageDriver): OtherPage {
  const entries = (): Promise<Entry[]> => page.call((life) => life.entries)
  const page: OtherPage = {
    driver,
    call(run, ...args) {
      const given = ['life', ...args.map((arg) => JSON.stringify(arg) ?? 'undefined')]
      return driver.evaluate(`(${run.toString()})(${given.join(', ')})`) as Promise<ReturnType<typeof run>>
    },
    async connect(subject, url, options) {
      await page.call((life, ...args) => life.open(...args), subject, url, options)
      await page.first({ subject, type: 'open' })
    },
    async all(wanted) {
      return (await entries()).filter((entry) => fits(entry, wanted))
    },
    first: (wanted, since = 0) =>
      until(
        async () => (await page.all(wanted)).find(({ at }) => at >= since),
        async () => {
          const told = (await entries()).slice(-40).map((entry) => JSON.stringify(entry))
          return `No ${JSON.stringify(wanted)} within ${SOON} ms; told so far:\n${told.join('\n')}`
        },
      ),
    async goBack() {
      await driver.back()
      return until(
        async () => {
          const seen = await entries().catch((): Entry[] => []) // It is on its way.
          let shown: Entry | undefined
          for (const entry of seen) {
            if (entry.type === 'pageshow') shown = entry
            if (entry.type === 'pagehide') shown = undefined
          }
          return shown
        },
        () => Promise.resolve(`The page was not shown again within ${SOON} ms`),
      )
    },
  }
  return page
}
