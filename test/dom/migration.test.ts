// What the migration guide says: each side of it runs as it is printed there, only with shorter times, against a real server.
import * as Vueuse from '@vueuse/core'
import * as Party from 'partysocket'
import * as React from 'react'
import { createRoot } from 'react-dom/client'
import * as ReactJsx from 'react/jsx-runtime'
import * as ReactUseWebSocket from 'react-use-websocket'
import * as ReconnectingWebSocket from 'reconnecting-websocket'
import * as Sockette from 'sockette'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as Vue from 'vue'
import * as WebsocketTs from 'websocket-ts'
import * as HeartwirePackage from '../../src/index.ts'
import * as HeartwireReact from '../../src/react.ts'
import * as HeartwireReconnecting from '../../src/reconnecting-websocket.ts'
import * as HeartwireVue from '../../src/vue.ts'
import { rewrite, run } from '../support/block-runner.ts'
import { blockOf } from '../support/code-blocks.ts'
import type { Block } from '../support/code-blocks.ts'
import { startServer } from '../support/server.ts'
import type { Connection, TestServer } from '../support/server.ts'

vi.setConfig({ testTimeout: 60_000 })

const PACKAGES = {
  '@vueuse/core': Vueuse,
  heartwire: HeartwirePackage,
  'heartwire/react': HeartwireReact,
  'heartwire/reconnecting-websocket': HeartwireReconnecting,
  'heartwire/vue': HeartwireVue,
  partysocket: Party,
  react: React,
  'react/jsx-runtime': ReactJsx,
  'react-use-websocket': ReactUseWebSocket,
  'reconnecting-websocket': ReconnectingWebSocket,
  sockette: Sockette,
  vue: Vue,
  'websocket-ts': WebsocketTs,
}

const NativeSocket = WebSocket

/** The document's own class, with every instance remembered. */
class Tracked extends NativeSocket {
  static all: Tracked[] = []

  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols)
    Tracked.all.push(this)
  }
}

let server: TestServer
let shown: string[] = []
/** Timers of the blocks that set timers themselves, and how long each takes, in ms. */
const timers = new Map<ReturnType<typeof setTimeout>, { readonly ms: number; readonly work: () => void }>()
const cleanups: (() => unknown)[] = []
/** What listeners threw, as a page is told. */
let uncaught: string[] = []

const onError = (event: ErrorEvent): void => {
  uncaught.push(event.message)
  event.preventDefault()
}

beforeEach(async () => {
  server = await startServer()
  Tracked.all = []
  shown = []
  uncaught = []
  // The shortest of every delay that is left to chance.
  vi.spyOn(Math, 'random').mockReturnValue(0.999)
  vi.stubGlobal('WebSocket', Tracked)
  window.addEventListener('error', onError)
})

afterEach(async () => {
  vi.useRealTimers()
  for (let cleanup = cleanups.pop(); cleanup; cleanup = cleanups.pop()) await cleanup()
  for (const timer of timers.keys()) clearTimeout(timer)
  timers.clear()
  // What a block does not close by itself; that some go on for ever is what the guide is about.
  for (const socket of Tracked.all) {
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null
    socket.close()
  }
  window.removeEventListener('error', onError)
  await server.close()
})

/** Waits for a condition. */
const until = (condition: () => unknown): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout: 30_000, interval: 5 })

/** The connections ever to an address of the server. */
const connectionsTo = (path: string): Connection[] => server.connections.filter((each) => each.path.startsWith(path))

const openTo = (path: string): Connection[] => server.open.filter((each) => each.path.startsWith(path))

const block = (title: string, shorter: Record<string, string> = {}): Block =>
  rewrite(blockOf('docs/migration.md', title), shorter)

interface Running {
  readonly exports: Record<string, any>
  /** How long each timer was to take that the block has set itself, in ms. */
  readonly delays: number[]
  readonly logout: HTMLButtonElement
}

/** Runs a block with this as its server's address: `path` tells its connections from others. */
const start = (code: Block, path = '/'): Running => {
  const logout = document.createElement('button')
  const delays: number[] = []
  const exports = run(code, PACKAGES, {
    url: server.url.slice(0, -1) + path,
    host: `127.0.0.1:${server.port}`,
    session: '1',
    fetchToken: () => Promise.resolve('1'),
    show: (text: string) => shown.push(text),
    logout,
    setTimeout: (then: () => void, ms: number) => {
      delays.push(ms)
      const work = (): void => {
        clearTimeout(timer)
        timers.delete(timer)
        try {
          then()
        } catch (error) {
          // In a page this is an event; in Node it would be the end of the process.
          uncaught.push(String(error))
        }
      }
      const timer: ReturnType<typeof setTimeout> = setTimeout(work, ms)
      timers.set(timer, { ms, work })
      return timer
    },
    clearTimeout: (timer: ReturnType<typeof setTimeout>) => {
      timers.delete(timer)
      clearTimeout(timer)
    },
  })
  cleanups.push(() => exports['socket']?.close())
  return { exports, delays, logout }
}

interface Mounted {
  readonly element: HTMLElement
  /** The component itself, for Vue. */
  readonly instance: any
  readonly unmount: () => void
}

/** Mounts the component of a block in the document. */
const mount = (code: Block, path = '/', props: Record<string, unknown> = {}): Mounted => {
  const { exports } = start(code, path)
  const element = document.createElement('div')
  document.body.append(element)
  if (code.language === 'vue') {
    const app = Vue.createApp(exports['default'] as Vue.Component, props)
    const instance: unknown = app.mount(element)
    let isMounted = true
    const unmount = (): void => {
      if (isMounted) app.unmount()
      isMounted = false
    }
    cleanups.push(unmount)
    return { element, instance, unmount }
  }
  const root = createRoot(element)
  root.render(React.createElement(exports['Room'] as React.FunctionComponent, props))
  const unmount = (): void => root.unmount()
  cleanups.push(unmount)
  return { element, instance: null, unmount }
}

/** A beat soon, and minutes for its answer. */
const BEAT = { 'interval: 60_000, timeout: 60_000': 'interval: 20, timeout: 60_000' }
const PING = { "message: 'ping', pong: 'pong'": "message: 'ping', pong: 'pong', interval: 20" }

/** The classic ones know one time for both. */
const HEART_CHECK = { '60000': '250', '4000': '20' }
const COMPONENT = { '60 * 1000': '250', '5000': '20' }

interface Pair {
  readonly title: string
  readonly shorter?: Record<string, string>
  /** What the server sees of the heartbeat, if there is one. */
  readonly beat?: string
  /** How a text travels. */
  readonly encode?: (text: string) => string
}

const asJson = (text: string): string => JSON.stringify({ text })

const PAIRS: readonly Pair[] = [
  { title: 'heartCheck before', shorter: HEART_CHECK, beat: '{"heart":1}' },
  { title: 'heartCheck after', shorter: BEAT, beat: '{"heart":1}' },
  { title: 'heartCheck component before', shorter: COMPONENT, beat: '{"heart":1}', encode: asJson },
  { title: 'heartCheck component after', shorter: BEAT, beat: '{"heart":1}', encode: asJson },
  { title: 'reconnecting-websocket before', shorter: { '1000,': '10,' } },
  {
    title: 'reconnecting-websocket first step',
    shorter: { '1000,': '10,', ...PING },
    beat: 'ping',
  },
  { title: 'reconnecting-websocket after', shorter: PING, beat: 'ping' },
  {
    title: 'partysocket before',
    shorter: { 'maxRetries: 10': 'maxRetries: 10, minReconnectionDelay: 10' },
  },
  {
    title: 'partysocket first step',
    shorter: { 'maxRetries: 10': 'maxRetries: 10, minReconnectionDelay: 10' },
  },
  { title: 'partysocket after' },
  {
    title: 'VueUse before',
    shorter: { 'delay: 1000': 'delay: 10', 'interval: 25_000': 'interval: 20' },
    beat: 'ping',
  },
  { title: 'VueUse after', shorter: PING, beat: 'ping' },
  {
    title: 'react-use-websocket before',
    shorter: { 'reconnectInterval: 3000': 'reconnectInterval: 10', 'interval: 25_000': 'interval: 20' },
    beat: 'ping',
    encode: asJson,
  },
  {
    title: 'react-use-websocket after',
    shorter: { 'interval: 25_000': 'interval: 20' },
    beat: 'ping',
    encode: asJson,
  },
  { title: 'Sockette before', shorter: { 'timeout: 5000': 'timeout: 10' } },
  { title: 'Sockette after' },
  { title: 'websocket-ts before', shorter: { '(1000, 5)': '(10, 5)' } },
  { title: 'websocket-ts after' },
]

test.each(PAIRS)('$title: messages, a heartbeat, and a connection to the server that was killed', async (pair) => {
  const { title, shorter = {}, beat, encode = String } = pair
  const rewritten = block(title, shorter)
  const code = rewritten.code.includes('\nconst socket =')
    ? rewrite(rewritten, { '\nconst socket =': '\nexport const socket =' })
    : rewritten
  // The classic ones take the answer for a message; the others name theirs.
  server.answerPings(true)
  server.echo(true)
  const isComponent = code.language === 'vue' || code.language === 'tsx'
  const mounted = isComponent ? mount(code, '/', code.code.includes('room') ? { room: '1' } : {}) : null
  if (!isComponent) start(code)
  const hears = (text: string): Promise<void> =>
    until(() => {
      // Again and again, since a connection may be on its way out.
      server.send(encode(text))
      return mounted ? mounted.element.textContent.includes(text) : shown.includes(text)
    })
  await server.waitForConnections(1)
  await hears('hello')
  if (beat) await until(() => server.received().includes(beat))
  await server.stop()
  await server.restart()
  await hears('again')
  // Who beats must not show what is answered.
  if (title.endsWith('after') && pair.encode) expect(mounted?.element.textContent).not.toMatch(/heart|pong/)
})

describe('a hand-written heartCheck', () => {
  test('comes back after close(), which is final with ours', async () => {
    const before = start(block('heartCheck before', HEART_CHECK), '/before')
    const after = start(block('heartCheck after', BEAT), '/after')
    await until(() => openTo('/before').length === 1 && openTo('/after').length === 1)
    after.logout.click()
    before.logout.click()
    await until(() => openTo('/after').length === 0)
    for (let times = 0; times < 3; times += 1) {
      const { length } = connectionsTo('/before')
      await until(() => connectionsTo('/before').length > length && openTo('/before').length === 1)
      before.logout.click()
    }
    expect(connectionsTo('/after')).toHaveLength(1)
  })

  test('waits as long each time', async () => {
    server.refuseUpgrades(503)
    const { delays } = start(block('heartCheck before', HEART_CHECK))
    await server.waitForAttempts(6)
    expect([...new Set(delays)]).toEqual([20])
  })

  test('sends the beat of a lost connection into one that connects', async () => {
    start(block('heartCheck before', { '4000': '20' }))
    await until(() => Tracked.all[0]?.readyState === 1)
    server.holdUpgrades(true)
    server.terminate()
    await until(() => Tracked.all.length === 2)
    // The minute is over.
    const beats = [...timers.values()].filter(({ ms }) => ms === 60_000)
    expect(beats).toHaveLength(1)
    beats[0]?.work()
    expect(uncaught).toEqual([expect.stringContaining('InvalidStateError')])
    server.holdUpgrades(false)
  })
})

describe('the Vue heartCheck component', () => {
  test('comes back after it was unmounted, and beats; ours does not', async () => {
    const before = mount(block('heartCheck component before', COMPONENT), '/before')
    const after = mount(block('heartCheck component after', BEAT), '/after')
    server.echo(true)
    await until(() => openTo('/before').length === 1 && openTo('/after').length === 1)
    before.unmount()
    after.unmount()
    await until(() => openTo('/after').length === 0)
    await until(() => connectionsTo('/before').length > 1 && openTo('/before').length === 1)
    const [orphan] = openTo('/before')
    await until(() => server.received(orphan?.id).includes('{"heart":1}'))
    expect(connectionsTo('/after')).toHaveLength(1)
  })

  test('comes back after it was unmounted by its heartbeat, too, without its onclose', async () => {
    const code = block('heartCheck component before', {
      ...COMPONENT,
      'this.websock.close() // `destroyed` in Vue 2': 'this.websock.onclose = null; this.websock.close()',
    })
    const { unmount } = mount(code)
    await server.waitForConnections(1)
    await until(() => Tracked.all[0]?.readyState === 1)
    unmount()
    await server.waitForConnections(2)
  })

  test('has two connections once initWebSocket() was called again', async () => {
    const { element, instance } = mount(block('heartCheck component before', { ...COMPONENT, '60 * 1000': '60_000' }))
    await until(() => Tracked.all[0]?.readyState === 1)
    const component = instance as { websock: WebSocket; initWebSocket: () => void }
    // Another room, say.
    component.websock.close()
    component.initWebSocket()
    await until(() => connectionsTo('/').length === 3 && server.open.length === 2)
    server.send('{"text":"hello"}')
    await until(() => element.textContent === 'hellohello')
  })

  test('tries 7 times, as ours does, which then says so', async () => {
    server.refuseUpgrades(503)
    const before = mount(block('heartCheck component before', COMPONENT))
    // Nothing is left that could bring another one.
    const isOver = (): boolean => timers.size === 0 && Tracked.all.every(({ readyState }) => readyState === 3)
    await until(() => (before.instance as { reconnectTime: number }).reconnectTime === 6 && isOver())
    expect(server.attempts).toBe(7)
    const after = mount(
      block('heartCheck component after', { ...BEAT, 'maxAttempts: 7': 'maxAttempts: 7, minDelay: 1, maxDelay: 1' }),
    )
    await until(() => after.element.textContent.includes('Reconnect'))
    expect(server.attempts).toBe(14)
    server.refuseUpgrades(null)
    after.element.querySelector('button')?.click()
    await server.waitForConnections(1)
  })

  test('never gives up a server that accepts and drops; ours does', async () => {
    mount(block('heartCheck component before', COMPONENT), '/before')
    for (const id of Array.from({ length: 12 }, (_, index) => index + 1)) {
      await server.waitForConnections(id)
      await until(() => Tracked.all.at(-1)?.readyState === 1)
      server.terminate()
    }
    await until(() => connectionsTo('/before').length > 12)
    const after = mount(
      block('heartCheck component after', { ...BEAT, 'maxAttempts: 7': 'maxAttempts: 7, minDelay: 1, maxDelay: 1' }),
      '/after',
    )
    await until(() => {
      for (const { id } of openTo('/after')) server.terminate(id)
      return after.element.textContent.includes('Reconnect')
    })
    expect(connectionsTo('/after')).toHaveLength(7)
  })
})

describe('partysocket', () => {
  const { WebSocket: PartyWebSocket } = Party

  test('tells a refused attempt as a clean 1000, and close() within the call', async () => {
    server.refuseUpgrades(503)
    const told: unknown[] = []
    const socket = new PartyWebSocket(server.url, [], { minReconnectionDelay: 10 })
    cleanups.push(() => socket.close())
    socket.addEventListener('close', ({ code, wasClean }) => void told.push(code, wasClean))
    socket.addEventListener('error', () => void told.push('error'))
    await until(() => told.length >= 3)
    expect(told.slice(0, 3)).toEqual([1000, true, 'error'])
    server.refuseUpgrades(null)
    await until(() => socket.readyState === 1)
    told.length = 0
    socket.close()
    expect(told).toEqual([1000, true])
  })

  test('keeps a message from its listeners when onmessage throws', async () => {
    const heard: unknown[] = []
    const socket = new PartyWebSocket(server.url)
    cleanups.push(() => socket.close())
    socket.onmessage = () => {
      throw new Error('from onmessage')
    }
    socket.addEventListener('message', ({ data }) => void heard.push(data))
    await until(() => socket.readyState === 1)
    server.send('1')
    await until(() => uncaught.length === 1)
    expect(uncaught[0]).toContain('from onmessage')
    expect(heard).toEqual([])
  })

  test('can stay, with a Heartwire inside that beats', async () => {
    server.answerPings(true)
    const { socket } = start(
      block('partysocket stay', {
        ...PING,
        'const socket =': 'export const socket =',
        "'lobby'": "'lobby', minReconnectionDelay: 10",
      }),
    ).exports
    await until(() => server.received().includes('ping'))
    expect(server.connections[0]?.path).toMatch(/^\/parties\/main\/lobby\?_pk=/)
    server.terminate()
    await server.waitForConnections(2)
    await until(() => (socket as WebSocket).readyState === 1)
  })

  test('rooms change with a function as url', async () => {
    const code = block('partysocket rooms after', { 'const socket =': 'export const socket =', 'wss:': 'ws:' })
    const { enter } = start(code).exports
    await server.waitForConnections(1)
    ;(enter as (room: string) => void)('kitchen')
    await server.waitForConnections(2)
    expect(server.connections.map(({ path }) => path.split('?')[0])).toEqual([
      '/parties/main/lobby',
      '/parties/main/kitchen',
    ])
  })
})

describe('VueUse', () => {
  const use = (
    ...given: Parameters<typeof Vueuse.useWebSocket>
  ): Vueuse.UseWebSocketReturn<any> & { stop: () => void } => {
    const scope = Vue.effectScope()
    cleanups.push(() => scope.stop())
    const used = scope.run(() => Vueuse.useWebSocket(...given))
    if (!used) throw new Error('The scope is over')
    return { ...used, stop: () => scope.stop() }
  }

  test('does not replace a dead link until the browser has closed it, and does so after unmounting, too', async () => {
    /** The browser's end of a link where nothing arrives: `close()` begins what nobody answers. */
    class Deaf extends EventTarget {
      static all: Deaf[] = []
      readyState = 0
      onopen: (() => void) | null = null
      onclose: ((event: object) => void) | null = null

      constructor() {
        super()
        Deaf.all.push(this)
      }

      send(): void {}

      close(): void {
        this.readyState = 2
      }
    }
    vi.useFakeTimers()
    vi.stubGlobal('WebSocket', Deaf)
    const { status, stop } = use(server.url, {
      heartbeat: { interval: 1_000, pongTimeout: 1_000 },
      autoReconnect: { delay: 1_000 },
    })
    const [first] = Deaf.all
    first?.onopen?.()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(status.value).toBe('CLOSED')
    expect(first?.readyState).toBe(2)
    expect(Deaf.all).toHaveLength(1)
    stop()
    first?.onclose?.({ code: 1006 })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(Deaf.all).toHaveLength(2)
  })

  test('closes for good at beforeunload', async () => {
    const { status } = use(server.url, { autoReconnect: { delay: 1 } })
    const after = new HeartwirePackage.Heartwire(`${server.url}after`)
    cleanups.push(() => after.close())
    await until(() => status.value === 'OPEN' && after.state === 'open')
    dispatchEvent(new Event('beforeunload'))
    expect(status.value).toBe('CLOSED')
    await server.waitForClosed(1)
    expect(after.state).toBe('open')
    // Alive for long enough to lose and find the other one.
    server.terminate()
    await until(() => after.state === 'open' && connectionsTo('/after').length === 2)
    expect(server.connections).toHaveLength(3)
  })

  test('sends to the new url what waited for the old; ours drops it and says so', async () => {
    const url = Vue.ref(`${server.url}old`)
    server.holdUpgrades(true)
    const { send } = use(url)
    send('for the old')
    const dropped: unknown[] = []
    const scope = Vue.effectScope()
    cleanups.push(() => scope.stop())
    scope.run(() => {
      const ours = HeartwireVue.useHeartwire(url)
      ours.on('dropped', ({ messages }) => dropped.push(...messages))
      ours.send('for the old')
    })
    url.value = `${server.url}new`
    await until(() => dropped.length === 1)
    server.holdUpgrades(false)
    await until(() => openTo('/new').length === 2)
    expect(await server.waitForMessages(1)).toEqual(['for the old'])
    expect(dropped).toEqual(['for the old'])
  })

  test('never counts a server that accepts and drops', async () => {
    let failures = 0
    const { status } = use(server.url, { autoReconnect: { retries: 2, delay: 1, onFailed: () => (failures += 1) } })
    for (const id of [1, 2, 3, 4, 5]) {
      await server.waitForConnections(id)
      await until(() => status.value === 'OPEN')
      server.terminate()
    }
    await server.waitForConnections(6)
    expect(failures).toBe(0)
  })
})

describe('react-use-websocket', () => {
  const { default: useWebSocket } = ReactUseWebSocket

  const render = (
    component: React.FunctionComponent<{ url: string }>,
    url = server.url,
  ): ReturnType<typeof createRoot> => {
    const root = createRoot(document.createElement('div'))
    cleanups.push(() => root.unmount())
    root.render(React.createElement(component, { url }))
    return root
  }

  test('renders for each message also who only sends; ours does not', async () => {
    let theirs = 0
    let ours = 0
    const heard: unknown[] = []
    render(({ url }) => {
      theirs += 1
      useWebSocket(url)
      return null
    })
    render(({ url }) => {
      ours += 1
      HeartwireReact.useHeartwire<string>(url, { onMessage: (message) => heard.push(message) })
      return null
    })
    await until(() => Tracked.all.length === 2 && Tracked.all.every(({ readyState }) => readyState === 1))
    await until(() => server.open.length === 2)
    const before = { theirs, ours }
    for (const number of [1, 2, 3, 4, 5]) server.send(String(number))
    await until(() => theirs === before.theirs + 5 && heard.length === 5)
    expect(ours).toBe(before.ours)
  })

  test('never connects after a url function has failed once; ours does', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    const provider = (path: string): (() => Promise<string>) => {
      let isFirst = true
      return async () => {
        if (isFirst) {
          isFirst = false
          throw new Error('no token')
        }
        return server.url + path
      }
    }
    const theirs = vi.fn(provider('theirs'))
    const ours = provider('ours')
    render(() => {
      useWebSocket(theirs, { shouldReconnect: () => true, reconnectInterval: 1 })
      return null
    })
    render(() => {
      HeartwireReact.useHeartwire(ours)
      return null
    })
    await until(() => said.mock.calls.length > 0)
    expect(String(said.mock.calls[0]?.[0])).toContain('connection aborted')
    await until(() => openTo('/ours').length === 1)
    expect(theirs).toHaveBeenCalledTimes(1)
    expect(connectionsTo('/theirs')).toEqual([])
  })

  test('sends to the new url what waited for the old, and calls handlers after it was unmounted', async () => {
    server.holdUpgrades(true)
    const calls: string[] = []
    let send: (message: string) => void = () => {}
    const Component = ({ url }: { url: string }): null => {
      const { sendMessage } = useWebSocket(url, {
        onClose: () => calls.push('onClose'),
        shouldReconnect: () => calls.push('shouldReconnect') < 0,
      })
      send = sendMessage
      return null
    }
    const root = render(Component, `${server.url}old`)
    await until(() => Tracked.all.length === 1)
    send('for the old')
    root.render(React.createElement(Component, { url: `${server.url}new` }))
    await until(() => Tracked.all.length === 2)
    server.holdUpgrades(false)
    await until(() => openTo('/new').length === 1)
    expect(await server.waitForMessages(1)).toEqual(['for the old'])
    await until(() => calls.length >= 2)
    calls.length = 0
    root.unmount()
    await until(() => calls.length === 2)
    expect(calls).toEqual(['onClose', 'shouldReconnect'])
  })
})

describe('Sockette', () => {
  const create = (options: Sockette.SocketteOptions = {}): Sockette.default => new Sockette.default(server.url, options)

  test('throws before open, and stops at 1001', async () => {
    const calls: string[] = []
    const timeout = vi.spyOn(globalThis, 'setTimeout')
    let planned = 0
    const socket = create({
      timeout: 1,
      onclose: ({ code }) => {
        calls.push(`close ${code}`)
        planned = timeout.mock.calls.filter(([, ms]) => ms === 1).length
      },
    })
    cleanups.push(() => socket.close())
    expect(() => socket.send('early')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }))
    await until(() => Tracked.all[0]?.readyState === 1)
    timeout.mockClear()
    server.closeClients(1001)
    await until(() => calls.length === 1)
    // A retry would have been planned before `onclose` is called.
    expect({ calls, planned }).toEqual({ calls: ['close 1001'], planned: 0 })
    socket.open()
    await until(() => Tracked.all[1]?.readyState === 1)
    timeout.mockClear()
    server.closeClients(1011)
    await until(() => calls.length === 2)
    expect(planned).toBe(1)
  })

  test('has two connections after reconnect() while open, and none after close()', async () => {
    const calls: string[] = []
    const socket = create({ timeout: 1, onmaximum: () => calls.push('maximum'), onclose: () => calls.push('close') })
    await until(() => Tracked.all[0]?.readyState === 1)
    socket.reconnect()
    await until(() => server.open.length === 2 && Tracked.all[1]?.readyState === 1)
    socket.close()
    await until(() => calls.length === 1)
    socket.reconnect()
    expect(calls).toEqual(['close', 'maximum'])
    socket.open()
    await until(() => Tracked.all[2]?.readyState === 1)
    server.terminate(3)
    await until(() => calls.length === 4)
    // The loss, where a retry should be planned.
    expect(calls.slice(2)).toEqual(['maximum', 'close'])
  })
})

describe('websocket-ts', () => {
  const { ConstantBackoff, ExponentialBackoff, WebsocketBuilder } = WebsocketTs

  test('retries at once and for ever with withInstantReconnect(true), whatever maxRetries is', async () => {
    await server.stop()
    let retries = 0
    const socket = new WebsocketBuilder(server.url)
      .withBackoff(new ExponentialBackoff(60_000))
      .withMaxRetries(3)
      .withInstantReconnect(true)
      .onRetry(() => (retries += 1))
      .build()
    cleanups.push(() => socket.close())
    await until(() => retries > 30)
  })

  test('begins at twice the base', () => {
    expect(new ExponentialBackoff(1_000).next()).toBe(2_000)
  })

  test('forgets binaryType, and listeners that are added in listeners; stops when one of close throws', async () => {
    const heard: string[] = []
    const socket = new WebsocketBuilder(server.url).withBackoff(new ConstantBackoff(1)).build()
    cleanups.push(() => socket.close())
    await until(() => socket.readyState === 1)
    socket.binaryType = 'arraybuffer'
    server.terminate()
    await server.waitForConnections(2)
    await until(() => socket.readyState === 1)
    expect(socket.binaryType).toBe('blob')
    socket.addEventListener('message', () => {
      heard.push('first')
      if (heard.length === 1) socket.addEventListener('message', () => heard.push('added'))
    })
    server.send('1')
    server.send('2')
    await until(() => heard.length >= 2)
    expect(heard).toEqual(['first', 'first'])
    const timeout = vi.spyOn(globalThis, 'setTimeout')
    socket.addEventListener('close', () => {
      throw new Error('from close')
    })
    server.terminate()
    await until(() => uncaught.some((message) => message.includes('from close')))
    expect(timeout.mock.calls.filter(([, ms]) => ms === 1)).toEqual([])
  })
})
