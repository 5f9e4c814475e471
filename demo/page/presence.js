// Who is online, as the server tells it.
import { byId, html } from './dom.js'

/**
 * @param {import('./connection.js').Connection} socket
 * @param {string} self
 */
export function showPresence(socket, self) {
  const list = byId('people')
  /** @type {{ client: string, isOnline: boolean, since: number }[]} */
  let people = []

  const show = () => {
    const isKnown = socket.state === 'open'
    list.toggleAttribute('data-stale', !isKnown)
    const now = Date.now()
    const rows = people.map(({ client, isOnline, since }) => {
      const name = client === self ? `${client} (this page)` : client
      const state = isOnline ? 'online' : `offline, last beat ${Math.round((now - since) / 1_000)} s ago`
      return html('li', { 'data-online': String(isOnline) }, html('b', {}, name), ` ${state}`)
    })
    if (!isKnown) rows.push(html('li', { class: 'note' }, 'As last heard: the link is down, so nobody can tell us.'))
    list.replaceChildren(...rows)
  }

  socket.on('message', (message) => {
    if (message.type !== 'presence') return
    people = message.clients.map(({ client, isOnline, age }) => ({
      client,
      isOnline,
      since: Date.now() - age,
    }))
    show()
  })
  socket.on('state', show)
  setInterval(show, 1_000)
}
