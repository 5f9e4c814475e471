// README.zh-CN.md says what README.md says: as many headings, paragraphs, items and rows, the same code, names and addresses.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** Code without what is written for people: comments, and where they stood. */
const bare = (code: string): string =>
  code
    .replaceAll(/(^|\s)\/\/ .*$/gm, '')
    .replaceAll(/[ \t]+$/gm, '')
    .trim()

/** What a paragraph is, apart from its words. */
const kindOf = (block: string): string => {
  if (block.startsWith('```')) return 'code'
  if (block.startsWith('|')) return `table of ${block.split('\n').length} rows`
  if (block.startsWith('- ')) return `list of ${block.split('\n').filter((line) => line.startsWith('- ')).length}`
  return 'paragraph'
}

interface Section {
  readonly level: number
  /** In their order. */
  readonly kinds: readonly string[]
  readonly code: readonly string[]
  /** Addresses, names and values, sorted: a language has an order of its own. */
  readonly links: readonly string[]
  readonly names: readonly string[]
  readonly numbers: readonly string[]
  /** Names of options and events with their default, row by row. */
  readonly rows: readonly (readonly (string | null)[])[]
}

const fenced = /^```[^]*?^```$/gm

const sectionsOf = (path: string): Section[] => {
  // A fence may hold empty lines, and lines that look like headings.
  const code: string[] = []
  const text = read(path).replaceAll(fenced, (block) => `\`\`\`${code.push(block) - 1}`)
  return text.split(/^(?=#+ )/m).map((section) => {
    const [, marks = '', body = ''] = /^(#*)[^\n]*\n([^]*)$/.exec(section) ?? []
    const blocks = body.split(/\n{2,}/).filter((block) => block.trim() !== '')
    const prose = section.replaceAll(/^```\d+$/gm, '')
    const sorted = (pattern: RegExp): string[] => [...prose.matchAll(pattern)].map(([, found = '']) => found).sort()
    return {
      level: marks.length,
      kinds: blocks.map((block) => kindOf(block.trim())),
      code: blocks.flatMap((block) =>
        [...block.matchAll(/^```(\d+)$/gm)].map(([, index]) => bare(code[Number(index)] ?? '')),
      ),
      // Each document links to the other.
      links: sorted(/\]\(([^)]+)\)/g).filter((address) => !address.startsWith('README')),
      names: sorted(/`([^`]+)`/g),
      numbers: sorted(/(?<![\w`.])(\d+(?:\.\d+)?)(?= ?kB| ?MB|%)/g),
      rows: [...prose.matchAll(/^\| `([^`]+)` \| (?:`([^`]+)`)?/gm)].map(([, name = '', value]) => [
        name,
        value ?? null,
      ]),
    }
  })
}

describe('README.zh-CN.md', () => {
  const english = sectionsOf('README.md')
  const chinese = sectionsOf('README.zh-CN.md')

  test('has the sections of README.md', () => {
    expect(english.length).toBeGreaterThan(8)
    expect(chinese.map(({ level }) => level)).toEqual(english.map(({ level }) => level))
  })

  const parts = ['kinds', 'code', 'links', 'names', 'numbers', 'rows'] as const

  test.each(parts)('has the same %s in each', (part) => {
    expect(english.flatMap((section): readonly unknown[] => section[part]).length).toBeGreaterThan(0)
    for (const [index, section] of english.entries()) expect(chinese[index]?.[part]).toEqual(section[part])
  })

  test('is in Chinese', () => {
    const words = (path: string): number =>
      read(path)
        .replaceAll(fenced, '')
        .match(/\p{Script=Han}/gu)?.length ?? 0
    expect(words('README.zh-CN.md')).toBeGreaterThan(1_500)
    // But for the name of the other one.
    expect(words('README.md')).toBe(2)
  })

  test('links to README.md, and that to it', () => {
    expect(read('README.zh-CN.md')).toContain('[English](README.md)')
    expect(read('README.md')).toContain('[中文](README.zh-CN.md)')
  })
})
