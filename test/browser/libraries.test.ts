// Libraries that take a `WebSocket` class, in a real page: their builds for browsers, over sockets that browsers make.
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Heartwire } from '../../src/index.ts'
import type { Library } from '../support/library-server.ts'
import { openLibraryRig } from '../support/control.ts'
import { begin, watch } from '../support/conversation.ts'

// A whole story, with the libraries' own delays before a retry, on a machine that does much else.
vi.setConfig({ testTimeout: 60_000 })

const TIMING = { interval: 1_000, timeout: 500 }

test.each(Object.keys(begin) as Library[])(
  '[P4] [H4] %s notices a black hole, and goes on over a new connection',
  async (library) => {
    const rig = await openLibraryRig(library)
    onTestFinished(() => rig.close())
    const { url, serverUrl, control } = rig
    const watched = watch()
    onTestFinished(() => watched.stop())
    // The other client of y-websocket has a link of its own, which does not break.
    const sockets = (): Heartwire[] => watched.sockets.filter((socket) => socket.url.startsWith(url))
    const { say, end } = begin[library](url, serverUrl, TIMING)
    let ended: unknown
    const endOnce = (): unknown => (ended ??= end() ?? true)
    onTestFinished(async () => void (await endOnce()))
    const subscriptions = library === 'y-websocket' ? 2 : 1
    await control('server.waitForSubscribed', subscriptions)
    await say('before')
    expect(sockets()).toHaveLength(1)

    const loss = new Promise((resolve) => {
      sockets()[0]?.on('lost', ({ close: how }) => resolve(how))
    })
    await control('proxy.blackhole')
    expect(await loss).toMatchObject({ code: 1006, reason: 'heartbeat timeout' })

    await control('server.waitForSubscribed', subscriptions + 1)
    await say('after')
    expect(sockets().map(({ state }) => state)).toEqual(['closed', 'open'])

    await endOnce()
    await control('server.waitForClosed', 1)
    expect(sockets().map(({ state }) => state)).not.toContain('open')
  },
)
