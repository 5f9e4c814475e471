// What no file of src/ may do: import backwards, or touch time, chance, sockets or the page where it is not its business.
import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, test, vi } from 'vitest'

const folder = new URL('../src/', import.meta.url)

/** Each file may import those before it and no other, types included: so there are no cycles. */
const ORDER = [
  'errors.ts',
  'types.ts',
  'machine.ts',
  'backoff.ts',
  'heartbeat.ts',
  'outbox.ts',
  'codec.ts',
  'options.ts',
  'events.ts',
  'listeners.ts',
  'alarm.ts',
  'timer.ts',
  'attempt.ts',
  'application.ts',
  'heart.ts',
  'policy.ts',
  'drain.ts',
  'announcer.ts',
  'network.ts',
  'audience.ts',
  'shell.ts',
  'conveniences.ts',
  'attributes.ts',
  'arguments.ts',
  'heartwire.ts',
  'view.ts',
  'react.ts',
  'reconnecting-websocket.ts',
  'vue.ts',
  'index.ts',
  'umd.ts',
  'reconnecting-websocket-umd.ts',
]

/** What is not everybody's business, and whose it is. */
const RESERVED: Record<string, readonly string[]> = {
  setTimeout: ['timer.ts', 'network.ts', 'view.ts'],
  clearTimeout: ['timer.ts', 'network.ts', 'view.ts'],
  setInterval: [],
  clearInterval: [],
  setImmediate: [],
  requestAnimationFrame: [],
  requestIdleCallback: [],
  'performance.now': ['heart.ts', 'timer.ts', 'shell.ts'],
  'Date.now': ['timer.ts', 'shell.ts', 'view.ts'],
  Date: ['timer.ts', 'shell.ts', 'view.ts'],
  'Math.random': ['backoff.ts', 'shell.ts'],
  crypto: [],
  WebSocket: [],
  Worker: ['alarm.ts'],
  'globalThis.WebSocket': ['reconnecting-websocket.ts', 'shell.ts'],
  location: [],
  'globalThis.location': ['arguments.ts', 'network.ts'],
  fetch: ['network.ts'],
  globalThis: ['arguments.ts', 'network.ts', 'reconnecting-websocket.ts', 'shell.ts', 'timer.ts'],
  window: [],
  self: [],
  document: ['network.ts'],
  navigator: ['network.ts'],
  addEventListener: ['network.ts'],
  removeEventListener: [],
  process: [],
  Buffer: [],
  console: ['reconnecting-websocket.ts'],
}

const FILES = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .sort()

const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8')

const visit = (node: ts.Node, see: (node: ts.Node) => void): void => {
  see(node)
  ts.forEachChild(node, (child) => visit(child, see))
}

const parse = (file: string): ts.SourceFile => ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)

/** What a file imports or exports from elsewhere, in whatever way. */
const importsOf = (file: string): string[] => {
  const found: string[] = []
  visit(parse(file), (node) => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      found.push((node.moduleSpecifier as ts.StringLiteral).text)
    } else if (ts.isImportTypeNode(node)) found.push(node.argument.getText().slice(1, -1))
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      found.push((node.arguments[0] as ts.StringLiteral).text)
    }
  })
  return found
}

/** Whether a name stands for a value here: it is no type, no label of a property, and not what is declared. */
const isValue = (name: ts.Identifier): boolean => {
  const { parent } = name
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === name
  if (ts.isQualifiedName(parent) || ts.isTypeReferenceNode(parent)) return false
  return !('name' in parent && parent.name === name) && !('propertyName' in parent && parent.propertyName === name)
}

/** Whether a function around a name has a parameter or variable of that name, so that no global is meant. */
const isLocal = (name: ts.Identifier): boolean => {
  let isDeclared = false
  for (let scope: ts.Node = name; !ts.isSourceFile(scope); scope = scope.parent) {
    if (!ts.isFunctionLike(scope)) continue
    visit(scope, (node) => {
      const isDeclaration = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node)
      if (isDeclaration && node.name.getText() === name.text) isDeclared = true
    })
  }
  return isDeclared
}

/** `(x as Y).z` is `x.z` to us. */
const bare = (node: ts.Expression): ts.Expression =>
  ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node)
    ? bare(node.expression)
    : node

/** What a file uses of what is reserved, and where. */
const usesOf = (file: string): Map<string, ts.Node[]> => {
  const found = new Map<string, ts.Node[]>()
  const see = (name: string, node: ts.Node): void => {
    if (Object.hasOwn(RESERVED, name)) found.set(name, [...(found.get(name) ?? []), node])
  }
  visit(parse(file), (node) => {
    if (ts.isIdentifier(node) && isValue(node) && !isLocal(node)) see(node.text, node)
    else if (ts.isPropertyAccessExpression(node)) see(`${bare(node.expression).getText()}.${node.name.text}`, node)
  })
  return found
}

const USES = new Map(FILES.map((file) => [file, usesOf(file)]))

describe('files', () => {
  test('every file has its place in the order of imports', () => {
    expect(FILES).toEqual([...ORDER].sort())
  })

  test.each(FILES)('%s begins with one or two lines that say what it is for', (file) => {
    const lines = read(file).split('\n')
    expect(lines[0]).toMatch(/^\/\/ [A-Z].{20,}/)
    expect(lines[2]).not.toMatch(/^\/\//)
  })
})

describe('imports', () => {
  test.each(FILES)('%s imports only files before it, types included', (file) => {
    const own = importsOf(file).filter((name) => name.startsWith('.'))
    for (const name of own) {
      expect(name).toMatch(/^\.\/[a-z-]+\.js$/)
      expect(ORDER.slice(0, ORDER.indexOf(file))).toContain(name.slice(2).replace('.js', '.ts'))
    }
  })

  test('[V8] mitt is the only dependency, and only the bus knows it; a framework is its binding’s business', () => {
    const foreign = FILES.flatMap((file) => importsOf(file).map((name) => [file, name])).filter(
      ([, name]) => !name?.startsWith('.'),
    )
    expect(foreign).toEqual([
      ['events.ts', 'mitt'],
      ['react.ts', 'react'],
      ['vue.ts', 'vue'],
    ])
  })

  test('index.ts does nothing but export', () => {
    for (const statement of parse('index.ts').statements) expect(ts.isExportDeclaration(statement)).toBe(true)
  })
})

describe('what is not everybody’s business', () => {
  test.each(Object.entries(RESERVED))('%s is used in %j and nowhere else', (name, allowed) => {
    const users = FILES.filter((file) => USES.get(file)?.has(name))
    // Also the other way round: what nobody needs, or this test does not see, is not allowed for nothing.
    expect(users).toEqual([...allowed].sort())
  })

  test('the backoff takes its chance as an argument, and knows Math.random as its default only', () => {
    const uses = USES.get('backoff.ts')?.get('Math.random') ?? []
    expect(uses).toHaveLength(1)
    for (const { parent } of uses) expect(ts.isParameter(parent)).toBe(true)
  })
})

describe('importing', () => {
  /** Globals that begin something when they are called, and who called them: ours are noted. */
  const watchGlobals = (): string[] => {
    const calls: string[] = []
    const page = [
      'addEventListener',
      'removeEventListener',
      'fetch',
      'WebSocket',
      'reportError',
      'navigator',
      'document',
    ]
    for (const name of [...page, 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) {
      const original: unknown = Reflect.get(globalThis, name)
      const watched = function (this: unknown, ...given: unknown[]): unknown {
        const caller = new Error('for its stack').stack?.split('\n')[2]
        if (caller?.includes('/src/')) calls.push(`${name} ${caller.trim()}`)
        return typeof original === 'function' ? Reflect.apply(original, this, given) : undefined
      }
      vi.stubGlobal(name, Object.assign(watched, { addEventListener: watched, onLine: true }))
    }
    return calls
  }

  test('[N5] does no work: no listener, no timer, no socket, even on a page', async () => {
    vi.resetModules()
    // What a framework does when it is imported is not ours: it has been, before we watch.
    await import('react')
    await import('vue')
    const calls = watchGlobals()
    for (const file of FILES) await import(new URL(file, folder).href)
    expect(calls).toEqual([])
  })

  test('index.ts and network.ts export what they should, where there is no page and no WebSocket', async () => {
    vi.resetModules()
    vi.stubGlobal('WebSocket', undefined)
    const { default: Default, ...names } = await import('../src/index.ts')
    expect(Object.keys(names).sort()).toEqual(['Heartwire', 'HeartwireError', 'backoff', 'isRetriable', 'json'])
    expect(Default).toBe(names.Heartwire)
    expect(Object.keys(await import('../src/network.ts')).sort()).toEqual(['NetworkMonitor', 'pageNetwork'])
    expect(Object.keys(await import('../src/vue.ts'))).toEqual(['useHeartwire'])
    expect(Object.keys(await import('../src/react.ts')).sort()).toEqual([
      'useHeartwire',
      'useHeartwireEvent',
      'useHeartwireMessage',
    ])
    const { default: Rws, ...more } = await import('../src/reconnecting-websocket.ts')
    expect(more).toEqual({ ReconnectingWebSocket: Rws })
  })
})
