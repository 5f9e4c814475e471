// Programs in a process of their own: only there can one see that it ends, and what it leaves behind.
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** How a program ended, and what it printed as JSON. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly printed: unknown[]
  readonly errors: string
}

/** `src` as JavaScript that Node runs, and a way to run programs that import it. */
export interface Programs {
  /**
   * Runs a module that has `Heartwire`, `HeartwireError`, `WebSocket` (of ws), `print(value)`, `when(socket, type)` and `url`.
   * Resolves when the process has ended by itself.
   */
  run(url: string, body: string): Promise<Ended>
  remove(): Promise<void>
}

/** Translates `src` file by file. No build is needed, and none that others use is touched. */
export async function translate(): Promise<Programs> {
  const cache = join(root, 'node_modules', '.cache')
  await mkdir(cache, { recursive: true })
  // Inside node_modules, so that its imports of mitt and ws are found.
  const folder = await mkdtemp(join(cache, 'heartwire-'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  for (const name of await readdir(join(root, 'src'))) {
    const source = await readFile(join(root, 'src', name), 'utf8')
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    })
    await writeFile(join(folder, name.replace(/\.ts$/, '.js')), outputText)
  }
  let count = 0
  return {
    async run(url, body) {
      const file = join(folder, `program-${(count += 1)}.mjs`)
      const program = `
        const before = { events: process.eventNames(), globals: Reflect.ownKeys(globalThis) }
        const { Heartwire, HeartwireError } = await import('./index.js')
        const { WebSocket } = await import('ws')
        const url = ${JSON.stringify(url)}
        const print = (value) => console.log(JSON.stringify(value))
        const when = (socket, type) => new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }))
        ${body}`
      await writeFile(file, program)
      return ended(file)
    },
    remove: () => rm(folder, { recursive: true }),
  }
}

function ended(file: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // Without the runner's own flags, which load its hooks into the process.
    const child = spawn(process.execPath, ['--expose-gc', file], { env: { ...process.env, NODE_OPTIONS: '' } })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const printed = output
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as unknown)
      resolve({ code, signal, printed, errors })
    })
  })
}
