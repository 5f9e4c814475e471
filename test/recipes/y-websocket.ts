// y-websocket over Heartwire, as docs/libraries.md shows it.
import * as encoding from 'lib0/encoding'
import { writeSyncStep1 } from 'y-protocols/sync'
import { messageSync, WebsocketProvider } from 'y-websocket'
import type { Doc } from 'yjs'
import { Heartwire } from '../../src/index.ts'

export function connect(
  url: string,
  room: string,
  doc: Doc,
  { interval = 10_000, timeout = 5_000 } = {},
): WebsocketProvider {
  /** "This is what I have." The server answers with what is missing: a few bytes, if nothing is. */
  const question = (): Uint8Array<ArrayBuffer> =>
    encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, messageSync)
      writeSyncStep1(encoder, doc)
    })
  return new WebsocketProvider(url, room, doc, {
    WebSocketPolyfill: Heartwire.extend({
      reconnect: false, // y-websocket does, and synchronizes
      queue: false, // it waits for `open` by itself
      heartbeat: { message: question, interval, timeout }, // no `pong`: an answer may bring changes
    }),
  })
}
