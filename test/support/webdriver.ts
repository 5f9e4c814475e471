// The part of W3C WebDriver that our tests need: one session, one window. https://www.w3.org/TR/webdriver2/

/** How an element is named in answers (WebDriver, chapter 12). */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'

/** One browser window under our control. */
export interface WebDriver {
  /** Loads a page; resolves once it has loaded. */
  navigate(url: string): Promise<void>
  /** Goes back in history. */
  back(): Promise<void>
  /** Loads the page anew; resolves once it has loaded. */
  reload(): Promise<void>
  /** Runs the body of a function in the page and resolves to what it returns, which must be JSON. */
  execute(body: string, args?: readonly unknown[]): Promise<unknown>
  /** Presses the first element that a CSS selector finds, as a user would. @throws when there is none */
  click(selector: string): Promise<void>
  /** Empties the first field that a CSS selector finds. */
  clear(selector: string): Promise<void>
  /** Types into the first element that a CSS selector finds. */
  type(selector: string, text: string): Promise<void>
  /** Presses keys where the focus is. Special keys are the private-use characters of WebDriver, chapter 17. */
  press(...keys: readonly string[]): Promise<void>
  /** The inner size of the window in CSS px; systems may grant another. */
  resize(width: number, height: number): Promise<void>
  /** Takes the window out of sight: its page is hidden. */
  minimize(): Promise<void>
  /** Puts it back into sight. */
  restore(): Promise<void>
  /** A PNG of what is visible. */
  screenshot(): Promise<Buffer>
  /** Opens another window and goes there; returns its handle. */
  openWindow(): Promise<string>
  /** Goes to a window. */
  switchTo(handle: string): Promise<void>
  /** The handles of all windows. */
  windows(): Promise<string[]>
  /** The handle of the current window. */
  window(): Promise<string>
  /** Closes the current window. */
  closeWindow(): Promise<void>
  /** Ends the session and its browser. */
  quit(): Promise<void>
}

type Answer = { value: unknown }

/** Starts a session at a driver, with the capabilities that it must have. */
export async function startSession(address: string, capabilities: object): Promise<WebDriver> {
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(address + path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const { value } = (await response.json()) as Answer
    if (response.ok) return value
    const { error, message } = value as { error: string; message: string }
    throw new Error(`WebDriver ${method} ${path}: ${error}: ${message}`)
  }

  const { sessionId } = (await call('POST', '/session', { capabilities: { alwaysMatch: capabilities } })) as {
    sessionId: string
  }
  const post = (path: string, body: object = {}): Promise<unknown> => call('POST', `/session/${sessionId}${path}`, body)
  const get = (path: string): Promise<unknown> => call('GET', `/session/${sessionId}${path}`)
  const remove = (path: string): Promise<unknown> => call('DELETE', `/session/${sessionId}${path}`)
  const find = async (selector: string): Promise<string> => {
    const element = (await post('/element', { using: 'css selector', value: selector })) as Record<string, string>
    return `/element/${element[ELEMENT]}`
  }

  return {
    async navigate(url) {
      await post('/url', { url })
    },
    async back() {
      await post('/back')
    },
    async reload() {
      await post('/refresh')
    },
    execute: (script, args = []) => post('/execute/sync', { script, args }),
    async click(selector) {
      await post(`${await find(selector)}/click`)
    },
    async clear(selector) {
      await post(`${await find(selector)}/clear`)
    },
    async type(selector, text) {
      await post(`${await find(selector)}/value`, { text })
    },
    async press(...keys) {
      const actions = keys.flatMap((value) => [
        { type: 'keyDown', value },
        { type: 'keyUp', value },
      ])
      await post('/actions', { actions: [{ type: 'key', id: 'keyboard', actions }] })
    },
    async resize(width, height) {
      const measure = (): Promise<unknown> => post('/execute/sync', { script: SIZES, args: [] })
      const [outerWidth, outerHeight, innerWidth, innerHeight] = (await measure()) as [number, number, number, number]
      await post('/window/rect', { width: width + outerWidth - innerWidth, height: height + outerHeight - innerHeight })
    },
    async minimize() {
      await post('/window/minimize')
    },
    async restore() {
      // What sets a window's place restores it first, even if it is to change nothing.
      await post('/window/rect', {})
    },
    async screenshot() {
      return Buffer.from(String(await get('/screenshot')), 'base64')
    },
    async openWindow() {
      const { handle } = (await post('/window/new', { type: 'tab' })) as { handle: string }
      await post('/window', { handle })
      return handle
    },
    async switchTo(handle) {
      await post('/window', { handle })
    },
    async windows() {
      return (await get('/window/handles')) as string[]
    },
    async window() {
      return String(await get('/window'))
    },
    async closeWindow() {
      await remove('/window')
    },
    async quit() {
      await remove('')
    },
  }
}

const SIZES = 'return [outerWidth, outerHeight, innerWidth, innerHeight]'
