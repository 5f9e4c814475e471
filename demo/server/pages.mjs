// The static files: the pages of the demo and the built library, nothing else, under a strict Content-Security-Policy.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = new URL('../', import.meta.url)
const root = new URL('../', here)

/** Where Vite puts the pages of `demo/apps`. */
const apps = new URL('build/apps/', root)

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
}

/** One file each. */
const FILES = new Map([
  ['/', new URL('index.html', here)],
  ['/script-tag.html', new URL('script-tag.html', here)],
  ['/vue.html', new URL('vue.html', apps)],
  ['/react.html', new URL('react.html', apps)],
  ['/style.css', new URL('style.css', here)],
  ['/icon.svg', new URL('icon.svg', here)],
  // npm may have put it anywhere above us; Node knows.
  ['/modules/mitt.mjs', new URL('mitt.mjs', pathToFileURL(createRequire(import.meta.url).resolve('mitt')))],
])

/** Whole folders, one level deep. */
const FOLDERS = new Map([
  ['page', new URL('page/', here)],
  ['dist', new URL('dist/', root)],
  ['build', new URL('build/', root)],
  ['assets', new URL('assets/', apps)],
])

/**
 * The file behind a url's path, or `null`. A name in a folder has no slash and no dot in front, so there is nothing to
 * climb with: `..`, encoded or not, never matches.
 * @param {string} pathname
 */
const locate = (pathname) => {
  const file = FILES.get(pathname)
  if (file) return file
  const [, folder, name] = /^\/(\w+)\/(\w[\w.-]*)$/.exec(pathname) ?? []
  const base = folder && FOLDERS.get(folder)
  return base && name && extname(name) in TYPES ? new URL(name, base) : null
}

/** Inline scripts (an import map cannot be anything else) are allowed by their hash, so that no other ever runs. */
const hashes = (/** @type {string} */ html) =>
  [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  )

/**
 * @param {string} html
 * @param {string} webSocketOrigin
 */
const policy = (html, webSocketOrigin) =>
  [
    "default-src 'none'",
    `script-src ${["'self'", ...hashes(html)].join(' ')}`,
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${webSocketOrigin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

/** What a fresh clone forgets, said before the page shows nothing. */
export function requireBuild() {
  const missing = [
    ...['dist/index.js', 'dist/heartwire.umd.min.js', 'build/machine.js'],
    ...['build/apps/vue.html', 'build/apps/react.html'],
  ].filter((path) => !existsSync(fileURLToPath(new URL(path, root))))
  if (missing.length > 0)
    throw new Error(
      `Cannot start the demo without ${missing.join(', ')}: run "npm run build && npm run build:demo" first`,
    )
}

/**
 * Answers `GET pathname`, or returns false when there is no such page.
 * @param {string} pathname
 * @param {string} webSocketOrigin
 * @param {import('node:http').ServerResponse} response
 */
export async function servePage(pathname, webSocketOrigin, response) {
  const file = locate(pathname)
  const body = file && (await readFile(file).catch(() => null))
  if (!file || !body) return false
  const type = TYPES[extname(file.pathname)] ?? ''
  response.setHeader('Content-Type', type)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  // A rebuilt library must not be shadowed by the browser's copy of the old one.
  response.setHeader('Cache-Control', 'no-store')
  if (type.startsWith('text/html')) {
    response.setHeader('Content-Security-Policy', policy(body.toString('utf8'), webSocketOrigin))
  }
  response.end(body)
  return true
}
