// The listeners of `message`. Must never cost a message more than a few calls.
import { report } from './errors.js'

interface Listener {
  readonly callback: EventListenerOrEventListenerObject
  readonly capture: boolean
  readonly once: boolean
  isRemoved: boolean
  /** Lets go of the `signal` that would remove it. */
  release?: () => void
}

/** Whose events are delivered as whose: native sockets, and the sockets that wrap them. */
const owners = /* @__PURE__ */ new WeakMap<EventTarget, EventTarget>()
/** Events that a listener has stopped. Made when one does, so that a message costs no look into it before. */
let stopped: WeakSet<Event> | undefined
/** What the events of native sockets inherit from. Made when there is the first. */
let adopting: object | undefined

/** What `addEventListener` takes after the type. */
export type ListenerArguments = [
  callback: EventListenerOrEventListenerObject | null,
  options?: boolean | AddEventListenerOptions,
]

/**
 * The `message` listeners of one socket, called in the DOM's order and under the DOM's rules with the native socket's own
 * event. Cloning and dispatching it again costs a quarter of a message; so the native event gets a prototype of ours that
 * answers `target` and its kin with our socket, and passes everything else on (decision 0002).
 */
export class MessageListeners {
  readonly #owner: EventTarget
  /** Replaced, never changed: a dispatch under way goes on over the list as it was. */
  #listeners: readonly Listener[] = []
  /** The native socket of the latest event, and whether its events are the platform's. */
  #source: EventTarget | undefined
  #isNative = false

  constructor(owner: EventTarget) {
    this.#owner = owner
  }

  /** `addEventListener`. @throws TypeError as the native one */
  add(callback: ListenerArguments[0], options: ListenerArguments[1] = {}): void {
    // Read once and in the standard's order; then checked by the platform, on a target of no use to anyone.
    const { capture = isCapture(options), once, passive, signal } = Object(options) as AddEventListenerOptions
    const scratch = new EventTarget()
    scratch.addEventListener('message', callback, { capture, once, passive, signal } as AddEventListenerOptions)
    scratch.removeEventListener('message', callback, capture)
    if (!callback || signal?.aborted || this.#find(callback, Boolean(capture))) return
    const listener: Listener = { callback, capture: Boolean(capture), once: Boolean(once), isRemoved: false }
    // At the target, capturing listeners come first.
    this.#listeners = [...this.#listeners, listener].sort((a, b) => Number(b.capture) - Number(a.capture))
    if (!signal) return
    const abort = (): void => this.#remove(listener)
    signal.addEventListener('abort', abort)
    listener.release = () => signal.removeEventListener('abort', abort)
  }

  /** `removeEventListener`. @throws TypeError as the native one */
  remove(callback: ListenerArguments[0], options: boolean | EventListenerOptions = {}): void {
    const { capture = isCapture(options) } = Object(options) as EventListenerOptions
    new EventTarget().removeEventListener('message', callback, capture)
    const listener = this.#find(callback, Boolean(capture))
    if (listener) this.#remove(listener)
  }

  /**
   * Calls the listeners with the native socket's own event, while that is being dispatched there. Returns `false` if it is
   * not: a class of that shape may have events of its own.
   */
  deliver(event: Event, source: EventTarget): boolean {
    // The first event of a connection tells for all: asking each would cost as much as the listeners.
    if (source !== this.#source) {
      this.#source = source
      this.#isNative = Object.getPrototypeOf(event) === MessageEvent.prototype && event.target === source
      if (this.#isNative) owners.set(source, this.#owner)
    }
    if (!this.#isNative) return false
    Object.setPrototypeOf(event, (adopting ??= createAdopting(MessageEvent.prototype)))
    this.#call(event)
    return true
  }

  /** Calls them with an event that is being dispatched on our own socket: the platform has set its target. */
  pass(event: Event): void {
    Object.defineProperty(event, 'stopImmediatePropagation', { configurable: true, value: stop })
    this.#call(event)
    Reflect.deleteProperty(event, 'stopImmediatePropagation')
  }

  #call(event: Event): void {
    for (const listener of this.#listeners) {
      if (listener.isRemoved) continue
      if (listener.once) this.#remove(listener)
      const { callback } = listener
      try {
        if (typeof callback === 'function') callback.call(this.#owner, event)
        else callback.handleEvent(event)
      } catch (error) {
        report(error)
      }
      // An event may be dispatched again, and starts anew then.
      if (stopped?.delete(event)) break
    }
  }

  #find(callback: ListenerArguments[0], capture: boolean): Listener | undefined {
    return this.#listeners.find((listener) => listener.callback === callback && listener.capture === capture)
  }

  #remove(listener: Listener): void {
    listener.isRemoved = true
    listener.release?.()
    this.#listeners = this.#listeners.filter((other) => other !== listener)
  }
}

/** What is no object stands for `capture`. */
function isCapture(options: unknown): boolean {
  return Object(options) !== options && Boolean(options)
}

function stop(this: Event): void {
  stopped ??= new WeakSet()
  stopped.add(this)
  Event.prototype.stopImmediatePropagation.call(this)
}

/**
 * A prototype but for what would show the native socket. What the platform says is asked each time: `currentTarget` is
 * `null` after the dispatch, and an event that is passed on to another target says so.
 */
function createAdopting(prototype: Event): object {
  const ours = (target: EventTarget): EventTarget => owners.get(target) ?? target
  const ask = (name: string): PropertyDescriptor => ({
    get(this: Event) {
      return ours(Reflect.get(prototype, name, this) as EventTarget)
    },
  })
  return Object.create(prototype, {
    target: ask('target'),
    srcElement: ask('srcElement'),
    currentTarget: ask('currentTarget'),
    composedPath: {
      value(this: Event) {
        return prototype.composedPath.call(this).map(ours)
      },
    },
    stopImmediatePropagation: { value: stop },
  }) as object
}
