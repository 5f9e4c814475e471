import { afterEach, expect, test } from 'vitest'
import { openRig } from '../support/control.ts'
import type { Order } from './echo-worker.ts'

const workers: Worker[] = []

afterEach(() => {
  for (const worker of workers.splice(0)) worker.terminate()
})

/** A worker, and what it says in the order it says it. */
const start = (): { tell: (order: Order) => void; hear: () => Promise<unknown> } => {
  const worker = new Worker(new URL('./echo-worker.ts', import.meta.url), { type: 'module' })
  workers.push(worker)
  const said: unknown[] = []
  let wake = (): void => {}
  worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    said.push(data)
    wake()
  })
  return {
    tell: (order) => worker.postMessage(order, []),
    async hear() {
      while (said.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return said.shift()
    },
  }
}

test('a dedicated worker has a socket that stays alive, too', async () => {
  const rig = await openRig()
  await rig.control('server.echo', true)
  const { tell, hear } = start()
  tell({ open: rig.url })
  tell({ send: 'before it is open' })
  expect(await hear()).toEqual(['open', true])
  expect(await hear()).toEqual(['message', 'before it is open', true, true])
  await rig.control('proxy.reset')
  expect(await hear()).toEqual(['close', 1006, true, true])
  tell({ send: 'while it is down' })
  expect(await hear()).toEqual(['open', true])
  expect(await hear()).toEqual(['message', 'while it is down', true, true])
  tell('close')
  expect(await hear()).toEqual(['close', 1005, true, false])
  await rig.close()
})
