// Urls and protocols that are asked for, and the handshake: whatever they do, the attempt ends well or fails, once.
import { describe, expect, test, vi } from 'vitest'
import { json } from '../src/index.ts'
import type { AttemptContext, HandshakeContext, HeartwireOptions } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import {
  advance,
  collect,
  create,
  elapse,
  inState,
  settle,
  uncaught,
  URL as ADDRESS,
  useScenes,
  type Scene,
} from './support/scene.ts'

useScenes()

/** A promise, and what settles it. */
const deferred = <Value>(): PromiseWithSettlers<Value> => {
  const settlers: Partial<PromiseWithSettlers<Value>> = {}
  const promise = new Promise<Value>((resolve, reject) => Object.assign(settlers, { resolve, reject }))
  return { ...(settlers as PromiseWithSettlers<Value>), promise }
}

interface PromiseWithSettlers<Value> {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
  readonly reject: (error?: unknown) => void
}

/** What cannot be turned into text; GraphQL results are such objects. */
const bare: unknown = Object.create(null)

/** How a provider or a handshake may go wrong. */
const FAILURES: [string, () => unknown, unknown][] = [
  ['rejects with an Error', () => Promise.reject(new Error('no')), new Error('no')],
  ['rejects with nothing', () => Promise.reject(), undefined],
  [
    'throws',
    () => {
      throw new TypeError('thrown')
    },
    new TypeError('thrown'),
  ],
  [
    'throws what cannot be turned into text',
    () => {
      throw bare
    },
    bare,
  ],
]

describe('[P1] providers', () => {
  test('may be a function of either, and either may be a promise', async () => {
    for (const [url, protocols] of [
      [() => ADDRESS, 'chat'],
      [ADDRESS, () => 'chat'],
      [async () => new URL(ADDRESS), async () => ['chat']],
    ] as const) {
      create({ protocols: protocols as HeartwireOptions['protocols'] }, url)
      await settle()
      expect(FakeSocket.latest).toMatchObject({ url: ADDRESS, protocols: ['chat'] })
    }
  })

  test('with one, nothing is constructed in the constructor', async () => {
    const { socket } = create({}, () => ADDRESS)
    expect([socket.state, socket.url, FakeSocket.all.length]).toEqual(['resolving', '', 0])
    await settle()
    expect([socket.state, socket.url]).toEqual(['connecting', ADDRESS])
  })

  test('are asked afresh for each attempt, and told about it', async () => {
    const contexts: AttemptContext[] = []
    let count = 0
    create({}, (context: AttemptContext) => {
      contexts.push(context)
      return `ws://example.test/${count++}`
    })
    await settle()
    FakeSocket.latest.accept()
    FakeSocket.latest.finish(4000, 'x')
    await elapse()
    expect(FakeSocket.all.map(({ url }) => url)).toEqual(['ws://example.test/0', 'ws://example.test/1'])
    expect(contexts.map(({ attempt, lastClose }) => [attempt, lastClose])).toEqual([
      [0, null],
      [1, { code: 4000, reason: 'x', wasClean: true }],
    ])
    expect(contexts[0]?.signal.aborted).toBe(true)
    expect(contexts[1]?.signal.aborted).toBe(false)
  })

  test('the signal is aborted when the attempt is over, however', async () => {
    const ends: ((scene: Scene) => unknown)[] = [
      ({ socket }) => socket.close(),
      ({ socket }) => socket.reconnect(),
      ({ network }) => network.emit('hide'),
      () => advance(10_000),
    ]
    for (const end of ends) {
      const signals: AbortSignal[] = []
      const scene = create({}, ({ signal }: AttemptContext) => {
        signals.push(signal)
        return new Promise(() => {})
      })
      await settle()
      expect(signals[0]?.aborted).toBe(false)
      await end(scene)
      expect(signals[0]?.aborted).toBe(true)
    }
  })

  test.each(FAILURES)('[S6] one that %s fails the attempt', async (_, provider, cause) => {
    const scene = create({}, provider)
    const errors = collect(scene.socket, 'error')
    await settle()
    expect(scene.log).toEqual([
      'resolving',
      'waiting',
      '<error>',
      '<close 1006 provider failed again>',
      'error provider-failed',
      'lost, attempt, 0 requeued, 0 in doubt',
      'waiting 1: 1000',
    ])
    expect(errors[0]?.cause).toEqual(cause)
  })

  test('[S6] one that gives what is no string fails the attempt', async () => {
    const { log } = create({}, () => Symbol('url'))
    await settle()
    expect(log).toContain('error provider-failed')
  })

  test.each([undefined, null])('[S6] one that gives %j fails the attempt: no page is called that', async (nothing) => {
    const { socket, log } = create({}, () => nothing)
    await settle()
    expect(FakeSocket.all).toEqual([])
    expect(socket.state).toBe('waiting')
    expect(log).toContain('error provider-failed')
  })

  test('[S6] both failing is one failure', async () => {
    const errors = await uncaught(async () => {
      const fail = (): never => {
        throw new Error('no')
      }
      const { log } = create({ protocols: fail }, fail)
      await settle()
      expect(log.filter((line) => line.startsWith('error'))).toEqual(['error provider-failed'])
    })
    expect(errors).toEqual([])
  })

  test('[S6] one that hangs is over after connectTimeout; what it says then is ignored', async () => {
    const answers = [deferred<string>(), deferred<string>(), deferred<string>()]
    let count = 0
    const { socket, log } = create({}, () => answers[count++]?.promise)
    await advance(10_000)
    expect(log).toContain('error connect-timeout')
    await advance(1_000)
    expect(socket.state).toBe('resolving')
    answers[0]?.resolve('ws://example.test/late')
    await settle()
    expect([socket.state, FakeSocket.all.length]).toEqual(['resolving', 0])
    answers[1]?.resolve('ws://example.test/good')
    await settle()
    expect(FakeSocket.all.map(({ url }) => url)).toEqual(['ws://example.test/good'])
  })

  test.each(['resolve', 'reject'] as const)('[S6] one that settles after close is ignored: %s', async (how) => {
    const answer = deferred<string>()
    const errors = await uncaught(async () => {
      const { socket } = create({}, () => answer.promise)
      await settle()
      socket.close()
      await advance(0)
      expect(socket.state).toBe('closed')
      answer[how](ADDRESS)
      await settle()
      expect([socket.state, FakeSocket.all.length]).toEqual(['closed', 0])
    })
    expect(errors).toEqual([])
  })

  test('[S6] one that settles between close() and its end is ignored', async () => {
    const answer = deferred<string>()
    const { socket } = create({}, () => answer.promise)
    socket.close()
    answer.resolve(ADDRESS)
    await settle()
    expect([socket.state, FakeSocket.all.length]).toEqual(['closing', 0])
    await advance(0)
    expect(socket.state).toBe('closed')
  })

  test('[S6] one that fails between close() and its end ends it', async () => {
    const answer = deferred<string>()
    const { socket, log } = create({}, () => answer.promise)
    socket.close()
    answer.reject(new Error('no'))
    await settle()
    expect([socket.state, socket.reason]).toEqual(['closed', 'user'])
    expect(log.filter((line) => line.startsWith('<close'))).toHaveLength(1)
  })

  test('[S6] one that settles late may do so in any order: the latest attempt counts', async () => {
    const answers = [deferred<string>(), deferred<string>()]
    let count = 0
    const { socket } = create({}, () => answers[count++]?.promise)
    socket.reconnect()
    answers[1]?.resolve('ws://example.test/new')
    await settle()
    answers[0]?.resolve('ws://example.test/old')
    await settle()
    expect(FakeSocket.all.map(({ url }) => url)).toEqual(['ws://example.test/new'])
  })

  test('[S3] one that closes or reconnects from inside', async () => {
    let turn = 0
    const { socket } = create({ start: 'manual' }, () => {
      if (turn++ === 0) socket.reconnect()
      return ADDRESS
    })
    socket.connect()
    await settle()
    expect([turn, FakeSocket.all.length]).toEqual([2, 1])
    const another = create({ start: 'manual' }, () => {
      another.socket.close()
      return ADDRESS
    })
    another.socket.connect()
    await advance(0)
    expect([another.socket.state, FakeSocket.all.length]).toEqual(['closed', 1])
  })

  test('[R3] failures of providers count', async () => {
    const { socket } = create({ reconnect: { maxAttempts: 2 } }, () => Promise.reject(new Error('no')))
    await settle()
    await elapse()
    expect(socket.reason).toBe('gave-up')
  })
})

describe('[P6] the handshake', () => {
  const shake = (handshake: (context: HandshakeContext<any, any>) => unknown, options: HeartwireOptions = {}): Scene =>
    create({ handshake, ...options })

  test('comes before open and before the queue', async () => {
    const { socket, log } = shake(async ({ send, receive }) => {
      send('auth')
      await receive()
      send('thanks')
    })
    socket.send('queued')
    FakeSocket.latest.accept()
    await settle()
    expect([socket.state, socket.readyState, FakeSocket.latest.sent]).toEqual(['handshaking', 0, ['auth']])
    FakeSocket.latest.receive('welcome')
    await settle()
    expect(socket.state).toBe('open')
    expect(FakeSocket.latest.sent).toEqual(['auth', 'thanks', 'queued'])
    expect(log).not.toContain('message welcome')
  })

  test('may be synchronous, and may return anything', async () => {
    const { socket } = shake(() => 'whatever')
    FakeSocket.latest.accept()
    await settle()
    expect(socket.state).toBe('open')
  })

  test('is told the attempt, and speaks the codec', async () => {
    const attempts: number[] = []
    const heard: unknown[] = []
    const { socket } = shake(
      async ({ attempt, send, receive }) => {
        attempts.push(attempt)
        send({ token: attempt })
        heard.push(await receive())
      },
      { codec: json() },
    )
    for (const attempt of [0, 1]) {
      FakeSocket.latest.accept()
      FakeSocket.latest.receive('{"ok":true}')
      await settle()
      expect(FakeSocket.latest.sent).toEqual([`{"token":${attempt}}`])
      FakeSocket.latest.finish(1006)
      await elapse()
    }
    expect(attempts).toEqual([0, 1])
    expect(heard).toEqual([{ ok: true }, { ok: true }])
    expect(socket.state).toBe('connecting')
  })

  test('receives in order, what came before it asked and after', async () => {
    const heard: unknown[] = []
    shake(async ({ receive }) => {
      await Promise.resolve()
      for (let n = 0; n < 3; n++) heard.push(await receive())
    })
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('1')
    FakeSocket.latest.receive('2')
    await settle()
    FakeSocket.latest.receive('3')
    await settle()
    expect(heard).toEqual(['1', '2', '3'])
  })

  test('leaves what it did not read to the listeners, after open', async () => {
    const { socket, log } = shake(({ receive }) => receive())
    const events: Event[] = []
    socket.addEventListener('message', (event) => events.push(event))
    FakeSocket.latest.accept()
    for (const data of ['hello', 'news 1', 'news 2']) FakeSocket.latest.receive(data)
    await settle()
    FakeSocket.latest.receive('news 3')
    expect(log.slice(3)).toEqual(['open', '<open>', 'open 0', 'message news 1', 'message news 2', 'message news 3'])
    expect(events.map((event) => (event as MessageEvent).data)).toEqual(['news 1', 'news 2', 'news 3'])
    expect(events.every((event) => event instanceof MessageEvent && event.target === socket)).toBe(true)
  })

  test.each(FAILURES)('[S6] one that %s fails the attempt', async (_, handshake, cause) => {
    const { log, socket } = shake(handshake)
    const errors = collect(socket, 'error')
    FakeSocket.latest.accept()
    await settle()
    expect(log.slice(2)).toEqual([
      'handshaking',
      'waiting',
      '<error>',
      '<close 1006 handshake failed again>',
      'error handshake-failed',
      'lost, attempt, 0 requeued, 0 in doubt',
      'waiting 1: 1000',
    ])
    expect(errors[0]?.cause).toEqual(cause)
    expect(FakeSocket.latest.isLive).toBe(false)
  })

  test('[S6] one that hangs is over after connectTimeout, and its signal aborted', async () => {
    const signals: AbortSignal[] = []
    const { log } = shake(({ signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    FakeSocket.latest.accept()
    await advance(10_000)
    expect(log).toContain('error connect-timeout')
    expect(signals[0]?.aborted).toBe(true)
  })

  test.each(['resolve', 'reject'] as const)('[S6] one that settles late is ignored: %s', async (how) => {
    const answers = [deferred<void>(), deferred<void>()]
    let count = 0
    const { socket, log } = shake(() => answers[count++]?.promise)
    FakeSocket.latest.accept()
    await settle()
    socket.reconnect()
    FakeSocket.latest.accept()
    await settle()
    log.length = 0
    answers[0]?.[how]()
    await settle()
    expect([socket.state, log]).toEqual(['handshaking', []])
    answers[1]?.resolve()
    await settle()
    expect(socket.state).toBe('open')
  })

  test.each(['resolve', 'reject'] as const)('[S6] one that settles after close() is ignored: %s', async (how) => {
    const answer = deferred<void>()
    const { socket } = shake(() => answer.promise)
    FakeSocket.latest.accept()
    await settle()
    socket.close()
    answer[how]()
    await settle()
    expect(socket.state).toBe('closing')
  })

  test('[S6] a receive that waits is rejected when the attempt is over', async () => {
    const outcome = deferred<unknown>()
    shake(({ receive }) => {
      receive().then(outcome.resolve, outcome.resolve)
      return new Promise(() => {})
    })
    FakeSocket.latest.accept()
    await settle()
    FakeSocket.latest.finish(1006)
    expect(await outcome.promise).toMatchObject({ code: 'handshake-failed' })
  })

  test('[S6] a receive that nobody waits for is no unhandled rejection', async () => {
    const errors = await uncaught(async () => {
      shake(({ receive }) => {
        void receive()
        return new Promise(() => {})
      })
      FakeSocket.latest.accept()
      await settle()
      FakeSocket.latest.finish(1006)
    })
    expect(errors).toEqual([])
  })

  test('[S6] its send and receive are of no use when it is over', async () => {
    const contexts: HandshakeContext<any, any>[] = []
    shake((context) => void contexts.push(context))
    FakeSocket.latest.accept()
    await settle()
    expect(() => contexts[0]?.send('late')).toThrow(expect.objectContaining({ code: 'handshake-failed' }))
    await expect(contexts[0]?.receive()).rejects.toMatchObject({ code: 'handshake-failed' })
    expect(FakeSocket.latest.sent).toEqual([])
  })

  test('[S6] a message that does not decode fails it', async () => {
    const { log } = shake(({ receive }) => receive(), { codec: json() })
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('{')
    await settle()
    expect(log).toContain('error handshake-failed')
  })

  test('a server that ends it is retried like any failed attempt', async () => {
    const { socket } = await inState('handshaking')
    FakeSocket.latest.finish(1000, '', true)
    expect(socket.state).toBe('waiting')
    expect(socket.lastClose).toEqual({ code: 1006, reason: '', wasClean: false })
  })

  test('[S3] may close or reconnect from inside', async () => {
    let turn = 0
    const { socket } = shake(() => {
      if (turn++ === 0) socket.reconnect()
    })
    FakeSocket.latest.accept()
    await settle()
    FakeSocket.latest.accept()
    await settle()
    expect([turn, socket.state]).toEqual([2, 'open'])
    const another = shake(() => another.socket.close())
    FakeSocket.latest.accept()
    FakeSocket.latest.finish(1000)
    await settle()
    expect(another.socket.state).toBe('closed')
    expect(another.log).not.toContain('open')
  })

  test('[Q3] what it sent is in doubt, and never sent again by us', async () => {
    FakeSocket.isStalled = true
    const { log, socket } = shake(({ send }) => send('auth'))
    FakeSocket.latest.accept()
    await settle()
    socket.send('1')
    FakeSocket.latest.finish(1006)
    expect(log).toContain('lost, open, 1 requeued, 1 in doubt')
  })

  test('runs anew for each connection', async () => {
    const handshake = vi.fn<() => void>()
    shake(handshake)
    for (let n = 1; n <= 3; n++) {
      FakeSocket.latest.accept()
      await settle()
      FakeSocket.latest.finish(1006)
      await elapse()
      expect(handshake).toHaveBeenCalledTimes(n)
    }
  })
})
