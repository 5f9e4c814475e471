import { afterEach, expect, inject, test } from 'vitest'
import { control, openRig } from '../support/control.ts'

const sockets: WebSocket[] = []

const open = (url: string, protocols?: string[]): WebSocket => {
  const socket = new WebSocket(url, protocols)
  sockets.push(socket)
  return socket
}

const event = <Type extends keyof WebSocketEventMap>(socket: WebSocket, type: Type): Promise<WebSocketEventMap[Type]> =>
  new Promise((resolve) => {
    socket.addEventListener(type, resolve, { once: true })
  })

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

test('a page of a real browser talks to the server through the proxy', async () => {
  await control('server.echo', true)
  const socket = open(inject('proxyUrl'))
  await event(socket, 'open')
  socket.send('hello')
  expect((await event(socket, 'message')).data).toBe('hello')
  expect(await control('server.received')).toEqual(['hello'])
  await control('server.echo', false)
})

test('a rig of one’s own starts without traces', async () => {
  const rig = await openRig()
  const socket = open(rig.url, ['v2', 'v1'])
  const connection = await rig.control('server.waitForConnections', 1)
  expect(connection).toMatchObject({ id: 1, offered: ['v2', 'v1'], protocol: 'v2', closed: null })
  const message = event(socket, 'message')
  await rig.control('server.send', Uint8Array.of(1, 2))
  expect((await message).data).toBeInstanceOf(Blob)
  const closed = event(socket, 'close')
  await rig.close()
  expect(await closed).toMatchObject({ code: 1006, wasClean: false })
  await expect(rig.control('server.received')).rejects.toThrow('it is closed')
})

test('a stalled link delivers nothing until it is resumed', async () => {
  const rig = await openRig()
  const socket = open(rig.url)
  await event(socket, 'open')
  await rig.control('proxy.stall')
  socket.send('held')
  await rig.control('server.send', 'also held')
  expect(await rig.control('server.received')).toEqual([])
  const message = event(socket, 'message')
  await rig.control('proxy.resume')
  expect((await message).data).toBe('also held')
  expect(await rig.control('server.waitForMessages', 1)).toEqual(['held'])
  await rig.close()
})

test('a reset link is 1006', async () => {
  const rig = await openRig()
  const socket = open(rig.url)
  await event(socket, 'open')
  const closed = event(socket, 'close')
  await rig.control('proxy.reset')
  expect(await closed).toMatchObject({ code: 1006, wasClean: false })
  await rig.close()
})
