// Runs a block of a document as it stands there, with the packages that it imports and what else it takes for granted.
import ts from 'typescript'
import { compileScript, parse } from 'vue/compiler-sfc'
import type { Block } from './code-blocks.ts'

/** What `import … from` gets, by the name of the package: namespace objects. */
export type Packages = Readonly<Record<string, object>>

/** Replaces text of a block, all of it: shorter times, say. @throws Error for text that is not there */
export function rewrite(block: Block, replacements: Readonly<Record<string, string>>): Block {
  let { code } = block
  for (const [from, to] of Object.entries(replacements)) {
    if (!code.includes(from)) throw new Error(`There should be '${from}' in the block '${block.title}'`)
    code = code.replaceAll(from, to)
  }
  return { ...block, code }
}

/** Runs it; returns what it exports. `scope` are its globals: own timers, say. */
export function run(block: Block, packages: Packages, scope: Readonly<Record<string, unknown>>): Record<string, any> {
  const { outputText } = ts.transpileModule(toTypeScript(block), {
    fileName: 'block.tsx',
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      jsx: ts.JsxEmit.ReactJSX,
      esModuleInterop: true,
    },
  })
  const require = (name: string): object => {
    const found = packages[name]
    if (!found) throw new Error(`There should be no import of '${name}' in the block '${block.title}'`)
    return { __esModule: true, ...found }
  }
  const exports: Record<string, any> = {}
  const names = Object.keys(scope)
  // oxlint-disable-next-line typescript/no-implied-eval -- it is what runs that is tested
  const body = new Function('require', 'exports', ...names, outputText)
  body(require, exports, ...names.map((name) => scope[name]))
  return exports
}

/** A component with its template, as a bundler would make of it. */
function toTypeScript({ language, code }: Block): string {
  if (language !== 'vue') return code
  const { descriptor, errors } = parse(code, { filename: 'Block.vue' })
  if (errors.length > 0) throw errors[0]
  if (descriptor.scriptSetup) return compileScript(descriptor, { id: 'block', inlineTemplate: true }).content
  const template = JSON.stringify(descriptor.template?.content ?? '')
  // Vue compiles a template that is text by itself.
  return (descriptor.script?.content ?? '').replace(/^export default \{$/m, `export default { template: ${template},`)
}
