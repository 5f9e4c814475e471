// The state of the socket in plain words. No page in here: facts in, sentences out.

/**
 * @typedef {object} Facts
 * @property {import('heartwire').State} state
 * @property {number} attempt
 * @property {number | null} retryAt When the next retry is due, by `Date.now()`.
 * @property {import('heartwire').CloseInfo | null} lastClose
 * @property {import('heartwire').ClosedReason | null} reason Why it is closed.
 * @property {number | null} openSince
 * @property {boolean} hasBeenOpen
 */

/** @typedef {{ tone: 'good' | 'busy' | 'bad' | 'off', headline: string, detail: string }} Words */

/** With tenths, never below zero. */
export const seconds = (/** @type {number} */ ms) => (Math.max(0, ms) / 1_000).toFixed(1)

/** How the last connection ended. */
export function describeClose(/** @type {import('heartwire').CloseInfo | null} */ close) {
  if (!close) return 'nothing yet'
  return close.reason ? `${close.code}, “${close.reason}”` : `${close.code}`
}

/**
 * @param {Facts} facts
 * @param {number} now
 * @returns {Words}
 */
export function describe(facts, now) {
  const { state, attempt, lastClose } = facts
  const cause = lastClose ? `The last connection ended with ${describeClose(lastClose)}.` : 'First connection.'
  const trying = attempt > 0 ? ` (attempt ${attempt})` : ''
  switch (state) {
    case 'idle':
      return { tone: 'off', headline: 'Not started', detail: '' }
    case 'resolving':
      return { tone: 'busy', headline: `Connecting${trying}`, detail: `Asking for an address and a token. ${cause}` }
    case 'connecting':
      return { tone: 'busy', headline: `Connecting${trying}`, detail: `Waiting for the server’s answer. ${cause}` }
    case 'handshaking':
      return { tone: 'busy', headline: `Connecting${trying}`, detail: `Connected, waiting for the welcome. ${cause}` }
    case 'open':
      return {
        tone: 'good',
        headline: 'Connected',
        detail: lastClose
          ? `Back for ${seconds(now - (facts.openSince ?? now))} s. ${cause}`
          : `For ${seconds(now - (facts.openSince ?? now))} s.`,
      }
    case 'waiting': {
      const lead = facts.hasBeenOpen ? 'Link lost' : 'No connection yet'
      const due = facts.retryAt === null ? '' : ` in ${seconds(facts.retryAt - now)} s`
      return {
        tone: 'bad',
        headline: `${lead}, retrying${due}${trying}`,
        detail: `${cause} What you send now is kept.`,
      }
    }
    case 'paused':
      return {
        tone: 'bad',
        headline: 'Offline, waiting for the network',
        detail: 'Retries as soon as the network is back, and slowly until then.',
      }
    case 'closing':
      return { tone: 'busy', headline: 'Closing', detail: 'Waiting for the server to agree.' }
    case 'closed':
      return describeClosed(facts)
  }
}

/**
 * @param {Facts} facts
 * @returns {Words}
 */
function describeClosed({ reason, lastClose }) {
  if (lastClose?.code === 4401) {
    return {
      tone: 'off',
      headline: 'Logged out',
      detail: 'The server closed with 4401, so this page has stopped retrying.',
    }
  }
  if (reason === 'user') return { tone: 'off', headline: 'Closed by you', detail: 'It stays closed until you connect.' }
  return {
    tone: 'off',
    headline: 'Closed for good',
    detail: `The server said ${describeClose(lastClose)}, which is not worth a retry.`,
  }
}
