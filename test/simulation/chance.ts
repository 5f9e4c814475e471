// Seeded chance. The same seed draws the same numbers on every machine: what a failure prints is enough to see it again.

/** A stream of draws. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to, but not, 1: what stands in for `Math.random` (splitmix32, which accepts any seed, 0 included). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let bits = this.#state ^ (this.#state >>> 16)
    bits = Math.imul(bits, 0x21f0aaad)
    bits ^= bits >>> 15
    bits = Math.imul(bits, 0x735a2d97)
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32
  }

  /** A seed for a stream of its own, so that leaving one action out changes nothing for the others. */
  seed(): number {
    return Math.floor(this.next() * 2 ** 32)
  }

  is(probability: number): boolean {
    return this.next() < probability
  }

  number(least: number, most: number): number {
    return least + (most - least) * this.next()
  }

  integer(least: number, most: number): number {
    return Math.floor(this.number(least, most + 1))
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.next() * values.length)] as Value
  }

  /** One of the names, each as likely as its weight says. */
  weighted<Name extends string>(weights: Readonly<Partial<Record<Name, number>>>): Name {
    const entries = Object.entries(weights) as [Name, number][]
    let rest = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      rest -= weight
      if (rest < 0) return name
    }
    return (entries.at(-1) as [Name, number])[0]
  }
}
