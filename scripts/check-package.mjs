// Loads what was built the ways users do, and compares what runs with what the declarations promise.
// After `npm run build`. The names are the package's own: Node resolves them through `exports` of package.json.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { brotliCompressSync } from 'node:zlib'
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
  return (
    checker
      .getExportsOfModule(symbol)
      .map((exported) => {
        const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
        return { name: exported.name, target: isAlias ? checker.getAliasedSymbol(exported) : exported }
      })
      .filter(({ target }) => (target.flags & ts.SymbolFlags.Value) !== 0)
      .map(({ name }) => name)
      // That of a class which is what `require` gives.
      .filter((name) => name !== 'prototype')
      .sort()
  )
}

for (const entry of ['index', 'network', 'react', 'reconnecting-websocket', 'vue']) {
  const name = entry === 'index' ? 'heartwire' : `heartwire/${entry}`
  const imported = Object.keys(await import(name)).sort()
  const required = Object.keys(require(name)).sort()
  assert.deepEqual(required, imported, `require('${name}') and import '${name}' differ`)
  assert.deepEqual(promised(`${entry}.d.ts`), imported, `dist/${entry}.d.ts does not declare what ${name} exports`)
  assert.deepEqual(promised(`${entry}.d.cts`), required, `dist/${entry}.d.cts does not declare what ${name} exports`)
}

// A binding that brought a core of its own would bring its size, too, and a second class for `instanceof`.
for (const name of ['react', 'reconnecting-websocket', 'vue']) {
  for (const file of [`${name}.js`, `${name}.cjs`]) {
    assert.match(await read(file), /['"]\.\/shared-heartwire\.c?js['"]/, `${file} does not share the core`)
    assert.doesNotMatch(await read(file), /extends EventTarget/, `${file} has a core of its own`)
  }
}

// As `require('reconnecting-websocket')`: the class itself, and still a module to those who compile `import`.
const Required = require('heartwire/reconnecting-websocket')
assert.equal(Required.default, Required, "require('heartwire/reconnecting-websocket') is not its own default")
assert.equal(Required.ReconnectingWebSocket, Required)
assert(Required.prototype instanceof require('heartwire').Heartwire, 'the class for require has a core of its own')

/** The script-tag builds, and the one global of each. */
const scripts = { heartwire: 'Heartwire', 'reconnecting-websocket': 'ReconnectingWebSocket' }
for (const [name, Name] of Object.entries(scripts)) {
  for (const file of [`${name}.umd.js`, `${name}.umd.min.js`]) {
    // As a `<script>` where there is an EventTarget to extend and nothing else of the web's APIs.
    const page = runInNewContext(
      `${await read(file)}\n;({ Class: globalThis.${Name}, names: Object.keys(globalThis) })`,
      { EventTarget },
    )
    assert.equal(typeof page.Class, 'function', `${file} does not set the global ${Name} to the class`)
    assert.equal(page.Class.OPEN, 1, `${file} does not set the global ${Name} to the class`)
    assert.deepEqual(new Set(page.names), new Set(['EventTarget', Name]), `${file} sets other globals than ${Name}`)
  }

  const minified = await read(`${name}.umd.min.js`)
  const long = minified.match(/(?<=[.\s;{}])#[a-z]\w{3,}/gi) ?? []
  assert.deepEqual(long, [], `${name}.umd.min.js keeps private names long`)
}

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const kilobytes = Number(/the file for script tags is ([\d.]+) kB/.exec(readme)?.[1])
const size = brotliCompressSync(await read('heartwire.umd.min.js')).length
assert(size <= kilobytes * 1000, `README says ${kilobytes} kB of heartwire.umd.min.js, which has ${size} bytes`)

for (const file of (await readdir(dist)).filter((name) => /\.d\.c?ts$/.test(name))) {
  assert.doesNotMatch(await read(file), /['"]mitt['"]/, `${file} mentions mitt, whose types resolve for few`)
}

console.log('heartwire and its entries load as ESM and CJS, the UMD bundles as scripts; the declarations agree')
