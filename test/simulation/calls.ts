// Everything that an application can call, with good and bad arguments, and what must be true right after each call.
import { HeartwireError } from '../../src/index.ts'
import type { Client } from './client.ts'
import { numberOf } from './inbound.ts'
import { Mischief } from './mischief.ts'
import { blobTexts } from './socket.ts'

/** What pads messages: bytes are not characters. */
const PADDING = ['', 'a', '€€€😀', 'x'.repeat(40), 'ü'.repeat(300), 'y'.repeat(20_000)]

/** What takes a slow link a while. */
const MUCH = 'z'.repeat(30_000)

/** States without a connection or an attempt that `close()` would end. */
const OVER = ['idle', 'closing', 'closed']

/** What of a socket bad input must leave as it was. */
const lookAt = ({ socket }: Client): string =>
  [socket.state, socket.readyState, socket.bufferedAmount, socket.queued, socket.attempt].join(' ')

/** Calls what must throw, and change nothing. */
function misuse(client: Client, name: string, call: () => unknown): void {
  const before = lookAt(client)
  let error: unknown
  try {
    call()
  } catch (thrown) {
    error = thrown
  }
  const isFine = (error as Error | undefined)?.name === name && lookAt(client) === before
  client.judge.claim(
    'badInput',
    isFine,
    () => `${String(error)} instead of ${name}; ${before} became ${lookAt(client)}`,
  )
}

function send(client: Client, kind: 'text' | 'binary' | 'blob', padding = client.world.chance.pick(PADDING)): void {
  const { socket, ledger, facts, world } = client
  const sequence = client.nextSequence()
  const text = `m${sequence}|${padding}`
  const [message, spoil] = packed(client, text, kind)
  const { state } = socket
  client.startsLazily()
  const wasFull = ledger.isFull(Buffer.byteLength(text), world.clock.now)
  ledger.offer(sequence, text, world.clock.now)
  try {
    socket.send(message)
    ledger.accept(sequence)
  } catch (error) {
    ledger.refuse(sequence)
    const isConnecting = !facts.queue && socket.readyState === 0
    const isOverflow = error instanceof HeartwireError && error.code === 'queue-overflow'
    const isFine =
      isOverflow || error instanceof Mischief || (isConnecting && (error as Error).name === 'InvalidStateError')
    client.judge.claim('badInput', isFine, () => `send threw ${String(error)} while ${state}`)
    const isJustified = !isOverflow || (wasFull && facts.queue?.overflow === 'throw') || !client.isOutermost
    client.judge.claim('withinLimits', isJustified, () => `${String(error)}, but the model has room`)
  }
  // Whoever sends a buffer may use it again at once.
  spoil()
}

function packed(client: Client, text: string, kind: 'text' | 'binary' | 'blob'): [message: any, spoil: () => void] {
  if (client.facts.gives.codec) return [{ m: text }, () => {}]
  if (kind === 'text') return [text, () => {}]
  if (kind === 'binary') {
    const bytes = new TextEncoder().encode(text)
    return [bytes, () => bytes.fill(0)]
  }
  const blob = new Blob([text])
  blobTexts.set(blob, text)
  return [blob, () => {}]
}

/** Calls what closes, and checks what must be so at once. */
function close(client: Client, call: () => unknown): void {
  const { socket, witness, judge } = client
  const { events } = witness
  const { calls } = client
  const isOver = OVER.includes(socket.state)
  witness.causes.close = true
  call()
  // A listener may have called something else meanwhile.
  if (client.calls > calls) return
  const isFine = socket.state === 'closed' || socket.state === 'closing'
  judge.claim('oneClose', isFine, () => `close() led to ${socket.state}`)
  // Within a function of the application's, a call tells what was to be told anyway.
  judge.claim('oneClose', witness.events === events || !client.isOutermost, () => 'an event came within close()')
  judge.claim('oneClose', isOver || socket.readyState === 2, () => `readyState is ${socket.readyState} after close()`)
}

function connect(client: Client, call: () => void): void {
  const { socket, witness, judge, controller } = client
  const isAborted = client.facts.gives.signal && controller.signal.aborted
  witness.causes.connect = true
  const { calls } = client
  call()
  if (client.calls > calls) return
  const isUnderWay = ['resolving', 'connecting'].includes(socket.state)
  // A constructor that refuses has closed it already.
  const isRefused = socket.state === 'closing'
  judge.claim('legalState', isAborted || isUnderWay || isRefused, () => `reconnect() led to ${socket.state}`)
}

/** Reads messages for a while. */
function iterate({ socket, judge, world, promises }: Client): void {
  const iterator = socket[Symbol.asyncIterator]()
  const count = world.chance.integer(1, 5)
  const read = async (): Promise<void> => {
    let last = 0
    for (let left = count; left > 0; left--) {
      const { done, value } = await iterator.next()
      if (done) return
      const number = numberOf(value)
      if (number === null) continue
      judge.claim('inbound', number > last, () => `an iterator gave ${number} after ${last}`)
      last = number
    }
    await iterator.return?.()
  }
  promises.add('iterator', read())
}

/** What a client can be made to do. */
export const CALLS = {
  send: (client) => send(client, 'text'),
  sendBinary: (client) => send(client, 'binary'),
  sendBlob: (client) => send(client, 'blob'),
  sendMany: (client) => {
    for (let count = client.world.chance.integer(2, 30); count > 0; count--) send(client, 'text')
  },
  sendMuch: (client) => {
    for (let count = client.world.chance.integer(1, 5); count > 0; count--) send(client, 'text', MUCH)
  },
  close: (client) => close(client, () => client.socket.close()),
  closeWithCode: (client) =>
    close(client, () => client.socket.close(client.world.chance.pick([1000, 3000, 4999]), 'bye € \ud800')),
  dispose: (client) => close(client, () => client.socket[Symbol.dispose]()),
  asyncDispose: (client) =>
    close(client, () => client.promises.add('asyncDispose', client.socket[Symbol.asyncDispose](), ['resolved'])),
  abort: (client) => {
    if (client.facts.gives.signal) close(client, () => client.controller.abort())
  },
  reconnect: (client) => connect(client, () => client.socket.reconnect()),
  connect: (client) => connect(client, () => client.socket.connect()),
  closeAndConnect: (client) => {
    CALLS.close(client)
    CALLS.connect(client)
  },
  opened: (client) => {
    client.startsLazily()
    client.promises.add('opened', client.socket.opened())
  },
  openedWithSignal: (client) => {
    const controller = new AbortController()
    client.startsLazily()
    client.promises.add('opened', client.socket.opened({ signal: controller.signal }))
    client.leaveLater(controller)
  },
  drained: (client) => client.promises.add('drained', client.socket.drained()),
  once: (client) => {
    const type = client.world.chance.pick(['open', 'lost', 'closed', 'state'] as const)
    // On a closed socket it waits for the next connect(), and that may never come.
    if (client.socket.state !== 'closed') client.promises.add('once', client.socket.once(type))
  },
  iterate: (client) => {
    client.startsLazily()
    iterate(client)
  },
  listen: (client) => client.addMischief(),
  binaryType: (client) => (client.socket.binaryType = client.world.chance.pick(['blob', 'arraybuffer'])),
  closeBadly: (client) => {
    misuse(client, 'InvalidAccessError', () => client.socket.close(client.world.chance.pick([0, 999, 1001, 5000])))
    misuse(client, 'SyntaxError', () => client.socket.close(1000, 'ü'.repeat(62)))
  },
  sendBadly: (client) => {
    misuse(client, 'TypeError', () => (client.socket as any).send())
    if (!client.facts.gives.codec) misuse(client, 'TypeError', () => client.socket.send(Symbol('bad') as any))
  },
} as const satisfies Record<string, (client: Client) => unknown>
export type CallName = keyof typeof CALLS
