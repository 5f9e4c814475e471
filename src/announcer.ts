// Run to completion: what is to be told waits until nothing else is going on, and is told in the order it happened ([S3]).

/** What the audience has yet to be told. */
export class Announcer {
  /** Whether somebody is being told something just now, or must not be told anything yet. */
  isBusy = true
  #announcements: (() => void)[] | undefined

  announce(announcement: () => void): void {
    ;(this.#announcements ??= []).push(announcement)
  }

  /** Tells what there is to tell, in order. What a listener causes is told after it. */
  flush(): void {
    if (this.isBusy || !this.#announcements) return
    this.isBusy = true
    try {
      // The list may grow meanwhile; for…of sees that.
      for (const announcement of this.#announcements) announcement()
    } finally {
      this.#announcements = undefined
      this.isBusy = false
    }
  }
}
