// Loads what was built the ways users do, and compares what runs with what the declarations promise.
// After `npm run build`. The names are the package's own: Node resolves them through `exports` of package.json.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import ts from 'typescript'

const require = createRequire(import.meta.url)
const dist = new URL('../dist/', import.meta.url)

/** @param {string} file */
const read = (file) => readFile(new URL(file, dist), 'utf8')

/**
 * The names that a declaration file lets one use as values.
 * @param {string} file
 */
const promised = (file) => {
  const path = fileURLToPath(new URL(file, dist))
  const program = ts.createProgram([path], { noEmit: true, module: ts.ModuleKind.NodeNext, types: [] })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(path)
  const symbol = source && checker.getSymbolAtLocation(source)
  assert(symbol, `${file} is not a module`)
  return checker
    .getExportsOfModule(symbol)
    .map((exported) => {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
      return { name: exported.name, target: isAlias ? checker.getAliasedSymbol(exported) : exported }
    })
    .filter(({ target }) => (target.flags & ts.SymbolFlags.Value) !== 0)
    .map(({ name }) => name)
    .sort()
}

for (const entry of ['index', 'network', 'react', 'vue']) {
  const name = entry === 'index' ? 'heartwire' : `heartwire/${entry}`
  const imported = Object.keys(await import(name)).sort()
  const required = Object.keys(require(name)).sort()
  assert.deepEqual(required, imported, `require('${name}') and import '${name}' differ`)
  assert.deepEqual(promised(`${entry}.d.ts`), imported, `dist/${entry}.d.ts does not declare what ${name} exports`)
  assert.deepEqual(promised(`${entry}.d.cts`), required, `dist/${entry}.d.cts does not declare what ${name} exports`)
}

// A binding that brought a core of its own would bring its size, too, and a second class for `instanceof`.
for (const file of ['react.js', 'react.cjs', 'vue.js', 'vue.cjs']) {
  assert.match(await read(file), /['"]\.\/shared-heartwire\.c?js['"]/, `${file} does not share the core`)
  assert.doesNotMatch(await read(file), /extends EventTarget/, `${file} has a core of its own`)
}

for (const file of ['heartwire.umd.js', 'heartwire.umd.min.js']) {
  // As a `<script>` where there is an EventTarget to extend and nothing else of the web's APIs.
  const page = runInNewContext(
    `${await read(file)}\n;({ Heartwire: globalThis.Heartwire, names: Object.keys(globalThis) })`,
    { EventTarget },
  )
  assert.equal(typeof page.Heartwire, 'function', `${file} does not set the global Heartwire to the class`)
  assert.deepEqual(
    new Set(page.names),
    new Set(['EventTarget', 'Heartwire']),
    `${file} sets other globals than Heartwire`,
  )
}

const minified = await read('heartwire.umd.min.js')
const long = minified.match(/(?<=[.\s;{}])#[a-z]\w{3,}/gi) ?? []
assert.deepEqual(long, [], 'heartwire.umd.min.js keeps private names long')

for (const file of (await readdir(dist)).filter((name) => /\.d\.c?ts$/.test(name))) {
  assert.doesNotMatch(await read(file), /['"]mitt['"]/, `${file} mentions mitt, whose types resolve for few`)
}

console.log(
  'heartwire and its network, react and vue load as ESM and CJS, the UMD bundle as a script; the declarations agree',
)
