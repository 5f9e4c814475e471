// The event log: everything that `on('*')` announces, newest first.
import { byId, html, isPressed, press } from './dom.js'
import { describeClose } from './words.js'

/** Enough to scroll back through a long outage; more would only cost memory. */
const KEPT = 200

/** @typedef {{ type: string, text: string, first: number, last: number, count: number }} Entry */

const inSeconds = (/** @type {number} */ ms) => `${(ms / 1_000).toFixed(2)} s`

/** One line for each kind of event. @type {Record<string, (event: any) => string>} */
const TELL = {
  state: ({ state, previous }) => `${previous} → ${state}`,
  open: ({ attempt, isReconnect }) => (isReconnect ? `again, attempt ${attempt}` : 'for the first time'),
  message: (message) => (message?.type ? `“${message.type}”` : ''),
  lost: ({ close, wasOpen, willReconnect, requeued, inDoubt }) =>
    [
      `${wasOpen ? 'connection' : 'attempt'} ended with ${describeClose(close)}`,
      willReconnect ? 'will retry' : 'no retry',
      ...(requeued > 0 ? [`${requeued} back in the queue`] : []),
      ...(inDoubt > 0 ? [`at most ${inDoubt} in doubt`] : []),
    ].join('; '),
  waiting: ({ attempt, delay }) => `attempt ${attempt} in ${inSeconds(delay)}`,
  closed: ({ reason, close }) => `${reason}${close ? `, ${describeClose(close)}` : ''}`,
  heartbeat: ({ latency }) => (latency === null ? 'from the server' : `${latency.toFixed(1)} ms`),
  probe: ({ timeout }) => `answer expected within ${inSeconds(timeout)}`,
  drain: () => 'everything has left the browser',
  dropped: ({ messages, reason }) => `${messages.length} ${messages.length === 1 ? 'message' : 'messages'}, ${reason}`,
  // A url's query may hold a token, as ours does; a log is no place for it.
  error: (error) => `${error.code}: ${error.message.replace(/\?\S+/, '?…')}`,
}

/** Local time with milliseconds. */
const clock = (/** @type {number} */ time) =>
  `${new Date(time).toLocaleTimeString('en-GB')}.${String(Math.floor(time % 1_000)).padStart(3, '0')}`

/** @param {import('./connection.js').Connection} socket */
export function showLog(socket) {
  const list = byId('entries')
  const pause = byId('pause')
  /** @type {Entry[]} Newest first. */
  let entries = []
  let unseen = 0
  let isScheduled = false

  const note = (/** @type {string} */ type, /** @type {unknown} */ event) => {
    const now = Date.now()
    const newest = entries[0]
    // Messages in a row share a line, so that a flood leaves the rest to be read.
    if (type === 'message' && newest?.type === type) {
      newest.count += 1
      newest.last = now
      newest.text = TELL['message']?.(event) ?? ''
    } else {
      entries.unshift({ type, text: TELL[type]?.(event) ?? '', first: now, last: now, count: 1 })
      if (entries.length > KEPT) entries.pop()
      unseen += 1
    }
    schedule()
  }

  const schedule = () => {
    if (isScheduled) return
    isScheduled = true
    requestAnimationFrame(() => {
      isScheduled = false
      draw()
    })
  }

  const row = (/** @type {Entry} */ { type, text, first, last, count }) =>
    html(
      'li',
      { 'data-type': type, 'data-first': first, 'data-last': last, 'data-count': count },
      html('time', { datetime: new Date(last).toISOString() }, clock(last)),
      html('b', {}, count > 1 ? `${type} × ${count}` : type),
      html('span', {}, text),
    )

  const draw = () => {
    if (isPressed(pause)) {
      pause.textContent = unseen > 0 ? `Paused, ${unseen} new` : 'Paused'
      return
    }
    pause.textContent = 'Pause'
    unseen = 0
    list.replaceChildren(...entries.map(row))
  }

  socket.on('*', note)
  pause.addEventListener('click', () => {
    press(pause, !isPressed(pause))
    unseen = 0
    draw()
  })
  byId('clear').addEventListener('click', () => {
    entries = []
    list.replaceChildren()
  })
}
