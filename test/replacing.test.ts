// What replaces an attempt that is under way.
import { expect, test } from 'vitest'
import { FakeSocket } from './support/fake-socket.ts'
import { collect, inState, open, settle, useScenes } from './support/scene.ts'

useScenes()

test('[R2] an attempt that is only replaced counts as a retry: impatient clicks make the next wait 30 s', async () => {
  const { socket } = await inState('connecting')
  const waiting = collect(socket, 'waiting')
  for (let click = 0; click < 5; click++) socket.reconnect()
  FakeSocket.latest.fail()
  await settle()
  expect(waiting[0]?.delay).toBe(1_000)
})

test.each(['resolving', 'connecting', 'handshaking', 'waiting', 'paused'] as const)(
  '[S8] close(), then connect(), while %s: nothing was open, so no close is told',
  async (state) => {
    const scene = await inState(state)
    scene.socket.close()
    expect(scene.socket.readyState).toBe(2)
    scene.unblock()
    scene.socket.connect()
    await open(scene)
    expect(scene.log.filter((line) => line.startsWith('<'))).toEqual(['<open>'])
  },
)

test('[S8] close(), then connect(), while open: its close is told, once', async () => {
  const scene = await inState('open')
  scene.socket.close()
  scene.socket.connect()
  await open(scene)
  expect(scene.log.filter((line) => line.startsWith('<'))).toEqual(['<close 1006 reconnect again>', '<open>'])
})

test.each(['connecting', 'open'] as const)(
  '[S5] close() and reconnect() in each error and close of one that was %s come to an end, one attempt per call',
  async (state) => {
    const { socket } = await inState(state)
    const before = FakeSocket.all.length
    let calls = 0
    const renew = (): void => {
      calls += 1
      // An endless loop would take the test along.
      if (calls > 10) return
      socket.close()
      socket.reconnect()
    }
    socket.addEventListener('error', renew)
    socket.addEventListener('close', renew)
    FakeSocket.latest.fail()
    expect([calls, FakeSocket.all.length - before, socket.state]).toEqual([2, 2, 'connecting'])
    socket.removeEventListener('error', renew)
    socket.removeEventListener('close', renew)
  },
)
