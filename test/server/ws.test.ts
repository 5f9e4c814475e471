// The class of ws beyond node.test.ts: every kind of data, and each way to lose a link, again and again.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket as Native } from 'ws'
import { Heartwire } from '../../src/index.ts'
import type { HeartwireCloseEvent, HeartwireOptions } from '../../src/index.ts'
import { startRig } from '../support/rig.ts'
import type { Rig } from '../support/rig.ts'

let rig: Rig
const sockets: Heartwire[] = []

beforeEach(async () => {
  rig = await startRig()
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close()
  await rig.close()
})

const SOON = { minDelay: 10, maxDelay: 10, jitter: 0 }

const make = (options: HeartwireOptions = {}): Heartwire => {
  const socket = new Heartwire(rig.url, { WebSocket: Native, reconnect: SOON, ...options })
  sockets.push(socket)
  return socket
}

const event = <Type extends keyof WebSocketEventMap>(socket: Heartwire, type: Type): Promise<WebSocketEventMap[Type]> =>
  new Promise((resolve) => {
    socket.addEventListener(type, resolve, { once: true })
  })

const closeOf = async (socket: Heartwire): Promise<HeartwireCloseEvent> =>
  (await event(socket, 'close')) as HeartwireCloseEvent

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)

/** What the server got, of messages that begin with their number. */
const numbers = (connection?: number): number[] =>
  rig.server.received(connection).map((message) => Number.parseInt(String(message)))

describe('with ws', () => {
  test('[P2] takes and gives binary data of each kind', async () => {
    rig.server.echo(true)
    const socket = make()
    await socket.opened()
    const bytes = Uint8Array.of(9, 1, 2, 3)
    const kinds: [unknown, number[]][] = [
      [bytes.subarray(1), [1, 2, 3]],
      [bytes.buffer, [9, 1, 2, 3]],
      [new DataView(bytes.buffer, 2), [2, 3]],
      [Buffer.from('ab'), [97, 98]],
      [new Blob(['blob']), [98, 108, 111, 98]],
      [new ArrayBuffer(0), []],
    ]
    for (const binaryType of ['arraybuffer', 'blob'] as const) {
      socket.binaryType = binaryType
      for (const [data, expected] of kinds) {
        const message = event(socket, 'message')
        socket.send(data as Uint8Array)
        const answer = (await message).data as ArrayBuffer | Blob
        expect(answer).toBeInstanceOf(binaryType === 'blob' ? Blob : ArrayBuffer)
        const buffer = answer instanceof Blob ? await answer.arrayBuffer() : answer
        expect([...new Uint8Array(buffer)]).toEqual(expected)
      }
    }
  })

  test('[P2] carries 16 MiB, to and fro', async () => {
    rig.server.echo(true)
    const socket = make({ queue: { maxBytes: 32 << 20 } })
    socket.binaryType = 'arraybuffer'
    const bytes = new Uint8Array(16 << 20).map((_, index) => index >> 8)
    socket.send(bytes)
    const { data } = await event(socket, 'message')
    expect(Buffer.compare(Buffer.from(data as ArrayBuffer), bytes)).toBe(0)
  })

  test('[P2] listeners come in order, and those with once come once', async () => {
    const socket = make()
    await socket.opened()
    const log: string[] = []
    socket.addEventListener('message', () => log.push('first'), { once: true })
    socket.onmessage = () => log.push('attribute')
    socket.addEventListener('message', { handleEvent: () => log.push('object') })
    const done = event(socket, 'message')
    rig.server.send('a')
    await done
    const again = event(socket, 'message')
    rig.server.send('b')
    await again
    expect(log).toEqual(['first', 'attribute', 'object', 'attribute', 'object'])
  })

  test('[P2] passes on what the constructor of ws throws', () => {
    for (const args of [['ftp://127.0.0.1/'], [`${rig.url}#fragment`], [rig.url, 'a b'], [rig.url, ['a', 'a']]]) {
      expect(() => new Heartwire(args[0] as string, args[1] as string, { WebSocket: Native })).toThrow(SyntaxError)
    }
  })

  test('[P2] refuses a code and a reason as the native one, and goes on', async () => {
    const socket = make()
    await socket.opened()
    expect(() => socket.close(1001)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
    expect(() => socket.close(4000, 'x'.repeat(124))).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
    socket.send('still here')
    expect(await rig.server.waitForMessages(1)).toEqual(['still here'])
  })
})

describe('a link that breaks', () => {
  test.for([
    ['cut', () => rig.proxy.cut()],
    ['reset', () => rig.proxy.reset()],
    ['terminated', () => rig.server.terminate()],
    ['restarted', async () => rig.server.stop().then(() => rig.server.restart())],
    ['closed by the server', () => rig.server.closeClients(4000)],
  ] as const)('[S1] is replaced when it was %s', async ([, fault]) => {
    rig.server.echo(true)
    const socket = make()
    await socket.opened()
    for (let round = 1; round <= 3; round += 1) {
      const open = socket.once('open')
      const close = closeOf(socket)
      await fault()
      expect((await close).willReconnect).toBe(true)
      expect(await open).toMatchObject({ isReconnect: true })
      const message = socket.once('message')
      socket.send(`round ${round}`)
      expect(await message).toBe(`round ${round}`)
    }
    expect(rig.server.connections).toHaveLength(4)
  })

  test('[S1] is tried again when the upgrade is refused', async () => {
    rig.server.refuseUpgrades(503)
    const socket = make()
    const close = await closeOf(socket)
    expect(close).toMatchObject({ code: 1006, wasClean: false, willReconnect: true })
    await rig.server.waitForAttempts(3)
    const open = socket.once('open')
    rig.server.refuseUpgrades(null)
    await open
  })

  test('[Q1] loses none of what is sent while it is down, and sends it in order', async () => {
    const socket = make()
    for (let index = 0; index < 100; index += 1) socket.send(`${index}`)
    await socket.opened()
    await rig.server.waitForMessages(100)
    const waiting = socket.once('waiting')
    rig.proxy.refuse()
    await rig.proxy.reset()
    await waiting
    for (let index = 100; index < 200; index += 1) socket.send(`${index}`)
    await rig.proxy.accept()
    await rig.server.waitForMessages(200)
    expect(numbers()).toEqual(range(0, 200))
    expect(socket.queued).toBe(0)
  })

  // ws counts a message as buffered until all that was written with it has left, so being buffered proves little here.
  test.for(['while it is stalled', 'while it flows'] as const)(
    '[Q3] sends nothing twice when it is reset %s',
    async (how) => {
      const count = 400
      const socket = make({ queue: { maxBytes: 100 << 20 } })
      await socket.opened()
      rig.proxy.stall()
      for (let index = 0; index < count; index += 1) socket.send(`${index} `.padEnd(1 << 16, 'x'))
      const lost = socket.once('lost')
      const open = socket.once('open')
      if (how === 'while it flows') {
        rig.proxy.resume()
        await rig.server.waitForMessages(count / 4)
      }
      await rig.proxy.reset()
      rig.proxy.resume()
      const { requeued, inDoubt } = await lost
      await open
      expect(requeued + inDoubt).toBe(count)
      socket.send(`${count}`)
      const first = numbers(1)
      await rig.server.waitForMessages(first.length + requeued + 1)
      expect(first).toEqual(range(0, first.length))
      expect(numbers(2)).toEqual(range(count - requeued, count + 1))
      expect(first.length).toBeLessThanOrEqual(count - requeued)
    },
  )
})
