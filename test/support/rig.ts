// A server behind a link that breaks on request: what most tests need.
import { createProxy } from './proxy.ts'
import type { TestProxy } from './proxy.ts'
import { startServer } from './server.ts'
import type { TestServer } from './server.ts'

/** Both, and the address that goes through the link. */
export interface Rig {
  readonly server: TestServer
  readonly proxy: TestProxy
  /** The server's address through the proxy. */
  readonly url: string
  /** The server's address past the proxy. */
  readonly serverUrl: string
  /** Ends both. Harmless twice. */
  close(): Promise<void>
}

/** Starts a server and a proxy in front of it. */
export async function startRig(): Promise<Rig> {
  const server = await startServer()
  const proxy = await createProxy(server.port)
  return {
    server,
    proxy,
    url: `ws://127.0.0.1:${proxy.port}/`,
    serverUrl: server.url,
    async close() {
      await proxy.close()
      await server.close()
    },
  }
}
