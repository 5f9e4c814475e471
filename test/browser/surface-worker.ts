// Takes the tour in a dedicated or a shared worker, and asks its page for what only the page can do.
import { takeTour } from './surface.ts'
import type { Tour } from './surface.ts'

type Port = Pick<MessagePort, 'postMessage' | 'addEventListener'>

/** What a worker says: a call on the rig that its page is to make, or the outcome. */
export type Said = { ask: [path: string, args: unknown[]] } | { log: unknown[] } | { failed: string }

const serve = (port: Port): void => {
  const say = (what: Said): void => port.postMessage(what, [])
  let answer: (value: unknown) => void = () => {}
  const ask = (path: string, ...args: unknown[]): Promise<unknown> =>
    new Promise((resolve) => {
      answer = resolve
      say({ ask: [path, args] })
    })
  port.addEventListener('message', (event) => {
    const { data } = event as MessageEvent<{ tour: Tour } | { answer: unknown }>
    if ('answer' in data) return answer(data.answer)
    takeTour(data.tour, ask).then(
      (log) => say({ log }),
      (error: unknown) => say({ failed: String(error) }),
    )
  })
}

if ('onconnect' in globalThis) {
  addEventListener('connect', (event) => {
    const [port] = (event as MessageEvent).ports
    if (!port) return
    serve(port)
    port.start()
  })
} else serve(globalThis as unknown as Port)
