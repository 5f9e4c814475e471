// Programs in a process of their own: only there can one see that it ends, and what it leaves behind.
import { spawn } from 'node:child_process'
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
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
   * `heard` is told what it prints, as it does. Resolves when the process has ended by itself.
   */
  run(url: string, body: string, heard?: (value: unknown) => void): Promise<Ended>
  /** Ends those that still run, which a test has then found to hang. */
  remove(): Promise<void>
}

/**
 * Translates `src` file by file, and more files of the tests, all into one folder. No build is needed, and none that
 * others use is touched.
 */
export async function translate(more: readonly string[] = []): Promise<Programs> {
  const cache = join(root, 'node_modules', '.cache')
  await mkdir(cache, { recursive: true })
  // Inside node_modules, so that its imports of mitt and ws are found.
  const folder = await mkdtemp(join(cache, 'heartwire-'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const own = await readdir(join(root, 'src'))
  for (const path of [...own.map((name) => `src/${name}`), ...more]) {
    const source = await readFile(join(root, path), 'utf8')
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    })
    const translated = outputText.replace(/(from '\.)[^']*?\/([\w-]+)\.ts'/g, "$1/$2.js'")
    await writeFile(join(folder, basename(path).replace(/\.ts$/, '.js')), translated)
  }
  let count = 0
  const running = new Set<ChildProcess>()
  return {
    async run(url, body, heard) {
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
      // Without the runner's own flags, which load its hooks into the process.
      const child = spawn(process.execPath, ['--expose-gc', file], { env: { ...process.env, NODE_OPTIONS: '' } })
      running.add(child)
      child.on('close', () => running.delete(child))
      return ended(child, heard)
    },
    remove() {
      for (const child of running) child.kill('SIGKILL')
      return rm(folder, { recursive: true })
    },
  }
}

function ended(child: ChildProcessWithoutNullStreams, heard: (value: unknown) => void = () => {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const printed: unknown[] = []
    let line = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (line + text).split('\n')
      line = lines.pop() ?? ''
      for (const each of lines) {
        const value = JSON.parse(each) as unknown
        printed.push(value)
        heard(value)
      }
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, printed, errors }))
  })
}
