// Runs in the page under test, from the built files: opens the three kinds of sockets and tells the test, by a binding of
// the debugger's, whatever a user of them would see. A push rather than a poll: asking a hidden page would wake it.
import type { Heartwire as Ours, HeartwireOptions } from '../../src/index.ts'

/** What is observed: our socket and its peers, or the page itself. */
export type Subject = 'heartwire' | 'native' | 'reconnecting-websocket'

/** One thing that was seen. */
export interface Entry {
  readonly subject: Subject | 'page'
  /** A DOM event's type, or `bus.` and a bus event's. */
  readonly type: string
  readonly detail: any
  /** As `Date.now()`. */
  readonly at: number
  /** What differs between the pages that one tab shows one after the other. */
  readonly page: string
}

/** What the test calls. */
export interface Life {
  open(subject: Subject, url: string, options?: HeartwireOptions): void
  readonly sockets: Partial<Record<Subject, WebSocket>>
  /** All entries of this page, for those that were told while nobody could listen. */
  readonly entries: Entry[]
  /** Tells of a `tick` of the page every so many ms, or as often as the browser lets it. */
  tick(ms: number): void
  /** Keeps the main thread busy. */
  block(ms: number): void
}

// Where the page has them: from `<script>` and from the debugger.
declare const Heartwire: typeof Ours
declare const ReconnectingWebSocket: new (url: string, protocols?: string[], options?: object) => WebSocket
declare const report: ((entry: string) => void) | undefined

const page = crypto.randomUUID()
const entries: Entry[] = []

const tell = (subject: Entry['subject'], type: string, detail: unknown = null): void => {
  const entry = { subject, type, detail, at: Date.now(), page }
  entries.push(entry)
  if (typeof report === 'function') report(JSON.stringify(entry))
}

const watch = (subject: Subject, socket: WebSocket): void => {
  socket.addEventListener('open', () => tell(subject, 'open'))
  socket.addEventListener('message', ({ data }) => tell(subject, 'message', data))
  socket.addEventListener('error', () => tell(subject, 'error'))
  socket.addEventListener('close', (event) => {
    const { code, reason, wasClean, willReconnect } = event as CloseEvent & { willReconnect?: boolean }
    tell(subject, 'close', { code, reason, wasClean, willReconnect })
  })
}

const life: Life = {
  sockets: {},
  entries,
  open(subject, url, options) {
    if (subject === 'heartwire') {
      const socket = new Heartwire(url, options)
      socket.on('*', (type, event) => {
        if (type !== 'message') tell(subject, `bus.${type}`, event instanceof Error ? event.message : event)
      })
      life.sockets[subject] = socket
    } else {
      life.sockets[subject] = subject === 'native' ? new WebSocket(url) : new ReconnectingWebSocket(url)
    }
    watch(subject, life.sockets[subject])
  },
  tick(ms) {
    tell('page', 'tick')
    setTimeout(() => life.tick(ms), ms)
  },
  block(ms) {
    for (const end = performance.now() + ms; performance.now() < end;);
  },
}
Object.assign(globalThis, { life })

document.addEventListener('visibilitychange', () => tell('page', document.visibilityState))
for (const type of ['freeze', 'resume']) document.addEventListener(type, () => tell('page', type))
for (const type of ['online', 'offline']) addEventListener(type, () => tell('page', type))
for (const type of ['pagehide', 'pageshow'] as const) {
  addEventListener(type, ({ persisted }) => tell('page', type, { persisted }))
}
