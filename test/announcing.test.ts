// What is told: DOM events, bus events, their order, and what each carries.
import { describe, expect, test, vi } from 'vitest'
import { Heartwire, HeartwireError, json } from '../src/index.ts'
import type { HeartwireCloseEvent, HeartwireEvents } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import {
  adopt,
  advance,
  collect,
  create,
  createOpen,
  elapse,
  FakeNetwork,
  inState,
  settle,
  stubReportError,
  URL,
  useScenes,
} from './support/scene.ts'

useScenes()

describe('[E1] DOM events', () => {
  test('open, message, error and close for every connection, in the browser’s order', async () => {
    const { socket } = create()
    const told: string[] = []
    for (const type of ['open', 'message', 'error', 'close']) {
      socket.addEventListener(type, (event) => told.push(event.type))
    }
    for (let connection = 0; connection < 2; connection++) {
      FakeSocket.latest.accept()
      FakeSocket.latest.receive('x')
      FakeSocket.latest.fail()
      await elapse()
    }
    expect(told).toEqual(['open', 'message', 'error', 'close', 'open', 'message', 'error', 'close'])
  })

  test('a clean end has no error', async () => {
    const { socket } = await createOpen()
    const error = vi.fn<() => void>()
    socket.addEventListener('error', error)
    FakeSocket.latest.finish(1000)
    FakeSocket.latest.finish(1006)
    expect(error).not.toHaveBeenCalled()
  })

  test('exactly one object per occurrence, whose target is the socket', async () => {
    const { socket } = await createOpen()
    const events: Event[] = []
    socket.onclose = (event) => events.push(event)
    socket.addEventListener('close', (event) => events.push(event))
    FakeSocket.latest.finish(1000)
    expect(events).toHaveLength(2)
    expect(events[0]).toBe(events[1])
    expect(events[0]).toBeInstanceOf(Event)
    expect(events[0]?.target).toBe(socket)
  })

  test('close says how it ended, and whether a retry follows', async () => {
    const { socket } = await createOpen()
    const events: HeartwireCloseEvent[] = []
    socket.onclose = (event) => events.push(event)
    FakeSocket.latest.finish(4000, 'bye', true)
    await advance(1_000)
    FakeSocket.latest.accept()
    socket.close()
    FakeSocket.latest.finish(1000, 'done', true)
    const of = ({ code, reason, wasClean, willReconnect }: HeartwireCloseEvent): unknown[] => [
      code,
      reason,
      wasClean,
      willReconnect,
    ]
    expect(events.map(of)).toEqual([
      [4000, 'bye', true, true],
      [1000, 'done', true, false],
    ])
  })

  test('close is the platform’s CloseEvent where there is one', async () => {
    class CloseEvent extends Event {
      readonly code: number
      constructor(type: string, { code }: { code: number }) {
        super(type)
        this.code = code
      }
    }
    vi.stubGlobal('CloseEvent', CloseEvent)
    const { socket } = await createOpen()
    const events: Event[] = []
    socket.onclose = (event) => events.push(event)
    FakeSocket.latest.finish(4000)
    expect(events[0]?.constructor).toBe(CloseEvent)
    expect(events[0]).toMatchObject({ code: 4000, willReconnect: true })
  })

  test('the last state is visible in every listener', async () => {
    const { socket } = await createOpen()
    const seen: unknown[] = []
    socket.onclose = () => seen.push([socket.state, socket.readyState, socket.lastClose?.code])
    FakeSocket.latest.finish(1006)
    socket.reconnect()
    FakeSocket.latest.accept()
    socket.close()
    FakeSocket.latest.finish(1000)
    expect(seen).toEqual([
      ['waiting', 0, 1006],
      ['closed', 3, 1000],
    ])
  })
})

describe('[E2] bus events', () => {
  test('state: from where to where', async () => {
    const { socket } = create()
    const states = collect(socket, 'state')
    await settle()
    FakeSocket.latest.accept()
    FakeSocket.latest.finish(1006)
    expect(states.map(({ previous, state }) => `${previous} > ${state}`)).toEqual([
      'idle > resolving',
      'resolving > connecting',
      'connecting > open',
      'open > waiting',
    ])
  })

  test('open: the number of retries, and whether there was a connection before', async () => {
    const { socket } = create()
    const opens = collect(socket, 'open')
    FakeSocket.latest.fail()
    await elapse()
    FakeSocket.latest.accept()
    FakeSocket.latest.finish(1006)
    await elapse()
    FakeSocket.latest.accept()
    expect(opens).toEqual([
      { attempt: 1, isReconnect: false },
      { attempt: 2, isReconnect: true },
    ])
  })

  test('message: decoded; the DOM event stays raw', async () => {
    const { socket } = await createOpen({ codec: json() })
    const messages = collect(socket, 'message')
    const raw: unknown[] = []
    socket.onmessage = ({ data }) => raw.push(data)
    FakeSocket.latest.receive('{"a":1}')
    expect([messages, raw]).toEqual([[{ a: 1 }], ['{"a":1}']])
  })

  test('message: what does not decode is an error event, and nothing else', async () => {
    const { socket, log } = await createOpen({ codec: json() })
    const errors = collect(socket, 'error')
    FakeSocket.latest.receive('{')
    expect(log).toEqual(['error decode-failed'])
    expect(errors[0]?.cause).toBeInstanceOf(SyntaxError)
    expect(socket.state).toBe('open')
    FakeSocket.latest.receive('1')
    expect(log.at(-1)).toBe('message 1')
  })

  test('message: a failure that cannot be turned into text is one all the same', async () => {
    const { log } = await createOpen({
      codec: {
        encode: String,
        decode() {
          throw Object.create(null)
        },
      },
    })
    FakeSocket.latest.receive('x')
    FakeSocket.latest.finish(1006)
    expect(log.slice(0, 3)).toEqual(['error decode-failed', 'waiting', '<close 1006 again>'])
  })

  test('message: is not decoded when nobody listens to it', async () => {
    const decode = vi.fn<() => void>()
    const socket = new Heartwire(URL, { WebSocket: FakeSocket, codec: { encode: String, decode } })
    adopt(socket)
    socket.on('open', () => {})
    await settle()
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('x')
    socket.addEventListener('message', () => {})
    FakeSocket.latest.receive('x')
    expect(decode).not.toHaveBeenCalled()
    socket.on('message', () => {})
    FakeSocket.latest.receive('x')
    expect(decode).toHaveBeenCalledTimes(1)
  })

  test('lost: how, whether it was open, what follows and what became of the messages', async () => {
    const { socket } = await createOpen()
    const lost = collect(socket, 'lost')
    socket.send('x')
    FakeSocket.latest.finish(1001, 'restart')
    await elapse()
    FakeSocket.latest.fail()
    socket.close()
    await elapse()
    expect(lost).toEqual([
      {
        close: { code: 1001, reason: 'restart', wasClean: true },
        wasOpen: true,
        willReconnect: true,
        requeued: 0,
        inDoubt: 1,
      },
      {
        close: { code: 1006, reason: '', wasClean: false },
        wasOpen: false,
        willReconnect: true,
        requeued: 0,
        inDoubt: 0,
      },
    ])
  })

  test('closed: why, and how the last connection ended', async () => {
    const { socket } = await createOpen()
    const closed = collect(socket, 'closed')
    socket.close()
    FakeSocket.latest.finish(1000)
    expect(closed).toEqual([{ reason: 'user', close: { code: 1000, reason: '', wasClean: true } }])
  })

  test('closed: before any connection there is no close', async () => {
    const { socket } = await inState('idle')
    const closed = collect(socket, 'closed')
    socket.close()
    expect(closed).toEqual([{ reason: 'user', close: null }])
  })

  test('* hears everything, after the listeners of the type', async () => {
    const { socket } = await createOpen()
    const told: unknown[] = []
    socket.on('*', (type, event) => told.push(['*', type, event]))
    socket.on('message', (event) => told.push(['message', event]))
    FakeSocket.latest.receive('x')
    expect(told).toEqual([
      ['message', 'x'],
      ['*', 'message', 'x'],
    ])
  })

  test('listeners that come and go during an event', async () => {
    const { socket } = await createOpen()
    const told: string[] = []
    const undo = socket.on('message', () => {
      told.push('first')
      undo()
      socket.on('message', () => told.push('late'))
    })
    socket.on('message', () => told.push('second'))
    FakeSocket.latest.receive('1')
    expect(told).toEqual(['first', 'second'])
    FakeSocket.latest.receive('2')
    expect(told).toEqual(['first', 'second', 'second', 'late'])
  })
})

describe('[E3] errors', () => {
  /** The one error that `cause` makes an open socket announce. */
  const errorOf = async (make: () => Promise<Heartwire>): Promise<HeartwireEvents['error']> => {
    const errors = collect(await make(), 'error')
    await elapse()
    expect(errors[0]).toBeInstanceOf(HeartwireError)
    return errors[0] as HeartwireError
  }

  test('connect-timeout', async () => {
    const error = await errorOf(async () => create({ connectTimeout: 10 }).socket)
    expect(error.code).toBe('connect-timeout')
    expect(error.message).toContain('10 ms')
  })

  test('heartbeat-timeout', async () => {
    const error = await errorOf(async () => {
      const heartbeat = { message: 'ping', interval: 10, timeout: 10 }
      const { socket } = await createOpen({ heartbeat })
      await advance(10)
      return socket
    })
    expect(error.code).toBe('heartbeat-timeout')
  })

  test('a first attempt’s failure is told although listeners were added after the constructor', async () => {
    const { socket } = create({ reconnect: false })
    FakeSocket.latest.fail()
    expect(collect(socket, 'error')).toEqual([])
    const errors = collect(socket, 'error')
    await settle()
    expect(errors).toMatchObject([{ code: 'connect-failed' }])
  })
})

describe('[E4] the order of events', () => {
  test('a life, as a debug log tells it', async () => {
    const { socket, log, network } = create({
      heartbeat: { message: 'ping', pong: 'pong', interval: 100, timeout: 50 },
      reconnect: { maxAttempts: 2 },
    })
    await settle()
    socket.send('hello')
    FakeSocket.latest.accept()
    await advance(120)
    FakeSocket.latest.receive('pong')
    FakeSocket.latest.receive('news')
    await advance(100)
    network.emit('offline')
    await advance(50)
    network.emit('online')
    await elapse()
    FakeSocket.latest.fail()
    expect(log).toEqual([
      'resolving',
      'connecting',
      'open',
      '<open>',
      'open 0',
      'drain',
      'heartbeat 20',
      'message news',
      'paused',
      '<error>',
      '<close 1006 heartbeat timeout again>',
      'error heartbeat-timeout',
      'lost, open, 0 requeued, 0 in doubt',
      'waiting',
      'waiting 1: 0',
      'resolving',
      'connecting',
      'closed',
      '<error>',
      '<close 1006 final>',
      'error connect-failed',
      'lost, attempt, 0 requeued, 0 in doubt',
      'error gave-up',
      'closed: gave-up',
    ])
  })

  test('a message that comes while listeners are busy waits its turn', async () => {
    const { socket, log } = await createOpen()
    let isFirst = true
    socket.on('state', () => {
      // Some classes of that shape call their handlers from within send or close.
      if (isFirst) FakeSocket.latest.receive('from within')
      isFirst = false
    })
    socket.addEventListener('message', () => log.push('<message>'))
    FakeSocket.latest.receive('1')
    socket.on('message', (data) => {
      if (data === '2') FakeSocket.latest.receive('3')
    })
    FakeSocket.latest.receive('2')
    expect(log).toEqual(['<message>', 'message 1', '<message>', 'message 2', '<message>', 'message 3'])
  })

  test('what happens inside a message listener is told after it, in order', async () => {
    const { socket, log } = await createOpen()
    socket.addEventListener('message', () => {
      socket.close()
      log.push('still in the listener')
    })
    FakeSocket.latest.receive('x')
    expect(log).toEqual(['still in the listener', 'message x', 'closing'])
  })

  test('two sockets tell each on their own', async () => {
    const first = await createOpen()
    const native = FakeSocket.latest
    const second = await createOpen({ network: new FakeNetwork() })
    first.socket.on('message', () => second.socket.close())
    native.receive('x')
    expect(first.log).toEqual(['message x'])
    expect(second.log).toEqual(['closing'])
  })
})

test('[S4] a reported error does not keep the next listeners from hearing', async () => {
  const reported = stubReportError()
  const { socket } = await createOpen()
  const told: string[] = []
  socket.addEventListener('message', () => {
    throw new Error('one')
  })
  socket.addEventListener('message', () => told.push('dom'))
  socket.on('message', () => {
    throw new Error('two')
  })
  socket.on('message', () => told.push('bus'))
  FakeSocket.latest.receive('x')
  expect(told).toEqual(['dom', 'bus'])
  expect(reported.map(String)).toEqual(['Error: one', 'Error: two'])
})
