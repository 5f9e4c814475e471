// What reconnecting-websocket and ours are asked to do: some of it both do alike, some not.
import { expect, vi } from 'vitest'
import { FakeSocket } from './fake-socket.ts'
import type { Script } from './rivals.ts'
import { advance, settle, uncaught, URL as ADDRESS } from './scene.ts'

/** Scripts of which both tell the same. */
export const ALIKE: [string, Script][] = [
  [
    '[E1] open, send, receive',
    async ({ make, note }) => {
      const socket = await make()
      FakeSocket.latest.accept('chat', 'deflate')
      socket.send('hello')
      FakeSocket.latest.receive('world')
      note(socket.url, socket.protocol, socket.extensions, socket.readyState, FakeSocket.latest.sent)
    },
  ],
  [
    '[Q1] what is sent before the first connection leaves in order, before listeners of open are told',
    async ({ make, note }) => {
      const socket = await make()
      for (const message of ['1', '2', '3']) socket.send(message)
      note(socket.bufferedAmount, socket.readyState)
      socket.addEventListener('open', () => note(FakeSocket.latest.sent))
      FakeSocket.latest.accept()
    },
  ],
  [
    '[Q1] what is sent during the wait leaves on the next connection',
    async ({ open, note }) => {
      const socket = await open()
      FakeSocket.latest.finish(1006)
      socket.send('1')
      await advance(500)
      socket.send('2')
      await advance(500)
      socket.send('3')
      FakeSocket.latest.accept()
      note(FakeSocket.latest.sent)
    },
  ],
  ...([1000, 1006, 1011, 1014, 4000] as const).map((code): [string, Script] => [
    `[R4] a connection that ends with ${code} is told, and tried again after the same time`,
    async ({ open, noteTimes }) => {
      await open()
      await advance(10_000)
      FakeSocket.latest.finish(code, 'reason')
      await advance(1_000)
      FakeSocket.latest.accept()
      noteTimes()
    },
  ]),
  [
    '[R1] failed attempts are tried again after the same times',
    async ({ bare, note, noteTimes }) => {
      bare()
      await advance(0)
      for (let n = 0; n < 8; n++) {
        FakeSocket.latest.fail()
        await advance(30_000)
      }
      noteTimes()
      note(FakeSocket.mostAtOnce)
    },
  ],
  [
    '[R1] 1,100 failures make the delay no longer than the longest',
    async ({ bare, note }) => {
      bare()
      await advance(0)
      for (let n = 0; n < 1_100; n++) {
        FakeSocket.latest.fail()
        await advance(30_000)
      }
      FakeSocket.latest.fail()
      await advance(29_999)
      note(FakeSocket.all.length)
      await advance(1)
      note(FakeSocket.all.length)
    },
  ],
  [
    '[R2] the count starts again after a connection of 5 s, and not before',
    async ({ bare, noteTimes }) => {
      bare()
      for (const uptime of [0, 0, 4_999, 5_000, 0]) {
        await advance(0)
        FakeSocket.latest.accept()
        await advance(uptime)
        FakeSocket.latest.finish(1006)
        await advance(30_000)
      }
      noteTimes()
    },
  ],
  [
    '[R3] a server that accepts and drops is given up after the same number of attempts',
    async ({ bare, note }) => {
      bare({ attempts: 4 })
      for (let n = 0; n < 10; n++) {
        await advance(0)
        FakeSocket.latest.accept()
        FakeSocket.latest.finish(1006)
        await advance(30_000)
      }
      note(FakeSocket.all.length)
    },
  ],
  [
    '[P1] a url may be a function, or one of a promise, asked for each attempt',
    async ({ bare, note }) => {
      for (const isLate of [false, true]) {
        let asked = 0
        const url = (): string => `${ADDRESS}?${isLate ? 'late' : 'now'}${(asked += 1)}`
        bare({ protocols: ['a', 'b'] }, isLate ? async () => url() : url)
        await advance(0)
        FakeSocket.latest.fail()
        await advance(1_000)
      }
      note(FakeSocket.all.map((native) => [native.url, native.protocols]))
    },
  ],
  [
    '[S5] close(1000, reason) is passed on, and the answer is told once',
    async ({ open, note }) => {
      const socket = await open()
      socket.close(1000, 'bye')
      note(FakeSocket.latest.closes, socket.readyState)
      FakeSocket.latest.finish(1000, 'bye')
      await advance(100_000)
      note(socket.readyState, FakeSocket.all.length)
    },
  ],
  [
    '[S5] reconnect() after close() begins again',
    async ({ open, note }) => {
      const socket = await open()
      socket.close(1000)
      FakeSocket.latest.finish(1000)
      await settle()
      socket.reconnect()
      await advance(0)
      FakeSocket.latest.accept()
      note(socket.readyState, FakeSocket.all.length)
    },
  ],
  [
    '[S1] a start by hand waits for reconnect()',
    async ({ make, note }) => {
      const socket = await make({ isManual: true })
      await advance(100_000)
      note(socket.readyState, FakeSocket.all.length)
      socket.reconnect()
      await advance(0)
      FakeSocket.latest.accept()
      note(socket.readyState)
    },
  ],
  [
    '[P2] binaryType is kept over reconnects',
    async ({ open, note }) => {
      const socket = await open()
      socket.binaryType = 'arraybuffer'
      FakeSocket.latest.finish(1006)
      await advance(1_000)
      note(
        socket.binaryType,
        FakeSocket.all.map(({ binaryType }) => binaryType),
      )
    },
  ],
  [
    '[S2] an attempt that took too long is heard no more',
    async ({ bare, note }) => {
      const socket = bare({ connectTimeout: 3_000 })
      await advance(0)
      await advance(3_000)
      note(FakeSocket.latest.closes.length)
      for (const type of ['open', 'message', 'close'] as const) socket.addEventListener(type, () => note(type))
      FakeSocket.latest.accept()
      FakeSocket.latest.receive('late')
      FakeSocket.latest.finish(1006)
      await advance(1_000)
      note(FakeSocket.all.length)
    },
  ],
]

/**
 * Scripts of which each tells something else: what, is in docs/differences.md. Each title has the id of the difference there
 * and the rule that makes ours what it is.
 */
export const DIFFERENT: [string, Script][] = [
  [
    '[RW1] [P3] when the first native socket is made',
    ({ bare, note }) => {
      bare()
      note(FakeSocket.all.length)
    },
  ],
  [
    '[RW2] [P2] a url that is none',
    async ({ make, note }) => {
      try {
        const socket = await make({}, 'nonsense')
        await advance(100_000)
        note(socket.readyState)
      } catch (error) {
        note(`throws ${(error as Error).name}`)
      }
    },
  ],
  [
    '[RW3] [R6] an attempt that is refused',
    async ({ make }) => {
      await make()
      FakeSocket.latest.fail()
      await settle()
    },
  ],
  [
    '[RW4] [S1] an attempt that takes too long',
    async ({ make }) => {
      await make({ connectTimeout: 3_000 })
      await advance(3_000)
    },
  ],
  [
    '[RW5] [E1] a connection that breaks with an error',
    async ({ open }) => {
      await open()
      FakeSocket.latest.fail()
      await settle()
    },
  ],
  [
    '[RW6] [S1] readyState during the wait',
    async ({ open, note }) => {
      const socket = await open()
      FakeSocket.latest.finish(1006)
      note(socket.readyState)
    },
  ],
  [
    '[RW7] [S8] close() during the wait',
    async ({ open, note }) => {
      const socket = await open()
      FakeSocket.latest.finish(1006)
      await settle()
      socket.close()
      await advance(100_000)
      note(socket.readyState, FakeSocket.all.length)
    },
  ],
  [
    '[RW8] [S5] reconnect() after a close() during the wait',
    async ({ open, note }) => {
      const socket = await open()
      FakeSocket.latest.finish(1006)
      socket.close()
      await advance(100_000)
      socket.reconnect()
      await advance(0)
      note(FakeSocket.all.length)
    },
  ],
  [
    '[RW9] [S8] close() before the first native socket',
    async ({ make, note }) => {
      const socket = await make({}, () => new Promise(() => {}))
      socket.close()
      await advance(100_000)
      note(socket.readyState)
    },
  ],
  [
    '[RW10] [R3] giving up',
    async ({ open, note }) => {
      const socket = await open({ attempts: 1 })
      FakeSocket.latest.finish(1006)
      await advance(100_000)
      note(socket.readyState)
      socket.reconnect()
      await advance(0)
      note(FakeSocket.all.length)
    },
  ],
  ...(
    [
      ['[RW11] [S6] a provider that rejects', () => Promise.reject(new Error('no token'))],
      [
        '[RW12] [S6] a provider that throws',
        () => {
          throw new Error('no token')
        },
      ],
    ] as const
  ).map(([title, fail]): [string, Script] => [
    title,
    async ({ make, note }) => {
      let asked = 0
      await make({}, () => {
        asked += 1
        return asked > 1 ? ADDRESS : fail()
      })
      await advance(1_000)
      note(asked, FakeSocket.all.length)
    },
  ]),
  [
    '[RW13] [S6] a provider that hangs',
    async ({ make, note }) => {
      let asked = 0
      await make({}, () => {
        asked += 1
        return asked > 1 ? ADDRESS : new Promise(() => {})
      })
      await advance(11_000)
      note(asked, FakeSocket.all.length)
    },
  ],
  [
    '[RW14] [P2] close() with a code that it refuses',
    async ({ open, note }) => {
      const socket = await open()
      expect(() => socket.close(1001)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
      FakeSocket.latest.finish(1006)
      await advance(1_000)
      note(FakeSocket.all.length)
    },
  ],
  [
    '[RW15] [P2] close() without a code',
    async ({ open, note }) => {
      const socket = await open()
      socket.close()
      note(FakeSocket.latest.closes)
    },
  ],
  [
    '[RW16] [P2] messages that arrive after close()',
    async ({ open, note }) => {
      const socket = await open()
      socket.close(1000)
      FakeSocket.latest.receive('late')
      note(socket.readyState)
    },
  ],
  [
    '[RW17] [S8] close() that the server does not answer',
    async ({ open, note }) => {
      const socket = await open()
      socket.close(1000)
      await advance(10_000)
      note(socket.readyState)
    },
  ],
  [
    '[RW18] [R4] an end that the same client would meet again, 1008',
    async ({ open, note }) => {
      const socket = await open()
      FakeSocket.latest.finish(1008)
      await advance(1_000)
      note(socket.readyState, FakeSocket.all.length)
    },
  ],
  [
    '[RW19] [R4] a restart of the server, 1012',
    async ({ open, noteTimes }) => {
      await open()
      FakeSocket.latest.finish(1012)
      await advance(10_000)
      noteTimes()
    },
  ],
  [
    '[RW20] [S5] reconnect() while open',
    async ({ open, note }) => {
      const socket = await open()
      socket.reconnect()
      await settle()
      note(socket.readyState, FakeSocket.all.length)
    },
  ],
  [
    '[RW21] [S5] reconnect() while connecting',
    async ({ make, note }) => {
      const socket = await make()
      socket.reconnect()
      await advance(0)
      note(socket.readyState, FakeSocket.all.length)
    },
  ],
  [
    '[RW22] [R1] two clients with the defaults',
    async ({ bare, note }) => {
      let draw = 0
      vi.spyOn(Math, 'random').mockImplementation(() => (draw = (draw + 0.37) % 1))
      for (let n = 0; n < 2; n++) bare({ hasDefaults: true })
      await advance(0)
      for (const native of FakeSocket.all) native.fail()
      await advance(10_000)
      const [first, second] = FakeSocket.all.slice(2).map(({ bornAt }) => bornAt)
      note(first === second ? 'in step' : 'apart')
    },
  ],
  [
    '[RW23] [Q1] a queue that is full',
    async ({ make, note }) => {
      const socket = await make({ limit: 1 })
      for (const message of ['1', '2']) {
        try {
          socket.send(message)
        } catch (error) {
          note(`throws ${(error as Error & { code: string }).code}`)
        }
      }
      FakeSocket.latest.accept()
      note(FakeSocket.latest.sent)
    },
  ],
  [
    '[RW24] [Q1] binary data that is changed after send()',
    async ({ make, note }) => {
      const socket = await make()
      const bytes = Uint8Array.of(1, 2)
      socket.send(bytes)
      bytes.fill(9)
      FakeSocket.latest.accept()
      note([...new Uint8Array(FakeSocket.latest.sent[0] as ArrayBuffer)])
    },
  ],
  [
    '[RW25] [Q2] bufferedAmount of text',
    async ({ make, note }) => {
      const socket = await make()
      socket.send('€€€😀')
      note(socket.bufferedAmount)
    },
  ],
  [
    '[RW26] [Q3] what was sent and provably never left',
    async ({ open, note }) => {
      const socket = await open()
      FakeSocket.latest.isStalled = true
      socket.send('hello')
      FakeSocket.latest.finish(1006)
      await advance(1_000)
      FakeSocket.latest.accept()
      note(FakeSocket.latest.sent)
    },
  ],
  [
    '[RW27] [Q5] what is sent after close()',
    async ({ open, note }) => {
      const socket = await open()
      socket.close(1000)
      FakeSocket.latest.finish(1000)
      socket.send('late')
      socket.reconnect()
      await advance(0)
      FakeSocket.latest.accept()
      note(FakeSocket.latest.sent)
    },
  ],
  [
    '[RW28] [Q1] a queue of which the class refuses one message',
    async ({ make, note }) => {
      const socket = await make()
      for (const message of ['1', 'bad', '2']) socket.send(message)
      const { latest } = FakeSocket
      const send = latest.send.bind(latest)
      latest.send = (data) => {
        if (data === 'bad') throw new Error('refused')
        send(data)
      }
      await uncaught(() => {
        try {
          latest.accept()
        } catch {
          // An exception in a native listener is reported, and ends nothing but that listener.
        }
      })
      note(latest.sent, socket.bufferedAmount)
      latest.finish(1006)
      await advance(1_000)
      FakeSocket.latest.accept()
      note(FakeSocket.latest.sent)
    },
  ],
  [
    '[RW29] [P2] listeners that are added twice, with once or with a signal',
    async ({ open, note }) => {
      const socket = await open()
      const twice = (): void => note('twice')
      socket.addEventListener('message', twice)
      socket.addEventListener('message', twice)
      socket.addEventListener('message', () => note('once'), { once: true })
      socket.addEventListener('message', () => note('aborted'), { signal: AbortSignal.abort() })
      FakeSocket.latest.receive('1')
      FakeSocket.latest.receive('2')
    },
  ],
  [
    '[RW30] [P2] what it is to code that takes an EventTarget',
    ({ bare, note }) => {
      const socket = bare()
      note(socket instanceof EventTarget, Object.prototype.toString.call(socket))
      socket.addEventListener('custom' as 'open', () => note('custom'))
      socket.dispatchEvent(new Event('custom'))
    },
  ],
  [
    '[RW31] [P2] the target of events',
    async ({ make, note }) => {
      const socket = await make()
      socket.addEventListener('open', ({ target }) => note(target === socket))
      FakeSocket.latest.accept()
    },
  ],
  [
    '[RW32] [P2] the place of on… among the listeners',
    async ({ open, note }) => {
      const socket = await open()
      socket.addEventListener('message', () => note('first'))
      socket.onmessage = () => note('attribute')
      FakeSocket.latest.receive('1')
    },
  ],
  [
    '[RW33] [S4] a listener of message that throws',
    async ({ open, note }) => {
      vi.stubGlobal('reportError', (error: unknown) => note(`uncaught ${String(error)}`))
      const socket = await open()
      socket.addEventListener('message', () => {
        throw new Error('listener')
      })
      socket.addEventListener('message', () => note('next'))
      try {
        FakeSocket.latest.receive('1')
      } catch (error) {
        note(`uncaught ${String(error)}`)
      }
    },
  ],
  [
    '[RW34] [S7] a constructor that refuses the retry',
    async ({ open, note }) => {
      const socket = await open()
      FakeSocket.refusal = new DOMException('blocked by policy', 'SecurityError')
      FakeSocket.latest.finish(1006)
      await advance(100_000)
      FakeSocket.refusal = null
      note(socket.readyState)
      socket.reconnect()
      await advance(0)
      note(FakeSocket.all.length)
    },
  ],
  [
    '[RW35] [S3] reconnect() in the listener of close',
    async ({ open, noteTimes }) => {
      const socket = await open()
      await advance(10_000)
      socket.addEventListener('close', () => socket.reconnect())
      FakeSocket.latest.finish(1006)
      await advance(1_000)
      noteTimes()
    },
  ],
  [
    '[RW36] [O1] an option that is no number',
    async ({ bare, note }) => {
      try {
        bare({ minDelay: 'soon' as unknown as number })
        await advance(0)
        FakeSocket.latest.fail()
        await advance(0)
        note(FakeSocket.all.length)
      } catch (error) {
        note(`throws ${(error as Error).name}`)
      }
    },
  ],
  [
    '[RW37] [O2] how long an attempt may take by default',
    async ({ bare, note }) => {
      bare({ hasDefaults: true })
      await advance(0)
      for (const ms of [3_999, 1, 5_999, 1]) {
        await advance(ms)
        note(FakeSocket.all[0]?.closes.length)
      }
    },
  ],
]
