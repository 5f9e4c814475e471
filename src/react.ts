// The binding for React: a Heartwire for as long as components use it. It knows nothing that `Heartwire` does not tell.
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { Heartwire } from './heartwire.js'
import { follow, NOTHING } from './view.js'
import type { HeartwireOptions } from './options.js'
import type { AttemptContext, HeartwireEvents, WireData } from './types.js'
import type { HeartwireControls, HeartwireView } from './view.js'

export type { HeartwireControls, HeartwireView } from './view.js'

type Ask = (context: AttemptContext) => string | URL | Promise<string | URL>

/**
 * Where to connect. A string or `URL` whose text changes replaces the connection; nothing, or `false`, is none. A function
 * is asked for each attempt, always that of the latest render; another function replaces nothing: what must, name in `deps`.
 */
export type UseHeartwireUrl = string | URL | false | null | undefined | Ask

/** Those of a {@link Heartwire}, as of the render that made the connection, and what concerns the component. */
export interface UseHeartwireOptions<Incoming = any, Outgoing = WireData> extends HeartwireOptions<Incoming, Outgoing> {
  /** Gets every message, decoded by `codec`; always that of the latest render. Nothing is rendered for it. */
  onMessage?: ((message: Incoming) => void) | undefined
  /**
   * Components that name the same instance, url and `deps` (compared as JSON) use one connection: made with the options of
   * the first, closed when the last has left.
   */
  instance?: string | undefined
  /** Whatever else replaces the connection when it changes; as with `useEffect`, always as many. */
  deps?: readonly unknown[] | undefined
}

/**
 * What {@link useHeartwire} returns: another object whenever something that was read from it has changed, and only then is
 * the component rendered. Without a socket `state` is `'idle'` and everything else as little as it can be.
 */
export interface UseHeartwireReturn<Incoming = any, Outgoing = WireData>
  extends HeartwireView<Incoming>, HeartwireControls<Outgoing> {
  /** The present one; `null` where there is no url, while a server renders, and until the first effect. */
  readonly socket: Heartwire<Incoming, Outgoing> | null
}

/** What a component sees, if it looks. */
type Sight = UseHeartwireReturn<any, any>

/** `tell` shows it to all who use the same socket. */
type Show = (changes: Partial<Sight>, tell?: Show) => void

/** A socket and those who use it. */
type Connection = readonly [users: Set<Show>, sight: Partial<Sight> & { socket: Heartwire<any, any> }, tell: Show]

/** By what they are made for: as JSON, if they are shared. */
const connections = /* @__PURE__ */ new Map<unknown, Connection>()

/**
 * A {@link Heartwire} for as long as the component is mounted, or any that shares it. It is made in an effect: once in
 * StrictMode, never while a server renders, and not before a hydrated page is what its server sent. What its constructor
 * throws goes to the nearest error boundary.
 *
 * @example
 * const { state, send } = useHeartwire(`wss://example.com/rooms/${room}`, { onMessage: (message) => add(message) })
 */
export function useHeartwire<Incoming = any, Outgoing = WireData>(
  url: UseHeartwireUrl,
  { onMessage, instance, deps = [], ...options }: UseHeartwireOptions<Incoming, Outgoing> = {},
): UseHeartwireReturn<Incoming, Outgoing> {
  const [[show, subscribe, look, find]] = useState(createSeat)
  const target = typeof url === 'function' || (url && `${url}`)
  const provider = useLatest(target === true && url)
  const parts = [target, instance, ...deps]
  useEffect(() => {
    const ask: Ask = (context) => (provider.current as Ask)(context)
    // In StrictMode the same effect comes twice, so an array that is new for each render is as good a key.
    const key = instance ? JSON.stringify(parts) : parts
    return target ? join(show, key, () => new Heartwire(target === true ? ask : target, options)) : undefined
  }, parts)
  // On the socket there is, not that of a render: a component that suspends is not rendered, and must not miss anything.
  useListener(find, 'message', onMessage, parts)
  return useSyncExternalStore(subscribe, look, look)
}

/** Calls `handler`, always that of the latest render, with each message of a socket. Nothing is rendered for it. */
export function useHeartwireMessage<Incoming>(
  socket: Heartwire<Incoming, any> | null | undefined,
  handler: ((message: Incoming) => void) | undefined,
): void {
  useHeartwireEvent(socket, 'message', handler as (message: any) => void)
}

/** As {@link useHeartwireMessage}, with any event of the bus. */
export function useHeartwireEvent<Incoming, Type extends keyof HeartwireEvents<Incoming>>(
  socket: Heartwire<Incoming, any> | null | undefined,
  type: Type,
  handler: ((event: HeartwireEvents<Incoming>[Type]) => void) | undefined,
): void {
  useListener(() => socket, type, handler, [socket])
}

/** Listens on what `find` finds, again when `deps` have changed. */
function useListener(
  find: () => Heartwire<any, any> | null | undefined,
  type: keyof HeartwireEvents,
  handler: ((event: any) => void) | undefined,
  deps: readonly unknown[],
): void {
  const latest = useLatest(handler)
  useEffect(
    () => (handler ? find()?.on(type, (event: any) => latest.current!(event)) : undefined),
    [type, !handler, ...deps],
  )
}

/**
 * A ref to what was rendered last, if it was anything; a render thrown away does not count. It is set as late as the socket
 * is replaced, in an effect: what the old url still says between is not for the handler of the new.
 */
function useLatest<Value>(value: Value): { readonly current: Value } {
  const ref = useRef(value)
  useEffect(() => {
    ref.current = value || ref.current
  })
  return ref
}

/** A component's place. It remembers what the component has looked at, and has it rendered for that only. */
function createSeat(): [
  show: Show,
  subscribe: (listener: () => void) => () => void,
  look: () => Sight,
  find: () => Sight['socket'],
] {
  const looked = new Set<string | symbol>()
  let onChange: (() => void) | undefined
  let tell: Show
  let drawn: Sight | undefined
  let sight = {
    ...NOTHING,
    send(message) {
      const { socket } = sight
      socket?.send(message)
      if (socket) tell({ bufferedAmount: socket.bufferedAmount })
      return Boolean(socket)
    },
    close: (code, reason) => sight.socket?.close(code, reason),
    reconnect: () => sight.socket?.reconnect(),
  } as Sight

  const show: Show = (changes, tellAll = tell) => {
    tell = tellAll
    const isNews = (name: string | symbol): boolean =>
      name in changes && changes[name as keyof Sight] !== sight[name as keyof Sight]
    // What nobody has looked at may change in place.
    if (![...looked].some(isNews)) Object.assign(sight, changes)
    else {
      sight = { ...sight, ...changes }
      drawn = undefined
      onChange?.()
    }
  }

  return [
    show,
    (listener) => {
      onChange = listener
      // Who has left its connection is shown nothing more.
      return () => {}
    },
    () =>
      (drawn ??= new Proxy(sight, {
        get(seen, name) {
          looked.add(name)
          return seen[name as keyof Sight]
        },
      })),
    () => sight.socket,
  ]
}

/** Uses a connection, made if need be. Returns how to leave it. */
function join(user: Show, key: unknown, create: () => Heartwire<any, any>): () => void {
  let connection = connections.get(key)
  if (!connection) {
    const users = new Set<Show>()
    const sight = { ...NOTHING, socket: create() }
    const tell: Show = (changes) => {
      Object.assign(sight, changes)
      for (const show of users) show(changes)
    }
    connections.set(key, (connection = [users, sight, tell]))
    follow(sight.socket, tell)()
  }
  const [users, sight, tell] = connection
  users.add(user)
  user(sight, tell)
  return () => {
    users.delete(user)
    user(NOTHING)
    // In StrictMode it is back before this, as is another component that takes over.
    queueMicrotask(() => {
      if (users.size) return
      // Who left and came back is looked at twice: meanwhile another may have begun under the same name.
      if (connections.get(key) === connection) connections.delete(key)
      sight.socket.close()
    })
  }
}
