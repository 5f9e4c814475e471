// The server: it accepts, refuses, hangs, answers late, twice or never, floods, restarts, and keeps receipts of what arrived.
import type { Connection, Parcel } from './connection.ts'
import type { Surroundings } from './surroundings.ts'

/** What it does with an upgrade; `drop`: accepts and closes at once. */
export type Welcome = 'accept' | 'refuse' | 'hang' | 'drop'
/** How it answers heartbeats, and whether it beats itself. */
export type Answer = 'prompt' | 'late' | 'twice' | 'in reverse' | 'never'

/** That a message of a client's arrived, and over which connection. */
export interface Receipt {
  readonly text: string
  readonly connection: Connection
}

export const PING = 'ping'
export const PONG = 'pong'
export const BEAT = 'beat'
export const HELLO = 'hello'
export const WELCOME = 'welcome'

export class Server {
  welcome: Welcome = 'accept'
  answer: Answer = 'prompt'
  /** Whether it goes on reading once it has begun to close, and whether it answers a close. */
  readsWhenClosing = true
  answersClose = true
  greetsBack = true
  /** Whether new connections run into a black hole. */
  isUnreachable = false
  /** ms that a packet takes, at most. */
  slowest = 50
  /** The connections that it has, whatever their other ends think. */
  readonly connections = new Set<Connection>()
  readonly receipts: Receipt[] = []
  /** Who wants to know what it accepts. */
  accepted: (connection: Connection) => void = () => {}
  readonly #world: Surroundings
  readonly #protocols = new WeakMap<Connection, string>()
  readonly #withheld = new WeakMap<Connection, boolean>()
  #count = 0
  #messages = 0

  constructor(world: Surroundings) {
    this.#world = world
  }

  get latency(): number {
    return this.#world.chance.number(0, this.slowest)
  }

  /** The number of a new connection. */
  count(): number {
    return ++this.#count
  }

  protocolOf(connection: Connection): string {
    return this.#protocols.get(connection) ?? ''
  }

  /** A client asks for an upgrade. */
  request(connection: Connection, protocol: string): void {
    const { welcome } = this
    this.#protocols.set(connection, protocol)
    if (welcome === 'hang') return
    this.#world.after(this.latency, () => {
      if (connection.isCut || connection.isBlack) return
      if (welcome === 'refuse') return connection.cut(1006, '', false, true)
      this.accepted(connection)
      this.#world.log(() => `server: accepts socket ${connection.number}`)
      connection.isServed = true
      this.connections.add(connection)
      connection.say(frame('open'))
      if (welcome === 'drop') this.#world.after(this.latency, () => this.close(connection, 1011, 'dropped'))
      const beat = Number(/beat=(\d+)/.exec(connection.socket.url)?.[1])
      if (beat > 0) this.#beatEvery(connection, beat)
    })
  }

  #beatEvery(connection: Connection, interval: number): void {
    this.#world.after(interval, () => {
      // Whose other end is gone is not beaten for any more: hundreds of such would be most of a run.
      if (!connection.isServed || connection.socket.readyState > 1) return
      if (this.answer === 'prompt' || this.answer === 'twice') this.send(connection, BEAT)
      else connection.noteFault()
      this.#beatEvery(connection, interval)
    })
  }

  /** Something arrived. */
  receive(connection: Connection, { kind, text, code }: Parcel): void {
    if (kind === 'close') return this.#receiveClose(connection, code)
    if (connection.hasServerClosed && !this.readsWhenClosing) return
    if (text === PING) this.#answerPing(connection)
    else if (text === HELLO) {
      if (this.greetsBack) this.send(connection, WELCOME)
    } else this.receipts.push({ text, connection })
  }

  #receiveClose(connection: Connection, code: number | undefined): void {
    if (!this.answersClose) return
    if (!connection.hasServerClosed) connection.say({ ...frame('close'), code: code ?? 1005 })
    connection.hasServerClosed = true
    this.hangUp(connection)
  }

  #answerPing(connection: Connection): void {
    switch (this.answer) {
      case 'prompt':
        return this.send(connection, PONG)
      case 'twice':
        connection.hasExcessAnswers = true
        this.send(connection, PONG)
        return this.send(connection, PONG)
      case 'late':
        connection.noteFault()
        return this.#world.after(this.#world.chance.number(500, 30_000), () => this.send(connection, PONG))
      case 'in reverse': {
        // The first of two waits for the second.
        connection.noteFault()
        const isSecond = this.#withheld.get(connection) === true
        this.#withheld.set(connection, !isSecond)
        if (isSecond) for (let count = 0; count < 2; count++) this.send(connection, PONG)
        return
      }
      case 'never':
        return connection.noteFault()
      default:
        this.answer satisfies never
    }
  }

  send(connection: Connection, text: string): void {
    if (connection.isServed && !connection.hasServerClosed) connection.say({ ...frame('data'), text })
  }

  /** Sends messages of its own, numbered, so that their order shows. */
  push(connection: Connection, count: number): void {
    for (let sent = 0; sent < count; sent++) this.send(connection, `d${++this.#messages}`)
  }

  /** Begins the closing handshake. */
  close(connection: Connection, code: number, reason: string): void {
    if (!connection.isServed || connection.hasServerClosed) return
    this.#world.log(() => `server: closes socket ${connection.number} with ${code} ${reason}`)
    connection.hasServerClosed = true
    connection.codeOfServer = code
    connection.say({ ...frame('close'), text: reason, code })
  }

  /** It has the connection no more. */
  hangUp(connection: Connection): void {
    connection.isServed = false
    this.connections.delete(connection)
  }
}

function frame(kind: Parcel['kind']): Parcel {
  return { kind, text: '', size: 0, rest: 0 }
}
