// What will happen outside of the page, and when: packets on their way, servers that answer later.

interface Plan {
  readonly time: number
  readonly run: () => void
}

/** Plans in the order of their time, and of their making where that is the same. */
export class Agenda {
  #plans: Plan[] = []

  /** When the next plan is due; `Infinity` if there is none. */
  get next(): number {
    return this.#plans[0]?.time ?? Infinity
  }

  add(time: number, run: () => void): void {
    let index = this.#plans.length
    while (index > 0 && (this.#plans[index - 1] as Plan).time > time) index--
    this.#plans.splice(index, 0, { time, run })
  }

  /** Takes the next plan away and carries it out. */
  runNext(): void {
    this.#plans.shift()?.run()
  }
}
