// A TCP proxy on loopback that fails on request. It knows nothing of WebSocket: what it does to bytes, networks do.
// For socket options see `net`; both sides may be half open, so that a FIN travels as it would without us.
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { listen } from './listen.ts'
import { reset } from './reset.ts'
import { createCounter } from './waiting.ts'

/** The proxy as tests see it. Every argument and result is plain data, so that a page can command it too. */
export interface TestProxy {
  /** Where clients connect. It stays the same for the proxy's whole life. */
  readonly port: number
  /** Clients connected now. */
  readonly connections: number
  /** Clients accepted ever. */
  readonly accepted: number
  /** Resolves once `count` clients have been accepted, ever. */
  waitForAccepted(count: number): Promise<void>
  /** Resolves once `count` connections have ended at our end, ever. */
  waitForEnded(count: number): Promise<void>
  /** Holds everything, in both directions, on existing and new connections: a black hole that ends with `resume`. */
  stall(): void
  /** Ends `stall`; what was held is delivered. */
  resume(): void
  /** From now on each byte and each FIN arrives `ms` milliseconds late, in each direction. */
  delay(ms: number): void
  /** From now on each direction of each connection passes this many bytes a second at most; null for no limit. */
  throttle(rate: number | null): void
  /** While on, the end of a connection is not passed on: bytes are. The peer that ended it is gone, the other is not told. */
  keepEnds(on: boolean): void
  /** Sends bytes of ours to every client, as if the server had sent them. */
  inject(bytes: Uint8Array): void
  /** Answers every further connection with this text and ends it, whatever it asked for; null to pass on again. */
  answer(text: string | null): void
  /** Existing connections stay open but pass nothing on, ever; later connections work. */
  blackhole(): void
  /** Ends every connection with FIN on both sides. */
  cut(): void
  /** Ends every connection with RST on both sides. Resolves once our ends are gone. */
  reset(): Promise<void>
  /** Stops listening: new connections are refused, existing ones stay. */
  refuse(): void
  /** Ends `refuse`, on the same port. */
  accept(): Promise<void>
  /** While on, new connections are accepted and never answered, even after it is off again. */
  hangUpgrade(on: boolean): void
  /** Ends everything. Harmless twice. */
  close(): Promise<void>
}

/** One direction of one connection. */
interface Pipe {
  /** Delivers what is due, unless stalled. */
  pump(): void
  /** Passes on nothing any more. */
  discard(): void
}

interface Link {
  readonly client: Socket
  readonly upstream: Socket | null
  readonly pipes: readonly Pipe[]
}

/** What travels: bytes, or the end of them. */
type Parcel = { due: number } & ({ kind: 'bytes'; bytes: Buffer } | { kind: 'end' } | { kind: 'reset' })

interface Weather {
  isStalled: boolean
  isKeepingEnds: boolean
  delay: number
  /** Bytes per second. */
  rate: number
}

/** ms between two portions of a throttled direction. */
const PORTION = 10

function createPipe(from: Socket, to: Socket, weather: Weather): Pipe {
  const parcels: Parcel[] = []
  let timer: NodeJS.Timeout | undefined
  let isDiscarding = false
  let isFull = false
  let nextPortion = 0

  const put = (parcel: { kind: 'bytes'; bytes: Buffer } | { kind: 'end' } | { kind: 'reset' }): void => {
    if (isDiscarding) return
    parcels.push({ ...parcel, due: performance.now() + weather.delay })
    pump()
  }

  /** What may leave now; the rest stays first in the line. */
  const take = (): Parcel | undefined => {
    const first = parcels[0]
    const portion = Math.max(Math.floor((weather.rate * PORTION) / 1_000), 1)
    if (first?.kind !== 'bytes' || first.bytes.length <= portion) return parcels.shift()
    const bytes = first.bytes.subarray(0, portion)
    parcels[0] = { ...first, bytes: first.bytes.subarray(portion) }
    return { ...first, bytes }
  }

  const deliver = (parcel: Parcel): void => {
    if (weather.rate < Infinity) nextPortion = performance.now() + PORTION
    if (parcel.kind !== 'bytes' && weather.isKeepingEnds) return
    switch (parcel.kind) {
      case 'bytes':
        // A receiver that does not read must be felt by the sender, else its `bufferedAmount` stays 0.
        if (!to.write(parcel.bytes)) isFull = true
        return
      case 'end':
        to.end()
        return
      case 'reset':
        reset(to)
        return
      default:
        parcel satisfies never
    }
  }

  const pump = (): void => {
    clearTimeout(timer)
    const isOpen = (): boolean => !weather.isStalled && !isFull
    for (let next = parcels[0]; next && isOpen(); next = parcels[0]) {
      const wait = Math.max(next.due, nextPortion) - performance.now()
      if (wait > 0) {
        timer = setTimeout(pump, Math.ceil(wait))
        break
      }
      deliver(take() ?? next)
    }
    // What a throttled direction has not passed on must be felt by the sender, too.
    const isBehind = weather.rate < Infinity && parcels.length > 0
    if (isDiscarding || (isOpen() && !isBehind)) from.resume()
    else from.pause()
  }

  from.on('data', (bytes: Buffer) => put({ kind: 'bytes', bytes }))
  from.on('end', () => put({ kind: 'end' }))
  // An error here is the other side's RST; it is passed on like everything else, so a stall hides it.
  from.on('error', () => put({ kind: 'reset' }))
  to.on('drain', () => {
    isFull = false
    pump()
  })
  pump()

  return {
    pump,
    discard() {
      isDiscarding = true
      parcels.length = 0
      // Reading on keeps the sender's window open: it must believe that its bytes arrive.
      pump()
    },
  }
}

/** A proxy from a port of its own to `targetPort`, both on 127.0.0.1. */
export async function createProxy(targetPort: number): Promise<TestProxy> {
  const weather: Weather = { isStalled: false, isKeepingEnds: false, delay: 0, rate: Infinity }
  const links = new Set<Link>()
  const accepted = createCounter('accepted connections')
  const ended = createCounter('ended connections')
  let isHanging = false
  let reply: string | null = null
  let isClosed = false

  const onConnection = (client: Socket): void => {
    client.setNoDelay(true)
    const upstream =
      isHanging || reply !== null
        ? null
        : connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true, noDelay: true })
    const pipes = upstream ? [createPipe(client, upstream, weather), createPipe(upstream, client, weather)] : []
    const link: Link = { client, upstream, pipes }
    if (!upstream) {
      client.on('error', () => {}) // Hung connections may be reset by the client: nobody is there to tell.
      // Only after the question: an answer before it is no HTTP.
      if (reply !== null) client.once('data', () => client.end(reply ?? ''))
      client.resume()
    }
    links.add(link)
    client.on('close', () => {
      links.delete(link)
      ended.add()
    })
    accepted.add()
  }

  const open = async (port?: number): Promise<[Server, number]> => {
    const created = createServer({ allowHalfOpen: true }, onConnection)
    return [created, await listen(created, port)]
  }

  let [server, port]: [Server | null, number] = await open()

  const proxy: TestProxy = {
    port,
    get connections() {
      return links.size
    },
    get accepted() {
      return accepted.count
    },
    waitForAccepted: (count) => accepted.reached(count),
    waitForEnded: (count) => ended.reached(count),
    stall() {
      weather.isStalled = true
      pumpAll()
    },
    resume() {
      weather.isStalled = false
      pumpAll()
    },
    delay(ms) {
      weather.delay = ms
    },
    throttle(rate) {
      weather.rate = rate ?? Infinity
      pumpAll()
    },
    keepEnds(on) {
      weather.isKeepingEnds = on
    },
    inject(bytes) {
      for (const { client } of links) client.write(bytes)
    },
    answer(text) {
      reply = text
    },
    blackhole() {
      for (const link of links) for (const pipe of link.pipes) pipe.discard()
    },
    cut() {
      for (const { client, upstream, pipes } of links) {
        for (const pipe of pipes) pipe.discard()
        client.end()
        upstream?.end()
      }
    },
    async reset() {
      await Promise.all([...links].map(destroyLink))
    },
    refuse() {
      // The address is free at once; the callback would wait for the connections, which stay.
      server?.close()
      server = null
    },
    async accept() {
      if (!server && !isClosed) [server] = await open(port)
    },
    hangUpgrade(on) {
      isHanging = on
    },
    async close() {
      isClosed = true
      proxy.refuse()
      await proxy.reset()
      accepted.close()
      ended.close()
    },
  }

  const pumpAll = (): void => {
    for (const link of links) for (const pipe of link.pipes) pipe.pump()
  }

  const destroyLink = ({ client, upstream, pipes }: Link): Promise<void> =>
    new Promise((resolve) => {
      for (const pipe of pipes) pipe.discard()
      client.once('close', () => resolve())
      if (upstream) reset(upstream)
      reset(client)
    })

  return proxy
}
