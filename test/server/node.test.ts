// heartwire in Node, with the class of `ws`, against a real server through a link that really breaks.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { Heartwire } from '../../src/index.ts'
import type { HeartwireEvents, HeartwireOptions } from '../../src/index.ts'
import { startRig } from '../support/rig.ts'
import type { Rig } from '../support/rig.ts'

let rig: Rig
const sockets: Heartwire[] = []

beforeEach(async () => {
  rig = await startRig()
})

afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => socket[Symbol.asyncDispose]()))
  await rig.close()
})

const dial = (options: HeartwireOptions = {}): Heartwire => {
  const reconnect = { minDelay: 1, maxDelay: 20, ...Object(options.reconnect) }
  const socket = new Heartwire(rig.url, {
    WebSocket,
    closeTimeout: 100,
    ...options,
    reconnect: options.reconnect === false ? false : reconnect,
  })
  sockets.push(socket)
  return socket
}

const dialOpen = async (options?: HeartwireOptions): Promise<Heartwire> => {
  const socket = dial(options)
  await socket.opened()
  return socket
}

/** The next bus event that matches. Asked for before what causes it. */
const until = <Type extends keyof HeartwireEvents>(
  socket: Heartwire,
  type: Type,
  matches: (event: HeartwireEvents[Type]) => boolean = () => true,
): Promise<HeartwireEvents[Type]> =>
  new Promise((resolve) => {
    const off = socket.on(type, (event) => {
      if (!matches(event)) return
      off()
      resolve(event)
    })
  })

describe('talking', () => {
  test('[P2] text and binary data come back as they went, as MessageEvents of ours', async () => {
    rig.server.echo(true)
    const socket = dial({ binaryType: 'arraybuffer' })
    const events: MessageEvent[] = []
    socket.addEventListener('message', (event) => events.push(event))
    socket.send('€ text')
    socket.send(Uint8Array.of(1, 2, 3))
    await until(socket, 'message', () => events.length === 2)
    expect(events.map(({ data }) => (typeof data === 'string' ? data : [...new Uint8Array(data)]))).toEqual([
      '€ text',
      [1, 2, 3],
    ])
    for (const event of events) {
      expect(event).toBeInstanceOf(MessageEvent)
      expect(event.target).toBe(socket)
    }
  })

  test('[P2] the subprotocol is the one that the server chose', async () => {
    const socket = new Heartwire(rig.url, ['a', 'b'], { WebSocket })
    sockets.push(socket)
    rig.server.chooseProtocol('b')
    await socket.opened()
    expect([socket.protocol, socket.url]).toEqual(['b', rig.url])
  })

  test('[Q1] [Q4] what was queued arrives once and in order, and drain says when it has left', async () => {
    const socket = dial()
    const messages = Array.from({ length: 1_000 }, (_, n) => `message ${n}`)
    for (const message of messages) socket.send(message)
    await socket.drained()
    expect(socket.bufferedAmount).toBe(0)
    expect(await rig.server.waitForMessages(1_000)).toEqual(messages)
  })

  test('[H3] a heartbeat is answered, gives the latency and stays hidden', async () => {
    rig.server.answerPings(true)
    const socket = await dialOpen({ heartbeat: { message: 'ping', pong: 'pong', interval: 10, timeout: 5_000 } })
    const heard: unknown[] = []
    socket.onmessage = ({ data }) => heard.push(data)
    const { latency } = await until(socket, 'heartbeat')
    expect(latency).toBeGreaterThan(0)
    expect(socket.latency).toBe(latency)
    expect(heard).toEqual([])
  })
})

describe('faults', () => {
  test.each([
    ['reset by the link', () => rig.proxy.reset()],
    ['cut by the link', () => rig.proxy.cut()],
    ['killed by the server', () => rig.server.terminate()],
    ['closed by the server with 1012', () => rig.server.closeClients(1012, 'retry-after=0')],
  ])('[R6] %s: it comes back, and what is sent meanwhile arrives once', async (_, fail) => {
    const socket = await dialOpen()
    const lost = until(socket, 'lost')
    await Promise.resolve(fail())
    expect(await lost).toMatchObject({ wasOpen: true, willReconnect: true })
    socket.send('meanwhile')
    await socket.opened()
    expect(await rig.server.waitForMessages(1)).toEqual(['meanwhile'])
  })

  test('[H4] a black hole is noticed without the native close, and left behind', async () => {
    rig.server.answerPings(true)
    const socket = await dialOpen({ heartbeat: { message: 'ping', pong: 'pong', interval: 20, timeout: 200 } })
    await until(socket, 'heartbeat')
    const lost = until(socket, 'lost')
    rig.proxy.blackhole()
    expect((await lost).close).toEqual({ code: 1006, reason: 'heartbeat timeout', wasClean: false })
    socket.send('after')
    await socket.opened()
    await until(socket, 'heartbeat')
    expect(rig.server.received().filter((data) => data === 'after')).toEqual(['after'])
  })

  test('[Q3] ws keeps no account of its buffer over a reset: all of it is in doubt, and nothing is sent twice', async () => {
    const socket = await dialOpen()
    rig.proxy.stall()
    const chunk = 'x'.repeat(65_536)
    const count = 100
    for (let n = 0; n < count; n++) socket.send(`${n} ${chunk}`)
    const lost = until(socket, 'lost')
    await rig.proxy.reset()
    rig.proxy.resume()
    expect(await lost).toMatchObject({ requeued: 0, inDoubt: count })
    await socket.opened()
    socket.send('last')
    await socket[Symbol.asyncDispose]()
    await rig.server.waitForClosed(2)
    const received = rig.server.received()
    expect(new Set(received).size).toBe(received.length)
    expect(received.at(-1)).toBe('last')
  })

  test('[R3] a server that is gone is given up after maxAttempts', async () => {
    rig.proxy.refuse()
    const socket = dial({ reconnect: { maxAttempts: 3 } })
    const errors: string[] = []
    socket.on('error', ({ code, message }) =>
      errors.push(`${code}${/: .*ECONN(RESET|REFUSED)/.test(message) ? ', and why' : ''}`),
    )
    expect(await until(socket, 'closed')).toMatchObject({ reason: 'gave-up' })
    expect(errors).toEqual([...Array.from({ length: 3 }, () => 'connect-failed, and why'), 'gave-up'])
  })

  test('[R6] an upgrade answered with 401 is a failed attempt', async () => {
    rig.server.refuseUpgrades(401)
    const socket = dial({ reconnect: false })
    const refused = socket.opened().catch((error: unknown) => error)
    expect((await until(socket, 'lost')).close).toMatchObject({ code: 1006, wasClean: false })
    // `ws` knows why, browsers never say.
    expect(await refused).toMatchObject({
      code: 'refused',
      cause: { code: 'connect-failed', message: expect.stringContaining('401') },
    })
  })

  test('[S1] an upgrade that is never answered is given up after connectTimeout', async () => {
    rig.server.holdUpgrades(true)
    const socket = dial({ connectTimeout: 50 })
    expect(await until(socket, 'error')).toMatchObject({ code: 'connect-timeout' })
  })

  test('[S8] close() on a black hole is reported after closeTimeout', async () => {
    const socket = await dialOpen()
    rig.proxy.stall()
    const closed = until(socket, 'closed')
    socket.close()
    expect(await closed).toMatchObject({ reason: 'user', close: { code: 1006 } })
  })

  test('[S2] close() while connecting does not crash: error, then close 1006', async () => {
    const socket = dial()
    const log: string[] = []
    socket.onerror = () => log.push('error')
    socket.onclose = ({ code }) => log.push(`close ${code}`)
    const closed = until(socket, 'closed')
    socket.close()
    await closed
    expect(log).toEqual(['error', 'close 1006'])
  })

  test('[S2] [S5] a hundred reconnects leave one connection and none after close()', async () => {
    const socket = await dialOpen()
    for (let n = 0; n < 100; n++) {
      const open = until(socket, 'open')
      socket.reconnect()
      await open
    }
    await rig.server.waitForClosed(100)
    expect(rig.server.open).toHaveLength(1)
    await socket[Symbol.asyncDispose]()
    await rig.server.waitForClosed(101)
    expect(rig.server.open).toHaveLength(0)
  })
})

describe('the process', () => {
  /** Runs a program with the sources as they are, in a process of its own. */
  const run = async (program: string): Promise<string> => {
    const directory = fileURLToPath(new URL('../../', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: directory,
      timeout: 60_000,
    })
    return stdout.trim()
  }

  test('[N5] [S5] no listener on the process or the globals, and it ends by itself after close()', async () => {
    const output = await run(`
      import { WebSocket } from 'ws'
      import { Heartwire } from './dist/index.js'
      const before = JSON.stringify(process.eventNames())
      const socket = new Heartwire(${JSON.stringify(rig.url)}, { WebSocket, heartbeat: { message: 'ping', timeout: 60_000 } })
      await socket.opened()
      console.log(before === JSON.stringify(process.eventNames()))
      socket.close()
    `)
    expect(output).toBe('true')
  })

  test('[S2] sockets closed while connecting, and given up, crash nothing', async () => {
    const output = await run(`
      import { WebSocket } from 'ws'
      import { Heartwire } from './dist/index.js'
      for (let n = 0; n < 20; n++) {
        const socket = new Heartwire(${JSON.stringify(rig.url)}, { WebSocket })
        socket.reconnect()
        socket.close()
        socket.reconnect()
        socket.close()
      }
      process.on('exit', () => console.log('fine'))
    `)
    expect(output).toBe('fine')
  })

  test('[E3] without a WebSocket the constructor says what to do', async () => {
    const output = await run(`
      import { Heartwire } from './dist/index.js'
      delete globalThis.WebSocket
      try { new Heartwire('ws://127.0.0.1:1') } catch (error) { console.log(error.code, error.message) }
    `)
    expect(output).toMatch(/^unsupported .*pass the option 'WebSocket'/)
  })
})
