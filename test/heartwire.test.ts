// The public surface: what a WebSocket has, what the constructor takes, and what is answered in each state.
import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import HeartwireByDefault, { Heartwire, HeartwireError } from '../src/index.ts'
import type { HeartwireOptions } from '../src/index.ts'
import { READY_STATE } from '../src/machine.ts'
import { FakeSocket } from './support/fake-socket.ts'
import { adopt, advance, create, createOpen, inState, settle, STATES, URL, useScenes } from './support/scene.ts'

useScenes()

/** A socket that nobody writes down: what costs nothing when nobody listens. */
const createPlain = (...rest: unknown[]): Heartwire => {
  const socket = Reflect.construct(Heartwire, [URL, ...rest]) as Heartwire
  adopt(socket)
  return socket
}

const thrownBy = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('the constructor', () => {
  test('[P1] takes a url and options', () => {
    createPlain({ WebSocket: FakeSocket, network: false })
    expect(FakeSocket.latest.url).toBe(URL)
    expect(FakeSocket.latest.protocols).toEqual([])
  })

  test.each([
    ['a string', 'chat', ['chat']],
    ['an array', ['chat', 'chat2'], ['chat', 'chat2']],
    ['an empty array', [], []],
    ['nothing', undefined, []],
  ])('[P1] takes a url, protocols as %s, and options', (_, protocols, expected) => {
    createPlain(protocols, { WebSocket: FakeSocket })
    expect(FakeSocket.latest.protocols).toEqual(expected)
  })

  test('[P1] takes protocols as an option; the argument goes first', () => {
    createPlain({ WebSocket: FakeSocket, protocols: 'option' })
    expect(FakeSocket.latest.protocols).toEqual(['option'])
    createPlain('argument', { WebSocket: FakeSocket, protocols: 'option' })
    expect(FakeSocket.latest.protocols).toEqual(['argument'])
  })

  test('[P1] takes a URL object, as it is now', () => {
    const url = new globalThis.URL('ws://example.test/a')
    create({ start: 'manual' }, url).socket.connect()
    url.pathname = '/b'
    expect(FakeSocket.latest.url).toBe('ws://example.test/a')
  })

  test.each([
    ['an object that is no url', [{ url: URL }], "'url' must be a url or a function: current value is [object Object]"],
    [
      'options first',
      [{ heartbeat: false }, URL],
      "'url' must be a url or a function: current value is [object Object]",
    ],
    ['options in the middle', [URL, { queue: false }, 'chat'], "'options' must be the last argument"],
    ['options twice', [URL, { queue: false }, { queue: true }], "'options' must be the last argument"],
  ])('[P1] refuses %s', (_, given, message) => {
    const construct = (): unknown => Reflect.construct(Heartwire, given)
    expect(construct).toThrow(TypeError)
    expect(construct).toThrow(`Cannot create a Heartwire as ${message}`)
    expect(FakeSocket.all).toEqual([])
  })

  test('[P1] must have a url, as the native one', () => {
    expect(() => Reflect.construct(Heartwire, [])).toThrow(TypeError)
  })

  test.each(['::', 'ftp://example.test', 'ws://example.test/#fragment'])(
    '[P2] refuses %s at once, as the native one, whenever it is to start',
    (url) => {
      for (const start of ['now', 'manual', 'lazy'] as const) {
        const error = thrownBy(() => new Heartwire(url, { WebSocket: FakeSocket, start }))
        expect(error).toBeInstanceOf(DOMException)
        expect(error).toHaveProperty('name', 'SyntaxError')
      }
    },
  )

  test('[P2] refuses bad protocols at once, as the native one', () => {
    expect(() => createPlain(['a', 'a'], { WebSocket: FakeSocket })).toThrow(DOMException)
    expect(() => createPlain(['a b'], { WebSocket: FakeSocket })).toThrow(DOMException)
  })

  test('[P3] constructs the first native socket synchronously and tells nobody before it has returned', async () => {
    const { socket, log } = create()
    expect(FakeSocket.all).toHaveLength(1)
    expect(socket.state).toBe('connecting')
    expect(log).toEqual([])
    await settle()
    expect(log).toEqual(['resolving', 'connecting'])
  })

  test('[P3] looks the global WebSocket up at each attempt', async () => {
    class Other extends FakeSocket {}
    vi.stubGlobal('WebSocket', FakeSocket)
    createPlain({ network: false })
    vi.stubGlobal('WebSocket', Other)
    FakeSocket.latest.fail()
    await advance(1_000)
    expect(FakeSocket.all).toHaveLength(2)
    expect(FakeSocket.latest).toBeInstanceOf(Other)
  })

  test('[E3] says what to do where there is no WebSocket', () => {
    vi.stubGlobal('WebSocket', undefined)
    const error = thrownBy(() => new Heartwire(URL))
    expect(error).toBeInstanceOf(HeartwireError)
    expect(error).toMatchObject({ name: 'HeartwireError', code: 'unsupported' })
    expect(String(error)).toContain("pass the option 'WebSocket'")
  })

  test('[S5] leaves nothing behind when it throws', async () => {
    const { network } = create()
    FakeSocket.refusal = new DOMException('blocked', 'SecurityError')
    expect(thrownBy(() => new Heartwire(URL, { WebSocket: FakeSocket, network }))).toBe(FakeSocket.refusal)
    expect(network.count).toBe(1)
    expect(vi.getTimerCount()).toBe(1)
    await settle()
    FakeSocket.refusal = null
  })

  test('[S5] nor on the signal', () => {
    const { signal } = new AbortController()
    FakeSocket.refusal = new Error('no')
    expect(thrownBy(() => new Heartwire(URL, { WebSocket: FakeSocket, signal }))).toBe(FakeSocket.refusal)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('is the default export, too', () => {
    expect(HeartwireByDefault).toBe(Heartwire)
  })
})

describe('[O1] bad options throw at once', () => {
  test.each<[HeartwireOptions | object, typeof TypeError, string]>([
    [{ heartbeet: {} }, TypeError, 'heartbeet'],
    [{ start: 'later' }, TypeError, 'start'],
    [{ WebSocket: {} }, TypeError, 'WebSocket'],
    [{ connectTimeout: '5' }, TypeError, 'connectTimeout'],
    [{ connectTimeout: -1 }, RangeError, 'connectTimeout'],
    [{ closeTimeout: Infinity }, RangeError, 'closeTimeout'],
    [{ heartbeat: true }, TypeError, 'heartbeat'],
    [{ heartbeat: {} }, TypeError, 'heartbeat.message'],
    [{ heartbeat: { message: 'x', interval: 0 } }, RangeError, 'heartbeat.interval'],
    [{ reconnect: { jitter: 1.5 } }, RangeError, 'reconnect.jitter'],
    [{ reconnect: { minDelay: 50_000 } }, RangeError, 'reconnect.minDelay'],
    [{ queue: { overflow: 'explode' } }, TypeError, 'queue.overflow'],
    [{ signal: true }, TypeError, 'signal'],
    [{ network: {} }, TypeError, 'network'],
    [{ codec: { encode() {} } }, TypeError, 'codec'],
  ])('%o', (options, Kind, name) => {
    const error = thrownBy(() => new Heartwire(URL, { WebSocket: FakeSocket, ...options }))
    expect(error).toBeInstanceOf(Kind)
    expect(String(error)).toContain(`'${name}'`)
    expect(FakeSocket.all).toHaveLength(0)
  })

  test('[O1] a maxDelay below the default minDelay caps it', async () => {
    create({ reconnect: { maxDelay: 10 } })
    FakeSocket.latest.fail()
    await advance(10)
    expect(FakeSocket.all).toHaveLength(2)
  })
})

describe('[P2] the attributes', () => {
  test('constants are on the class and on instances, and cannot be changed', () => {
    const { socket } = create()
    for (const owner of [Heartwire, socket]) {
      expect([owner.CONNECTING, owner.OPEN, owner.CLOSING, owner.CLOSED]).toEqual([0, 1, 2, 3])
      expect(() => Object.assign(owner, { OPEN: 5 })).toThrow(TypeError)
    }
    expect(String(socket)).toBe('[object WebSocket]')
    expect(socket).toBeInstanceOf(EventTarget)
  })

  test.each(STATES)('readyState while %s', async (state) => {
    const { socket } = await inState(state)
    expect(socket.readyState).toBe(READY_STATE[state])
  })

  test('readyState knows that the server has begun to close', async () => {
    const { socket } = await inState('open')
    FakeSocket.latest.beginClose()
    expect(socket.readyState).toBe(2)
    expect(socket.state).toBe('open')
  })

  test.each(STATES)('binaryType can be set while %s, and is kept', async (state) => {
    const scene = await inState(state)
    const { socket } = scene
    expect(socket.binaryType).toBe('blob')
    socket.binaryType = 'arraybuffer'
    socket.binaryType = 'nonsense' as BinaryType
    expect(socket.binaryType).toBe('arraybuffer')
    if (['connecting', 'handshaking', 'open'].includes(state)) expect(FakeSocket.latest.binaryType).toBe('arraybuffer')
    scene.unblock()
    socket.reconnect()
    await settle()
    expect(FakeSocket.latest.binaryType).toBe('arraybuffer')
  })

  test('url, protocol and extensions are the present connection’s', async () => {
    const { socket } = create({ start: 'manual' }, 'http://example.test/x')
    expect(socket.url).toBe('')
    socket.connect()
    expect([socket.url, socket.protocol, socket.extensions]).toEqual(['ws://example.test/x', '', ''])
    FakeSocket.latest.accept('chat', 'permessage-deflate')
    expect([socket.protocol, socket.extensions]).toEqual(['chat', 'permessage-deflate'])
    FakeSocket.latest.finish(1006)
    expect([socket.protocol, socket.extensions]).toEqual(['chat', 'permessage-deflate'])
    socket.reconnect()
    expect([socket.protocol, socket.extensions]).toEqual(['', ''])
  })

  test('on… attributes hear their events, with the socket as this', async () => {
    const { socket } = create()
    const heard: unknown[] = []
    for (const type of ['open', 'message', 'error', 'close'] as const) {
      expect(socket[`on${type}`]).toBeNull()
      socket[`on${type}`] = function hear(this: unknown, event: Event) {
        heard.push([event.type, this === socket, event.target === socket])
      }
    }
    await settle()
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('x')
    FakeSocket.latest.fail()
    expect(heard).toEqual(['open', 'message', 'error', 'close'].map((type) => [type, true, true]))
  })

  test('a class of that shape without url is told by nothing', async () => {
    class Bare extends FakeSocket {
      constructor(url: string) {
        super(url)
        Object.assign(this, { url: undefined })
      }
    }
    const { socket, log } = create({ WebSocket: Bare })
    FakeSocket.latest.fail()
    await settle()
    expect(socket.state).toBe('waiting')
    expect(log).toContain('error connect-failed')
  })

  test('a class of that shape without bufferedAmount has nothing buffered', async () => {
    const { socket } = await createOpen()
    FakeSocket.latest.bufferedAmount = undefined as unknown as number
    socket.send('x')
    expect(socket.bufferedAmount).toBe(0)
  })
})

describe('[P2] close checks its arguments in every state, and changes nothing when they are bad', () => {
  test.each(STATES)('while %s', async (state) => {
    const { socket, log } = await inState(state)
    for (const code of [0, 999, 1001, 1005, 2999, 5000, 70_000, Number.NaN, null]) {
      expect(thrownBy(() => socket.close(code as number))).toHaveProperty('name', 'InvalidAccessError')
    }
    expect(thrownBy(() => socket.close(1000, 'é'.repeat(62)))).toHaveProperty('name', 'SyntaxError')
    expect(socket.state).toBe(state)
    expect(log).toEqual([])
  })

  test.each([
    [[], [undefined, undefined]],
    [[1000], [1000, undefined]],
    // WebIDL's [Clamp] rounds halves to even.
    [[1000.5], [1000, undefined]],
    [
      [4999, 'é'.repeat(61)],
      [4999, 'é'.repeat(61)],
    ],
    [
      ['3000', 5],
      [3000, '5'],
    ],
    [
      [undefined, 'why'],
      // Chromium wants a code before a reason.
      [1000, 'why'],
    ],
  ])('passes %o on', async (given, expected) => {
    const { socket } = await inState('open')
    socket.close(...(given as [number, string]))
    expect(FakeSocket.latest.closes).toEqual([expected])
  })
})

describe('[P2] send', () => {
  test('must have an argument', () => {
    const { socket } = create()
    expect(() => (socket.send as () => void)()).toThrow(TypeError)
  })

  test('turns into text what is not data', async () => {
    const { socket } = await inState('open')
    for (const data of [1, null, undefined, { toString: () => 'object' }]) socket.send(data)
    expect(FakeSocket.latest.sent).toEqual(['1', 'null', 'undefined', 'object'])
    expect(() => socket.send(Symbol('x') as never)).toThrow(TypeError)
  })
})

describe('[P2] message listeners', () => {
  test('a held message is told with its data and origin', async () => {
    const { socket } = create({ handshake: () => {} })
    const heard: unknown[] = []
    socket.addEventListener('message', ({ data, origin, lastEventId, target }) =>
      heard.push(data, origin, lastEventId, target === socket),
    )
    FakeSocket.latest.accept()
    FakeSocket.latest.onmessage?.({ type: 'message', data: 'early', origin: 'ws://example.test' })
    await settle()
    expect(heard).toEqual(['early', 'ws://example.test', '', true])
  })

  test('hear the native event itself where it is the platform’s', async () => {
    const { socket } = await createOpen()
    const events: Event[] = []
    socket.addEventListener('message', (event) => events.push(event))
    socket.onmessage = (event) => events.push(event)
    const event = new MessageEvent('message', { data: 'x' })
    FakeSocket.latest.dispatch(event)
    expect(events).toEqual([event, event])
    expect(event.target).toBe(socket)
  })

  test('hear one of their own where nobody dispatches the native event, or it is of another class', async () => {
    const { socket } = await createOpen()
    const events: MessageEvent[] = []
    socket.addEventListener('message', (event) => events.push(event))
    const Message = MessageEvent as new (type: string, init?: MessageEventInit) => MessageEvent
    class Other extends Message {}
    const given = [new MessageEvent('message', { data: 'x' }), new Other('message', { data: 'y' })]
    for (const event of given) FakeSocket.latest.onmessage?.(event)
    FakeSocket.latest.dispatch(given[1] as Other)
    expect(events.map((event) => event.data as unknown)).toEqual(['x', 'y', 'y'])
    for (const event of events) {
      expect(given).not.toContain(event)
      expect(event.target).toBe(socket)
    }
  })

  test('can be removed; removing a stranger does nothing', async () => {
    const { socket } = await createOpen()
    const listener = vi.fn<() => void>()
    socket.removeEventListener('message', listener)
    socket.addEventListener('message', listener)
    socket.removeEventListener('message', listener)
    socket.addEventListener('open', listener)
    socket.removeEventListener('open', listener)
    FakeSocket.latest.receive('x')
    socket.reconnect()
    FakeSocket.latest.accept()
    expect(listener).not.toHaveBeenCalled()
  })

  test('what the application dispatches itself reaches them, too', async () => {
    const { socket } = await createOpen()
    const listener = vi.fn<(event: Event) => void>()
    socket.addEventListener('message', listener)
    const event = new MessageEvent('message', { data: 'own' })
    socket.dispatchEvent(event)
    expect(listener).toHaveBeenCalledExactlyOnceWith(event)
  })
})

describe('[P5] beyond WebSocket', () => {
  afterEach(() => vi.unstubAllGlobals())

  test('on returns its undo, off undoes it, too', async () => {
    const { socket } = await createOpen()
    const first = vi.fn<() => void>()
    const second = vi.fn<() => void>()
    const undo = socket.on('message', first)
    socket.on('message', second)
    FakeSocket.latest.receive('1')
    undo()
    undo()
    FakeSocket.latest.receive('2')
    socket.off('message', second)
    FakeSocket.latest.receive('3')
    expect([first.mock.calls, second.mock.calls]).toEqual([[['1']], [['1'], ['2']]])
  })

  test('off before any on does nothing', () => {
    const socket = new Heartwire(URL, { WebSocket: FakeSocket, start: 'manual' })
    expect(() => socket.off('message', () => {})).not.toThrow()
  })

  test('on must have a function', () => {
    const { socket } = create()
    expect(() => socket.on('open', null as never)).toThrow(TypeError)
  })

  test.each(['close', 'connect', 'reconnect', 'opne', 'toString'])('[E2] there is no event %s', (type) => {
    const { socket } = create()
    const message = `Cannot listen to '${type}' as the type must be one of state, open, message, lost, waiting, closed, `
    expect(() => socket.on(type as 'open', () => {})).toThrow(TypeError)
    expect(() => socket.on(type as 'open', () => {})).toThrow(message)
    expect(() => socket.once(type as 'open')).toThrow(message)
  })

  test('nothing known yet is null or 0', () => {
    const { socket } = create()
    expect(socket).toMatchObject({ attempt: 0, latency: null, lastClose: null, reason: null, queued: 0 })
    expect(socket.bufferedAmount).toBe(0)
  })

  test('reason is told only while closed', async () => {
    const { socket } = await inState('closing')
    expect(socket.reason).toBeNull()
    FakeSocket.latest.finish(1000)
    expect(socket.reason).toBe('user')
    socket.connect()
    expect(socket.reason).toBeNull()
  })

  test('queued counts the queue; without one it is 0', () => {
    const { socket } = create()
    socket.send('x')
    expect(socket.queued).toBe(1)
    expect(create({ queue: false }).socket.queued).toBe(0)
  })

  test('a start by hand waits for connect()', async () => {
    const { socket } = create({ start: 'manual' })
    socket.addEventListener('message', () => {})
    socket.send('x')
    await advance(100_000)
    expect([socket.state, socket.readyState, FakeSocket.all.length]).toEqual(['idle', 3, 0])
    socket.connect()
    expect(socket.state).toBe('connecting')
  })

  test.each<[string, (socket: Heartwire) => unknown]>([
    ['send', (socket) => socket.send('x')],
    ['opened', (socket) => socket.opened()],
    ['a message listener', (socket) => socket.addEventListener('message', () => {})],
    ['onmessage', (socket) => (socket.onmessage = () => {})],
    ['on message', (socket) => socket.on('message', () => {})],
    ['once message', (socket) => socket.once('message')],
    ['iteration', (socket) => socket[Symbol.asyncIterator]().next()],
    ['connect', (socket) => socket.connect()],
  ])('a lazy start begins with %s', (_, begin) => {
    const { socket } = create({ start: 'lazy' })
    socket.on('open', () => {})
    socket.addEventListener('close', () => {})
    expect(socket.state).toBe('idle')
    Promise.resolve(begin(socket)).catch(() => {})
    expect(socket.state).toBe('connecting')
  })

  test('a lazy start begins with the first send without a queue, too', () => {
    const { socket } = create({ start: 'lazy', queue: false })
    socket.send('x')
    expect(socket.state).toBe('connecting')
  })
})

describe('[P4] extend', () => {
  const Sub = Heartwire.extend({ WebSocket: FakeSocket, network: false, reconnect: { minDelay: 10, maxDelay: 10 } })

  test('makes a class with these defaults', async () => {
    adopt(new Sub(URL, 'chat'))
    expect(FakeSocket.latest.protocols).toEqual(['chat'])
    FakeSocket.latest.fail()
    await advance(10)
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('options replace a default whole; others stay', async () => {
    const { socket } = adopt(new Sub(URL, { reconnect: false }))
    FakeSocket.latest.fail()
    expect(socket.state).toBe('closed')
  })

  test('three arguments work as in the class itself', () => {
    const { socket } = adopt(new Sub(URL, ['a', 'b'], { start: 'manual' }))
    expect(socket.state).toBe('idle')
    socket.connect()
    expect(FakeSocket.latest.protocols).toEqual(['a', 'b'])
  })

  test('is a class like any other: instanceof, constants, extend again', () => {
    const Subsub = Sub.extend({ binaryType: 'arraybuffer' })
    const { socket } = adopt(new Subsub(URL))
    expect(socket).toBeInstanceOf(Sub)
    expect(socket).toBeInstanceOf(Heartwire)
    expect(Subsub.OPEN).toBe(1)
    expect(FakeSocket.latest.binaryType).toBe('arraybuffer')
  })

  test('[O1] undefined is not given', () => {
    const Manual = Sub.extend({ WebSocket: FakeSocket, start: 'manual' })
    expect(adopt(new Manual(URL, { start: undefined })).socket.state).toBe('idle')
  })

  test('[P2] must have a url, too', () => {
    expect(() => Reflect.construct(Sub, [])).toThrow(TypeError)
  })

  test('[O1] checks the defaults at once', () => {
    expect(() => Heartwire.extend({ connectTimeout: -1 })).toThrow(RangeError)
  })
})
