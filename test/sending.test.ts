// What becomes of what is sent: queued, sent, sent again, dropped, but never silently lost or doubled.
import { describe, expect, test, vi } from 'vitest'
import { Heartwire, HeartwireError } from '../src/index.ts'
import type { HeartwireOptions } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import {
  advance,
  collect,
  create,
  createOpen,
  elapse,
  inState,
  settle,
  STATES,
  useScenes,
  stubReportError,
} from './support/scene.ts'
import type { Scene } from './support/scene.ts'

useScenes()

const QUEUEING = ['idle', 'resolving', 'connecting', 'handshaking', 'waiting', 'paused'] as const
const OVER = ['closing', 'closed'] as const

/** The next connection of a socket that has lost one. */
const comeBack = async (): Promise<FakeSocket> => {
  await elapse()
  FakeSocket.latest.accept()
  return FakeSocket.latest
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

const toBytes = (data: unknown): number[] => [...new Uint8Array(data as ArrayBuffer)]

describe('[Q1] the queue', () => {
  test.each(QUEUEING)('%s: what is sent waits, in order, and leaves before the open event is told', async (state) => {
    const scene = await inState(state)
    const { socket, log } = scene
    for (const message of ['1', '2', '3']) socket.send(message)
    expect(socket.queued).toBe(3)
    scene.unblock()
    socket.connect()
    socket.addEventListener('open', () => socket.send('5'))
    socket.send('4')
    await settle()
    log.length = 0
    FakeSocket.latest.accept()
    await settle()
    expect(FakeSocket.latest.sent).toEqual(['1', '2', '3', '4', '5'])
    expect(socket.queued).toBe(0)
  })

  test('what is sent in the turn in which it opened is not overtaken', async () => {
    const { socket } = await inState('connecting')
    socket.send('1')
    socket.on('state', ({ state }) => {
      if (state === 'open') socket.send('2')
    })
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual(['1', '2'])
  })

  test('binary data is a snapshot: the caller may reuse it', async () => {
    const { socket } = await inState('connecting')
    const data = bytes(1, 2, 3, 4)
    socket.send(data)
    socket.send(data.subarray(1, 3))
    socket.send(data.buffer)
    socket.send(new DataView(data.buffer, 2))
    data.fill(9)
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent.map(toBytes)).toEqual([
      [1, 2, 3, 4],
      [2, 3],
      [1, 2, 3, 4],
      [3, 4],
    ])
  })

  test('a blob is as it is', async () => {
    const { socket } = await inState('connecting')
    const blob = new Blob(['blob'])
    socket.send(blob)
    expect(socket.bufferedAmount).toBe(4)
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual([blob])
  })

  describe('overflow', () => {
    const full = async (queue: HeartwireOptions['queue']): ReturnType<typeof inState> => {
      const scene = await inState('connecting', { queue })
      scene.socket.send('1234')
      scene.socket.send('5678')
      return scene
    }
    const flushed = (): unknown[] => {
      FakeSocket.latest.accept()
      return FakeSocket.latest.sent
    }

    test.each([{ maxMessages: 2 }, { maxBytes: 8 }])(
      'throws by default, and nothing is changed: %o',
      async (limits) => {
        const { socket, log } = await full(limits)
        let error: unknown
        try {
          socket.send('x')
        } catch (thrown) {
          error = thrown
        }
        expect(error).toBeInstanceOf(HeartwireError)
        expect(error).toMatchObject({ code: 'queue-overflow' })
        expect([socket.queued, socket.bufferedAmount, log]).toEqual([2, 8, []])
        expect(flushed()).toEqual(['1234', '5678'])
      },
    )

    test('drop-oldest makes room, and says for what', async () => {
      const { socket, log } = await full({ maxBytes: 8, overflow: 'drop-oldest' })
      socket.send('abcde')
      expect(log).toEqual(['dropped overflow: 1234 5678'])
      expect(socket.bufferedAmount).toBe(5)
      expect(flushed()).toEqual(['abcde'])
    })

    test('drop-oldest does not push the others out for what can never fit', async () => {
      const { socket, log } = await full({ maxBytes: 8, overflow: 'drop-oldest' })
      socket.send('123456789')
      expect(log).toEqual(['dropped overflow: 123456789'])
      expect(flushed()).toEqual(['1234', '5678'])
    })

    test('drop-newest drops it, and says so', async () => {
      const { socket, log } = await full({ maxMessages: 2, overflow: 'drop-newest' })
      socket.send('x')
      expect(log).toEqual(['dropped overflow: x'])
      expect(flushed()).toEqual(['1234', '5678'])
    })

    test('0 means 0', async () => {
      const { socket } = await inState('connecting', { queue: { maxMessages: 0 } })
      expect(() => socket.send('x')).toThrow(HeartwireError)
      for (const overflow of ['drop-oldest', 'drop-newest'] as const) {
        const { socket: another, log } = await inState('connecting', { queue: { maxBytes: 0, overflow } })
        another.send('x')
        expect(log).toEqual(['dropped overflow: x'])
      }
    })

    test('an open socket has no limit but the browser’s', async () => {
      const { socket } = await createOpen({ queue: { maxMessages: 0 } })
      socket.send('x')
      expect(FakeSocket.latest.sent).toEqual(['x'])
    })
  })

  describe('ttl', () => {
    test('what has waited longer is dropped, not sent', async () => {
      const { socket, log } = await inState('connecting', { queue: { ttl: 1_000 } })
      socket.send('old')
      await advance(1)
      socket.send('fresh')
      await advance(1_000)
      FakeSocket.latest.accept()
      expect(FakeSocket.latest.sent).toEqual(['fresh'])
      expect(log).toContain('dropped expired: old')
    })

    test('and makes room for what comes', async () => {
      const { socket, log } = await inState('connecting', { queue: { ttl: 1_000, maxMessages: 1 } })
      socket.send('old')
      await advance(1_001)
      socket.send('fresh')
      expect(log).toEqual(['dropped expired: old'])
      expect(socket.queued).toBe(1)
    })

    test('what has expired is told even if the queue then overflows', async () => {
      const { socket, log } = await inState('idle', { queue: { ttl: 10, maxBytes: 5 } })
      socket.send('1')
      await advance(11)
      expect(() => socket.send('123456')).toThrow(HeartwireError)
      expect(log).toEqual(['dropped expired: 1'])
    })

    test('0 means 0: only what is sent in the same ms', async () => {
      const { socket } = await inState('connecting', { queue: { ttl: 0 } })
      socket.send('a ms ago')
      await advance(1)
      socket.send('now')
      FakeSocket.latest.accept()
      expect(FakeSocket.latest.sent).toEqual(['now'])
    })

    test('when everything has expired, open is told all the same, and drain', async () => {
      const { socket, log } = await inState('connecting', { queue: { ttl: 0 } })
      socket.send('old')
      await advance(1)
      FakeSocket.latest.accept()
      await advance(4)
      expect(log).toEqual(['open', 'dropped expired: old', '<open>', 'open 0', 'drain'])
    })
  })

  describe('off', () => {
    test.each(['resolving', 'connecting', 'handshaking', 'waiting', 'paused'] as const)(
      '%s: send throws, as the native one while connecting',
      async (state) => {
        const { socket } = await inState(state, { queue: false })
        let error: unknown
        try {
          socket.send('x')
        } catch (thrown) {
          error = thrown
        }
        expect(error).toBeInstanceOf(DOMException)
        expect(error).toHaveProperty('name', 'InvalidStateError')
        expect(socket.bufferedAmount).toBe(0)
      },
    )

    test.each(['idle', ...OVER] as const)('%s: counted and dropped, as natively while closed', async (state) => {
      const { socket, log } = await inState(state, { queue: false })
      socket.send('1234')
      expect(socket.bufferedAmount).toBe(4)
      expect(log).toEqual(['dropped closed: 1234'])
    })

    test('open: sent, and what is lost is in doubt', async () => {
      FakeSocket.isStalled = true
      const { socket, log } = await createOpen({ queue: false })
      socket.send('1')
      FakeSocket.latest.finish(1006)
      expect(log).toContain('lost, open, 0 requeued, 1 in doubt')
      expect((await comeBack()).sent).toEqual([])
    })
  })

  test('a class whose send throws (no blobs): it is reported, and open told all the same', async () => {
    const reported = stubReportError()
    const { socket, log } = await inState('connecting')
    socket.send('1')
    socket.send('2')
    const failure = new TypeError('no blobs')
    FakeSocket.latest.send = () => {
      throw failure
    }
    FakeSocket.latest.accept()
    expect(log).toContain('<open>')
    expect(reported).toContain(failure)
  })

  test('20,000 messages keep their order', async () => {
    const { socket } = await inState('connecting', { queue: { maxMessages: 20_000 } })
    const messages = Array.from({ length: 20_000 }, (_, n) => String(n))
    for (const message of messages) socket.send(message)
    expect(socket.queued).toBe(20_000)
    FakeSocket.isStalled = true
    FakeSocket.latest.isStalled = true
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual(messages)
    FakeSocket.latest.finish(1006)
    expect(socket.queued).toBe(20_000)
    expect((await comeBack()).sent).toEqual(messages)
  })

  test('a codec encodes what is sent; what it throws reaches the caller, and nothing is queued', async () => {
    const codec = {
      encode: (message: number) => {
        if (message < 0) throw new RangeError('negative')
        return message.toFixed(2)
      },
      decode: Number,
    }
    const { socket, log } = await inState('connecting', { codec, queue: { maxMessages: 1, overflow: 'drop-oldest' } })
    expect(() => socket.send(-1)).toThrow(RangeError)
    expect(socket.queued).toBe(0)
    socket.send(1)
    socket.send(2)
    // What is dropped is what was given.
    expect(log).toEqual(['dropped overflow: 1'])
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual(['2.00'])
  })
})

describe('[Q2] bufferedAmount', () => {
  test.each(QUEUEING)('%s: the UTF-8 bytes queued', async (state) => {
    const { socket } = await inState(state)
    socket.send('é€😀')
    socket.send(bytes(1, 2, 3))
    socket.send('\uD800')
    expect(socket.bufferedAmount).toBe(9 + 3 + 3)
  })

  test('open: the native one', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    socket.send('12345')
    expect(socket.bufferedAmount).toBe(5)
    FakeSocket.latest.drain(2)
    expect(socket.bufferedAmount).toBe(3)
  })

  test('handshaking: both', async () => {
    FakeSocket.isStalled = true
    const { socket } = create({
      handshake: ({ send }) => {
        send('auth')
        return new Promise(() => {})
      },
    })
    socket.send('12')
    FakeSocket.latest.accept()
    expect(socket.bufferedAmount).toBe(6)
  })

  test.each(OVER)('%s: grows with what is sent into the void, as natively', async (state) => {
    const { socket } = await inState(state)
    socket.send('123')
    socket.send('45')
    expect(socket.bufferedAmount).toBe(5)
  })

  test('closed: keeps what never left, as natively; the next connection starts at 0', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    socket.send('12345')
    socket.send('678')
    FakeSocket.latest.drain(2)
    socket.close()
    expect(socket.bufferedAmount).toBe(6)
    FakeSocket.latest.finish(1006)
    expect(socket.bufferedAmount).toBe(6)
    socket.connect()
    expect(socket.bufferedAmount).toBe(0)
  })

  test('closed: keeps what was queued', async () => {
    const { socket } = await inState('waiting')
    socket.send('123')
    socket.close()
    expect(socket.bufferedAmount).toBe(3)
    await advance(0)
    expect(socket.bufferedAmount).toBe(3)
    socket.send('4')
    expect(socket.bufferedAmount).toBe(4)
  })

  test('waiting: what was requeued and what was queued', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    socket.send('12345')
    FakeSocket.latest.finish(1006)
    socket.send('678')
    expect(socket.bufferedAmount).toBe(8)
  })
})

describe('[Q3] what a lost connection still had', () => {
  test('goes back to the head of the queue if it provably never left, and is sent once', async () => {
    FakeSocket.isStalled = true
    const { socket, log } = await createOpen()
    for (const message of ['one', 'two', 'three']) socket.send(message)
    FakeSocket.latest.drain(3)
    FakeSocket.latest.finish(1006)
    socket.send('four')
    expect(log).toContain('lost, open, 2 requeued, 1 in doubt')
    const next = await comeBack()
    expect(next.sent).toEqual(['two', 'three', 'four'])
    next.drain()
    next.finish(1006)
    expect((await comeBack()).sent).toEqual([])
  })

  test('a message that left in part is in doubt', async () => {
    FakeSocket.isStalled = true
    const { socket, log } = await createOpen()
    socket.send('12345')
    socket.send('678')
    FakeSocket.latest.drain(1)
    FakeSocket.latest.finish(1006)
    expect(log).toContain('lost, open, 1 requeued, 1 in doubt')
    expect((await comeBack()).sent).toEqual(['678'])
  })

  test('binary data goes back as it was when it was sent', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    const data = bytes(1, 2)
    socket.send(data)
    data.fill(9)
    FakeSocket.latest.finish(1006)
    expect((await comeBack()).sent.map(toBytes)).toEqual([[1, 2]])
  })

  test('also over two losses', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    socket.send('1')
    socket.send('2')
    FakeSocket.latest.finish(1006)
    const second = await comeBack()
    second.drain(1)
    second.finish(1006)
    expect((await comeBack()).sent).toEqual(['2'])
  })

  test('heartbeats are not among it', async () => {
    FakeSocket.isStalled = true
    const { socket, log } = await createOpen({ heartbeat: { message: 'ping', interval: 100 } })
    socket.send('1')
    await advance(100)
    socket.send('2')
    expect(FakeSocket.latest.sent).toEqual(['1', 'ping', '2'])
    FakeSocket.latest.finish(1006)
    expect(log).toContain('lost, open, 2 requeued, 0 in doubt')
    expect((await comeBack()).sent).toEqual(['1', '2'])
  })

  test.each([
    ['heartbeat death', () => advance(200)],
    ['reconnect()', async ({ socket }: Scene) => socket.reconnect()],
    ['pagehide', async ({ network }: Scene) => network.emit('hide')],
  ])('after %s the old socket may still send it: in doubt, never twice', async (_, letGo) => {
    FakeSocket.isStalled = true
    const scene = await createOpen({ heartbeat: { message: 'ping', interval: 100, timeout: 100 } })
    scene.socket.send('1')
    await letGo(scene)
    expect(scene.log).toContain('lost, open, 0 requeued, 1 in doubt')
    scene.socket.reconnect()
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual([])
  })

  test('an answered heartbeat proves what was sent before it', async () => {
    const { socket, log } = await createOpen({ heartbeat: { message: 'ping', pong: 'pong', interval: 100 } })
    socket.send('1')
    socket.send('2')
    await advance(100)
    socket.send('3')
    FakeSocket.latest.receive('pong')
    socket.send('4')
    FakeSocket.latest.finish(1006)
    expect(log).toContain('lost, open, 0 requeued, 2 in doubt')
  })

  test('without replay nothing goes back', async () => {
    FakeSocket.isStalled = true
    const { socket, log } = await createOpen({ queue: { replay: false } })
    socket.send('1')
    FakeSocket.latest.finish(1006)
    expect(log).toContain('lost, open, 0 requeued, 1 in doubt')
    socket.send('2')
    expect((await comeBack()).sent).toEqual(['2'])
  })

  test.each([true, false])('what is sent into a socket that is closing goes to the next: replay %s', async (replay) => {
    const { socket, log } = await createOpen({ queue: { replay } })
    FakeSocket.latest.beginClose()
    socket.send('late')
    expect(socket.bufferedAmount).toBe(4)
    FakeSocket.latest.finish(1001)
    expect(log.join('\n')).toContain('0 in doubt')
    expect((await comeBack()).sent).toEqual(['late'])
  })

  test.each([
    ['reconnect()', async ({ socket }: Scene) => socket.reconnect()],
    ['pagehide', async ({ network }: Scene) => network.emit('hide')],
    ['heartbeat death', () => advance(200)],
  ])('what is sent into a socket that is closing never leaves, even if we let go of it by %s', async (_, letGo) => {
    const scene = await createOpen({ heartbeat: { message: 'ping', interval: 100, timeout: 100 } })
    FakeSocket.latest.beginClose()
    scene.socket.send('1')
    await letGo(scene)
    scene.socket.reconnect()
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual(['1'])
  })

  test('a queue is not flushed into a socket that has begun to close during the handshake', async () => {
    const { socket } = create({ queue: { replay: false }, handshake: () => {} })
    socket.send('1')
    FakeSocket.latest.accept()
    FakeSocket.latest.beginClose()
    await settle()
    FakeSocket.latest.finish(1001)
    await elapse()
    FakeSocket.latest.accept()
    await settle()
    expect(FakeSocket.latest.sent).toEqual(['1'])
  })

  describe('in doubt is an upper bound', () => {
    const heartbeat = { message: 'ping', pong: 'pong', when: 'always', interval: 100, timeout: 1_000 } as const

    test('an answer proves what was sent before its own question, not before the latest', async () => {
      const { socket, log } = await createOpen({ heartbeat })
      await advance(100)
      socket.send('after the first beat')
      await advance(100)
      FakeSocket.latest.receive('pong')
      FakeSocket.latest.finish(1006)
      expect(log).toContain('lost, open, 0 requeued, 1 in doubt')
    })

    test('what was requeued is not in doubt, and never less than nothing is', async () => {
      FakeSocket.isStalled = true
      const { socket, log } = await createOpen({ heartbeat })
      await advance(100)
      FakeSocket.latest.drain()
      socket.send('after the first beat')
      await advance(100)
      FakeSocket.latest.receive('pong')
      FakeSocket.latest.finish(1006)
      expect(log).toContain('lost, open, 1 requeued, 0 in doubt')
    })

    test('a probe while the answer to a beat is on its way', async () => {
      const { socket, network, log } = await createOpen({ heartbeat: { ...heartbeat, when: 'idle' } })
      await advance(101)
      FakeSocket.latest.receive('news')
      socket.send('after the first beat')
      network.emit('wake')
      await advance(10)
      FakeSocket.latest.receive('pong')
      FakeSocket.latest.finish(1006)
      expect(log).toContain('lost, open, 0 requeued, 1 in doubt')
    })
  })

  test('what goes back knows no limit: it was accepted before', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen({ queue: { maxMessages: 1 } })
    for (const message of ['1', '2', '3']) socket.send(message)
    FakeSocket.latest.finish(1006)
    expect(socket.queued).toBe(3)
    expect(() => socket.send('4')).toThrow(HeartwireError)
  })

  test('an empty message tells nothing about itself', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    for (const message of ['a', '', 'b', '']) socket.send(message)
    FakeSocket.latest.drain(1)
    FakeSocket.latest.finish(1006)
    expect((await comeBack()).sent.join('')).toBe('b')
  })

  test('frames that add their headers to the buffer do not confuse the count', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    const native = FakeSocket.latest
    const plain = native.send.bind(native)
    native.send = (data) => {
      plain(data)
      native.bufferedAmount += 6
    }
    for (const message of ['one', 'two', 'three']) socket.send(message)
    native.drain(9)
    native.finish(1006)
    expect(socket.bufferedAmount).toBe(8)
    expect((await comeBack()).sent).toEqual(['two', 'three'])
  })
})

describe('[Q4] drain', () => {
  test('is told when everything has left', async () => {
    FakeSocket.isStalled = true
    const { socket, log } = await createOpen()
    socket.send('12345')
    await advance(1_000)
    FakeSocket.latest.drain(4)
    await advance(1_000)
    expect(log).toEqual([])
    FakeSocket.latest.drain()
    await advance(250)
    expect(log).toEqual(['drain'])
    await advance(10_000)
    expect(log).toEqual(['drain'])
  })

  test('looks soon, then ever less often, and not at all when there is nothing', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    expect(vi.getTimerCount()).toBe(0)
    socket.send('x')
    const looks: number[] = []
    const native = FakeSocket.latest
    Object.defineProperty(native, 'bufferedAmount', { get: () => (looks.push(performance.now()), 1) })
    await advance(1_000)
    const times = [...new Set(looks)].map((time, index, all) => time - (all[index - 1] ?? 0))
    expect(times).toEqual([4, 8, 16, 32, 64, 128, 250, 250])
  })

  test('after a flush of the queue, too', async () => {
    const { socket, log } = await inState('connecting')
    socket.send('x')
    FakeSocket.latest.accept()
    await advance(4)
    expect(log.at(-1)).toBe('drain')
  })

  test('is told once for what was sent once, over a reconnect', async () => {
    const { socket, log } = await createOpen()
    socket.send('x')
    await advance(4)
    socket.reconnect()
    FakeSocket.latest.accept()
    await advance(1_000)
    expect(log.filter((line) => line === 'drain')).toHaveLength(1)
  })

  test('what was owed when the socket closed is not told by the next connection', async () => {
    FakeSocket.isStalled = true
    const { socket, log } = await createOpen()
    socket.send('x')
    socket.close()
    FakeSocket.latest.finish(1000)
    socket.connect()
    FakeSocket.latest.accept()
    await advance(1_000)
    expect(log).not.toContain('drain')
  })

  test('drained() resolves with it, at once when there is nothing', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    await socket.drained()
    socket.send('x')
    let isDrained = false
    const drained = socket.drained().then(() => (isDrained = true))
    await advance(300)
    expect(isDrained).toBe(false)
    FakeSocket.latest.drain()
    await advance(300)
    await drained
    expect(isDrained).toBe(true)
  })

  test('drained() waits for a queue, over a reconnect', async () => {
    const { socket } = await inState('waiting')
    socket.send('x')
    const drained = socket.drained()
    await comeBack()
    await advance(4)
    await expect(drained).resolves.toBeUndefined()
  })

  test('drained() resolves when a loss has emptied the buffer', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    socket.send('x')
    const drained = socket.drained()
    socket.reconnect()
    FakeSocket.latest.accept()
    expect(socket.bufferedAmount).toBe(0)
    await advance(1_000)
    await expect(drained).resolves.toBeUndefined()
  })

  test('drained() resolves when only a beat was in the buffer', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen({ heartbeat: { message: 'ping', interval: 100 } })
    await advance(100)
    expect(socket.bufferedAmount).toBe(4)
    const drained = socket.drained()
    FakeSocket.latest.drain()
    await advance(1_000)
    await expect(drained).resolves.toBeUndefined()
  })

  test('drained() rejects when it can not come any more', async () => {
    const { socket } = await inState('waiting')
    socket.send('x')
    const rejection = expect(socket.drained()).rejects.toMatchObject({ code: 'closed' })
    socket.close()
    await advance(0)
    await rejection
    await expect(socket.drained()).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('[Q4] while the native socket has begun to close', () => {
  test('what is queued then has not left: drain waits for the next connection', async () => {
    const { socket, log } = await createOpen()
    FakeSocket.latest.beginClose()
    socket.send('x')
    let isDrained = false
    void socket.drained().then(() => (isDrained = true))
    await advance(1_000)
    expect([isDrained, log, socket.queued]).toEqual([false, [], 1])
    FakeSocket.latest.finish(1001)
    await comeBack()
    await advance(1_000)
    expect([isDrained, socket.queued]).toEqual([true, 0])
  })
})

describe('[Q4] drained()', () => {
  test('waits for empty messages, too', async () => {
    const { socket } = create()
    socket.send('')
    let isDrained = false
    void socket.drained().then(() => (isDrained = true))
    await settle()
    expect(isDrained).toBe(false)
    FakeSocket.latest.accept()
    await advance(10)
    expect(isDrained).toBe(true)
  })

  test('asked for while closing, tells that the goodbye has left', async () => {
    FakeSocket.isStalled = true
    const socket = new Heartwire('ws://example.test/', { WebSocket: FakeSocket, network: false })
    await settle()
    FakeSocket.latest.accept()
    socket.send('abc')
    socket.close()
    const drained = socket.drained()
    await advance(100)
    FakeSocket.latest.drain()
    await advance(500)
    FakeSocket.latest.finish(1000)
    await expect(drained).resolves.toBeUndefined()
    // Not one of the scenes: a '*' listener would begin the watch by itself.
    FakeSocket.mostAtOnce = 0
  })

  test('of a closed socket is no wish for the next connection', async () => {
    const { socket, log } = await inState('closed')
    socket.send('x')
    await expect(socket.drained()).rejects.toMatchObject({ code: 'closed' })
    socket.connect()
    await settle()
    FakeSocket.latest.accept()
    await advance(1_000)
    expect(log).not.toContain('drain')
  })
})

describe('[Q3] reconnect() from within the policy', () => {
  test('loses nothing that could be sent again', async () => {
    FakeSocket.isStalled = true
    let isFirst = true
    const scene: Scene = await inState('open', {
      reconnect: {
        delay: () => {
          if (isFirst) scene.socket.reconnect()
          isFirst = false
          return 0
        },
      },
    })
    const lost = collect(scene.socket, 'lost')
    scene.socket.send('a')
    FakeSocket.latest.fail()
    expect(lost[0]).toMatchObject({ requeued: 1, inDoubt: 0 })
  })
})

describe('[Q3] a class that misbehaves', () => {
  test('one that closes within send, while the queue leaves: the rest waits, in order', async () => {
    const { socket, log } = create()
    await settle()
    for (const each of 'abc') socket.send(each)
    const native = FakeSocket.latest
    const send = native.send.bind(native)
    native.send = (data) => {
      send(data)
      native.finish(1006)
    }
    log.length = 0
    native.accept()
    await settle()
    expect([socket.queued, socket.state]).toEqual([2, 'waiting'])
    expect(log.filter((line) => line.startsWith('<'))).toEqual(['<open>', '<close 1006 again>'])
    expect((await comeBack()).sent).toEqual(['b', 'c'])
  })

  test('one that cannot send a queued message: it is dropped, and not in doubt', async () => {
    const reported = stubReportError()
    const { socket } = create()
    const dropped = collect(socket, 'dropped')
    const lost = collect(socket, 'lost')
    for (const each of 'abc') socket.send(each)
    const native = FakeSocket.latest
    const send = native.send.bind(native)
    native.send = (data) => {
      if (data === 'b') throw new TypeError('not that')
      send(data)
    }
    native.accept()
    await settle()
    expect(native.sent).toEqual(['a', 'c'])
    expect(dropped).toEqual([{ messages: ['b'], reason: 'refused' }])
    expect(reported).toHaveLength(1)
    native.finish(1006)
    await settle()
    expect(lost).toMatchObject([{ inDoubt: 2 }])
  })

  test('one that empties its buffer within send: what has left is not sent again', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen()
    const native = FakeSocket.latest
    socket.send('aaaaaaaaaa')
    const send = native.send.bind(native)
    native.send = (data) => {
      native.drain()
      send(data)
    }
    socket.send('bbbbb')
    native.finish(1006)
    expect(socket.queued).toBe(1)
  })

  test('an answer that nobody asked for makes no doubt negative', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen({ heartbeat: { message: 'ping', pong: 'pong', interval: 1_000, timeout: 500 } })
    const lost = collect(socket, 'lost')
    socket.send('a')
    socket.send('b')
    await advance(1_000)
    FakeSocket.latest.receive('pong')
    FakeSocket.latest.finish(1006)
    await settle()
    expect(lost).toMatchObject([{ requeued: 2, inDoubt: 0 }])
  })

  test('without a next connection nothing is told as requeued: it is dropped', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen({ reconnect: false })
    const lost = collect(socket, 'lost')
    const dropped = collect(socket, 'dropped')
    socket.send('a')
    FakeSocket.latest.finish(1006)
    await settle()
    expect(lost).toMatchObject([{ requeued: 0, inDoubt: 0 }])
    expect(dropped).toEqual([{ messages: ['a'], reason: 'closed' }])
  })

  test('ttl counts from send, also for what is sent again', async () => {
    FakeSocket.isStalled = true
    const { socket } = await createOpen({ queue: { ttl: 5_000 } })
    const dropped = collect(socket, 'dropped')
    socket.send('old')
    await advance(60_000)
    socket.send('new')
    FakeSocket.isStalled = false
    FakeSocket.latest.finish(1006)
    expect((await comeBack()).sent).toEqual(['new'])
    expect(dropped).toEqual([{ messages: ['old'], reason: 'expired' }])
  })
})

describe('[Q5] close()', () => {
  describe('[Q3] that crosses a close of the server', () => {
    const after = async (code: number, close: [code?: number], options: HeartwireOptions = {}): Promise<unknown[]> => {
      const { socket } = await inState('open', options)
      const lost = collect(socket, 'lost')
      socket.send('perhaps')
      socket.close(...close)
      FakeSocket.latest.finish(code, 'crash', true)
      expect(socket.state).toBe('closed')
      return lost
    }

    test('leaves what was sent in doubt: the server may have thrown it away', async () => {
      expect(await after(1011, [])).toMatchObject([{ inDoubt: 1, willReconnect: false }])
      expect(await after(1012, [4000])).toMatchObject([{ inDoubt: 1, willReconnect: false }])
    })

    test('says nothing if the server answered ours: then it has read everything', async () => {
      expect(await after(1005, [])).toEqual([])
      expect(await after(4000, [4000])).toEqual([])
      // Some servers answer a close without a code with 1000.
      expect(await after(1000, [])).toEqual([])
    })

    test('does not hide what is stuck in the buffer and has no copy', async () => {
      FakeSocket.isStalled = true
      expect(await after(1005, [], { queue: { replay: false } })).toMatchObject([{ inDoubt: 1 }])
    })
  })

  test('lets what was accepted leave, as long as it is leaving', async () => {
    FakeSocket.isStalled = true
    const { socket, log } = await createOpen()
    socket.send('12345678')
    socket.close()
    for (let n = 0; n < 5; n++) {
      await advance(1_999)
      expect(socket.state).toBe('closing')
      FakeSocket.latest.drain(1)
      await advance(1)
    }
    FakeSocket.latest.drain()
    FakeSocket.latest.finish(1000)
    expect(log).toEqual(['closing', 'closed', '<close 1000 clean final>', 'closed: user'])
  })

  test('gives up when nothing leaves for closeTimeout', async () => {
    FakeSocket.isStalled = true
    const { socket, log } = await createOpen()
    socket.send('12345678')
    FakeSocket.latest.drain(4)
    socket.close()
    await advance(2_000)
    expect(log.slice(1)).toEqual(['closed', '<close 1006 final>', 'lost, open, 0 requeued, 1 in doubt', 'closed: user'])
  })

  test.each(['resolving', 'connecting', 'handshaking', 'waiting', 'paused'] as const)(
    '%s: what was queued is told as dropped, with the data',
    async (state) => {
      const { socket } = await inState(state)
      const dropped = collect(socket, 'dropped')
      const data = bytes(1)
      socket.send('1')
      socket.send(data)
      socket.close()
      await advance(2_000)
      expect(dropped).toHaveLength(1)
      expect(dropped[0]).toMatchObject({ reason: 'closed' })
      expect(dropped[0]?.messages[0]).toBe('1')
      expect(toBytes(dropped[0]?.messages[1])).toEqual([1])
    },
  )

  test('idle: at once', async () => {
    const { socket, log } = await inState('idle')
    socket.send('1')
    socket.close()
    expect(log).toEqual(['closed', 'dropped closed: 1', 'closed: user'])
  })

  test('open: what never left is told as dropped', async () => {
    FakeSocket.isStalled = true
    const { socket, log } = await createOpen()
    for (const message of ['one', 'two', 'three']) socket.send(message)
    FakeSocket.latest.drain(3)
    socket.close()
    FakeSocket.latest.fail()
    expect(log).toContain('dropped closed: two three')
  })

  test.each(OVER)('%s: send tells what it drops', async (state) => {
    const { socket, log } = await inState(state)
    socket.send('1')
    expect(log).toEqual(['dropped closed: 1'])
    expect(FakeSocket.latest.sent).toEqual([])
  })

  test('giving up and final codes drop, too', async () => {
    const { socket, log } = await inState('connecting', { reconnect: false })
    socket.send('1')
    FakeSocket.latest.fail()
    expect(log.slice(-2)).toEqual(['dropped closed: 1', 'closed: refused'])
  })

  test('connect() before the end keeps the queue', async () => {
    const { socket, log } = await inState('waiting')
    socket.send('1')
    socket.close()
    socket.connect()
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual(['1'])
    expect(log.filter((line) => line.startsWith('dropped'))).toEqual([])
  })
})

test.each(STATES)('[Q1] [Q5] no message vanishes without a word: %s', async (state) => {
  FakeSocket.isStalled = true
  const { socket } = await inState(state)
  const dropped = collect(socket, 'dropped')
  socket.send('1')
  socket.send('2')
  socket.close()
  await advance(2_000)
  expect(dropped.flatMap(({ messages }) => messages)).toEqual(['1', '2'])
})
