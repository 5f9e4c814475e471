// Finds the browsers that the tests drive, and installs what is missing.
// By hand: `node scripts/browser.mjs` prints their paths, `--install` may install.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The last release that runs on Node 20 without an engine warning. */
const sparticuz = '@sparticuz/chromium@143.0.4'

/** The engines, by the names of their test projects. */
export const ENGINES = /** @type {const} */ (['chromium', 'firefox', 'webkit'])

/** @typedef {typeof ENGINES[number]} Engine */

/** What Debian calls them; WebKitGTK's own window needs a display, so it comes with one. */
const PACKAGES = {
  chromium: ['chromium'],
  firefox: ['firefox-esr'],
  webkit: ['webkit2gtk-driver', 'xvfb'],
}

/** What to look for, and where installers put it when it is not on PATH. */
const chromiums = {
  commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  darwin: ['Chromium.app/Contents/MacOS/Chromium', 'Google Chrome.app/Contents/MacOS/Google Chrome'],
  win32: ['Google/Chrome/Application/chrome.exe', 'Chromium/Application/chrome.exe'],
}
const firefoxes = {
  commands: ['firefox-esr', 'firefox'],
  darwin: ['Firefox.app/Contents/MacOS/firefox'],
  win32: ['Mozilla Firefox/firefox.exe'],
}

/** @param {typeof chromiums} known */
const usualPlaces = ({ darwin, win32 }) => {
  if (process.platform === 'darwin') {
    const folders = ['/Applications', join(process.env['HOME'] ?? '/', 'Applications')]
    return folders.flatMap((folder) => darwin.map((app) => join(folder, app)))
  }
  if (process.platform === 'win32') {
    const folders = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].map((name) => process.env[name])
    return folders.flatMap((folder) => (folder ? win32.map((path) => join(folder, path)) : []))
  }
  return []
}

/** @param {typeof chromiums} known */
const findPresent = (known) => [...onPath(known.commands), ...usualPlaces(known)].find(isBrowser)

/** @param {string} path */
const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false // Missing or not ours to run: the same to the caller, who looks further.
  }
}

/**
 * Whether it runs at all. On Ubuntu the package is a stub that asks for a snap, and a download may lack libraries.
 * @param {string} path
 */
const isBrowser = (path) =>
  // Chrome on Windows knows no `--version`: it would open a window.
  isExecutable(path) &&
  (process.platform === 'win32' || spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0)

/** @param {string[]} names */
const onPath = (names) => {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)
  return names.flatMap((name) => folders.map((folder) => join(folder, name)))
}

const playwrights = async () => {
  const { chromium } = await import('playwright')
  const path = chromium.executablePath()
  return path && isBrowser(path) ? path : undefined
}

const sparticuzs = () => {
  // In a process of its own: this one remembers that the package was missing before it was installed.
  // When it is missing still, that is no error: it is no dependency of ours, only the last way out.
  const code = `import chromium from '@sparticuz/chromium'; console.log(await chromium.executablePath())`
  const result = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { cwd: root, encoding: 'utf8' })
  const path = result.stdout.trim()
  return result.status === 0 && isBrowser(path) ? path : undefined
}

/**
 * Runs an installer with its output on stderr, so that stdout holds the path alone.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} env
 */
const run = (command, args, env = {}) => {
  console.error(`> ${command} ${args.join(' ')}`)
  // npm and npx are `.cmd` files on Windows, which only a shell starts.
  const shell = process.platform === 'win32'
  const result = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    shell,
    stdio: ['ignore', 2, 2],
    timeout: 5 * 60_000,
  })
  return result.status === 0
}

let isUpdated = false

/** @param {Engine} engine */
const installFromDebian = (engine) => {
  if (process.getuid?.() !== 0 || !onPath(['apt-get']).some(isExecutable)) return
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  isUpdated ||= run('apt-get', ['update'], env)
  run('apt-get', ['install', '-y', '--no-install-recommends', ...PACKAGES[engine]], env)
}

const installChromiumFromDebian = () => {
  installFromDebian('chromium')
  return findPresent(chromiums)
}

const installFromPlaywright = async () => {
  run('npx', ['--no-install', 'playwright', 'install', 'chromium'])
  return playwrights()
}

const installFromNpm = () => {
  run('npm', ['install', '--no-save', sparticuz])
  return sparticuzs()
}

/**
 * What a variable of the environment asks for. A wrong wish is an error: testing another browser than the one named would
 * prove the wrong thing.
 * @param {string} variable
 */
const wish = (variable) => {
  const path = process.env[variable]
  if (path && !isExecutable(path)) throw new Error(`Cannot use ${variable}: no executable at ${path}`)
  return path
}

/**
 * The path of a Chromium. The order goes from what was asked for, over what is there, to what can be had.
 * @param {{ install?: boolean }} [options] `install`: may change the machine to get one.
 * @returns {Promise<string>}
 */
export async function findChromium({ install = false } = {}) {
  const present = wish('HEARTWIRE_CHROMIUM') ?? findPresent(chromiums) ?? (await playwrights()) ?? sparticuzs()
  if (present) return present
  const installed = install
    ? (installChromiumFromDebian() ?? (await installFromPlaywright()) ?? installFromNpm())
    : undefined
  if (installed) return installed
  throw new Error(
    [
      'Cannot find a Chromium for the browser tests. Any of these helps:',
      '  - install Chromium or Chrome so that it is on PATH',
      '  - set HEARTWIRE_CHROMIUM to its executable',
      '  - npx playwright install chromium',
      `  - npm install --no-save ${sparticuz}`,
      ...(install ? [] : ['  - node scripts/browser.mjs --install, which tries the last two and apt']),
    ].join('\n'),
  )
}

/**
 * The path of a stock Firefox; Playwright's own is patched and would not show what users meet.
 * @param {{ install?: boolean }} [options]
 * @returns {Promise<string>}
 */
export async function findFirefox({ install = false } = {}) {
  const present = wish('HEARTWIRE_FIREFOX') ?? findPresent(firefoxes)
  if (present) return present
  if (install) installFromDebian('firefox')
  const installed = findPresent(firefoxes)
  if (installed) return installed
  throw new Error(
    [
      'Cannot find a Firefox for the browser tests. Any of these helps:',
      '  - install Firefox so that it is on PATH (Debian: apt-get install firefox-esr)',
      '  - set HEARTWIRE_FIREFOX to its executable',
    ].join('\n'),
  )
}

/**
 * WebKitGTK: its driver, its smallest browser, and a display for that browser's window.
 * @typedef {{ driver: string, browser: string, display: string }} WebKit
 */

/** Distributions put it below their library folder, which no PATH names. */
const miniBrowsers = () => {
  const folders = ['/usr/lib', '/usr/libexec', ...readFolder('/usr/lib').map((name) => join('/usr/lib', name))]
  return folders.flatMap((folder) =>
    ['webkit2gtk-4.1', 'webkitgtk-6.0'].map((version) => join(folder, version, 'MiniBrowser')),
  )
}

/** @param {string} folder */
const readFolder = (folder) => {
  try {
    return readdirSync(folder)
  } catch {
    return [] // Not a system where WebKitGTK would be.
  }
}

/** @returns {WebKit | undefined} */
const presentWebKit = () => {
  const driver = onPath(['WebKitWebDriver']).find(isExecutable)
  const browser = wish('HEARTWIRE_WEBKIT') ?? miniBrowsers().find(isExecutable)
  const display = onPath(['Xvfb']).find(isExecutable)
  return driver && browser && display ? { driver, browser, display } : undefined
}

/**
 * @param {{ install?: boolean }} [options]
 * @returns {Promise<WebKit>}
 */
export async function findWebKit({ install = false } = {}) {
  const present = presentWebKit()
  if (present) return present
  if (install) installFromDebian('webkit')
  const installed = presentWebKit()
  if (installed) return installed
  throw new Error(
    [
      'Cannot find WebKitGTK for the browser tests: WebKitWebDriver, its MiniBrowser and Xvfb. Any of these helps:',
      '  - Debian: apt-get install webkit2gtk-driver xvfb',
      '  - set HEARTWIRE_WEBKIT to a MiniBrowser, with WebKitWebDriver and Xvfb on PATH',
    ].join('\n'),
  )
}

/**
 * What to start it with: only the page under test may use the network, and HTTP/3 would bypass a TCP proxy.
 * @returns {string[]}
 */
export function chromiumArgs() {
  const args = [
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ]
  // Chromium refuses to start its sandbox as root, as in most containers.
  return process.getuid?.() === 0 ? ['--no-sandbox', ...args] : args
}

const finders = { chromium: findChromium, firefox: findFirefox, webkit: findWebKit }

/**
 * Throws, with the ways out, when the engine is not there.
 * @param {Engine} engine
 * @param {{ install?: boolean }} [options]
 */
export const findEngine = (engine, options) => finders[engine](options)

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const engine of ENGINES) {
    try {
      console.log(engine, await findEngine(engine, { install: process.argv.includes('--install') }))
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
      process.exitCode = 1
    }
  }
}
