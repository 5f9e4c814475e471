// A Heartwire is constructed and used as a WebSocket, and extended.
import Default, { Heartwire } from 'heartwire'
import type { HeartwireCloseEvent } from 'heartwire'

declare const url: string

export const target: EventTarget = new Heartwire(url)
export const same: typeof Heartwire = Default

export const constructed: Heartwire[] = [
  new Heartwire(url),
  new Heartwire(new URL(url)),
  new Heartwire(url, 'chat'),
  new Heartwire(url, ['chat', 'v2']),
  new Heartwire(url, ['chat'], { binaryType: 'arraybuffer' }),
  new Heartwire(url, undefined, { queue: false }),
  new Heartwire(url, { queue: false }),
  new Heartwire(() => url),
  new Heartwire(async ({ attempt, signal, lastClose }) => {
    signal.throwIfAborted()
    return new URL(`${url}?attempt=${attempt + 1}&code=${lastClose?.code ?? 0}`)
  }),
  new Heartwire(url, () => 'chat'),
  new Heartwire(url, async () => ['chat']),
]

// @ts-expect-error A url is required.
export const missing: Heartwire = new Heartwire()
// @ts-expect-error A number is no url.
export const wrongUrl: Heartwire = new Heartwire(5)
// @ts-expect-error A provider gives a url.
export const wrongProvider: Heartwire = new Heartwire(() => 5)
// @ts-expect-error Protocols are text.
export const wrongProtocols: Heartwire = new Heartwire(url, [5])

/** What code written for a native socket does with it. */
export function use(socket: Heartwire): void {
  socket.onopen = (event: Event) => event.type
  socket.onmessage = (event: MessageEvent) => event.data
  socket.onerror = null
  socket.onclose = (event: CloseEvent) => event.code
  socket.onclose = (event) => event.willReconnect
  socket.addEventListener('message', (event) => event.data, { once: true })
  socket.addEventListener('close', (event) => event.code)
  socket.addEventListener('anything', { handleEvent: (event: Event) => event.type })
  socket.removeEventListener('message', null)
  socket.binaryType = 'arraybuffer'
  socket.send('text')
  socket.send(new Uint8Array(1))
  socket.send(new ArrayBuffer(1))
  socket.send(new Blob(['x']))
  socket.close()
  socket.close(3000, 'done')
  const numbers: [0, 1, 2, 3] = [Heartwire.CONNECTING, socket.OPEN, socket.CLOSING, Heartwire.CLOSED]
  if (socket.readyState === numbers[1]) socket.send(socket.url)

  // @ts-expect-error Read-only, as the native one.
  socket.readyState = 1
  // @ts-expect-error Read-only, as the native one.
  socket.url = url
  // @ts-expect-error Not a binary type.
  socket.binaryType = 'nodebuffer'
  // @ts-expect-error Something has to be sent.
  socket.send()
  // @ts-expect-error An object needs a codec.
  socket.send({ kind: 'order' })
  // @ts-expect-error A code is a number.
  socket.close('1000')
  // @ts-expect-error A listener for `open` gets no close event.
  socket.onopen = (event: CloseEvent) => event.code
}

export const closed = (event: HeartwireCloseEvent): [CloseEvent, boolean] => [event, event.willReconnect]

const Extended = Heartwire.extend({ reconnect: { maxAttempts: 3 }, heartbeat: { message: 'ping' } })

export const extended: Heartwire = new Extended(url, 'chat')
export const again: Heartwire = new (Extended.extend({ queue: false }))(url, { network: false })

// @ts-expect-error Defaults are checked like options.
Heartwire.extend({ reconect: false })

class Own extends Heartwire<string, string> {
  greet(): void {
    this.send('hello')
  }
}

export const own: Heartwire<string, string> = new Own(url)
