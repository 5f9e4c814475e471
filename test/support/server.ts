// A real `ws` server on loopback that keeps a record of what it saw and misbehaves on request.
import { createServer, STATUS_CODES } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { listen } from './listen.ts'
import { reset } from './reset.ts'
import { createCounter } from './waiting.ts'

/** Text arrives as a string, binary as bytes. */
export type Payload = string | Uint8Array

/** One message from a client. */
export interface Received {
  /** The `id` of its connection. */
  readonly connection: number
  readonly data: Payload
}

/** One accepted connection, also after its end. */
export interface Connection {
  /** 1 for the server's first, counting on over restarts. */
  readonly id: number
  /** Path and query as asked for. */
  readonly path: string
  /** The subprotocols the client offered. */
  readonly offered: readonly string[]
  /** The one it got, or ''. */
  readonly protocol: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** How it ended as the server saw it: 1006 when there was no close frame. Null while open. */
  readonly closed: { readonly code: number; readonly reason: string } | null
}

/** The server as tests see it. Every argument and result is plain data, so that a page can command it too. */
export interface TestServer {
  /** It stays the same over `stop` and `restart`. */
  readonly port: number
  readonly url: string
  /** Every connection ever, in order. */
  readonly connections: readonly Connection[]
  /** Connections open now. */
  readonly open: readonly Connection[]
  /** Every message ever, in order. */
  readonly messages: readonly Received[]
  /** The length of every message ever, in order: for those too large to hand around. */
  readonly sizes: readonly number[]
  /** Upgrade requests ever, including those refused or never answered. */
  readonly attempts: number
  /** The payloads of all messages, or of one connection's. */
  received(connection?: number): Payload[]
  /** Resolves to the `count`-th connection ever, once it is open. */
  waitForConnections(count: number): Promise<Connection>
  /** Resolves to all payloads once `count` messages have arrived, ever. */
  waitForMessages(count: number): Promise<Payload[]>
  /** Resolves once `count` connections have ended, ever. */
  waitForClosed(count: number): Promise<void>
  /** Resolves once there have been `count` upgrade requests, ever. */
  waitForAttempts(count: number): Promise<void>
  /** Sends to every open connection, or to one. */
  send(data: Payload, connection?: number): void
  /** Starts the close handshake on every open connection, or on one. */
  closeClients(code?: number, reason?: string, connection?: number): void
  /** Kills every connection, or one, with RST: no close frame. */
  terminate(connection?: number): void
  /** Dies like a killed process: nobody listens, every connection is reset. */
  stop(): Promise<void>
  /** Listens again on the same port. */
  restart(): Promise<void>
  /** Answers every further upgrade with this HTTP status, 401 say; null accepts again. */
  refuseUpgrades(status: number | null): void
  /** While on, upgrades get no answer; switching it off answers those that still wait. */
  holdUpgrades(on: boolean): void
  /** Answers every further upgrade this late. */
  delayUpgrades(ms: number): void
  /** Whether messages are sent back. Off at first. */
  echo(on: boolean): void
  /** Whether the text `ping` is answered with the text `pong` (and then not echoed). Off at first. */
  answerPings(on: boolean): void
  /** The subprotocol for further connections: null for none, undefined for the client's first. */
  chooseProtocol(protocol: string | null | undefined): void
  /** Ends everything. Harmless twice. */
  close(): Promise<void>
}

type Upgrade = [request: IncomingMessage, socket: Socket, head: Buffer]

interface Entry {
  record: { -readonly [Key in keyof Connection]: Connection[Key] }
  client: WebSocket
  socket: Socket
}

const kill = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve())
    reset(socket)
  })

/** Starts a server on a port of its own. */
export async function startServer(): Promise<TestServer> {
  const entries: Entry[] = []
  const messages: Received[] = []
  const opened = createCounter('connections')
  const ended = createCounter('ended connections')
  const arrived = createCounter('messages')
  const attempted = createCounter('upgrade requests')
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  let held: Upgrade[] = []
  let isHolding = false
  let isClosed = false
  let upgradeDelay = 0
  let refusal: number | null = null
  let isEchoing = false
  let isAnsweringPings = false
  let chosen: string | null | undefined

  const protocols = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (chosen === undefined ? ([...offered][0] ?? false) : (chosen ?? false)),
  })

  const onMessage = (entry: Entry, bytes: Buffer, isBinary: boolean): void => {
    const data = isBinary ? new Uint8Array(bytes) : bytes.toString()
    messages.push({ connection: entry.record.id, data })
    arrived.add()
    if (isAnsweringPings && data === 'ping') entry.client.send('pong')
    else if (isEchoing) entry.client.send(data)
  }

  const onOpen = (client: WebSocket, request: IncomingMessage, socket: Socket): void => {
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
    const entry: Entry = {
      client,
      socket,
      record: {
        id: entries.length + 1,
        path: request.url ?? '',
        offered,
        protocol: client.protocol,
        headers: request.headers,
        closed: null,
      },
    }
    entries.push(entry)
    client.binaryType = 'nodebuffer'
    client.on('message', (bytes: Buffer, isBinary) => onMessage(entry, bytes, isBinary))
    client.on('close', (code, reason) => {
      entry.record.closed = { code, reason: reason.toString() }
      ended.add()
    })
    client.on('error', () => {}) // `close` follows and says all that tests ask for.
    opened.add()
  }

  const answer = ([request, socket, head]: Upgrade): void => {
    if (socket.destroyed) return
    if (refusal !== null) {
      socket.end(`HTTP/1.1 ${refusal} ${STATUS_CODES[refusal] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    protocols.handleUpgrade(request, socket, head, (client) => onOpen(client, request, socket))
  }

  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    if (!(stream instanceof Socket)) throw new TypeError('An upgrade without a TCP socket')
    stream.on('error', () => {}) // A client that gives up while it waits for our answer.
    const upgrade: Upgrade = [request, stream, head]
    attempted.add()
    if (isHolding) {
      held.push(upgrade)
    } else if (upgradeDelay > 0) {
      const timer = setTimeout(() => {
        timers.delete(timer)
        answer(upgrade)
      }, upgradeDelay)
      timers.add(timer)
    } else {
      answer(upgrade)
    }
  }

  const start = async (port?: number): Promise<[Server, number]> => {
    const created = createServer((_request, response) => response.writeHead(426).end())
    created.on('upgrade', onUpgrade)
    created.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    return [created, await listen(created, port)]
  }

  const openEntries = (connection?: number): Entry[] =>
    entries.filter(({ record }) => record.closed === null && (connection === undefined || record.id === connection))

  let [http, port]: [Server | null, number] = await start()

  const server: TestServer = {
    port,
    url: `ws://127.0.0.1:${port}/`,
    get connections() {
      return entries.map(({ record }) => record)
    },
    get open() {
      return openEntries().map(({ record }) => record)
    },
    messages,
    get sizes() {
      return messages.map(({ data }) => data.length)
    },
    get attempts() {
      return attempted.count
    },
    received: (connection) =>
      messages
        .filter((message) => connection === undefined || message.connection === connection)
        .map(({ data }) => data),
    async waitForConnections(count) {
      await opened.reached(count)
      const entry = entries[count - 1]
      if (!entry) throw new RangeError(`Cannot wait for connection ${count}: they count from 1`)
      return entry.record
    },
    async waitForMessages(count) {
      await arrived.reached(count)
      return messages.map(({ data }) => data)
    },
    waitForClosed: (count) => ended.reached(count),
    waitForAttempts: (count) => attempted.reached(count),
    send(data, connection) {
      for (const { client } of openEntries(connection)) client.send(data)
    },
    closeClients(code, reason, connection) {
      for (const { client } of openEntries(connection)) client.close(code, reason)
    },
    terminate(connection) {
      for (const { socket } of openEntries(connection)) reset(socket)
    },
    async stop() {
      // The address is free at once; the callback would wait for connections, which die below.
      http?.close()
      http = null
      held = []
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      await Promise.all([...sockets].map(kill))
    },
    async restart() {
      if (!http && !isClosed) [http] = await start(port)
    },
    refuseUpgrades(status) {
      refusal = status
    },
    holdUpgrades(on) {
      isHolding = on
      if (on) return
      const waiting = held
      held = []
      for (const upgrade of waiting) answer(upgrade)
    },
    delayUpgrades(ms) {
      upgradeDelay = ms
    },
    echo(on) {
      isEchoing = on
    },
    answerPings(on) {
      isAnsweringPings = on
    },
    chooseProtocol(protocol) {
      chosen = protocol
    },
    async close() {
      isClosed = true
      await server.stop()
      for (const counter of [opened, ended, arrived, attempted]) counter.close()
    },
  }
  return server
}
