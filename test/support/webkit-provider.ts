// WebKitGTK for vitest's browser mode: one window, one page at a time.
import { defineBrowserProvider } from '@vitest/browser'
import type { BrowserProvider, TestProject } from 'vitest/node'
import { startWebKit } from './webkit.ts'
import type { WebKitBrowser } from './webkit.ts'

class WebKitProvider implements BrowserProvider {
  readonly name = 'webkitgtk'
  readonly supportsParallelism = false
  #browser: Promise<WebKitBrowser> | undefined

  constructor(project: TestProject) {
    // Vitest asks for it before each file; our tests do not look at the page.
    project.browser?.registerCommand('__vitest_viewport', () => {})
  }

  getCommandsContext(): Record<string, unknown> {
    return {}
  }

  async openPage(_sessionId: string, url: string): Promise<void> {
    this.#browser ??= startWebKit()
    const { driver } = await this.#browser
    await driver.navigate(url)
  }

  async close(): Promise<void> {
    const browser = await this.#browser?.catch(() => undefined)
    await browser?.close()
  }
}

declare module 'vitest/internal/browser' {
  interface BrowserCommands {
    __vitest_viewport: () => void
  }
}

/** For `browser.provider`. */
export const webkit = defineBrowserProvider({
  name: 'webkitgtk',
  options: {},
  providerFactory: (project) => new WebKitProvider(project),
})
