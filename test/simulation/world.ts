// Everything at once: some clients on one page, a server, and the turns in which things happen, each of them checked.
import { Client, type Substitutes } from './client.ts'
import { NOBODY } from './clock.ts'
import { Judge } from './invariants.ts'
import { Mischief } from './mischief.ts'
import { Server } from './server.ts'
import type { Omissible } from './settings.ts'
import { Surroundings } from './surroundings.ts'

/** How many clients there are at most. */
export const SLOTS = 3

/** Turns of one action, at most: a client that beats every second for an hour would be most of a run. */
const MOST_TURNS = 300
/** Timers that fire without time passing, where one per client is enough. */
const MOST_AT_ONCE = 20

/** Lets every promise settle, and whatever Node does about those that nobody handles. Not patched: it is not of the page. */
const settle = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })

export class World {
  readonly surroundings = new Surroundings()
  readonly judge = new Judge()
  readonly server = new Server(this.surroundings)
  /** How many turns there were. */
  turns = 0
  readonly #substitutes: Substitutes
  readonly #slots: (Client | null)[] = Array.from({ length: SLOTS }, () => null)
  readonly #retired: Client[] = []
  #count = 0
  #atOnce = 0

  constructor(substitutes: Substitutes) {
    this.#substitutes = substitutes
    const { clock } = this.surroundings
    clock.inexactness = () => {
      const { chance } = this.surroundings
      return chance.is(0.05) ? chance.number(-0.9, 90) : chance.number(-0.5, 4)
    }
    this.server.accepted = (connection) => {
      const others = [...this.server.connections].filter(
        ({ client, socket }) => client === connection.client && socket.readyState < 2,
      )
      this.judge.claim(
        'oneConnection',
        others.length === 0,
        () => `socket ${connection.number} beside ${others[0]?.number}`,
      )
    }
  }

  /** Every client there was. */
  get clients(): Client[] {
    return [...this.#retired, ...this.present]
  }

  /** Those that have not been replaced. */
  get present(): Client[] {
    return this.#slots.filter((client) => client !== null)
  }

  client(slot: number): Client | null {
    return this.#slots[slot] ?? null
  }

  /** Puts a new client in a slot; the one that was there is closed, and must keep quiet from then on. */
  async create(slot: number, without: readonly Omissible[]): Promise<void> {
    const before = this.#slots[slot]
    if (before) {
      this.#retired.push(before)
      await this.turn(before.number, () => before.call('close'))
    }
    const number = this.#count++
    await this.turn(number, () => {
      this.#slots[slot] = new Client(this.surroundings, this.server, this.judge, this.#substitutes, number, without)
    })
  }

  /** One task of the page, the promises that it settles, and a look at everything. */
  async turn(owner: number, run: () => void): Promise<void> {
    const { clock } = this.surroundings
    this.turns++
    clock.owner = owner
    run()
    await settle()
    clock.owner = NOBODY
    for (const client of this.clients) client.check()
    this.judge.claim('noStorm', this.#atOnce < MOST_AT_ONCE, () => `${this.#atOnce} timers, and no time passes`)
  }

  /** Time passes, and what is due in it happens. Ends early at a violation, or when too much happens. */
  async advance(ms: number, mostTurns = MOST_TURNS): Promise<void> {
    const { clock, agenda, page, chance } = this.surroundings
    const end = clock.time + ms
    const lastTurn = this.turns + mostTurns
    while (!this.judge.first && this.turns < lastTurn) {
      const next = Math.min(agenda.next, page.next)
      if (next > end) {
        clock.time = end
        return
      }
      if (next > clock.time) this.#atOnce = 0
      clock.time = Math.max(clock.time, next)
      if (agenda.next <= clock.time) agenda.runNext()
      else {
        const task = page.take(chance)
        if (task?.isTimer) this.#atOnce++
        if (task) await this.turn(task.owner, task.run)
      }
    }
  }

  /** Takes the place of the platform for as long as `run` runs. */
  async inhabit(run: () => Promise<void>): Promise<void> {
    const { surroundings, judge } = this
    const restore = surroundings.clock.install(() => surroundings.chance.next())
    const types = ['uncaughtException', 'unhandledRejection'] as const
    const before = types.map((type) => process.listeners(type as 'uncaughtException'))
    const note = (type: string) => (error: unknown) => {
      const isFine = type === 'uncaughtException' && error instanceof Mischief
      judge.claim('nothingUncaught', isFine, () => `${type}: ${String((error as Error | undefined)?.stack ?? error)}`)
    }
    for (const type of types) process.removeAllListeners(type).on(type, note(type))
    try {
      await run()
      await settle()
    } finally {
      restore()
      for (const [index, type] of types.entries()) {
        process.removeAllListeners(type)
        for (const listener of before[index] ?? []) process.on(type, listener)
      }
    }
  }
}
