// Documentation that can drift will: defaults, rules, diagrams and lists are compared with the code.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { READY_STATE } from '../src/machine.ts'
import { DEFAULTS, readOptions } from '../src/options.ts'

const root = new URL('../', import.meta.url)

const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** Every file below a folder that could cite a rule. */
const sources = (path: string): string[] =>
  readdirSync(new URL(path, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[mc]?[jt]s$/.test(name))
    .map((name) => `${path}${name}`)

/** What each member of an interface is documented with, by the member's name. */
const documented = (file: string, name: string): Record<string, string> => {
  const body = new RegExp(`export interface ${name}\\b[^{]*\\{\n([^]*?)\n\\}`).exec(read(file))?.[1] ?? ''
  const members = body.matchAll(/ {2}\/\*\*((?:(?!\*\/)[^])*)\*\/\n {2}(?:readonly )?(\w+)\??:/g)
  return Object.fromEntries([...members].map(([, comment, member]) => [member, comment]))
}

/** The text after `@default`, by the member's name. */
const defaultsIn = (file: string, name: string): Record<string, string> => {
  const tags = Object.entries(documented(file, name)).flatMap(([member, comment]) => {
    const text = /@default (.+?)\s*$/m.exec(comment)?.[1]
    return text === undefined ? [] : [[member, text] as const]
  })
  return Object.fromEntries(tags)
}

/** A default as it is written in documentation. */
const written = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value))

const writtenAll = (defaults: object): Record<string, string> =>
  Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, written(value)]))

/** Where the options are documented, by the path at which they are given. */
const PLACES = [
  ['', 'options.ts', 'HeartwireOptions'],
  ['heartbeat.', 'options.ts', 'HeartbeatOptions'],
  ['reconnect.', 'options.ts', 'ReconnectOptions'],
  ['reconnect.', 'backoff.ts', 'BackoffOptions'],
  ['queue.', 'options.ts', 'QueueOptions'],
] as const

/** Every option by its path, with its default as it is documented, or `null` for none. */
const OPTIONS: Record<string, string | null> = Object.fromEntries(
  PLACES.flatMap(([path, file, name]) => {
    const defaults = defaultsIn(`src/${file}`, name)
    return Object.keys(documented(`src/${file}`, name)).map((member) => [path + member, defaults[member] ?? null])
  }),
)

/** The options that there are at a path, as the refusal of another one names them. */
const namesAt = (path: string): string[] => {
  const unknown = { '?': 0 }
  try {
    readOptions(path === '' ? unknown : { [path.slice(0, -1)]: unknown })
  } catch (error) {
    return (/one of (.*):/.exec(String(error))?.[1] ?? '').split(', ')
  }
  throw new Error('An unknown option should be refused')
}

describe('options', () => {
  test('[O1] every option is documented', () => {
    const names = ['', 'heartbeat.', 'reconnect.', 'queue.'].flatMap((path) => namesAt(path).map((name) => path + name))
    expect(Object.keys(OPTIONS).sort()).toEqual(names.sort())
  })

  test('[O2] each @default is what the code has', () => {
    const { heartbeat, reconnect, queue, ...rest } = DEFAULTS
    const { heartbeat: beat, reconnect: retry, queue: keep } = readOptions()
    expect({ beat, retry, keep }).toEqual({ beat: null, retry: reconnect, keep: queue })
    const expected = { ...rest, heartbeat: false, reconnect: true, queue: true }
    const groups = Object.entries({ '': expected, 'heartbeat.': heartbeat, 'reconnect.': reconnect, 'queue.': queue })
    const all = groups.flatMap(([path, group]) =>
      Object.entries(writtenAll(group)).map(([name, value]) => [path + name, value]),
    )
    const tags = Object.entries(OPTIONS).filter(([, text]) => text !== null)
    expect(Object.fromEntries(tags)).toEqual(Object.fromEntries(all))
  })

  test('[O2] each @default of a NetworkMonitor is what the code has', () => {
    const { source, ...tags } = defaultsIn('src/network.ts', 'NetworkMonitorOptions')
    const body = /const MONITOR_DEFAULTS = \{([^}]*)\}/.exec(read('src/network.ts'))?.[1] ?? ''
    const defaults = [...body.matchAll(/(\w+): ([\w.]+)/g)].map(([, name, value]) => [name, value?.replaceAll('_', '')])
    expect(tags).toEqual(Object.fromEntries(defaults))
    expect(Object.keys(tags)).toHaveLength(3)
    expect(source).toBe('the page')
  })

  test('[O2] README lists every option, with its default as code', () => {
    const section = /## Options\n([^]*?)\n## /.exec(read('README.md'))?.[1] ?? ''
    const rows = [...section.matchAll(/^\| `([\w.]+)` \| ([^|]*) \|/gm)]
    const listed = rows.map(([, name, cell = '']) => [name, /^`(.*)`$/.exec(cell)?.[1] ?? null])
    expect(Object.fromEntries(listed)).toEqual(OPTIONS)
  })
})

describe('rules', () => {
  const cited = (paths: readonly string[]): Map<string, string[]> => {
    const found = new Map<string, string[]>()
    for (const path of paths) {
      for (const [, id = ''] of read(path).matchAll(/\[([A-Z]\d+)\]/g)) found.set(id, [...(found.get(id) ?? []), path])
    }
    return found
  }

  const defined = (): string[] =>
    [...read('docs/SPEC.md').matchAll(/^- \*\*\[([A-Z]\d+)\]\*\*/gm)].map(([, id = '']) => id)

  test('each rule has one id, in order within its chapter', () => {
    const ids = defined()
    expect(ids.length).toBeGreaterThan(40)
    expect(new Set(ids).size).toBe(ids.length)
    for (const letter of new Set(ids.map(([first]) => first))) {
      const own = ids.filter(([first]) => first === letter)
      expect(own).toEqual(own.map((_id, index) => `${letter}${index + 1}`))
    }
  })

  test('each rule is cited by a test', () => {
    const tested = cited(sources('test/'))
    expect(defined().filter((id) => !tested.has(id))).toEqual([])
  })

  test('each rule that is cited in the code, the tests or the documents exists', () => {
    const ids = defined()
    const paths = [...sources('src/'), ...sources('test/'), ...sources('scripts/'), 'README.md', 'docs/SPEC.md']
    expect([...cited(paths)].filter(([id]) => !ids.includes(id))).toEqual([])
  })
})

describe('what is generated', () => {
  /** The generator is plain JavaScript, which finds the table by itself. */
  const generator = async (): Promise<Record<'diagram' | 'table', () => string>> =>
    (await import(new URL('scripts/diagram.mjs', root).href)) as Record<'diagram' | 'table', () => string>

  const between = (path: string, marker: string): string | undefined =>
    new RegExp(`<!-- ${marker} -->\n([^]*?)\n<!-- /${marker} -->`).exec(read(path))?.[1]

  test.each(['README.md', 'README.zh-CN.md', 'docs/SPEC.md'])(
    '[S1] the state diagram in %s is the one of the table',
    async (path) => {
      const { diagram } = await generator()
      expect(diagram()).toContain('stateDiagram')
      expect(between(path, 'diagram')).toBe(diagram())
    },
  )

  test('[S1] the table in the specification is the one of the code', async () => {
    const { table } = await generator()
    expect(between('docs/SPEC.md', 'table')).toBe(table())
  })
})

describe('recipes', () => {
  test.each(readdirSync(new URL('test/recipes/', root)))(
    '[P4] docs/libraries.md shows %s, which the tests run and the compiler checks',
    (name) => {
      const [, ...lines] = read(`test/recipes/${name}`).split('\n')
      const code = lines.join('\n').replace("'../../src/index.ts'", "'heartwire'")
      expect(code).toContain("from 'heartwire'")
      expect(read('docs/libraries.md')).toContain(`\`\`\`ts\n${code}\`\`\``)
    },
  )
})

describe('numbers', () => {
  test('the size in README and in the decision is the budget that is enforced', () => {
    const { 'size-limit': budgets } = JSON.parse(read('package.json')) as { 'size-limit': { limit: string }[] }
    const [core] = budgets
    expect(read('README.md')).toContain(`At most ${core?.limit}, minified and compressed (brotli)`)
    expect(read('docs/decisions/0004-size.md')).toContain(`the size budget is ${core?.limit},`)
  })
})

describe('lists', () => {
  /** The words in backticks of a line that begins like this. */
  const words = (path: string, start: string): string[] => {
    const line = read(path)
      .split('\n')
      .find((each) => each.startsWith(start))
    return [...(line ?? '').slice(start.length).matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)
  }

  /** The members of an interface, or the words of a union, in the order of the code. */
  const EVENTS = Object.keys(documented('src/types.ts', 'HeartwireEvents'))
  const CODES = [
    ...(/type HeartwireErrorCode =([^]*?)\n\n/.exec(read('src/errors.ts'))?.[1] ?? '').matchAll(/'([\w-]+)'/g),
  ].map(([, code]) => code)

  test('[E2] the specification and README name every bus event', () => {
    expect(words('docs/SPEC.md', '- **[E2]**')).toEqual([...EVENTS, "'*'"])
    expect(words('README.md', 'Events of `socket.on(type, listener)`')).toEqual([...EVENTS, "'*'"])
  })

  test('[E3] the specification names every error code', () => {
    const [, ...named] = words('docs/SPEC.md', '- **[E3]**')
    expect(named.slice(0, CODES.length)).toEqual(CODES)
  })

  test('[P2] the specification knows the readyState of each state', () => {
    const rows = [...read('docs/SPEC.md').matchAll(/^\| `(\w+)` \| (\d) \|/gm)]
    expect(Object.fromEntries(rows.map(([, state, number]) => [state, Number(number)]))).toEqual(READY_STATE)
  })
})
