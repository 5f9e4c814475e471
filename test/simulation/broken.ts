// Clients that are broken on purpose, one for each invariant: a net that lets them through would prove nothing.
import { Heartwire, HeartwireError } from '../../src/index.ts'
import type { HeartwireClass, NativeClass, Substitutes } from './client.ts'
import type { InvariantName } from './invariants.ts'
import { BEAT, PING, PONG } from './server.ts'

type Listener = (event: any) => void

const breakClass = (Class: unknown): Substitutes => ({ Heartwire: Class as HeartwireClass })
const breakNative = (wrap: (Native: NativeClass) => NativeClass): Substitutes => ({ Heartwire, wrap })

/** One that does something more when it tells an event. */
const on = (type: 'waiting' | 'closed' | 'open' | 'lost', act: (socket: Heartwire) => void): Substitutes =>
  breakClass(
    class extends Heartwire {
      constructor(...given: ConstructorParameters<HeartwireClass>) {
        super(...given)
        super.on(type, () => act(this))
      }
    },
  )

/** One that tells a bus event otherwise than it is. */
const retell = (type: string, change: (event: any) => object): Substitutes =>
  breakClass(
    class extends Heartwire {
      override on(name: any, listener: any): () => void {
        return super.on(name, name === type ? (event: object) => listener(change({ ...event })) : listener)
      }
    },
  )

/** One whose attribute says something else. */
const misstate = (name: 'bufferedAmount' | 'readyState' | 'state', change: (value: any) => unknown): Substitutes =>
  breakClass(
    class extends Heartwire {
      static {
        const attribute = Object.getOwnPropertyDescriptor(Heartwire.prototype, name)
        Object.defineProperty(this.prototype, name, {
          configurable: true,
          get(this: Heartwire) {
            return change(attribute?.get?.call(this))
          },
        })
      }
    },
  )

/** One whose method does something else. */
const override = (
  name: 'send' | 'opened' | 'close',
  replace: (original: (...values: any[]) => any, ...values: any[]) => unknown,
): Substitutes =>
  breakClass(
    class extends Heartwire {
      static {
        const original = Heartwire.prototype[name] as (...values: any[]) => any
        Object.defineProperty(this.prototype, name, {
          configurable: true,
          value(this: Heartwire, ...values: unknown[]) {
            return replace(original.bind(this), ...values)
          },
        })
      }
    },
  )

/** The timers that were set last are gone. */
function clearTimers(): void {
  const latest = setTimeout(() => {}, 0) as unknown as number
  for (let id = latest; id > latest - 10; id--) clearTimeout(id)
}

const sockets = new WeakMap<object, number>()

/** What is wrong with a client, and the invariant that it breaks. */
export const BROKEN: Record<string, readonly [InvariantName, Substitutes]> = {
  'opens a second socket': [
    'oneSocket',
    breakClass(
      class extends Heartwire {
        constructor(...[url, protocols, options]: any[]) {
          super(url, protocols, options)
          super.on('open', () => new (protocols ?? options).WebSocket('ws://example.test/'))
        }
      },
    ),
  ],
  'leaves a timer': ['nothingAfterClosed', on('closed', () => setTimeout(() => {}, 1e9))],
  'stays subscribed': [
    'nothingAfterClosed',
    breakClass(
      class extends Heartwire {
        constructor(...[url, options]: any[]) {
          super(url, options)
          if (options.network) options.network.subscribe(() => {})
        }
      },
    ),
  ],
  'tells something after closed': [
    'silentAfterClosed',
    on('closed', (socket) => queueMicrotask(() => socket.dispatchEvent(new Event('close')))),
  ],
  'has two timers': ['oneTimer', on('open', () => setTimeout(() => {}, 1_000))],
  'forgets its timer': ['movesOn', on('waiting', clearTimers)],
  'skips a state': ['legalState', misstate('state', (state: string) => (state === 'handshaking' ? 'open' : state))],
  'waits too long': ['delayInRange', retell('waiting', (event) => ({ ...event, delay: event.delay * 40 + 1 }))],
  'asks its policy and does the opposite': [
    'policy',
    breakClass(
      class extends Heartwire {
        constructor(...[url, { reconnect, ...options }]: any[]) {
          const { when } = Object(reconnect)
          super(url, {
            ...options,
            reconnect: when ? { ...reconnect, when: (close: unknown) => !when(close) } : reconnect,
          })
        }
      },
    ),
  ],
  'does not wait': ['noStorm', on('waiting', (socket) => socket.reconnect())],
  'miscounts its attempts': ['givesUp', retell('waiting', (event) => ({ ...event, attempt: event.attempt + 1 }))],
  'does not hear answers': [
    'healthyStays',
    breakNative(
      (Native) =>
        class extends Native {
          override receive(text: string): void {
            if (text !== PONG && text !== BEAT) super.receive(text)
          }
        },
    ),
  ],
  'answers itself': [
    'deadIsNoticed',
    breakNative(
      (Native) =>
        class extends Native {
          send(data: unknown): void {
            ;(Native.prototype as unknown as WebSocket).send.call(this, data as string)
            const { onmessage } = this as unknown as { onmessage: Listener | null }
            if (data === PING) queueMicrotask(() => onmessage?.({ type: 'message', data: 'noise' }))
          }
        },
    ),
  ],
  'opens three times only': [
    'recovers',
    breakNative(
      (Native) =>
        class extends Native {
          override accept(): void {
            const count = (sockets.get(Native) ?? 0) + 1
            sockets.set(Native, count)
            if (count <= 3) super.accept()
          }
        },
    ),
  ],
  'sends twice': [
    'onceInOrder',
    override('send', (send, message) => {
      send(message)
      send(message)
    }),
  ],
  'swaps messages on their way': [
    'onceInOrder',
    breakNative(
      (Native) =>
        class extends Native {
          send(data: unknown): void {
            ;(Native.prototype as unknown as WebSocket).send.call(this, data as string)
            const { outgoing } = this.connection
            if (outgoing.length > 1) outgoing.push(...outgoing.splice(-2, 1))
          }
        },
    ),
  ],
  'has no doubts': ['noneLost', retell('lost', (event) => ({ ...event, inDoubt: 0 }))],
  'says it replays one more': ['replayed', retell('lost', (event) => ({ ...event, requeued: event.requeued + 1 }))],
  'drops without a word': ['bufferedAmount', override('send', (send, message) => Math.random() < 0.9 && send(message))],
  'counts one byte too many': ['bufferedAmount', misstate('bufferedAmount', (bytes: number) => bytes && bytes + 1)],
  'is in a hurry when it closes': [
    'closesInTime',
    breakClass(
      class extends Heartwire {
        constructor(...[url, options]: any[]) {
          super(url, { ...options, closeTimeout: options.closeTimeout / 4 })
        }
      },
    ),
  ],
  'lets a failed attempt hang': [
    'failsAtOnce',
    breakClass(
      class extends Heartwire {
        constructor(...[url, options]: any[]) {
          const { handshake } = options
          const patient = (context: unknown): unknown =>
            new Promise((resolve) => resolve(handshake(context))).catch(() => new Promise(() => {}))
          super(url, handshake ? { ...options, handshake: patient } : options)
        }
      },
    ),
  ],
  'is full too early': [
    'withinLimits',
    override('send', (send, message) => {
      if (Math.random() < 0.05) throw new HeartwireError('queue-overflow', 'Cannot send as it does not want to')
      send(message)
    }),
  ],
  'says it is open too early': ['readyState', misstate('readyState', (state: number) => state || 1)],
  'tells open twice': ['eventOrder', on('open', (socket) => socket.dispatchEvent(new Event('open')))],
  'tells close twice': [
    'oneClose',
    on('lost', (socket) => socket.dispatchEvent(Object.assign(new Event('close'), { willReconnect: true }))),
  ],
  'says that it drained': [
    'drained',
    breakClass(
      class extends Heartwire {
        override on(name: any, listener: any): () => void {
          if (name === 'drain') super.on('lost', listener)
          return super.on(name, listener)
        }
      },
    ),
  ],
  'delivers a message twice': [
    'inbound',
    breakNative(
      (Native) =>
        class extends Native {
          override receive(text: string): void {
            super.receive(text)
            super.receive(text)
          }
        },
    ),
  ],
  'leaves a rejection to nobody': [
    'nothingUncaught',
    on('waiting', () => void Promise.reject(new Error('nobody looks at it'))),
  ],
  'never settles a promise': ['promises', override('opened', () => new Promise(() => {}))],
  'takes any code': [
    'badInput',
    override('close', (close, code, reason) => close(code === 1001 ? 1000 : code, reason)),
  ],
}
