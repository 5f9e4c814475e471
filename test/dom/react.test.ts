// The binding for React on a fake network: what is rendered and when, what a url means, and how long it all lives.
import * as React from 'react'
import {
  act,
  Component,
  createElement,
  Fragment,
  startTransition,
  StrictMode,
  Suspense,
  useEffect,
  useLayoutEffect,
  useState,
  version,
} from 'react'
import type { ComponentType, ReactNode } from 'react'
import { flushSync } from 'react-dom'
import { createRoot, hydrateRoot } from 'react-dom/client'
import type { Root } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Heartwire, json } from '../../src/index.ts'
import type { AttemptContext } from '../../src/index.ts'
import { useHeartwire, useHeartwireEvent, useHeartwireMessage } from '../../src/react.ts'
import type { UseHeartwireOptions, UseHeartwireReturn, UseHeartwireUrl } from '../../src/react.ts'
import { FakeSocket } from '../support/fake-socket.ts'
import { settle, uncaught, URL } from '../support/scene.ts'

declare global {
  // What makes React complain of an update that no test waits for.
  var IS_REACT_ACT_ENVIRONMENT: boolean
}

/** Since React 19.2. */
const { Activity } = React as { Activity?: unknown }

const roots: Root[] = []
/** What React said: nothing, in a test that does not look at it. */
let complaints: unknown[][] = []

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] })
  // The longest of every delay.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  vi.spyOn(console, 'error').mockImplementation((...said) => void complaints.push(said))
  vi.spyOn(console, 'warn').mockImplementation((...said) => void complaints.push(said))
  globalThis.IS_REACT_ACT_ENVIRONMENT = true
  FakeSocket.reset()
  complaints = []
})

afterEach(async () => {
  for (const root of roots.splice(0)) await acting(() => root.unmount())
  const stillLive = FakeSocket.all.filter(({ isLive }) => isLive)
  await advance(10_000)
  const timers = vi.getTimerCount()
  vi.restoreAllMocks()
  vi.useRealTimers()
  expect(stillLive, '[X6] nothing outlives its component').toEqual([])
  expect(timers, '[X6] no timer outlives its component').toBe(0)
  expect(complaints).toEqual([])
})

const OPTIONS = { WebSocket: FakeSocket, network: false } as const

/** Lets React render what follows from it. */
const acting = (work: () => unknown): Promise<void> =>
  act(async () => {
    await work()
    await settle()
  })

const advance = (ms: number): Promise<void> => acting(() => vi.advanceTimersByTimeAsync(ms))

interface Mounted {
  readonly element: HTMLElement
  readonly render: (node: ReactNode) => Promise<void>
  readonly unmount: () => Promise<void>
}

const mount = async (node: ReactNode): Promise<Mounted> => {
  const element = document.createElement('div')
  const root = createRoot(element)
  roots.push(root)
  const render = (next: ReactNode): Promise<void> => acting(() => root.render(next))
  await render(node)
  return { element, render, unmount: () => render(null) }
}

type Look = (used: UseHeartwireReturn) => unknown

interface Props {
  readonly url: UseHeartwireUrl
  readonly options?: UseHeartwireOptions
  /** What the component reads; its results, render by render. */
  readonly look?: Look
  readonly seen?: unknown[]
}

/** A component that renders what it reads. */
const Probe = ({ url, options, look = ({ state }) => state, seen = [] }: Props): ReactNode => {
  const looked = look(useHeartwire(url, { ...OPTIONS, ...options }))
  seen.push(looked)
  return createElement('p', null, String(looked))
}

/** The hook in a component of its own, which gives away what it returned last. */
const use = async (
  url: UseHeartwireUrl,
  options: UseHeartwireOptions = {},
): Promise<Mounted & { readonly used: UseHeartwireReturn; readonly move: (url: UseHeartwireUrl) => Promise<void> }> => {
  const latest: UseHeartwireReturn[] = []
  const look: Look = (used) => {
    latest[0] = used
    return everything(used)
  }
  const probe = (at: UseHeartwireUrl): ReactNode => createElement(Probe, { url: at, options, look })
  const mounted = await mount(probe(url))
  return {
    ...mounted,
    get used() {
      return latest[0] as UseHeartwireReturn
    },
    move: (next) => mounted.render(probe(next)),
  }
}

/** And its socket has just opened. */
const useOpen = async (url: UseHeartwireUrl = URL, options: UseHeartwireOptions = {}): ReturnType<typeof use> => {
  const mounted = await use(url, options)
  await acting(() => FakeSocket.latest.accept())
  return mounted
}

const urls = (): string[] => FakeSocket.all.map(({ url }) => url)

const everything = (used: UseHeartwireReturn): Record<string, unknown> => ({
  state: used.state,
  readyState: used.readyState,
  data: used.data,
  latency: used.latency,
  attempt: used.attempt,
  retryIn: used.retryIn,
  code: used.error?.code,
  bufferedAmount: used.bufferedAmount,
})

const NOTHING = {
  state: 'idle',
  readyState: 3,
  data: undefined,
  latency: null,
  attempt: 0,
  retryIn: null,
  code: undefined,
  bufferedAmount: 0,
}

test(`runs with React ${version}`, () => {
  expect(version).toMatch(process.env['HEARTWIRE_REACT'] === '18' ? /^18\./ : /^19\./)
})

describe('what is rendered', () => {
  test('[X1] follows the socket: state, readyState, attempt, error', async () => {
    const mounted = await use(URL)
    expect(everything(mounted.used)).toEqual({ ...NOTHING, state: 'connecting', readyState: 0 })
    await acting(() => FakeSocket.latest.fail())
    expect(everything(mounted.used)).toMatchObject({ state: 'waiting', attempt: 1, code: 'connect-failed' })
    await advance(1_000)
    await acting(() => FakeSocket.latest.accept())
    expect(everything(mounted.used)).toEqual({ ...NOTHING, state: 'open', readyState: 1, attempt: 1 })
    await acting(() => mounted.used.close())
    expect(everything(mounted.used)).toMatchObject({ state: 'closing', readyState: 2 })
    await acting(() => FakeSocket.latest.finish(1000))
    expect(everything(mounted.used)).toMatchObject({ state: 'closed', readyState: 3 })
  })

  test('[X1] follows latency and bufferedAmount', async () => {
    const mounted = await useOpen(URL, { heartbeat: { message: 'ping', pong: 'pong', interval: 1_000 } })
    await advance(1_000)
    await advance(70)
    await acting(() => FakeSocket.latest.receive('pong'))
    expect(mounted.used.latency).toBe(70)
    FakeSocket.latest.isStalled = true
    await acting(() => mounted.used.send('stays'))
    expect(mounted.used.bufferedAmount).toBe(5)
    FakeSocket.latest.drain()
    await advance(1_000)
    expect(mounted.used.bufferedAmount).toBe(0)
  })

  test('[X1] retryIn counts down in whole seconds while it waits', async () => {
    const seen: unknown[] = []
    const options = { reconnect: { minDelay: 2_500, jitter: 0 } }
    await mount(createElement(Probe, { url: URL, options, look: ({ retryIn }) => retryIn, seen }))
    await acting(() => FakeSocket.latest.fail())
    await advance(500)
    await advance(1_000)
    await advance(1_000)
    await acting(() => FakeSocket.latest.accept())
    expect(seen).toEqual([null, 2_500, 2_000, 1_000, null])
  })

  test('[X1] only what was read renders again', async () => {
    const seen: unknown[] = []
    let used: UseHeartwireReturn | undefined
    const look: Look = (given) => {
      used = given
      return given.state
    }
    const options = { heartbeat: { message: 'ping', pong: 'pong', interval: 1_000 } }
    await mount(createElement(Probe, { url: URL, options, look, seen }))
    await acting(() => FakeSocket.latest.accept())
    const renders = seen.length
    for (let message = 0; message < 10; message += 1) await acting(() => FakeSocket.latest.receive(message))
    await acting(() => used?.send('hello'))
    await advance(1_000)
    await acting(() => FakeSocket.latest.receive('pong'))
    expect(seen).toHaveLength(renders)
    expect(seen.at(-1)).toBe('open')
    // It can still be asked.
    expect(used?.latency).toBe(0)
  })

  test('[X1] who reads only send is rendered once', async () => {
    const seen: unknown[] = []
    const { render } = await mount(createElement(Probe, { url: URL, look: ({ send }) => typeof send, seen }))
    await acting(() => FakeSocket.latest.accept())
    await render(createElement(Probe, { url: `${URL}b`, look: ({ send }) => typeof send, seen }))
    await acting(() => FakeSocket.latest.accept())
    expect(seen).toEqual(['function', 'function'])
    expect(urls()).toEqual([URL, `${URL}b`])
  })

  test('[X1] what is read for the first time is up to date', async () => {
    let reads = false
    const seen: unknown[] = []
    const node = (): ReactNode =>
      createElement(Probe, { url: URL, look: (used) => (reads ? used.data : used.state), seen })
    const { render } = await mount(node())
    await acting(() => FakeSocket.latest.accept())
    await acting(() => FakeSocket.latest.receive('unseen'))
    reads = true
    await render(node())
    expect(seen.at(-1)).toBe('unseen')
    await acting(() => FakeSocket.latest.receive('seen'))
    expect(seen.at(-1)).toBe('seen')
  })

  test('[X1] is another object when something changed, and its functions are the same', async () => {
    const all: UseHeartwireReturn[] = []
    await mount(createElement(Probe, { url: URL, look: (used) => all.push(used) && used.state }))
    await acting(() => FakeSocket.latest.accept())
    const [first, last] = [all[0], all.at(-1)] as [UseHeartwireReturn, UseHeartwireReturn]
    expect(last).not.toBe(first)
    // What was rendered stays as it was.
    expect([first.state, last.state]).toEqual(['idle', 'open'])
    for (const name of ['send', 'close', 'reconnect'] as const) expect(last[name]).toBe(first[name])
    expect(Object.keys({ ...last }).sort()).toEqual(
      [...Object.keys(NOTHING), 'error', 'socket', 'send', 'close', 'reconnect']
        .filter((name) => name !== 'code')
        .sort(),
    )
  })

  test('[X1] error is gone when it is open again', async () => {
    const mounted = await useOpen(URL, { codec: json() })
    await acting(() => FakeSocket.latest.receive('{'))
    expect(mounted.used.error?.code).toBe('decode-failed')
    await acting(() => FakeSocket.latest.finish(1006))
    await advance(1_000)
    await acting(() => FakeSocket.latest.accept())
    expect(mounted.used.error).toBeNull()
  })
})

describe('messages', () => {
  test('[X2] data is the last one, decoded', async () => {
    const mounted = await useOpen(URL, { codec: json() })
    await acting(() => FakeSocket.latest.receive('{"price":1}'))
    expect(mounted.used.data).toEqual({ price: 1 })
  })

  test('[X2] onMessage gets every one of a batch, data shows the last, in one render', async () => {
    const all: unknown[] = []
    const seen: unknown[] = []
    const options = { onMessage: (message: unknown) => all.push(message) }
    await mount(createElement(Probe, { url: URL, options, look: ({ data }) => data, seen }))
    await acting(() => FakeSocket.latest.accept())
    const renders = seen.length
    await acting(() => {
      for (const message of ['a', 'b', 'c', 'c']) FakeSocket.latest.receive(message)
    })
    expect(all).toEqual(['a', 'b', 'c', 'c'])
    expect(seen.slice(renders)).toEqual(['c'])
  })

  test('[X2] handlers are those of the latest render, and another one replaces nothing', async () => {
    const heard: unknown[] = []
    const Stream = ({ name }: { name: string }): ReactNode => {
      const { socket } = useHeartwire(URL, { ...OPTIONS, onMessage: (message) => heard.push(`${name} ${message}`) })
      useHeartwireMessage(socket, (message) => heard.push(`${name} hook ${message}`))
      useHeartwireEvent(socket, 'open', ({ isReconnect }) => heard.push(`${name} open ${isReconnect}`))
      return null
    }
    const { render } = await mount(createElement(Stream, { name: 'first' }))
    await acting(() => FakeSocket.latest.accept())
    await render(createElement(Stream, { name: 'second' }))
    await acting(() => FakeSocket.latest.receive(1))
    expect(heard).toEqual(['first open false', 'second 1', 'second hook 1'])
    expect(FakeSocket.all).toHaveLength(1)
    expect(FakeSocket.latest.isLive).toBe(true)
  })

  test('[X2] a handler may come and go', async () => {
    const heard: unknown[] = []
    const node = (onMessage?: (message: unknown) => void): ReactNode =>
      createElement(Probe, { url: URL, options: { onMessage } })
    const { render } = await mount(node())
    await acting(() => FakeSocket.latest.accept())
    await acting(() => FakeSocket.latest.receive(1))
    await render(node((message) => heard.push(message)))
    await acting(() => FakeSocket.latest.receive(2))
    await render(node())
    await acting(() => FakeSocket.latest.receive(3))
    expect(heard).toEqual([2])
    expect(FakeSocket.all).toHaveLength(1)
  })

  test('[X2] onMessage gets what comes while its component waits to be rendered', async () => {
    const heard: unknown[] = []
    let goOn = (): void => {}
    let waiting: Promise<void> | null = new Promise((resolve) => (goOn = resolve))
    const Slow = (): ReactNode => {
      const { socket, state } = useHeartwire(URL, { ...OPTIONS, onMessage: (message) => heard.push(message) })
      if (socket && waiting) throw waiting
      return state
    }
    const { element } = await mount(createElement(Suspense, { fallback: 'later' }, createElement(Slow)))
    await acting(() => FakeSocket.latest.accept())
    await acting(() => FakeSocket.latest.receive('first'))
    expect(element.textContent).toBe('later')
    waiting = null
    await acting(goOn)
    expect(element.textContent).toBe('open')
    await acting(() => FakeSocket.latest.receive('second'))
    expect(heard).toEqual(['first', 'second'])
  })

  test('[X2] what the old url still says goes to its own handler', async () => {
    const heard: unknown[] = []
    let isCommitted = (): void => {}
    const Room = ({ room }: { room: string }): ReactNode => {
      const { socket } = useHeartwire(URL + room, {
        ...OPTIONS,
        onMessage: (message) => heard.push(`${room} got ${message}`),
      })
      useHeartwireMessage(socket, (message) => heard.push(`${room} heard ${message}`))
      useLayoutEffect(() => isCommitted(), [room])
      return room
    }
    const { render } = await mount(createElement(Room, { room: 'a' }))
    const first = FakeSocket.latest
    await acting(() => first.accept())
    // The page shows b, and the effect that replaces the connection is still to come.
    isCommitted = () => first.receive('of a')
    await render(createElement(Room, { room: 'b' }))
    await acting(() => FakeSocket.latest.accept())
    await acting(() => FakeSocket.latest.receive('of b'))
    expect(heard).toEqual(['a got of a', 'a heard of a', 'b got of b', 'b heard of b'])
  })

  test('[X2] one that throws stops nobody', async () => {
    const heard: unknown[] = []
    const Stream = (): ReactNode => {
      const { socket } = useHeartwire(URL, {
        ...OPTIONS,
        onMessage() {
          throw new Error('of the application')
        },
      })
      useHeartwireMessage(socket, (message) => heard.push(message))
      return null
    }
    await mount(createElement(Stream))
    await acting(() => FakeSocket.latest.accept())
    const errors = await uncaught(() => acting(() => FakeSocket.latest.receive('hello')))
    expect(errors).toEqual([new Error('of the application')])
    expect(heard).toEqual(['hello'])
  })

  test('[X2] a lazy socket starts for a handler, not for data', async () => {
    const { render } = await mount(
      createElement(Probe, { url: URL, options: { start: 'lazy' }, look: ({ data }) => data }),
    )
    expect(FakeSocket.all).toEqual([])
    await render(createElement(Probe, { url: URL, options: { start: 'lazy', onMessage() {} } }))
    expect(urls()).toEqual([URL])
  })
})

describe('what it does', () => {
  test('[X3] send, close and reconnect are those of the socket', async () => {
    const mounted = await useOpen()
    expect(mounted.used.send('hello')).toBe(true)
    expect(FakeSocket.latest.sent).toEqual(['hello'])
    await acting(() => mounted.used.close(3000, 'enough'))
    expect(FakeSocket.latest.closes).toEqual([[3000, 'enough']])
    await acting(() => FakeSocket.latest.finish(3000, 'enough'))
    await acting(() => mounted.used.reconnect())
    await acting(() => FakeSocket.latest.accept())
    expect(mounted.used.state).toBe('open')
    expect(mounted.used.socket).toBeInstanceOf(Heartwire)
    expect(() => mounted.used.close(1)).toThrow(DOMException)
  })

  test('[X3] without a socket send says so, and nothing else does anything', async () => {
    const mounted = await use(undefined)
    expect(mounted.used.send('hello')).toBe(false)
    mounted.used.close()
    mounted.used.reconnect()
    expect(everything(mounted.used)).toEqual(NOTHING)
    expect(mounted.used.socket).toBeNull()
  })

  test('[X3] an effect of the component itself may send at once', async () => {
    const Greeter = (): ReactNode => {
      const { send } = useHeartwire(URL, OPTIONS)
      useEffect(() => void send('hello'), [send])
      return null
    }
    await mount(createElement(Greeter))
    await acting(() => FakeSocket.latest.accept())
    expect(FakeSocket.latest.sent).toEqual(['hello'])
  })
})

describe('the url', () => {
  test.each<[string, (room: string) => UseHeartwireUrl]>([
    ['a string', (room) => URL + room],
    ['a URL', (room) => new globalThis.URL(URL + room)],
  ])('[X4] is %s: a change replaces the connection', async (_, at) => {
    const mounted = await useOpen(at('a'))
    await acting(() => FakeSocket.latest.receive('old'))
    const [first] = FakeSocket.all
    const { socket } = mounted.used
    await mounted.move(at('a'))
    expect(FakeSocket.all).toHaveLength(1)
    await mounted.move(at('b'))
    expect(first?.closes).toHaveLength(1)
    expect(urls()).toEqual([`${URL}a`, `${URL}b`])
    expect(mounted.used.socket).not.toBe(socket)
    expect(everything(mounted.used)).toEqual({ ...NOTHING, state: 'connecting', readyState: 0 })
    await acting(() => FakeSocket.latest.accept())
    // What the old one still says is of no interest.
    await acting(() => {
      first?.receive('late')
      first?.finish(1000)
    })
    expect(everything(mounted.used)).toMatchObject({ state: 'open', data: undefined })
    await advance(60_000)
    expect(FakeSocket.all).toHaveLength(2)
  })

  test.each([undefined, null, false, ''] as const)('[X4] is %j: there is no connection', async (none) => {
    const mounted = await use(none)
    expect(everything(mounted.used)).toEqual(NOTHING)
    await mounted.move(URL)
    await acting(() => FakeSocket.latest.accept())
    await acting(() => FakeSocket.latest.receive('hello'))
    await mounted.move(none)
    expect(FakeSocket.latest.closes).toHaveLength(1)
    expect(everything(mounted.used)).toEqual(NOTHING)
    expect(mounted.used.socket).toBeNull()
  })

  test('[X4] handlers move along', async () => {
    const heard: unknown[] = []
    const Stream = ({ url }: { url: string }): ReactNode => {
      const { socket } = useHeartwire(url, OPTIONS)
      useHeartwireEvent(socket, 'state', ({ state }) => heard.push(state))
      return null
    }
    const { render } = await mount(createElement(Stream, { url: `${URL}a` }))
    await acting(() => FakeSocket.latest.accept())
    await render(createElement(Stream, { url: `${URL}b` }))
    await acting(() => FakeSocket.latest.accept())
    const once = ['resolving', 'connecting', 'open']
    expect(heard).toEqual([...once, ...once])
  })

  test('[X4] deps replace it, other options do not', async () => {
    const node = (interval: number, dep: unknown): ReactNode =>
      createElement(Probe, { url: URL, options: { heartbeat: { message: 'ping', interval }, deps: [dep] } })
    const { render } = await mount(node(1_000, 1))
    await acting(() => FakeSocket.latest.accept())
    await render(node(2_000, 1))
    expect(FakeSocket.all).toHaveLength(1)
    await render(node(2_000, 2))
    expect(FakeSocket.all).toHaveLength(2)
    await acting(() => FakeSocket.latest.accept())
    await advance(1_999)
    expect(FakeSocket.latest.sent).toEqual([])
    await advance(1)
    expect(FakeSocket.latest.sent).toEqual(['ping'])
  })

  test('[X4] a bad one, and a bad option, go to the error boundary', async () => {
    class Boundary extends Component<{ readonly children: ReactNode }> {
      override state = { error: '' }
      static getDerivedStateFromError(error: unknown): { error: string } {
        return { error: String(error) }
      }
      override render(): ReactNode {
        return this.state.error || this.props.children
      }
    }
    const bad = async (url: string, options: UseHeartwireOptions): Promise<string | null> => {
      const { element } = await mount(createElement(Boundary, null, createElement(Probe, { url, options })))
      return element.textContent
    }
    expect(await bad('::', {})).toMatch(/^SyntaxError/)
    expect(await bad(URL, { closeTimeout: -1 })).toContain("'closeTimeout'")
    expect(FakeSocket.all).toEqual([])
    // React's own report of both.
    complaints = []
  })
})

describe('a function as the url', () => {
  test('[X5] is asked once for each attempt, with its context, always that of the latest render', async () => {
    const asked: [string, AttemptContext][] = []
    const provider =
      (name: string): UseHeartwireUrl =>
      async (context) => {
        asked.push([name, context])
        return URL + name
      }
    const mounted = await use(provider('a'))
    await mounted.move(provider('b'))
    expect(urls()).toEqual([`${URL}a`])
    await acting(() => FakeSocket.latest.fail())
    await advance(1_000)
    expect(urls()).toEqual([`${URL}a`, `${URL}b`])
    expect(asked.map(([name, { attempt, lastClose }]) => [name, attempt, lastClose?.code])).toEqual([
      ['a', 0, undefined],
      ['b', 1, 1006],
    ])
    await mounted.unmount()
    expect(asked.at(-1)?.[1].signal.aborted).toBe(true)
  })

  test('[X5] that rejects fails the attempt', async () => {
    const mounted = await use(() => Promise.reject(new Error('no token')))
    expect(everything(mounted.used)).toMatchObject({ state: 'waiting', code: 'provider-failed' })
  })

  test('[X5] that becomes a string, or nothing, replaces the connection', async () => {
    const mounted = await use(() => `${URL}a`)
    await mounted.move(`${URL}b`)
    await mounted.move(() => `${URL}c`)
    expect(urls()).toEqual([`${URL}a`, `${URL}b`, `${URL}c`])
    await mounted.move(undefined)
    expect(everything(mounted.used)).toEqual(NOTHING)
  })

  test('[X5] is replaced by deps', async () => {
    const node = (room: string): ReactNode =>
      createElement(Probe, { url: async () => URL + room, options: { deps: [room] } })
    const { render } = await mount(node('a'))
    await render(node('a'))
    await render(node('b'))
    expect(urls()).toEqual([`${URL}a`, `${URL}b`])
  })
})

describe('its life', () => {
  test('[X6] ends with the component, wherever the socket is', async () => {
    const connecting = await use(URL)
    const waiting = await use(URL)
    await acting(() => FakeSocket.latest.fail())
    const open = await useOpen()
    for (const mounted of [connecting, waiting, open]) await mounted.unmount()
    for (const socket of FakeSocket.all) expect(socket.isLive).toBe(false)
    for (const { used } of [connecting, waiting, open]) expect(used.send('late')).toBe(false)
    await advance(60_000)
    expect(FakeSocket.all).toHaveLength(3)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('[X6] in StrictMode there is one connection, and its messages come once', async () => {
    const heard: unknown[] = []
    const options = { onMessage: (message: unknown) => heard.push(message) }
    const { element, unmount } = await mount(
      createElement(StrictMode, null, createElement(Probe, { url: URL, options })),
    )
    expect(FakeSocket.all).toHaveLength(1)
    await acting(() => FakeSocket.latest.accept())
    await acting(() => FakeSocket.latest.receive('hello'))
    expect(heard).toEqual(['hello'])
    expect(element.textContent).toBe('open')
    expect(FakeSocket.all).toHaveLength(1)
    await unmount()
    expect(FakeSocket.latest.closes).toHaveLength(1)
  })

  test('[X6] a render that React throws away connects to nothing', async () => {
    let waiting: Promise<void> | null = null
    /** Returns how to go on. */
    const pause = (): (() => void) => {
      let go = (): void => {}
      waiting = new Promise((resolve) => {
        go = () => {
          waiting = null
          resolve()
        }
      })
      return () => go()
    }
    const Slow = (): ReactNode => {
      const { state } = useHeartwire(URL, OPTIONS)
      if (waiting) throw waiting
      return state
    }
    const node = (): ReactNode => createElement(Suspense, { fallback: 'later' }, createElement(Slow))
    const first = pause()
    const { element, render } = await mount(node())
    expect(element.textContent).toBe('later')
    expect(FakeSocket.all).toEqual([])
    await acting(first)
    expect(element.textContent).toBe('connecting')
    // Waiting once more does not cost the connection.
    const second = pause()
    await render(node())
    expect(element.textContent).toContain('later')
    await acting(second)
    expect(FakeSocket.all).toHaveLength(1)
    expect(FakeSocket.latest.isLive).toBe(true)
  })

  test('[X6] a transition that is interrupted shows nothing that does not agree', async () => {
    const seen: string[] = []
    let start = (): void => {}
    /** Something happens to the connection in the middle of a render, as when React gives way to the browser. */
    let interrupt = (): void => {}
    const Child = ({ state, isLate }: { state: string; isLate: boolean }): ReactNode => {
      const own = useHeartwire(URL, { ...OPTIONS, instance: 'transition' }).state
      if (isLate) interrupt()
      useEffect(() => void seen.push(`${state} ${own}`))
      return own
    }
    const Parent = (): ReactNode => {
      const [isLate, setLate] = useState(false)
      start = () => startTransition(() => setLate(true))
      const { state } = useHeartwire(URL, { ...OPTIONS, instance: 'transition' })
      return createElement(Child, { state, isLate })
    }
    await mount(createElement(Parent))
    await acting(() => FakeSocket.latest.accept())
    interrupt = () => {
      interrupt = () => {}
      FakeSocket.latest.finish(1006)
    }
    await acting(start)
    // That it happens in a render, and not between two parts of one, is the test's doing.
    expect(complaints.splice(0)).toHaveLength(1)
    expect(seen.at(-1)).toBe('waiting waiting')
    expect(seen.filter((pair) => pair.split(' ')[0] !== pair.split(' ')[1])).toEqual([])
  })

  test.runIf(Activity)('[X6] a hidden Activity has none, and a visible one connects anew', async () => {
    const heard: unknown[] = []
    const options = { onMessage: (message: unknown) => heard.push(message) }
    const node = (mode: string): ReactNode =>
      createElement(
        StrictMode,
        null,
        createElement(Activity as ComponentType<any>, { mode }, createElement(Probe, { url: URL, options })),
      )
    const { render, element } = await mount(node('hidden'))
    expect(FakeSocket.all).toEqual([])
    await render(node('visible'))
    await acting(() => FakeSocket.latest.accept())
    await acting(() => FakeSocket.latest.receive(1))
    await render(node('hidden'))
    expect(FakeSocket.latest.isLive).toBe(false)
    await render(node('visible'))
    await acting(() => FakeSocket.latest.accept())
    await acting(() => FakeSocket.latest.receive(2))
    expect(heard).toEqual([1, 2])
    expect(element.textContent).toBe('open')
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('[X6] a remount connects anew', async () => {
    const node = createElement(Probe, { url: URL })
    const { render, unmount, element } = await mount(node)
    await unmount()
    await render(node)
    await acting(() => FakeSocket.latest.accept())
    expect(element.textContent).toBe('open')
    expect(FakeSocket.all.map(({ isLive }) => isLive)).toEqual([false, true])
  })

  test('[X6] another key is another connection', async () => {
    const node = (key: string): ReactNode => createElement(Probe, { key, url: URL })
    const { render } = await mount(node('a'))
    await render(node('b'))
    expect(FakeSocket.all.map(({ isLive }) => isLive)).toEqual([false, true])
  })

  test('[X6] a state update of its own, at every message, is no trouble', async () => {
    const Counter = (): ReactNode => {
      const [count, setCount] = useState(0)
      useHeartwire(URL, { ...OPTIONS, onMessage: () => setCount(count + 1) })
      return count
    }
    const { element } = await mount(createElement(Counter))
    await acting(() => FakeSocket.latest.accept())
    for (let message = 0; message < 3; message += 1) await acting(() => FakeSocket.latest.receive(message))
    expect(element.textContent).toBe('3')
  })
})

describe('one connection for several components', () => {
  const options = { instance: 'feed' }

  const both = (first: Partial<Props> | null, second: Partial<Props> | null): ReactNode =>
    createElement(
      Fragment,
      null,
      first && createElement(Probe, { key: 1, url: URL, options, ...first }),
      second && createElement(Probe, { key: 2, url: URL, options, ...second }),
    )

  test('[X7] components that name an instance share it, and the last one to leave closes it', async () => {
    const heard: unknown[] = []
    const onMessage = (message: unknown): void => void heard.push(message)
    const { render, element, unmount } = await mount(both({}, { options: { ...options, onMessage } }))
    expect(FakeSocket.all).toHaveLength(1)
    await acting(() => FakeSocket.latest.accept())
    expect(element.textContent).toBe('openopen')
    await render(both(null, { options: { ...options, onMessage } }))
    expect(FakeSocket.latest.isLive).toBe(true)
    await acting(() => FakeSocket.latest.receive('hello'))
    expect(heard).toEqual(['hello'])
    await unmount()
    expect(FakeSocket.latest.closes).toHaveLength(1)
    await render(both({}, null))
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('[X7] who comes later sees what the others see', async () => {
    const look: Look = ({ state, data, retryIn, error }) => `${state} ${data} ${retryIn} ${error?.code};`
    const { render, element } = await mount(both({ look }, null))
    await acting(() => FakeSocket.latest.accept())
    await acting(() => FakeSocket.latest.receive('last'))
    await render(both({ look }, { look }))
    expect(element.textContent).toBe('open last null undefined;'.repeat(2))
    await acting(() => FakeSocket.latest.finish(1006))
    await advance(100)
    await render(both({ look }, null))
    await render(both({ look }, { look }))
    expect(element.textContent).toBe('waiting last 1000 undefined;'.repeat(2))
  })

  test('[X7] one that takes over from another in the same render keeps it', async () => {
    const { render } = await mount(both({}, null))
    await acting(() => FakeSocket.latest.accept())
    await render(both(null, {}))
    await render(both({}, null))
    await settle()
    expect(FakeSocket.all).toHaveLength(1)
    expect(FakeSocket.latest.isLive).toBe(true)
  })

  test('[X7] two that exchange their names keep both', async () => {
    const named = (instance: string): Partial<Props> => ({ options: { instance } })
    const { render } = await mount(both(named('x'), named('y')))
    await render(both(named('y'), named('x')))
    expect(FakeSocket.all.map(({ isLive }) => isLive)).toEqual([true, true])
  })

  test('[X7] one that comes between two leavings is not left behind', async () => {
    const [first, second] = [createRoot(document.createElement('div')), createRoot(document.createElement('div'))]
    roots.push(first, second)
    const show = (root: Root, node: ReactNode): void => flushSync(() => root.render(node))
    await acting(() => {
      show(first, both({}, null))
      show(first, null)
      // After the first leaving was looked at, and before the second.
      queueMicrotask(() => show(second, both({}, null)))
      show(first, both({}, null))
      show(first, null)
    })
    expect(FakeSocket.all.map(({ isLive }) => isLive)).toEqual([false, true])
    await acting(() => show(first, both({}, null)))
    expect(FakeSocket.all).toHaveLength(2)
    await acting(() => {
      show(first, null)
      show(second, null)
    })
    expect(FakeSocket.latest.isLive).toBe(false)
  })

  test('[X7] bufferedAmount is as of the latest send of any', async () => {
    const sends: UseHeartwireReturn['send'][] = []
    const look: Look = ({ bufferedAmount, send }) => {
      sends.push(send)
      return bufferedAmount
    }
    const { render, element } = await mount(both({ look }, null))
    await acting(() => FakeSocket.latest.accept())
    FakeSocket.latest.isStalled = true
    await acting(() => sends[0]?.('hello'))
    await render(both({ look }, { look }))
    expect(element.textContent).toBe('55')
    await acting(() => sends[0]?.('hello'))
    expect(element.textContent).toBe('1010')
  })

  test.each<[string, Partial<Props>, Partial<Props>]>([
    ['objects', { options: { ...options, deps: [{ room: 'a' }] } }, { options: { ...options, deps: [{ room: 'b' }] } }],
    ['a comma', { url: `${URL}a`, options: { ...options, deps: ['b'] } }, { url: `${URL}a,b` }],
    ['a type', { options: { ...options, deps: [1] } }, { options: { ...options, deps: ['1'] } }],
  ])('[X7] %s in what names a connection tells two apart', async (_, first, second) => {
    await mount(both(first, second))
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('[X7] deps that are equal as JSON share, whoever made them', async () => {
    const at = (): Partial<Props> => ({ options: { ...options, deps: [{ room: 'a' }] } })
    const { render } = await mount(both(at(), at()))
    await render(both(at(), at()))
    expect(FakeSocket.all).toHaveLength(1)
    expect(FakeSocket.latest.isLive).toBe(true)
  })

  test('[X7] another url of the same instance is another connection, also when all change to it', async () => {
    const { render, element } = await mount(both({}, {}))
    await render(both({}, { url: `${URL}b` }))
    expect(urls()).toEqual([URL, `${URL}b`])
    await render(both({ url: `${URL}b` }, { url: `${URL}b` }))
    expect(FakeSocket.all.map(({ isLive }) => isLive)).toEqual([false, true])
    await render(both({ url: `${URL}c` }, { url: `${URL}c` }))
    expect(FakeSocket.all.map(({ isLive }) => isLive)).toEqual([false, false, true])
    await acting(() => FakeSocket.latest.accept())
    expect(element.textContent).toBe('openopen')
  })

  test('[X7] a provider is that of the one who made it, as long as anyone stays', async () => {
    const { render } = await mount(both({ url: () => `${URL}first` }, { url: () => `${URL}second` }))
    expect(urls()).toEqual([`${URL}first`])
    await render(both({ url: URL }, { url: () => `${URL}second` }))
    await acting(() => FakeSocket.all[0]?.fail())
    await advance(1_000)
    expect(urls()).toEqual([`${URL}first`, URL, `${URL}first`])
  })

  test('[X7] in StrictMode, too', async () => {
    const { unmount } = await mount(createElement(StrictMode, null, both({}, {})))
    await acting(() => FakeSocket.latest.accept())
    expect(FakeSocket.all).toHaveLength(1)
    await unmount()
    expect(FakeSocket.latest.isLive).toBe(false)
  })

  test('[X7] components without an instance do not share', async () => {
    await mount(both({ options: {} }, { options: {} }))
    expect(FakeSocket.all).toHaveLength(2)
  })
})

describe('on a server', () => {
  test('[X8] renders without a WebSocket, and asks no url', () => {
    vi.stubGlobal('WebSocket', undefined)
    const url = vi.fn(() => URL)
    const look: Look = (used) => {
      expect(everything(used)).toEqual(NOTHING)
      expect(used.send('hello')).toBe(false)
      used.reconnect()
      return used.state
    }
    expect(renderToString(createElement(Probe, { url, look }))).toBe('<p>idle</p>')
    expect(url).not.toHaveBeenCalled()
    expect(FakeSocket.all).toEqual([])
  })

  test('[X8] a page is hydrated as it is, and connects once', async () => {
    const seen: unknown[] = []
    const node = createElement(StrictMode, null, createElement(Probe, { url: URL, seen }))
    const element = document.createElement('div')
    element.innerHTML = renderToString(node)
    seen.length = 0
    await acting(() => roots.push(hydrateRoot(element, node)))
    expect(seen[0]).toBe('idle')
    expect(element.textContent).toBe('connecting')
    expect(FakeSocket.all).toHaveLength(1)
  })
})
