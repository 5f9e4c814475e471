import { Server } from 'mock-socket'
import { expect, test } from 'vitest'

test('there is a document, and it is a simulated one', () => {
  expect(document.createElement('p')).toBeInstanceOf(HTMLElement)
  expect(navigator.userAgent).toContain('jsdom')
})

test('mock-socket replaces the global WebSocket while its server runs', async () => {
  const url = 'ws://127.0.0.1:1/'
  const server = new Server(url)
  server.on('connection', (client) => client.send('hello'))
  const data = await new Promise((resolve) => {
    new WebSocket(url).addEventListener('message', (message) => resolve(message.data))
  })
  expect(data).toBe('hello')
  server.close()
})
