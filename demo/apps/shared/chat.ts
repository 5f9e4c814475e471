// The chat server: where it is, who we are there, and what travels.

export const ROOMS = ['lobby', 'support']

/** What somebody said. The id is the sender's, by which it recognises its own. */
export interface Said {
  readonly id: string
  readonly from: string
  readonly text: string
}

/** What the server says; the first of each connection is the history. */
export type FromServer =
  | { readonly type: 'history' | 'said'; readonly messages: readonly Said[] }
  | { readonly type: 'people'; readonly people: readonly string[] }

/** What we say. */
export type ToServer = Pick<Said, 'id' | 'text'>

/** What we have said and the server has not: it waits in the socket's queue, or it has left and may be lost. */
export interface Unconfirmed extends ToServer {
  readonly isQueued: boolean
}

/** Another one for each load of the page, so that two tabs are two people. */
export const client = Math.random().toString(36).slice(2, 8).padEnd(6, '0')

const address = await (await fetch('/address')).text()

export const roomUrl = (room: string): string => `${address}/rooms/${room}?client=${client}`

let count = 0

/** A message of ours, with an id that nobody else has. */
export const compose = (text: string): ToServer => ({ id: `${client}-${(count += 1)}`, text })
