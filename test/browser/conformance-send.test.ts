// `send` and `bufferedAmount`, beside the native ones ([P2]).
import { describe, expect, test } from 'vitest'
import { call, compare, engine, event, outcomeOf, task } from './subjects.ts'

const KIB = 1024
const MIB = KIB * KIB

/** Shared memory without cross-origin isolation: WebAssembly still makes it. */
const sharedMemory = (): ArrayBufferLike => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer

const numbers = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)

/** Each kind of argument, made afresh for each socket. */
const data: Record<string, () => unknown[]> = {
  'no argument': () => [],
  'two arguments': () => ['first', 'second'],
  text: () => ['hello'],
  'empty text': () => [''],
  'text beyond ASCII': () => ['grün €uro 𝄞'],
  'an unpaired surrogate': () => ['a\uD800b\uDC00'],
  'a null character': () => ['a\0b'],
  'an ArrayBuffer': () => [numbers.buffer.slice(2)],
  'an empty ArrayBuffer': () => [new ArrayBuffer(0)],
  'a Uint8Array': () => [numbers],
  'a view with an offset': () => [numbers.subarray(3, 7)],
  'wider elements': () => [new Uint16Array([1, 256, 65_535])],
  'a Float64Array': () => [new Float64Array([Math.PI])],
  'a BigInt64Array': () => [new BigInt64Array([-1n])],
  'a DataView with an offset': () => [new DataView(numbers.buffer, 8, 2)],
  'a Blob': () => [new Blob(['blob ', numbers])],
  'an empty Blob': () => [new Blob([])],
  'a File': () => [new File(['file'], 'name.txt')],
  'a slice of a Blob': () => [new Blob(['0123456789']).slice(2, 5)],
  'a number': () => [5],
  NaN: () => [NaN],
  'a bigint': () => [5n],
  true: () => [true],
  null: () => [null],
  undefined: () => [undefined],
  'an object': () => [{ a: 1 }],
  'an object with toString': () => [{ toString: () => 'converted' }],
  'an array': () => [[1, [2, 3]]],
  'a function': () => [Math.max],
  'a Date with toString': () => [Object.assign(new Date(0), { toString: () => 'epoch' })],
  'a String object': () => [Object('boxed')],
  'a symbol': () => [Symbol('data')],
  'an object that throws': () => [
    {
      toString() {
        throw new Error('from toString')
      },
    },
  ],
  'an object without a conversion': () => [Object.create(null)],
  'shared memory': () => [sharedMemory()],
  'a view of shared memory': () => [new Uint8Array(sharedMemory(), 0, 4)],
  URLSearchParams: () => [new URLSearchParams('a=1&b=2')],
  'a resizable ArrayBuffer': () => [Reflect.construct(ArrayBuffer, [4, { maxByteLength: 8 }])],
  'a view of a resizable ArrayBuffer': () => [
    new Uint8Array(Reflect.construct(ArrayBuffer, [4, { maxByteLength: 8 }]) as ArrayBuffer),
  ],
  'a detached ArrayBuffer': () => {
    const buffer = new ArrayBuffer(4)
    structuredClone(buffer, { transfer: [buffer] })
    return [buffer]
  },
  'an ArrayBuffer of another window': () => [inFrame((frame) => new frame.Uint8Array([1, 2, 3]).buffer)],
  'a view of another window': () => [inFrame((frame) => new frame.Uint8Array([1, 2, 3]))],
  'a Blob of another window': () => [inFrame((frame) => new frame.Blob(['from a frame']))],
}

const inFrame = (make: (frame: typeof globalThis) => unknown): unknown => {
  const frame = document.createElement('iframe')
  document.body.append(frame)
  const made = make(frame.contentWindow as unknown as typeof globalThis)
  frame.remove()
  return made
}

const send = (socket: WebSocket, args: unknown[]): unknown => outcomeOf(() => call(socket, 'send', args))

const kinds = Object.keys(data)

describe('send', () => {
  test.for(kinds)('[P2] while open, given %s, sends or refuses what the native one does', async (kind) => {
    await compare(async ({ open, control }) => {
      const socket = await open()
      const outcome = send(socket, data[kind]?.() ?? [])
      const { bufferedAmount } = socket
      socket.send('mark')
      await control('server.waitForMessages', outcome === undefined ? 2 : 1)
      return [outcome, bufferedAmount, await control('server.received')]
    })
  })

  test.for(kinds)('[P2] while connecting, given %s, throws what the native one does', async (kind) => {
    await compare(async ({ make, url, control }) => {
      const socket = make(url)
      const outcome = send(socket, data[kind]?.() ?? [])
      const { bufferedAmount, readyState } = socket
      await event(socket, 'open')
      socket.send('mark')
      return [outcome, bufferedAmount, readyState, await control('server.waitForMessages', 1)]
    })
  })

  test.for(kinds)('[P2] after close(), given %s, throws nothing but what the conversion does', async (kind) => {
    await compare(async ({ open, control }) => {
      const socket = await open()
      socket.close()
      const closing = send(socket, data[kind]?.() ?? [])
      await event(socket, 'close')
      const closed = send(socket, data[kind]?.() ?? [])
      return [closing, closed, socket.readyState, await control('server.received')]
    })
  })

  test('[P2] returns undefined, in whatever state', async () => {
    await compare(async ({ open, log }) => {
      const socket = await open()
      log.push(socket.send('a'))
      socket.close()
      log.push(socket.send('b'))
      await event(socket, 'close')
      log.push(socket.send('c'))
    })
  })

  test('[P2] takes its data at once: what becomes of the buffer afterwards is no concern', async () => {
    const outcome = await compare(async ({ open, control }) => {
      const socket = await open()
      const bytes = Uint8Array.of(1, 2, 3)
      socket.send(bytes)
      bytes.fill(9)
      socket.send(bytes.buffer)
      bytes.fill(7)
      const messages = await control('server.waitForMessages', 2)
      return messages.map((message) => Array.from(message as Uint8Array))
    })
    expect(outcome).toEqual([
      [1, 2, 3],
      [9, 9, 9],
    ])
  })

  test('[P2] keeps the order, of Blobs among text as well', async () => {
    await compare(async ({ open, control }) => {
      const socket = await open()
      socket.send('first')
      socket.send(new Blob(['second '.repeat(20_000)]))
      socket.send('third')
      socket.send(Uint8Array.of(4))
      socket.send(new Blob(['fifth']))
      socket.send('sixth')
      const messages = await control('server.waitForMessages', 6)
      return messages.map((message) => (typeof message === 'string' ? message : message.length))
    })
  })

  test.for([0, 1, 125, 126, 65_535, 65_536, MIB, 16 * MIB])('[P2] %d bytes go and come back whole', async (size) => {
    const bytes = new Uint8Array(size)
    for (let index = 0; index < size; index += 1) bytes[index] = index * 7 + (index >> 8)
    const text = 'ab'.repeat(size / 2) + 'c'.repeat(size % 2)
    const outcome = await compare(async ({ make, serverUrl, control }) => {
      await control('server.echo', true)
      const socket = make(serverUrl)
      socket.binaryType = 'arraybuffer'
      await event(socket, 'open')
      const answers: unknown[] = []
      for (const message of [bytes, text]) {
        const answer = event(socket, 'message')
        socket.send(message)
        const { data: back } = (await answer) as MessageEvent<ArrayBuffer | string>
        // The one comparison of bytes that browsers have built in.
        answers.push(typeof back === 'string' ? back === message : indexedDB.cmp(back, bytes) === 0)
      }
      return answers
    })
    expect(outcome).toEqual([true, true])
  })
})

describe('bufferedAmount', () => {
  test('[P2] is 0 at first, grows with each send of a turn, and does not shrink within it', async () => {
    const outcome = await compare(async ({ open, log }) => {
      const socket = await open()
      log.push(socket.bufferedAmount)
      for (const message of ['hello', 'ü€𝄞', Uint8Array.of(1, 2, 3), new Blob(['blob']), '', 'x'.repeat(70_000)]) {
        socket.send(message)
        log.push(socket.bufferedAmount)
      }
      await Promise.resolve()
      log.push(socket.bufferedAmount)
    })
    expect(outcome).toEqual([0, 5, 14, 17, 21, 21, 70_021, 70_021])
  })

  test('[P2] is 0 again once everything has left', async () => {
    await compare(async ({ open, control }) => {
      const socket = await open()
      socket.send('a'.repeat(100_000))
      await control('server.waitForMessages', 1)
      return socket.bufferedAmount
    })
  })

  test('[P2] of a stalled link says what the native one says', async () => {
    const isPlausible = (amount: number): boolean => amount > 0 && amount <= 16 * MIB
    const outcome = await compare(async ({ open, control }) => {
      const socket = await open()
      await control('proxy.stall')
      for (let count = 0; count < 16; count += 1) socket.send('x'.repeat(MIB))
      const stuck = socket.bufferedAmount
      const closed = event(socket, 'close')
      await control('proxy.reset')
      await closed
      return [stuck, isPlausible(socket.bufferedAmount)]
    })
    // WebKitGTK says that all has left once its network process has it, and ours can know no better.
    expect(outcome).toEqual([16 * MIB, engine !== 'webkit'])
  })

  test('[P2] keeps what was sent and never left after the close', async () => {
    await compare(async ({ open, log }) => {
      const socket = await open()
      socket.send('sent')
      log.push(socket.bufferedAmount)
      socket.close()
      log.push(socket.bufferedAmount)
      await event(socket, 'close')
      log.push(socket.bufferedAmount)
      await task()
      log.push(socket.bufferedAmount)
    })
  })

  test('[P2] grows by the size of what is sent after the close, and of nothing else', async () => {
    const outcome = await compare(async ({ open, log }) => {
      const socket = await open()
      socket.close()
      socket.send('12345')
      log.push(socket.bufferedAmount)
      await event(socket, 'close')
      for (const message of ['12345', 'ü', Uint8Array.of(1, 2), new Blob(['blob'])]) {
        socket.send(message)
        log.push(socket.bufferedAmount)
      }
    })
    expect(outcome).toEqual([5, 10, 12, 14, 18])
  })
})
