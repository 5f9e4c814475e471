// `npm run simulate -- --help`: the deterministic simulation from the command line (test/simulation/).
// Node 20 reads no TypeScript, so it is bundled into a temporary file first.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const entry = fileURLToPath(new URL('../test/simulation/main.ts', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'heartwire-simulation-'))
const outfile = join(folder, 'main.mjs')
try {
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    outfile,
    logLevel: 'warning',
  })
  process.setSourceMapsEnabled(true)
  await import(pathToFileURL(outfile).href)
} finally {
  await rm(folder, { recursive: true, force: true })
}
