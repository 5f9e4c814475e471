// One connection between a socket and the server: its buffer, what is on its way in both directions, and every way it breaks.
import type { Server } from './server.ts'
import type { SimulatedSocket } from './socket.ts'
import type { Surroundings } from './surroundings.ts'

/** Something on its way: a message, or a frame that opens or closes. */
export interface Parcel {
  readonly kind: 'open' | 'data' | 'close'
  readonly text: string
  readonly size: number
  /** Bytes of it that are still in the sender's buffer. */
  rest: number
  readonly code?: number
}

/** ms between looks at a slow link's buffer. */
const QUANTUM = 100
/** ms after which a browser no longer waits for the server's side of a closing handshake (Chromium). */
const CLOSE_PATIENCE = 60_000
/** ms after which a browser gives up an upgrade that is not answered (Chromium). */
const CONNECT_PATIENCE = 240_000

export class Connection {
  readonly number: number
  readonly client: number
  readonly socket: SimulatedSocket
  /** What has not left the browser, in whole or in part, oldest first, and its bytes. */
  readonly outgoing: Parcel[] = []
  buffered = 0
  /** Bytes per ms that leave the browser. */
  rate = Infinity
  /** Nothing arrives any more, in either direction, and nobody is told. */
  isBlack = false
  /** Bytes that still leave the browser then: what the system's own buffers hold. */
  window = 0
  /** Whether the browser knows that it is over: nothing leaves and nothing comes any more. */
  isCut = false
  /** Whether the server has it among its own. */
  isServed = false
  /** Whether the server has begun to close it. */
  hasServerClosed = false
  /** The codes with which the page and the server, each of its own accord, have closed it. */
  codeOfPage: number | null = null
  codeOfServer: number | null = null
  /** Whether the server answered more beats than there were: then answers prove nothing. */
  hasExcessAnswers = false
  /** When bytes last left the browser, and when something last was not as a healthy link is. */
  lastLeft = -Infinity
  lastFault = -Infinity
  readonly #world: Surroundings
  readonly #server: Server
  readonly #upstream: Parcel[] = []
  readonly #downstream: Parcel[] = []
  #lastUp = 0
  #lastDown = 0
  #isPumping = false

  constructor(world: Surroundings, server: Server, client: number, number: number, socket: SimulatedSocket) {
    this.#world = world
    this.#server = server
    this.client = client
    this.number = number
    this.socket = socket
    this.isBlack = server.isUnreachable
    world.after(CONNECT_PATIENCE, () => {
      if (socket.readyState === 0) this.cut(1006, '', false, true)
    })
  }

  // From the browser to the server.

  /** The browser takes over what `send` was given. */
  push(parcel: Parcel): void {
    this.outgoing.push(parcel)
    this.buffered += parcel.rest
    this.#pumpSoon(this.rate === Infinity ? this.#world.chance.pick([0, 0.1, 1, 5]) : QUANTUM)
  }

  /** The page has called `close`. */
  closeByPage(code: number, reason: string, wasOpen: boolean): void {
    if (!wasOpen) {
      this.#server.hangUp(this)
      return this.cut(1006, '', false, true)
    }
    this.codeOfPage = code
    this.push({ kind: 'close', text: reason, size: 0, rest: 0, code })
    this.#world.after(CLOSE_PATIENCE, () => this.cut(1006, '', false, false))
  }

  /** Data moves on, after the link has changed. */
  revive(): void {
    this.#pumpSoon(0)
    for (const _ of this.#upstream) this.#world.after(0, () => this.#arriveAtServer())
    for (const _ of this.#downstream) this.#world.after(0, () => this.#arriveAtBrowser())
  }

  #pumpSoon(ms: number): void {
    if (this.#isPumping) return
    this.#isPumping = true
    this.#world.after(ms, () => {
      this.#isPumping = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.isCut) return
    let allowance = this.rate === Infinity ? Infinity : this.rate * QUANTUM
    if (this.isBlack) allowance = Math.min(allowance, this.window)
    for (let parcel = this.outgoing[0]; parcel && (allowance > 0 || parcel.rest === 0); parcel = this.outgoing[0]) {
      const bytes = Math.min(parcel.rest, Math.floor(allowance))
      if (bytes === 0 && parcel.rest > 0) break
      parcel.rest -= bytes
      this.buffered -= bytes
      allowance -= bytes
      if (this.isBlack) this.window -= bytes
      if (bytes > 0) this.lastLeft = this.#world.clock.time
      if (parcel.rest > 0) continue
      this.outgoing.shift()
      this.#upstream.push(parcel)
      this.#lastUp = Math.max(this.#lastUp, this.#world.clock.time + this.#server.latency)
      this.#world.agenda.add(this.#lastUp, () => this.#arriveAtServer())
    }
    // A black hole that is full, or a link that stands still, is looked at again when it changes.
    if (this.outgoing.length > 0 && this.rate > 0 && !(this.isBlack && this.window < 1)) this.#pumpSoon(QUANTUM)
  }

  #arriveAtServer(): void {
    if (this.isBlack) return
    const parcel = this.#upstream.shift()
    if (!parcel) return
    if (this.isServed) this.#server.receive(this, parcel)
    // The server knows nothing of it (any more): it answers with a reset.
    else if (this.socket.readyState !== 0) this.#world.after(this.#server.latency, () => this.#reset())
  }

  // From the server to the browser.

  /** The server says something. */
  say(parcel: Parcel): void {
    this.#downstream.push(parcel)
    this.#lastDown = Math.max(this.#lastDown, this.#world.clock.time + this.#server.latency)
    this.#world.agenda.add(this.#lastDown, () => this.#arriveAtBrowser())
  }

  #arriveAtBrowser(): void {
    if (this.isBlack || this.isCut) return
    const parcel = this.#downstream.shift()
    if (!parcel) return
    const { page, chance } = this.#world
    const { socket } = this
    if (parcel.kind === 'open') page.queue(this.client, () => socket.accept())
    else if (parcel.kind === 'data') page.queue(this.client, () => socket.receive(parcel.text))
    else {
      // From here on nothing leaves. What readyState says changes in a task before that of the event.
      this.isCut = true
      page.queue(this.client, () => socket.beginClose())
      this.#lastUp = Math.max(this.#lastUp, this.#world.clock.time + this.#server.latency)
      // The browser's answer comes after all that has left.
      this.#world.agenda.add(this.#lastUp, () => this.#server.hangUp(this))
      this.#world.after(chance.pick([0, 0, 3, 30]), () =>
        page.queue(this.client, () => socket.finish(parcel.code ?? 1005, parcel.text, true, false)),
      )
    }
  }

  // How it breaks.

  /** The server, or something in between, sends a reset. */
  break(): void {
    this.#log('is reset')
    this.#server.hangUp(this)
    const { chance } = this.#world
    // What was on its way may have been read before it, or not.
    for (let count = chance.integer(0, this.#upstream.length); count > 0 && !this.isBlack; count--) {
      this.#server.receive(this, this.#upstream.shift() as Parcel)
    }
    this.#upstream.length = 0
    this.#world.after(this.#server.latency, () => this.#reset())
  }

  #reset(): void {
    // Into a black hole a reset does not come back either; what is sent after it may cause another.
    if (!this.isBlack) this.cut(1006, '', false, this.#world.chance.is(0.5))
  }

  /** The browser learns that it is over, and has something for the page. */
  cut(code: number, reason: string, wasClean: boolean, hasError: boolean): void {
    if (this.isCut) return
    this.isCut = true
    this.#world.page.queue(this.client, () => this.socket.finish(code, reason, wasClean, hasError))
  }

  /** Nothing arrives any more; `window` bytes still seem to leave. */
  blacken(window: number): void {
    this.#log('is in a black hole')
    this.isBlack = true
    this.window = window
    this.noteFault()
  }

  /** What was lost is found: packets of a link that was only stalled are sent again, by TCP. */
  heal(): void {
    if (this.isBlack) {
      this.#log('is back')
      this.noteFault()
    }
    this.isBlack = false
    this.revive()
  }

  #log(what: string): void {
    this.#world.log(() => `network: socket ${this.number} ${what}`)
  }

  /** From now on a link that is given up may have been given up for a reason. */
  noteFault(): void {
    this.lastFault = this.#world.clock.time
  }
}
