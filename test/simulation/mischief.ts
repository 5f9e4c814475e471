// What the application's own functions do when they are asked: mostly what they should, sometimes all that they should not.
import type { AttemptContext, Codec, HandshakeContext, NetworkSignal, NetworkSource } from '../../src/index.ts'
import type { Chance } from './chance.ts'
import { HELLO } from './server.ts'
import type { Facts, Manner } from './settings.ts'
import type { Surroundings } from './surroundings.ts'

/** What the application throws: what is reported and is not of this kind is ours. */
export class Mischief extends Error {
  override name = 'Mischief'
}

/** ms that a provider may take when it is only late. */
const LATE = 400

/** Where one client learns of the network and the page. */
export class SimulatedNetwork implements NetworkSource {
  online = true
  readonly #listeners = new Set<(signal: NetworkSignal) => void>()

  get count(): number {
    return this.#listeners.size
  }

  subscribe(listener: (signal: NetworkSignal) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(signal: NetworkSignal): void {
    for (const listener of [...this.#listeners]) listener(signal)
  }
}

/** The functions that one client's options hold. */
export class Application {
  /** Whether a provider or a handshake has thrown or rejected, in this turn. */
  hasFailed = false
  /** Whether it behaves: from the moment on at which all faults cease. */
  isWell = false
  readonly #facts: Facts
  readonly #world: Surroundings
  readonly #owner: number
  readonly #meddle: () => void

  /** `meddle` calls some method of the socket, if it is the time for that. */
  constructor(facts: Facts, world: Surroundings, owner: number, meddle: () => void) {
    this.#facts = facts
    this.#world = world
    this.#owner = owner
    this.#meddle = meddle
  }

  get #chance(): Chance {
    return this.#world.chance
  }

  /** Whether it misbehaves this time. */
  isMischievous(): boolean {
    return !this.isWell && this.#chance.is(this.#facts.mischief)
  }

  /** Throws, or calls a method, or does neither. */
  act(): void {
    if (!this.isMischievous()) return
    if (this.#chance.is(0.5)) throw new Mischief('a function of the application')
    this.#meddle()
  }

  #manner(): Manner {
    if (!this.isMischievous()) return this.#chance.pick(['plain', 'prompt', 'prompt', 'late'])
    return this.#chance.pick(['throws', 'rejects', 'hangs', 'wrong'])
  }

  /** Resolves later, in a task of its own. */
  #later<Value>(ms: number, value: Value): Promise<Value> {
    return new Promise((resolve) => {
      this.#world.after(ms, () => this.#world.page.queue(this.#owner, () => resolve(value)))
    })
  }

  provide<Value>(value: Value, wrong: Value): (context: AttemptContext) => Value | Promise<Value> {
    return () => {
      const manner = this.#manner()
      switch (manner) {
        case 'plain':
          return value
        case 'prompt':
          return Promise.resolve(value)
        case 'late':
          return this.#later(this.#chance.number(0, LATE), value)
        case 'throws':
          this.act()
          this.hasFailed = true
          throw new Mischief('a provider')
        case 'rejects':
          this.hasFailed = true
          return Promise.reject(this.#chance.is(0.5) ? new Mischief('a provider') : undefined)
        case 'hangs':
          return this.#chance.is(0.5) ? new Promise(() => {}) : this.#later(this.#chance.number(1_000, 90_000), value)
        case 'wrong':
          return wrong
        default:
          return manner satisfies never
      }
    }
  }

  readonly handshake = ({ send, receive, signal }: HandshakeContext<any, any>): unknown => {
    const manner = this.#manner()
    const wrap = (text: string): unknown => (this.#facts.gives.codec ? { m: text } : text)
    switch (manner) {
      case 'plain':
        return send(wrap('h'))
      case 'prompt':
        send(wrap(HELLO))
        return receive()
      case 'late':
        return this.#later(this.#chance.number(0, LATE), undefined).then(() => {
          // Whoever goes on after the end of its attempt is told so.
          if (!signal.aborted) send(wrap('h'))
        })
      case 'throws':
        this.act()
        this.hasFailed = true
        throw new Mischief('a handshake')
      case 'rejects':
        this.hasFailed = true
        return Promise.reject(new Mischief('a handshake'))
      case 'hangs':
        return this.#later(this.#chance.number(1_000, 90_000), undefined).then(() => send(wrap('h')))
      case 'wrong':
        void receive()
        void receive()
        return this.#meddle()
      default:
        return manner satisfies never
    }
  }

  /** Objects as text. Both ways may fail, as application code does. */
  readonly codec: Codec<unknown, { readonly m: string }> = {
    encode: ({ m }) => {
      if (this.isMischievous()) throw new Mischief('encode')
      return m
    },
    decode: (data) => {
      if (this.isMischievous()) throw new Mischief('decode')
      return { m: data as string }
    },
  }

  readonly when = (): boolean => {
    this.act()
    return !this.isMischievous() || this.#chance.is(0.8)
  }

  readonly delay = ({ delay }: { delay: number }): unknown => {
    this.act()
    if (!this.isMischievous()) return this.#chance.is(0.5) ? delay : this.#chance.number(0, 20_000)
    return this.#chance.pick([false, -1, Number.NaN, 'soon', undefined, 0, 2 ** 40])
  }
}
