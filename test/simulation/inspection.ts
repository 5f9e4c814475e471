// A look at one client from outside, after each turn: whatever happened in it, this must be true.
import { getEventListeners } from 'node:events'
import type { State } from '../../src/index.ts'
import type { Client } from './client.ts'
import type { Facts } from './settings.ts'

export function inspect(client: Client): void {
  const { socket, judge, ledger, witness, vitals, inbound } = client
  const { state } = socket
  judge.claim('legalState', state === witness.state, () => `${state}, but ${witness.state} was told`)
  vitals.letGo(client.takeShut(), witness.causes, client.hasDied)
  if (state === 'open') vitals.check()
  witness.settle(state)
  ledger.settle()
  inbound.settle(client.hasActed)
  inspectReadyState(client, state)
  inspectAmounts(client, state)
  inspectTimers(client, state)
  if (state === 'closed') inspectRemains(client)
  const hasFailed = client.application.hasFailed && !client.hasActed
  const isUnderWay = ['resolving', 'connecting', 'handshaking', 'open'].includes(state)
  judge.claim('failsAtOnce', !hasFailed || !isUnderWay, () => `it is ${state} all the same`)
}

function inspectReadyState(client: Client, state: State): void {
  const { socket, judge, ledger } = client
  const { readyState, reason } = socket
  const native = ledger.current?.socket.readyState
  const wanted = {
    ...{ idle: 3, resolving: 0, connecting: 0, handshaking: 0, open: native },
    ...{ waiting: 0, paused: 0, closing: 2, closed: 3 },
  }[state]
  judge.claim('readyState', readyState === wanted, () => `${readyState} while ${state}, the native one is ${native}`)
  const { latency, url } = socket
  judge.claim('readyState', latency === client.latency, () => `the latency is ${latency}, not ${client.latency}`)
  const current = client.connections.at(-1)?.socket.url ?? ''
  judge.claim('readyState', url === current, () => `the url is '${url}', not '${current}'`)
  const hasReason = reason !== null
  judge.claim('readyState', hasReason === (state === 'closed'), () => `the reason is ${reason} while ${state}`)
}

function inspectAmounts({ socket, judge, ledger }: Client, state: State): void {
  const { bufferedAmount, queued } = socket
  const { queuedBytes, discarded } = ledger
  const native = state === 'closed' ? 0 : (ledger.current?.socket.bufferedAmount ?? 0)
  const model = `${queuedBytes} queued, ${native} native, ${discarded} discarded`
  const isExact = bufferedAmount === queuedBytes + native + discarded
  judge.claim('bufferedAmount', isExact, () => `${bufferedAmount} while ${state}, but ${model}`)
  judge.claim('bufferedAmount', queued === ledger.queued, () => `${queued} queued, not ${ledger.queued}`)
  ledger.checkLimits()
}

function inspectTimers({ number, facts, judge, world }: Client, state: State): void {
  const timers = world.clock.timersOf(number)
  judge.claim('oneTimer', timers.length <= 1, () => `${timers.length} while ${state}`)
  const limit = limitOf(state, facts)
  const rest = (timers[0]?.due ?? Infinity) - world.clock.now
  // No timer is shorter than 1 ms, and sums of fractions are not exact.
  judge.claim('movesOn', rest <= limit + 1.01, () => `${state} has a timer in ${rest} ms, its limit is ${limit}`)
  judge.claim('movesOn', world.clock.overflows === 0, () => 'a timer was set to more than a timer can hold')
  const isOver = state === 'idle' || state === 'closed'
  judge.claim('nothingAfterClosed', !isOver || timers.length === 0, () => `${timers.length} timers while ${state}`)
}

function inspectRemains({ network, controller, connections, judge }: Client): void {
  const remains = {
    subscriptions: network.count,
    listeners: getEventListeners(controller.signal, 'abort').length,
    live: connections.filter(({ socket }) => socket.readyState < 2).length,
  }
  const isClean = Object.values(remains).every((count) => count === 0)
  judge.claim('nothingAfterClosed', isClean, () => JSON.stringify(remains))
}

/** ms within which a state's timer has to be due. */
function limitOf(state: State, { connectTimeout, closeTimeout, heartbeat }: Facts): number {
  switch (state) {
    case 'resolving':
    case 'connecting':
    case 'handshaking':
      return connectTimeout
    case 'open':
      return heartbeat ? heartbeat.interval + heartbeat.timeout : Infinity
    case 'waiting':
      // Any delay that the application wants; but there has to be one.
      return Number.MAX_VALUE
    case 'paused':
      return 60_000
    case 'closing':
      return closeTimeout
    case 'idle':
    case 'closed':
      return Infinity
    default:
      return state satisfies never
  }
}
