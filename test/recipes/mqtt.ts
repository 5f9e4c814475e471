// mqtt.js over Heartwire, as docs/libraries.md shows it.
import mqtt from 'mqtt'
import type { MqttClient } from 'mqtt'
import { Heartwire } from '../../src/index.ts'

const PINGREQ = Uint8Array.of(0xc0, 0x00)

export function connect(url: string, { interval = 25_000, timeout = 10_000 } = {}): MqttClient {
  const Socket = Heartwire.extend({
    reconnect: false, // mqtt.js does, subscribes again and sends again what was not acknowledged
    queue: false, // it waits for `open` by itself
    heartbeat: { message: PINGREQ, interval, timeout }, // no `pong`: mqtt.js waits for answers to pings of its own
  })
  return mqtt.connect(url, {
    createWebsocket: (address, protocols) => new Socket(address, protocols),
    forceNativeWebSocket: true, // for Node, where it would want the class of `ws` itself
  })
}
