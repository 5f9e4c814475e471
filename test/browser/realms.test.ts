// The interface in every realm that has a WebSocket: the same tour by the native class and by ours ([P2]).
import { afterEach, describe, expect, test } from 'vitest'
import { openRig } from '../support/control.ts'
import type { Control, RemoteRig } from '../support/control.ts'
import { takeTour } from './surface.ts'
import type { Tour } from './surface.ts'
import type { Said } from './surface-worker.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const askOf =
  (control: Control) =>
  (path: string, ...args: unknown[]): Promise<unknown> =>
    // The worker names the very member that it wants.
    control(path as 'server.closeClients', ...(args as [number, string]))

/** Has a worker take the tour. */
const inWorker = (port: Worker | MessagePort, tour: Tour, control: Control): Promise<unknown[]> =>
  new Promise((resolve, reject) => {
    port.addEventListener('message', (event) => {
      const said = (event as MessageEvent<Said>).data
      if ('log' in said) resolve(said.log)
      else if ('failed' in said) reject(new Error(said.failed))
      else {
        const [path, args] = said.ask
        askOf(control)(path, ...args).then((answer) => port.postMessage({ answer }, []), reject)
      }
    })
    port.addEventListener('error', (event) => reject(new Error((event as ErrorEvent).message)))
    port.postMessage({ tour }, [])
  })

const WORKER = new URL('./surface-worker.ts', import.meta.url)

const REALMS: Record<string, (tour: Tour, rig: RemoteRig) => Promise<unknown[]>> = {
  'the window': (tour, { control }) => takeTour(tour, askOf(control)),
  'a dedicated worker': (tour, { control }) => {
    const worker = new Worker(new URL('./surface-worker.ts', import.meta.url), { type: 'module' })
    cleanups.push(() => worker.terminate())
    return inWorker(worker, tour, control)
  },
  'a shared worker': (tour, { control }) => {
    const { port } = new SharedWorker(WORKER, { type: 'module', name: String(Math.random()) })
    cleanups.push(() => port.close())
    port.start()
    return inWorker(port, tour, control)
  },
}

describe('the interface', () => {
  test.for(Object.keys(REALMS))('[P2] is the native one in %s', { timeout: 60_000 }, async (realm) => {
    const tours = [false, true].map(async (isOurs) => {
      const rig = await openRig()
      cleanups.push(() => rig.close())
      await rig.control('server.echo', true)
      return REALMS[realm]?.({ url: rig.url, isOurs }, rig)
    })
    const [native, ours] = await Promise.all(tours)
    expect(native?.length).toBeGreaterThan(40)
    expect(ours).toEqual(native)
  })
})
