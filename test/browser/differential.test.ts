// Whole lives of a socket, scripted, run by the native class and by ours: what is told must be the same ([P2]), or be listed
// in docs/differences.md. The other files of this folder compare one method or one event at a time.
import { describe, expect, test, vi } from 'vitest'
import { amountOf, call, compare, contrast, engine, errorOf, event, outcomeOf, record, task } from './subjects.ts'
import type { Stage } from './subjects.ts'

/** The next `count` messages' data. */
const messages = (socket: WebSocket, count: number): Promise<unknown[]> =>
  new Promise((resolve) => {
    const heard: unknown[] = []
    const listener = ({ data }: MessageEvent): void => {
      if (heard.push(data) < count) return
      socket.removeEventListener('message', listener)
      resolve(heard)
    }
    socket.addEventListener('message', listener)
  })

/** What a socket says of itself. */
const facts = ({ readyState, bufferedAmount, protocol, url }: WebSocket): unknown => ({
  readyState,
  bufferedAmount,
  protocol,
  url,
})

describe('a life that is the same', () => {
  test('[P2] open, send, receive, close', async () => {
    const outcome = await compare(async ({ make, url, control, log }) => {
      await control('server.echo', true)
      const socket = make(url, ['chat', 'other'])
      log.push(facts(socket))
      record(socket, log)
      await event(socket, 'open')
      socket.binaryType = 'arraybuffer'
      const heard = messages(socket, 4)
      socket.send('hello')
      socket.send('')
      socket.send(Uint8Array.of(1, 2, 3))
      socket.send(new Blob(['blob']))
      await heard
      const closed = event(socket, 'close')
      socket.close(1000, 'bye')
      log.push(facts(socket))
      await closed
      log.push(facts(socket), await control('server.received'))
    })
    expect(outcome).toContainEqual(['close', 3, [1000, 'bye', true]])
    expect(outcome).toHaveLength(10)
  })

  test('[P2] the server talks, then closes while the client still sends', async () => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      record(socket, log)
      const heard = messages(socket, 2)
      await control('server.send', 'one')
      await control('server.send', 'two')
      await heard
      socket.onclose = () => {
        log.push(
          outcomeOf(() => socket.send('in onclose')),
          socket.bufferedAmount,
        )
      }
      // After onclose: what waits for it may run before the next listener, natively ([NW5]).
      const closed = event(socket, 'close')
      await control('server.closeClients', 4001, 'enough')
      await closed
      socket.send('after it')
      socket.close(4002, 'too late')
      await task()
      log.push(facts(socket), await control('server.received'))
    })
  })

  test.for(['proxy.reset', 'proxy.cut', 'server.terminate', 'server.stop'] as const)(
    '[P2] the link breaks in the middle of a talk: %s',
    async (fault) => {
      await compare(async ({ open, control, log }) => {
        await control('server.echo', true)
        const socket = await open()
        record(socket, log)
        const heard = messages(socket, 1)
        socket.send('to and fro')
        await heard
        const closed = event(socket, 'close')
        await control(fault)
        await closed
        for (const method of ['send', 'close'])
          log.push(outcomeOf(() => call(socket, method, method === 'send' ? ['x'] : [])))
        await task()
        log.push(facts(socket))
      })
    },
  )

  test('[P2] nobody listens; then somebody does, and a second socket gets through', async () => {
    const outcome = await compare(async ({ make, url, control, log }) => {
      await control('proxy.refuse')
      const refused = make(url)
      record(refused, log)
      await event(refused, 'close')
      await control('proxy.accept')
      const second = make(url)
      record(second, log)
      await event(second, 'open')
      // The first one does not try again by itself.
      log.push(facts(refused), facts(second), await control('server.attempts'))
    })
    expect(outcome).toEqual(
      expect.arrayContaining([['error', 3, null], ['close', 3, [1006, '', false]], ['open', 1, null], 1]),
    )
  })

  test.for([401, 503])(
    '[P2] the upgrade is answered with %d, and what is called then changes nothing',
    async (status) => {
      await compare(async ({ make, url, control, log }) => {
        await control('server.refuseUpgrades', status)
        const socket = make(url)
        record(socket, log)
        log.push(outcomeOf(() => socket.send('too early')))
        await event(socket, 'close')
        log.push(
          outcomeOf(() => socket.send('too late')),
          socket.bufferedAmount,
        )
        socket.close()
        await task()
        log.push(facts(socket), await control('server.attempts'))
      })
    },
  )

  test('[P2] the upgrade hangs, the link is reset', async () => {
    await compare(async ({ make, url, control, log }) => {
      await control('proxy.hangUpgrade', true)
      const socket = make(url)
      record(socket, log)
      await control('proxy.waitForAccepted', 1)
      log.push(facts(socket))
      const closed = event(socket, 'close')
      await control('proxy.reset')
      await closed
      log.push(facts(socket))
    })
  })

  test('[P2] the upgrade hangs, close() ends it, and the answer comes too late', async () => {
    await compare(async ({ make, url, control, log }) => {
      await control('server.holdUpgrades', true)
      const socket = make(url)
      record(socket, log)
      await control('server.waitForAttempts', 1)
      const closed = event(socket, 'close')
      socket.close(4000, 'changed my mind')
      log.push(facts(socket))
      await closed
      await control('server.holdUpgrades', false)
      await task()
      log.push(facts(socket))
    })
  })

  test('[P2] close() in the turn of the constructor', async () => {
    await compare(async ({ make, url, log }) => {
      const socket = make(url)
      record(socket, log)
      socket.close(1000, 'at once')
      log.push(
        facts(socket),
        outcomeOf(() => socket.send('x')),
      )
      await event(socket, 'close')
      await task()
      log.push(facts(socket))
    })
  })

  test('[P2] close() in onopen, with messages on their way in both directions', async () => {
    await compare(async ({ make, url, control, log }) => {
      const socket = make(url)
      record(socket, log)
      const closed = event(socket, 'close')
      socket.onopen = () => {
        socket.send('first and last')
        socket.close(4000, 'short')
        socket.send('nowhere')
        log.push(socket.readyState, socket.bufferedAmount)
      }
      await closed
      log.push(facts(socket), await control('server.waitForMessages', 1))
    })
  })

  test('[P2] both ends close at once', async () => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      record(socket, log)
      await control('proxy.stall')
      await control('server.send', 'too late')
      await control('server.closeClients', 4001, 'theirs')
      const closed = event(socket, 'close')
      socket.close(4002, 'ours')
      socket.close(4003, 'ours again')
      await control('proxy.resume')
      await closed
      await task()
      log.push(facts(socket))
    })
  })

  test('[P2] a stalled upload, then a reset: what is sent later is counted on top of what was left', async () => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      await control('proxy.stall')
      socket.send(new Uint8Array(16 << 20))
      record(socket, log)
      const closed = event(socket, 'close')
      await control('proxy.reset')
      await closed
      const left = socket.bufferedAmount
      socket.send('12345')
      // How much was left is for the browser to say: from run to run it is all of it, a part or nothing.
      log.push(socket.bufferedAmount - left, socket.readyState)
    })
  })

  test('[P2] two sockets at once: the end of one is no news to the other', async () => {
    await compare(async ({ make, url, control, log }) => {
      const first = make(url)
      await event(first, 'open')
      const second = make(url)
      await event(second, 'open')
      const [own, other]: unknown[][] = [[], []]
      record(first, own as unknown[])
      record(second, other as unknown[])
      const closed = event(first, 'close')
      await control('server.closeClients', 4000, 'you', 1)
      await closed
      const heard = messages(second, 1)
      await control('server.send', 'still there')
      await heard
      log.push(own, other, facts(first), facts(second))
    })
  })

  test('[P2] a server that restarts does not see the client again', async () => {
    await compare(async ({ open, make, url, control, log }) => {
      const socket = await open()
      record(socket, log)
      const closed = event(socket, 'close')
      await control('server.stop')
      await closed
      await control('server.restart')
      // Another one, so that there was time for the first to come back if it wanted to.
      await event(make(url), 'open')
      log.push(facts(socket), await control('server.attempts'))
    })
  })
})

/** A script whose clock the page holds: what takes seconds takes none. */
const onFakeTime = async <Result>(script: () => Promise<Result>): Promise<Result> => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
  try {
    return await script()
  } finally {
    vi.useRealTimers()
  }
}

/** The next message of a connection. */
const nextMessage = async (socket: WebSocket, { control }: Stage): Promise<MessageEvent> => {
  const next = event(socket, 'message')
  await control('server.send', 'news')
  return next
}

/** The native class of Chromium, ours in every engine, and the native class of the engines that differ from Chromium's. */
type Difference = [
  script: (stage: Stage) => unknown,
  native: unknown,
  ours: unknown,
  elsewhere?: { readonly [Name in typeof engine]?: unknown },
]

const NATIVELY: Record<string, Difference> = {
  '[NW1] [P2] a close code with a fraction': [
    async ({ open }) => {
      const socket = await open()
      return [1000.6, 2999.5].map((code) => outcomeOf(() => socket.close(code)))
    },
    [undefined, { throws: 'DOMException InvalidAccessError 15' }],
    [{ throws: 'DOMException InvalidAccessError 15' }, undefined],
    { firefox: [{ throws: 'DOMException InvalidAccessError 15' }, undefined] },
  ],
  '[NW2] [E1] whether events are trusted': [
    async (stage) => {
      const socket = stage.make(stage.url)
      const opened = await event(socket, 'open')
      const message = await nextMessage(socket, stage)
      const closed = event(socket, 'close')
      socket.close()
      return [opened.isTrusted, message.isTrusted, (await closed).isTrusted]
    },
    [true, true, true],
    [false, true, false],
  ],
  '[NW3] [P2] the prototype of a message event': [
    async (stage) => {
      const message = await nextMessage(await stage.open(), stage)
      return [message instanceof MessageEvent, Object.getPrototypeOf(message) === MessageEvent.prototype]
    },
    [true, true],
    [true, false],
  ],
  '[NW4] [E1] a close event says whether a retry follows': [
    async ({ open }) => {
      const socket = await open()
      const closed = event(socket, 'close')
      socket.close()
      return String(Reflect.get(await closed, 'willReconnect'))
    },
    'undefined',
    'false',
  ],
  '[NW5] [E1] when promises settle during an event': [
    async (stage) => {
      const socket = await stage.open()
      socket.addEventListener('message', () => {
        stage.log.push('first')
        queueMicrotask(() => stage.log.push('microtask'))
      })
      socket.addEventListener('message', () => stage.log.push('second'))
      await nextMessage(socket, stage)
      return stage.log
    },
    ['first', 'microtask', 'second'],
    ['first', 'second', 'microtask'],
  ],
  '[NW6] [P2] the place of capturing listeners of message': [
    async (stage) => {
      const socket = await stage.open()
      socket.addEventListener('message', () => stage.log.push('plain'))
      socket.addEventListener('message', () => stage.log.push('capturing'), true)
      await nextMessage(socket, stage)
      return stage.log
    },
    ['plain', 'capturing'],
    ['capturing', 'plain'],
    { firefox: ['capturing', 'plain'], webkit: ['capturing', 'plain'] },
  ],
  '[NW7] [S4] an object without handleEvent': [
    async (stage) => {
      const note = (given: ErrorEvent): void => {
        stage.log.push(errorOf(given.error))
        given.preventDefault()
      }
      window.addEventListener('error', note)
      const socket = await stage.open()
      socket.addEventListener('message', {} as EventListenerObject)
      await nextMessage(socket, stage)
      window.removeEventListener('error', note)
      return stage.log
    },
    [],
    ['TypeError'],
    { firefox: ['TypeError'], webkit: ['null'] },
  ],
  '[NW8] [P4] the name and the keys of the class': [
    ({ Class }) => [Class.name, Reflect.ownKeys(Class).includes('extend')],
    ['WebSocket', false],
    ['Heartwire', true],
  ],
  '[NW9] [S8] a close() that the peer does not answer within 2 s': [
    ({ open, control, log }) =>
      onFakeTime(async () => {
        const socket = await open()
        await control('proxy.blackhole')
        record(socket, log)
        socket.close(4000, 'bye')
        vi.advanceTimersByTime(2_000)
        return [...log, socket.readyState]
      }),
    [2],
    [['close', 3, [1006, '', false]], 3],
  ],
  '[NW10] [S1] an upgrade that is not answered within 10 s': [
    ({ make, url, control, log }) =>
      onFakeTime(async () => {
        await control('server.holdUpgrades', true)
        const socket = make(url)
        await control('server.waitForAttempts', 1)
        record(socket, log)
        vi.advanceTimersByTime(10_000)
        return [...log, socket.readyState]
      }),
    [0],
    [['error', 3, null], ['close', 3, [1006, 'connect timeout', false]], 3],
  ],
  '[NW11] [P2] a reason without a code': [
    async ({ open, log }) => {
      const socket = await open()
      log.push(outcomeOf(() => call(socket, 'close', [undefined, 'bye'])))
      return [...log, socket.readyState]
    },
    [{ throws: 'DOMException InvalidAccessError 15' }, 1],
    [undefined, 2],
    { firefox: [undefined, 2], webkit: [undefined, 2] },
  ],
  '[NW12] [P2] bufferedAmount of what is sent after close()': [
    async ({ Class, open }) => {
      const socket = await open()
      socket.close()
      socket.send('12345')
      return Class === WebSocket ? amountOf(socket) : socket.bufferedAmount
    },
    5,
    5,
    { webkit: 11 },
  ],
  '[NW13] [P2] stopPropagation() in a capturing listener': [
    async (stage) => {
      const socket = await stage.open()
      socket.addEventListener('message', () => stage.log.push('plain'))
      const stop = (given: Event): void => given.stopPropagation()
      socket.addEventListener('message', stop, true)
      const stopped = new Promise((resolve) => {
        socket.addEventListener('message', resolve, { capture: true, once: true })
      })
      await stage.control('server.send', 'news')
      await stopped
      await task()
      return stage.log
    },
    ['plain'],
    ['plain'],
    { firefox: [] },
  ],
}

describe('what is told otherwise', () => {
  test.for(Object.entries(NATIVELY))('%s', async ([, [script, native, ours, elsewhere = {}]]) => {
    expect(await contrast(script)).toEqual({ native: engine in elsewhere ? elsewhere[engine] : native, ours })
    const natives = [native, ...Object.values(elsewhere)].map((outcome) => JSON.stringify(outcome))
    expect(natives.filter((outcome) => outcome !== JSON.stringify(ours))).not.toEqual([])
  })
})
