// Telling listeners: the typed bus over mitt, the platform's event objects, and isolation from listeners that throw.
import mitt, { type Emitter } from 'mitt'
import { isolated } from './errors.js'
import type { CloseInfo } from './types.js'

/** The `close` event of a {@link Heartwire}: the platform's, and whether a retry follows. */
export interface HeartwireCloseEvent extends CloseEvent {
  /** `false` when this was the last one: the socket is `closed`. */
  readonly willReconnect: boolean
}

type Handler = (...event: unknown[]) => void

/** Listeners by event name, `'*'` for all of them. mitt keeps them; we call them, since in mitt a throw stops the others. */
export class Bus {
  readonly #emitter: Emitter<Record<string, unknown>> = mitt()

  on(type: string, handler: Handler): () => void {
    this.#emitter.on(type, handler)
    let isOn = true
    return () => {
      // A second call must not undo another registration of the same handler.
      if (isOn) this.off(type, handler)
      isOn = false
    }
  }

  off(type: string, handler?: Handler): void {
    this.#emitter.off(type, handler)
  }

  /** Whether anyone would hear it. Asked once per message, so it allocates nothing. */
  has(type: string): boolean {
    const { all } = this.#emitter
    return Boolean(all.get(type)?.length || all.get('*')?.length)
  }

  emit(type: string, event: unknown): void {
    this.#each(type, (handler) => handler(event))
    this.#each('*', (handler) => handler(type, event))
  }

  /** As an EventTarget does: who is added meanwhile waits for the next event, who is taken off is not called any more. */
  #each(type: string, call: (handler: Handler) => void): void {
    const { all } = this.#emitter
    const handlers = all.get(type) as Handler[] | undefined
    // A message finds one, and none for '*': nothing is copied and nobody asked again for that.
    if (handlers?.length === 1) isolated(() => call(handlers[0] as Handler))
    else if (handlers?.length)
      for (const handler of handlers.slice()) if (all.get(type)?.includes(handler)) isolated(() => call(handler))
  }
}

/** A `close` event of the platform's own class, where it has one (Node 20 does not; [E1]). */
export function closeEvent({ code, reason, wasClean }: CloseInfo, willReconnect: boolean): HeartwireCloseEvent {
  const init = { code, reason, wasClean }
  const event =
    typeof CloseEvent === 'function' ? new CloseEvent('close', init) : Object.assign(new Event('close'), init)
  return Object.assign(event, { willReconnect })
}
