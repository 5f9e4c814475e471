// The code in a document: its fenced blocks, whether they compile with the real packages, and what a table leaves out.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

// Not by a URL: in a simulated page, `URL` is the page's, and the files of a page are not of the scheme `file`.
const ROOT = join(import.meta.dirname, '../../')

/** Whose `paths` say what `heartwire` is. Blocks are compiled as if they were files beside it. */
const CONFIG = 'test/types/tsconfig.json'

/** One fenced block. */
export interface Block {
  /** The document, from the root of the project. */
  readonly path: string
  /** The first word of the opening fence: `ts`. */
  readonly language: string
  /** The rest of it, by which tests find the block. GitHub does not show it. */
  readonly title: string
  readonly code: string
  /** The number of the first line of `code` in the document. */
  readonly line: number
}

/** Every fenced block of a document, in order. */
export function blocksOf(path: string): Block[] {
  const text = readFileSync(ROOT + path, 'utf8')
  return [...text.matchAll(/^```(\w+) ?(.*)\n([^]*?)^```$/gm)].map((found) => {
    const [, language = '', title = '', code = ''] = found
    return { path, language, title, code, line: text.slice(0, found.index).split('\n').length + 1 }
  })
}

/** The block with that title. @throws Error if there is not exactly one */
export function blockOf(path: string, title: string): Block {
  const [block, ...others] = blocksOf(path).filter((each) => each.title === title)
  if (!block || others.length > 0) throw new Error(`There should be one block '${title}' in ${path}`)
  return block
}

/** What a block is to the compiler: its text, with every line where it is in the block, and the kind of file. */
interface Source {
  readonly text: string
  readonly extension: 'ts' | 'tsx' | 'js'
}

/** `null` for what is not for the compiler: shell commands, markup. */
function toSource({ language, code, path, line }: Block): Source | null {
  if (language === 'ts' || language === 'tsx' || language === 'js') {
    // A module, so that blocks do not see each other.
    return { text: `${code}\nexport {}\n`, extension: language }
  }
  if (language !== 'vue') return null
  const [whole, attributes = '', script = ''] = /<script\b([^>]*)>([^]*?)<\/script>/.exec(code) ?? []
  if (whole === undefined) throw new Error(`There should be a script in the component at ${path}:${line}`)
  const above = '\n'.repeat(code.slice(0, code.indexOf(whole)).split('\n').length - 1)
  // As Vue's own tools do: in `export default {…}` alone, `this` would not be the component.
  const text = /^export default \{$/m.test(script)
    ? `${script.replace(/^export default \{$/m, 'export default component({').replace(/^\}$/m, '})')}
import { defineComponent as component } from 'vue'`
    : script
  return { text: `${above}${text}\nexport {}\n`, extension: attributes.includes('lang="ts"') ? 'ts' : 'js' }
}

/** Declarations of what blocks take for granted: `url`, `show(text)`. */
export interface Prelude {
  /** As in a `.d.ts` file without imports. */
  readonly declarations: string
}

/**
 * Every complaint of the compiler, strict, about every block, as `docs/x.md:12 message`. JavaScript has no types to say that
 * a `null` will be something else, or what a parameter is; the rest is asked of it, too.
 */
export function typeErrors(blocks: readonly Block[], { declarations }: Prelude): string[] {
  const files = new Map<string, { readonly block: Block | null; readonly text: string }>()
  for (const [index, block] of blocks.entries()) {
    const source = toSource(block)
    if (source) files.set(`${ROOT}test/types/block-${index}.${source.extension}`, { block, text: source.text })
  }
  return ['ts', 'js'].flatMap((kind) => {
    const own = new Map([...files].filter(([name]) => name.endsWith('.js') === (kind === 'js')))
    if (own.size === 0) return []
    own.set(`${ROOT}test/types/prelude.d.ts`, { block: null, text: declarations })
    const program = compile(
      own,
      kind === 'ts' ? {} : { noImplicitAny: false, strictNullChecks: false, exactOptionalPropertyTypes: false },
    )
    return ts
      .getPreEmitDiagnostics(program)
      .map((diagnostic) => describe(diagnostic, (name) => own.get(name)?.block ?? null))
  })
}

function compile(files: ReadonlyMap<string, { readonly text: string }>, options: ts.CompilerOptions = {}): ts.Program {
  const { config } = ts.readConfigFile(ROOT + CONFIG, (name) => ts.sys.readFile(name)) as { config: unknown }
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, `${ROOT}test/types`)
  const all: ts.CompilerOptions = {
    ...parsed.options,
    ...options,
    allowJs: true,
    checkJs: true,
    jsx: ts.JsxEmit.ReactJSX,
    noEmit: true,
  }
  const disk = ts.createCompilerHost(all)
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (name) => files.has(name) || disk.fileExists(name),
    readFile: (name) => files.get(name)?.text ?? disk.readFile(name),
    getSourceFile: (name, version, ...rest) => {
      const file = files.get(name)
      if (file) return ts.createSourceFile(name, file.text, version)
      // What is not a block is the same for every program, and most of the time goes into reading it.
      const source = parsedFiles.get(name) ?? disk.getSourceFile(name, version, ...rest)
      if (source) parsedFiles.set(name, source)
      return source
    },
  }
  return ts.createProgram([...files.keys()], all, host)
}

const parsedFiles = new Map<string, ts.SourceFile>()

function describe(diagnostic: ts.Diagnostic, blockIn: (name: string) => Block | null): string {
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')
  const { file, start = 0 } = diagnostic
  const line = file ? file.getLineAndCharacterOfPosition(start).line : 0
  const block = file ? blockIn(file.fileName) : null
  return block ? `${block.path}:${block.line + line} ${message}` : `${file?.fileName ?? ''}:${line + 1} ${message}`
}

/** The names of the public properties of types, each given as `import('x').Options`, by the name given to it. */
export function propertiesOf(types: Readonly<Record<string, string>>): Record<string, string[]> {
  const path = `${ROOT}test/types/types-asked.ts`
  const lines = Object.values(types).map((type, index) => `export declare const type${index}: ${type}`)
  const program = compile(new Map([[path, { text: lines.join('\n') }]]))
  const errors = ts.getPreEmitDiagnostics(program).map((diagnostic) => describe(diagnostic, () => null))
  if (errors.length > 0) throw new Error(errors.join('\n'))
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(path)
  const declarations = source?.statements.filter(ts.isVariableStatement) ?? []
  return Object.fromEntries(
    Object.keys(types).map((name, index) => {
      const declaration = declarations[index]?.declarationList.declarations[0]
      if (!declaration) throw new Error(`There should be a type ${name}`)
      const properties = checker.getTypeAtLocation(declaration).getNonNullableType().getProperties()
      const isPublic = (property: ts.Symbol): boolean =>
        !property.declarations?.some(
          (each) => ts.getCombinedModifierFlags(each) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected),
        )
      return [name, properties.filter(isPublic).map((property) => property.name)]
    }),
  )
}
