// What a Node process feels of a library over Heartwire: nothing, once the library is told to end, even just after a loss.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { LIBRARIES, startLibraryRig } from '../support/library-server.ts'
import type { LibraryRig } from '../support/library-server.ts'
import { translate } from './child.ts'
import type { Programs } from './child.ts'

// A whole story, with the libraries' own delays before a retry, on a machine that does much else.
vi.setConfig({ testTimeout: 60_000 })

const TIMING = { interval: 1_000, timeout: 500 }

let programs: Programs
let rig: LibraryRig | undefined

beforeAll(async () => {
  const recipes = LIBRARIES.map((library) => `test/recipes/${library}.ts`)
  programs = await translate([...recipes, 'test/support/conversation.ts', 'test/support/waiting.ts'])
})

afterAll(async () => {
  await programs.remove()
})

afterEach(async () => {
  await rig?.close()
})

describe.each(LIBRARIES)('%s', (library) => {
  test.each(['while it waits to retry', 'after it has retried'] as const)(
    '[S5] leaves nothing behind when it is ended %s',
    async (when) => {
      const { server, proxy, url, serverUrl } = (rig = await startLibraryRig(library))
      const sockets = library === 'y-websocket' ? 2 : 1
      void server.waitForSubscribed(sockets).then(() => proxy.blackhole())
      const program = `
        globalThis.WebSocket = WebSocket
        const { begin, watch } = await import('./conversation.js')
        const watched = watch()
        const { end } = begin['${library}'](url, '${serverUrl}', ${JSON.stringify(TIMING)})
        const near = () => watched.sockets.filter((socket) => socket.url.startsWith(url))
        await watched.made(${sockets})
        const { close } = await new Promise((resolve) => near()[0].on('lost', resolve))
        // Now the library hears of it.
        await new Promise((resolve) => setImmediate(resolve))
        if (${when === 'after it has retried'}) {
          await watched.made(${sockets + 1})
          await near()[1].opened()
        }
        print([close.reason, near().length])
        await end()
        print('ended')
      `
      const heard = async (value: unknown): Promise<void> => {
        if (value !== 'ended') return
        if (when === 'after it has retried') await server.waitForClosed(1)
        // The class of ws would wait half a minute for the dead link to answer its close.
        await proxy.reset()
      }
      const { code, signal, errors, printed } = await programs.run(url, program, (value) => void heard(value))
      expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' })
      const connections = when === 'after it has retried' ? 2 : 1
      expect(printed).toEqual([['heartbeat timeout', connections], 'ended'])
      expect(proxy.accepted).toBe(connections)
    },
  )
})
