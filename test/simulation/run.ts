// One run: a plan drawn from a seed, carried out; then faults cease, then everything is closed and nothing may remain.
import { Heartwire } from '../../src/index.ts'
import { type Action, type ActionKind, perform, WEIGHTS } from './actions.ts'
import { audit } from './audit.ts'
import { Chance } from './chance.ts'
import type { Client, Substitutes } from './client.ts'
import type { Violation } from './invariants.ts'
import { World } from './world.ts'

/** A run as a list of what happens. */
export interface Plan {
  readonly seed: number
  readonly actions: readonly Action[]
}

export interface Outcome {
  readonly violation: Violation | null
  /** How many steps and turns there were before it. */
  readonly steps: number
  readonly turns: number
  readonly trail: readonly string[]
}

/** A wait that is longer than this is cut by the user, who presses a button. */
const PATIENCE = 120_000
/** ms that a handshake of a client that behaves takes at most, with all that goes before it. */
const CONNECTING = 3_000
/** ms after which even the sockets that were let go have given up. */
const LONG = 600_000

/** Draws what happens. Each run makes some things common and leaves out others, or rare combinations would never meet. */
export function planOf(seed: number, steps: number): Plan {
  const chance = new Chance(seed)
  const weights = {} as Record<ActionKind, number>
  for (const kind of Object.keys(WEIGHTS) as ActionKind[])
    weights[kind] = WEIGHTS[kind] * chance.pick([0, 0.3, 1, 1, 3])
  Object.assign(weights, { call: WEIGHTS.call, advance: WEIGHTS.advance })
  const actions = Array.from({ length: steps }, (_, index): Action => {
    const kind = chance.weighted(weights)
    return { kind: index === 0 ? 'create' : kind, seed: chance.seed() }
  })
  return { seed, actions }
}

/** Carries out a plan. The same plan always has the same outcome. */
export async function run(
  plan: Plan,
  { substitutes = { Heartwire }, isTracing = false }: { substitutes?: Substitutes; isTracing?: boolean } = {},
): Promise<Outcome> {
  const world = new World(substitutes)
  const { surroundings, judge } = world
  if (isTracing) surroundings.trail = []
  let steps = 0
  await world.inhabit(async () => {
    for (const action of plan.actions) {
      if (judge.first) return
      steps++
      surroundings.chance = new Chance(action.seed)
      surroundings.log(() => `— ${action.kind}`)
      await perform(world, surroundings.chance, action)
    }
    surroundings.chance = new Chance(plan.seed)
    await recover(world)
    await closeAll(world)
  })
  return { violation: judge.first, steps, turns: world.turns, trail: surroundings.trail ?? [] }
}

/** All faults cease. Whoever may be open must be so within its bound, and what it sends must arrive. */
async function recover(world: World): Promise<void> {
  const { surroundings, server, judge, present } = world
  const { clock, page, chance } = surroundings
  surroundings.log(() => '— faults cease')
  Object.assign(server, { welcome: 'accept', answer: 'prompt', isUnreachable: false, slowest: 50 })
  Object.assign(server, { readsWhenClosing: true, answersClose: true, greetsBack: true })
  page.resume()
  page.show()
  for (const client of world.clients) {
    client.application.isWell = true
    client.network.online = true
    for (const connection of client.connections) {
      connection.rate = Infinity
      connection.heal()
      // What one side thinks open and the other does not know ends with the first packet.
      if (!connection.isServed && connection.socket.readyState === 1) connection.break()
    }
  }
  const wasTold = chance.is(0.3)
  if (wasTold) for (const client of present) client.signal('online', true)
  await world.advance(1_000)
  for (const client of present) {
    if (client.witness.remaining > PATIENCE) await world.turn(client.number, () => client.call('reconnect'))
  }
  const bounds = present.map((client) => boundOf(client))
  const start = clock.time
  await world.advance(Math.max(0, ...bounds), 20_000)
  if (judge.first) return
  for (const [index, client] of present.entries()) {
    const { state } = client.socket
    const isFine = state === 'open' || state === 'idle' || state === 'closed' || !client.facts.isFair
    judge.claim(
      'recovers',
      isFine,
      () => `client ${client.number} is ${state} after ${clock.time - start} ms, its bound was ${bounds[index]}`,
    )
    if (state !== 'open') continue
    expectDrained(client)
    await world.turn(client.number, () => {
      client.call('send')
      client.call('drained')
    })
  }
  const drains = present.map((client) => client.drains)
  await world.advance(2_000, 20_000)
  for (const [index, client] of present.entries()) {
    expectDrained(client, drains[index])
    const isFlushed = client.socket.state !== 'open' || client.socket.queued === 0
    judge.claim(
      'recovers',
      isFlushed || !client.facts.isFair,
      () => `client ${client.number} still queues ${client.socket.queued}`,
    )
  }
}

/** All that was accepted has left: nobody may still wait for that, and who listens has heard it since. */
function expectDrained({ number, promises, socket, facts, judge, hearsDrain, drains }: Client, before = -1): void {
  const isTold = promises.count('drained') === 0 && (drains > before || !hearsDrain)
  judge.claim('drained', isTold || socket.state !== 'open' || !facts.isFair, () => `client ${number} was not told`)
}

/** ms within which a client must be open, once nothing is wrong any more. */
function boundOf({ facts, witness, socket }: Client): number {
  const { connectTimeout, closeTimeout, reconnect, gives, heartbeat } = facts
  // A question that the server has left unanswered before may still end the connection.
  const open = socket.state === 'open' && heartbeat ? heartbeat.interval + heartbeat.timeout : 0
  const delay = Math.max(reconnect?.maxDelay ?? 0, gives.delay ? 20_000 : 0)
  const wait = socket.state === 'paused' ? 60_000 : socket.state === 'waiting' ? witness.remaining : 0
  const attempt = Math.min(connectTimeout, 240_000)
  return open + wait + attempt + delay + Math.min(closeTimeout, 60_000) + CONNECTING
}

/** Every client is closed. Within the bound it must be so, and from then on there must be nothing. */
async function closeAll(world: World): Promise<void> {
  const { surroundings, judge, clients } = world
  const { clock } = surroundings
  surroundings.log(() => '— everything is closed')
  for (const client of clients) if (!judge.first) await world.turn(client.number, () => client.call('close'))
  await world.advance(5_000, 20_000)
  if (judge.first) return
  for (const { number, socket, facts } of clients) {
    const isClosed = socket.state === 'closed' || !facts.isFair
    judge.claim('movesOn', isClosed, () => `client ${number} is ${socket.state} 5 s after close()`)
  }
  await world.advance(LONG, 20_000)
  await world.turn(-1, () => {})
  judge.claim('nothingAfterClosed', clock.timers.size === 0, () => `${clock.timers.size} timers are left`)
  for (const client of clients) {
    const live = client.connections.filter(({ socket }) => socket.readyState < 3)
    judge.claim('nothingAfterClosed', live.length === 0, () => `socket ${live[0]?.number} never closed`)
    const { state } = client.socket
    judge.claim('movesOn', state === 'closed', () => `client ${client.number} is still ${state}`)
    client.promises.check()
    audit(
      client.ledger,
      judge,
      world.server.receipts.filter(({ connection }) => connection.client === client.number),
    )
  }
}
