// A WebKitGTK of the test's own, by WebDriver: one browser window, and tabs behind its first that nobody sees.
import { startWebKit as startBrowser } from '../support/webkit.ts'
import type { WebDriver } from '../support/webdriver.ts'
import type { OtherBrowser, PageDriver } from './other-engines-page.ts'

/** Runs one act after the other: WebDriver has one current window for all commands. */
function createTurns(): <Result>(act: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve()
  return (act) => {
    const turn = last.then(act)
    last = turn.catch(() => {})
    return turn
  }
}

function drivePage(driver: WebDriver, inTurn: ReturnType<typeof createTurns>, handle: string): PageDriver {
  const here = <Result>(act: () => Promise<Result>): Promise<Result> =>
    inTurn(async () => {
      await driver.switchTo(handle)
      return act()
    })
  return {
    goto: (url) => here(() => driver.navigate(url)),
    back: () => here(() => driver.back()),
    reload: () => here(() => driver.reload()),
    evaluate: (expression) => here(() => driver.execute(`return ${expression}`)),
    // With its window: WebDriver cannot put a tab in front of another.
    hide: () => here(() => driver.minimize()),
    show: () => here(() => driver.restore()),
    setOffline: null,
    close: () => here(() => driver.closeWindow()),
  }
}

/** Starts one. */
export async function startWebKit(): Promise<OtherBrowser> {
  const browser = await startBrowser()
  const { driver, pid } = browser
  const inTurn = createTurns()
  return {
    pid,
    front: drivePage(driver, inTurn, await driver.window()),
    openBehind: async () => drivePage(driver, inTurn, await inTurn(() => driver.openWindow())),
    close: () => browser.close(),
  }
}
