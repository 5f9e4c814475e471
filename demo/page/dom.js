// The few lines that every view needs to make and find elements.

/**
 * The element with that id, which `index.html` is known to have.
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 * @returns {Kind}
 */
export function byId(id) {
  const element = document.getElementById(id)
  if (!element) throw new Error(`index.html has no element with the id ${id}`)
  return /** @type {Kind} */ (element)
}

/** What was typed into the field with that id. */
export function valueOf(/** @type {string} */ id) {
  /** @type {HTMLInputElement} */
  const field = byId(id)
  return field.value
}

/** Sets text only if it differs: most ticks change nothing, and a screen reader's cursor should not be disturbed. */
export function setText(/** @type {Element} */ element, /** @type {string} */ text) {
  if (element.textContent !== text) element.textContent = text
}

/** Presses a toggle button in or out. */
export function press(/** @type {Element} */ button, /** @type {boolean} */ isPressed) {
  button.setAttribute('aria-pressed', String(isPressed))
}

/** @param {Element} button */
export const isPressed = (button) => button.getAttribute('aria-pressed') === 'true'

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 */
export function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
  element.append(...children)
  return element
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
  element.append(...children)
  return element
}
