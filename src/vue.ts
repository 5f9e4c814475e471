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
import { follow, NOTHING } from './view.js'
import type { HeartwireOptions } from './options.js'
import type { AttemptContext, WireData } from './types.js'
import type { HeartwireControls, HeartwireView } from './view.js'

export type { HeartwireControls, HeartwireView } from './view.js'

type Url = string | URL | false | null | undefined

/**
 * Where to connect: a value, a ref, or a function, which is getter and provider in one. As a getter it is watched: what it
 * reads, before its first `await` if it has one, replaces the connection when its answer changes (a new promise is a change).
 * As a provider it is asked again for each attempt, with `{ attempt, signal, lastClose }`. Nothing, or `false`, is no connection.
 */
export type UseHeartwireUrl = MaybeRefOrGetter<Url> | ((context: AttemptContext) => Url | Promise<Url>)

/** Those of a {@link Heartwire}, and who gets the messages. They are read once per connection and not watched. */
export interface UseHeartwireOptions<Incoming = any, Outgoing = WireData> extends HeartwireOptions<Incoming, Outgoing> {
  /** Gets every message, decoded by `codec`. A `watch` on `data` sees only the last of those that come together. */
  onMessage?: ((message: Incoming) => void) | undefined
}

type Listener = (...event: any[]) => void

type Shown<Values> = { readonly [Name in keyof Values]: Readonly<ShallowRef<Values[Name]>> }

/**
 * What {@link useHeartwire} returns; its refs are set before listeners hear of an event. Without a socket `state` is `'idle'`
 * and everything else as little as it can be.
 */
export interface UseHeartwireReturn<Incoming = any, Outgoing = WireData>
  extends Shown<HeartwireView<Incoming>>, HeartwireControls<Outgoing> {
  /** The present one; `null` where `url` is `undefined`, while a server renders, and after the scope. */
  readonly socket: Readonly<ShallowRef<Heartwire<Incoming, Outgoing> | null>>
  /**
   * As {@link Heartwire.on}, for the present socket and each that replaces it. Of one that was replaced, and after the scope,
   * only `dropped` is heard: what never left is not lost silently.
   */
  readonly on: Heartwire<Incoming, Outgoing>['on']
}

type Refs = Record<keyof typeof NOTHING, ShallowRef<any>>

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
  const refs = {} as Refs
  for (const name in NOTHING) refs[name as keyof Refs] = shallowRef(NOTHING[name as keyof Refs])
  // Listeners are ours, so that they need not move when the socket is replaced.
  const bus = new Bus()
  // Beside the ref: an effect that sends does not run again because the socket was replaced.
  let current: Heartwire<Incoming, Outgoing> | null = null
  /** Ends what the provider was asked before there was a socket to ask it. */
  let asking: AbortController

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
      const answer = (await (first ?? url(context))) || undefined
      // Closed, the attempt is over, and what it was answered does not matter.
      if (answer === undefined && !signal.aborted) own.close()
      return answer as string
    }, options)
    // A socket that starts later asks anew: a token would be old by then.
    first = undefined
    return own
  }

  /** An effect that runs at once may have ended or replaced the socket before all is shown. */
  const show = (changes: { [Name in keyof Refs]?: unknown }, own = current): void => {
    for (const name in changes) if (own === current) refs[name as keyof Refs].value = changes[name as keyof Refs]
  }

  const replace = (target: string | Promise<Url> | undefined): void => {
    const previous = current
    current = null
    show(NOTHING)
    previous?.close()
    if (target === undefined) return
    const own = (current = create(target))
    show({ socket: own })
    follow(own, (changes) => show(changes, own))
    own.on('*', (type, event) => {
      if (own === current || type === 'dropped') bus.emit(type, event)
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
    ...refs,
    send(message) {
      current?.send(message)
      if (current) show({ bufferedAmount: current.bufferedAmount })
      return current !== null
    },
    close: (...given) => current?.close(...given),
    reconnect: () => current?.reconnect(),
    on: on as Heartwire<Incoming, Outgoing>['on'],
  }
}

/** Text, since two `URL`s may be the same; a promise as it is: if it rejects, that is the attempt's to report. */
function comparable(url: Url | Promise<Url>): string | Promise<Url> | undefined {
  if (!url) return undefined
  return (url as Promise<Url>).then ? handled(url as Promise<Url>) : `${url as string}`
}
