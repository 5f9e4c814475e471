// The account of what the server sent: each message is heard once, in order, and only while the connection is open.
import type { Judge } from './invariants.ts'

/** The number of a message of the server's own, or `null` for an answer to a heartbeat or a handshake. */
export function numberOf(message: unknown): number | null {
  const text = typeof message === 'object' ? Reflect.get(Object(message), 'm') : message
  return /^d\d+$/.test(String(text)) ? Number(String(text).slice(1)) : null
}

export class Inbound {
  /** Whether anybody listens: with `start: 'lazy'` that would be the start. */
  isHeard = false
  readonly #judge: Judge
  /** The text that must never be heard as a message, as the heartbeat waits for it. */
  readonly #beat: string | null
  /** What the page was given and has not heard, and those of them that it must hear in this turn. */
  readonly #given = new Set<string>()
  #required: string[] = []
  #last = 0
  /** Beats that the page was given and the bus has not told. */
  #beats = 0

  constructor(judge: Judge, beat: string | null) {
    this.#judge = judge
    this.#beat = beat
  }

  /** The native socket has called back. During the handshake a message may be kept, or read there. */
  deliver(text: string, isOpen: boolean): void {
    if (text === this.#beat) this.#beats++
    if (numberOf(text) === null) return
    this.#given.add(text)
    if (isOpen && this.isHeard) this.#required.push(text)
  }

  /** A listener was called. */
  hear(text: string): void {
    const claim = (isTrue: boolean, why: string): void => this.#judge.claim('inbound', isTrue, () => `'${text}' ${why}`)
    claim(text !== this.#beat, 'was for the heartbeat')
    const number = numberOf(text)
    if (number === null) return
    claim(this.#given.delete(text), 'was never given to the page while it could be heard')
    claim(number > this.#last, `came after ${this.#last}`)
    this.#last = number
  }

  hearBeat(): void {
    this.#beats--
  }

  /** A turn is over. What the application called in it may have come in between. */
  settle(hasActed: boolean): void {
    const missing = hasActed ? undefined : this.#required.find((text) => this.#given.has(text))
    this.#judge.claim('inbound', missing === undefined, () => `'${missing}' was not heard`)
    const hasHeard = this.#beat === null || this.#beats === 0 || hasActed
    this.#judge.claim('inbound', hasHeard, () => 'a beat was not told in its turn')
    this.#required = []
    this.#beats = 0
  }
}
