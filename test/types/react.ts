// The binding for React: what a url may be, and what the codec makes of the rest.
import { type Heartwire, type HeartwireError, json, type State } from 'heartwire'
import { useHeartwire, useHeartwireEvent, useHeartwireMessage } from 'heartwire/react'
import type { UseHeartwireOptions, UseHeartwireReturn, UseHeartwireUrl } from 'heartwire/react'

declare const url: string

interface Incoming {
  readonly kind: 'tick'
  readonly price: number
}

interface Outgoing {
  readonly kind: 'order'
  readonly amount: number
}

export const sources: UseHeartwireUrl[] = [
  url,
  new URL(url),
  undefined,
  null,
  Math.random() > 0.5 && url,
  () => url,
  async ({ attempt, lastClose, signal }) => `${url}?${attempt}&${lastClose?.code}&${signal.aborted}`,
]

/** What there is to read and to do. */
export function Ticker(): unknown[] {
  const used = useHeartwire(url, {
    codec: json<Incoming, Outgoing>(),
    onMessage: (message) => message.price,
    heartbeat: { message: 'ping', pong: 'pong' },
    instance: 'ticks',
    deps: [1, 'two', { three: 3 }],
  })
  useHeartwireMessage(used.socket, (message) => message.price)
  useHeartwireMessage(used.socket, undefined)
  useHeartwireEvent(used.socket, 'waiting', ({ delay }) => delay)
  const state: State = used.state
  const readyState: 0 | 1 | 2 | 3 = used.readyState
  const data: Incoming | undefined = used.data
  const latency: number | null = used.latency
  const numbers: number[] = [used.attempt, used.bufferedAmount]
  const retryIn: number | null = used.retryIn
  const error: HeartwireError | null = used.error
  const socket: Heartwire<Incoming, Outgoing> | null = used.socket
  const isTaken: boolean = used.send({ kind: 'order', amount: 1 })
  used.close(1000, 'enough')
  used.reconnect()
  return [state, readyState, data, latency, numbers, retryIn, error, socket, isTaken]
}

/** Mistakes. */
export function Mistakes(): void {
  const used = useHeartwire(url, { codec: json<Incoming, Outgoing>() })
  // @ts-expect-error It is for the socket to say.
  used.state = 'open'
  // @ts-expect-error No such message is sent.
  used.send('text')
  // @ts-expect-error There is no such event; it is `closed`.
  useHeartwireEvent(used.socket, 'close', () => {})
  // @ts-expect-error It is a message of this socket that comes.
  useHeartwireMessage(used.socket, (message: string) => message)
  // @ts-expect-error It is `onMessage`.
  useHeartwire(url, { onmessage() {} })
  // @ts-expect-error A url is no number.
  useHeartwire(1)
  // @ts-expect-error A url must be given, though it may be `undefined`.
  useHeartwire()
}

export const options: UseHeartwireOptions = { start: 'lazy', onMessage: undefined, instance: undefined }
export const returned: UseHeartwireReturn<Incoming, Outgoing> | null = null
