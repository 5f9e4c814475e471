// The headline, the numbers of the socket, and the buttons at our own end.
import { byId, setText } from './dom.js'
import { describe, seconds } from './words.js'

const READY_STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']

/** The countdown shows tenths of a second. */
const TICK = 100

/** @param {number} count */
export const inBytes = (count) => (count < 10_000 ? `${count} B` : `${(count / 1_000).toFixed(1)} kB`)

/** @param {import('./connection.js').Connection} socket */
export function showStatus(socket) {
  /** The retry that is scheduled. @type {{ attempt: number, retryAt: number } | null} */
  let retry = null
  /** @type {number | null} */
  let openSince = null
  let hasBeenOpen = false

  /** The number of the attempt that is under way or to come. */
  const attempt = () => retry?.attempt ?? socket.attempt

  const facts = () => ({
    state: socket.state,
    attempt: attempt(),
    lastClose: socket.lastClose,
    retryAt: retry?.retryAt ?? null,
    openSince,
    reason: socket.reason,
    hasBeenOpen,
  })

  const show = () => {
    const now = Date.now()
    const { state } = socket
    const { tone, headline, detail } = describe(facts(), now)
    byId('status').dataset['tone'] = tone
    byId('status').dataset['state'] = state
    setText(byId('headline'), headline)
    setText(byId('detail'), detail)
    setText(byId('fact-readyState'), `${socket.readyState} ${READY_STATES[socket.readyState]}`)
    setText(byId('fact-bufferedAmount'), inBytes(socket.bufferedAmount))
    // While messages queue, what is buffered is the queue and nothing else.
    const { queued } = socket
    setText(byId('fact-queue'), queued === 0 ? 'empty' : `${queued} msg, ${inBytes(socket.bufferedAmount)}`)
    setText(byId('fact-attempt'), String(attempt()))
    setText(byId('fact-retry'), retry ? `${seconds(retry.retryAt - now)} s` : '–')
    // Without a connection it would be the latency of one that is gone.
    const latency = state === 'open' ? socket.latency : null
    setText(byId('fact-latency'), latency === null ? '–' : `${latency.toFixed(1)} ms`)

    const isLoggedOut = state === 'closed' && socket.lastClose?.code === 4401
    byId('login').hidden = !isLoggedOut
    byId('connect').hidden = isLoggedOut || !['closed', 'idle'].includes(state)
    byId('reconnect').hidden = byId('close').hidden = ['closed', 'idle', 'closing'].includes(state)
  }

  socket.on('waiting', (event) => {
    retry = event
  })
  socket.on('open', () => {
    openSince = Date.now()
    hasBeenOpen = true
  })
  socket.on('state', ({ state }) => {
    if (state !== 'waiting') retry = null
    show()
  })
  // Said once what it is about, after everything about it has been announced; the ticking number is for the eye only.
  let spoken = ''
  const speak = () => {
    const { headline } = describe({ ...facts(), retryAt: null }, Date.now())
    if (headline === spoken) return
    spoken = headline
    byId('spoken').textContent = headline
  }
  setInterval(() => {
    show()
    speak()
  }, TICK)

  byId('login').addEventListener('click', () => socket.connect())
  byId('connect').addEventListener('click', () => socket.connect())
  byId('reconnect').addEventListener('click', () => socket.reconnect())
  byId('close').addEventListener('click', () => socket.close(1000, 'closed by the user'))
  show()
}
