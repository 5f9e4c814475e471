// The field's bugs as regressions: the queue, the listeners and the heartbeat.
// Each title says what goes wrong elsewhere; the test runs it in every state in which it can.
import { describe, expect, test, vi } from 'vitest'
import type { Heartwire, HeartwireOptions } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import {
  advance,
  collect,
  createOpen,
  elapse,
  inState,
  open,
  settle,
  stubReportError,
  uncaught,
  useScenes,
} from './support/scene.ts'
import type { Scene } from './support/scene.ts'

useScenes()

/** Where `send` queues. */
const QUEUEING = ['idle', 'resolving', 'connecting', 'handshaking', 'waiting', 'paused'] as const

/** From wherever it is, the next connection opens. */
const comeUp = async (scene: Scene): Promise<void> => {
  scene.unblock()
  scene.socket.reconnect()
  await open(scene)
  expect(scene.socket.state).toBe('open')
}

const toBytes = (data: unknown): number[] => [...new Uint8Array(data as ArrayBuffer)]

describe('what is queued', () => {
  const KINDS: [string, (buffer: ArrayBuffer) => ArrayBuffer | ArrayBufferView<ArrayBuffer>, number[]][] = [
    ['a Uint8Array', (buffer) => new Uint8Array(buffer), [1, 2, 3, 4]],
    ['a part of a Uint8Array', (buffer) => new Uint8Array(buffer, 1, 2), [2, 3]],
    ['a Uint16Array', (buffer) => new Uint16Array(buffer), [1, 2, 3, 4]],
    ['a DataView', (buffer) => new DataView(buffer, 2), [3, 4]],
    ['an ArrayBuffer', (buffer) => buffer, [1, 2, 3, 4]],
  ]

  test.for(QUEUEING.flatMap((state) => KINDS.map(([kind, make, expected]) => [state, kind, make, expected] as const)))(
    '[Q1] while %s, of %s is what it was when it was sent, not what the buffer holds by then',
    async ([state, , make, expected]) => {
      const scene = await inState(state)
      const { buffer } = Uint8Array.of(1, 2, 3, 4)
      scene.socket.send(make(buffer))
      new Uint8Array(buffer).fill(9)
      await comeUp(scene)
      expect(FakeSocket.latest.sent.map(toBytes)).toEqual([expected])
    },
  )

  test.for(KINDS)('[Q3] again after a loss, of %s is what it was when it was sent', async ([, make, expected]) => {
    const scene = await createOpen()
    FakeSocket.latest.isStalled = true
    const { buffer } = Uint8Array.of(1, 2, 3, 4)
    scene.socket.send(make(buffer))
    new Uint8Array(buffer).fill(9)
    FakeSocket.latest.finish(1006)
    await elapse()
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent.map(toBytes)).toEqual([expected])
  })

  test.for([...QUEUEING, 'open', 'closing', 'closed'] as const)(
    '[Q2] while %s, bufferedAmount counts the bytes of UTF-8, not the characters: "€€€😀" is 13',
    async (state) => {
      const { socket } = await inState(state)
      if (state === 'open') FakeSocket.latest.isStalled = true
      socket.send('€€€😀')
      expect(socket.bufferedAmount).toBe(13)
      socket.send('€€€😀')
      expect(socket.bufferedAmount).toBe(26)
    },
  )

  const MANY = 20_000
  const many = Array.from({ length: MANY }, (_, index) => `${index}`)
  const options = { queue: { maxMessages: MANY } }

  test.for(QUEUEING)('[Q1] while %s, 20,000 messages overflow no stack when they are flushed', async (state) => {
    const scene = await inState(state, options)
    for (const message of many) scene.socket.send(message)
    expect(scene.socket.queued).toBe(MANY)
    await comeUp(scene)
    expect(FakeSocket.latest.sent).toEqual(many)
    expect(scene.socket.queued).toBe(0)
  })

  test('[Q3] 20,000 messages overflow no stack when they are put back and sent again', async () => {
    const { socket } = await createOpen(options)
    FakeSocket.latest.isStalled = true
    const lost = collect(socket, 'lost')
    for (const message of many) socket.send(message)
    FakeSocket.latest.finish(1006)
    expect(lost).toMatchObject([{ requeued: MANY, inDoubt: 0 }])
    await elapse()
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual(many)
  })

  test('[Q5] 20,000 messages overflow no stack when they are dropped', async () => {
    const { socket } = await inState('waiting', options)
    const dropped = collect(socket, 'dropped')
    for (const message of many) socket.send(message)
    socket.close()
    await advance(0)
    expect(dropped.flatMap(({ messages }) => messages)).toEqual(many)
  })

  test.for([
    ['the first connection', 'connecting'],
    ['a retry', 'waiting'],
    ['reconnect()', 'open'],
    ['connect() after the end', 'closed'],
  ] as const)('[P6] waits for the handshake of %s: its frames go first', async ([, state]) => {
    let asks = state === 'connecting'
    const { socket } = await inState(state, {
      async handshake({ send, receive }) {
        if (!asks) return
        send('hello')
        await receive()
        send('token')
      },
    })
    asks = true
    if (state === 'waiting') await elapse()
    else if (state !== 'connecting') socket.reconnect()
    socket.send('queued')
    FakeSocket.latest.accept()
    socket.send('during')
    await settle()
    expect(FakeSocket.latest.sent).toEqual(['hello'])
    FakeSocket.latest.receive('challenge')
    await settle()
    expect(FakeSocket.latest.sent).toEqual(['hello', 'token', 'queued', 'during'])
  })
})

describe('a listener', () => {
  const TYPES = ['open', 'message', 'error', 'close'] as const

  /** Lets each event come once, on a connection of its own or the next. */
  const cause: Record<(typeof TYPES)[number], () => Promise<void>> = {
    async open() {
      FakeSocket.latest.accept()
    },
    async message() {
      FakeSocket.latest.accept()
      FakeSocket.latest.receive('x')
    },
    async error() {
      FakeSocket.latest.fail()
      await elapse()
    },
    async close() {
      FakeSocket.latest.accept()
      FakeSocket.latest.finish(1006)
      await elapse()
    },
  }

  /** A socket of which `again()` causes the next event of a type. */
  const hear = async (type: (typeof TYPES)[number]): Promise<{ socket: Heartwire; again: () => Promise<void> }> => {
    const scene = await inState('connecting')
    const { socket } = scene
    let isFirst = true
    return {
      socket,
      async again() {
        if (!isFirst && (type === 'open' || type === 'message')) socket.reconnect()
        isFirst = false
        await cause[type]()
        await settle()
      },
    }
  }

  test.for(TYPES)('[P2] of %s that is added twice is called once', async (type) => {
    const { socket, again } = await hear(type)
    const calls: unknown[] = []
    const listener = (event: Event): void => void calls.push(event.type)
    for (const options of [undefined, false, { once: false }]) socket.addEventListener(type, listener, options)
    await again()
    expect(calls).toEqual([type])
    socket.removeEventListener(type, listener)
    await again()
    expect(calls).toEqual([type])
  })

  test.for(TYPES)('[P2] of %s with once is called once, although the socket lives on', async (type) => {
    const { socket, again } = await hear(type)
    const calls: string[] = []
    socket.addEventListener(type, () => calls.push('once'), { once: true })
    socket.addEventListener(type, () => calls.push('always'))
    await again()
    await again()
    expect(calls).toEqual(['once', 'always', 'always'])
  })

  test.for(TYPES)('[P2] of %s with a signal ends with it, or never begins', async (type) => {
    const { socket, again } = await hear(type)
    const calls: string[] = []
    const controller = new AbortController()
    socket.addEventListener(type, () => calls.push('signal'), { signal: controller.signal })
    socket.addEventListener(type, () => calls.push('aborted'), { signal: AbortSignal.abort() })
    await again()
    controller.abort()
    await again()
    expect(calls).toEqual(['signal'])
  })

  test.for(TYPES)('[P2] of %s that removes itself does not hide the next one', async (type) => {
    const { socket, again } = await hear(type)
    const calls: string[] = []
    const first = (): void => {
      calls.push('first')
      socket.removeEventListener(type, first)
    }
    socket.addEventListener(type, first)
    socket.addEventListener(type, () => calls.push('second'))
    await again()
    await again()
    expect(calls).toEqual(['first', 'second', 'second'])
  })

  test.for(TYPES)('[P2] of %s that is added during the event waits for the next', async (type) => {
    const { socket, again } = await hear(type)
    const calls: string[] = []
    socket.addEventListener(type, () => {
      calls.push('first')
      if (calls.length === 1) socket.addEventListener(type, () => calls.push('added'))
    })
    await again()
    expect(calls).toEqual(['first'])
    await again()
    expect(calls).toEqual(['first', 'first', 'added'])
  })

  test.for(['state', 'open', 'message', 'lost', 'waiting'] as const)(
    '[E2] on the bus, of %s, that removes itself or adds another changes nothing for this event',
    async (type) => {
      const { socket } = await inState('connecting')
      const calls: string[] = []
      const undo = socket.on(type, () => {
        undo()
        calls.push('first')
        socket.on(type, () => calls.push('late'))
      })
      const undoSecond = socket.on(type, () => {
        undoSecond()
        calls.push('second')
      })
      FakeSocket.latest.accept()
      FakeSocket.latest.receive('x')
      expect(calls.slice(0, 2)).toEqual(type === 'lost' || type === 'waiting' ? [] : ['first', 'second'])
      FakeSocket.latest.finish(1006)
      expect(calls.slice(0, 2)).toEqual(['first', 'second'])
    },
  )
})

describe('the heartbeat', () => {
  const BEAT = { message: 'ping', interval: 100, timeout: 100 } as const

  const KINDS: Record<string, HeartwireOptions> = {
    idle: { heartbeat: BEAT },
    always: { heartbeat: { ...BEAT, when: 'always' } },
    'from the server': { heartbeat: { interval: 100, timeout: 100, from: 'server' } },
  }

  /** A full buffer keeps the close frame from ever leaving; nor does a peer that is gone answer. */
  const BUFFERS = [0, 1 << 24] as const

  test.for(Object.keys(KINDS).flatMap((kind) => BUFFERS.map((bytes): [string, number] => [kind, bytes])))(
    '[H4] death (%s, %i bytes stuck) does not wait for the close handshake of a peer that is gone',
    async ([kind, bytes]) => {
      const { socket, log } = await createOpen(KINDS[kind])
      const dead = FakeSocket.latest
      dead.bufferedAmount = bytes
      await advance(199)
      expect([socket.state, closesOf(log)]).toEqual(['open', []])
      await advance(1)
      expect([socket.state, closesOf(log)]).toEqual(['waiting', ['<close 1006 heartbeat timeout again>']])
      expect(dead.readyState).toBe(2)
      await advance(1_000)
      FakeSocket.latest.accept()
      expect([socket.state, FakeSocket.all.length]).toEqual(['open', 2])
    },
  )

  const closesOf = (log: readonly string[]): string[] => log.filter((line) => line.startsWith('<close'))

  /** Between death and whatever becomes of the native socket, it is the user's turn. */
  const WINDOWS: Record<string, (socket: Heartwire, act: () => void) => Promise<unknown>> = {
    'in onerror': async (socket, act) => {
      socket.onerror = act
      await advance(200)
    },
    'in onclose': async (socket, act) => {
      socket.addEventListener('close', act, { once: true })
      await advance(200)
    },
    'in on("lost")': async (socket, act) => {
      const undo = socket.on('lost', () => {
        undo()
        act()
      })
      await advance(200)
    },
    'in the turn after it': async (_, act) => {
      await advance(200)
      act()
    },
    'while the retry connects': async (_, act) => {
      await advance(1_200)
      act()
    },
    'when the next connection is open': async (_, act) => {
      await advance(1_200)
      FakeSocket.latest.accept()
      act()
    },
  }

  test.for(
    Object.keys(WINDOWS).flatMap((window) =>
      ['close()', 'Symbol.dispose', 'Symbol.asyncDispose', 'abort()'].map((way): [string, string] => [way, window]),
    ),
  )(
    '[S5] %s %s of a death sticks: neither the retry nor the late native close brings it back',
    async ([way, window]) => {
      const controller = new AbortController()
      const { socket, log } = await createOpen({ heartbeat: BEAT, signal: controller.signal })
      const dead = FakeSocket.latest
      const { onclose } = dead.handlers()
      const acts: Record<string, () => unknown> = {
        'close()': () => socket.close(),
        'Symbol.dispose': () => socket[Symbol.dispose](),
        'Symbol.asyncDispose': () => void socket[Symbol.asyncDispose](),
        'abort()': () => controller.abort(),
      }
      await WINDOWS[window]?.(socket, () => acts[way]?.())
      for (const native of FakeSocket.all) native.finish(1006)
      onclose?.({ type: 'close', code: 1006, reason: '', wasClean: false })
      await advance(100_000)
      expect([socket.state, socket.reason]).toEqual(['closed', way === 'abort()' ? 'aborted' : 'user'])
      expect(FakeSocket.all.filter(({ isLive }) => isLive)).toEqual([])
      expect(log.filter((line) => line.startsWith('closed:'))).toHaveLength(1)
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  const isPong = (data: unknown): boolean => data instanceof ArrayBuffer && data.byteLength === 1

  test.for<[string, string | ((data: unknown) => boolean), heard: number]>([
    ['a function that knows it', isPong, 0],
    ['a text that it is not', 'pong', 1],
    ['a function that throws on it', (data) => (data as string).startsWith('pong'), 1],
  ])('[H3] [H1] a binary pong is a sign of life and no TypeError, given %s', async ([, pong, heard]) => {
    stubReportError()
    const { socket } = await createOpen({ heartbeat: { ...BEAT, pong }, binaryType: 'arraybuffer' })
    const messages = collect(socket, 'message')
    for (let beat = 1; beat <= 3; beat++) {
      await advance(100)
      expect(FakeSocket.latest.sent).toHaveLength(beat)
      FakeSocket.latest.receive(new ArrayBuffer(1))
    }
    expect(messages).toHaveLength(3 * heard)
    expect([socket.state, FakeSocket.all.length]).toEqual(['open', 1])
  })

  const LISTENERS: Record<string, (socket: Heartwire, listener: () => void) => void> = {
    onmessage: (socket, listener) => (socket.onmessage = listener),
    'a message listener': (socket, listener) => socket.addEventListener('message', listener),
    'on("message")': (socket, listener) => socket.on('message', listener),
    'on("*")': (socket, listener) => socket.on('*', listener),
  }

  /** How a class brings a message: as an event of its own, or as one that the platform dispatches. */
  const BROUGHT: Record<string, () => void> = {
    'of a class': () => FakeSocket.latest.receive('news'),
    'of the platform': () => {
      const event = new MessageEvent('message', { data: 'news' })
      // The platform's own clock is not the fake one, and would decide by chance which of the two is believed.
      Object.defineProperty(event, 'timeStamp', { value: performance.now() })
      FakeSocket.latest.dispatch(event)
    },
  }

  test.for(
    Object.keys(LISTENERS).flatMap((name) =>
      Object.keys(KINDS).flatMap((kind) => Object.keys(BROUGHT).map((how) => [name, how, kind] as const)),
    ),
  )(
    '[S4] %s that throws does not keep a message %s from being a sign of life (%s): a healthy link is not killed',
    async ([name, how, kind]) => {
      const reported = stubReportError()
      const { socket } = await createOpen(KINDS[kind])
      const heard: string[] = []
      let calls = 0
      LISTENERS[name]?.(socket, () => {
        calls += 1
        throw new Error('listener')
      })
      socket.addEventListener('message', () => heard.push('listener'))
      socket.on('*', (type) => {
        if (type === 'message') heard.push('bus')
      })
      const errors = await uncaught(async () => {
        for (let n = 0; n < 20; n++) {
          await advance(90)
          BROUGHT[how]?.()
        }
      })
      expect([socket.state, FakeSocket.all.length]).toEqual(['open', 1])
      expect(calls).toBeGreaterThanOrEqual(20)
      expect(reported.length + errors.length).toBe(calls)
      expect(heard).toEqual(Array.from({ length: 20 }, () => ['listener', 'bus']).flat())
    },
  )
})
