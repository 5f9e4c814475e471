// The page's signals on a page that is not there, and the monitor over them.
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { NetworkMonitor, pageNetwork } from '../src/network.ts'
import type { NetworkMonitorOptions } from '../src/network.ts'
import type { NetworkSignal, NetworkSource } from '../src/types.ts'
import { listen } from './support/listen.ts'

const reportError = vi.fn<(error: unknown) => void>()
beforeEach(() => {
  reportError.mockClear()
  vi.stubGlobal('reportError', reportError)
})

/** A target that knows which types of events it is listened to for; a type is there twice with two listeners. */
class Watched extends EventTarget {
  readonly types: string[] = []

  override addEventListener(type: string, listener: EventListener): void {
    this.types.push(type)
    super.addEventListener(type, listener)
  }

  override removeEventListener(type: string, listener: EventListener): void {
    this.types.splice(this.types.indexOf(type) >>> 0, 1)
    super.removeEventListener(type, listener)
  }
}

interface Page {
  readonly window: Watched
  readonly document: Watched & { visibilityState: string }
  readonly connection: Watched
  readonly navigator: { onLine?: boolean; connection?: unknown }
  /** Every listener that there is on the page. */
  readonly listeners: string[]
}

/** Puts globals in place as a page has them, as far as we know a page; `without` leaves some out. */
const stubPage = ({ without = [] }: { without?: readonly string[] } = {}): Page => {
  const window = new Watched()
  const document = Object.assign(new Watched(), { visibilityState: 'visible' })
  const connection = new Watched()
  const navigator = { onLine: true, ...(without.includes('connection') ? {} : { connection }) }
  const globals: Record<string, unknown> = {
    navigator,
    document,
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
  }
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, without.includes(name) ? undefined : value)
  return {
    window,
    document,
    connection,
    navigator,
    get listeners() {
      const named = { window, document, connection }
      return Object.entries(named).flatMap(([name, { types }]) => types.map((type) => `${name} ${type}`))
    },
  }
}

/** The source of a stubbed page. */
const source = (): NetworkSource => {
  const page = pageNetwork()
  if (!page) throw new Error('There should be a page')
  return page
}

const EVERY_LISTENER = [
  'window online',
  'window offline',
  'window pageshow',
  'window pagehide',
  'document visibilitychange',
  'document resume',
  'connection change',
]

describe('the page', () => {
  test('[N5] there is none in Node, nor where there is half of one', () => {
    expect(pageNetwork()).toBeNull()
    stubPage({ without: ['addEventListener'] })
    expect(pageNetwork()).toBeNull()
    stubPage({ without: ['navigator'] })
    expect(pageNetwork()).toBeNull()
  })

  test('[N2] only an explicit false of navigator.onLine counts', () => {
    const { navigator } = stubPage()
    expect(source().online).toBe(true)
    navigator.onLine = false
    expect(source().online).toBe(false)
    delete navigator.onLine
    expect(source().online).toBe(true)
  })

  test('[N5] nothing is listened to before somebody subscribes', () => {
    const page = stubPage()
    expect([source().online, page.listeners]).toEqual([true, []])
  })

  test('[N5] one set of listeners serves everybody, and goes with the last', () => {
    const page = stubPage()
    const undo = [1, 2, 3].map(() => source().subscribe(() => {}))
    expect(page.listeners).toEqual(EVERY_LISTENER)
    undo[1]?.()
    undo[0]?.()
    expect(page.listeners).toEqual(EVERY_LISTENER)
    undo[2]?.()
    expect(page.listeners).toEqual([])
  })

  test('[N5] an undo is harmless twice, and does not undo what others did', () => {
    const page = stubPage()
    const heard: string[] = []
    const listener = (signal: string): void => void heard.push(signal)
    const first = source().subscribe(listener)
    const second = source().subscribe(listener)
    first()
    first()
    page.window.dispatchEvent(new Event('online'))
    expect(heard).toEqual(['online'])
    second()
    second()
    expect(page.listeners).toEqual([])
  })

  test('[N5] who subscribes again is heard again', () => {
    const page = stubPage()
    source().subscribe(() => {})()
    const undo = source().subscribe(() => {})
    expect(page.listeners).toEqual(EVERY_LISTENER)
    undo()
    expect(page.listeners).toEqual([])
  })

  test('[N4] unload and beforeunload are never listened to: they cost the page its cache', () => {
    const page = stubPage()
    const undo = source().subscribe(() => {})
    expect(page.listeners.join(' ')).not.toContain('unload')
    undo()
  })

  test('[N5] a worker has no document, and few browsers a navigator.connection', () => {
    const page = stubPage({ without: ['document', 'connection'] })
    const undo = source().subscribe(() => {})
    expect(page.listeners).toEqual(EVERY_LISTENER.slice(0, 4))
    undo()
    expect(page.listeners).toEqual([])
  })

  test('[N5] a navigator.connection that is no EventTarget is left alone', () => {
    const page = stubPage()
    page.navigator.connection = { type: 'wifi' }
    const undo = source().subscribe(() => {})
    expect(page.listeners).toEqual(EVERY_LISTENER.slice(0, 6))
    undo()
    expect(page.listeners).toEqual([])
  })

  test.each<[what: string, (page: Page) => void, NetworkSignal[]]>([
    ['online', ({ window }) => window.dispatchEvent(new Event('online')), ['online']],
    ['offline', ({ window }) => window.dispatchEvent(new Event('offline')), ['offline']],
    ['pagehide', ({ window }) => window.dispatchEvent(new Event('pagehide')), ['hide']],
    [
      'pageshow from the cache',
      ({ window }) => window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true })),
      ['restore'],
    ],
    [
      'pageshow of a new page',
      ({ window }) => window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false })),
      [],
    ],
    ['a page that is shown', ({ document }) => document.dispatchEvent(new Event('visibilitychange')), ['wake']],
    [
      'a page that is hidden',
      ({ document }) => {
        document.visibilityState = 'hidden'
        document.dispatchEvent(new Event('visibilitychange'))
      },
      [],
    ],
    ['a page that is unfrozen', ({ document }) => document.dispatchEvent(new Event('resume')), ['wake']],
    ['another network', ({ connection }) => connection.dispatchEvent(new Event('change')), ['wake']],
  ])('[N3] [N4] %s is told as what it is', (_what, happen, expected) => {
    const page = stubPage()
    const heard: NetworkSignal[] = []
    const undo = source().subscribe((signal) => heard.push(signal))
    happen(page)
    undo()
    happen(page)
    expect(heard).toEqual(expected)
  })

  test('[N5] a subscriber that is gone meanwhile hears nothing any more', () => {
    const page = stubPage()
    const heard: string[] = []
    const undo = [
      source().subscribe(() => undo[1]?.()),
      source().subscribe((signal) => heard.push(signal)),
      source().subscribe((signal) => heard.push(`last: ${signal}`)),
    ]
    page.window.dispatchEvent(new Event('online'))
    for (const off of undo) off()
    expect(heard).toEqual(['last: online'])
  })

  test('[S4] a subscriber that throws is reported and stops nobody', () => {
    const page = stubPage()
    const mistake = new Error('a mistake of the application')
    const heard: NetworkSignal[] = []
    const undo = [
      source().subscribe(() => {
        throw mistake
      }),
      source().subscribe((signal) => heard.push(signal)),
    ]
    page.window.dispatchEvent(new Event('online'))
    for (const off of undo) off()
    expect(heard).toEqual(['online'])
    expect(reportError.mock.calls).toEqual([[mistake]])
  })
})

/** A source of signals that a test gives. */
const createSource = (): NetworkSource & { online: boolean; signal(signal: NetworkSignal): void; count: number } => {
  const listeners = new Set<(signal: NetworkSignal) => void>()
  return {
    online: true,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    signal(signal) {
      for (const listener of listeners) listener(signal)
    },
    get count() {
      return listeners.size
    },
  }
}

/** A monitor, its source, and what it told. */
const create = (
  options: NetworkMonitorOptions = {},
): {
  monitor: NetworkMonitor
  network: ReturnType<typeof createSource>
  told: string[]
  stop: () => void
} => {
  const network = createSource()
  const monitor = new NetworkMonitor({ source: network, ...options })
  const told: string[] = []
  const undo = [monitor.on('up', () => told.push('up')), monitor.on('down', () => told.push('down'))]
  return {
    monitor,
    network,
    told,
    stop: () => {
      for (const off of undo) off()
    },
  }
}

describe('NetworkMonitor', () => {
  /** Lets every check end that asks nobody outside. */
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    // Every draw is the longest delay.
    vi.spyOn(Math, 'random').mockReturnValue(0)
  })

  afterEach(() => {
    expect(vi.getTimerCount(), 'timers left behind').toBe(0)
    vi.useRealTimers()
  })

  test('[N6] is up until something says otherwise, and asks nobody', () => {
    const { monitor, network, told, stop } = create()
    network.online = false
    expect([monitor.online, told]).toEqual([true, []])
    stop()
  })

  test('[N6] tells down and up once each', async () => {
    const { monitor, network, told, stop } = create()
    for (const online of [false, false, true, true]) {
      network.online = online
      network.signal(online ? 'online' : 'offline')
      await settle()
      expect(monitor.online).toBe(online)
    }
    expect(told).toEqual(['down', 'up'])
    stop()
  })

  test('[N6] does not believe a signal that its source contradicts', async () => {
    const { network, told, stop } = create()
    network.signal('offline')
    await settle()
    expect(told).toEqual([])
    stop()
  })

  test('[N5] a listener that is gone meanwhile hears nothing any more', async () => {
    const { monitor, network, told, stop } = create()
    const undo: (() => void)[] = []
    undo.push(monitor.on('down', () => undo[1]?.()))
    undo.push(monitor.on('down', () => told.push('never')))
    network.online = false
    await monitor.check()
    for (const off of undo) off()
    stop()
    expect(told).toEqual(['down'])
  })

  test('[S4] a source that throws is reported, and says nothing about the network', async () => {
    const mistake = new Error('a mistake of the application')
    const { monitor, network, stop } = create()
    let fails = true
    Object.defineProperty(network, 'online', {
      get() {
        if (fails) throw mistake
        return false
      },
    })
    expect(await monitor.check()).toBe(true)
    expect(reportError.mock.calls).toEqual([[mistake]])
    fails = false
    expect(await monitor.check()).toBe(false)
    stop()
  })

  test('[N5] listens to its source while anyone listens to it', () => {
    const network = createSource()
    const monitor = new NetworkMonitor({ source: network })
    expect(network.count).toBe(0)
    const undo = [monitor.on('up', () => {}), monitor.subscribe(() => {})]
    expect(network.count).toBe(1)
    undo[0]?.()
    undo[0]?.()
    expect(network.count).toBe(1)
    undo[1]?.()
    expect(network.count).toBe(0)
    monitor.on('down', () => {})()
    expect(network.count).toBe(0)
  })

  test('[N5] listens to the page unless it is given a source', async () => {
    const page = stubPage()
    const monitor = new NetworkMonitor()
    expect(page.listeners).toEqual([])
    const told: string[] = []
    const undo = monitor.on('down', () => told.push('down'))
    expect(page.listeners).toEqual(EVERY_LISTENER)
    page.navigator.onLine = false
    page.window.dispatchEvent(new Event('offline'))
    await settle()
    undo()
    expect(told).toEqual(['down'])
    expect(page.listeners).toEqual([])
  })

  test('[N6] is up where there is no page, and stays so', async () => {
    const monitor = new NetworkMonitor()
    const undo = monitor.on('down', () => {})
    expect(await monitor.check()).toBe(true)
    undo()
  })

  test('[N6] passes the signals of the page on, as the network option of a socket', async () => {
    const network = createSource()
    const monitor = new NetworkMonitor({ source: network })
    const heard: NetworkSignal[] = []
    const undo = monitor.subscribe((signal) => heard.push(signal))
    for (const signal of ['hide', 'restore', 'wake', 'online'] as const) network.signal(signal)
    await settle()
    expect(heard.splice(0)).toEqual(['hide', 'restore', 'wake'])
    network.online = false
    network.signal('offline')
    await settle()
    expect(heard).toEqual(['offline'])
    undo()
  })

  test('[N4] checks nothing when the page is hidden', async () => {
    const { network, told, stop } = create()
    network.online = false
    network.signal('hide')
    await settle()
    expect(told).toEqual([])
    stop()
  })

  test.each(['wake', 'restore', 'online', 'offline'] as const)('[N3] looks at the network on %s', async (signal) => {
    const { network, told, stop } = create()
    network.online = false
    network.signal(signal)
    await settle()
    expect(told).toEqual(['down'])
    stop()
  })

  test('[S4] a listener that throws is reported and stops nobody', async () => {
    const network = createSource()
    const monitor = new NetworkMonitor({ source: network })
    const mistake = new Error('a mistake of the application')
    const told: string[] = []
    const undo = [
      monitor.on('down', () => {
        throw mistake
      }),
      monitor.on('down', () => told.push('down')),
    ]
    network.online = false
    expect(await monitor.check()).toBe(false)
    for (const off of undo) off()
    expect(told).toEqual(['down'])
    expect(reportError.mock.calls).toEqual([[mistake]])
  })

  test('[N6] while down it looks again, ever more slowly, until it is up', async () => {
    const { monitor, network, told, stop } = create({ minDelay: 1_000, maxDelay: 3_000 })
    const check = vi.spyOn(monitor, 'check')
    network.online = false
    network.signal('offline')
    await settle()
    for (const [index, delay] of [1_000, 1_500, 2_250, 3_000, 3_000].entries()) {
      await vi.advanceTimersByTimeAsync(delay - 1)
      expect(check).toHaveBeenCalledTimes(index + 1)
      await vi.advanceTimersByTimeAsync(1)
      expect(check).toHaveBeenCalledTimes(index + 2)
    }
    network.online = true
    await vi.advanceTimersByTimeAsync(3_000)
    expect([told, vi.getTimerCount()]).toEqual([['down', 'up'], 0])
    stop()
  })

  test('[N6] the next time that it is down it begins quickly again', async () => {
    const { monitor, network, stop } = create({ minDelay: 1_000 })
    network.online = false
    await monitor.check()
    await vi.advanceTimersByTimeAsync(10_000)
    network.online = true
    await monitor.check()
    network.online = false
    await monitor.check()
    network.online = true
    await vi.advanceTimersByTimeAsync(1_000)
    expect(monitor.online).toBe(true)
    stop()
  })

  test('[N6] re-checks are spread over a quarter of their delay', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999)
    const { monitor, network, stop } = create({ minDelay: 1_000 })
    network.online = false
    await monitor.check()
    network.online = true
    await vi.advanceTimersByTimeAsync(749)
    expect(monitor.online).toBe(false)
    await vi.advanceTimersByTimeAsync(2)
    expect(monitor.online).toBe(true)
    stop()
  })

  test('[S5] with the last listener the re-checks end, and the next begins optimistic', async () => {
    const { monitor, network, stop } = create()
    network.online = false
    await monitor.check()
    expect(vi.getTimerCount()).toBe(1)
    stop()
    expect([vi.getTimerCount(), monitor.online]).toEqual([0, true])
  })

  test('[N6] found down while nobody listened, it looks again for the first who does', async () => {
    const { monitor, network, told, stop } = create()
    stop()
    network.online = false
    expect(await monitor.check()).toBe(false)
    network.online = true
    const undo = monitor.on('up', () => told.push('up, after all'))
    await settle()
    expect([monitor.online, told]).toEqual([true, ['up, after all']])
    undo()
  })

  test('[N6] nobody listening, a check answers once and starts nothing', async () => {
    const network = createSource()
    const monitor = new NetworkMonitor({ source: network })
    network.online = false
    expect(await monitor.check()).toBe(false)
    expect([monitor.online, network.count, vi.getTimerCount()]).toEqual([false, 0, 0])
  })

  const PROBE = 'http://127.0.0.1/ping'

  describe('with a probe', () => {
    /** Stubs `fetch` with one whose answers a test gives; a call that is aborted fails. */
    const stubFetch = (): { calls: unknown[][]; answer: (error?: unknown) => void } => {
      const calls: unknown[][] = []
      let settleLast = (_error?: unknown): void => {}
      vi.stubGlobal('fetch', (...call: [url: string, init: RequestInit]) => {
        calls.push(call)
        return new Promise<void>((resolve, reject) => {
          settleLast = (error) => (error === undefined ? resolve() : reject(error))
          call[1].signal?.addEventListener('abort', () => reject(new Error('aborted')))
        })
      })
      return { calls, answer: (error) => settleLast(error) }
    }

    test('[N6] any answer is up, and none is down', async () => {
      const { answer } = stubFetch()
      const { monitor, told, stop } = create({ probe: PROBE })
      const first = monitor.check()
      answer(new TypeError('Failed to fetch'))
      expect(await first).toBe(false)
      const second = monitor.check()
      answer()
      expect(await second).toBe(true)
      expect(told).toEqual(['down', 'up'])
      stop()
    })

    test('[N6] asks for as little as possible, past every cache', async () => {
      const { calls, answer } = stubFetch()
      const { monitor, stop } = create({ probe: PROBE })
      const check = monitor.check()
      answer()
      await check
      const signal: unknown = expect.any(AbortSignal)
      expect(calls).toEqual([[PROBE, { method: 'HEAD', mode: 'no-cors', cache: 'no-store', signal }]])
      stop()
    })

    test('[N6] calls made meanwhile share one check, later ones do not', async () => {
      const { calls, answer } = stubFetch()
      const { monitor, network, stop } = create({ probe: PROBE })
      const checks = [monitor.check(), monitor.check()]
      network.signal('wake')
      expect(calls).toHaveLength(1)
      answer()
      expect(await Promise.all(checks)).toEqual([true, true])
      const later = monitor.check()
      expect(calls).toHaveLength(2)
      answer()
      await later
      stop()
    })

    test('[N6] no answer within the timeout is down, and the request is ended', async () => {
      stubFetch()
      const { monitor, stop } = create({ probe: PROBE, timeout: 2_000 })
      const check = monitor.check()
      await vi.advanceTimersByTimeAsync(1_999)
      expect(monitor.online).toBe(true)
      await vi.advanceTimersByTimeAsync(1)
      expect(await check).toBe(false)
      stop()
    })

    test('[N6] navigator.onLine has no say', async () => {
      const { answer } = stubFetch()
      const { monitor, network, told, stop } = create({ probe: PROBE })
      network.online = false
      const check = monitor.check()
      answer()
      expect(await check).toBe(true)
      expect(told).toEqual([])
      stop()
    })

    test('[N6] without fetch it is down, and never rejects', async () => {
      vi.stubGlobal('fetch', undefined)
      const { monitor, stop } = create({ probe: PROBE })
      expect(await monitor.check()).toBe(false)
      stop()
    })
  })
})

describe('NetworkMonitor with a real server', () => {
  let server: Server | null = null

  /** Starts a server, on a given port or on any, and resolves to a url of it. */
  const serve = async (answer: RequestListener, port?: number): Promise<string> => {
    server = createServer(answer)
    return `http://127.0.0.1:${await listen(server, port)}/ping`
  }

  /** Resolves when no connection to the server is left. */
  const stopServer = async (): Promise<void> => {
    const stopped = server
    server = null
    if (stopped) await new Promise((resolve) => stopped.close(resolve))
  }

  afterEach(async () => {
    server?.closeAllConnections()
    await stopServer()
  })

  test.each([200, 204, 404, 500])('[N6] one that answers %i is up', async (status) => {
    const methods: unknown[] = []
    const probe = await serve((request, response) => {
      methods.push(request.method)
      response.writeHead(status).end()
    })
    expect(await new NetworkMonitor({ probe }).check()).toBe(true)
    expect(await new NetworkMonitor({ probe: new URL(probe) }).check()).toBe(true)
    expect(methods).toEqual(['HEAD', 'HEAD'])
  })

  test('[N6] one that is gone is down, and up when it is back', async () => {
    const answer: RequestListener = (_request, response) => response.end()
    const probe = await serve(answer)
    const { monitor, told, stop } = create({ probe })
    await stopServer()
    expect(await monitor.check()).toBe(false)
    await serve(answer, Number(new URL(probe).port))
    expect(await monitor.check()).toBe(true)
    expect(told).toEqual(['down', 'up'])
    stop()
  })

  test('[N6] one that does not answer is down after the timeout, and the request is ended', async () => {
    const probe = await serve(() => {})
    expect(await new NetworkMonitor({ probe, timeout: 20 }).check()).toBe(false)
    await stopServer()
  })

  test('[N6] one that only redirects to itself is down', async () => {
    const probe = await serve((_request, response) => response.writeHead(302, { location: '/ping' }).end())
    expect(await new NetworkMonitor({ probe }).check()).toBe(false)
  })
})

describe('the options of a monitor', () => {
  const check =
    (options: object): (() => unknown) =>
    () =>
      new NetworkMonitor(options)

  test.each(['timeout', 'minDelay', 'maxDelay'])('[O1] %s is a number of ms from 0', (name) => {
    const message = (value: string): string =>
      `Cannot create a NetworkMonitor as '${name}' must be a number of ms from 0: current value is ${value}`
    for (const value of [0, 0.5, 1e9, undefined]) expect(check({ [name]: value })).not.toThrow()
    for (const value of [-1, Infinity, Number.NaN]) {
      expect(check({ [name]: value })).toThrow(new RangeError(message(String(value))))
    }
    for (const value of ['5', true, {}, Symbol('5')]) {
      expect(check({ [name]: value })).toThrow(new TypeError(message(String(value))))
    }
  })

  test.each([
    ["'options' must be an object: current value is null", null],
    ["'options' must be an object: current value is /ping", '/ping'],
    ["'interval' must be one of probe, timeout, minDelay, maxDelay, source: current value is 5", { interval: 5 }],
    ["'probe' must be a string or URL: current value is 5", { probe: 5 }],
    ["'probe' must be a string or URL: current value is null", { probe: null }],
    ["'probe' must be a url: current value is /favicon.ico", { probe: '/favicon.ico' }],
    ["'source' must be an object with subscribe: current value is [object Object]", { source: {} }],
    ["'source' must be an object with subscribe: current value is true", { source: true }],
  ])('[O1] %s', (message, options) => {
    expect(check(options as object)).toThrow(new TypeError(`Cannot create a NetworkMonitor as ${message}`))
  })

  test('[O1] an option that is undefined is not given', () => {
    const nothing = {
      probe: undefined,
      timeout: undefined,
      minDelay: undefined,
      maxDelay: undefined,
      source: undefined,
    }
    expect(new NetworkMonitor(nothing).online).toBe(true)
    expect(new NetworkMonitor({ probe: new URL('http://127.0.0.1/') }).online).toBe(true)
  })
})
