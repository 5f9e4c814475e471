// Finds the Chromium that the tests drive, and installs one where there is none.
// By hand: `node scripts/browser.mjs` prints its path, `--install` may install.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The last release that runs on Node 20 without an engine warning. */
const sparticuz = '@sparticuz/chromium@143.0.4'

const commands = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Where installers put a browser that is not on PATH. */
const usualPlaces = () => {
  if (process.platform === 'darwin') {
    return ['Chromium.app/Contents/MacOS/Chromium', 'Google Chrome.app/Contents/MacOS/Google Chrome'].flatMap((app) => [
      join('/Applications', app),
      join(process.env['HOME'] ?? '/', 'Applications', app),
    ])
  }
  if (process.platform === 'win32') {
    const folders = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].map((name) => process.env[name])
    return folders.flatMap((folder) =>
      folder
        ? [join(folder, 'Google/Chrome/Application/chrome.exe'), join(folder, 'Chromium/Application/chrome.exe')]
        : [],
    )
  }
  return []
}

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

const installFromDebian = () => {
  if (process.getuid?.() !== 0 || !onPath(['apt-get']).some(isExecutable)) return undefined
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update'], env)
  run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], env)
  return onPath(commands).find(isBrowser)
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
 * The path of a Chromium. The order goes from what was asked for, over what is there, to what can be had.
 * @param {{ install?: boolean }} [options] `install`: may change the machine to get one.
 * @returns {Promise<string>}
 */
export async function findChromium({ install = false } = {}) {
  const wanted = process.env['HEARTWIRE_CHROMIUM']
  if (wanted) {
    // A wrong wish is an error: testing another browser than the one named would prove the wrong thing.
    if (!isExecutable(wanted)) throw new Error(`Cannot use HEARTWIRE_CHROMIUM: no executable at ${wanted}`)
    return wanted
  }
  const present = [...onPath(commands), ...usualPlaces()].find(isBrowser) ?? (await playwrights()) ?? sparticuzs()
  if (present) return present
  const installed = install ? (installFromDebian() ?? (await installFromPlaywright()) ?? installFromNpm()) : undefined
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

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    console.log(await findChromium({ install: process.argv.includes('--install') }))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
