// Every fault that a network or a server can make, and what a user of heartwire sees of it, beside the native class and
// reconnecting-websocket in the same page. The assertions are about ours; of the others it is noted what they do.
import ReconnectingWebSocket from 'reconnecting-websocket'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import { Heartwire } from '../../src/index.ts'
import type { Observation } from '../support/reliability.ts'
import { openRig, record } from '../support/control.ts'
import type { Control, RemoteRig } from '../support/control.ts'
import { engine, event, task } from './subjects.ts'

/** Shorter than the defaults, so that many faults fit into a run; the bounds below follow from them. */
const HEARTBEAT = { message: 'ping', pong: 'pong', interval: 500, timeout: 500 } as const
const CONNECT_TIMEOUT = 1_000
const CLOSE_TIMEOUT = 500
const LONGEST_DELAY = 400

/** Dead at most this long after the last sign of life ([H4]). */
const DEAD = HEARTBEAT.interval + HEARTBEAT.timeout

/** What a busy machine may add to a bound before a test fails. The table shows what was measured. */
const SLOWNESS = 10_000

// A whole story, on a machine that does much else.
vi.setConfig({ testTimeout: 60_000 })

const CLIENTS: Record<Observation['subject'], (url: string) => WebSocket> = {
  heartwire: (url) =>
    new Heartwire(url, {
      heartbeat: HEARTBEAT,
      connectTimeout: CONNECT_TIMEOUT,
      closeTimeout: CLOSE_TIMEOUT,
      reconnect: { minDelay: 200, maxDelay: LONGEST_DELAY },
    }),
  native: (url) => new WebSocket(url),
  'reconnecting-websocket': (url) =>
    new ReconnectingWebSocket(url, undefined, {
      minReconnectionDelay: 200,
      maxReconnectionDelay: LONGEST_DELAY,
      connectionTimeout: CONNECT_TIMEOUT,
    }) as unknown as WebSocket,
}

/** One thing seen: what, and how many ms after the fault. */
interface Sighting {
  readonly what: string
  readonly after: number
}

interface Stage {
  readonly socket: WebSocket
  readonly rig: RemoteRig
  readonly control: Control
}

interface Fault {
  /** Once it is open, unless the fault is already there when it connects. */
  readonly cause: (stage: Stage) => unknown
  /** What is wrong before it connects. */
  readonly prepare?: (control: Control) => unknown
  /** What a user of heartwire sees, in this order. */
  readonly sees: readonly string[]
  /** ms from the fault to the first of it. */
  readonly bound: number
  /** Why one after the other: browsers connect to one address once at a time. */
  readonly isAlone?: boolean
}

const opened: { close(): unknown }[] = []

/** The latest first: a client before its server. */
const closeAll = async (): Promise<void> => {
  for (let each = opened.pop(); each; each = opened.pop()) await each.close()
}

afterEach(closeAll)

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

const describeClose = ({ code, reason }: CloseEvent): string => `close ${code}${reason ? ` "${reason}"` : ''}`

/** Listens from now on. */
function watch(socket: WebSocket): { sightings: Sighting[]; reached: (count: number) => Promise<void> } {
  const start = performance.now()
  const sightings: Sighting[] = []
  let wake = (): void => {}
  const note = (what: string): void => {
    // One attempt after the other that fails is one thing to see.
    if (sightings.at(-1)?.what === what) return
    sightings.push({ what, after: performance.now() - start })
    wake()
  }
  socket.addEventListener('open', () => note('open'))
  socket.addEventListener('close', (given) => note(describeClose(given)))
  return {
    sightings,
    async reached(count) {
      while (sightings.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']

/** Lets one client meet the fault; the others are given some patience, ours as long as it takes. */
async function meet(subject: Observation['subject'], fault: Fault): Promise<Sighting[]> {
  const rig = await openRig()
  opened.push(rig)
  const { control } = rig
  await control('server.answerPings', true)
  await fault.prepare?.(control)
  const socket = CLIENTS[subject](rig.url)
  opened.push(socket)
  if (!fault.prepare) await event(socket, 'open')
  const { sightings, reached } = watch(socket)
  const all = reached(fault.sees.length)
  await fault.cause({ socket, rig, control })
  if (subject === 'heartwire') await all
  else await Promise.race([all, sleep(inject('patience'))])
  const seen = sightings.slice(0, fault.sees.length)
  return seen.length > 0 ? seen : [{ what: `still ${STATES[socket.readyState]}`, after: NaN }]
}

async function compareAll(scenario: string, fault: Fault): Promise<void> {
  const subjects = ['heartwire', 'reconnecting-websocket', 'native'] as const
  const results: Sighting[][] = []
  if (fault.isAlone) {
    for (const subject of subjects) {
      results.push(await meet(subject, fault))
      await closeAll()
    }
  } else results.push(...(await Promise.all(subjects.map((subject) => meet(subject, fault)))))

  for (const [index, subject] of subjects.entries()) {
    const seen = results[index] as Sighting[]
    const isSeen = !Number.isNaN((seen[0] as Sighting).after)
    const saw = isSeen
      ? seen.map(({ what, after }) => `${what} after ${Math.round(after)} ms`).join(', ')
      : `${seen[0]?.what} after ${inject('patience') / 1_000} s`
    await record({ engine, scenario, subject, saw, after: null, bound: subject === 'heartwire' ? fault.bound : null })
  }

  const [ours] = results as [Sighting[]]
  expect(ours.map(({ what }) => what)).toEqual(fault.sees)
  expect((ours[0] as Sighting).after).toBeLessThan(fault.bound + SLOWNESS)
}

const LOST_BEAT = 'close 1006 "heartbeat timeout"'
const MIB = 1 << 20

/** As if the server had sent half of a text message: the header says 4096 bytes, three come. */
const HALF_A_FRAME = Uint8Array.of(0x81, 126, 0x10, 0x00, 0x61, 0x62, 0x63)

/** A reserved opcode: no WebSocket says that. */
const NO_FRAME = new Uint8Array(32).fill(0xff)

const upgrade = (text: string): Pick<Fault, 'prepare' | 'cause'> => ({
  prepare: (control) => control('proxy.answer', text),
  cause: ({ control }) => control('proxy.waitForAccepted', 1).then(() => control('proxy.answer', null)),
})

const refusedUpgrade = (status: number): Fault => ({
  prepare: (control) => control('server.refuseUpgrades', status),
  cause: ({ control }) => control('server.waitForAttempts', 1).then(() => control('server.refuseUpgrades', null)),
  sees: ['close 1006', 'open'],
  bound: CONNECT_TIMEOUT,
})

/** What a server says at the end, and whether a retry can help ([R4]). */
const CODES = { 1000: true, 1001: true, 1008: false, 1009: false, 1011: true, 1012: true, 1013: true, 4000: true }

/** WebKitGTK takes codes that are younger than RFC 6455 for a broken frame. */
const told = (code: number): string =>
  engine === 'webkit' && (code === 1012 || code === 1013) ? 'close 1006' : `close ${code} "because"`

const FAULTS: Record<string, Fault> = {
  ...Object.fromEntries(
    Object.entries(CODES).map(([code, isRetried]): [string, Fault] => [
      `[R4] server closes with ${code}`,
      {
        cause: ({ control }) => control('server.closeClients', Number(code), 'because'),
        sees: [told(Number(code)), ...(isRetried ? ['open'] : [])],
        bound: 0,
      },
    ]),
  ),
  '[H4] half-open, idle': {
    cause: ({ control }) => control('proxy.blackhole'),
    sees: [LOST_BEAT, 'open'],
    bound: DEAD,
  },
  '[H4] half-open, 16 MiB in the send buffer': {
    async cause({ control, socket }) {
      await control('proxy.stall')
      for (let count = 0; count < 16; count += 1) socket.send('x'.repeat(MIB))
    },
    sees: [LOST_BEAT],
    // The beat may have left since the last look, and then has its own time; and what is next may be in the buffer
    // in whole, so that nobody would see it leave ([H9]).
    bound: DEAD + HEARTBEAT.timeout + (engine === 'webkit' ? 0 : MIB / 64),
  },
  '[S1] upgrade never answered': {
    prepare: (control) => control('proxy.hangUpgrade', true),
    cause: ({ control }) => control('proxy.waitForAccepted', 1).then(() => control('proxy.hangUpgrade', false)),
    sees: ['close 1006 "connect timeout"', 'open'],
    bound: CONNECT_TIMEOUT,
    isAlone: true,
  },
  '[S8] close() on a black hole': {
    async cause({ control, socket }) {
      await control('proxy.blackhole')
      socket.close(4000, 'bye')
    },
    sees: ['close 1006'],
    bound: CLOSE_TIMEOUT,
  },
  '[S1] RST': { cause: ({ control }) => control('proxy.reset'), sees: ['close 1006', 'open'], bound: 0 },
  '[S1] cut without a close frame': {
    cause: ({ control }) => control('proxy.cut'),
    sees: ['close 1006', 'open'],
    bound: 0,
  },
  '[S1] half a frame, then cut': {
    cause: ({ control }) => control('proxy.inject', HALF_A_FRAME).then(() => control('proxy.cut')),
    sees: ['close 1006', 'open'],
    bound: 0,
  },
  '[S1] a frame that is none': {
    cause: ({ control }) => control('proxy.inject', NO_FRAME),
    sees: ['close 1006', 'open'],
    bound: 0,
  },
  '[S1] server killed and restarted': {
    async cause({ control }) {
      await control('server.stop')
      await sleep(1_000)
      await control('server.restart')
    },
    sees: ['close 1006', 'open'],
    bound: 0,
  },
  '[S1] server closes with 4000 and keeps TCP open': {
    cause: ({ control }) => control('proxy.keepEnds', true).then(() => control('server.closeClients', 4000)),
    // Firefox tells at once. Chromium waits 2 s for the end of TCP, WebKit for ever: our beat is faster, but knows no code.
    sees: [engine === 'firefox' ? 'close 4000' : LOST_BEAT, 'open'],
    bound: DEAD,
  },
  '[S1] refused, then accepted': {
    prepare: (control) => control('proxy.refuse'),
    cause: ({ socket, control }) => event(socket, 'close').then(() => control('proxy.accept')),
    sees: ['close 1006', 'open'],
    bound: CONNECT_TIMEOUT,
  },
  '[S1] upgrade answered with 401': refusedUpgrade(401),
  '[S1] upgrade answered with 403': refusedUpgrade(403),
  '[S1] upgrade answered with 500': refusedUpgrade(500),
  '[S1] upgrade answered with a page': {
    ...upgrade('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nlogin'),
    sees: ['close 1006', 'open'],
    bound: CONNECT_TIMEOUT,
  },
  '[S1] upgrade answered with garbage': {
    ...upgrade('\u0000\u0001 this is no HTTP\r\n\r\n'),
    sees: ['close 1006', 'open'],
    bound: CONNECT_TIMEOUT,
  },
  '[S1] upgrade answered with half a head': {
    ...upgrade('HTTP/1.1 101 Switching Proto'),
    sees: ['close 1006', 'open'],
    bound: CONNECT_TIMEOUT,
  },
}

describe('a fault is seen, in time, and over when it is over', () => {
  test.for(Object.entries(FAULTS))('%s', ([scenario, fault]) => compareAll(scenario.replace(/^\[\w+\] /, ''), fault))
})

const heartwire = async (rig: RemoteRig): Promise<Heartwire> => {
  const socket = CLIENTS.heartwire(rig.url) as Heartwire
  opened.push(rig, socket)
  await rig.control('server.answerPings', true)
  await socket.opened()
  return socket
}

const noteOurs = (scenario: string, saw: string, after: number | null = null): Promise<void> =>
  record({ engine, scenario, subject: 'heartwire', saw, after, bound: null })

describe('a link that is only bad', () => {
  /** Nothing is said while it lives. */
  const watchDeath = (socket: Heartwire): unknown[] => {
    const deaths: unknown[] = []
    socket.on('lost', (given) => deaths.push(given))
    socket.on('error', (given) => deaths.push(given))
    return deaths
  }

  test('[H4] slow: 400 ms to and fro are no death', async () => {
    const rig = await openRig()
    const socket = await heartwire(rig)
    const deaths = watchDeath(socket)
    await rig.control('proxy.delay', 100)
    let beats = 0
    for (; beats < 3; beats += 1) await socket.once('heartbeat')
    expect(deaths).toEqual([])
    expect(socket.latency).toBeGreaterThanOrEqual(200)
    await noteOurs('slow link, 200 ms to and fro', `${beats} beats, no loss`)
  })

  // WebKitGTK says that all has left once its network process has it: nobody can see there that an upload goes on.
  test.skipIf(engine === 'webkit')('[H9] thin: an upload that takes longer than a beat may is no death', async () => {
    const rig = await openRig()
    const heartbeat = { ...HEARTBEAT, timeout: 3_000 }
    const socket = new Heartwire(rig.url, { heartbeat, reconnect: false })
    opened.push(rig, socket)
    await rig.control('server.answerPings', true)
    await socket.opened()
    const deaths = watchDeath(socket)
    await rig.control('proxy.throttle', 8 * MIB)
    const start = performance.now()
    const size = 48 * MIB
    socket.send('x'.repeat(size))
    while (!(await rig.control('server.sizes')).includes(size) && deaths.length === 0) await sleep(50)
    const took = performance.now() - start
    expect(deaths).toEqual([])
    expect(took).toBeGreaterThan(HEARTBEAT.interval + heartbeat.timeout)
    await noteOurs('thin link, an upload of 48 MiB', 'arrived, no loss', Math.round(took))
  })
})

describe('a server that is away for a while', () => {
  /** ms; a table is made of a minute, in which Firefox comes to delay attempts by itself. */
  const away = inject('patience') > 1_000 ? 60_000 : 2_000

  test(
    '[R1] is found again soon after it is back, with the delays of the defaults',
    { timeout: away + 180_000 },
    async () => {
      const find = async (subject: 'heartwire' | 'reconnecting-websocket'): Promise<void> => {
        const rig = await openRig()
        const socket =
          subject === 'heartwire'
            ? new Heartwire(rig.url)
            : (new ReconnectingWebSocket(rig.url) as unknown as WebSocket)
        opened.push(rig, socket)
        await event(socket, 'open')
        await rig.control('proxy.refuse')
        await rig.control('proxy.reset')
        await sleep(away)
        const open = event(socket, 'open')
        await rig.control('proxy.accept')
        const start = performance.now()
        await open
        const after = Math.round(performance.now() - start)
        // The longest delay and the longest attempt, twice each: what Firefox delays by itself is at most a minute.
        if (subject === 'heartwire') expect(after).toBeLessThan(80_000 + SLOWNESS)
        const scenario = `server away for ${away / 1_000} s, delays of the defaults; from its return`
        await record({ engine, scenario, subject, saw: 'open', after, bound: null })
      }
      await Promise.all([find('heartwire'), find('reconnecting-websocket')])
    },
  )
})

describe('a server that accepts and drops', () => {
  test('[R2] is not stormed, and found when it is well again', async () => {
    const rig = await openRig()
    opened.push(rig)
    // One client at a time: the number of attempts is what is looked at.
    for (const subject of ['reconnecting-websocket', 'heartwire'] as const) {
      const before = await rig.control('server.attempts')
      const socket = CLIENTS[subject](rig.url)
      opened.push(socket)
      socket.addEventListener('open', () => void rig.control('server.terminate'))
      const start = performance.now()
      while (performance.now() - start < 2_000) await event(socket, 'close')
      const count = (await rig.control('server.attempts')) - before
      socket.close()
      // Full jitter over a delay that grows to 400 ms: 2 s hold ten attempts on average.
      if (subject === 'heartwire') expect(count).toBeLessThan(40)
      await record({
        engine,
        scenario: 'accept, then drop, for 2 s',
        subject,
        saw: `${count} attempts`,
        after: null,
        bound: null,
      })
    }
  })
})

describe('messages on their way when the link is cut', () => {
  test('[Q3] are accounted for: what arrived, what is sent again and what is in doubt add up, nothing arrives twice', async () => {
    const rig = await openRig()
    const socket = await heartwire(rig)
    const dropped: unknown[] = []
    let inDoubt = 0
    socket.on('dropped', ({ messages }) => dropped.push(...messages))
    socket.on('lost', (given) => {
      inDoubt += given.inDoubt
    })
    let sent = 0
    const say = (count: number): void => {
      for (const end = sent + count; sent < end; sent += 1) socket.send(`${sent} `.padEnd(1_000, 'x'))
    }
    for (const fault of ['proxy.cut', 'proxy.reset', 'server.terminate', 'proxy.blackhole'] as const) {
      await socket.opened()
      say(100)
      const lost = socket.once('lost')
      await Promise.all([rig.control(fault), task().then(() => say(100))])
      say(100)
      await lost
      say(100)
    }
    await socket.opened()
    await socket.drained()
    socket.send('last')
    let received: unknown[] = []
    while (received.at(-1) !== 'last') {
      received = (await rig.control('server.received')).filter((message) => message !== 'ping')
    }
    const numbers = received.slice(0, -1).map((message) => Number.parseInt(String(message)))
    const missing = sent - new Set(numbers).size
    expect(numbers).toHaveLength(new Set(numbers).size)
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    expect(dropped).toEqual([])
    // What is in doubt may have arrived; nothing else may be missing.
    expect(missing).toBeLessThanOrEqual(inDoubt)
    await noteOurs(
      'four cuts while 1,600 messages are sent',
      `${numbers.length} arrived, 0 twice, ${inDoubt} told to be in doubt, ${missing} of them lost`,
    )
  })
})
