// Code that was written for the types of reconnecting-websocket 4.4, or of partysocket's class, compiles with ours.
import type * as Party from 'partysocket/ws'
import type * as Original from 'reconnecting-websocket'
import type { Heartwire, HeartwireCloseEvent } from 'heartwire'
import Default, { ReconnectingWebSocket } from 'heartwire/reconnecting-websocket'
import type {
  CloseEvent,
  ErrorEvent,
  Event,
  ListenersMap,
  Message,
  Options,
  ProtocolsProvider,
  UrlProvider,
  WebSocketEventMap,
} from 'heartwire/reconnecting-websocket'

declare const url: string
declare const original: Original.Options
declare const party: Party.Options
declare const theirUrl: Original.UrlProvider
declare const theirProtocols: Party.ProtocolsProvider
declare const theirMessage: Original.Message

/** What was typed by them is taken by ours. */
export const options: Options[] = [original, party]
export const urls: UrlProvider[] = [theirUrl, new URL(url), async () => new URL(url)]
export const protocols: ProtocolsProvider[] = [theirProtocols, undefined]
export const messages: Message[] = [theirMessage]
export const constructed: ReconnectingWebSocket[] = [
  new ReconnectingWebSocket(url),
  new ReconnectingWebSocket(theirUrl, 'chat', original),
  new ReconnectingWebSocket(theirUrl, theirProtocols, party),
  new ReconnectingWebSocket(() => url, [], { WebSocket, connectionTimeout: 1_000, maxRetries: 10 }),
  new ReconnectingWebSocket(
    async () => url,
    () => null,
    { heartbeat: { message: 'ping' }, network: false },
  ),
]

/** A class that can be constructed as theirs can, and whose instances have all of their public members. */
export const Constructor: new (
  url: Original.UrlProvider,
  protocols?: string | string[],
  options?: Original.Options,
) => ReconnectingWebSocket = Default
export const PartyConstructor: new (...given: ConstructorParameters<typeof Party.default>) => ReconnectingWebSocket =
  ReconnectingWebSocket

type Facts<Socket> = Omit<Socket, `on${string}` | `${string}EventListener` | 'dispatchEvent'>

export const asOriginal: Facts<Original.default> = new ReconnectingWebSocket(url)
export const asParty: Facts<Party.default> = new ReconnectingWebSocket(url)
export const statics: Record<'CONNECTING' | 'OPEN' | 'CLOSING' | 'CLOSED', number> = ReconnectingWebSocket

/** It is what a `Heartwire` is. */
export const socket: Heartwire = new ReconnectingWebSocket(url)
export const native: WebSocket = new ReconnectingWebSocket(url)
export const Native: typeof WebSocket = ReconnectingWebSocket

/** Listeners that were typed by them, by ours, by the DOM or not at all. */
export function listen(rws: ReconnectingWebSocket): void {
  const onError = (event: Original.ErrorEvent): string => event.message + event.error.stack
  const onClose = (event: Original.CloseEvent): number => event.code + event.reason.length + event.target.size
  const onOpen = (event: Original.Event): unknown => event.target.url
  rws.onerror = onError
  rws.onclose = onClose
  rws.onopen = onOpen
  rws.onmessage = (event: MessageEvent) => event.data
  rws.addEventListener('error', onError)
  rws.addEventListener('close', onClose)
  rws.addEventListener('open', onOpen)
  rws.removeEventListener('error', onError)
  rws.onerror = (event) => event.message.length + event.error.message.length
  rws.onclose = (event) => [event.code, event.willReconnect, event.target.url]
  rws.onopen = (event) => event.target.url
  rws.onopen = (event: globalThis.Event) => event.type
  rws.onclose = (event: globalThis.CloseEvent) => event.wasClean
  rws.onclose = null
  rws.addEventListener('error', ({ message }) => message.length)
  rws.addEventListener('close', ({ code, target }: CloseEvent) => [code, target.url], { once: true })
  rws.addEventListener('error', (event: ErrorEvent) => event.error)
  rws.addEventListener('open', (event: Event) => event.target.url)
  rws.addEventListener('message', (event) => event.data)
  const partyClose: (event: Party.CloseEvent) => void = (event) => event.code
  const partyError: (event: Party.ErrorEvent) => void = (event) => event.error
  rws.addEventListener('close', partyClose)
  rws.addEventListener('error', partyError)
  const map: Partial<ListenersMap> = { error: [(event) => event.message], close: [(event) => event.code] }
  const types: (keyof WebSocketEventMap)[] = ['open', 'message', 'error', 'close']
  const close: (event: HeartwireCloseEvent) => void = (event) => event.willReconnect
  rws.addEventListener('close', close)
  for (const type of types) rws.addEventListener(type, () => map[type])
}

/** What there is to call and to read. */
export function use(rws: ReconnectingWebSocket): unknown[] {
  const isSent: boolean = rws.send('text')
  const waiting: Message[] = rws.drainQueuedMessages()
  const numbers: number[] = [rws.retryCount, rws.bufferedAmount, rws.readyState, rws.OPEN, ReconnectingWebSocket.CLOSED]
  const words: string[] = [rws.url, rws.protocol, rws.extensions]
  const isComing: boolean = rws.shouldReconnect
  rws.binaryType = 'arraybuffer'
  rws.close()
  rws.close(1000, 'enough')
  rws.reconnect()
  rws.reconnect(4000, 'other room')
  rws.on('waiting', ({ delay }) => delay)
  return [isSent, waiting, numbers, words, isComing]
}

class Own extends ReconnectingWebSocket {
  constructor(path: string) {
    super(() => url + path, [], { debug: true, debugLogger: (...what) => what.length, startClosed: true })
  }
}

export const own: ReconnectingWebSocket = new Own('/feed')

export const wrong: ReconnectingWebSocket[] = [
  // @ts-expect-error It is `maxRetries`.
  new ReconnectingWebSocket(url, [], { maxAttempts: 3 }),
  // @ts-expect-error It is `maxEnqueuedMessages`.
  new ReconnectingWebSocket(url, [], { queue: { maxMessages: 3 } }),
  // @ts-expect-error Options come third.
  new ReconnectingWebSocket(url, { maxRetries: 3 }),
  // @ts-expect-error A number.
  new ReconnectingWebSocket(url, [], { minUptime: '5s' }),
]

/** Mistakes. */
export function mistakes(rws: ReconnectingWebSocket): void {
  // @ts-expect-error It is for the socket to say.
  rws.retryCount = 0
  // @ts-expect-error An object cannot be sent.
  rws.send({ kind: 'order' })
  // @ts-expect-error A listener of `open` gets no close event.
  rws.addEventListener('open', (event: CloseEvent) => event.code)
  // @ts-expect-error An error event has no code.
  rws.onerror = (event) => event.code
}
