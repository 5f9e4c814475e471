// The binding for Vue: a Heartwire in an effect scope, seen through refs. It knows nothing that `Heartwire` does not tell.
import {
  computed,
  hasInjectionContext,
  inject,
  type MaybeRefOrGetter,
  onScopeDispose,
  type ShallowRef,
  shallowRef,
  ssrContextKey,
  unref,
  watch,
} from 'vue'
import { handled } from './errors.js'
import { Bus } from './events.js'
import { Heartwire } from './heartwire.js'
import type { HeartwireError } from './errors.js'
import type { HeartwireOptions } from './options.js'
import type { AttemptContext, HeartwireEvents, State, WireData } from './types.js'

type Url = string | URL | undefined

type Listener = (...event: any[]) => void

/**
 * Where to connect: a value, a ref, or a function, which is getter and provider in one. As a getter it is watched: what it
 * reads, before its first `await` if it has one, replaces the connection when its answer changes (a new promise is a change).
 * As a provider it is asked again for each attempt, with `{ attempt, signal, lastClose }`. `undefined` is no connection.
 */
export type UseHeartwireUrl = MaybeRefOrGetter<Url> | ((context: AttemptContext) => Url | Promise<Url>)

/** Those of a {@link Heartwire}, and who gets the messages. They are read once per connection and not watched. */
export interface UseHeartwireOptions<Incoming = any, Outgoing = WireData> extends HeartwireOptions<Incoming, Outgoing> {
  /** Gets every message, decoded by `codec`. A `watch` on `data` sees only the last of those that come together. */
  onMessage?: ((message: Incoming) => void) | undefined
}

/**
 * What {@link useHeartwire} returns. The refs are those of the present socket as of its latest event; they are set before
 * listeners hear of it. Without a socket `state` is `'idle'` and everything else as little as it can be.
 */
export interface UseHeartwireReturn<Incoming = any, Outgoing = WireData> {
  readonly state: Readonly<ShallowRef<State>>
  readonly readyState: Readonly<ShallowRef<0 | 1 | 2 | 3>>
  /** The last message. Several may come before Vue renders or runs a `watch`: use `onMessage` to get each. */
  readonly data: Readonly<ShallowRef<Incoming | undefined>>
  /** ms between the latest heartbeat and its answer; needs `heartbeat.pong`. */
  readonly latency: Readonly<ShallowRef<number | null>>
  /** The number of the current or coming retry. */
  readonly attempt: Readonly<ShallowRef<number>>
  /** ms until the next retry, counted down in whole seconds while `waiting`; else `null`. */
  readonly retryIn: Readonly<ShallowRef<number | null>>
  /** The latest error since it was last open. */
  readonly error: Readonly<ShallowRef<HeartwireError | null>>
  /** Bytes that `send` accepted and that have not left, as of the latest `send` or event. */
  readonly bufferedAmount: Readonly<ShallowRef<number>>
  /** The present one; `null` where `url` is `undefined`, while a server renders, and after the scope. */
  readonly socket: Readonly<ShallowRef<Heartwire<Incoming, Outgoing> | null>>
  /** As {@link Heartwire.send}. Returns whether there was a socket to take it: without one it is gone. */
  readonly send: (message: Outgoing) => boolean
  /** As {@link Heartwire.close}: final, until `reconnect()` or another url. */
  readonly close: (code?: number, reason?: string) => void
  /** As {@link Heartwire.reconnect}. */
  readonly reconnect: () => void
  /**
   * As {@link Heartwire.on}, for the present socket and each that replaces it. Of one that was replaced, and after the scope,
   * only `dropped` is heard: what never left is not lost silently.
   */
  readonly on: Heartwire<Incoming, Outgoing>['on']
}

/** What a socket knows of itself, and what there is to know of none. */
const NONE = { state: 'idle', readyState: 3, latency: null, attempt: 0, bufferedAmount: 0 } as const

type Facts = Pick<Heartwire, keyof typeof NONE>

const NAMES = /* @__PURE__ */ Object.keys(NONE) as (keyof Facts)[]

/**
 * A {@link Heartwire} for as long as the component, or another effect scope, lives.
 *
 * It is made in `setup`, and not again when a page is hydrated. Its refs follow in a microtask, so that the first render of
 * a page and that of its server agree. While a server renders there is none.
 *
 * @throws what the constructor of {@link Heartwire} throws, or the getter
 * @example
 * const { state, data, send } = useHeartwire(() => `wss://example.com/rooms/${props.room}`, { codec: json<Message>() })
 */
export function useHeartwire<Incoming = any, Outgoing = WireData>(
  url: UseHeartwireUrl,
  { onMessage, ...options }: UseHeartwireOptions<Incoming, Outgoing> = {},
): UseHeartwireReturn<Incoming, Outgoing> {
  const facts = {} as { -readonly [Name in keyof Facts]: ShallowRef<Facts[Name]> }
  for (const name of NAMES) facts[name as 'attempt'] = shallowRef(NONE[name] as number)
  const data = shallowRef<Incoming>()
  const retryIn = shallowRef<number | null>(null)
  const error = shallowRef<HeartwireError | null>(null)
  const socket = shallowRef<Heartwire<Incoming, Outgoing> | null>(null)
  // Listeners are ours, so that they need not move when the socket is replaced.
  const bus = new Bus()
  // Beside the ref: an effect that sends does not run again because the socket was replaced.
  let current: Heartwire<Incoming, Outgoing> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Ends what the provider was asked before there was a socket to ask it. */
  let asking: AbortController

  /** The next look is when the next whole second is left. */
  const countDown = (retryAt: number): void => {
    clearTimeout(timer)
    const left = (retryIn.value = Math.max(Math.ceil(retryAt - Date.now()), 0))
    timer = setTimeout(countDown, left % 1_000 || 1_000, retryAt)
  }

  const read = (): void => {
    for (const name of NAMES) facts[name as 'attempt'].value = (current ?? NONE)[name] as number
    if (current?.state === 'waiting') return
    clearTimeout(timer)
    retryIn.value = null
  }

  const see = (type: keyof HeartwireEvents, event: any): void => {
    // A message costs no more than this.
    if (type === 'message') data.value = event
    else {
      read()
      if (type === 'open') error.value = null
      if (type === 'error') error.value = event
      if (type === 'waiting') countDown(event.retryAt)
    }
  }

  const ask = (): string | Promise<Url> | undefined => {
    if (typeof url !== 'function') return comparable(unref(url))
    asking = new AbortController()
    return comparable(url({ attempt: 0, lastClose: null, signal: asking.signal }))
  }

  const create = (target: string | Promise<Url>): Heartwire<Incoming, Outgoing> => {
    if (typeof url !== 'function') return new Heartwire(target as string, options)
    const abort = asking
    let first: typeof target | undefined = target
    const own: Heartwire<Incoming, Outgoing> = new Heartwire(async (context) => {
      const { signal } = context
      // After the first attempt this changes nothing.
      signal.onabort = () => abort.abort()
      const answer = comparable(await (first ?? url(context)))
      // Closed, the attempt is over, and what it was answered does not matter.
      if (answer === undefined && !signal.aborted) own.close()
      return answer as string
    }, options)
    // A socket that starts later asks anew: a token would be old by then.
    first = undefined
    return own
  }

  const replace = (target: string | Promise<Url> | undefined): void => {
    const previous = current
    socket.value = current = null
    data.value = undefined
    error.value = null
    read()
    previous?.close()
    if (target === undefined) return
    const own = (socket.value = current = create(target))
    own.on('*', (type, event) => {
      if (own === current) see(type, event)
      else if (type !== 'dropped') return
      bus.emit(type, event)
    })
    if (bus.has('message')) present('message', () => {})
  }

  /** The socket refuses what it does not know, and a `'lazy'` one starts for a listener of messages. */
  const present = (type: string, listener: Listener): void => current?.on(type as '*', listener)()

  const on = (type: string, listener: Listener): (() => void) => {
    present(type, listener)
    return bus.on(type, listener)
  }

  if (onMessage) on('message', onMessage)
  // A server that renders says so; it may well have a WebSocket.
  if (!(hasInjectionContext() && inject(ssrContextKey, null))) {
    const target = computed(ask)
    onScopeDispose(() => replace(undefined))
    replace(target.value)
    watch(target, replace)
  }

  return {
    ...facts,
    data,
    retryIn,
    error,
    socket,
    send(message) {
      current?.send(message)
      read()
      return current !== null
    },
    close: (...given) => current?.close(...given),
    reconnect: () => current?.reconnect(),
    on: on as Heartwire<Incoming, Outgoing>['on'],
  }
}

/** Text, since two `URL`s may be the same; a promise as it is: if it rejects, that is the attempt's to report. */
function comparable(url: Url | Promise<Url>): string | Promise<Url> | undefined {
  if (url === undefined || url === null) return undefined
  return (url as Promise<Url>).then ? handled(url as Promise<Url>) : `${url as string}`
}
