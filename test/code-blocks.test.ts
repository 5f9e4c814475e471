// The code in documents compiles, with the packages that it names.
import { expect, test, vi } from 'vitest'
import { blocksOf, typeErrors } from './support/code-blocks.ts'

// The compiler reads the declarations of the frameworks and of the DOM.
vi.setConfig({ testTimeout: 120_000 })

/** What the blocks of the READMEs take for granted: who has read that far knows where `Heartwire` is from. */
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
