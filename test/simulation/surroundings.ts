// What every part of the simulated world is given: time, chance, the page and the log.
import { Agenda } from './agenda.ts'
import { Chance } from './chance.ts'
import { Clock } from './clock.ts'
import { Page } from './page.ts'

export class Surroundings {
  readonly clock = new Clock()
  readonly agenda = new Agenda()
  readonly page = new Page(this.clock)
  /** What the present action draws from; `Math.random`, too. */
  chance = new Chance(0)
  /** What happened, for whoever looks at a failure; `null` unless somebody does. */
  trail: string[] | null = null

  /** Something happens outside of the page, `ms` from now. */
  after(ms: number, run: () => void): void {
    this.agenda.add(this.clock.time + ms, run)
  }

  log(describe: () => string): void {
    this.trail?.push(`${(this.clock.time / 1_000).toFixed(3).padStart(10)} s  ${describe()}`)
  }
}
