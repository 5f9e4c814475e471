// A native socket without a network, for measuring the wrapper alone.

export class FakeSocket {
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
  /** @type {Record<string, ((event: any) => void) | undefined> | undefined} */
  listeners
  constructor(/** @type {string} */ url) {
    this.url = url
    FakeSocket.latest = this
  }

  send(/** @type {string} */ data) {
    this.bufferedAmount += data.length
  }

  close() {
    this.readyState = 3
  }

  /** One listener per type is all that reconnecting-websocket needs. */
  addEventListener(/** @type {string} */ type, /** @type {(event: any) => void} */ listener) {
    this.listeners ??= {}
    this.listeners[type] = listener
  }

  removeEventListener(/** @type {string} */ type) {
    if (this.listeners) this.listeners[type] = undefined
  }

  /** Tells whoever listens, in either way. */
  emit(/** @type {'open' | 'message' | 'error' | 'close'} */ type, /** @type {any} */ event) {
    const handler = this[`on${type}`]
    if (handler) handler.call(this, event)
    else this.listeners?.[type]?.call(this, event)
  }

  /** The hot path of {@link emit}. */
  message(/** @type {MessageEvent} */ event) {
    if (this.onmessage) this.onmessage(event)
    else this.listeners?.['message']?.(event)
  }
}
