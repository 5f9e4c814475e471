// The events and their dispatch, beside the native ones ([P2], [E1]).
import { describe, expect, test } from 'vitest'
import { call, compare, contrast, engine, errorOf, event, outcomeOf, task } from './subjects.ts'
import type { Stage } from './subjects.ts'

const TYPES = ['open', 'message', 'error', 'close'] as const

/** A name for each thing that an event may point at. */
const namer =
  (socket: unknown) =>
  (value: unknown): unknown => {
    if (value === socket) return 'the socket'
    if (value === window) return 'the window'
    if (value instanceof WebSocket) return 'another socket'
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? String(value) : value
  }

/** Everything an event says, but for what differs from run to run. */
const contentsOf = (given: Event, socket: unknown): Record<string, unknown> => {
  const name = namer(socket)
  const names = [
    'type',
    'target',
    'currentTarget',
    'srcElement',
    'eventPhase',
    'bubbles',
    'cancelable',
    'composed',
    'defaultPrevented',
    'cancelBubble',
    'returnValue',
    'NONE',
    'AT_TARGET',
    'code',
    'reason',
    'wasClean',
    'data',
    'origin',
    'lastEventId',
    'source',
    'ports',
  ]
  return {
    ...Object.fromEntries(names.map((key) => [key, name(Reflect.get(given, key))])),
    path: given.composedPath().map(name),
    class: given.constructor.name,
    isEvent: given instanceof Event,
    isMessage: given instanceof MessageEvent,
    isClose: given instanceof CloseEvent,
    constructor: [Event, MessageEvent, CloseEvent].map((Class) => given.constructor === Class),
    prints: String(given),
    inTime: given.timeStamp > 0 && given.timeStamp <= performance.now(),
    global: window.event === given,
  }
}

/** Sends a message from the server and waits until everybody has heard it. */
const message = async (socket: WebSocket, { control }: Stage, data = 'data'): Promise<MessageEvent> => {
  const received = event(socket, 'message')
  await control('server.send', data)
  const given = await received
  await task()
  return given
}

/** Runs the script with one event of each kind: one of the connection's, and one that the program dispatches itself. */
const forEach = async (
  listen: (socket: WebSocket, type: 'message' | 'close', stage: Stage) => unknown,
): Promise<unknown> =>
  compare(async (stage) => {
    const { open, log, control } = stage
    const socket = await open()
    for (const type of ['message', 'close'] as const) {
      // The server's events below reach this socket, too, sooner or later: then nobody reads this log any more.
      const own: unknown[] = []
      listen(socket, type, { ...stage, log: own })
      const outcome = socket.dispatchEvent(type === 'message' ? new MessageEvent(type) : new CloseEvent(type))
      log.push(`${type}, by the program`, ...own, outcome)
    }
    const other = await open()
    for (const type of ['message', 'close'] as const) {
      log.push(`${type}, by the connection`)
      // First, since a listener may stop the event; and not by an event of the program's own.
      const done = new Promise<void>((resolve) => {
        other.addEventListener(type, (given) => {
          if (Reflect.get(given, 'data') === 'data' || Reflect.get(given, 'code') === 4000) resolve()
        })
      })
      listen(other, type, stage)
      await (type === 'message' ? control('server.send', 'data') : control('server.closeClients', 4000))
      await done
      await task()
    }
  })

describe('an event', () => {
  test('[E1] says the same during its dispatch and after it', async () => {
    await compare(async (stage) => {
      const { make, url, log, control } = stage
      const socket = make(url)
      const heard: Event[] = []
      for (const type of TYPES) {
        socket.addEventListener(type, (given) => {
          heard.push(given)
          log.push(contentsOf(given, socket))
        })
      }
      await event(socket, 'open')
      await message(socket, stage)
      const closed = event(socket, 'close')
      await control('server.closeClients', 4000, 'reason')
      await closed
      await task()
      for (const given of heard) log.push(contentsOf(given, socket))
    })
  })

  test('[E1] of a failed attempt says the same', async () => {
    await compare(async ({ make, url, log, control }) => {
      await control('proxy.refuse')
      const socket = make(url)
      for (const type of TYPES) socket.addEventListener(type, (given) => log.push(contentsOf(given, socket)))
      await event(socket, 'close')
    })
  })

  test('[E1] is one object for all listeners', async () => {
    await compare(async (stage) => {
      const { open, log, control } = stage
      const socket = await open()
      for (const type of ['message', 'close'] as const) {
        const heard: unknown[] = []
        socket.addEventListener(type, (given) => heard.push(given))
        socket.addEventListener(type, (given) => heard.push(given))
        socket[`on${type}`] = (given: unknown) => heard.push(given)
        const done = event(socket, type)
        await (type === 'message' ? control('server.send', 'data') : control('server.closeClients'))
        heard.push(await done)
        log.push(heard.length, new Set(heard).size)
      }
    })
  })

  test('[E1] keeps what a listener writes on it for the next one', async () => {
    await compare(async (stage) => {
      const { open, log } = stage
      const socket = await open()
      socket.addEventListener('message', (given) => Object.assign(given, { parsed: 42 }))
      socket.addEventListener('message', (given) => log.push(Reflect.get(given, 'parsed'), Object.keys(given)))
      await message(socket, stage)
    })
  })

  test('[E1] can be copied, and passed on to another target once it is over', async () => {
    await compare(async (stage) => {
      const { open, log } = stage
      const socket = await open()
      const given = await message(socket, stage)
      const copy = new MessageEvent(given.type, given as unknown as MessageEventInit)
      log.push([copy.data, copy.origin, copy.target])
      const other = new EventTarget()
      other.addEventListener('message', (passed) => {
        log.push([
          passed === given,
          passed.target === other,
          passed.currentTarget === other,
          passed.srcElement === other,
          passed.composedPath().map((item) => item === other),
          (passed as MessageEvent).data,
        ])
      })
      log.push(outcomeOf(() => other.dispatchEvent(given)))
      log.push([given.target === other, given.currentTarget])
    })
  })

  test('[E1] cannot be dispatched again while it is under way', async () => {
    await compare(async (stage) => {
      const { open, log } = stage
      const socket = await open()
      socket.addEventListener('message', (given) => log.push(outcomeOf(() => socket.dispatchEvent(given))))
      await message(socket, stage)
    })
  })

  test('[E1] cannot be cancelled', async () => {
    await compare(async (stage) => {
      const { open, log } = stage
      const socket = await open()
      socket.addEventListener('message', (given) => {
        given.preventDefault()
        log.push(given.defaultPrevented, given.cancelable)
      })
      await message(socket, stage)
    })
  })

  // What a page cannot imitate: the platform alone makes trusted events, and a prototype tells who made it.
  test('[E1] the known differences: trust, and the prototype of a message', async () => {
    const script = async (stage: Stage): Promise<unknown> => {
      const { open, control, make, url } = stage
      await control('proxy.refuse')
      const failed = event(make(url), 'error')
      await failed
      await control('proxy.accept')
      const socket = await open()
      const given = await message(socket, stage)
      const closed = event(socket, 'close')
      await control('server.closeClients')
      const last = await closed
      return {
        error: (await failed).isTrusted,
        message: given.isTrusted,
        close: last.isTrusted,
        prototype: Object.getPrototypeOf(given) === MessageEvent.prototype,
        willReconnect: 'willReconnect' in last,
      }
    }
    expect(await contrast(script)).toEqual({
      native: { error: true, message: true, close: true, prototype: true, willReconnect: false },
      ours: { error: false, message: true, close: false, prototype: false, willReconnect: true },
    })
  })

  // Listeners of ours are called from one native listener, so promises settle after all of them.
  test('[E1] the known difference: microtasks run after all listeners, not between them', async () => {
    const script = async (stage: Stage): Promise<unknown> => {
      const { open, log } = stage
      const socket = await open()
      socket.addEventListener('message', () => {
        log.push('first')
        queueMicrotask(() => log.push('microtask'))
      })
      socket.addEventListener('message', () => log.push('second'))
      await message(socket, stage)
      return log
    }
    expect(await contrast(script)).toEqual({
      native: ['first', 'microtask', 'second'],
      ours: ['first', 'second', 'microtask'],
    })
  })
})

describe('a listener', () => {
  test('[P2] is called with the socket as this, an object with handleEvent as itself', async () => {
    await forEach((socket, type, { log }) => {
      const name = namer(socket)
      socket.addEventListener(type, function (this: unknown, ...args: unknown[]) {
        log.push('function', name(this), args.length)
      })
      const object = {
        handleEvent(...args: unknown[]) {
          log.push('object', this === object, args.length)
        },
      }
      socket.addEventListener(type, object)
      socket[`on${type}`] = function (this: unknown, ...args: unknown[]) {
        log.push('attribute', name(this), args.length)
      }
    })
  })

  test('[P2] as an object is asked for handleEvent at each event', async () => {
    await forEach((socket, type, { log }) => {
      let count = 0
      const object = {
        get handleEvent() {
          count += 1
          const read = count
          return () => log.push(`handleEvent ${read}`)
        },
      }
      socket.addEventListener(type, object)
      socket.dispatchEvent(new Event('other'))
      log.push(count)
    })
  })

  test('[P2] comes in the order of registration', async () => {
    await forEach((socket, type, { log }) => {
      for (const [name, options] of Object.entries({ a: undefined, b: false, c: {}, d: { capture: false } })) {
        socket.addEventListener(type, () => log.push(name), options)
      }
      socket.addEventListener(type, { handleEvent: () => log.push('e') }, { passive: true })
    })
  })

  test('[P2] comes in the order of registration among capturing ones', async () => {
    await forEach((socket, type, { log }) => {
      for (const [name, options] of Object.entries({ a: true, b: { capture: true }, c: { capture: 1 } })) {
        socket.addEventListener(type, () => log.push(name), options as AddEventListenerOptions)
      }
    })
  })

  test('[P2] is kept once per callback and capture, whatever else its options say', async () => {
    await forEach((socket, type, { log }) => {
      const listener = (): void => void log.push('called')
      socket.addEventListener(type, listener)
      socket.addEventListener(type, listener)
      socket.addEventListener(type, listener, { once: true, passive: true })
      socket.addEventListener(type, listener, true)
      socket.addEventListener(type, listener, { capture: true, once: true })
      const object = { handleEvent: listener }
      socket.addEventListener(type, object)
      socket.addEventListener(type, object)
    })
  })

  test('[P2] with once is called once, and is gone before it is called', async () => {
    await forEach((socket, type, { log }) => {
      const listener = (given: Event): void => {
        log.push('called')
        // Natively the same event again is an error, a new one is not; the listener is gone already.
        if (given.type === type && log.length < 100) socket.dispatchEvent(new Event(type))
      }
      socket.addEventListener(type, listener, { once: true })
      const again = (): void => {
        log.push('again')
        socket.addEventListener(type, again, { once: true })
      }
      socket.addEventListener(type, again, { once: true })
    })
  })

  test('[P2] goes when its signal is aborted, and never comes when it was', async () => {
    await forEach((socket, type, { log }) => {
      const before = AbortSignal.abort()
      const during = new AbortController()
      const later = new AbortController()
      socket.addEventListener(type, () => log.push('before'), { signal: before })
      socket.addEventListener(type, () => {
        log.push('aborts')
        during.abort()
      })
      socket.addEventListener(type, () => log.push('during'), { signal: during.signal })
      socket.addEventListener(type, () => log.push('later'), { signal: later.signal })
      socket.dispatchEvent(new Event(type))
      later.abort()
    })
  })

  test('[P2] is removed by callback and capture', async () => {
    await forEach((socket, type, { log }) => {
      const make = (name: string) => (): void => void log.push(name)
      const [plain, capturing, object] = [make('plain'), make('capturing'), { handleEvent: make('object') }]
      socket.addEventListener(type, plain)
      socket.removeEventListener(type, plain, true)
      socket.addEventListener(type, capturing, true)
      socket.removeEventListener(type, capturing)
      socket.removeEventListener(type, plain)
      socket.addEventListener(type, plain)
      socket.addEventListener(type, object)
      socket.dispatchEvent(new Event(type))
      socket.removeEventListener(type, plain, { capture: false })
      socket.removeEventListener(type, capturing, { capture: true })
      socket.removeEventListener(type, object)
      socket.removeEventListener(type, object)
      socket.removeEventListener(type, make('never added'))
      log.push('removed')
    })
  })

  test('[P2] removed by another during the dispatch is not called', async () => {
    await forEach((socket, type, { log }) => {
      const listeners = ['a', 'b', 'c', 'd'].map((name, index, all) => (): void => {
        log.push(name)
        const [, b, , d] = listeners
        if (index === 0 && b && d && all) {
          socket.removeEventListener(type, b)
          socket.removeEventListener(type, d)
          socket.addEventListener(type, d)
        }
      })
      for (const listener of listeners) socket.addEventListener(type, listener)
    })
  })

  test('[P2] added during the dispatch waits for the next', async () => {
    await forEach((socket, type, { log }) => {
      socket.addEventListener(
        type,
        () => {
          log.push('first')
          socket.addEventListener(type, () => log.push('added'))
          socket.addEventListener(type, () => log.push('added, too'), { once: true })
        },
        { once: true },
      )
      socket.dispatchEvent(new Event(type))
      log.push('next')
    })
  })

  test('[P2] can stop the event at once', async () => {
    await forEach((socket, type, { log }) => {
      socket.addEventListener(type, () => log.push('first'))
      socket.addEventListener(type, (given) => {
        given.stopImmediatePropagation()
        log.push('stops', given.cancelBubble)
      })
      socket.addEventListener(type, () => log.push('never'))
      socket[`on${type}`] = () => log.push('never')
    })
  })

  // Firefox has one phase less then: [NW13].
  test.skipIf(engine === 'firefox')('[P2] can stop the event before its next phase', async () => {
    for (const how of ['stopPropagation', 'cancelBubble'] as const) {
      await compare(async (stage) => {
        const { open, log, control } = stage
        const socket = await open()
        const heard = event(socket, 'open')
        const stop = (given: Event): void => {
          if (how === 'cancelBubble') given.cancelBubble = true
          else given.stopPropagation()
          log.push('capturing')
          socket.dispatchEvent(new Event('open'))
        }
        socket.addEventListener('message', stop, true)
        socket.addEventListener('message', () => log.push('capturing, too'), true)
        socket.addEventListener('message', () => log.push('not capturing'))
        await control('server.send', 'data')
        await heard
        await task()
        log.push('the program')
        socket.dispatchEvent(new MessageEvent('message'))
      })
    }
  })

  test('[P2] that throws is reported and stops nothing', async () => {
    const reported: unknown[] = []
    const listener = (given: ErrorEvent): void => {
      reported.push([errorOf(given.error), given.message])
      given.preventDefault()
    }
    window.addEventListener('error', listener)
    try {
      await compare(async (stage) => {
        const { open, log, control } = stage
        reported.length = 0
        const socket = await open()
        for (const type of ['message', 'close'] as const) {
          socket.addEventListener(type, () => {
            throw new Error(`from a listener of ${type}`)
          })
          socket.addEventListener(type, {
            handleEvent() {
              throw new Error(`from an object for ${type}`)
            },
          })
          socket[`on${type}`] = () => {
            throw new Error(`from on${type}`)
          }
          socket.addEventListener(type, () => log.push(type))
          const done = event(socket, type)
          await (type === 'message' ? control('server.send', 'data') : control('server.closeClients'))
          await done
        }
        await task()
        return [...log, ...reported.map((entry) => (entry as unknown[])[0])]
      })
    } finally {
      window.removeEventListener('error', listener)
    }
  })

  test('[P2] may be null or undefined, and nothing else that is no object', async () => {
    await compare(({ make, url, log }) => {
      const socket = make(url)
      for (const type of ['message', 'close', 'other']) {
        for (const callback of [null, undefined, {}]) {
          const args = [type, callback]
          log.push(outcomeOf(() => call(socket, 'addEventListener', args)))
          log.push(outcomeOf(() => call(socket, 'removeEventListener', args)))
        }
        for (const callback of [5, 'text', true, Symbol('callback')]) {
          log.push(outcomeOf(() => call(socket, 'addEventListener', [type, callback])))
          log.push(outcomeOf(() => call(socket, 'removeEventListener', [type, callback])))
        }
      }
    })
  })

  test('[P2] must be given, with a type that can be converted', async () => {
    await compare(({ make, url, log }) => {
      const socket = make(url)
      for (const method of ['addEventListener', 'removeEventListener']) {
        for (const args of [
          [],
          ['message'],
          ['close'],
          [Symbol('type'), null],
          [{ toString: () => 'message' }, null],
        ]) {
          log.push(outcomeOf(() => call(socket, method, args)))
        }
      }
    })
  })

  test('[P2] that stops an event and causes another, which is stopped, has stopped both', async () => {
    await forEach((socket, type, { log }) => {
      let depth = 0
      socket.addEventListener(type, (given) => {
        log.push('stops')
        given.stopImmediatePropagation()
        if (depth++ === 0) socket.dispatchEvent(new Event(type))
      })
      socket.addEventListener(type, () => log.push('never'))
    })
  })

  test('[P2] gets the event that the program dispatches as it is', async () => {
    await forEach((socket, type, { log }) => {
      socket.addEventListener(type, (given) => {
        if (given instanceof CustomEvent) log.push(Object.getPrototypeOf(given) === given.constructor.prototype)
        given.stopImmediatePropagation()
      })
      const custom = new CustomEvent(type, { detail: 5 })
      socket.dispatchEvent(custom)
      log.push(Reflect.ownKeys(custom), custom.detail, custom.currentTarget)
    })
  })

  test.for([
    ['null', null],
    ['0', 0],
    ['a signal that is null', { signal: null }],
    ['a signal that is undefined', { signal: undefined }],
    ['a signal that is none', { signal: {} }],
    ['capture that is truthy', { capture: 1 }],
    ['once that is truthy', { once: 'yes' }],
    ['a function', (): void => {}],
  ] as [string, unknown][])('[P2] with odd options is taken or refused as natively: %s', async ([, options]) => {
    await forEach((socket, type, { log }) => {
      const listener = (): void => void log.push('listener')
      log.push(outcomeOf(() => call(socket, 'addEventListener', [type, listener, options])))
      socket.dispatchEvent(new Event(type))
      // Whether it was taken for a capturing one.
      socket.removeEventListener(type, listener, true)
      socket.dispatchEvent(new Event(type))
      log.push(outcomeOf(() => call(socket, 'removeEventListener', [type, listener, options])))
    })
  })

  test('[P2] is read from its options once, in the native order', async () => {
    await compare(({ make, url, log }) => {
      const socket = make(url)
      const options = Object.fromEntries(
        ['signal', 'passive', 'once', 'capture', 'other'].map((name) => [name, undefined]),
      )
      for (const name of Object.keys(options)) {
        Object.defineProperty(options, name, {
          get() {
            log.push(name)
            return undefined
          },
        })
      }
      socket.addEventListener('close', () => {}, options)
    })
  })

  test('[P2] of a type that is converted to text', async () => {
    await compare(async ({ open, log, control }) => {
      const socket = await open()
      const type = { toString: () => 'message' } as unknown as 'message'
      socket.addEventListener(type, () => log.push('heard'))
      const received = event(socket, 'message')
      await control('server.send', 'data')
      await received
    })
  })

  test.for([5, 'capture', 1n])(
    '[P2] with options that are truthy and no object is a capturing one: %s',
    async (options) => {
      await compare(({ make, url, log }) => {
        const socket = make(url)
        for (const type of ['message', 'close']) {
          const listener = (): void => void log.push(type)
          call(socket, 'addEventListener', [type, listener, options])
          socket.removeEventListener(type, listener, true)
          socket.dispatchEvent(new Event(type))
        }
      })
    },
  )
})

describe('an attribute on…', () => {
  test('[P2] takes its place when it is first set, and keeps it when it is replaced', async () => {
    await forEach((socket, type, { log }) => {
      const name = `on${type}` as const
      socket.addEventListener(type, () => log.push('before'))
      socket[name] = () => log.push('replaced')
      socket.addEventListener(type, () => log.push('after'))
      socket[name] = () => log.push('attribute')
    })
  })

  test('[P2] loses its place when it is set to null', async () => {
    await forEach((socket, type, { log }) => {
      const name = `on${type}` as const
      socket[name] = () => log.push('first')
      socket.addEventListener(type, () => log.push('listener'))
      socket[name] = null
      socket.dispatchEvent(new Event(type))
      socket[name] = () => log.push('again')
    })
  })

  test('[P2] may hold an object, whose handleEvent is not called', async () => {
    await forEach((socket, type, { log }) => {
      const handler = { handleEvent: () => log.push('never') }
      Reflect.set(socket, `on${type}`, handler)
      log.push((socket[`on${type}`] as unknown) === handler)
    })
  })

  test('[P2] is a listener of its own beside the same function added by name', async () => {
    await forEach((socket, type, { log }) => {
      const listener = (): void => void log.push('called')
      socket[`on${type}`] = listener
      socket.addEventListener(type, listener)
      socket.dispatchEvent(new Event(type))
      socket.removeEventListener(type, listener)
      log.push(socket[`on${type}`] === listener)
    })
  })

  test('[P2] can be replaced and taken away during the dispatch', async () => {
    await forEach((socket, type, { log }) => {
      const name = `on${type}` as const
      socket.addEventListener(type, () => {
        log.push('replaces')
        socket[name] = () => log.push('replacement')
      })
      socket[name] = () => log.push('never')
      socket.dispatchEvent(new Event(type))
      socket.addEventListener(type, () => {
        socket[name] = null
      })
      socket[name] = () => log.push('not after the removal')
      socket.dispatchEvent(new Event(type))
    })
  })

  test('[P2] that returns false cancels what can be cancelled', async () => {
    await compare(({ make, url, log }) => {
      const socket = make(url)
      for (const type of ['open', 'message', 'error', 'close']) {
        Reflect.set(socket, `on${type}`, () => false)
        log.push(socket.dispatchEvent(new Event(type, { cancelable: true })))
      }
    })
  })

  test('[P2] belongs to one socket alone', async () => {
    await compare(({ make, url, log, Class }) => {
      const [one, two] = [make(url), make(url)]
      const handler = (): void => {}
      one.onmessage = handler
      log.push(two.onmessage, one.onmessage === handler)
      log.push(outcomeOf(() => Reflect.set({ __proto__: Class.prototype }, 'onmessage', handler)))
    })
  })
})

describe('an event of the program itself', () => {
  test('[P2] is dispatched as on any EventTarget', async () => {
    await compare(({ make, url, log }) => {
      const socket = make(url)
      const name = namer(socket)
      for (const type of [...TYPES, 'custom']) {
        socket.addEventListener(type, (given) => {
          log.push([type, name(given.target), name(given.currentTarget), given.eventPhase, given.isTrusted])
        })
        if (type !== 'custom') Reflect.set(socket, `on${type}`, () => log.push(`on${type}`))
        const given = new Event(type)
        log.push(socket.dispatchEvent(given), name(given.target), given.currentTarget)
      }
    })
  })

  test('[P2] keeps its own class', async () => {
    class Parsed extends MessageEvent<string> {
      get parsed(): unknown {
        return JSON.parse(this.data) as unknown
      }
    }
    await compare(({ make, url, log }) => {
      const socket = make(url)
      for (const given of [
        new Parsed('message', { data: '{"a":1}' }),
        new CustomEvent('message', { detail: 'detail' }),
        new Event('message'),
      ]) {
        const seen: unknown[] = []
        socket.onmessage = (heard) => {
          seen.push(
            heard === given,
            heard.constructor.name,
            outcomeOf(() => ['data', 'parsed', 'detail'].map((key) => Reflect.get(heard, key) as unknown)),
          )
        }
        socket.dispatchEvent(given)
        log.push(seen)
      }
    })
  })

  test('[P2] can be cancelled', async () => {
    await compare(({ make, url, log }) => {
      const socket = make(url)
      for (const type of ['message', 'close', 'custom']) {
        socket.addEventListener(type, (given) => given.preventDefault())
        log.push(socket.dispatchEvent(new Event(type, { cancelable: true })))
        log.push(socket.dispatchEvent(new Event(type)))
      }
    })
  })

  test('[P2] changes nothing about the connection', async () => {
    await compare(async (stage) => {
      const { open, log, control } = stage
      const socket = await open()
      for (const type of TYPES) socket.dispatchEvent(new Event(type))
      log.push(socket.readyState)
      socket.send('still here')
      log.push(await control('server.waitForMessages', 1))
    })
  })

  test('[P2] can be dispatched during a message, and the message goes on', async () => {
    await compare(async (stage) => {
      const { open, log } = stage
      const socket = await open()
      socket.addEventListener('message', (given) => {
        log.push(['first', given.data, given.eventPhase])
        if (given.data === 'data') {
          const inner = new MessageEvent('message', { data: 'inner' })
          socket.dispatchEvent(inner)
          log.push(['after', given.data, given.eventPhase, inner.eventPhase])
        } else given.stopImmediatePropagation()
      })
      socket.addEventListener('message', (given) => log.push(['second', given.data]))
      await message(socket, stage)
    })
  })
})
