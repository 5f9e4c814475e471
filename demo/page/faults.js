// The buttons that break things: each posts to the server's control API, which is never broken itself.
import { byId, isPressed, press, valueOf } from './dom.js'

/** @returns {NodeListOf<HTMLButtonElement>} */
const buttons = () => document.querySelectorAll('button[data-fault]')

/** What needs a connection to be broken. */
const NEEDS_LINK = ['kill', 'flood', 'close', 'logout']

/** What goes along with each press. @type {Record<string, () => object>} */
const details = {
  restart: () => ({ seconds: Number(valueOf('restart-seconds')) }),
  flood: () => ({ count: Number(valueOf('flood-count')) }),
  close: () => ({ code: Number(valueOf('close-code')), reason: valueOf('close-reason') }),
}

/**
 * Makes the buttons work. Returns what asks the server which faults are on, and shows that.
 * @param {string} client
 */
export function connectFaults(client) {
  const problem = byId('fault-error')

  /** Shows what is broken now; another page may have broken it. */
  const show = (/** @type {Record<string, boolean>} */ status) => {
    for (const button of buttons()) {
      const isOn = status[button.dataset['fault'] ?? ''] ?? false
      if (button.hasAttribute('aria-pressed')) press(button, isOn)
      else button.toggleAttribute('data-busy', isOn)
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit} [request]
   */
  const ask = async (path, request) => {
    try {
      const response = await fetch(`${path}?client=${client}`, request)
      const answer = await response.json()
      if (!response.ok) throw new Error(answer.error)
      problem.hidden = true
      show(answer)
    } catch (error) {
      problem.textContent = `That did not work: ${error instanceof Error ? error.message : String(error)}`
      problem.hidden = false
    }
  }

  for (const button of buttons()) {
    const fault = button.dataset['fault'] ?? ''
    button.addEventListener('click', () => {
      const given = button.hasAttribute('aria-pressed') ? { on: !isPressed(button) } : (details[fault]?.() ?? {})
      void ask(`/control/${fault}`, { method: 'POST', body: JSON.stringify(given) })
    })
  }

  // Nobody has pressed anything: while the page is offline it just does not know.
  return () => {
    if (navigator.onLine) void ask('/control')
  }
}

/**
 * @param {import('./connection.js').Connection} socket
 * @param {string} client
 */
export function showFaults(socket, client) {
  const look = connectFaults(client)

  const enable = () => {
    for (const button of buttons())
      button.disabled = NEEDS_LINK.includes(button.dataset['fault'] ?? '') && socket.state !== 'open'
  }
  socket.on('state', enable)
  enable()

  socket.on('open', look)
  socket.on('lost', look)
  look()
}
