// The listeners of one client: those that write down and check what is told, and those that misbehave.
import type { HeartwireEvents } from '../../src/index.ts'
import type { Client } from './client.ts'

const BUS = ['open', 'lost', 'waiting', 'closed', 'heartbeat', 'probe', 'dropped', 'error'] as const

/** Begins to write down what a client is told, before anybody else can hear it. */
export function hear(client: Client): void {
  const { socket, witness, ledger, vitals, world, facts } = client
  const note = (what: () => string): void => world.log(() => `client ${client.number}:   ${what()}`)
  let isFirst = true
  socket.on('state', (event) => {
    note(() => `${event.previous} → ${event.state}`)
    ledger.state(event)
    witness.tellState(event, isFirst)
    checkPause(client, event)
    isFirst = false
    if (event.state === 'closing') {
      witness.owedCloses++
      client.closingAt = world.clock.time
    }
    if (event.state === 'closed' && event.previous === 'closing') checkPatience(client)
    if (event.previous === 'open') vitals.ended()
    if (event.state === 'open') vitals.opened(ledger.current)
    // A listener of messages would have started it.
    if (event.state === 'resolving' && event.previous === 'idle') client.hearMessages()
  })
  for (const type of BUS) {
    socket.on(type, (event: HeartwireEvents[typeof type]) => {
      note(() => `${type} ${JSON.stringify(event)?.slice(0, 200)}`)
      witness.tell(type, event)
    })
  }
  socket.on('lost', (event) => ledger.lost(event, client.hasFinished(ledger.ended), world.clock.now))
  socket.on('heartbeat', ({ latency }) => {
    client.inbound.hearBeat()
    client.latency = latency ?? client.latency
  })
  socket.on('dropped', (event) => ledger.dropped(event))
  socket.on('error', ({ code }) => {
    if (code !== 'heartbeat-timeout') return
    client.hasDied = true
    vitals.died(ledger.ended)
  })
  if (client.hearsDrain) {
    socket.on('drain', () => {
      note(() => 'drain')
      client.drains++
      witness.tell('drain', undefined)
      client.judge.claim('drained', ledger.isEmpty || client.hasActed, () => `${ledger.queued} are queued`)
    })
  }
  for (const type of ['open', 'error', 'close'] as const) {
    socket.addEventListener(type, (event) => {
      note(() => `<${type}${type === 'close' ? ` ${(event as CloseEvent).code} ${(event as CloseEvent).reason}` : ''}>`)
      witness.hear(event)
    })
  }
  if (facts.start !== 'lazy') client.hearMessages()
}

/** Who gives up a closing handshake has waited long enough, and nothing was leaving any more. */
function checkPatience(client: Client): void {
  const { ledger, world, judge, facts, closingAt } = client
  const connection = ledger.ended
  // When the policy was asked it was lost already; the application's answer may have been to close it.
  if (!connection || client.hasFinished(connection) || client.witness.causes.policy) return
  const waited = world.clock.time - Math.max(closingAt, connection.lastLeft)
  judge.claim('closesInTime', waited >= facts.closeTimeout - 1, () => `gave up after ${waited} ms`)
}

/** A loss leads to a pause exactly if the network is believed to be down, or the page is being left. */
function checkPause({ facts, network, witness, judge }: Client, { state, previous }: HeartwireEvents['state']): void {
  if (previous === 'waiting' || previous === 'paused' || (state !== 'waiting' && state !== 'paused')) return
  const isDown = facts.gives.network && !network.online
  const isPaused = state === 'paused'
  judge.claim('legalState', isPaused === isDown || witness.causes.hide, () => `${state} while online is ${!isDown}`)
}

const DOM = ['open', 'error', 'close', 'message'] as const

/** Adds a listener that sometimes throws and sometimes calls a method. */
export function misbehave(client: Client): void {
  const { socket, application, world } = client
  const { chance } = world
  const listener = (): void => application.act()
  client.startsLazily()
  switch (chance.integer(0, 4)) {
    case 0:
      return socket.addEventListener(chance.pick(DOM), listener, { once: chance.is(0.3), capture: chance.is(0.3) })
    case 1:
      socket[chance.pick(['onopen', 'onclose', 'onerror', 'onmessage'] as const)] = chance.is(0.7) ? listener : null
      return
    case 2:
      socket.on('*', listener)
      return
    case 3: {
      const undo = socket.on(chance.pick([...BUS, 'state', 'message', 'drain']), () => {
        if (chance.is(0.5)) undo()
        application.act()
      })
      return
    }
    default:
      return socket.addEventListener(chance.pick(DOM), { handleEvent: listener })
  }
}
