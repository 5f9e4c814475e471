// The binding for Vue: what a url may be, and what the codec makes of the refs.
import { computed, ref, shallowRef } from 'vue'
import { type Heartwire, type HeartwireError, json, type State } from 'heartwire'
import { useHeartwire } from 'heartwire/vue'
import type { UseHeartwireOptions, UseHeartwireReturn, UseHeartwireUrl } from 'heartwire/vue'

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
  ref(url),
  ref<string>(),
  shallowRef(new URL(url)),
  computed(() => url),
  () => url,
  () => undefined,
  async ({ attempt, lastClose, signal }) => `${url}?${attempt}&${lastClose?.code}&${signal.aborted}`,
]

/** What the refs hold. */
export function use(): unknown[] {
  const used = useHeartwire(url, {
    codec: json<Incoming, Outgoing>(),
    onMessage: (message) => message.price,
    heartbeat: { message: 'ping', pong: 'pong' },
  })
  const state: State = used.state.value
  const readyState: 0 | 1 | 2 | 3 = used.readyState.value
  const data: Incoming | undefined = used.data.value
  const latency: number | null = used.latency.value
  const numbers: number[] = [used.attempt.value, used.bufferedAmount.value]
  const retryIn: number | null = used.retryIn.value
  const error: HeartwireError | null = used.error.value
  const socket: Heartwire<Incoming, Outgoing> | null = used.socket.value
  const isTaken: boolean = used.send({ kind: 'order', amount: 1 })
  const undo: () => void = used.on('message', (message) => message.price)
  used.on('*', (type, event) => [type, event])
  used.close(1000, 'enough')
  used.reconnect()
  return [state, readyState, data, latency, numbers, retryIn, error, socket, isTaken, undo]
}

/** Mistakes. */
export function mistakes(): void {
  const used = useHeartwire(url, { codec: json<Incoming, Outgoing>() })
  // @ts-expect-error It is for the socket to say.
  used.state.value = 'open'
  // @ts-expect-error No such message is sent.
  used.send('text')
  // @ts-expect-error There is no such event; it is `closed`.
  used.on('close', () => {})
  // @ts-expect-error It is `onMessage`.
  useHeartwire(url, { onmessage() {} })
  // @ts-expect-error A url is no number.
  useHeartwire(ref(1))
  // @ts-expect-error A url must be given, though it may be `undefined`.
  useHeartwire()
}

export const options: UseHeartwireOptions = { start: 'lazy', onMessage: undefined }
export const returned: UseHeartwireReturn<Incoming, Outgoing> | null = null
