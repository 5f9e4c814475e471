// One client: the real socket under test, the application around it, and everything that is checked about both.
import type { Heartwire, NetworkSignal } from '../../src/index.ts'
import { CALLS, type CallName } from './calls.ts'
import { Chance } from './chance.ts'
import type { Connection } from './connection.ts'
import { Expectations } from './expectations.ts'
import { hear, misbehave } from './hearing.ts'
import { Inbound } from './inbound.ts'
import { inspect } from './inspection.ts'
import type { Judge } from './invariants.ts'
import { Ledger } from './ledger.ts'
import { Application, Mischief, SimulatedNetwork } from './mischief.ts'
import { optionsOf } from './options.ts'
import { BEAT, PONG, type Server } from './server.ts'
import { drawFacts, type Facts, type Omissible } from './settings.ts'
import { type SimulatedSocket, socketClass, type SocketWatcher } from './socket.ts'
import type { Surroundings } from './surroundings.ts'
import { Vitals } from './vitals.ts'
import { Witness } from './witness.ts'

/** The class under test: the real one, or one that is broken on purpose. */
export type HeartwireClass = typeof Heartwire<any, any>
export type NativeClass = new (url: string, protocols?: string | string[]) => SimulatedSocket

/** What a run may put in the place of the real classes, to see whether it would be noticed. */
export interface Substitutes {
  readonly Heartwire: HeartwireClass
  readonly wrap?: (Native: NativeClass) => NativeClass
}

/** Calls that listeners may make in one turn: without an end to it, they would go on for ever. */
const MOST_NESTED = 4

export class Client implements SocketWatcher {
  readonly number: number
  readonly world: Surroundings
  readonly judge: Judge
  readonly facts: Facts
  readonly ledger: Ledger
  readonly witness: Witness
  readonly vitals: Vitals
  readonly inbound: Inbound
  readonly promises: Expectations
  readonly application: Application
  readonly network = new SimulatedNetwork()
  readonly controller = new AbortController()
  readonly socket: Heartwire<any, any>
  readonly connections: Connection[] = []
  /** Whether it listens to `drain`, and how often it heard it. */
  readonly hearsDrain: boolean
  drains = 0
  /** When it began to close. */
  closingAt = 0
  /** What the heartbeat last said. */
  latency: number | null = null
  /** Whether the heartbeat found the link dead, and whether the application called anything, in this turn. */
  hasDied = false
  hasActed = false
  /** How many calls the application has made. */
  calls = 0
  #isMade = false
  #depth = 0
  #nested = 0
  #sequence = 0
  #shut: Connection[] = []
  readonly #finished = new WeakSet<Connection>()

  constructor(
    world: Surroundings,
    server: Server,
    judge: Judge,
    { Heartwire: Class, wrap = (Native) => Native }: Substitutes,
    number: number,
    without: readonly Omissible[],
  ) {
    const { chance } = world
    this.number = number
    this.world = world
    this.judge = judge
    this.facts = drawFacts(new Chance(chance.seed()), without)
    this.ledger = new Ledger(this.facts, judge)
    this.witness = new Witness(this.facts, judge, world.clock)
    this.vitals = new Vitals(this.facts, judge, world)
    this.promises = new Expectations(judge)
    const { heartbeat, gives } = this.facts
    const answer = heartbeat?.from === 'server' ? BEAT : PONG
    this.inbound = new Inbound(judge, heartbeat?.pong === 'text' ? answer : null)
    this.application = new Application(this.facts, world, number, () => this.meddle())
    const Native = wrap(socketClass(world, server, number, this, chance.pick(['platform', 'platform', 'plain'])))
    this.hearsDrain = chance.is(0.3)
    const mischiefs = chance.integer(0, 4)
    const beat = heartbeat?.from === 'server' ? `?beat=${heartbeat.interval}` : ''
    const url = `ws://example.test/${number}${beat}`
    const options = { ...optionsOf(this), WebSocket: Native }
    world.log(() => `client ${number}: new Heartwire('${url}', ${describe(options)})`)
    const isStarting = this.facts.start === 'now'
    this.witness.causes.connect = isStarting
    this.socket = new Class(gives.provider ? this.application.provide(url, 'http://[') : url, options)
    this.#isMade = true
    const { state } = this.socket
    judge.claim('legalState', (state !== 'idle') === isStarting, () => `it is ${state} after the constructor`)
    hear(this)
    // Not yet, if it would start what is to be started later.
    if (this.facts.start !== 'lazy') for (let count = 0; count < mischiefs; count++) misbehave(this)
  }

  // What the application does.

  get isOutermost(): boolean {
    return this.#depth === 1
  }

  nextSequence(): number {
    return ++this.#sequence
  }

  /** Calls a method. Whatever it is given and wherever it is called: it throws nothing that is not expected. */
  call(name: CallName): void {
    this.world.log(() => `client ${this.number}: ${'  '.repeat(this.#depth)}${name}()`)
    this.calls++
    this.hasActed = true
    this.#depth++
    const { owner } = this.world.clock
    this.world.clock.owner = this.number
    try {
      CALLS[name](this)
    } catch (error) {
      this.judge.claim('badInput', false, () => `${name} threw ${String((error as Error).stack)}`)
    } finally {
      this.#depth--
      this.world.clock.owner = owner
    }
  }

  /** Some method, from within a listener or a function of the options. */
  meddle(): void {
    // Within the constructor there is no socket yet to call anything of.
    if (!this.#isMade || this.#nested++ >= MOST_NESTED) return
    this.#depth++
    this.call(this.world.chance.pick(Object.keys(CALLS) as CallName[]))
    this.#depth--
  }

  addMischief(): void {
    misbehave(this)
  }

  startsLazily(): void {
    if (this.facts.start === 'lazy' && this.socket.state === 'idle') this.witness.causes.connect = true
  }

  /** A signal about the network or the page, and what `online` says from now on. */
  signal(signal: NetworkSignal, online: boolean): void {
    this.network.online = online
    this.world.page.queue(this.number, () => {
      this.world.log(() => `client ${this.number}: signal '${signal}', online is ${online}`)
      this.witness.causes.signal = true
      if (signal === 'hide') this.witness.causes.hide = true
      if (signal === 'restore') this.witness.causes.restore = true
      this.network.emit(signal)
    })
  }

  /** Somebody waits no longer, some time later. */
  leaveLater(controller: AbortController): void {
    this.world.after(this.world.chance.number(0, 60_000), () =>
      this.world.page.queue(this.number, () => controller.abort(new Mischief('no longer'))),
    )
  }

  // What the native sockets do.

  constructed(connection: Connection | null): void {
    this.ledger.constructed(connection)
    if (!connection) return
    const live = this.connections.filter(({ socket }) => socket.readyState < 2)
    this.judge.claim('oneSocket', live.length === 0, () => `socket ${connection.number} beside ${live[0]?.number}`)
    this.connections.push(connection)
  }

  sent(connection: Connection, text: string): void {
    this.world.log(() => `socket ${connection.number}: sends ${text.slice(0, 20)}, ${text.length} characters`)
    this.ledger.fly(connection, text)
  }

  shut(connection: Connection): void {
    this.#shut.push(connection)
  }

  delivered(connection: Connection, text: string): void {
    this.world.log(() => `socket ${connection.number}: receives ${text}`)
    if (connection !== this.connections.at(-1)) return
    const { state } = this.socket
    if (state === 'open') this.vitals.signOfLife(connection)
    if (state === 'open' || state === 'handshaking') this.inbound.deliver(text, state === 'open')
  }

  finished(connection: Connection, hasError: boolean): void {
    this.#finished.add(connection)
    if (connection === this.connections.at(-1)) this.witness.hasNativeError = hasError
  }

  hasFinished(connection: Connection | null): boolean {
    return connection !== null && this.#finished.has(connection)
  }

  /** Writes down messages from now on. */
  hearMessages(): void {
    if (this.inbound.isHeard) return
    this.inbound.isHeard = true
    this.socket.addEventListener('message', (event) => {
      this.witness.hear(event)
      const isOurs = event.target === (this.socket as unknown) && event instanceof MessageEvent
      this.judge.claim('inbound', isOurs, () => 'an event that is not of the socket')
      this.inbound.hear(event.data)
    })
  }

  // After each turn.

  /** The sockets that were let go of while open, in this turn. */
  takeShut(): readonly Connection[] {
    return this.#shut.splice(0)
  }

  check(): void {
    inspect(this)
    this.#nested = 0
    this.hasDied = this.hasActed = this.application.hasFailed = false
  }
}

function describe(options: object): string {
  return JSON.stringify(options, (_, value: unknown) => {
    if (typeof value === 'function' || typeof value === 'bigint') return 'ƒ'
    if (value === Infinity) return 'Infinity'
    return value instanceof AbortSignal || value instanceof SimulatedNetwork ? '{…}' : value
  })
}
