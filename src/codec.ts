// The ready-made codec. Kept apart so that who does not use it does not ship it.
import type { Codec } from './types.js'

/**
 * Messages as JSON text.
 *
 * @example
 * const socket = new Heartwire('wss://example.com', { codec: json<ServerMessage, ClientMessage>() })
 * socket.on('message', (message) => message.kind)
 */
export function json<Incoming = unknown, Outgoing = unknown>(): Codec<Incoming, Outgoing> {
  return {
    encode(message) {
      const text = JSON.stringify(message) as string | undefined
      if (text === undefined)
        throw new TypeError(`Cannot encode as the message must be JSON: current value is ${String(message)}`)
      return text
    },
    decode: (data) => JSON.parse(data as string) as Incoming,
  }
}
