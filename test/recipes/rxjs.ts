// webSocket of rxjs over Heartwire, as docs/libraries.md shows it.
import { repeat, retry, timer } from 'rxjs'
import type { MonoTypeOperatorFunction, Observable } from 'rxjs'
import { webSocket } from 'rxjs/webSocket'
import type { WebSocketSubject } from 'rxjs/webSocket'
import { Heartwire } from '../../src/index.ts'

export function connect<T>(url: string, { interval = 25_000, timeout = 10_000 } = {}): WebSocketSubject<T> {
  return webSocket<T>({
    url,
    WebSocketCtor: Heartwire.extend({
      reconnect: false, // `forever`, below, does
      queue: false, // rxjs waits for `open` by itself
      heartbeat: { message: 'ping', pong: 'pong', interval, timeout }, // or what your server answers
    }),
  })
}

/** Subscribes again when the connection is lost (an error) and when the server closes it (a completion). */
export function forever<T>(): MonoTypeOperatorFunction<T> {
  const delay = (): Observable<0> => timer(500 + Math.random() * 1_000)
  return (source) => source.pipe(retry({ delay }), repeat({ delay }))
}
