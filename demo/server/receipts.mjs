// What arrived from each client, judged by the numbers that the page gives its messages: the demo's proof that nothing is lost.

/** A number further ahead than this is no gap but nonsense; it would cost one entry per missing number. */
const WIDEST_GAP = 100_000

/** As many arrivals as a test or a curious reader may want to see in order. */
const LONGEST_LIST = 5_000

export function createReceipts() {
  let highest = 0
  let arrived = 0
  let duplicates = 0
  let late = 0
  /** @type {Set<number>} */
  const missing = new Set()
  /** @type {number[]} */
  const order = []

  return {
    /**
     * Notes that `number` has arrived; numbers start at 1. Returns whether it is new.
     * @param {number} number
     */
    note(number) {
      if (!Number.isInteger(number) || number < 1 || number > highest + WIDEST_GAP) return false
      order.push(number)
      if (order.length > LONGEST_LIST) order.shift()
      if (number > highest) {
        for (let gap = highest + 1; gap < number; gap += 1) missing.add(gap)
        highest = number
      } else if (missing.delete(number)) late += 1
      else {
        duplicates += 1
        return false
      }
      arrived += 1
      return true
    },

    /** The sums that travel with each acknowledgment: a gap below the highest number is a loss. */
    get sums() {
      return { highest, arrived, duplicates, outOfOrder: late, lost: missing.size }
    },

    /** The numbers in the order of their arrival, duplicates included. */
    get order() {
      return order
    },
  }
}

/** @typedef {ReturnType<typeof createReceipts>} Receipts */
