// What tests use of a broker that has no types.
declare module 'stomp-broker-js' {
  import type { EventEmitter } from 'node:events'
  import type { Server } from 'node:http'

  interface Config {
    readonly server: Server
    readonly path: string
    /** ms between beats: its own, and the client's. */
    readonly heartbeat: readonly [own: number, client: number]
  }

  export default class StompServer extends EventEmitter {
    readonly socket: { readonly clients: ReadonlySet<{ close(code: number): void }> }
    constructor(config: Config)
    subscribe(topic: string, callback: (body: string) => void): string
    send(topic: string, headers: Record<string, string>, body: string): void
  }
}
