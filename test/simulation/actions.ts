// What can happen in one step. Each is drawn from a seed of its own, so that a plan stays the same plan without some of them.
import { CALLS, type CallName } from './calls.ts'
import type { Chance } from './chance.ts'
import type { Client } from './client.ts'
import type { Connection } from './connection.ts'
import type { Omissible } from './settings.ts'
import { SLOTS, type World } from './world.ts'

/** One step of a plan. */
export interface Action {
  readonly kind: ActionKind
  readonly seed: number
  /** What a new client is made without: found by shrinking. */
  readonly without?: readonly Omissible[]
}

/** How likely an application calls what; the rest has 1. */
const CALL_WEIGHTS: Partial<Record<CallName, number>> = {
  send: 30,
  sendBinary: 8,
  sendBlob: 4,
  sendMany: 6,
  reconnect: 4,
  connect: 4,
  close: 2,
  abort: 0.5,
  listen: 2,
}

type Perform = (world: World, chance: Chance, action: Action) => Promise<void> | void

const someone = (world: World, chance: Chance): Client | null => world.client(chance.integer(0, SLOTS - 1))

/** A connection that is not over yet, mostly the newest of a client. */
const some = (world: World, chance: Chance): Connection | null =>
  someone(world, chance)?.connections.at(chance.is(0.9) ? -1 : 0) ?? null

const open = (world: World): Connection[] =>
  world.clients.flatMap((client) => client.connections.filter(({ isCut, socket }) => !isCut && socket.readyState < 3))

const signalAll = (world: World, ...[signal, online]: Parameters<Client['signal']>): void => {
  for (const client of world.present) client.signal(signal, online)
}

/** Calls a method of a client's, in a turn of its own. A page that is stopped calls nothing. */
async function call(world: World, client: Client | null, name: CallName): Promise<void> {
  if (client && !world.surroundings.page.isStopped) await world.turn(client.number, () => client.call(name))
}

const drawMs = (chance: Chance): number => {
  const [least, most] = chance.pick([
    [0, 0],
    [0, 5],
    [1, 60],
    [50, 2_000],
    [500, 5_000],
    [2_000, 30_000],
    [10_000, 120_000],
    [60_000, 3_600_000],
  ] as const)
  return chance.number(least, most)
}

export const ACTIONS = {
  create: (world, chance, { without = [] }) => world.create(chance.integer(0, SLOTS - 1), without),
  call: (world, chance) => {
    const weights = Object.fromEntries(Object.keys(CALLS).map((name) => [name, CALL_WEIGHTS[name as CallName] ?? 1]))
    return call(world, someone(world, chance), chance.weighted(weights) as CallName)
  },
  advance: (world, chance) => world.advance(drawMs(chance)),

  // The server.

  welcome: ({ server, surroundings }, chance) => {
    server.welcome = chance.pick(['accept', 'accept', 'accept', 'refuse', 'hang', 'drop'])
    surroundings.log(() => `server: from now on, ${server.welcome}`)
  },
  answer: ({ server, surroundings }, chance) => {
    server.answer = chance.pick(['prompt', 'prompt', 'prompt', 'late', 'twice', 'in reverse', 'never'])
    surroundings.log(() => `server: answers heartbeats ${server.answer}`)
  },
  manners: ({ server }, chance) => {
    server.readsWhenClosing = chance.is(0.7)
    server.answersClose = chance.is(0.8)
    server.greetsBack = chance.is(0.8)
    server.slowest = chance.pick([0, 5, 50, 50, 240])
  },
  push: (world, chance) => {
    const connection = some(world, chance)
    if (connection) world.server.push(connection, chance.pick([1, 1, 2, 5, 100]))
  },
  close: (world, chance) => {
    const code = chance.pick([1000, 1001, 1002, 1005, 1008, 1011, 1012, 1013, 3000, 4000])
    const reason = chance.pick([
      '',
      '',
      'bye',
      'retry-after=3',
      'retry-after=0',
      'please retry-after=20 thanks',
      'retry-after=99999999',
    ])
    const connection = some(world, chance)
    // Without a code there is no reason either.
    if (connection) world.server.close(connection, code, code === 1005 ? '' : reason)
  },
  reset: (world, chance) => some(world, chance)?.break(),
  restart: (world, chance) => {
    const { server, surroundings } = world
    const isKind = chance.is(0.5)
    for (const connection of [...server.connections]) {
      if (isKind) server.close(connection, 1012, chance.pick(['', 'retry-after=5']))
      else connection.break()
    }
    server.welcome = 'refuse'
    surroundings.after(chance.number(0, 20_000), () => (server.welcome = 'accept'))
  },

  // The network.

  blacken: (world, chance) => some(world, chance)?.blacken(chance.pick([0, 0, 50, 65_536])),
  heal: (world, chance) => some(world, chance)?.heal(),
  rate: (world, chance) => {
    const connection = some(world, chance)
    if (!connection) return
    connection.rate = chance.pick([0, 0.05, 0.5, 5, Infinity])
    world.surroundings.log(() => `network: socket ${connection.number} sends ${connection.rate} bytes per ms`)
    if (connection.rate === 0) connection.noteFault()
    connection.revive()
  },
  upload: async (world, chance) => {
    const client = someone(world, chance)
    const connection = client?.connections.at(-1)
    if (connection) connection.rate = chance.pick([1, 5, 20])
    await call(world, client, 'sendMuch')
  },
  offline: (world, chance) => {
    world.server.isUnreachable = true
    for (const connection of open(world)) connection.blacken(chance.pick([0, 50, 65_536]))
    signalAll(world, 'offline', false)
  },
  online: (world) => {
    world.server.isUnreachable = false
    for (const connection of open(world)) connection.heal()
    signalAll(world, 'online', true)
  },
  lie: (world, chance) => {
    const signal = chance.pick(['online', 'offline', 'wake', 'hide', 'restore'] as const)
    signalAll(world, signal, chance.is(0.7))
  },

  // The page.

  hide: ({ surroundings }) => surroundings.page.hide(),
  show: (world) => {
    world.surroundings.page.show()
    for (const client of world.present) client.signal('wake', client.network.online)
  },
  busy: ({ surroundings: { page, clock } }, chance) => page.stop(clock.time + chance.number(0, 3_000)),
  freeze: ({ surroundings: { page, clock } }, chance) => page.stop(clock.time + drawMs(chance)),
  sleep: async (world, chance) => {
    const { page, clock } = world.surroundings
    const ms = chance.pick([5_000, 60_000, 3_600_000])
    page.stop(Infinity)
    await world.advance(ms)
    // On some systems performance.now() stood still meanwhile.
    if (chance.is(0.5)) clock.unseen += ms
    page.resume()
    if (chance.is(0.7)) signalAll(world, 'wake', true)
  },
  cache: async (world, chance) => {
    const { page, clock } = world.surroundings
    signalAll(world, 'hide', true)
    await world.advance(chance.pick([0, 10]))
    page.stop(clock.time + drawMs(chance))
    signalAll(world, 'restore', true)
  },
  skew: ({ surroundings: { clock, page } }, chance) => {
    clock.skew += chance.pick([-3_600_000, -1_000, 1_000, 3_600_000])
    // What looks like a sleep is forgiven once.
    page.lastLate = Math.max(page.lastLate, clock.time)
  },
} as const satisfies Record<string, Perform>
export type ActionKind = keyof typeof ACTIONS

/** How often each kind happens, before a run makes some of them rare and others common. */
export const WEIGHTS: Record<ActionKind, number> = {
  create: 1,
  call: 30,
  advance: 35,
  welcome: 3,
  answer: 3,
  manners: 2,
  push: 6,
  close: 3,
  reset: 3,
  restart: 1,
  blacken: 2,
  heal: 2,
  rate: 2,
  upload: 1,
  offline: 1,
  online: 2,
  lie: 3,
  hide: 1,
  show: 2,
  busy: 2,
  freeze: 1,
  sleep: 0.5,
  cache: 0.5,
  skew: 0.5,
}

/** Carries out one step. */
export async function perform(world: World, chance: Chance, action: Action): Promise<void> {
  await ACTIONS[action.kind](world, chance, action)
}
