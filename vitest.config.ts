// One project per kind of test; `npm test` runs each apart and fails when one finds no test.
import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import type { TestProjectInlineConfiguration } from 'vitest/config'
import type { BrowserProviderOption } from 'vitest/node'
import { chromiumArgs, findEngine } from './scripts/browser.mjs'
import type { Engine } from './scripts/browser.mjs'
import { webkit } from './test/support/webkit-provider.ts'

// Without a browser the other projects still run; the browser's own project then says that it cannot start.
const find = (engine: 'chromium' | 'firefox', variable: string): Promise<string | undefined> =>
  findEngine(engine).then(String, (error: unknown) => {
    if (process.env[variable]) throw error
    return undefined
  })
const chromium = await find('chromium', 'HEARTWIRE_CHROMIUM')
const firefox = await find('firefox', 'HEARTWIRE_FIREFOX')

const pathOf = (executablePath: string | undefined): { executablePath?: string } =>
  executablePath ? { executablePath } : {}

/** A package as it resolves from a folder of `test/`. */
const from = (folder: string, name: string): string =>
  fileURLToPath(new URL(`test/${folder}/node_modules/${name}`, import.meta.url))

/** The one suite for all engines, as a project of its own for each: their providers do not mix in one. */
const inBrowser = (name: Engine, provider: BrowserProviderOption): TestProjectInlineConfiguration => ({
  extends: true,
  test: {
    // Vitest wants a name for the group of instances, too, and runs the instance.
    name: `in ${name}`,
    include: ['test/browser/*.test.ts'],
    globalSetup: ['test/support/browser-setup.ts'],
    // The files share one server; a file that stalls the link must not stall its neighbour.
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      // Port 0 would be nicer, but vitest takes the next free one by itself.
      api: { host: '127.0.0.1' },
      provider,
      instances: [{ browser: name, name }],
    },
  },
})

export default defineConfig({
  test: {
    // Nothing here needs a second try: a flaky test is a bug.
    retry: 0,
    // A leftover fake global would decide the result of the next test.
    restoreMocks: true,
    unstubGlobals: true,
    unstubEnvs: true,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text', 'json-summary'],
    },
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/*.test.ts'], environment: 'node' } },
      { extends: true, test: { name: 'simulation', include: ['test/simulation/*.test.ts'], environment: 'node' } },
      { extends: true, test: { name: 'dom', include: ['test/dom/*.test.ts'], environment: 'jsdom' } },
      {
        extends: true,
        // The oldest React that the binding is for, in the place of the newest.
        resolve: { alias: { react: from('react-18', 'react'), 'react-dom': from('react-18', 'react-dom') } },
        test: {
          name: 'react-18',
          include: ['test/dom/react.test.ts'],
          environment: 'jsdom',
          env: { HEARTWIRE_REACT: '18' },
        },
      },
      {
        extends: true,
        resolve: {
          alias: [
            { find: /^vue$/, replacement: from('vue-3.3', 'vue/index.mjs') },
            { find: /^vue\/server-renderer$/, replacement: from('vue-3.3', 'vue/server-renderer/index.mjs') },
          ],
        },
        test: { name: 'vue-3.3', include: ['test/vue.test.ts'], environment: 'node', env: { HEARTWIRE_VUE: '3.3' } },
      },
      { extends: true, test: { name: 'server', include: ['test/server/*.test.ts'], environment: 'node' } },
      inBrowser('chromium', playwright({ launchOptions: { args: chromiumArgs(), ...pathOf(chromium) } })),
      // Over WebDriver BiDi: the Firefox that users have, not one that was patched for tests.
      inBrowser('firefox', playwright({ launchOptions: { channel: 'moz-firefox', ...pathOf(firefox) } })),
      inBrowser('webkit', webkit),
      {
        extends: true,
        test: {
          name: 'life',
          include: ['test/life/*.test.ts'],
          environment: 'node',
          // They wait for a browser's slowest timers most of the time, so more of them than cores run at once.
          maxWorkers: 4,
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/*.test.ts'],
          environment: 'node',
          // Starting a browser and a server takes seconds on a busy machine.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
