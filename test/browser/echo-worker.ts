// Runs in a dedicated worker: a socket that tells its page what it sees.
import { Heartwire } from '../../src/index.ts'

/** What the page says to the worker. */
export type Order = { open: string } | { send: string } | 'close'

const say = (...what: unknown[]): void => postMessage(what)

let socket: Heartwire | undefined

const open = (url: string): void => {
  socket = new Heartwire(url, { reconnect: { minDelay: 20, maxDelay: 20 } })
  socket.onopen = (event) => say('open', event.target === socket)
  socket.onmessage = (event) => say('message', event.data, event instanceof MessageEvent, event.target === socket)
  socket.onclose = (event) => say('close', event.code, event instanceof CloseEvent, event.willReconnect)
}

addEventListener('message', ({ data }: MessageEvent<Order>) => {
  if (data === 'close') socket?.close()
  else if ('open' in data) open(data.open)
  else socket?.send(data.send)
})
