// Libraries that take a `WebSocket` class, by the recipes of docs/libraries.md, against their own servers: they survive a
// black-holed link.
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { Heartwire, HeartwireEvents } from '../../src/index.ts'
import { begin, watch } from '../support/conversation.ts'
import type { Conversation, Timing } from '../support/conversation.ts'
import { LIBRARIES, startLibraryRig } from '../support/library-server.ts'
import type { Library, LibraryRig } from '../support/library-server.ts'

// A whole story, with the libraries' own delays before a retry, on a machine that does much else.
vi.setConfig({ testTimeout: 60_000 })

const TIMING = { interval: 1_000, timeout: 500 }

/** What a busy machine may add to a bound before a test fails. */
const SLOWNESS = 10_000

beforeEach(() => {
  // Node 20 has none, and some of the libraries look there, too.
  vi.stubGlobal('WebSocket', WebSocket)
})

const lossOf = (socket: Heartwire | undefined): Promise<HeartwireEvents['lost']> =>
  new Promise((resolve) => {
    socket?.on('lost', resolve)
  })

/** A conversation through a link that breaks on request. */
interface Stage extends Conversation {
  readonly rig: LibraryRig
  /** How many subscriptions the server sees at first. */
  readonly subscriptions: number
  /** The sockets on that link ever, in order. */
  readonly sockets: () => Heartwire[]
}

const stage = async (library: Library, timing: Timing = TIMING): Promise<Stage> => {
  const rig = await startLibraryRig(library)
  onTestFinished(() => rig.close())
  const watched = watch()
  onTestFinished(() => watched.stop())
  const { say, end } = begin[library](rig.url, rig.serverUrl, timing)
  let ended: unknown
  const endOnce = (): unknown => (ended ??= end() ?? true)
  onTestFinished(async () => void (await endOnce()))
  await watched.made(1)
  return {
    rig,
    say,
    end: endOnce,
    // The other client of y-websocket has a link of its own, which does not break.
    subscriptions: library === 'y-websocket' ? 2 : 1,
    sockets: () => watched.sockets.filter(({ url }) => url.startsWith(rig.url)),
  }
}

describe.each(LIBRARIES)('%s', (library) => {
  test('[P4] [H4] notices a black hole, and goes on over a new connection', async () => {
    const { rig, say, end, sockets, subscriptions } = await stage(library)
    await rig.server.waitForSubscribed(subscriptions)
    await say('before')
    expect(sockets()).toHaveLength(1)

    const start = performance.now()
    const loss = lossOf(sockets()[0])
    rig.proxy.blackhole()
    expect((await loss).close).toMatchObject({ code: 1006, reason: 'heartbeat timeout' })
    expect(performance.now() - start).toBeLessThan(TIMING.interval + TIMING.timeout + SLOWNESS)

    await rig.server.waitForSubscribed(subscriptions + 1)
    await say('after')
    await say('after that')
    expect(sockets().map(({ state }) => state)).toEqual(['closed', 'open'])
    expect(rig.proxy.accepted).toBe(2)

    await end()
    await rig.server.waitForClosed(1)
    expect(sockets().map(({ state }) => state)).not.toContain('open')
  })

  test('[P4] [H4] notices a link that dies before the server has answered the first message', async () => {
    const { rig, say, sockets, subscriptions } = await stage(library)
    const [first] = sockets()
    first?.on('open', () => rig.proxy.blackhole())
    expect((await lossOf(first)).close.reason).toBe('heartbeat timeout')
    await rig.server.waitForSubscribed(subscriptions)
    await say('hello')
    expect(rig.proxy.accepted).toBe(2)
  })

  test('[P4] goes on when a server that restarts has closed the connection', async () => {
    const { rig, say, sockets, subscriptions } = await stage(library)
    await rig.server.waitForSubscribed(subscriptions)
    await say('before')
    const loss = lossOf(sockets()[0])
    rig.server.closeClients(1001)
    expect((await loss).close).toMatchObject({ code: 1001, wasClean: true })
    await rig.server.waitForSubscribed(2 * subscriptions)
    await say('after')
    expect(sockets()).toHaveLength(2)
  })
})

describe('mqtt', () => {
  test('[P4] a beat breaks no packet on its way', async () => {
    const { rig, say } = await stage('mqtt', { interval: 1, timeout: 60_000 })
    await rig.server.waitForSubscribed(1)
    const sent = vi.spyOn(WebSocket.prototype, 'send')
    // More than mqtt.js writes before it waits for the socket's buffer.
    rig.proxy.throttle(20_000_000)
    const texts = Array.from({ length: 20 }, (_, index) => `${index} `.padEnd(300_000, 'x'))
    await Promise.all(texts.map(say))
    const isBeat = sent.mock.calls.map(([data]) => (data as ArrayBuffer).byteLength === 2)
    const first = isBeat.indexOf(false)
    expect(isBeat.slice(first, isBeat.lastIndexOf(false))).toContain(true)
    expect(rig.proxy.accepted).toBe(1)
  })
})
