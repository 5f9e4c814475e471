// A native socket without a network, for measuring the wrapper alone.

export class FakeSocket extends EventTarget {
  static CONNECTING = 0
  static OPEN = 1
  static CLOSING = 2
  static CLOSED = 3

  /** The latest one, for who did not construct it. @type {FakeSocket | undefined} */
  static latest

  url
  protocol = ''
  extensions = ''
  binaryType = 'blob'
  readyState = 1
  bufferedAmount = 0
  /** @type {((event: any) => void) | null} */
  onopen = null
  /** @type {((event: any) => void) | null} */
  onmessage = null
  /** @type {((event: any) => void) | null} */
  onerror = null
  /** @type {((event: any) => void) | null} */
  onclose = null
  constructor(/** @type {string} */ url) {
    super()
    this.url = url
    FakeSocket.latest = this
  }

  send(/** @type {string} */ data) {
    this.bufferedAmount += data.length
  }

  close() {
    this.readyState = 3
  }

  /** Has the attribute called by the platform, as a native socket's is, the first time that there is something to tell. */
  #listen(/** @type {'open' | 'message' | 'error' | 'close'} */ type) {
    if (this[`on${type}`])
      this.addEventListener(type, (event) => this[`on${type}`]?.(event), { once: type !== 'message' })
  }

  /** Tells whoever listens, in either way. */
  emit(/** @type {'open' | 'error' | 'close'} */ type, /** @type {Event} */ event) {
    this.#listen(type)
    this.dispatchEvent(event)
  }

  #isListening = false

  /** A message, dispatched as the platform does. */
  message(/** @type {MessageEvent} */ event) {
    if (!this.#isListening) this.#listen('message')
    this.#isListening = true
    this.dispatchEvent(event)
  }
}
