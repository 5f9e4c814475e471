// One direction of one connection: bytes go in, and come out when the weather lets them.

/** Worse than a bad mobile connection, yet within the page's heartbeat timeout of 2 s. */
export const SLOW = { latency: 300, bytesPerSecond: 8_000 }

/** A line delivers bit by bit. In pieces of this size nothing waits for the end of a burst before its beginning arrives. */
const PIECE = 400

/** What a slow link may hold before the sender feels it, as the buffers along a real one do. */
const MOST_HELD = 32_768

/**
 * What travels: bytes, their end (FIN), or their violent end (RST).
 * @typedef {{ due: number, bytes: Buffer } | { due: number, end: 'fin' | 'rst' }} Parcel
 */

/**
 * @typedef {object} Pipe
 * @property {(bytes: Buffer) => void} put
 * @property {() => void} pump Delivers what may be delivered now; to be called when the weather has changed.
 */

/**
 * @param {import('node:net').Socket} from
 * @param {import('node:net').Socket} to
 * @param {() => import('./proxy.mjs').Weather} weather
 * @returns {Pipe}
 */
export function createPipe(from, to, weather) {
  /** @type {Parcel[]} */
  const parcels = []
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  let held = 0
  let lineIsFreeAt = 0
  let isFull = false

  const put = (/** @type {Buffer} */ bytes) => {
    for (let start = 0; start < bytes.length; start += PIECE) {
      const piece = bytes.subarray(start, start + PIECE)
      lineIsFreeAt = Math.max(lineIsFreeAt, performance.now()) + (piece.length / SLOW.bytesPerSecond) * 1_000
      parcels.push({ due: lineIsFreeAt + SLOW.latency, bytes: piece })
      held += piece.length
    }
    pump()
  }

  const finish = (/** @type {'fin' | 'rst'} */ end) => {
    parcels.push({ due: Math.max(lineIsFreeAt, performance.now()) + SLOW.latency, end })
    pump()
  }

  const deliver = (/** @type {Parcel} */ parcel) => {
    if ('bytes' in parcel) {
      held -= parcel.bytes.length
      // A receiver that does not read must be felt by the sender, else its `bufferedAmount` stays 0.
      if (!to.write(parcel.bytes)) isFull = true
    } else if (parcel.end === 'fin') to.end()
    else to.resetAndDestroy()
  }

  const pump = () => {
    clearTimeout(timer)
    const { hole, slow } = weather()
    // A link that is not slow has no due dates: what a slow one still held leaves at once.
    if (!slow) lineIsFreeAt = 0
    for (let next = parcels[0]; next && !hole && !isFull; next = parcels[0]) {
      const wait = slow ? next.due - performance.now() : 0
      if (wait > 0) {
        timer = setTimeout(pump, Math.ceil(wait))
        break
      }
      parcels.shift()
      deliver(next)
    }
    // Not reading is what a hole looks like to a sender: its system takes a few hundred kB, then no more.
    if (hole || isFull || held > MOST_HELD) from.pause()
    else from.resume()
  }

  from.on('data', put)
  from.on('end', () => finish('fin'))
  // An error is the other side's RST. It travels like everything else, so that a hole hides it.
  from.on('error', () => finish('rst'))
  to.on('close', () => {
    clearTimeout(timer)
    parcels.length = 0
  })
  to.on('drain', () => {
    isFull = false
    pump()
  })
  return { put, pump }
}
