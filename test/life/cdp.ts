// A small client of the Chrome DevTools Protocol. Playwright has one, but it pins focus emulation and switches the
// back/forward cache off, and then no page is ever hidden, frozen or cached.
import { WebSocket } from 'ws'

type Params = Record<string, unknown>
type Listener = (params: any, session: string | undefined) => void

interface Answer {
  readonly id?: number
  readonly result?: any
  readonly error?: { readonly message: string }
  readonly method?: string
  readonly params?: Params
  readonly sessionId?: string
}

/** ms for a command; none of ours takes long, but a frozen renderer or a stopped browser answers only later. */
const PATIENCE = 60_000

/** The connection to one browser; commands for a page name its session. */
export interface Cdp {
  /** Rejects when the browser refuses, is gone or says nothing for a minute. */
  send(method: string, params?: Params, session?: string): Promise<any>
  /** Calls `listener` for each event; returns its undo. */
  on(method: string, listener: Listener): () => void
  close(): void
}

/** Connects to a browser's debugging address. */
export async function connectCdp(url: string): Promise<Cdp> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  const waiting = new Map<number, { settle: (answer: Answer) => void }>()
  const listeners = new Map<string, Set<Listener>>()
  let lastId = 0

  const endAll = (message: string): void => {
    for (const { settle } of waiting.values()) settle({ error: { message } })
  }
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
  socket.on('error', (error) => endAll(error.message))
  socket.on('close', () => endAll('The browser is gone'))
  socket.on('message', (data: Buffer) => {
    const answer = JSON.parse(data.toString()) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.settle(answer)
    else for (const listener of listeners.get(answer.method ?? '') ?? []) listener(answer.params, answer.sessionId)
  })

  return {
    send(method, params = {}, session) {
      const id = (lastId += 1)
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => settle({ error: { message: `No answer within ${PATIENCE} ms` } }), PATIENCE)
        const settle = ({ result, error }: Answer): void => {
          clearTimeout(timer)
          waiting.delete(id)
          if (error) reject(new Error(`${method}: ${error.message}`))
          else resolve(result)
        }
        waiting.set(id, { settle })
        if (socket.readyState !== socket.OPEN) return settle({ error: { message: 'The browser is gone' } })
        socket.send(JSON.stringify({ id, method, params, ...(session === undefined ? {} : { sessionId: session }) }))
      })
    },
    on(method, listener) {
      const heard = listeners.get(method) ?? new Set()
      listeners.set(method, heard.add(listener))
      return () => heard.delete(listener)
    },
    close: () => socket.terminate(),
  }
}
