// graphql-ws over Heartwire, as docs/libraries.md shows it.
import { createClient } from 'graphql-ws'
import type { Client } from 'graphql-ws'
import { Heartwire } from '../../src/index.ts'

export function connect(url: string, { interval = 25_000, timeout = 10_000 } = {}): Client {
  return createClient({
    url,
    webSocketImpl: Heartwire.extend({
      reconnect: false, // graphql-ws retries, and subscribes again
      queue: false, // it waits for `open` by itself
      heartbeat: { message: '{"type":"ping"}', pong: '{"type":"pong"}', interval, timeout },
    }),
    shouldRetry: () => true, // its default gives up at the `error` event that a lost connection begins with
    retryAttempts: Infinity, // its default is 5
  })
}
