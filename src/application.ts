// What an attempt asks of the application: the providers' answers and the handshake. Both may throw, reject, hang or come late.
import type { Attempt } from './attempt.js'
import { handled, HeartwireError } from './errors.js'
import type { Settings } from './options.js'
import { toWireData } from './outbox.js'
import type { AttemptContext, HandshakeContext, Provider } from './types.js'

/** What to connect to. */
export type Target = [url: string, protocols?: string | string[] | undefined]

/** Asks the providers, both at once ([P1]). Rejects with what they throw. */
export async function resolveTarget(
  url: Provider<string | URL>,
  protocols: Provider<string | string[]> | undefined,
  context: AttemptContext,
): Promise<Target> {
  const ask = async <Value>(provider: Provider<Value>): Promise<Value> =>
    typeof provider === 'function' ? (provider as (context: AttemptContext) => Value)(context) : provider
  const [target, names] = await Promise.all([ask(url), ask(protocols)])
  // Nothing has a text, too, and a page may have that name.
  if ((target ?? null) === null) throw new TypeError(`'url' is ${target}`)
  return [`${target}`, names]
}

/** Runs the application's handshake ([P6]). Rejects with what it throws; after it is over, its context is of no use. */
export async function greet<Incoming, Outgoing>(
  { codec, handshake }: Settings<Incoming, Outgoing>,
  attempt: Attempt<Outgoing>,
  retries: number,
  isUnderWay: () => boolean,
): Promise<void> {
  const insist = (): void => {
    if (!isUnderWay()) throw new HeartwireError('handshake-failed', 'Cannot go on as the handshake is over')
  }
  const context: HandshakeContext<Incoming, Outgoing> = {
    attempt: retries,
    signal: attempt.signal,
    send(message) {
      insist()
      attempt.send(message, toWireData(codec ? codec.encode(message) : message), false)
    },
    receive: () =>
      handled(
        (async () => {
          insist()
          const { data } = await attempt.receive()
          return codec ? codec.decode(data) : data
        })(),
      ),
  }
  await handshake?.(context)
}
