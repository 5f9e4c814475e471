// One script, run by the native class and by ours: what they do must be the same ([P2]).
import { expect, vi } from 'vitest'
import { server } from 'vitest/browser'
import { Heartwire } from '../../src/index.ts'
import { openRig } from '../support/control.ts'
import type { Control } from '../support/control.ts'

/** Whose page this is. Tests ask only where engines are known to differ, and say how. */
export const engine = server.browser as 'chromium' | 'firefox' | 'webkit'

/** With these it is a plain `WebSocket` and nothing more. */
export const PLAIN = { reconnect: false, queue: false } as const

/** As libraries get it that take a class ([P4]). */
const Extended = Heartwire.extend(PLAIN)

interface Subject {
  readonly Class: typeof WebSocket
  readonly make: (...args: unknown[]) => WebSocket
}

const native: Subject = { Class: WebSocket, make: (...args) => Reflect.construct(WebSocket, args) as WebSocket }

const own = Object.getOwnPropertyDescriptors(WebSocket.prototype)

/** What the browser itself says. */
export const amountOf = (socket: WebSocket): number => own.bufferedAmount.get?.call(socket) as number

/**
 * WebKit counts the headers of frames that it will never send: after `close()`, and nowhere else. The standard leaves them
 * out. [NW12] shows it; for all else it is taken out of this page's class, so that the rest can be compared.
 */
function leaveHeadersOut(): void {
  const headers = new WeakMap<WebSocket, number>()
  const { send: descriptor } = own
  const send = function send(this: WebSocket, ...args: unknown[]): void {
    const before = amountOf(this)
    Reflect.apply(descriptor.value as (...given: unknown[]) => void, this, args)
    if (this.readyState < WebSocket.CLOSING) return
    const size = amountOf(this) - before
    headers.set(this, (headers.get(this) ?? 0) + (size > 65_536 + 14 ? 14 : size >= 126 + 8 ? 8 : 6))
  }
  Object.defineProperty(send, 'length', { value: 1 })
  const get = function bufferedAmount(this: WebSocket): number {
    return amountOf(this) - (headers.get(this) ?? 0)
  }
  Object.defineProperties(WebSocket.prototype, {
    send: { ...descriptor, value: send },
    bufferedAmount: { ...own.bufferedAmount, get },
  })
}

if (engine === 'webkit') leaveHeadersOut()

const ours: Record<string, Subject> = {
  'new Heartwire(…, { reconnect: false, queue: false })': {
    Class: Heartwire,
    make: (...args) => Reflect.construct(Heartwire, args.length > 0 ? [...args, PLAIN] : []),
  },
  'Heartwire.extend({ reconnect: false, queue: false })': {
    Class: Extended,
    make: (...args) => Reflect.construct(Extended, args),
  },
}

/** What a script gets. */
export interface Stage {
  /** The class itself. */
  readonly Class: typeof WebSocket
  /** `new Class(...args)`, with any arguments; closed after the script. */
  readonly make: (...args: unknown[]) => WebSocket
  /** `make(url)` and wait for `open`. */
  readonly open: (...protocols: unknown[]) => Promise<WebSocket>
  /** The address of a server behind a proxy, both of the script's own. */
  readonly url: string
  /** The server's address past the proxy. */
  readonly serverUrl: string
  readonly control: Control
  /** What the script has seen so far; the outcome if it returns nothing. */
  readonly log: unknown[]
}

/** ms for a script, so that one that hangs still shows its log. It is no part of what is compared. */
const PATIENCE = 20_000

// Three scripts, one after the other; on a busy machine each takes a while.
vi.setConfig({ testTimeout: 3 * PATIENCE + 5_000 })

async function perform({ Class, make }: Subject, script: (stage: Stage) => unknown): Promise<unknown> {
  const rig = await openRig()
  const sockets: WebSocket[] = []
  const log: unknown[] = []
  const stage: Stage = {
    Class,
    url: rig.url,
    serverUrl: rig.serverUrl,
    control: rig.control,
    log,
    make(...args) {
      const socket = make(...args)
      sockets.push(socket)
      return socket
    },
    async open(...protocols) {
      const socket = stage.make(rig.url, ...protocols)
      await event(socket, 'open')
      return socket
    },
  }
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    const hung = new Promise((resolve) => {
      timer = setTimeout(() => resolve({ hung: log }), PATIENCE)
    })
    const outcome = await Promise.race([script(stage), hung])
    return withoutPort(outcome === undefined ? log : outcome, new URL(rig.url).port)
  } finally {
    clearTimeout(timer)
    for (const socket of sockets) socket.close()
    await rig.close()
  }
}

/** Each rig has ports of its own, and what they are is no difference. */
function withoutPort(value: unknown, port: string): unknown {
  if (typeof value === 'string') return value.replaceAll(`:${port}`, ':PORT')
  if (Array.isArray(value)) return value.map((item) => withoutPort(item, port))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutPort(item, port)]))
}

/** The outcome of a script for the native class alone. */
export const performNative = (script: (stage: Stage) => unknown): Promise<unknown> => perform(native, script)

/** Runs a script with the native class and with ours, expects the same outcome, and returns it. */
export async function compare(script: (stage: Stage) => unknown): Promise<unknown> {
  const expected = await perform(native, script)
  for (const [name, subject] of Object.entries(ours)) {
    expect(await perform(subject, script), name).toEqual(expected)
  }
  return expected
}

/** Runs a script with both, where they are known to differ, and returns both outcomes. */
export async function contrast(script: (stage: Stage) => unknown): Promise<{ native: unknown; ours: unknown }> {
  const [first] = Object.values(ours)
  return { native: await perform(native, script), ours: await perform(first as Subject, script) }
}

/** The next event of a type. */
export function event<Type extends keyof WebSocketEventMap>(
  socket: WebSocket,
  type: Type,
): Promise<WebSocketEventMap[Type]> {
  return new Promise((resolve) => {
    socket.addEventListener(type, resolve, { once: true })
  })
}

/** What an error is to the code that catches it. Its message is ours to choose. */
export function errorOf(error: unknown): string {
  if (error instanceof DOMException) return `DOMException ${error.name} ${error.code}`
  for (const Kind of [TypeError, RangeError, SyntaxError]) if (error instanceof Kind) return Kind.name
  return String(error)
}

/** Calls a method with any arguments, as a caller without types may. */
export function call(target: object, name: string, args: readonly unknown[]): unknown {
  return Reflect.apply(Reflect.get(target, name) as (...given: unknown[]) => unknown, target, args)
}

/** What a call returns or throws. */
export function outcomeOf(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return { throws: errorOf(error) }
  }
}

/** Logs every event of a socket with what it says and what the socket says meanwhile. */
export function record(socket: WebSocket, log: unknown[]): void {
  const entry = (given: Event): unknown => [given.type, socket.readyState, details(given)]
  for (const type of ['open', 'message', 'error', 'close'] as const) {
    socket.addEventListener(type, (given) => log.push(entry(given)))
  }
}

function details(given: Event): unknown {
  if (given instanceof CloseEvent) return [given.code, given.reason, given.wasClean]
  return given instanceof MessageEvent ? (given.data as unknown) : null
}

/** Resolves in a task of its own, after everything that is already under way in this page. */
export function task(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage(null)
  })
}
