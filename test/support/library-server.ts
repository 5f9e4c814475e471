// The servers that libraries over WebSocket are made for, on loopback, behind a link that breaks on request.
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { Duplex } from 'node:stream'
import { docs, setupWSConnection } from '@y/websocket-server/utils'
import { Aedes } from 'aedes'
import { useServer } from 'graphql-ws/use/ws'
import StompServer from 'stomp-broker-js'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { listen } from './listen.ts'
import { createProxy } from './proxy.ts'
import type { TestProxy } from './proxy.ts'
import { createCounter } from './waiting.ts'

// Vitest would take the ES module, and graphql-ws, which Node loads, the CommonJS one: two that do not know each other.
const { GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } = createRequire(import.meta.url)(
  'graphql',
) as typeof import('graphql')

/** Each by the name of its client. */
export const LIBRARIES = ['graphql-ws', 'stomp', 'mqtt', 'y-websocket', 'rxjs'] as const
export type Library = (typeof LIBRARIES)[number]

/** One of them as tests see it. Every argument and result is plain data, so that a page can command it too. */
export interface LibraryServer {
  readonly port: number
  /** Resolves once there have been `count` subscriptions, ever; of y-websocket, which has none, connections in use. */
  waitForSubscribed(count: number): Promise<void>
  /** Resolves once `count` connections have ended at this end, ever. */
  waitForClosed(count: number): Promise<void>
  /** Closes every connection with this code. */
  closeClients(code: number): void
  /** Ends everything. Harmless twice. */
  close(): Promise<void>
}

/** A server and a proxy in front of it. */
export interface LibraryRig {
  readonly server: LibraryServer
  readonly proxy: TestProxy
  /** The server's address through the proxy. */
  readonly url: string
  /** The server's address past the proxy. */
  readonly serverUrl: string
  close(): Promise<void>
}

/** Makes an HTTP server speak a protocol; returns its connections, and how to close what it needs besides them. */
type Protocol = (
  http: Server,
  subscribed: () => void,
) => {
  clients: Iterable<{ close(code: number): void }>
  close?: () => unknown
}

/** Everything that is said, for whoever listens from now on. */
const createTopic = (): { say(text: string): void; listen(): AsyncGenerator<{ said: string }> } => {
  const ears = new Set<(text: string) => void>()
  return {
    say(text) {
      for (const ear of ears) ear(text)
    },
    listen() {
      const heard: string[] = []
      let wake: (() => void) | undefined
      const ear = (text: string): void => {
        heard.push(text)
        wake?.()
      }
      ears.add(ear)
      const generate = async function* (): AsyncGenerator<{ said: string }> {
        try {
          for (;;) {
            for (let said = heard.shift(); said !== undefined; said = heard.shift()) yield { said }
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
        } finally {
          ears.delete(ear)
        }
      }
      return generate()
    },
  }
}

const PROTOCOLS: Record<Library, Protocol> = {
  'graphql-ws'(server, subscribed) {
    const topic = createTopic()
    const said = { type: new GraphQLNonNull(GraphQLString) }
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({ name: 'Query', fields: { nothing: { type: GraphQLString } } }),
      mutation: new GraphQLObjectType({
        name: 'Mutation',
        fields: {
          say: {
            ...said,
            args: { text: { type: new GraphQLNonNull(GraphQLString) } },
            resolve: (_source, { text }: { text: string }) => {
              topic.say(text)
              return text
            },
          },
        },
      }),
      subscription: new GraphQLObjectType({
        name: 'Subscription',
        fields: {
          said: {
            ...said,
            subscribe: () => {
              const heard = topic.listen()
              subscribed()
              return heard
            },
          },
        },
      }),
    })
    const sockets = new WebSocketServer({ server })
    // Without protocol pings of its own, which would end a connection that a test has stalled.
    useServer({ schema }, sockets, 0)
    return { clients: sockets.clients }
  },

  stomp(server, subscribed) {
    // It beats as often as the client asks for, and never more often than this.
    const broker = new StompServer({ server, path: '/', heartbeat: [1, 0] })
    // It does not tell a client what the client itself has said.
    broker.subscribe('/topic/said', (body) => broker.send('/topic/heard', {}, body))
    broker.on('subscribe', subscribed)
    return { clients: broker.socket.clients }
  },

  mqtt(server, subscribed) {
    const sockets = new WebSocketServer({ server })
    const broker = Aedes.createBroker()
    sockets.on('connection', (socket, request) => {
      const stream = createWebSocketStream(socket)
      stream.on('error', () => {}) // A connection that is cut: aedes hears of it, too.
      void broker.then((ready) => ready.handle(stream, request))
    })
    void broker.then((ready) => ready.on('subscribe', subscribed))
    return {
      clients: sockets.clients,
      close: async () => {
        const ready = await broker
        await new Promise<void>((resolve) => {
          ready.close(() => resolve())
        })
      },
    }
  },

  'y-websocket'(server, subscribed) {
    const sockets = new WebSocketServer({ server })
    const rooms = new Set<string>()
    sockets.on('connection', (socket, request) => {
      const docName = request.url?.slice(1)
      rooms.add(docName ?? '')
      setupWSConnection(socket, request, { docName })
      socket.once('message', subscribed)
    })
    return {
      clients: sockets.clients,
      close() {
        // It keeps them for ever otherwise, each with a timer.
        for (const room of rooms) docs.get(room)?.destroy()
        for (const room of rooms) docs.delete(room)
      },
    }
  },

  rxjs(server, subscribed) {
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket) => {
      socket.on('message', (bytes: Buffer) => {
        const text = bytes.toString()
        if (text === '{"subscribe":"said"}') subscribed()
        else socket.send(text === 'ping' ? 'pong' : text)
      })
    })
    return { clients: sockets.clients }
  },
}

async function startServer(library: Library): Promise<LibraryServer> {
  const http = createServer((_request, response) => response.writeHead(426).end())
  const upgraded: Duplex[] = []
  const subscribed = createCounter('subscriptions')
  const ended = createCounter('ended connections')
  http.on('upgrade', (_request, socket: Duplex) => {
    upgraded.push(socket)
    socket.on('close', () => ended.add())
    socket.on('error', () => {}) // `close` follows.
  })
  // Listening first: some of the servers take a port that is taken for an error of theirs.
  const port = await listen(http)
  const { clients, close } = PROTOCOLS[library](http, () => subscribed.add())
  let closing: Promise<void> | undefined
  return {
    port,
    waitForSubscribed: (count) => subscribed.reached(count),
    waitForClosed: (count) => ended.reached(count),
    closeClients(code) {
      for (const client of clients) client.close(code)
    },
    close() {
      closing ??= (async () => {
        for (const socket of upgraded) socket.destroy()
        await ended.reached(upgraded.length)
        await close?.()
        await new Promise<void>((resolve) => {
          http.close(() => resolve())
        })
        for (const counter of [subscribed, ended]) counter.close()
      })()
      return closing
    },
  }
}

/** Starts a server for the clients of a library, and a proxy in front of it. */
export async function startLibraryRig(library: Library): Promise<LibraryRig> {
  const server = await startServer(library)
  const proxy = await createProxy(server.port)
  return {
    server,
    proxy,
    url: `ws://127.0.0.1:${proxy.port}/`,
    serverUrl: `ws://127.0.0.1:${server.port}/`,
    async close() {
      await proxy.close()
      await server.close()
    },
  }
}
