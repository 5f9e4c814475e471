// The binding for Vue on a fake network: what its refs say, what a url means, and how long it all lives.
import {
  computed,
  createSSRApp,
  defineComponent,
  effectScope,
  h,
  isReactive,
  nextTick,
  reactive,
  ref,
  shallowRef,
  version,
} from 'vue'
import { isProxy, watch, watchEffect } from 'vue'
import type { EffectScope } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Heartwire, json } from '../src/index.ts'
import type { AttemptContext } from '../src/index.ts'
import { useHeartwire } from '../src/vue.ts'
import type { UseHeartwireOptions, UseHeartwireReturn, UseHeartwireUrl } from '../src/vue.ts'
import { FakeSocket } from './support/fake-socket.ts'
import { adopt, advance, FakeNetwork, settle, uncaught, URL, useScenes } from './support/scene.ts'

useScenes()

const scopes: EffectScope[] = []

// Before what useScenes looks at after each test: nothing is left.
afterEach(() => {
  for (const scope of scopes.splice(0)) scope.stop()
})

const OPTIONS = { WebSocket: FakeSocket, network: false } as const

interface Use extends UseHeartwireReturn {
  readonly scope: EffectScope
}

/** The binding in a scope of its own. */
const use = (url: UseHeartwireUrl, options: UseHeartwireOptions = {}): Use => {
  const scope = effectScope()
  scopes.push(scope)
  return scope.run(() => {
    const used = useHeartwire(url, { ...OPTIONS, ...options })
    watch(used.socket, (socket) => void (socket && adopt(socket)), { immediate: true, flush: 'sync' })
    return { ...used, scope }
  }) as Use
}

/** And its socket has just opened. */
const useOpen = async (url: UseHeartwireUrl = URL, options: UseHeartwireOptions = {}): Promise<Use> => {
  const used = use(url, options)
  await settle()
  FakeSocket.latest.accept()
  await settle()
  return used
}

const urls = (): string[] => FakeSocket.all.map(({ url }) => url)

/** What the refs say. */
const refsOf = ({
  state,
  readyState,
  data,
  latency,
  attempt,
  retryIn,
  error,
  bufferedAmount,
}: UseHeartwireReturn): unknown =>
  reactive({
    state,
    readyState,
    data,
    latency,
    attempt,
    retryIn,
    code: computed(() => error.value?.code),
    bufferedAmount,
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

test(`runs with Vue ${version}`, () => {
  expect(version).toMatch(process.env['HEARTWIRE_VUE'] === '3.3' ? /^3\.3\./ : /^3\.5\./)
})

describe('refs', () => {
  test('[V1] follow the socket: state, readyState, attempt, error', async () => {
    const used = use(URL)
    await settle()
    expect(refsOf(used)).toEqual({ ...NOTHING, state: 'connecting', readyState: 0 })
    FakeSocket.latest.fail()
    await settle()
    expect(refsOf(used)).toMatchObject({ state: 'waiting', readyState: 0, attempt: 1, code: 'connect-failed' })
    await advance(1_000)
    FakeSocket.latest.accept()
    await settle()
    expect(refsOf(used)).toEqual({ ...NOTHING, state: 'open', readyState: 1, attempt: 1 })
    used.close()
    await settle()
    expect(refsOf(used)).toMatchObject({ state: 'closing', readyState: 2 })
    FakeSocket.latest.finish(1000)
    await settle()
    expect(refsOf(used)).toMatchObject({ state: 'closed', readyState: 3 })
  })

  test('[V1] latency is that of the latest heartbeat', async () => {
    const used = await useOpen(URL, { heartbeat: { message: 'ping', pong: 'pong', interval: 1_000 } })
    await advance(1_000)
    expect(FakeSocket.latest.sent).toEqual(['ping'])
    await advance(70)
    FakeSocket.latest.receive('pong')
    expect(used.latency.value).toBe(70)
    expect(used.data.value).toBeUndefined()
  })

  test('[V1] bufferedAmount grows with send and is 0 again when everything has left', async () => {
    const used = use(URL)
    expect(used.send('queued')).toBe(true)
    expect(used.bufferedAmount.value).toBe(6)
    await settle()
    FakeSocket.latest.isStalled = true
    FakeSocket.latest.accept()
    await settle()
    used.send('more')
    expect(used.bufferedAmount.value).toBe(10)
    FakeSocket.latest.drain()
    await advance(1_000)
    expect(used.bufferedAmount.value).toBe(0)
  })

  test('[V1] retryIn counts down in whole seconds while it waits, and only then has a timer', async () => {
    const used = await useOpen(URL, { reconnect: { minDelay: 2_500, jitter: 0 } })
    expect(used.retryIn.value).toBeNull()
    FakeSocket.latest.finish(1006)
    const seen: unknown[] = []
    watch(used.retryIn, (value) => seen.push(value), { immediate: true, flush: 'sync' })
    await advance(2_400)
    expect(seen).toEqual([2_500, 2_000, 1_000])
    await advance(100)
    expect(used.state.value).toBe('connecting')
    expect(seen.at(-1)).toBeNull()
    FakeSocket.latest.accept()
    await settle()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('[V1] retryIn goes on whatever else happens while it waits', async () => {
    const used = await useOpen(URL, { reconnect: { minDelay: 2_500, jitter: 0 } })
    FakeSocket.latest.finish(1006)
    used.send('queued')
    expect(used.retryIn.value).toBe(2_500)
    await advance(600)
    expect(used.retryIn.value).toBe(2_000)
  })

  test('[V1] retryIn stays as it is when something is sent', async () => {
    const used = await useOpen(URL, { reconnect: { minDelay: 2_500, jitter: 0 } })
    FakeSocket.latest.finish(1006)
    const seen: unknown[] = []
    watch(used.retryIn, (value) => seen.push(value), { immediate: true, flush: 'sync' })
    for (let message = 0; message < 5; message += 1) {
      await advance(300)
      used.send('queued')
    }
    expect(used.bufferedAmount.value).toBe(30)
    expect(seen).toEqual([2_500, 2_000, 1_000])
  })

  test('[V1] retryIn counts nothing when the wait was over before it was told', async () => {
    const used = await useOpen(URL)
    used.on('state', ({ state }) => state === 'waiting' && used.reconnect())
    FakeSocket.latest.finish(1006)
    expect(used.state.value).toBe('connecting')
    expect(used.retryIn.value).toBeNull()
    // That of the attempt.
    expect(vi.getTimerCount()).toBe(1)
  })

  test('[V1] retryIn begins again when a signal cuts the wait short', async () => {
    const network = new FakeNetwork()
    const used = await useOpen(URL, { network, reconnect: { minDelay: 20_000, jitter: 0 } })
    FakeSocket.latest.finish(1006)
    expect(used.retryIn.value).toBe(20_000)
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    network.emit('online')
    expect(used.retryIn.value).toBe(50)
    expect(vi.getTimerCount()).toBe(2)
  })

  test('[V1] are set before a listener hears of it', async () => {
    const used = use(URL)
    const seen: unknown[] = []
    used.on('state', ({ state }) => seen.push([state, used.state.value, used.readyState.value]))
    used.on('message', (message) => seen.push([message, used.data.value]))
    await settle()
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('hello')
    expect(seen).toEqual([
      // Both were told after the constructor, when it had already come further.
      ['resolving', 'connecting', 0],
      ['connecting', 'connecting', 0],
      ['open', 'open', 1],
      ['hello', 'hello'],
    ])
  })

  test('[V1] error is gone when it is open again', async () => {
    const used = await useOpen(URL, { codec: json() })
    FakeSocket.latest.receive('{')
    expect(used.error.value?.code).toBe('decode-failed')
    FakeSocket.latest.finish(1006)
    await advance(1_000)
    expect(used.error.value?.code).toBe('decode-failed')
    FakeSocket.latest.accept()
    await settle()
    expect(used.error.value).toBeNull()
  })
})

describe('messages', () => {
  test('[V2] data is the last one, decoded and not made reactive', async () => {
    const used = await useOpen(URL, { codec: json() })
    FakeSocket.latest.receive('{"price":{"value":1}}')
    expect(used.data.value).toEqual({ price: { value: 1 } })
    expect(isReactive(used.data.value)).toBe(false)
    expect(isReactive((used.data.value as { price: object }).price)).toBe(false)
  })

  test('[V2] onMessage gets every one, a watch on data only the last of a batch', async () => {
    const all: unknown[] = []
    const used = await useOpen(URL, { onMessage: (message) => all.push(message) })
    const watched: unknown[] = []
    used.scope.run(() => watch(used.data, (message) => watched.push(message)))
    for (const message of ['a', 'b', 'c', 'c']) FakeSocket.latest.receive(message)
    await nextTick()
    expect(all).toEqual(['a', 'b', 'c', 'c'])
    expect(watched).toEqual(['c'])
  })

  test('[V2] a listener that throws stops nobody', async () => {
    const heard: unknown[] = []
    const used = await useOpen(URL, {
      onMessage() {
        throw new Error('of the application')
      },
    })
    used.on('message', (message) => heard.push(message))
    const errors = await uncaught(() => FakeSocket.latest.receive('hello'))
    expect(errors).toEqual([new Error('of the application')])
    expect(heard).toEqual(['hello'])
    expect(used.data.value).toBe('hello')
  })

  test('[V2] a lazy socket starts for onMessage and on, not for data', async () => {
    const used = use(URL, { start: 'lazy' })
    await settle()
    expect(used.state.value).toBe('idle')
    expect(FakeSocket.all).toEqual([])
    used.on('message', () => {})
    expect(urls()).toEqual([URL])
    use(URL, { start: 'lazy', onMessage() {} })
    expect(urls()).toEqual([URL, URL])
  })
})

describe('what it returns', () => {
  test('[V3] send, close and reconnect are those of the socket', async () => {
    const used = await useOpen()
    expect(used.send('hello')).toBe(true)
    expect(FakeSocket.latest.sent).toEqual(['hello'])
    used.close(3000, 'enough')
    expect(FakeSocket.latest.closes).toEqual([[3000, 'enough']])
    FakeSocket.latest.finish(3000, 'enough')
    used.reconnect()
    FakeSocket.latest.accept()
    await settle()
    expect(used.state.value).toBe('open')
    expect(() => used.close(1)).toThrow(DOMException)
  })

  test('[V3] without a socket send says so, and nothing else does anything', () => {
    const used = use(undefined)
    expect(used.send('hello')).toBe(false)
    used.close()
    used.reconnect()
    expect(refsOf(used)).toEqual(NOTHING)
    expect(used.socket.value).toBeNull()
  })

  test('[V3] on returns its undo; a wrong type is refused', async () => {
    const used = await useOpen()
    const heard: unknown[] = []
    const undo = used.on('message', (message) => heard.push(message))
    used.on('*', (type) => heard.push(type))
    FakeSocket.latest.receive(1)
    undo()
    undo()
    FakeSocket.latest.receive(2)
    expect(heard).toEqual([1, 'message', 'message'])
    expect(() => used.on('close' as 'closed', () => {})).toThrow(TypeError)
    expect(() => used.on('open', undefined as never)).toThrow(TypeError)
  })

  test('[V3] socket is the Heartwire itself, which nothing makes reactive', () => {
    const used = use(URL)
    const held = reactive({ socket: used.socket.value })
    expect(used.socket.value).toBeInstanceOf(Heartwire)
    expect(isProxy(held.socket)).toBe(false)
    expect(held.socket?.readyState).toBe(0)
  })

  test('[V3] an effect that sends runs again for what it read only', async () => {
    const url = ref(`${URL}a`)
    const count = ref(1)
    const used = use(url)
    used.scope.run(() => watchEffect(() => used.send(String(count.value))))
    url.value = `${URL}b`
    await nextTick()
    FakeSocket.latest.accept()
    await settle()
    expect(FakeSocket.latest.sent).toEqual([])
    count.value = 2
    await nextTick()
    expect(FakeSocket.latest.sent).toEqual(['2'])
  })
})

describe('the url', () => {
  test.each<[string, () => [UseHeartwireUrl, (room: string) => void]]>([
    [
      'a ref',
      () => {
        const url = ref(`${URL}a`)
        return [url, (room) => (url.value = URL + room)]
      },
    ],
    [
      'a shallow ref of a URL',
      () => {
        const url = shallowRef(new globalThis.URL(`${URL}a`))
        return [url, (room) => (url.value = new globalThis.URL(URL + room))]
      },
    ],
    [
      'a computed',
      () => {
        const name = ref('a')
        return [computed(() => URL + name.value), (room) => (name.value = room)]
      },
    ],
    [
      'a getter',
      () => {
        const props = reactive({ room: 'a' })
        return [() => URL + props.room, (room) => (props.room = room)]
      },
    ],
    [
      'an asynchronous provider',
      () => {
        const name = ref('a')
        const provide = async (): Promise<string> => {
          const url = URL + name.value
          await settle()
          return url
        }
        return [provide, (room) => (name.value = room)]
      },
    ],
  ])('[V4] is %s: a change replaces the connection', async (_, create) => {
    const [url, change] = create()
    const used = await useOpen(url)
    await settle()
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('old')
    const [first] = FakeSocket.all
    const socket = used.socket.value
    change('b')
    // With the rest of the tick, as everything in Vue.
    expect(first?.closes).toEqual([])
    await nextTick()
    expect(first?.closes).toHaveLength(1)
    expect(used.socket.value).not.toBe(socket)
    expect(refsOf(used)).toMatchObject({ readyState: 0, data: undefined })
    await settle()
    await settle()
    expect(urls()).toEqual([`${URL}a`, `${URL}b`])
    FakeSocket.latest.accept()
    await settle()
    expect(used.state.value).toBe('open')
    // What the old one still says is of no interest.
    first?.receive('late')
    first?.finish(1000)
    await settle()
    expect(refsOf(used)).toMatchObject({ state: 'open', data: undefined })
    await advance(60_000)
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('[V4] is a value', () => {
    use(URL)
    use(new globalThis.URL(`${URL}object`))
    expect(urls()).toEqual([URL, `${URL}object`])
  })

  test('[V4] that did not change replaces nothing', async () => {
    const room = ref({ id: 'a' })
    use(() => URL + room.value.id)
    const other = shallowRef(new globalThis.URL(`${URL}b`))
    use(other)
    await settle()
    room.value = { id: 'a' }
    other.value = new globalThis.URL(`${URL}b`)
    await nextTick()
    expect(urls().sort()).toEqual([`${URL}a`, `${URL}b`])
  })

  test('[V4] that changes several times in a tick replaces it once', async () => {
    const url = ref(`${URL}a`)
    use(url)
    url.value = `${URL}b`
    url.value = `${URL}c`
    await nextTick()
    expect(urls()).toEqual([`${URL}a`, `${URL}c`])
  })

  test.each([undefined, null, false, ''])('[V4] is %j: there is no connection', async (none) => {
    const url = ref<string | undefined>(none as undefined)
    const used = use(url)
    await settle()
    expect(refsOf(used)).toEqual(NOTHING)
    url.value = URL
    await nextTick()
    expect(used.state.value).toBe('connecting')
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('hello')
    url.value = none as undefined
    await nextTick()
    expect(FakeSocket.latest.closes).toHaveLength(1)
    expect(used.socket.value).toBeNull()
    expect(refsOf(used)).toEqual(NOTHING)
  })

  test('[V4] listeners stay over it, and of the old socket hear only what it drops', async () => {
    const url = ref<string | undefined>()
    const heard: unknown[] = []
    const used = use(url, { onMessage: (message) => heard.push(message) })
    used.on('open', () => heard.push('open'))
    used.on('closed', () => heard.push('closed'))
    used.on('dropped', ({ messages }) => heard.push(messages))
    url.value = `${URL}a`
    await nextTick()
    used.send('never leaves')
    url.value = `${URL}b`
    await nextTick()
    FakeSocket.latest.accept()
    await settle()
    FakeSocket.latest.receive('hello')
    await advance(3_000)
    // The old one is `closed` when its connection is.
    expect(heard).toEqual(['open', 'hello', ['never leaves']])
  })

  test('[V4] another one connects again, even after close()', async () => {
    const url = ref(URL)
    const used = await useOpen(url)
    used.close()
    await advance(3_000)
    expect(used.state.value).toBe('closed')
    url.value = `${URL}b`
    await nextTick()
    expect(used.state.value).toBe('connecting')
  })

  test('[V4] a bad one throws in setup, and later leaves no connection', async () => {
    expect(() => use('::')).toThrow(DOMException)
    const url = ref(URL)
    const used = use(url)
    url.value = '::'
    vi.spyOn(console, 'warn').mockReturnValue()
    await expect(nextTick()).rejects.toThrow(DOMException)
    expect(refsOf(used)).toEqual(NOTHING)
    expect(FakeSocket.latest.closes).toHaveLength(1)
  })
})

describe('a function as the url', () => {
  test('[V5] is asked once for each attempt, with its context', async () => {
    const contexts: AttemptContext[] = []
    const used = use(async (context) => {
      contexts.push(context)
      return `${URL}${contexts.length}`
    })
    await settle()
    FakeSocket.latest.fail()
    await advance(1_000)
    await settle()
    expect(urls()).toEqual([`${URL}1`, `${URL}2`])
    expect(contexts.map(({ attempt }) => attempt)).toEqual([0, 1])
    expect(contexts.map(({ lastClose }) => lastClose?.code)).toEqual([undefined, 1006])
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, false])
    used.scope.stop()
    await advance(3_000)
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, true])
  })

  test('[V5] also a getter is asked for each attempt: what it reads need not be reactive', async () => {
    let token = 'a'
    use(() => URL + token)
    await settle()
    token = 'b'
    FakeSocket.latest.fail()
    await advance(1_000)
    await settle()
    expect(urls()).toEqual([`${URL}a`, `${URL}b`])
  })

  test('[V5] that rejects fails the attempt', async () => {
    const used = use(() => Promise.reject(new Error('no token')))
    expect(await uncaught(settle)).toEqual([])
    expect(refsOf(used)).toMatchObject({ state: 'waiting', code: 'provider-failed' })
  })

  test('[V5] that rejects before anything was started is no uncaught error', async () => {
    const used = use(() => Promise.reject(new Error('no token')), { start: 'manual' })
    expect(await uncaught(settle)).toEqual([])
    expect(used.state.value).toBe('idle')
  })

  test('[V5] that throws in setup throws there', () => {
    const fail = (): string => {
      throw new Error('no room')
    }
    expect(() => use(fail)).toThrow('no room')
  })

  test('[V5] whose attempt takes too long is told by its signal', async () => {
    const contexts: AttemptContext[] = []
    use(
      (context) => {
        contexts.push(context)
        return new Promise<string>(() => {})
      },
      { connectTimeout: 100 },
    )
    await advance(100)
    expect(contexts[0]?.signal.aborted).toBe(true)
  })

  test('[V5] that answers undefined later closes it', async () => {
    let url: string | undefined = URL
    const used = await useOpen(async () => url)
    url = undefined
    FakeSocket.latest.finish(1006)
    await advance(1_000)
    await advance(10)
    expect(used.state.value).toBe('closed')
    expect(used.socket.value?.reason).toBe('user')
    expect(FakeSocket.all).toHaveLength(1)
    url = URL
    used.reconnect()
    await settle()
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('[V5] whose late undefined is of an attempt that is over closes nothing', async () => {
    const answers: ((url: string | undefined) => void)[] = []
    const used = use(() => new Promise<string | undefined>((resolve) => void answers.push(resolve)))
    used.reconnect()
    answers[0]?.(undefined)
    answers[1]?.(URL)
    await settle()
    expect(used.state.value).toBe('connecting')
  })

  test('[V5] is asked anew by a socket that starts later', async () => {
    let asked = 0
    const used = use(async () => `${URL}${(asked += 1)}`, { start: 'manual' })
    expect(asked).toBe(1)
    await settle()
    used.reconnect()
    await settle()
    expect(urls()).toEqual([`${URL}2`])
  })
})

describe('its life', () => {
  test('[V6] ends with the scope, wherever it is', async () => {
    const connecting = use(URL)
    const waiting = use(URL)
    await settle()
    FakeSocket.latest.fail()
    const open = await useOpen()
    await settle()
    for (const { scope } of [connecting, waiting, open]) scope.stop()
    for (const socket of FakeSocket.all) expect(socket.isLive).toBe(false)
    for (const used of [connecting, waiting, open]) {
      expect(refsOf(used)).toEqual(NOTHING)
      expect(used.socket.value).toBeNull()
      expect(used.send('late')).toBe(false)
    }
    await advance(60_000)
    expect(FakeSocket.all).toHaveLength(3)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('[V6] ends when a ref says something, with nothing of it in the others', async () => {
    for (const end of ['open', 'waiting']) {
      const used = use(URL)
      watch(used.state, (state) => state === end && used.scope.stop(), { flush: 'sync' })
      await settle()
      if (end === 'open') FakeSocket.latest.accept()
      else FakeSocket.latest.fail()
      await settle()
      expect(refsOf(used)).toEqual(NOTHING)
      expect(FakeSocket.latest.isLive).toBe(false)
    }
    await advance(10_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('[V6] ends for good: neither a url nor a call brings it back', async () => {
    const url = ref(URL)
    const used = use(url)
    const heard: unknown[] = []
    used.on('*', (type) => heard.push(type))
    await settle()
    heard.length = 0
    used.close()
    used.scope.stop()
    heard.length = 0
    url.value = `${URL}b`
    used.reconnect()
    await advance(60_000)
    expect(FakeSocket.all).toHaveLength(1)
    expect(heard).toEqual([])
  })

  test('[V6] the scope’s end tells what was never sent', async () => {
    const used = use(URL)
    const dropped: unknown[] = []
    used.on('dropped', ({ messages }) => dropped.push(...messages))
    used.send('unsent')
    used.scope.stop()
    await advance(3_000)
    expect(dropped).toEqual(['unsent'])
  })

  test('[V6] is announced a microtask after setup: a first render is that of the server', async () => {
    const used = use(URL)
    expect(FakeSocket.all).toHaveLength(1)
    expect(refsOf(used)).toEqual(NOTHING)
    await Promise.resolve()
    expect(used.state.value).toBe('connecting')
  })
})

describe('on a server', () => {
  const render = (setup: () => () => unknown): Promise<string> =>
    renderToString(createSSRApp(defineComponent({ setup })))

  test('[V7] renders without a WebSocket, and asks no url', async () => {
    vi.stubGlobal('WebSocket', undefined)
    const url = vi.fn(() => URL)
    const html = await render(() => {
      const used = useHeartwire(url)
      expect(used.send('hello')).toBe(false)
      used.on('open', () => {})()
      used.reconnect()
      used.close()
      expect(refsOf(used)).toEqual(NOTHING)
      return () => h('p', used.state.value)
    })
    expect(html).toBe('<p>idle</p>')
    expect(url).not.toHaveBeenCalled()
  })

  test('[V7] connects to nothing, even where there is a WebSocket', async () => {
    const url = ref(URL)
    await render(() => {
      const { socket } = useHeartwire(url, OPTIONS)
      return () => h('p', String(socket.value))
    })
    url.value = `${URL}b`
    await nextTick()
    expect(FakeSocket.all).toEqual([])
  })
})
