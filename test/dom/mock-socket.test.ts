// With mock-socket, as in other people's tests: a server in the page, and the global WebSocket replaced.
import { Server, WebSocket as MockSocket } from 'mock-socket'
import type { Client } from 'mock-socket'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Heartwire, json } from '../../src/index.ts'
import { adopt, advance, chance, collect, useScenes } from '../support/scene.ts'

const ADDRESS = 'ws://mock.test/'

let server: Server
let clients: Client[]
/** What the clients sent. */
let received: unknown[]

const listen = (): void => {
  server = new Server(ADDRESS)
  server.on('connection', (client) => {
    clients.push(client)
    client.on('message', (data) => received.push(data))
  })
}

useScenes()

beforeEach(() => {
  clients = []
  received = []
  // Their timers are fake already: mock-socket runs on setTimeout.
  listen()
})

// After the sockets: hooks run in reverse order.
afterEach(() => server.stop())

const connect = async (options: object = {}): Promise<Heartwire<any, any>> => {
  const { socket } = adopt(new Heartwire(ADDRESS, { network: false, ...options }))
  await advance(10)
  return socket
}

test('opens with the global class, and talks', async () => {
  const socket = await connect({ codec: json() })
  expect([socket.state, socket.url]).toEqual(['open', ADDRESS])
  const messages = collect(socket, 'message')
  socket.send({ hello: 1 })
  clients[0]?.send('{"news":1}')
  await advance(10)
  expect([received, messages]).toEqual([['{"hello":1}'], [{ news: 1 }]])
})

test('[Q1] what is sent before it is open waits', async () => {
  const { socket } = adopt(new Heartwire(ADDRESS, { network: false }))
  socket.send('early')
  await advance(20)
  expect(received).toEqual(['early'])
})

test('[R1] a restarted server gets its client back, and what was queued', async () => {
  const socket = await connect()
  chance(0.5)
  server.close({ code: 1012, reason: 'restart', wasClean: true })
  server.stop()
  await advance(10)
  expect([socket.state, socket.lastClose?.code]).toEqual(['waiting', 1012])
  socket.send('meanwhile')
  listen()
  await advance(5_000)
  expect([socket.state, received]).toEqual(['open', ['meanwhile']])
})

test('[R6] no server is a failed attempt, never a clean end', async () => {
  // Which also brings the environment's own class back.
  server.stop()
  const told: unknown[] = []
  const { socket } = adopt(new Heartwire(ADDRESS, { WebSocket: MockSocket, network: false, reconnect: false }))
  socket.onerror = () => told.push('error')
  socket.onclose = ({ code, wasClean }) => told.push(code, wasClean)
  await advance(10)
  expect(told).toEqual(['error', 1006, false])
  expect(socket.state).toBe('closed')
})

test('[H4] a server that says nothing is noticed', async () => {
  const socket = await connect({ heartbeat: { message: 'ping', interval: 1_000, timeout: 500 } })
  await advance(1_600)
  expect(received).toEqual(['ping'])
  expect(socket.lastClose).toMatchObject({ reason: 'heartbeat timeout' })
})

test('[H3] one that answers is kept', async () => {
  const socket = await connect({ heartbeat: { message: 'ping', pong: 'pong', interval: 1_000, timeout: 500 } })
  clients[0]?.on('message', () => clients[0]?.send('pong'))
  const beats = collect(socket, 'heartbeat')
  await advance(5_500)
  expect(socket.state).toBe('open')
  expect(beats.length).toBeGreaterThan(3)
})

describe('[P2] to the listeners it is a WebSocket', () => {
  test('events are the platform’s, with the socket as their target', async () => {
    const socket = await connect()
    const told: unknown[] = []
    socket.addEventListener('message', (event) => told.push(event.constructor, event.target === socket, event.data))
    socket.onclose = (event) => told.push(event.constructor, event.target === socket, event.code)
    clients[0]?.send('x')
    await advance(10)
    clients[0]?.close({ code: 4001, reason: 'bye', wasClean: true })
    await advance(10)
    expect(told).toEqual([MessageEvent, true, 'x', CloseEvent, true, 4001])
  })

  test('[Q2] it has no bufferedAmount of its own: nothing is buffered', async () => {
    const socket = await connect()
    socket.send('x')
    expect(socket.bufferedAmount).toBe(0)
    await socket.drained()
  })

  test('[S8] close() ends it, once', async () => {
    const socket = await connect()
    const closed = vi.fn<() => void>()
    socket.addEventListener('close', closed)
    socket.close(4000, 'bye')
    await advance(2_000)
    expect(closed).toHaveBeenCalledTimes(1)
    expect(socket).toMatchObject({ state: 'closed', lastClose: { code: 4000, reason: 'bye' } })
  })
})
