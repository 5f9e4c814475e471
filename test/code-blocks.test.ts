// The code in documents compiles, with the packages that it names; and the tables of the migration guide leave nothing out.
import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { blockOf, blocksOf, propertiesOf, typeErrors } from './support/code-blocks.ts'

// The compiler reads the declarations of eight packages and of the DOM.
vi.setConfig({ testTimeout: 120_000 })

const GUIDE = 'docs/migration.md'

/** What the blocks of the guide take for granted. */
const PRELUDE = {
  declarations: `
    declare const url: string
    declare const host: string
    declare const session: string
    declare const logout: HTMLButtonElement
    declare function show(text: string): void
    declare function fetchToken(): Promise<string>
  `,
}

const text = readFileSync(new URL(`../${GUIDE}`, import.meta.url), 'utf8')

/** What those of the READMEs do: a reader who has come that far knows where `Heartwire` is from. */
const README_PRELUDE = {
  declarations: `
    declare const Heartwire: typeof import('heartwire').Heartwire
    declare const json: typeof import('heartwire').json
    declare const useHeartwire: typeof import('heartwire/react').useHeartwire
    declare const useState: typeof import('react').useState
    declare const createClient: typeof import('graphql-ws').createClient
    declare const socket: import('heartwire').Heartwire
    declare const url: string
    declare const logout: HTMLButtonElement
    declare const chunks: string[]
    type ServerMessage = { kind: string }
    type ClientMessage = { kind: string }
    declare function render(data: unknown): void
    declare function banner(text: string): void
    declare function refresh(): void
    declare function handle(message: unknown): string
    declare function fetchToken(signal?: AbortSignal): Promise<string>
  `,
}

test('the code of the READMEs compiles, strict', () => {
  const blocks = ['README.md', 'README.zh-CN.md'].flatMap((path) => blocksOf(path))
  expect(blocks.length).toBeGreaterThan(30)
  expect(typeErrors(blocks, README_PRELUDE)).toEqual([])
})

describe('the code of the guide', () => {
  test('each source has its before and its after', () => {
    const titles = blocksOf(GUIDE).map(({ title }) => title)
    const sources = [...text.matchAll(/^## (?!The same)(.*)$/gm)]
    expect(sources).toHaveLength(8)
    expect(titles.filter((title) => title.endsWith('before'))).toHaveLength(8)
    expect(titles.filter((title) => / (?<!rooms )after$/.test(title))).toHaveLength(8)
    expect(new Set(titles).size).toBe(titles.length)
  })

  test('compiles, strict, with the packages that it names', () => {
    expect(typeErrors(blocksOf(GUIDE), PRELUDE)).toEqual([])
  })

  test.each(['websocket-ts after', 'heartCheck component after', 'heartCheck after'])(
    'a mistake in %s would be found where it is',
    (title) => {
      const block = blockOf(GUIDE, title)
      const code = block.code.replace(/maxAttempts|timeout/, 'typo')
      const [error = '', ...others] = typeErrors([{ ...block, code }], PRELUDE)
      const [, path, line] = /^(.*):(\d+) .*'typo'/.exec(error) ?? []
      expect(path).toBe(GUIDE)
      // Where the compiler points to: the option, or the call that has it.
      expect(
        text
          .split('\n')
          .slice(Number(line) - 1)
          .join('\n'),
      ).toMatch(/^.*(maxAttempts|heartbeat|Heartwire\()/)
      expect(others).toEqual([])
    },
  )
})

describe('the tables of the guide', () => {
  /** What to find in the first column of the table of each chapter. */
  const THEIRS: Record<string, Record<string, string>> = {
    'reconnecting-websocket': {
      options: `import('reconnecting-websocket').Options`,
      socket: `import('reconnecting-websocket').default`,
    },
    partysocket: {
      options: `import('partysocket/ws').Options`,
      socket: `import('partysocket').WebSocket`,
      partyOptions: `import('partysocket').PartySocketOptions`,
      party: `import('partysocket').PartySocket`,
      hook: `Parameters<typeof import('partysocket/react').useWebSocket>[2]`,
    },
    'VueUse `useWebSocket`': {
      options: `import('@vueuse/core').UseWebSocketOptions`,
      heartbeat: `Exclude<import('@vueuse/core').UseWebSocketOptions['heartbeat'], boolean | undefined>`,
      autoReconnect: `Exclude<import('@vueuse/core').UseWebSocketOptions['autoReconnect'], boolean | undefined>`,
      returned: `import('@vueuse/core').UseWebSocketReturn<string>`,
    },
    'react-use-websocket': {
      options: `import('react-use-websocket').Options`,
      heartbeat: `Exclude<import('react-use-websocket').Options['heartbeat'], boolean | undefined>`,
      returned: `ReturnType<typeof import('react-use-websocket').default>`,
      module: `Omit<typeof import('react-use-websocket'), 'default'>`,
    },
    Sockette: {
      options: `import('sockette').SocketteOptions`,
      socket: `import('sockette').default`,
    },
    'websocket-ts': {
      options: `import('websocket-ts').WebsocketOptions`,
      retry: `import('websocket-ts').WebsocketConnectionRetryOptions`,
      builder: `import('websocket-ts').WebsocketBuilder`,
      socket: `import('websocket-ts').Websocket`,
      events: `typeof import('websocket-ts').WebsocketEvent`,
      backoffs: `Pick<typeof import('websocket-ts'), 'ConstantBackoff' | 'ExponentialBackoff' | 'LinearBackoff'>`,
      queues: `Pick<typeof import('websocket-ts'), 'ArrayQueue' | 'RingQueue'>`,
    },
  }

  /** What needs no word: constants, and what is private but for its name, or the same by definition. */
  const IGNORED = /^_|^(CONNECTING|OPEN|CLOSING|CLOSED|open|message|close|error)$/

  /** The words in backticks in the first column of the table of a chapter. */
  const firstColumn = (chapter: string): string => {
    const body = text.split(`\n## ${chapter}\n`)[1]?.split('\n## ')[0] ?? ''
    const rows = [...body.matchAll(/^\| (.*?) \| .* \|$/gm)].map(([, cell = '']) => cell)
    return rows.join(' ')
  }

  const names = Object.entries(THEIRS).map(([chapter]) => chapter)

  test.each(names)('that of %s has every option, method and property', (chapter) => {
    const found = propertiesOf(THEIRS[chapter] ?? {})
    const listed = new Set(firstColumn(chapter).match(/[\w]+/g))
    // Methods of an EventTarget are mapped once, in reconnecting-websocket's.
    const inherited = /^(addEventListener|removeEventListener|dispatchEvent|when)$/
    const missing = Object.entries(found).flatMap(([type, properties]) =>
      properties
        .filter((name) => !IGNORED.test(name) && !(chapter === 'partysocket' && inherited.test(name)))
        .filter((name) => !listed.has(name))
        .map((name) => `${type}: ${name}`),
    )
    expect(Object.values(found).flat().length).toBeGreaterThan(5)
    expect(missing).toEqual([])
  })
})
