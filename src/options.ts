// Every option: its documentation, its default and its check. The one place where a bad option is told from a good one.
import type { BackoffOptions } from './backoff.js'
import type { CloseInfo, Codec, HandshakeContext, NetworkSource, Provider, WireData } from './types.js'

/** Keeps a connection honest (SPEC, chapter 5). */
export interface HeartbeatOptions {
  /** What to send as a beat; a function is called for each. Required unless `from` is `'server'`. Not encoded by `codec`. */
  message?: WireData | (() => WireData) | undefined
  /** ms of silence before a beat (`when: 'idle'`), or between beats (`'always'`), or between the server's. @default 25000 */
  interval?: number | undefined
  /** ms after a beat in which something must arrive, or the connection is dead. @default 10000 */
  timeout?: number | undefined
  /** `'idle'`: any message from the server postpones the next beat. `'always'`: beats come regardless. @default 'idle' */
  when?: 'idle' | 'always' | undefined
  /** Recognises an answer (or the server's beat): it is kept from message listeners and gives `latency`. Gets raw data. */
  pong?: string | ((data: any) => boolean) | undefined
  /** Who beats. `'server'`: silence longer than `interval + timeout` is death. @default 'client' */
  from?: 'client' | 'server' | undefined
  /** What to answer to a server's beat recognised by `pong`; `undefined` for nothing. */
  reply?: ((data: any) => WireData | undefined) | undefined
  /**
   * `'worker'`: a worker wakes the page to the ms even while it is hidden, where its own timers come once a second. Where
   * none can be made (a policy without `worker-src blob:`, Node) the page's go on alone, and `error` says so: `worker-failed`.
   * @default 'page'
   */
  timers?: 'page' | 'worker' | undefined
}

/** What `reconnect.delay` is told. */
export interface RetryContext {
  /** The number of the retry, from 1. */
  readonly attempt: number
  /** The delay in ms that we would use. */
  readonly delay: number
  readonly close: CloseInfo
}

/** When and how often to retry (SPEC, chapter 4). */
export interface ReconnectOptions extends Partial<BackoffOptions> {
  /** Consecutive failed attempts after which to give up; 0 never retries. @default Infinity */
  maxAttempts?: number | undefined
  /** ms a connection must have been open to count as a success. @default 5000 */
  minUptime?: number | undefined
  /** Whether a connection that ended like this is retried. By default all but 1002, 1003, 1007, 1008, 1009 and 1010. */
  when?: ((close: CloseInfo) => boolean) | undefined
  /** The delay before a retry in ms, or `false` to stop. */
  delay?: ((context: RetryContext) => number | false) | undefined
}

/** What `send` keeps while there is no connection (SPEC, chapter 7). */
export interface QueueOptions {
  /** @default 1024 */
  maxMessages?: number | undefined
  /** UTF-8 bytes. @default 1048576 */
  maxBytes?: number | undefined
  /** What a full queue does: `send` throws, or something is dropped (announced as `dropped`). @default 'throw' */
  overflow?: 'throw' | 'drop-oldest' | 'drop-newest' | undefined
  /** ms after its `send` when a queued message is not worth sending any more. @default Infinity */
  ttl?: number | undefined
  /** Sends again what provably never left a connection that was lost. Costs a copy of binary data. @default true */
  replay?: boolean | undefined
}

/** The options of a {@link Heartwire}. All are optional. */
export interface HeartwireOptions<Incoming = any, Outgoing = WireData> {
  /** Subprotocols, as the native second argument, or a function that is called for each attempt. */
  protocols?: Provider<string | string[]> | undefined
  /** The `WebSocket` class; looked up on `globalThis` at each attempt by default. */
  WebSocket?: WebSocketClass | undefined
  /** When to connect: at once; on `connect()`; on the first `send`, `opened()` or message listener. @default 'now' */
  start?: 'now' | 'manual' | 'lazy' | undefined
  /** Kept over reconnects. @default 'blob' */
  binaryType?: BinaryType | undefined
  /** ms for providers, native connect and `handshake` together. @default 10000 */
  connectTimeout?: number | undefined
  /** ms that `close()` waits for the peer before it is reported. @default 2000 */
  closeTimeout?: number | undefined
  /** Runs before `open` and before the queue is flushed; a rejection fails the attempt. */
  handshake?: ((context: HandshakeContext<Incoming, Outgoing>) => unknown) | undefined
  /** `false`, or what to beat with. @default false */
  heartbeat?: false | HeartbeatOptions | undefined
  /** `false` never retries. @default true */
  reconnect?: boolean | ReconnectOptions | undefined
  /** `false`: `send` behaves as the native one in every state. @default true */
  queue?: boolean | QueueOptions | undefined
  /** Listen to the page's and the network's signals, or to your own; no effect where there is no page. @default true */
  network?: boolean | NetworkSource | undefined
  /** Aborting it closes for good. */
  signal?: AbortSignal | undefined
  /** Translates messages for `send`, `on('message')`, iteration and `handshake`; `event.data` stays raw. */
  codec?: Codec<Incoming, Outgoing> | undefined
}

/** A class of the native shape: `ws`, mock-socket, a subclass. */
export type WebSocketClass = new (url: string, protocols?: any) => any

/** Every default ([O2]). */
export const DEFAULTS = {
  start: 'now',
  binaryType: 'blob',
  connectTimeout: 10_000,
  closeTimeout: 2_000,
  heartbeat: { interval: 25_000, timeout: 10_000, when: 'idle', from: 'client', timers: 'page' },
  reconnect: { minDelay: 1_000, maxDelay: 30_000, factor: 2, jitter: 1, maxAttempts: Infinity, minUptime: 5_000 },
  queue: { maxMessages: 1_024, maxBytes: 1_048_576, overflow: 'throw', ttl: Infinity, replay: true },
  network: true,
} as const

type Defined<Options> = { [Key in keyof Options]: Exclude<Options[Key], undefined> }
type Filled<Options, Defaults> = Defined<Options> & Required<Pick<Defined<Options>, keyof Options & keyof Defaults>>

/** Options with every default filled in; `null` for what is off. */
export interface Settings<Incoming, Outgoing> extends Filled<
  Omit<HeartwireOptions<Incoming, Outgoing>, 'heartbeat' | 'reconnect' | 'queue'>,
  typeof DEFAULTS
> {
  /** `canAsk`: whether there is a message to beat with. */
  heartbeat: (Filled<HeartbeatOptions, typeof DEFAULTS.heartbeat> & { canAsk: boolean }) | null
  reconnect: Filled<ReconnectOptions, typeof DEFAULTS.reconnect> | null
  queue: Required<Defined<QueueOptions>> | null
}

/**
 * What a value must be: the smallest and the largest number, or words joined by ` | `. A word is a type (`function`), a
 * value (`'now'`, `false`), an object's methods (`{encode,decode}`) or `binary`. The error message quotes it as it is.
 */
type Rule = readonly [min: number, max: number] | string

// A delay may be anything finite: a timer is clamped where it is set.
const MILLISECONDS: Rule = [0, Number.MAX_VALUE]
const AT_LEAST_1: Rule = [1, Number.MAX_VALUE]
const COUNT: Rule = [0, Infinity]

const RULES: Record<keyof HeartwireOptions, Rule> = {
  protocols: 'string | object | function',
  WebSocket: 'function',
  start: "'now' | 'manual' | 'lazy'",
  binaryType: "'blob' | 'arraybuffer'",
  connectTimeout: MILLISECONDS,
  closeTimeout: MILLISECONDS,
  handshake: 'function',
  heartbeat: 'false | object',
  reconnect: 'boolean | object',
  queue: 'boolean | object',
  network: 'boolean | {subscribe}',
  signal: '{addEventListener}',
  codec: '{encode,decode}',
}

const HEARTBEAT_RULES: Record<keyof HeartbeatOptions, Rule> = {
  message: 'string | binary | function',
  interval: AT_LEAST_1,
  timeout: AT_LEAST_1,
  when: "'idle' | 'always'",
  pong: 'string | function',
  from: "'client' | 'server'",
  reply: 'function',
  timers: "'page' | 'worker'",
}

const RECONNECT_RULES: Record<keyof ReconnectOptions, Rule> = {
  minDelay: MILLISECONDS,
  maxDelay: MILLISECONDS,
  factor: AT_LEAST_1,
  jitter: [0, 1],
  maxAttempts: COUNT,
  minUptime: MILLISECONDS,
  when: 'function',
  delay: 'function',
}

const QUEUE_RULES: Record<keyof QueueOptions, Rule> = {
  maxMessages: COUNT,
  maxBytes: COUNT,
  overflow: "'throw' | 'drop-oldest' | 'drop-newest'",
  ttl: COUNT,
  replay: 'boolean',
}

/**
 * Checks options and fills in the defaults ([O1]). An option that is `undefined` is not given; `0` is a value.
 *
 * @throws TypeError for the wrong shape or an unknown name, RangeError for a number out of range; nothing is changed by it
 */
export function readOptions<Incoming, Outgoing>(given: unknown = {}): Settings<Incoming, Outgoing> {
  const options = fill('', given, RULES, DEFAULTS)
  const { heartbeat: beat = false, reconnect: retry = true, queue: keep = true } = given as HeartwireOptions
  const heartbeat = group('heartbeat', beat, HEARTBEAT_RULES, DEFAULTS.heartbeat)
  const reconnect = group('reconnect', retry, RECONNECT_RULES, DEFAULTS.reconnect)
  const queue = group('queue', keep, QUEUE_RULES, DEFAULTS.queue)
  if (heartbeat?.['from'] === 'client' && heartbeat['message'] === undefined) {
    fail(TypeError, 'heartbeat.message', 'given when the client beats', undefined)
  }
  if (heartbeat) heartbeat['canAsk'] = heartbeat['message'] !== undefined
  // A maxDelay below the default minDelay caps it; below one that was given it contradicts it.
  const { minDelay, maxDelay } = Object(retry) as ReconnectOptions
  if (minDelay! > (maxDelay ?? DEFAULTS.reconnect.maxDelay)) {
    fail(
      RangeError,
      'reconnect.minDelay',
      `at most reconnect.maxDelay (${maxDelay ?? DEFAULTS.reconnect.maxDelay})`,
      minDelay,
    )
  }
  return { ...options, heartbeat, reconnect, queue } as unknown as Settings<Incoming, Outgoing>
}

type Values = Record<string, unknown>

function group(name: string, given: unknown, rules: Record<string, Rule>, defaults: Values): Values | null {
  if (given === false) return null
  return given === true ? defaults : fill(`${name}.`, given, rules, defaults)
}

function fill(path: string, given: unknown, rules: Record<string, Rule>, defaults: Values): Values {
  if (typeof given !== 'object' || given === null) fail(TypeError, path || 'options', 'an object', given)
  const filled = { ...defaults }
  for (const [name, value] of Object.entries(given as Values)) {
    if (!Object.hasOwn(rules, name)) fail(TypeError, path + name, `one of ${Object.keys(rules).join(', ')}`, value)
    if (value === undefined) continue
    check(path + name, value, rules[name] as Rule)
    filled[name] = value
  }
  return filled
}

/** Checks one value. @throws TypeError for the wrong shape, RangeError for a number out of range */
export function check(name: string, value: unknown, rule: Rule): void {
  if (typeof rule === 'string') {
    if (!rule.split(' | ').some((word) => isA(word, value))) fail(TypeError, name, rule, value)
    return
  }
  const [min, max] = rule
  const range = `a number ${max < Number.MAX_VALUE ? `from ${min} to ${max}` : `from ${min}`}`
  if (typeof value !== 'number') return fail(TypeError, name, range, value)
  if (!(value >= min && value <= max)) fail(RangeError, name, range, value)
}

function isA(word: string, value: any): boolean {
  if (word.startsWith('{')) return methods(word).every((method) => typeof value?.[method] === 'function')
  if (word === 'binary') return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Blob
  if (word === 'object') return Object(value) === value && typeof value !== 'function'
  return word === typeof value || word === quoted(value)
}

function methods(word: string): string[] {
  return word.slice(1, -1).split(',')
}

function quoted(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return Object(value) === value ? Object.prototype.toString.call(value) : String(value)
}

function fail(Kind: ErrorConstructor, name: string, rule: string, value: unknown): never {
  throw new Kind(`Cannot create a Heartwire as '${name}' must be ${rule}: current value is ${quoted(value)}`)
}
