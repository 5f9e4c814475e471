// When to look whether everything has left: browsers have no event for it. Pure.

/** ms between looks at what has drained, the first and the longest. */
const FIRST = 4
const LONGEST = 250

/** The looks at one socket's buffer while somebody waits for `drain`. */
export class DrainWatch {
  /** When to look again; `Infinity` while there is nothing to look at. */
  at = Infinity
  /** Whether somebody waits for `drain`, over a loss if need be. */
  isOwed = false
  #delay = FIRST

  begin(now: number): void {
    this.isOwed = true
    this.#delay = FIRST
    this.at = now + FIRST
  }

  /** Looks, ever more rarely. Returns whether it is over. */
  look(now: number, isBuffering: boolean): boolean {
    this.#delay = Math.min(this.#delay * 2, LONGEST)
    this.at = isBuffering ? now + this.#delay : Infinity
    this.isOwed = isBuffering
    return !isBuffering
  }
}
