// The class, its constructor and its attributes, beside the native ones ([P2]).
import { describe, expect, test } from 'vitest'
import { compare, contrast, engine, event, outcomeOf, task } from './subjects.ts'

const MEMBERS = [
  'url',
  'readyState',
  'bufferedAmount',
  'extensions',
  'protocol',
  'binaryType',
  'onopen',
  'onmessage',
  'onerror',
  'onclose',
]

/** A property where it is defined: on the object, or on what it inherits from. */
const descriptorOf = (object: object | null, name: PropertyKey): PropertyDescriptor | undefined =>
  object === null
    ? undefined
    : (Object.getOwnPropertyDescriptor(object, name) ?? descriptorOf(Object.getPrototypeOf(object) as object, name))

describe('the class', () => {
  test('[P2] has the constants on itself and on its prototype, and they cannot be changed', async () => {
    await compare(({ Class }) =>
      ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].map((name) => [
        descriptorOf(Class, name),
        descriptorOf(Class.prototype, name),
        Reflect.set(Class, name, 7),
        Reflect.get(Class, name),
      ]),
    )
  })

  test('[P2] has the constants on each instance', async () => {
    const outcome = await compare(({ make, url }) => {
      const socket = make(url)
      return [socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED, Reflect.set(socket, 'OPEN', 7)]
    })
    expect(outcome).toEqual([0, 1, 2, 3, false])
  })

  test('[P2] is an EventTarget that prints as a WebSocket and has no property of its own', async () => {
    await compare(({ Class, make, url }) => {
      const socket = make(url)
      return [
        socket instanceof EventTarget,
        Class.prototype instanceof EventTarget,
        String(socket),
        Reflect.ownKeys(socket),
        JSON.stringify(socket),
        Object.entries(socket),
      ]
    })
  })

  test('[P2] cannot be called, and its attributes and methods need an instance', async () => {
    await compare(({ Class }) => {
      const strangers: unknown[] = [Class.prototype, {}, new EventTarget()]
      return [
        outcomeOf(() => Reflect.apply(Class, undefined, ['ws://127.0.0.1/'])),
        MEMBERS.map((name) => [
          outcomeOf(() => Reflect.get(Class.prototype, name)),
          outcomeOf(() => Reflect.set(Class.prototype, name, null)),
        ]),
        strangers.map((stranger) =>
          outcomeOf(() => Reflect.apply(Reflect.get(Class.prototype, 'send') as () => void, stranger, [''])),
        ),
        strangers.map((stranger) =>
          outcomeOf(() => Reflect.apply(Reflect.get(Class.prototype, 'close'), stranger, [])),
        ),
      ]
    })
  })

  test('[P2] can be extended, and the methods of the subclass are its own', async () => {
    await compare(async ({ Class, url }) => {
      class Mine extends Class {
        readonly greeting = 'hello'
        greet(): string {
          return `${this.greeting} ${this.readyState}`
        }
      }
      const mine = new Mine(url)
      await event(mine, 'open')
      const greeting = mine.greet()
      mine.close()
      return [greeting, mine instanceof Class, Mine.OPEN, mine.OPEN]
    })
  })

  test('[P2] has attributes of the native kinds', async () => {
    const access = (found: PropertyDescriptor): unknown => [
      typeof found.get,
      typeof found.set,
      found.enumerable,
      found.configurable,
    ]
    await compare(({ Class }) => MEMBERS.map((name) => access(descriptorOf(Class.prototype, name) ?? {})))
  })

  test('[P2] takes as many arguments as natively, and shows the same methods in a loop', async () => {
    const methods = ['send', 'close', 'addEventListener', 'removeEventListener', 'dispatchEvent']
    await compare(({ Class, make, url }) => {
      const shown: string[] = []
      for (const name in make(url)) shown.push(name)
      const ofPrototype = methods.map((name) => descriptorOf(Class.prototype, name) as PropertyDescriptor)
      return [
        ofPrototype.map((found) => [(found.value as () => void).length, found.enumerable, found.writable]),
        [...MEMBERS, ...methods, 'OPEN', 'constructor'].map((name) => shown.includes(name)),
      ]
    })
  })

  test('[P2] ignores or refuses to write what is read-only', async () => {
    await compare(({ make, url }) => {
      const socket = make(url)
      return ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol'].map((name) => [
        outcomeOf(() => Reflect.set(socket, name, 'x')),
        outcomeOf(() => {
          Object.assign(socket, { [name]: 'x' })
        }),
      ])
    })
  })
})

describe('the constructor', () => {
  const strange = {
    toString: () => 'ws://127.0.0.1/strange',
    valueOf: () => 'ws://127.0.0.1/value',
  }

  test.for<[title: string, ...args: unknown[]]>([
    ['nothing at all'],
    ['an absolute url', 'ws://127.0.0.1/a?b=c'],
    ['wss', 'wss://127.0.0.1/'],
    ['http, which becomes ws', 'http://127.0.0.1/x'],
    ['https, which becomes wss', 'https://127.0.0.1/x'],
    ['upper case and a default port', 'WS://LOCALHOST:80/../A b/ü?ü'],
    ['user and password', 'ws://user:password@127.0.0.1/'],
    ['spaces around', '  ws://127.0.0.1/  '],
    ['a unpaired surrogate', 'ws://127.0.0.1/\uD800'],
    ['a path', '/some/path?query'],
    ['a relative path', 'path'],
    ['no scheme', '//127.0.0.1/x'],
    ['an empty string', ''],
    ['a URL object', new URL('ws://127.0.0.1/object')],
    ['any object', strange],
    ['an array', ['ws://127.0.0.1/array']],
    ['null', null],
    ['undefined', undefined],
    ['a number', 5],
    ['a symbol', Symbol('url')],
    ['a fragment', 'ws://127.0.0.1/#fragment'],
    ['an empty fragment', 'ws://127.0.0.1/#'],
    ['another scheme', 'ftp://127.0.0.1/'],
    ['no authority', 'mailto:someone'],
    ['no host', 'ws://'],
    ['a bad host', 'ws://[/'],
    ['a bad port', 'ws://127.0.0.1:99999/'],
    ['a port that browsers block', 'ws://127.0.0.1:25/'],
    ['protocols undefined', 'ws://127.0.0.1/', undefined],
    ['a protocol', 'ws://127.0.0.1/', 'chat'],
    ['no protocols', 'ws://127.0.0.1/', []],
    ['protocols', 'ws://127.0.0.1/', ['chat', 'superchat']],
    ['a Set', 'ws://127.0.0.1/', new Set(['chat', 'superchat'])],
    ['a String object, which is iterable', 'ws://127.0.0.1/', Object('ab')],
    ['numbers', 'ws://127.0.0.1/', [1, 2]],
    ['a number', 'ws://127.0.0.1/', 5],
    ['a boolean', 'ws://127.0.0.1/', true],
    ['an empty protocol', 'ws://127.0.0.1/', ''],
    ['an empty protocol in a list', 'ws://127.0.0.1/', ['']],
    ['a protocol twice', 'ws://127.0.0.1/', ['chat', 'chat']],
    ['a protocol twice in different cases', 'ws://127.0.0.1/', ['chat', 'CHAT']],
    ['a space in a protocol', 'ws://127.0.0.1/', 'a b'],
    ['a comma in a protocol', 'ws://127.0.0.1/', 'a,b'],
    ['an umlaut in a protocol', 'ws://127.0.0.1/', ['ü']],
    ['separators in protocols', 'ws://127.0.0.1/', ['a/b']],
    ['odd but good characters', 'ws://127.0.0.1/', ["!#$%&'*+-.^_`|~09azAZ"]],
    ['a symbol as protocol', 'ws://127.0.0.1/', Symbol('protocol')],
    ['a symbol among protocols', 'ws://127.0.0.1/', [Symbol('protocol')]],
    ['bad in both, the url first', 'ftp://127.0.0.1/', ['a b']],
  ])('[P2] takes or refuses as the native one: %s', async ([, ...args]) => {
    await compare(({ make }) =>
      outcomeOf(() => {
        const socket = make(...args)
        const { url, protocol, extensions, binaryType, bufferedAmount, readyState } = socket
        socket.close()
        return { url, protocol, extensions, binaryType, bufferedAmount, readyState }
      }),
    )
  })

  test('[P2] converts its arguments once each, the url first', async () => {
    await compare(({ make, url, log }) => {
      const told = (name: string, value: string): object => ({
        toString() {
          log.push(name)
          return value
        },
      })
      const protocols = {
        *[Symbol.iterator]() {
          log.push('begin')
          yield told('first', 'one')
          yield told('second', 'two')
          log.push('end')
        },
      }
      make(told('url', url), protocols).close()
    })
  })

  test('[P2] passes on what a conversion throws, and looks at nothing after it', async () => {
    await compare(({ make, url, log }) => {
      const bomb = (name: string): object => ({
        toString() {
          log.push(name)
          throw new Error(name)
        },
      })
      const list = {
        *[Symbol.iterator]() {
          log.push('begin')
          yield bomb('protocol')
        },
      }
      log.push(outcomeOf(() => make(bomb('url'), list)))
      log.push(outcomeOf(() => make(url, list)))
      log.push(outcomeOf(() => make(url, [bomb('in a list')])))
    })
  })

  // Firefox resolves it against the page's own address, where nobody answers.
  test.skipIf(engine === 'firefox')('[P2] resolves a relative url against the base of the document', async () => {
    const outcome = await compare(async ({ make, url, control }) => {
      const base = document.createElement('base')
      base.href = url.replace('ws:', 'http:') + 'deep/page.html'
      document.head.append(base)
      try {
        const sockets = ['feed?a=1', '/root', '../up', '?query'].map((relative) => make(relative))
        await control('server.waitForConnections', sockets.length)
        const connections = await control('server.connections')
        return [sockets.map((socket) => socket.url), connections.map(({ path }) => path).sort()]
      } finally {
        base.remove()
      }
    })
    expect(outcome).toEqual([
      [
        'ws://127.0.0.1:PORT/deep/feed?a=1',
        'ws://127.0.0.1:PORT/root',
        'ws://127.0.0.1:PORT/up',
        'ws://127.0.0.1:PORT/deep/page.html?query',
      ],
      ['/deep/feed?a=1', '/deep/page.html?query', '/root', '/up'],
    ])
  })

  test('[P2] is not concerned by what becomes of the url object and the list of protocols', async () => {
    await compare(async ({ make, url, control }) => {
      const target = new URL(url)
      const protocols = ['one', 'two']
      const socket = make(target, protocols)
      target.pathname = '/changed'
      protocols.push('three')
      const { path, offered } = await control('server.waitForConnections', 1)
      return [path, offered, socket.url]
    })
  })

  test('[P3] opens its connection at once and tells nobody before it has returned', async () => {
    await compare(async ({ make, url, log }) => {
      const socket = make(url)
      log.push(socket.readyState)
      socket.onopen = () => log.push('open')
      await event(socket, 'open')
    })
  })

  test('[P2] offers protocols and reports the one that the server chose', async () => {
    const outcome = await compare(async ({ open, control }) => {
      const seen: unknown[] = []
      for (const protocols of [undefined, 'one', ['one', 'two'], new Set(['two', 'one'])]) {
        const { protocol, extensions } = await open(protocols)
        seen.push([protocol, extensions])
      }
      return [seen, (await control('server.connections')).map(({ offered }) => offered)]
    })
    expect(outcome).toEqual([
      [
        ['', ''],
        ['one', ''],
        ['one', ''],
        ['two', ''],
      ],
      [[], ['one'], ['one', 'two'], ['two', 'one']],
    ])
  })

  test('[P2] null is a protocol like any other that is not a list', async () => {
    await compare(async ({ make, url, control }) => {
      make(url, null)
      const { offered } = await control('server.waitForConnections', 1)
      return offered
    })
  })

  test('[P2] fails when the server chooses a protocol that was not offered, or none of those offered', async () => {
    await compare(async ({ make, url, control, log }) => {
      for (const chosen of ['other', null]) {
        await control('server.chooseProtocol', chosen)
        const socket = make(url, ['one'])
        for (const type of ['open', 'error', 'close']) {
          socket.addEventListener(type, () => log.push([chosen, type, socket.readyState, socket.protocol]))
        }
        // WebKitGTK opens it all the same.
        await Promise.race([event(socket, 'close'), event(socket, 'open')])
        await task()
      }
    })
  })
})

describe('an attribute', () => {
  test('[P2] of the connection keeps its value when the connection is over', async () => {
    await compare(async ({ open, log }) => {
      const socket = await open(['one'])
      const note = (): unknown => log.push([socket.url, socket.protocol, socket.extensions, socket.readyState])
      note()
      socket.close()
      note()
      await event(socket, 'close')
      note()
    })
  })

  test('[P2] binaryType is "blob" at first, takes the two words, and ignores any other', async () => {
    const outcome = await compare(({ make, url, log }) => {
      const socket = make(url)
      log.push(socket.binaryType)
      for (const word of ['arraybuffer', 'nodebuffer', 'BLOB', '', undefined, null, 5, 'blob', 'arraybuffer']) {
        socket.binaryType = word as BinaryType
        log.push(socket.binaryType)
      }
    })
    expect(outcome).toEqual(['blob', ...Array.from({ length: 7 }, () => 'arraybuffer'), 'blob', 'arraybuffer'])
  })

  test('[P2] binaryType converts what it is set to', async () => {
    await compare(({ make, url, log }) => {
      const socket = make(url)
      const word = { toString: () => 'arraybuffer' }
      log.push(
        outcomeOf(() => Reflect.set(socket, 'binaryType', word)),
        socket.binaryType,
      )
      log.push(
        outcomeOf(() => Reflect.set(socket, 'binaryType', Symbol('blob'))),
        socket.binaryType,
      )
    })
  })

  test('[P2] binaryType decides what binary messages are, from the next one on', async () => {
    const outcome = await compare(async ({ open, control, log }) => {
      const socket = await open()
      const show = async (data: unknown): Promise<unknown> => {
        const buffer = data instanceof Blob ? await data.arrayBuffer() : (data as ArrayBuffer)
        const type = data instanceof Blob ? data.type : null
        return [Object.prototype.toString.call(data), type, [...new Uint8Array(buffer)]]
      }
      for (const word of ['blob', 'arraybuffer', 'blob'] as const) {
        socket.binaryType = word
        const message = event(socket, 'message')
        await control('server.send', Uint8Array.of(1, 2, 255))
        log.push(await show((await message).data))
      }
    })
    expect(outcome).toEqual([
      ['[object Blob]', '', [1, 2, 255]],
      ['[object ArrayBuffer]', null, [1, 2, 255]],
      ['[object Blob]', '', [1, 2, 255]],
    ])
  })

  test('[P2] binaryType set while connecting holds for the connection', async () => {
    await compare(async ({ make, url, control }) => {
      const socket = make(url)
      socket.binaryType = 'arraybuffer'
      await event(socket, 'open')
      const message = event(socket, 'message')
      await control('server.send', Uint8Array.of(1))
      return Object.prototype.toString.call((await message).data)
    })
  })

  test('[P2] on… is null at first, holds a function or any other object, and takes all else for null', async () => {
    await compare(({ make, url, log }) => {
      const socket = make(url)
      const handler = (): void => {}
      const object = {}
      for (const name of ['onopen', 'onmessage', 'onerror', 'onclose'] as const) {
        log.push(socket[name])
        for (const value of [handler, object, null, handler, undefined, object, 5, handler, 'text', Symbol.iterator]) {
          Reflect.set(socket, name, value)
          log.push(
            socket[name] === handler ? 'function' : (socket[name] as unknown) === object ? 'object' : socket[name],
          )
        }
      }
    })
  })

  // What a program cannot trip over is our own to choose; it is written down here.
  test('the known differences of form', async () => {
    const outcome = await contrast(({ Class }) => [Class.name, Reflect.ownKeys(Class).includes('extend')])
    expect(outcome).toEqual({ native: ['WebSocket', false], ours: ['Heartwire', true] })
  })
})
