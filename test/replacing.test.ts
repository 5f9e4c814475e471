// What replaces an attempt that is under way.
import { expect, test } from 'vitest'
import { FakeSocket } from './support/fake-socket.ts'
import { collect, inState, settle, useScenes } from './support/scene.ts'

useScenes()

test('[R2] an attempt that is only replaced counts as a retry: impatient clicks make the next wait 30 s', async () => {
  const { socket } = await inState('connecting')
  const waiting = collect(socket, 'waiting')
  for (let click = 0; click < 5; click++) socket.reconnect()
  FakeSocket.latest.fail()
  await settle()
  expect(waiting[0]?.delay).toBe(1_000)
})

test('[S8] close(), then connect(), while connecting: a close without the error before it', async () => {
  const { socket, log } = await inState('connecting')
  socket.close()
  socket.connect()
  expect(log).toContain('<error>')
})
