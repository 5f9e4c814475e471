// Listening on a port that stays ours: for a server that stops and comes back at the same address.
import type { Server } from 'node:net'

/**
 * Below every system's range of ephemeral ports and above every port that browsers block. A port from the ephemeral
 * range can be taken by an outgoing connection while we do not listen; a client can even connect to itself there.
 */
const lowest = 12_000
const highest = 32_000
const tries = 50

const listenOnce = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      server.off('listening', onListening)
      reject(error)
    }
    const onListening = (): void => {
      server.off('error', onError)
      resolve()
    }
    server.once('error', onError)
    server.once('listening', onListening)
    server.listen(port, '127.0.0.1')
  })

const isTaken = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

/** Listens on loopback, on `port` or on a free one, and resolves to the port. */
export async function listen(server: Server, port?: number): Promise<number> {
  if (port !== undefined) {
    await listenOnce(server, port)
    return port
  }
  for (let attempt = 1; ; attempt += 1) {
    const candidate = lowest + Math.floor(Math.random() * (highest - lowest))
    try {
      await listenOnce(server, candidate)
      return candidate
    } catch (error) {
      if (!isTaken(error) || attempt === tries) throw error
    }
  }
}
