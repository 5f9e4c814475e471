// The network and the page: the only file that says window, document or navigator. Everything it tells is a hint.
import { backoff } from './backoff.js'
import { isolated } from './errors.js'
import type { NetworkSignal, NetworkSource } from './types.js'

export type { NetworkSignal, NetworkSource } from './types.js'

type Listener = (signal: NetworkSignal) => void

const listeners = /* @__PURE__ */ new Set<Listener>()

/** What a browser event tells us, or `null` ([N1] to [N4]). There is no `unload` here and never will be: it costs the page its cache. */
function signalOf(event: Event): NetworkSignal | null {
  switch (event.type) {
    case 'online':
    case 'offline':
      return event.type
    case 'pagehide':
      return 'hide'
    case 'pageshow':
      return (event as PageTransitionEvent).persisted ? 'restore' : null
    case 'visibilitychange':
      return document.visibilityState === 'visible' ? 'wake' : null
    default:
      return 'wake'
  }
}

function hear(event: Event): void {
  const signal = signalOf(event)
  if (signal) tellAll(listeners, signal)
}

/** Who is gone meanwhile hears nothing any more. */
function tellAll(audience: Set<Listener>, signal: NetworkSignal): void {
  for (const listener of [...audience]) if (audience.has(listener)) isolated(() => listener(signal))
}

/** Starts or stops listening. One set of global listeners serves every socket of the page. */
function listen(method: 'addEventListener' | 'removeEventListener'): void {
  const connection = (navigator as { connection?: EventTarget }).connection
  for (const type of ['online', 'offline', 'pageshow', 'pagehide']) globalThis[method](type, hear)
  connection?.[method]?.('change', hear)
  // A worker has no document; it hears online and offline.
  if (typeof document === 'object') for (const type of ['visibilitychange', 'resume']) document[method](type, hear)
}

/** The page's own signals; `null` where there is no page and no worker (Node). Adds no listener before `subscribe` ([N5]). */
export function pageNetwork(): NetworkSource | null {
  return typeof navigator === 'object' && typeof addEventListener === 'function' ? page : null
}

const page: NetworkSource = {
  get online() {
    // Only an explicit false counts; it is wrong behind some VPNs all the same, so nobody may rely on it.
    return navigator.onLine !== false
  },
  subscribe(listener) {
    // A function of our own, so that one listener given twice is heard twice and each undo ends one of them.
    const own: Listener = (signal) => listener(signal)
    if (listeners.size === 0) listen('addEventListener')
    listeners.add(own)
    return () => {
      if (listeners.delete(own) && listeners.size === 0) listen('removeEventListener')
    }
  },
}

/** The options of a {@link NetworkMonitor}. */
export interface NetworkMonitorOptions {
  /** A url to fetch (`HEAD`); any answer means up. Without it `navigator.onLine` is asked. */
  probe?: string | URL | undefined
  /** ms a probe may take. @default 5000 */
  timeout?: number | undefined
  /** ms before the first re-check while down; each next is up to 1.5 times later. @default 3000 */
  minDelay?: number | undefined
  /** ms between re-checks at most. @default 60000 */
  maxDelay?: number | undefined
  /** Where signals come from. @default the page */
  source?: NetworkSource | undefined
}

/** Browsers turn a longer timeout into none at all ([R1]). */
const LONGEST = 2 ** 31 - 1

const MONITOR_DEFAULTS = { timeout: 5_000, minDelay: 3_000, maxDelay: 60_000 }

const MILLISECONDS = 'a number of ms from 0'

/** What each option must be, in words; the error messages quote them. */
const MONITOR_RULES: Record<keyof NetworkMonitorOptions, string> = {
  probe: 'a string or URL',
  timeout: MILLISECONDS,
  minDelay: MILLISECONDS,
  maxDelay: MILLISECONDS,
  source: 'an object with subscribe',
}

function isUrl(value: string | URL): boolean {
  try {
    return Boolean(new URL(value, (globalThis as { location?: Location }).location?.href))
  } catch {
    return false
  }
}

/** @throws TypeError or RangeError naming the option that is wrong ([O1]) */
function checkMonitorOptions(options: unknown): void {
  const fail = (Kind: ErrorConstructor, name: string, rule: string, value: unknown): never => {
    throw new Kind(`Cannot create a NetworkMonitor as '${name}' must be ${rule}: current value is ${String(value)}`)
  }
  if (typeof options !== 'object' || options === null) fail(TypeError, 'options', 'an object', options)
  for (const [name, value] of Object.entries(options as object) as [keyof NetworkMonitorOptions, any][]) {
    const rule = MONITOR_RULES[name] as string | undefined
    if (rule === undefined) fail(TypeError, name, `one of ${Object.keys(MONITOR_RULES).join(', ')}`, value)
    if (value === undefined) continue
    const isRight =
      rule === MILLISECONDS
        ? typeof value === 'number'
        : name === 'source'
          ? typeof value?.subscribe === 'function'
          : typeof value === 'string' || value instanceof URL
    if (!isRight) fail(TypeError, name, rule as string, value)
    if (rule === MILLISECONDS && !(value >= 0 && value < Infinity)) fail(RangeError, name, rule, value)
    if (name === 'probe' && !isUrl(value)) fail(TypeError, name, 'a url', value)
  }
}

/**
 * Tells whether the network is up, on its own or as the `network` option of a socket.
 *
 * @example
 * const network = new NetworkMonitor({ probe: '/favicon.ico' })
 * network.on('down', () => banner.show())
 * network.on('up', () => banner.hide())
 */
export class NetworkMonitor implements NetworkSource {
  readonly #options: NetworkMonitorOptions & typeof MONITOR_DEFAULTS
  readonly #source: NetworkSource | null
  readonly #listeners = new Set<Listener>()
  #isUp = true
  #unsubscribe: (() => void) | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #checking: Promise<boolean> | null = null
  #rechecks = 0

  /** @throws TypeError or RangeError naming the option that is wrong */
  constructor(options: NetworkMonitorOptions = {}) {
    checkMonitorOptions(options)
    const { timeout, minDelay, maxDelay } = MONITOR_DEFAULTS
    this.#options = {
      ...options,
      timeout: options.timeout ?? timeout,
      minDelay: options.minDelay ?? minDelay,
      maxDelay: options.maxDelay ?? maxDelay,
    }
    this.#source = options.source ?? pageNetwork()
  }

  /** `true` until a check or a signal says otherwise. */
  get online(): boolean {
    return this.#isUp
  }

  /** Calls `listener` on each change; returns its undo. Signals are listened to while anyone is interested. */
  on(type: 'up' | 'down', listener: () => void): () => void {
    const wanted = type === 'up' ? 'online' : 'offline'
    return this.subscribe((signal) => {
      if (signal === wanted) listener()
    })
  }

  /** Passes every signal on: `online` and `offline` as this monitor sees them, the page's as they come. */
  subscribe(listener: Listener): () => void {
    const own: Listener = (signal) => listener(signal)
    this.#listeners.add(own)
    this.#unsubscribe ??= this.#source?.subscribe((signal) => this.#hear(signal)) ?? (() => {})
    // Found down when nobody listened: nobody looked again since.
    if (!this.#isUp) void this.check()
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#stop()
    }
  }

  /** Looks now, with a fetch of `probe` where there is one. Calls made meanwhile share the answer. Never rejects. */
  check(): Promise<boolean> {
    this.#checking ??= this.#look().then((isUp) => {
      this.#checking = null
      this.#set(isUp)
      return isUp
    })
    return this.#checking
  }

  async #look(): Promise<boolean> {
    const { probe, timeout } = this.#options
    if (probe === undefined) return isolated(() => this.#source?.online) !== false
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), Math.min(timeout, LONGEST))
    try {
      // Opaque answers count: we ask whether anyone answers, not what.
      await fetch(probe, { method: 'HEAD', mode: 'no-cors', cache: 'no-store', signal: abort.signal })
      return true
    } catch {
      // No answer in time is the answer: down.
      return false
    } finally {
      clearTimeout(timer)
    }
  }

  #hear(signal: NetworkSignal): void {
    if (signal === 'hide') return this.#tell(signal)
    void this.check()
    // `online` and `offline` are for the check to say; the others are facts about the page.
    if (signal === 'wake' || signal === 'restore') this.#tell(signal)
  }

  #set(isUp: boolean): void {
    const hasChanged = isUp !== this.#isUp
    this.#isUp = isUp
    clearTimeout(this.#timer)
    if (isUp) this.#rechecks = 0
    // `online` can be missed and can lie, so while down look again, ever more slowly, as long as anyone listens.
    else if (this.#listeners.size > 0) {
      const { minDelay, maxDelay } = this.#options
      const delay = backoff(this.#rechecks++, { minDelay, maxDelay, factor: 1.5, jitter: 0.25 })
      this.#timer = setTimeout(() => void this.check(), Math.min(delay, LONGEST))
    }
    if (hasChanged) this.#tell(isUp ? 'online' : 'offline')
  }

  #tell(signal: NetworkSignal): void {
    tellAll(this.#listeners, signal)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#unsubscribe?.()
    this.#unsubscribe = null
    this.#isUp = true
    this.#rechecks = 0
  }
}
