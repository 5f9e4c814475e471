// One project per kind of test; `npm test` runs each apart and fails when one finds no test.
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromiumArgs, findChromium } from './scripts/browser.mjs'

// Without a Chromium the other projects still run; the browser project then says that it cannot start.
const executablePath = await findChromium().catch((error: unknown) => {
  if (process.env['HEARTWIRE_CHROMIUM']) throw error
  return undefined
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
      { extends: true, test: { name: 'server', include: ['test/server/*.test.ts'], environment: 'node' } },
      {
        extends: true,
        test: {
          name: 'browser',
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
            provider: playwright({
              launchOptions: { args: chromiumArgs(), ...(executablePath ? { executablePath } : {}) },
            }),
            instances: [{ browser: 'chromium' }],
          },
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
