// The states of a socket as people call them.
import type { State } from 'heartwire'

/** `tone` is the colour and the sign, see style.css. */
export const WORDS: Record<State, { readonly tone: 'good' | 'busy' | 'bad' | 'off'; readonly label: string }> = {
  idle: { tone: 'off', label: 'Not connected' },
  resolving: { tone: 'busy', label: 'Connecting' },
  connecting: { tone: 'busy', label: 'Connecting' },
  handshaking: { tone: 'busy', label: 'Connecting' },
  open: { tone: 'good', label: 'Connected' },
  waiting: { tone: 'bad', label: 'Connection lost' },
  paused: { tone: 'bad', label: 'No network' },
  closing: { tone: 'off', label: 'Closing' },
  closed: { tone: 'off', label: 'Closed' },
}
