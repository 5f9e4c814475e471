// From `build/` (what tsc emits: plain ES modules and declarations) to `dist/` (what ships).
// Run by `npm run build`, after tsc.
import { readFile } from 'node:fs/promises'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import terser from '@rollup/plugin-terser'
import { dts } from 'rollup-plugin-dts'

const names = ['index', 'network', 'react', 'reconnecting-websocket', 'vue']
const entries = Object.fromEntries(names.map((name) => [name, `build/${name}.js`]))
const declarations = Object.fromEntries(names.map((name) => [name, `build/${name}.d.ts`]))
/** `require` of it gives the class itself, as that of the package which it replaces. */
const callable = { entry: 'reconnecting-websocket', name: 'ReconnectingWebSocket' }
const external = ['mitt', 'react', 'vue']

/** Hands tsc's source maps to Rollup, which reads none by itself: a stack trace then leads to `src/`. */
const sourceMaps = {
  name: 'source-maps',
  /** @param {string} id */
  async load(id) {
    if (!id.endsWith('.js') || id.includes('node_modules')) return null
    const [code, map] = await Promise.all([readFile(id, 'utf8'), readFile(`${id}.map`, 'utf8')])
    return { code: code.replace(/^\/\/# sourceMappingURL=.*$/m, ''), map: JSON.parse(map) }
  },
}

/** A warning (a cycle, an unresolved import, a missing export) is a broken package that happens to build. */
const onwarn = (/** @type {{ message: string }} */ warning) => {
  throw new Error(warning.message)
}

/**
 * All entries in one graph, so that what they share exists once: one monitor, one class for `instanceof`.
 * @param {'es' | 'cjs'} format
 * @param {string} extension
 * @returns {import('rollup').OutputOptions}
 */
const output = (format, extension) => ({
  dir: 'dist',
  format,
  exports: 'named',
  sourcemap: true,
  entryFileNames: `[name].${extension}`,
  chunkFileNames: `shared-[name].${extension}`,
  // Each file imports what it uses itself: who binds the core does not need to find mitt.
  hoistTransitiveImports: false,
  footer: ({ name }) =>
    format === 'cjs' && name === callable.entry ? `module.exports = Object.assign(${callable.name}, exports);` : '',
})

/**
 * Says the same in a declaration: what is exported becomes a namespace that is merged with the class. Each name goes through
 * an alias, since within the namespace it would mean itself.
 */
const declareCallable = {
  name: 'declare-callable',
  /** @param {string} code @param {{ name: string }} chunk */
  renderChunk(code, { name: entry }) {
    if (entry !== callable.entry) return null
    const { name } = callable
    const [, declared, types] = /^([^]*)\nexport \{[^}]*\};\nexport type \{([^}]*)\};\s*$/.exec(code) ?? []
    if (!declared || !types) throw new Error(`The declarations of ${entry} do not end with what they export`)
    const words = types.split(',').map((type) => type.trim())
    return [
      declared,
      ...words.map((type) => `type _${type} = ${type};`),
      `import _${name} = ${name};`,
      `declare namespace ${name} {`,
      `    export { _${name} as ${name}, _${name} as default };`,
      `    export type { ${words.map((type) => `_${type} as ${type}`).join(', ')} };`,
      '}',
      `export = ${name};`,
      '',
    ].join('\n')
  },
}

const minify = terser({
  ecma: 2022,
  // Not `toplevel`: in a script the names at the top are globals of the page, and terser makes some.
  toplevel: false,
  compress: { passes: 3, pure_getters: true },
  format: { comments: false },
})

/**
 * A file for script tags, and its minified twin: one global, which is the default export.
 * @param {string} name
 * @param {string} input
 * @param {string} file
 * @returns {import('rollup').RollupOptions}
 */
const umd = (name, input, file) => ({
  input,
  onwarn,
  plugins: [sourceMaps, nodeResolve()],
  output: [
    { format: 'umd', name, exports: 'default', sourcemap: true, file: `dist/${file}.umd.js` },
    { format: 'umd', name, exports: 'default', sourcemap: true, file: `dist/${file}.umd.min.js`, plugins: [minify] },
  ],
})

/** @type {import('rollup').RollupOptions[]} */
export default [
  { input: entries, external, onwarn, plugins: [sourceMaps], output: [output('es', 'js'), output('cjs', 'cjs')] },
  umd('Heartwire', 'build/umd.js', 'heartwire'),
  umd('ReconnectingWebSocket', 'build/reconnecting-websocket-umd.js', 'reconnecting-websocket'),
  // Declarations twice: a `.d.ts` of an ES package describes an ES module only, `require` needs a `.d.cts`.
  ...['ts', 'cts'].map((extension) => ({
    input: declarations,
    external,
    onwarn,
    plugins: extension === 'cts' ? [dts(), declareCallable] : [dts()],
    output: {
      dir: 'dist',
      format: /** @type {const} */ ('es'),
      entryFileNames: `[name].d.${extension}`,
      chunkFileNames: `shared-[name].d.${extension}`,
    },
  })),
]
