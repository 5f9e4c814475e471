// From `build/` (what tsc emits: plain ES modules and declarations) to `dist/` (what ships).
// Run by `npm run build`, after tsc.
import { readFile } from 'node:fs/promises'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import terser from '@rollup/plugin-terser'
import { dts } from 'rollup-plugin-dts'

const entries = { index: 'build/index.js', network: 'build/network.js', vue: 'build/vue.js', react: 'build/react.js' }
const declarations = {
  index: 'build/index.d.ts',
  network: 'build/network.d.ts',
  vue: 'build/vue.d.ts',
  react: 'build/react.d.ts',
}
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
})

const minify = terser({
  ecma: 2022,
  // Not `toplevel`: in a script the names at the top are globals of the page, and terser makes some.
  toplevel: false,
  compress: { passes: 3, pure_getters: true },
  format: { comments: false },
})

/** @type {import('rollup').OutputOptions} */
const umd = { format: 'umd', name: 'Heartwire', exports: 'default', sourcemap: true }

/** @type {import('rollup').RollupOptions[]} */
export default [
  { input: entries, external, onwarn, plugins: [sourceMaps], output: [output('es', 'js'), output('cjs', 'cjs')] },
  {
    input: 'build/umd.js',
    onwarn,
    plugins: [sourceMaps, nodeResolve()],
    output: [
      { ...umd, file: 'dist/heartwire.umd.js' },
      { ...umd, file: 'dist/heartwire.umd.min.js', plugins: [minify] },
    ],
  },
  // Declarations twice: a `.d.ts` of an ES package describes an ES module only, `require` needs a `.d.cts`.
  ...['ts', 'cts'].map((extension) => ({
    input: declarations,
    external,
    onwarn,
    plugins: [dts()],
    output: {
      dir: 'dist',
      format: /** @type {const} */ ('es'),
      entryFileNames: `[name].d.${extension}`,
      chunkFileNames: `shared-[name].d.${extension}`,
    },
  })),
]
