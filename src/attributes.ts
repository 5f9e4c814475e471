// The `on…` attributes, as WebIDL has them.

/** One attribute's value, and the listener that stands for it in the order in which it was first set. */
interface Attribute {
  value: unknown
  readonly listener: EventListener
}

/** The attributes of one socket that are set, by event type. */
export type Attributes = Record<string, Attribute | undefined>

/**
 * Defines `on<type>` on a prototype. `attributesOf` must throw a TypeError for an object that is no instance.
 *
 * `[LegacyTreatNonObjectAsNull]`: any object is kept, even one that cannot be called; anything else means `null`.
 */
export function defineAttribute(
  prototype: EventTarget,
  type: string,
  attributesOf: (socket: EventTarget) => Attributes,
): void {
  Object.defineProperty(prototype, `on${type}`, {
    configurable: true,
    enumerable: true,
    get(this: EventTarget) {
      return attributesOf(this)[type]?.value ?? null
    },
    set(this: EventTarget, given: unknown) {
      const attributes = attributesOf(this)
      const before = attributes[type]
      const value = Object(given) === given ? given : null
      if (before && value) before.value = value
      else if (before) {
        attributes[type] = undefined
        prototype.removeEventListener.call(this, type, before.listener)
      } else if (value) {
        const attribute: Attribute = {
          value,
          listener: (event) => {
            // What returns false cancels, where there is something to cancel.
            if (typeof attribute.value === 'function' && attribute.value.call(this, event) === false)
              event.preventDefault()
          },
        }
        attributes[type] = attribute
        // Not what a subclass makes of it: natively that is not asked, either.
        prototype.addEventListener.call(this, type, attribute.listener)
      }
    },
  })
}
