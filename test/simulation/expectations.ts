// The promises that a socket gave: each has to settle, in a way that it may, and none later than the end.
import { HeartwireError } from '../../src/index.ts'
import type { Judge } from './invariants.ts'
import { Mischief } from './mischief.ts'

type Way = 'resolved' | 'rejected'

export class Expectations {
  readonly #judge: Judge
  readonly #pending = new Set<string>()
  #count = 0

  constructor(judge: Judge) {
    this.#judge = judge
  }

  add(kind: string, promise: PromiseLike<unknown>, ways: readonly Way[] = ['resolved', 'rejected']): void {
    const name = `${kind} ${++this.#count}`
    this.#pending.add(name)
    const settle = (way: Way, isFine: boolean, detail: string): void => {
      this.#pending.delete(name)
      this.#judge.claim('promises', isFine && ways.includes(way), () => `${name} ${way}${detail}`)
    }
    promise.then(
      () => settle('resolved', true, ''),
      (error: unknown) => {
        const isFine = error instanceof HeartwireError || error instanceof Mischief
        settle('rejected', isFine, ` with ${String(error)}`)
      },
    )
  }

  /** How many of a kind have not settled. */
  count(kind: string): number {
    return [...this.#pending].filter((name) => name.startsWith(kind)).length
  }

  /** Everything is closed: nobody may still wait for anything. */
  check(): void {
    const left = [...this.#pending].join(', ')
    this.#judge.claim('promises', left === '', () => `${left} never settled`)
  }
}
