// What listeners are given, and what a codec makes of messages.
import { Heartwire, HeartwireError, json } from 'heartwire'
import type { ClosedReason, CloseInfo, Codec, HeartwireErrorCode, HeartwireEvents, State, WireData } from 'heartwire'

declare const url: string
declare const socket: Heartwire

interface Incoming {
  readonly kind: 'tick'
  readonly price: number
}

interface Outgoing {
  readonly kind: 'order'
  readonly amount: number
}

/** The bus, with what each event carries. */
export function listen(): (() => void)[] {
  return [
    socket.on('state', ({ state, previous }): [State, State] => [state, previous]),
    socket.on('open', ({ attempt, isReconnect }): [number, boolean] => [attempt, isReconnect]),
    socket.on('lost', ({ close, wasOpen, willReconnect, requeued, inDoubt }): [CloseInfo, boolean, number] => [
      close,
      wasOpen && willReconnect,
      requeued + inDoubt,
    ]),
    socket.on('waiting', ({ attempt, delay, retryAt }): number => attempt + delay + retryAt),
    socket.on('closed', ({ reason, close }): [ClosedReason, CloseInfo | null] => [reason, close]),
    socket.on('heartbeat', ({ latency }): number | null => latency),
    socket.on('probe', ({ timeout }): number => timeout),
    socket.on('drain', () => {}),
    socket.on('dropped', ({ messages, reason }): [readonly WireData[], string] => [messages, reason]),
    socket.on('error', ({ code, cause }): [HeartwireErrorCode, unknown] => [code, cause]),
    socket.on('*', (type: keyof HeartwireEvents, event: unknown) => [type, event]),
  ]
}

/** Mistakes. */
export function mistakes(): void {
  // @ts-expect-error There is no such event; it is `closed`.
  socket.on('close', () => {})
  // @ts-expect-error A retry has a `delay`.
  socket.on('waiting', ({ timeout }) => timeout)
  // @ts-expect-error An attempt is a number.
  socket.on('open', ({ attempt }: { attempt: string }) => attempt)
  // @ts-expect-error A listener is required.
  socket.on('open')
  // @ts-expect-error There is no such event; it is `message`.
  void socket.once('messages')
  // @ts-expect-error There is no such event; it is `closed`.
  socket.off('close', () => {})
}

/** Promises, iteration and disposal. */
export async function wait(signal: AbortSignal): Promise<void> {
  const { attempt }: { attempt: number } = await socket.once('open')
  const { code }: HeartwireError = await socket.once('error')
  const words: [State, ClosedReason | null, CloseInfo | null] = [socket.state, socket.reason, socket.lastClose]
  await socket.opened()
  await socket.opened({ signal })
  await socket.drained()
  const numbers: number = attempt + (socket.latency ?? 0) + socket.queued
  // @ts-expect-error Nothing can be given to it but a signal.
  await socket.opened({ timeout: numbers + words.length + code.length })
}

/** With a codec, messages have its types, without anything being repeated. */
export async function coded(): Promise<number> {
  const typed = new Heartwire(url, { codec: json<Incoming, Outgoing>() })
  const same: Heartwire<Incoming, Outgoing> = typed
  typed.send({ kind: 'order', amount: 5 })
  typed.on('message', (message) => message.price.toFixed(2))
  typed.on('dropped', ({ messages }) => messages[0]?.amount.toFixed(2))
  const first: Incoming = await typed.once('message')
  for await (const message of typed) return message.price + first.price

  // @ts-expect-error An order has an amount.
  typed.send({ kind: 'order' })
  // @ts-expect-error Raw text is no order.
  typed.send('order')
  // @ts-expect-error A tick has no amount.
  typed.on('message', (message) => message.amount)
  // @ts-expect-error What comes in is no order.
  typed.on('message', (message: Outgoing) => message)
  // @ts-expect-error It is not another socket's type, either.
  const other: Heartwire<Incoming, string> = typed
  return other.queued + same.queued
}

/** A codec of one's own, also as the third argument, in a handshake and in a subclass. */
export function ownCodec(): Heartwire<number, Date>[] {
  const codec: Codec<number, Date> = { encode: (date) => date.toISOString(), decode: (data: string) => Number(data) }
  const Clock = Heartwire.extend({ codec })
  const handshake = new Heartwire(url, ['clock'], {
    codec,
    handshake: async ({ send, receive }) => {
      send(new Date())
      const answer: number = await receive()
      // @ts-expect-error It speaks the codec's language.
      send(`${answer}`)
    },
  })
  // @ts-expect-error A codec makes of a message what can travel.
  const wrong: Codec<number, Date> = { encode: (date) => date, decode: Number }
  return [new Heartwire(url, { codec }), new Clock(url), handshake, new Heartwire(url, { codec: wrong })]
}

// Without a codec a message is what the native event has: anything.
socket.on('message', (message) => message.anything)
socket.on('message', (message: string) => message.length)

/** Errors are told apart by their code. */
export function explain(error: unknown): string {
  if (!(error instanceof HeartwireError)) return ''
  if (error.code === 'gave-up' || error.code === 'refused') return error.message
  // @ts-expect-error There is no such code.
  return error.code === 'lost' ? '' : error.name
}

export const made: HeartwireError = new HeartwireError('aborted', 'Closed as the signal was aborted', new Error('why'))
// @ts-expect-error There is no such code.
export const wrongCode: HeartwireError = new HeartwireError('lost', 'No')
