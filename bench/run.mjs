// `npm run bench`: measures everything and writes docs/benchmarks.md. `node bench/run.mjs --short` only looks whether it
// all still works, in under a minute, and writes nothing. `--json=FILE` keeps the figures, `--only=receive,send` picks rows.
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, platform } from 'node:os'
import { join } from 'node:path'
import { argv, version } from 'node:process'
import { fileURLToPath } from 'node:url'
import { bundle, copyBuild, openLab } from './lab.mjs'
import { report } from './report.mjs'
import * as rows from './rows.mjs'

const isShort = argv.includes('--short')
const argument = (/** @type {string} */ name) =>
  argv.find((given) => given.startsWith(`--${name}=`))?.slice(name.length + 3)
const only = argument('only')?.split(',')
const jsonFile = argument('json')

const build = await copyBuild()
try {
  await writeFile(
    join(build.dist, '..', 'index.mjs'),
    await bundle(`export * from 'heartwire'`, build.dist, { minify: false }),
  )
  const lab = await openLab(build.dist)
  try {
    const steps = {
      receive: () => rows.receive(lab, isShort),
      receiveAlone: () => rows.receiveAlone(lab, isShort),
      send: () => rows.send(lab, isShort),
      sendAlone: () => rows.sendAlone(lab, isShort),
      sendSingly: () => rows.sendSingly(lab, isShort),
      heapAlone: () => rows.heap(lab, isShort, 'holdAlone'),
      heapReal: () => rows.heap(lab, isShort, 'hold'),
      reconnects: () => rows.reconnects(build.dist, isShort),
      size: () => rows.weights(build.dist),
    }
    /** @type {Record<string, unknown>} */
    const results = {}
    for (const [name, step] of Object.entries(steps)) {
      if (only && !only.includes(name)) continue
      const start = performance.now()
      results[name] = await step()
      if (jsonFile) await writeFile(jsonFile, JSON.stringify(results, null, 2))
      console.error(`${name}: ${((performance.now() - start) / 1_000).toFixed(0)} s`)
    }
    if (only) console.log(JSON.stringify(results, null, 2))
    else {
      const systems = /** @type {Record<string, string>} */ ({ linux: 'Linux', darwin: 'macOS', win32: 'Windows' })
      const about = {
        date: new Date().toISOString().slice(0, 10),
        machine: `${availableParallelism()} cores, ${systems[platform()] ?? platform()}`,
        versions: await versions(lab.version),
      }
      const document = report(about, results)
      console.log(document)
      if (!isShort) await writeFile(fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url)), document)
    }
  } finally {
    await lab.close()
  }
} finally {
  await build.remove()
}

async function versions(/** @type {string} */ browser) {
  /** @returns {Promise<string>} */
  const of = async (/** @type {string} */ path) =>
    JSON.parse(await readFile(new URL(`../${path}package.json`, import.meta.url), 'utf8')).version
  return [
    `Chromium ${browser.split('.')[0]}`,
    `Node ${version.slice(1).split('.')[0]}`,
    `Heartwire ${await of('')}`,
    `reconnecting-websocket ${await of('node_modules/reconnecting-websocket/')}`,
  ].join(', ')
}
