// The test bed itself: a fault that does not do what it says would make every other test worthless.
import { get } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startRig } from '../support/rig.ts'
import type { Rig } from '../support/rig.ts'
import { decode, encode } from '../support/wire.ts'

let rig: Rig
const clients: WebSocket[] = []

beforeEach(async () => {
  rig = await startRig()
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate()
  await rig.close()
})

interface Client {
  socket: WebSocket
  /** What happened, in order: `open`, `error: …`, `close 1000`, `text`. */
  log: string[]
  opened: Promise<void>
  /** Resolves to `close <code> <reason>`. */
  closed: Promise<string>
  /** Resolves to the next message. */
  next(): Promise<string>
}

const dial = (url: string, protocols: string[] = []): Client => {
  const socket = new WebSocket(url, protocols)
  clients.push(socket)
  const log: string[] = []
  const once = (type: 'open' | 'close' | 'message'): Promise<void> =>
    new Promise((resolve) => {
      socket.once(type, () => resolve())
    })
  socket.on('open', () => log.push('open'))
  socket.on('error', (error) => log.push(`error: ${error.message}`))
  socket.on('message', (data: Buffer) => log.push(data.toString()))
  socket.on('close', (code, reason) => log.push(`close ${code} ${reason.toString()}`.trimEnd()))
  return {
    socket,
    log,
    opened: once('open'),
    closed: once('close').then(() => log.at(-1) ?? ''),
    next: () => once('message').then(() => log.at(-1) ?? ''),
  }
}

const dialOpen = async (url: string): Promise<Client> => {
  const client = dial(url)
  await client.opened
  return client
}

/** Resolves once the answer to a protocol ping is back: everything sent before has then arrived. */
const roundTrip = ({ socket }: Client): Promise<void> =>
  new Promise((resolve) => {
    socket.once('pong', () => resolve())
    socket.ping()
  })

/** How a raw TCP connection ends: the error code, or `end` for a FIN. */
const ending = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('end', () => resolve('end'))
    socket.resume()
  })

const upgradeHeaders = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }

/** A TCP connection to the proxy on which nothing has been said yet. */
const dialRaw = async (): Promise<Socket> => {
  const socket = connect(rig.proxy.port, '127.0.0.1')
  await rig.proxy.waitForAccepted(1)
  return socket
}

describe('server', () => {
  test('records connections and messages, text and binary', async () => {
    const client = dial(`${rig.url}feed?token=1`, ['b', 'a'])
    await client.opened
    client.socket.send('text')
    client.socket.send(Uint8Array.of(1, 2, 3))
    expect(await rig.server.waitForMessages(2)).toEqual(['text', Uint8Array.of(1, 2, 3)])
    expect(rig.server.connections).toMatchObject([
      { id: 1, path: '/feed?token=1', offered: ['b', 'a'], protocol: 'b', closed: null },
    ])
    expect(rig.server.open).toHaveLength(1)
    expect(rig.server.attempts).toBe(1)
  })

  test('tells the connections apart', async () => {
    const first = await dialOpen(rig.url)
    const second = await dialOpen(rig.url)
    second.socket.send('from two')
    await rig.server.waitForMessages(1)
    expect(rig.server.received(1)).toEqual([])
    expect(rig.server.received(2)).toEqual(['from two'])
    const message = first.next()
    rig.server.send('to one', 1)
    expect(await message).toBe('to one')
    await roundTrip(second)
    expect(second.log).toEqual(['open'])
  })

  test('sends to all, echoes and answers pings when asked to', async () => {
    const client = await dialOpen(rig.url)
    const broadcast = client.next()
    rig.server.send('to all')
    expect(await broadcast).toBe('to all')
    rig.server.echo(true)
    const echoed = client.next()
    client.socket.send('ping')
    expect(await echoed).toBe('ping')
    rig.server.answerPings(true)
    const answered = client.next()
    client.socket.send('ping')
    expect(await answered).toBe('pong')
    await roundTrip(client)
    expect(client.log).toEqual(['open', 'to all', 'ping', 'pong'])
  })

  test('closes with a code and a reason', async () => {
    const client = await dialOpen(rig.url)
    rig.server.closeClients(4401, 'logged out')
    expect(await client.closed).toBe('close 4401 logged out')
    await rig.server.waitForClosed(1)
    expect(rig.server.connections[0]?.closed?.code).toBe(4401)
  })

  test('terminates without a close frame', async () => {
    const client = await dialOpen(rig.server.url)
    rig.server.terminate()
    expect(await client.closed).toBe('close 1006')
    await rig.server.waitForClosed(1)
    expect(rig.server.connections[0]?.closed).toEqual({ code: 1006, reason: '' })
    expect(rig.server.open).toEqual([])
  })

  test('terminates with RST', async () => {
    const headers = { ...upgradeHeaders, 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' }
    const socket = await new Promise<Socket>((resolve) => {
      const request = get({ host: '127.0.0.1', port: rig.server.port, headers })
      request.once('upgrade', (_response, upgraded) => resolve(upgraded))
    })
    const end = ending(socket)
    await rig.server.waitForConnections(1)
    rig.server.terminate()
    expect(await end).toBe('ECONNRESET')
  })

  test('stops like a killed process and restarts on the same port', async () => {
    const client = await dialOpen(rig.server.url)
    await rig.server.stop()
    expect(await client.closed).toBe('close 1006')
    const refused = dial(rig.server.url)
    expect(await refused.closed).toBe('close 1006')
    expect(refused.log[0]).toContain('ECONNREFUSED')
    await rig.server.restart()
    await dialOpen(rig.server.url)
    expect((await rig.server.waitForConnections(2)).id).toBe(2)
  })

  test('refuses upgrades with a status', async () => {
    rig.server.refuseUpgrades(401)
    const client = dial(rig.url)
    expect(await client.closed).toBe('close 1006')
    expect(client.log[0]).toBe('error: Unexpected server response: 401')
    rig.server.refuseUpgrades(null)
    await dialOpen(rig.url)
    expect(rig.server.attempts).toBe(2)
    expect(rig.server.connections).toHaveLength(1)
  })

  test('holds upgrades until they are let through', async () => {
    rig.server.holdUpgrades(true)
    const client = dial(rig.url)
    await rig.server.waitForAttempts(1)
    expect(client.socket.readyState).toBe(WebSocket.CONNECTING)
    expect(rig.server.connections).toEqual([])
    rig.server.holdUpgrades(false)
    await client.opened
  })

  test('answers upgrades late', async () => {
    rig.server.delayUpgrades(50)
    const start = performance.now()
    await dialOpen(rig.url)
    // Timers may fire up to a millisecond early.
    expect(performance.now() - start).toBeGreaterThanOrEqual(49)
  })

  test('chooses the subprotocol', async () => {
    rig.server.chooseProtocol('a')
    const client = dial(rig.url, ['b', 'a'])
    await client.opened
    expect(client.socket.protocol).toBe('a')
    rig.server.chooseProtocol(null)
    const without = dial(rig.url, ['b', 'a'])
    expect(await without.closed).toBe('close 1006')
    expect(without.log[0]).toBe('error: Server sent no subprotocol')
  })

  test('ends while an upgrade is held, and ends waits that can no longer succeed', async () => {
    rig.server.holdUpgrades(true)
    const client = dial(rig.server.url)
    await rig.server.waitForAttempts(1)
    const wait = rig.server.waitForMessages(1)
    const failed = expect(wait).rejects.toThrow('Closed after 0 messages while waiting for 1')
    await rig.server.close()
    await failed
    expect(await client.closed).toBe('close 1006')
    await rig.server.close()
  })
})

describe('proxy', () => {
  test('stalls existing and new connections, and delivers everything on resume', async () => {
    const client = await dialOpen(rig.url)
    rig.proxy.stall()
    client.socket.send('up')
    rig.server.send('down')
    const late = dial(rig.url)
    await rig.proxy.waitForAccepted(2)
    // Past the proxy there is no fault: once this has arrived, so would have what the proxy holds.
    await roundTrip(await dialOpen(rig.server.url))
    expect(rig.server.received()).toEqual([])
    expect(client.log).toEqual(['open'])
    expect(late.socket.readyState).toBe(WebSocket.CONNECTING)
    const message = client.next()
    rig.proxy.resume()
    expect(await message).toBe('down')
    expect(await rig.server.waitForMessages(1)).toEqual(['up'])
    await late.opened
  })

  test('hides the end of a server while stalled', async () => {
    const client = await dialOpen(rig.url)
    rig.proxy.stall()
    await rig.server.stop()
    await rig.server.restart()
    await roundTrip(await dialOpen(rig.server.url))
    expect(client.log).toEqual(['open'])
    rig.proxy.resume()
    expect(await client.closed).toBe('close 1006')
  })

  test('lets the sender feel a stall: its bytes stay with it', async () => {
    const client = await dialOpen(rig.url)
    rig.proxy.stall()
    const size = 32 * 2 ** 20 // More than the buffers of two loopback connections hold.
    client.socket.send(new Uint8Array(size))
    await roundTrip(await dialOpen(rig.server.url))
    expect(client.socket.bufferedAmount).toBeGreaterThan(0)
    rig.proxy.resume()
    const [payload] = await rig.server.waitForMessages(1)
    expect(payload).toHaveLength(size)
  })

  test('delays each direction', async () => {
    const client = await dialOpen(rig.url)
    rig.proxy.delay(30)
    const start = performance.now()
    await roundTrip(client)
    expect(performance.now() - start).toBeGreaterThanOrEqual(59)
  })

  test('keeps the order when a delay shrinks', async () => {
    const client = await dialOpen(rig.url)
    rig.proxy.delay(30)
    client.socket.send('first')
    await roundTrip(client)
    rig.proxy.delay(0)
    client.socket.send('second')
    expect(await rig.server.waitForMessages(2)).toEqual(['first', 'second'])
  })

  test('black-holes existing connections for good, while later ones work', async () => {
    const lost = await dialOpen(rig.url)
    rig.proxy.blackhole()
    lost.socket.send('never')
    rig.server.send('never')
    const client = await dialOpen(rig.url)
    client.socket.send('arrives')
    expect(await rig.server.waitForMessages(1)).toEqual(['arrives'])
    await roundTrip(client)
    expect(lost.log).toEqual(['open'])
    expect(lost.socket.readyState).toBe(WebSocket.OPEN)
    expect(rig.proxy.connections).toBe(2)
    expect(rig.server.open).toHaveLength(2)
  })

  test('cuts with FIN', async () => {
    const socket = await dialRaw()
    const end = ending(socket)
    rig.proxy.cut()
    expect(await end).toBe('end')
    await rig.proxy.waitForEnded(1)
    expect(rig.proxy.connections).toBe(0)
  })

  test('cuts both sides: client and server see 1006', async () => {
    const client = await dialOpen(rig.url)
    rig.proxy.cut()
    expect(await client.closed).toBe('close 1006')
    expect(client.log).toEqual(['open', 'close 1006'])
    await rig.server.waitForClosed(1)
    expect(rig.server.connections[0]?.closed?.code).toBe(1006)
  })

  test('cuts even what is stalled', async () => {
    const client = await dialOpen(rig.url)
    rig.proxy.stall()
    client.socket.send('lost')
    rig.proxy.cut()
    expect(await client.closed).toBe('close 1006')
    await rig.server.waitForClosed(1)
    expect(rig.server.received()).toEqual([])
  })

  test('resets with RST', async () => {
    const socket = await dialRaw()
    const end = ending(socket)
    await rig.proxy.reset()
    expect(await end).toBe('ECONNRESET')
    expect(rig.proxy.connections).toBe(0)
  })

  test('resets both sides: client and server see 1006', async () => {
    const client = await dialOpen(rig.url)
    await rig.proxy.reset()
    expect(await client.closed).toBe('close 1006')
    await rig.server.waitForClosed(1)
  })

  test('refuses and accepts again on the same port, while existing connections stay', async () => {
    const client = await dialOpen(rig.url)
    rig.proxy.refuse()
    const refused = dial(rig.url)
    expect(await refused.closed).toBe('close 1006')
    expect(refused.log[0]).toContain('ECONNREFUSED')
    await roundTrip(client)
    await rig.proxy.accept()
    await roundTrip(await dialOpen(rig.url))
  })

  test('hangs the handshake of new connections, for good', async () => {
    const client = await dialOpen(rig.url)
    rig.proxy.hangUpgrade(true)
    const hung = dial(rig.url)
    await rig.proxy.waitForAccepted(2)
    rig.proxy.hangUpgrade(false)
    await roundTrip(await dialOpen(rig.url))
    await roundTrip(client)
    expect(hung.socket.readyState).toBe(WebSocket.CONNECTING)
    expect(rig.server.attempts).toBe(2)
  })

  test('throttles each direction, and lets the sender feel it', async () => {
    const { socket, opened } = dial(rig.url)
    await opened
    rig.proxy.throttle(1 << 20)
    const start = performance.now()
    socket.send('x'.repeat(1 << 19))
    await rig.server.waitForMessages(1)
    expect(performance.now() - start).toBeGreaterThan(400)
    expect(rig.server.sizes).toEqual([1 << 19])
    rig.proxy.throttle(null)
    socket.send('again')
    expect(await rig.server.waitForMessages(2)).toHaveLength(2)
  })

  test('keeps an end to itself, while bytes still pass', async () => {
    const client = await dialOpen(rig.url)
    rig.proxy.keepEnds(true)
    rig.server.send('before')
    rig.server.terminate()
    await rig.server.waitForClosed(1)
    while (client.log.length < 2) await client.next()
    expect(client.log).toEqual(['open', 'before'])
    expect(rig.proxy.connections).toBe(1)
  })

  test('injects bytes of its own', async () => {
    const client = await dialOpen(rig.url)
    const message = client.next()
    rig.proxy.inject(Uint8Array.of(0x81, 2, 0x68, 0x69))
    expect(await message).toBe('hi')
  })

  test('answers new connections with a text, until told otherwise', async () => {
    rig.proxy.answer('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlogin')
    expect(await dial(rig.url).closed).toBe('close 1006')
    rig.proxy.answer(null)
    await dialOpen(rig.url)
  })

  test('passes on the close handshake and the end', async () => {
    const client = await dialOpen(rig.url)
    client.socket.close(1000, 'done')
    expect(await client.closed).toBe('close 1000 done')
    await rig.proxy.waitForEnded(1)
    await rig.server.waitForClosed(1)
    expect(rig.server.connections[0]?.closed).toEqual({ code: 1000, reason: 'done' })
  })

  test('resets the client when the server does not listen', async () => {
    await rig.server.stop()
    const client = dial(rig.url)
    expect(await client.closed).toBe('close 1006')
  })

  test('closes twice, with connections in every condition', async () => {
    await dialOpen(rig.url)
    rig.proxy.blackhole()
    rig.proxy.hangUpgrade(true)
    dial(rig.url)
    await rig.proxy.waitForAccepted(2)
    rig.proxy.stall()
    await rig.proxy.close()
    await rig.proxy.close()
    expect(rig.proxy.connections).toBe(0)
    await expect(rig.proxy.waitForAccepted(3)).rejects.toThrow('Closed after 2')
  })
})

test('the wire carries what JSON does not', () => {
  const value = [undefined, null, 'text', 1, true, Uint8Array.of(0, 255), { data: Uint8Array.of(7), none: undefined }]
  expect(decode(encode(value))).toEqual(value)
})
