// `heartbeat.timers: 'worker'` in Node, which has no workers of that kind: said once, and otherwise as ever.
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { Heartwire } from '../../src/index.ts'
import { startRig } from '../support/rig.ts'

test('[H10] Node has no Worker: it is told once, and beats by the timers there are', async () => {
  const rig = await startRig()
  rig.server.answerPings(true)
  const heartbeat = { message: 'ping', pong: 'pong', interval: 20, timeout: 5_000, timers: 'worker' } as const
  const socket = new Heartwire(rig.url, { WebSocket, heartbeat, reconnect: { minDelay: 1, maxDelay: 1 } })
  const told: unknown[] = []
  socket.on('error', ({ code, message }) => told.push([code, message]))
  for (let beats = 0; beats < 3; beats++) await socket.once('heartbeat')
  const again = socket.once('open')
  await rig.proxy.reset()
  await again
  for (let beats = 0; beats < 3; beats++) await socket.once('heartbeat')
  expect(told).toEqual([['worker-failed', 'Cannot beat from a worker, only from the page: Worker is not defined']])
  await socket[Symbol.asyncDispose]()
  await rig.close()
})
