// A Heartwire is a WebSocket to the compiler, and its class can be given where a WebSocket class is wanted.
import { Heartwire } from 'heartwire'

declare const url: string

/** Libraries that take a WebSocket class ask for it in these ways. */
declare function takesClass(WebSocketClass: typeof WebSocket): void
declare function takesConstructor(construct: new (url: string, protocols?: string | string[]) => WebSocket): void
declare function takesOptions(options: { WebSocket?: typeof WebSocket; webSocketImpl?: unknown }): void

const Extended = Heartwire.extend({ reconnect: { maxAttempts: 3 }, heartbeat: { message: 'ping' } })

takesClass(Heartwire)
takesClass(Extended)
takesConstructor(Heartwire)
takesConstructor(Extended)
takesOptions({ WebSocket: Extended, webSocketImpl: Extended })

export const native: WebSocket = new Heartwire(url)
export const extended: WebSocket = new Extended(url, 'chat')
