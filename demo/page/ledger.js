// What became of each message that the user sent: queued here, sent, arrived, or given up by a close. No page and no socket in here.

/**
 * @typedef {'queued' | 'sent' | 'arrived' | 'dropped'} Stage
 * @typedef {{ readonly number: number, readonly text: string, stage: Stage }} Message
 * @typedef {{ highest: number, arrived: number, lost: number, duplicates: number, outOfOrder: number }} Receipts the
 *   server's sums
 */

/** As many as the strip shows; older ones that have arrived are forgotten. */
const KEPT = 120

export function createLedger() {
  /** @type {Message[]} Oldest first. */
  let messages = []
  let sent = 0
  /** The numbers of messages that were given up. @type {number[]} */
  const dropped = []
  /** @type {Receipts} */
  let receipts = { highest: 0, arrived: 0, lost: 0, duplicates: 0, outOfOrder: 0 }
  let resent = 0
  let isInDoubt = false

  /** @returns {import('./connection.js').Outgoing} */
  const asWire = (/** @type {Message} */ { number, text }) => ({ type: 'message', number, text })

  /** The server has said what it has got. */
  const read = (/** @type {Receipts} */ news) => {
    receipts = news
    for (const message of messages)
      if (message.number <= news.highest && message.stage !== 'dropped') message.stage = 'arrived'
  }

  return {
    /**
     * Gives a text the next number and hands it to `send`. If that throws (the queue is full) nothing has happened.
     * @param {string} text
     * @param {(message: import('./connection.js').Outgoing) => void} send
     * @param {boolean} isOpen
     */
    add(text, send, isOpen) {
      /** @type {Message} */
      const message = { number: sent + 1, text, stage: isOpen ? 'sent' : 'queued' }
      send(asWire(message))
      sent = message.number
      messages.push(message)
      const surplus = messages.length - KEPT
      if (surplus > 0)
        messages = messages.filter((old, index) => index >= surplus || ['queued', 'sent'].includes(old.stage))
    },

    /** The connection is open: the queue has left. */
    opened() {
      for (const message of messages) if (message.stage === 'queued') message.stage = 'sent'
    },

    /** The connection was lost, and the library took back the last `requeued` of what it had sent. */
    lost(/** @type {number} */ requeued) {
      const left = messages.filter(({ stage }) => stage === 'sent')
      for (const message of left.slice(left.length - requeued)) message.stage = 'queued'
      isInDoubt ||= left.length > requeued
    },

    /** The socket was closed with these in its queue: they will never be sent, and the server must not miss them. */
    dropped(/** @type {readonly import('./connection.js').Outgoing[]} */ wires) {
      const numbers = new Set(wires.map(({ number }) => number))
      for (const message of messages) if (numbers.has(message.number)) message.stage = 'dropped'
      dropped.push(...numbers)
    },

    read,

    /**
     * Settles what was in doubt, with the server's word: returns the messages to send again, oldest first.
     * @param {Receipts} news
     */
    settle(news) {
      read(news)
      const missing = messages.filter(({ stage }) => stage === 'sent')
      resent += missing.length
      isInDoubt = false
      return missing.map(asWire)
    },

    /** The newest, oldest of them first. */
    recent: () => messages.slice(-KEPT),

    get score() {
      const { arrived, duplicates, outOfOrder } = receipts
      // To the server a number that it never got is a gap; only those that nobody announced are lost.
      const lost = receipts.lost - dropped.filter((number) => number <= receipts.highest).length
      const count = (/** @type {Stage} */ stage) => messages.filter((message) => message.stage === stage).length
      return {
        sent,
        arrived,
        lost,
        duplicates,
        outOfOrder,
        queued: count('queued'),
        unconfirmed: count('sent'),
        dropped: dropped.length,
        resent,
        isInDoubt,
      }
    },
  }
}

/** @typedef {ReturnType<typeof createLedger>} Ledger */
