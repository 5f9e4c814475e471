// What an application could ask for: a random but valid set of options, and the numbers that follow from it.
import type { HeartwireOptions, QueueOptions, ReconnectOptions } from '../../src/index.ts'
import type { Chance } from './chance.ts'
import { PING, PONG } from './server.ts'

/** How the application answers when it is asked for something: a url, a handshake. */
export type Manner = 'plain' | 'prompt' | 'late' | 'throws' | 'rejects' | 'hangs' | 'wrong'

/** Options of which every one is known. */
type Numbers<Options> = { readonly [Name in keyof Options]-?: Exclude<Options[Name], undefined> }

/** The options as they will be, with the defaults of the specification. */
export interface Facts {
  readonly start: 'now' | 'manual' | 'lazy'
  readonly connectTimeout: number
  readonly closeTimeout: number
  readonly heartbeat: null | {
    readonly interval: number
    readonly timeout: number
    readonly when: 'idle' | 'always'
    readonly from: 'client' | 'server'
    readonly canAsk: boolean
    readonly pong: 'none' | 'text' | 'function'
  }
  readonly reconnect: null | Numbers<Omit<ReconnectOptions, 'when' | 'delay'>>
  readonly queue: null | Numbers<QueueOptions>
  /** What it gives of functions, that need the client to be made. */
  readonly gives: {
    readonly provider: boolean
    readonly protocols: 'none' | 'static' | 'provider'
    readonly handshake: boolean
    readonly network: boolean
    readonly signal: boolean
    readonly codec: boolean
    readonly when: boolean
    readonly delay: boolean
    readonly reply: boolean
    readonly message: 'text' | 'binary' | 'function'
  }
  /** How likely the application's own code misbehaves, each time that it is called. */
  readonly mischief: number
  /** Whether its options are those that a test of liveness needs: no timeout that a healthy link could miss. */
  readonly isFair: boolean
}

/** Options that shrinking may leave out, one by one. */
export const OMISSIBLE = [
  ...['mischief', 'heartbeat', 'reconnect', 'queue', 'provider', 'protocols', 'handshake', 'network'],
  ...['signal', 'codec', 'when', 'delay', 'reply', 'start', 'timeouts'],
] as const
export type Omissible = (typeof OMISSIBLE)[number]

const DEFAULT_RECONNECT = {
  minDelay: 1_000,
  maxDelay: 30_000,
  factor: 2,
  jitter: 1,
  maxAttempts: Infinity,
  minUptime: 5_000,
}
const DEFAULT_QUEUE: Facts['queue'] = {
  maxMessages: 1_024,
  maxBytes: 1_048_576,
  overflow: 'throw',
  ttl: Infinity,
  replay: true,
}

/** Draws what an application asks for. What is left out is drawn all the same, so that the rest stays as it was. */
export function drawFacts(chance: Chance, without: readonly Omissible[]): Facts {
  const has = (name: Omissible, drawn: boolean): boolean => drawn && !without.includes(name)
  const isHasty = has('timeouts', chance.is(0.1))
  const heartbeat = drawHeartbeat(chance)
  const reconnect = drawReconnect(chance)
  const queue = drawQueue(chance)
  const gives = {
    provider: has('provider', chance.is(0.3)),
    protocols: has('protocols', true) ? chance.pick(['none', 'none', 'static', 'provider'] as const) : 'none',
    handshake: has('handshake', chance.is(0.3)),
    network: has('network', chance.is(0.7)),
    signal: has('signal', chance.is(0.3)),
    codec: has('codec', chance.is(0.2)),
    when: has('when', chance.is(0.2)),
    delay: has('delay', chance.is(0.2)),
    reply: has('reply', chance.is(0.5)),
    message: chance.pick(['text', 'text', 'binary', 'function'] as const),
  } as const
  const start = chance.pick(['now', 'now', 'now', 'manual', 'lazy'] as const)
  const mischief = chance.pick([0, 0, 0.02, 0.1, 0.3])
  const timeouts = [chance.pick([10_000, 10_000, 3_000, 60_000]), chance.pick([2_000, 2_000, 500, 10_000])] as const
  const [connectTimeout, closeTimeout] = without.includes('timeouts')
    ? ([10_000, 2_000] as const)
    : isHasty
      ? ([chance.pick([0, 1, 30, 2 ** 33]), chance.pick([0, 1, 30, 2 ** 33])] as const)
      : timeouts
  return {
    start: without.includes('start') ? 'now' : start,
    connectTimeout,
    closeTimeout,
    heartbeat: without.includes('heartbeat') ? null : heartbeat,
    reconnect: without.includes('reconnect') ? DEFAULT_RECONNECT : reconnect,
    queue: without.includes('queue') ? DEFAULT_QUEUE : queue,
    gives,
    mischief: without.includes('mischief') ? 0 : mischief,
    isFair: !isHasty && (heartbeat?.timeout ?? Infinity) >= 1_000,
  }
}

function drawHeartbeat(chance: Chance): Facts['heartbeat'] {
  const from = chance.pick(['client', 'client', 'client', 'server'] as const)
  const drawn = {
    interval: chance.pick([1_000, 5_000, 25_000]),
    timeout: chance.is(0.05) ? chance.pick([1, 50]) : chance.pick([1_000, 4_000, 10_000]),
    when: chance.pick(['idle', 'idle', 'always'] as const),
    from,
    canAsk: from === 'client' || chance.is(0.5),
    pong: chance.pick(['none', 'text', 'text', 'function'] as const),
  }
  return chance.is(0.65) ? drawn : null
}

function drawReconnect(chance: Chance): Facts['reconnect'] {
  const minDelay = chance.pick([0, 1, 500, 1_000, 5_000])
  const drawn = {
    minDelay,
    maxDelay: Math.max(minDelay, chance.pick([0, 1_000, 10_000, 30_000])),
    factor: chance.pick([1, 1.5, 2, 10, 1e300]),
    jitter: chance.pick([0, 0.25, 1, 1]),
    maxAttempts: chance.pick([Infinity, Infinity, Infinity, 0, 1, 3]),
    minUptime: chance.pick([0, 1_000, 5_000, 60_000]),
  }
  const kind = chance.next()
  return kind < 0.1 ? null : kind < 0.5 ? DEFAULT_RECONNECT : drawn
}

function drawQueue(chance: Chance): Facts['queue'] {
  const drawn = {
    maxMessages: chance.pick([0, 1, 4, 20, 1_024]),
    maxBytes: chance.pick([0, 30, 200, 2_000, 1_048_576]),
    overflow: chance.pick(['throw', 'drop-oldest', 'drop-newest'] as const),
    ttl: chance.pick([Infinity, Infinity, 0, 1_000, 20_000]),
    replay: chance.is(0.7),
  }
  const kind = chance.next()
  return kind < 0.1 ? null : kind < 0.5 ? DEFAULT_QUEUE : drawn
}

/** The options that need nothing of the client's. */
export function plainOptions(facts: Facts): HeartwireOptions<any, any> {
  const { heartbeat, reconnect, queue, connectTimeout, closeTimeout, start, gives } = facts
  return {
    start,
    connectTimeout,
    closeTimeout,
    network: false,
    // What is as the defaults are is not given: they must be as the specification says.
    ...(reconnect !== DEFAULT_RECONNECT && { reconnect: reconnect ?? false }),
    ...(queue !== DEFAULT_QUEUE && { queue: queue ?? false }),
    ...(gives.protocols === 'static' && { protocols: ['chat'] }),
    heartbeat: heartbeat
      ? {
          interval: heartbeat.interval,
          timeout: heartbeat.timeout,
          when: heartbeat.when,
          from: heartbeat.from,
          ...(heartbeat.canAsk && { message: gives.message === 'binary' ? new TextEncoder().encode(PING) : PING }),
          ...(heartbeat.pong === 'text' && { pong: heartbeat.from === 'client' ? PONG : 'beat' }),
        }
      : false,
  }
}
