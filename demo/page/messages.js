// What the user sends, and the proof that it arrived: the strip of squares and the scoreboard.
import { byId, html, isPressed, press, setText, valueOf } from './dom.js'

/** More would not fit on a phone. */
const SQUARES = 60

const STAGES = {
  queued: 'queued here',
  sent: 'sent, not confirmed',
  arrived: 'arrived',
  dropped: 'given up, as the socket was closed',
}

/** Where nothing that is sent would ever arrive. */
const OVER = ['idle', 'closing', 'closed']

/**
 * @param {import('./connection.js').Connection} socket
 * @param {import('./ledger.js').Ledger} ledger
 */
export function showMessages(socket, ledger) {
  const problem = byId('send-error')
  const strip = byId('strip')
  let inDoubt = 0
  let isScheduled = false

  const send = (/** @type {string} */ text) => {
    if (OVER.includes(socket.state)) return
    try {
      ledger.add(text, (message) => socket.send(message), socket.state === 'open')
      problem.hidden = true
    } catch (error) {
      problem.textContent = String(error)
      problem.hidden = false
    }
    show()
  }

  const show = () => {
    // A burst of receipts is drawn once.
    if (isScheduled) return
    isScheduled = true
    requestAnimationFrame(() => {
      isScheduled = false
      draw()
    })
  }

  const draw = () => {
    const { score } = ledger
    const recent = ledger.recent().slice(-SQUARES)
    strip.replaceChildren(
      ...recent.map(({ number, text, stage }) =>
        html('i', { 'data-stage': stage, title: `${number} “${text}”: ${STAGES[stage]}` }),
      ),
    )
    strip.setAttribute(
      'aria-label',
      score.sent === 0
        ? 'No message yet'
        : `${score.sent} sent: ${score.queued} queued here, ${score.unconfirmed} not confirmed, ${score.arrived} arrived`,
    )
    for (const name of /** @type {const} */ (['sent', 'arrived', 'lost', 'duplicates', 'outOfOrder'])) {
      const cell = byId(`score-${name}`)
      setText(cell, String(score[name]))
      cell.toggleAttribute('data-zero', score[name] === 0)
    }
    if (inDoubt > 0) {
      const answer = score.resent === 0 ? 'it had them all' : `sent the ${score.resent} that it lacked again`
      const outcome = score.isInDoubt
        ? 'As soon as it is back, the page asks the server what it has'
        : `The page asked the server what it had: ${answer}`
      setText(byId('doubt'), `In doubt when a link broke: ${inDoubt}. ${outcome}.`)
    } else if (score.dropped > 0) setText(byId('doubt'), `Given up when the socket was closed: ${score.dropped}.`)
  }

  socket.on('open', () => {
    ledger.opened()
    show()
  })
  socket.on('lost', (event) => {
    if (event.wasOpen) inDoubt += ledger.score.unconfirmed - event.requeued
    ledger.lost(event.requeued)
    show()
  })
  socket.on('dropped', ({ messages }) => {
    ledger.dropped(messages)
    show()
  })
  const controls = /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('#send button, #send input'))
  socket.on('state', ({ state }) => {
    for (const control of controls) control.disabled = OVER.includes(state)
  })
  socket.on('message', (message) => {
    if (message.type !== 'receipt') return
    ledger.read(message.receipts)
    show()
  })

  byId('send').addEventListener('submit', (event) => {
    event.preventDefault()
    send(valueOf('text'))
  })
  byId('hundred').addEventListener('click', () => {
    for (let count = 0; count < 100; count += 1) send(valueOf('text'))
  })

  /** @type {number | undefined} */
  let timer
  byId('ticking').addEventListener('click', () => {
    const button = byId('ticking')
    press(button, !isPressed(button))
    clearInterval(timer)
    if (isPressed(button)) timer = setInterval(() => send(valueOf('text')), 1_000)
  })
  draw()
}
