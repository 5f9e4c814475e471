// The listeners of `message`, and the `on…` attributes. Must never cost a message more than a few calls.
import { report } from './errors.js'

interface Listener {
  readonly callback: EventListenerOrEventListenerObject
  readonly capture: boolean
  readonly once: boolean
  isRemoved: boolean
}

/**
 * The `message` listeners of one socket, called in the DOM's order and under the DOM's rules with the native socket's own
 * event. Cloning and dispatching it again costs a quarter of a message; so the native event gets a prototype of ours that
 * answers `target` and its kin with our socket, and passes everything else on (decision 0002).
 */
export class MessageListeners {
  readonly #owner: EventTarget
  /** Replaced, never changed: a dispatch under way goes on over the list as it was. */
  #listeners: readonly Listener[] = []
  #prototype: object | undefined
  #stopped: Event | undefined

  constructor(owner: EventTarget) {
    this.#owner = owner
  }

  /** `addEventListener`. @throws TypeError as the native one */
  add(callback: EventListenerOrEventListenerObject | null, options: boolean | AddEventListenerOptions = {}): void {
    // The platform checks the arguments, on a target of no use to anyone.
    new EventTarget().addEventListener('message', callback, options)
    const { capture = isCapture(options), once = false, signal } = Object(options) as AddEventListenerOptions
    if (!callback || signal?.aborted || this.#find(callback, Boolean(capture))) return
    const listener = { callback, capture: Boolean(capture), once: Boolean(once), isRemoved: false }
    // At the target, capturing listeners come first.
    this.#listeners = [...this.#listeners, listener].sort((a, b) => Number(b.capture) - Number(a.capture))
    signal?.addEventListener('abort', () => this.#remove(listener))
  }

  /** `removeEventListener`. */
  remove(callback: EventListenerOrEventListenerObject | null, options: boolean | EventListenerOptions = {}): void {
    const { capture = isCapture(options) } = Object(options) as EventListenerOptions
    const listener = this.#find(callback, Boolean(capture))
    if (listener) this.#remove(listener)
  }

  /** Calls the listeners with a platform event: the native socket's, or one that is being dispatched on our own socket. */
  deliver(event: Event): void {
    this.#adopt(event)
    // An event may be dispatched again, and starts anew then.
    if (this.#stopped === event) this.#stopped = undefined
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
      if (this.#stopped === event) break
    }
  }

  #find(callback: EventListenerOrEventListenerObject | null, capture: boolean): Listener | undefined {
    return this.#listeners.find((listener) => listener.callback === callback && listener.capture === capture)
  }

  #remove(listener: Listener): void {
    listener.isRemoved = true
    this.#listeners = this.#listeners.filter((other) => other !== listener)
  }

  #adopt(event: Event): void {
    const prototype = Object.getPrototypeOf(event) as Event
    if (prototype === this.#prototype) return
    // Nearly always the first; but the application may dispatch any event of this type.
    const own =
      prototype === MessageEvent.prototype ? (this.#prototype ??= this.#adopting(prototype)) : this.#adopting(prototype)
    Object.setPrototypeOf(event, own)
  }

  /**
   * A prototype but for what would show the native socket. What the platform says is asked each time: `currentTarget` is
   * `null` after the dispatch, and an event that is passed on to another target says so.
   */
  #adopting(prototype: Event): object {
    const ours = (target: unknown): unknown =>
      Object(target) === target && 'bufferedAmount' in (target as object) ? this.#owner : target
    const ask = (name: string, otherwise: EventTarget | null): PropertyDescriptor => ({
      get(this: Event) {
        return ours(Reflect.get(prototype, name, this) ?? otherwise)
      },
    })
    const stop = (event: Event): void => {
      this.#stopped = event
    }
    return Object.create(prototype, {
      target: ask('target', this.#owner),
      srcElement: ask('srcElement', this.#owner),
      currentTarget: ask('currentTarget', null),
      composedPath: {
        value(this: Event) {
          return prototype.composedPath.call(this).map(ours)
        },
      },
      stopImmediatePropagation: {
        value(this: Event) {
          stop(this)
          prototype.stopImmediatePropagation.call(this)
        },
      },
    })
  }
}

/** What is no object stands for `capture`. */
function isCapture(options: unknown): boolean {
  return Object(options) !== options && Boolean(options)
}

/** One `on…` attribute: its value, and the listener that stands for it in the order in which it was first set. */
interface Attribute {
  readonly value: unknown
  readonly listener: EventListener
}

const attributes = /* @__PURE__ */ new WeakMap<EventTarget, Record<string, Attribute | undefined>>()

/** Defines the event handler attributes `on<type>` on a prototype, as WebIDL does. */
export function defineAttributes(prototype: EventTarget, types: readonly string[]): void {
  for (const type of types) {
    Object.defineProperty(prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      get(this: EventTarget) {
        return attributes.get(this)?.[type]?.value ?? null
      },
      set(this: EventTarget, value: unknown) {
        setAttribute(this, type, value)
      },
    })
  }
}

/** `[LegacyTreatNonObjectAsNull]`: any object is kept, even one that cannot be called; anything else means `null`. */
function setAttribute(target: EventTarget, type: string, given: unknown): void {
  const all = attributes.get(target) ?? {}
  attributes.set(target, all)
  const value = Object(given) === given ? given : null
  const before = all[type]
  if (!value) {
    if (before) target.removeEventListener(type, before.listener)
    all[type] = undefined
    return
  }
  const listener = before?.listener ?? ((event: Event): void => callAttribute(target, type, event))
  all[type] = { value, listener }
  if (!before) target.addEventListener(type, listener)
}

function callAttribute(target: EventTarget, type: string, event: Event): void {
  const value = attributes.get(target)?.[type]?.value
  // What returns false cancels, where there is something to cancel.
  if (typeof value === 'function' && value.call(target, event) === false) event.preventDefault()
}
