// What a Node process feels of it: nothing, once it is closed.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startRig } from '../support/rig.ts'
import type { Rig } from '../support/rig.ts'
import { translate } from './child.ts'
import type { Programs } from './child.ts'

let programs: Programs
let rig: Rig

beforeAll(async () => {
  programs = await translate()
})

afterAll(async () => {
  await programs.remove()
})

beforeEach(async () => {
  rig = await startRig()
})

afterEach(async () => {
  await rig.close()
})

/** A program that ends by itself, without an error, after it has printed something. */
const run = async (body: string): Promise<unknown[]> => {
  const { code, signal, errors, printed } = await programs.run(rig.url, body)
  expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' })
  return printed
}

test('[S5] the process ends after close()', async () => {
  const printed = await run(`
    const socket = new Heartwire(url, { WebSocket, heartbeat: { message: 'ping' } })
    await socket.opened()
    socket.send('hello')
    socket.close()
    const { code, wasClean } = await when(socket, 'close')
    print([code, wasClean, socket.state])
  `)
  expect(printed).toEqual([[1005, true, 'closed']])
  expect(rig.server.received()).toEqual(['hello'])
})

test('[S5] the process ends after close() in the middle of a wait, of an attempt and of a provider', async () => {
  rig.proxy.refuse()
  const printed = await run(`
    const far = { minDelay: 60_000, maxDelay: 60_000, jitter: 0 }
    const waiting = new Heartwire(url, { WebSocket, reconnect: far })
    await waiting.once('waiting')
    const connecting = new Heartwire(url, { WebSocket, reconnect: far })
    const resolving = new Heartwire(() => new Promise(() => {}), { WebSocket })
    const all = [waiting, connecting, resolving]
    print(all.map(({ state }) => state))
    for (const socket of all) socket.close()
    await Promise.all(all.map((socket) => when(socket, 'close')))
    print(all.map(({ state }) => state))
  `)
  expect(printed).toEqual([
    ['waiting', 'connecting', 'resolving'],
    ['closed', 'closed', 'closed'],
  ])
})

test.for([
  ['held', 'close'],
  ['held', 'reconnect'],
  ['refused', 'close'],
  ['refused', 'reconnect'],
] as const)('[S2] an attempt that is %s and ended by %s() does not end the process', async ([how, method]) => {
  if (how === 'held') rig.server.holdUpgrades(true)
  else rig.proxy.refuse()
  const printed = await run(`
    const socket = new Heartwire(url, { WebSocket, reconnect: { minDelay: 1, maxDelay: 1 } })
    socket.${method}()
    await new Promise((resolve) => setImmediate(resolve))
    socket.${method}()
    socket.close()
    if (socket.state !== 'closed') await when(socket, 'close')
    print(socket.state)
  `)
  expect(printed).toEqual(['closed'])
})

test('[S2] an attempt that takes too long is let go of without a crash', async () => {
  rig.server.holdUpgrades(true)
  const printed = await run(`
    const socket = new Heartwire(url, { WebSocket, connectTimeout: 50, reconnect: { minDelay: 1, maxDelay: 1, maxAttempts: 3 } })
    const { reason } = await socket.once('closed')
    print(reason)
  `)
  expect(printed).toEqual(['gave-up'])
  expect(rig.server.attempts).toBe(3)
})

test('[S6] nobody has to handle a promise of ours', async () => {
  rig.proxy.refuse()
  const printed = await run(`
    const socket = new Heartwire(url, { WebSocket, reconnect: false })
    void socket.opened()
    void socket.once('message')
    void socket.drained()
    await when(socket, 'close')
    await new Promise((resolve) => setImmediate(resolve))
    print(socket.reason)
  `)
  expect(printed).toEqual(['refused'])
})

test('[N5] nothing global is added, by the import or by use', async () => {
  const printed = await run(`
    const socket = new Heartwire(url, { WebSocket })
    await socket.opened()
    const added = (now, then) => now.filter((name) => !then.includes(name)).map(String)
    print([added(process.eventNames(), before.events), added(Reflect.ownKeys(globalThis), before.globals)])
    socket.close()
  `)
  expect(printed).toEqual([[[], []]])
})

test('[S5] a thousand sockets, opened and closed, leave nothing behind', async () => {
  const printed = await run(`
    const abort = new AbortController()
    const { setMaxListeners } = await import('node:events')
    setMaxListeners(0, abort.signal)
    const refs = []
    const connect = async () => {
      const socket = new Heartwire(url, { WebSocket, signal: abort.signal, heartbeat: { message: 'ping' } })
      await socket.opened()
      socket.send('x')
      socket.close()
      await when(socket, 'close')
      return new WeakRef(socket)
    }
    for (let round = 0; round < 50; round += 1) {
      refs.push(...(await Promise.all(Array.from({ length: 20 }, connect))))
    }
    // A turn for what the last ones still have to do; then whatever lives is held by somebody.
    await new Promise((resolve) => setImmediate(resolve))
    gc()
    await new Promise((resolve) => setImmediate(resolve))
    gc()
    const alive = refs.filter((ref) => ref.deref() !== undefined).length
    print([refs.length, alive, process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length])
  `)
  const [[count, alive, timers]] = printed as [[number, number, number]]
  expect([count, timers]).toEqual([1_000, 0])
  // The interpreter's registers may still hold the last few.
  expect(alive).toBeLessThan(30)
}, 60_000)

test('[S5] a thousand reconnects of one socket leave nothing behind', async () => {
  const printed = await run(`
    let natives = 0
    const refs = []
    class Counted extends WebSocket {
      constructor(...args) {
        super(...args)
        natives += 1
        refs.push(new WeakRef(this))
      }
    }
    const socket = new Heartwire(url, { WebSocket: Counted })
    await socket.opened()
    for (let round = 0; round < 1_000; round += 1) {
      const open = socket.once('open')
      socket.reconnect()
      await open
    }
    socket.close()
    await when(socket, 'close')
    await new Promise((resolve) => setImmediate(resolve))
    gc()
    await new Promise((resolve) => setImmediate(resolve))
    gc()
    print([natives, refs.filter((ref) => ref.deref() !== undefined).length])
  `)
  const [[natives, alive]] = printed as [[number, number]]
  expect(natives).toBe(1_001)
  expect(alive).toBeLessThan(30)
}, 60_000)
