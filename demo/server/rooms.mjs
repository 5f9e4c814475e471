// The chat of the pages for Vue and React: rooms, what was said in them, and who is there.
//
// What travels is JSON. From the page: `{ heart: 1 }` and `{ id, text }`. To the page: the beat back, `history` (first of
// all), `said` and `people`.

/** Who asks for another one is refused. */
export const ROOMS = ['lobby', 'support']

/** What a newcomer is told, and all that is kept. */
const REMEMBERED = 50

/** What a person types; a stranger's novel is cut off here. */
const LONGEST_TEXT = 500

/** @typedef {import('ws').WebSocket} Socket */
/** @typedef {{ id: string, from: string, text: string }} Said */

export function createRooms() {
  const rooms = new Map(ROOMS.map((name) => [name, createRoom(name)]))
  return {
    /**
     * Lets a client into a room for as long as its connection lives. Returns whether there is such a room.
     * @param {string} name
     * @param {Socket} socket
     * @param {string} client
     */
    enter(name, socket, client) {
      const room = rooms.get(name)
      room?.enter(socket, client)
      return room !== undefined
    },
  }
}

/** @param {string} name */
function createRoom(name) {
  /** @type {Map<Socket, string>} */
  const people = new Map()
  /** @type {Said[]} */
  const history = [
    { id: `welcome-${name}`, from: 'host', text: `Welcome to the ${name} room. A second tab is company.` },
  ]

  const tellAll = (/** @type {unknown} */ message) => {
    for (const socket of people.keys()) socket.send(JSON.stringify(message))
  }

  const tellPeople = () => tellAll({ type: 'people', people: [...new Set(people.values())] })

  const hear = (/** @type {string} */ from, /** @type {any} */ message) => {
    if (typeof message?.id !== 'string' || typeof message.text !== 'string') return
    const said = { id: message.id.slice(0, 40), from, text: message.text.slice(0, LONGEST_TEXT) }
    history.push(said)
    if (history.length > REMEMBERED) history.shift()
    tellAll({ type: 'said', messages: [said] })
  }

  return {
    /**
     * @param {Socket} socket
     * @param {string} client
     */
    enter(socket, client) {
      socket.on('message', (data) => {
        const text = String(data)
        // The beat is answered as it came: that is how the page recognises it.
        if (text === '{"heart":1}') socket.send(text)
        else hear(client, parse(text))
      })
      socket.on('close', () => {
        people.delete(socket)
        tellPeople()
      })
      socket.send(JSON.stringify({ type: 'history', messages: history }))
      people.set(socket, client)
      tellPeople()
    },
  }
}

const parse = (/** @type {string} */ text) => {
  try {
    return JSON.parse(text)
  } catch {
    return null // Not ours: ignored like any other message we do not know.
  }
}
