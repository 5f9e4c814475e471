// @stomp/stompjs over Heartwire, as docs/libraries.md shows it.
import { Client, Versions } from '@stomp/stompjs'
import { Heartwire } from '../../src/index.ts'

export function createClient(url: string, { interval = 10_000, timeout = 5_000 } = {}): Client {
  const Socket = Heartwire.extend({
    reconnect: false, // stompjs does, and greets the broker again
    queue: false, // it waits for `open` by itself
    heartbeat: { from: 'server', interval, timeout }, // no `pong`: stompjs wants to see the beats, too
  })
  return new Client({
    webSocketFactory: () => new Socket(url, Versions.default.protocolVersions()),
    heartbeatIncoming: interval, // asks the broker to beat
    reconnectDelay: 1_000,
  })
}
