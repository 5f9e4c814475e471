// Promises, iteration and disposal: what is built on the events.
import { getEventListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { HeartwireError, json } from '../src/index.ts'
import type { Heartwire } from '../src/index.ts'
import { FakeSocket } from './support/fake-socket.ts'
import { advance, create, createOpen, elapse, inState, settle, uncaught, useScenes } from './support/scene.ts'

useScenes()

describe('[P5] once', () => {
  test('resolves with the next event of its type', async () => {
    const { socket } = await createOpen()
    const message = socket.once('message')
    const state = socket.once('state')
    FakeSocket.latest.receive('1')
    FakeSocket.latest.receive('2')
    FakeSocket.latest.finish(1006)
    expect(await message).toBe('1')
    expect(await state).toEqual({ state: 'waiting', previous: 'open' })
  })

  test('rejects when the socket closes for good first, with the reason', async () => {
    const { socket } = create({ reconnect: { maxAttempts: 1 } })
    const opened = socket.once('open')
    FakeSocket.latest.fail()
    await expect(opened).rejects.toMatchObject({ code: 'gave-up', cause: { code: 'connect-failed' } })
  })

  test('closed resolves, of course', async () => {
    const { socket } = await createOpen()
    const closed = socket.once('closed')
    socket.close()
    FakeSocket.latest.finish(1000)
    expect(await closed).toMatchObject({ reason: 'user' })
  })

  test('on a closed socket waits for what connect() may bring', async () => {
    const { socket } = await inState('closed')
    const message = socket.once('message')
    await advance(10_000)
    socket.connect()
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('at last')
    expect(await message).toBe('at last')
  })

  test('leaves no listener behind', async () => {
    const { socket } = await createOpen({ codec: json() })
    const decode = vi.spyOn(JSON, 'parse')
    socket.off('*')
    const message = socket.once('message')
    FakeSocket.latest.receive('1')
    await message
    FakeSocket.latest.receive('2')
    expect(decode).toHaveBeenCalledTimes(1)
  })
})

test.each<[string, (socket: Heartwire) => Promise<unknown>]>([
  ['once', (socket) => socket.once('message')],
  ['opened', (socket) => socket.opened()],
  ['drained', (socket) => socket.drained()],
])('[P5] a rejection of %s() that nobody looks at is nobody’s error', async (_, ask) => {
  const errors = await uncaught(async () => {
    const { socket } = await inState('waiting')
    socket.send('x')
    void ask(socket)
    socket.close()
    await advance(0)
    void ask(socket)
  })
  expect(errors).toEqual([])
})

describe('[P5] opened', () => {
  test('resolves when open, at once if it is', async () => {
    const { socket } = create()
    const opened = socket.opened()
    await settle()
    FakeSocket.latest.accept()
    await opened
    await socket.opened()
    expect(socket.state).toBe('open')
  })

  test('begun in a close listener after connect(), is about the new life', async () => {
    const { socket } = await createOpen()
    const heard: unknown[] = []
    socket.addEventListener(
      'close',
      () => {
        socket.connect()
        socket.opened().then(
          () => heard.push('opened'),
          (error: unknown) => heard.push(error),
        )
        void (async () => {
          for await (const message of socket) heard.push(message)
        })()
      },
      { once: true },
    )
    socket.close()
    FakeSocket.latest.finish(1000)
    await settle()
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('x')
    await settle()
    expect(heard).toEqual(expect.arrayContaining(['opened', 'x']))
    expect(heard).toHaveLength(2)
  })

  test('rejects if a listener of open closes a class that closes at once', async () => {
    const { socket } = create()
    const opened = socket.opened()
    FakeSocket.latest.close = () => FakeSocket.latest.finish(1000)
    socket.addEventListener('open', () => socket.close())
    FakeSocket.latest.accept()
    await expect(opened).rejects.toMatchObject({ code: 'closed' })
  })

  test('is not about an attempt that failed long before the user closed', async () => {
    const { socket } = create()
    FakeSocket.latest.fail()
    await advance(1_000)
    FakeSocket.latest.accept()
    socket.close()
    FakeSocket.latest.finish(1000)
    const error: unknown = await socket.opened().catch((reason: unknown) => reason)
    expect((error as Error).cause).toBeUndefined()
  })

  test('begun after reconnect() in a listener of the old open, waits for the new one', async () => {
    const { socket } = create()
    let isOpen = false
    const off = socket.on('state', ({ state }) => {
      if (state !== 'open') return
      off()
      socket.reconnect()
      void socket.opened().then(() => (isOpen = true))
    })
    FakeSocket.latest.accept()
    await settle()
    expect([socket.state, isOpen]).toEqual(['connecting', false])
    FakeSocket.latest.accept()
    await settle()
    expect(isOpen).toBe(true)
  })

  test('waits over failures', async () => {
    const { socket } = create()
    const opened = socket.opened()
    FakeSocket.latest.fail()
    await elapse()
    FakeSocket.latest.accept()
    await expect(opened).resolves.toBeUndefined()
  })

  test.each<[string, (socket: Heartwire) => void, object]>([
    ['user', (socket) => socket.close(), { code: 'closed', message: expect.stringContaining('user') }],
    [
      'refused',
      () => FakeSocket.latest.finish(1008, 'no'),
      { code: 'refused', message: 'The socket is closed for good: refused, after 1008 no' },
    ],
  ])('rejects when closed for good, and after: %s', async (_, end, error) => {
    const { socket } = create()
    const rejection = expect(socket.opened()).rejects.toMatchObject(error)
    end(socket)
    await advance(2_000)
    await rejection
    await expect(socket.opened()).rejects.toMatchObject(error)
  })

  test('rejects with the error that ended it', async () => {
    const { socket } = create({ reconnect: { maxAttempts: 1 } })
    const rejection = expect(socket.opened()).rejects.toMatchObject({ code: 'gave-up' })
    FakeSocket.latest.fail()
    await rejection
    await expect(socket.opened()).rejects.toMatchObject({ code: 'gave-up' })
  })

  test('says why an attempt failed that is not repeated', async () => {
    const { socket } = create({ reconnect: false })
    const rejection = expect(socket.opened()).rejects.toMatchObject({
      code: 'refused',
      message: 'The socket is closed for good: refused, after 1006',
      cause: { code: 'connect-failed' },
    })
    FakeSocket.latest.fail()
    await rejection
  })

  test('forgets why an attempt failed when a later one ends otherwise', async () => {
    const { socket } = create()
    FakeSocket.latest.fail()
    await advance(1_000)
    FakeSocket.latest.accept()
    FakeSocket.latest.finish(1008, 'no')
    const error: unknown = await socket.opened().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'refused' })
    expect((error as Error).cause).toBeUndefined()
  })

  test('before any connection there is nothing to say about one', async () => {
    const { socket } = await inState('idle')
    socket.close()
    await expect(socket.opened()).rejects.toThrow(/^The socket is closed for good: user$/)
  })

  test('rejects with the reason of its own signal, which ends nothing else', async () => {
    const { socket } = create()
    const controller = new AbortController()
    const reason = new Error('too long')
    const rejection = expect(socket.opened({ signal: controller.signal })).rejects.toBe(reason)
    controller.abort(reason)
    await rejection
    await expect(socket.opened({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(socket.state).toBe('connecting')
  })

  test('leaves nothing on its signal', async () => {
    const { socket } = create()
    const { signal } = new AbortController()
    const opened = socket.opened({ signal })
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await settle()
    FakeSocket.latest.accept()
    await opened
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})

describe('[P5] iteration', () => {
  /** What an iteration hears, as it hears it, and how it ends. */
  const iterate = (socket: Heartwire): { heard: unknown[]; ended: Promise<unknown> } => {
    const heard: unknown[] = []
    const run = async (): Promise<unknown> => {
      try {
        for await (const message of socket) heard.push(message)
        return 'done'
      } catch (error) {
        return error
      }
    }
    return { heard, ended: run() }
  }

  /** An iterator that has had its first message. */
  const begin = async (socket: Heartwire): Promise<AsyncIterator<unknown>> => {
    const iterator = socket[Symbol.asyncIterator]()
    const first = iterator.next()
    FakeSocket.latest.receive('first')
    await first
    return iterator
  }

  test('hears every message, over reconnects, until the user closes', async () => {
    const { socket } = await createOpen({ codec: json() })
    const { heard, ended } = iterate(socket)
    FakeSocket.latest.receive('1')
    FakeSocket.latest.receive('2')
    await settle()
    FakeSocket.latest.finish(1006)
    await elapse()
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('3')
    socket.close()
    FakeSocket.latest.finish(1000)
    expect(await ended).toBe('done')
    expect(heard).toEqual([1, 2, 3])
  })

  test('throws when the socket is closed for another reason, after what was there', async () => {
    const { socket } = await createOpen()
    const { heard, ended } = iterate(socket)
    FakeSocket.latest.receive('1')
    FakeSocket.latest.finish(1008, 'policy')
    const error = await ended
    expect(error).toBeInstanceOf(HeartwireError)
    expect(error).toMatchObject({ code: 'refused' })
    expect(heard).toEqual(['1'])
  })

  test('of a closed socket ends at once', async () => {
    const { socket } = await inState('closed')
    expect(await iterate(socket).ended).toBe('done')
  })

  test('break leaves no listener behind', async () => {
    const { socket } = await createOpen({ codec: json() })
    socket.off('*')
    const decode = vi.spyOn(JSON, 'parse')
    const run = async (): Promise<unknown> => {
      for await (const message of socket) return message
      return undefined
    }
    const first = run()
    FakeSocket.latest.receive('1')
    expect(await first).toBe(1)
    FakeSocket.latest.receive('2')
    expect(decode).toHaveBeenCalledTimes(1)
  })

  test('begins with the iterator, not with its first next()', async () => {
    const { socket } = await createOpen()
    const iterator = socket[Symbol.asyncIterator]()
    FakeSocket.latest.receive('1')
    const next = iterator.next()
    FakeSocket.latest.receive('2')
    expect(await next).toEqual({ done: false, value: '1' })
    expect(await iterator.next()).toEqual({ done: false, value: '2' })
  })

  test('return() ends it at once, even while it waits', async () => {
    const { socket } = await createOpen()
    const iterator = socket[Symbol.asyncIterator]()
    const next = iterator.next()
    const end = { done: true, value: undefined }
    expect(await iterator.return?.()).toEqual(end)
    expect(await next).toEqual(end)
    expect(await iterator.next()).toEqual(end)
    expect(await iterator.return?.()).toEqual(end)
  })

  test('return() forgets what was not read', async () => {
    const { socket } = await createOpen()
    const iterator = socket[Symbol.asyncIterator]()
    FakeSocket.latest.receive('unread')
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  test('break after the socket has closed for another reason is no error', async () => {
    const { socket } = await createOpen()
    const run = async (): Promise<string> => {
      for await (const message of socket) {
        FakeSocket.latest.finish(1008)
        if (message === '1') break
      }
      return 'done'
    }
    const outcome = run().catch(String)
    FakeSocket.latest.receive('1')
    expect(await outcome).toBe('done')
  })

  test('several readers get a message each', async () => {
    const { socket } = await createOpen()
    const iterator = socket[Symbol.asyncIterator]()
    const results = Promise.all([iterator.next(), iterator.next()])
    FakeSocket.latest.receive('1')
    FakeSocket.latest.receive('2')
    expect((await results).map(({ value }) => value)).toEqual(['1', '2'])
  })

  test('is its own iterator', async () => {
    const { socket } = await createOpen()
    const iterator = socket[Symbol.asyncIterator]()
    expect(iterator[Symbol.asyncIterator]()).toBe(iterator)
  })

  test('two iterations hear everything each', async () => {
    const { socket } = await createOpen()
    const [first, second] = [iterate(socket), iterate(socket)]
    FakeSocket.latest.receive('1')
    await settle()
    expect([first.heard, second.heard]).toEqual([['1'], ['1']])
  })

  test('a reader that falls behind for good fails rather than eat all memory', async () => {
    const { socket } = await createOpen()
    const iterator = await begin(socket)
    for (let n = 0; n < 65_537; n++) FakeSocket.latest.receive(n)
    await expect(iterator.next()).rejects.toMatchObject({ code: 'queue-overflow' })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  test('hands unread messages over in order, also when more come between', async () => {
    const { socket } = await createOpen()
    const messages = socket[Symbol.asyncIterator]()
    const read: unknown[] = []
    for (let index = 0; index < 9; index += 3) {
      for (const offset of [0, 1, 2]) FakeSocket.latest.receive(index + offset)
      for (let count = 0; count < 2; count++) read.push((await messages.next()).value)
    }
    for (let count = 0; count < 3; count++) read.push((await messages.next()).value)
    expect(read).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  test('65,536 unread messages are not too many', async () => {
    const { socket } = await createOpen()
    const iterator = await begin(socket)
    for (let n = 0; n < 65_536; n++) FakeSocket.latest.receive(n)
    expect(await iterator.next()).toEqual({ done: false, value: 0 })
  })
})

describe('[P5] off without a listener', () => {
  test('takes off what on() added, not what promises and iteration need', async () => {
    const { socket } = create()
    const heard: unknown[] = []
    socket.on('message', () => heard.push('never'))
    const opened = socket.opened()
    void (async () => {
      for await (const message of socket) heard.push(message)
      heard.push('end')
    })()
    for (const type of ['open', 'message', 'closed', '*'] as const) socket.off(type)
    FakeSocket.latest.accept()
    await expect(opened).resolves.toBeUndefined()
    FakeSocket.latest.receive('x')
    const closed = socket.once('closed')
    socket.off('closed')
    socket.close()
    FakeSocket.latest.finish(1000)
    await expect(closed).resolves.toMatchObject({ reason: 'user' })
    await settle()
    expect(heard).toEqual(['x', 'end'])
  })
})

describe('[P5] disposal', () => {
  test('Symbol.dispose closes', async () => {
    const { socket } = await createOpen()
    const disposable = socket as unknown as Disposable
    disposable[Symbol.dispose]()
    expect(socket.state).toBe('closing')
  })

  test('Symbol.asyncDispose closes and waits for the end', async () => {
    const { socket } = await createOpen()
    let isOver = false
    const disposable = socket as unknown as AsyncDisposable
    const disposed = Promise.resolve(disposable[Symbol.asyncDispose]()).then(() => (isOver = true))
    await settle()
    expect([socket.state, isOver]).toEqual(['closing', false])
    FakeSocket.latest.finish(1000)
    await disposed
    expect(socket.state).toBe('closed')
    await disposable[Symbol.asyncDispose]()
  })
})
