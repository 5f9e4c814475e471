// Whom the shell tells what happened: the DOM listeners of a socket, and its bus.
import { because, HeartwireError } from './errors.js'
import { Bus } from './events.js'
import { type ListenerArguments, MessageListeners } from './listeners.js'
import type { Codec, HeartwireEvents } from './types.js'

export class Audience {
  readonly codec: Codec<any, any> | undefined
  readonly #socket: EventTarget
  #bus: Bus | null = null
  /** Who waits for a promise or iterates: `off(type)` must not take that away. */
  #waiters: Bus | null = null
  #messages: MessageListeners | null = null

  constructor(socket: EventTarget, codec: Codec<any, any> | undefined) {
    this.#socket = socket
    this.codec = codec
  }

  /** Made when somebody listens: many sockets are used as a plain `WebSocket`. */
  get bus(): Bus {
    return (this.#bus ??= new Bus())
  }

  get waiters(): Bus {
    return (this.#waiters ??= new Bus())
  }

  /** Adds a DOM listener of `message`. @throws TypeError as the native one */
  add(...listener: ListenerArguments): void {
    if (!this.#messages) {
      const messages = (this.#messages = new MessageListeners(this.#socket))
      // What the application itself dispatches on us takes the platform's way to the same listeners.
      EventTarget.prototype.addEventListener.call(this.#socket, 'message', (event) => messages.pass(event))
    }
    this.#messages.add(...listener)
  }

  /** Removes one. @throws TypeError as the native one */
  remove(...listener: ListenerArguments): void {
    ;(this.#messages ?? new MessageListeners(this.#socket)).remove(...listener)
  }

  /** Tells a DOM event: `open`, `error`, `close`. */
  dispatch(event: Event): void {
    EventTarget.prototype.dispatchEvent.call(this.#socket, event)
  }

  /** Tells a native `message` event, while `source` is dispatching it; without a source it is over. */
  deliver(event: MessageEvent, source?: EventTarget | null): void {
    if (this.#messages && !(source && this.#messages.deliver(event, source))) {
      const { data, origin, lastEventId } = event as Partial<MessageEvent>
      this.dispatch(new MessageEvent('message', { data, origin: origin ?? '', lastEventId: lastEventId ?? '' }))
    }
    if (this.isHeard('message')) this.#emitDecoded(event.data)
  }

  /** Tells a bus event. */
  tell<Type extends keyof HeartwireEvents>(type: Type, event: HeartwireEvents[Type]): void {
    this.#waiters?.emit(type, event)
    this.#bus?.emit(type, event)
  }

  /** Whether anybody would hear a bus event. */
  isHeard(type: keyof HeartwireEvents): boolean {
    return this.#bus?.has(type) === true || this.#waiters?.has(type) === true
  }

  #emitDecoded(data: unknown): void {
    try {
      this.tell('message', this.codec ? this.codec.decode(data) : data)
    } catch (cause) {
      // A message that does not decode is the sender's mistake, not a broken link ([C1]).
      this.tell('error', new HeartwireError('decode-failed', `Cannot decode a message${because(cause)}`, cause))
    }
  }
}
