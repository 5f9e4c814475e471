// The same script and the same options for `heartwire/reconnecting-websocket` and for what it replaces, on the same fake
// socket: what is told must be the same, or be listed in docs/reconnecting-websocket.md.
import { readFileSync } from 'node:fs'
import PartySocket from 'partysocket/ws'
import Original from 'reconnecting-websocket'
import { describe, expect, test, vi } from 'vitest'
import { Heartwire } from '../src/index.ts'
import { ReconnectingWebSocket } from '../src/reconnecting-websocket.ts'
import type { Options } from '../src/reconnecting-websocket.ts'
import { FakeSocket } from './support/fake-socket.ts'
import { ALIKE, DIFFERENT } from './support/rival-scripts.ts'
import { perform, sideOf, useFakeTime } from './support/rivals.ts'
import type { Script, Side, Socket } from './support/rivals.ts'
import {
  adopt,
  advance,
  chance,
  settle,
  stubReportError,
  uncaught,
  URL as ADDRESS,
  useScenes,
} from './support/scene.ts'

const theirs = sideOf('reconnecting-websocket', Original)
const party = sideOf('partysocket', PartySocket)
const ours = sideOf('ours', ReconnectingWebSocket)

/** What they have and a `WebSocket` has not. */
type Rws = Omit<Socket, 'send' | 'reconnect'> & Pick<ReconnectingWebSocket, 'retryCount' | 'reconnect' | 'send'>

const rws = (socket: Socket): Rws => socket as unknown as Rws

/** For so long, each attempt is refused as soon as it is seen. */
const refuseFor = async (ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 100) {
    if (FakeSocket.latest.readyState === 0) FakeSocket.latest.fail()
    await advance(100)
  }
}

/** Scripts of which both tell the same: what the users of theirs rely on. */
const ALSO_ALIKE: [string, Script][] = [
  [
    '[D1] the constants of class and instance',
    ({ bare, note }) => {
      const socket = bare()
      note(socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED)
    },
  ],
  [
    '[D2] the delays grow by the factor from the shortest to the longest',
    async ({ bare, noteTimes }) => {
      bare({
        hasDefaults: true,
        theirs: { minReconnectionDelay: 200, maxReconnectionDelay: 1_000, reconnectionDelayGrowFactor: 1.5 },
      })
      await advance(0)
      await refuseFor(10_000)
      noteTimes()
    },
  ],
  [
    '[D2] growth and longest delay by default',
    async ({ bare, noteTimes }) => {
      bare({ hasDefaults: true, theirs: { minReconnectionDelay: 1_000 } })
      await advance(0)
      await refuseFor(90_000)
      noteTimes()
    },
  ],
  [
    '[D2] a shortest delay above the longest is the longest',
    async ({ bare, noteTimes }) => {
      bare({ hasDefaults: true, theirs: { minReconnectionDelay: 20_000 } })
      await advance(0)
      await refuseFor(25_000)
      noteTimes()
    },
  ],
  [
    '[D2] no limit for the delay, and one that shrinks',
    async ({ bare, noteTimes }) => {
      const timing = { minReconnectionDelay: 1_000, maxReconnectionDelay: Infinity, reconnectionDelayGrowFactor: 0.5 }
      bare({ hasDefaults: true, theirs: timing })
      await advance(0)
      await refuseFor(4_000)
      noteTimes()
    },
  ],
  ...[1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1015, 3000, 4999].map(
    (code): [string, Script] => [
      `[D3] a connection that ends with ${code} is tried again after the shortest delay`,
      async ({ open, noteTimes }) => {
        await open({ minDelay: 300 })
        FakeSocket.latest.finish(code, 'because')
        await advance(300)
        noteTimes()
      },
    ],
  ),
  ...[0, 1, 3].map((maxRetries): [string, Script] => [
    `[D4] ${maxRetries} retries of a server that is not there`,
    async ({ bare, note, noteTimes }) => {
      const socket = bare({ theirs: { maxRetries } })
      await advance(0)
      await refuseFor(60_000)
      noteTimes()
      note(socket.readyState, rws(socket).retryCount)
    },
  ]),
  ...[0, 1, 3].map((maxRetries): [string, Script] => [
    `[D4] ${maxRetries} retries after a connection that was a success`,
    async ({ bare, note, noteTimes }) => {
      const socket = bare({ theirs: { maxRetries } })
      await advance(0)
      FakeSocket.latest.accept()
      await advance(5_000)
      FakeSocket.latest.finish(1006)
      await refuseFor(60_000)
      noteTimes()
      note(socket.readyState, rws(socket).retryCount)
    },
  ]),
  [
    '[D4] retryCount counts from the latest success, and is told with close',
    async ({ bare, note }) => {
      const socket = bare()
      const count = (): void => note(rws(socket).retryCount)
      socket.addEventListener('close', count)
      socket.addEventListener('open', count)
      count()
      await advance(0)
      for (const [uptime, delay] of [
        [0, 1_000],
        [4_999, 2_000],
        [5_000, 1_000],
        [0, 2_000],
      ] as const) {
        FakeSocket.latest.accept()
        await advance(uptime)
        count()
        FakeSocket.latest.finish(1006)
        await advance(delay)
      }
    },
  ],
  [
    '[D4] minUptime is what makes a success',
    async ({ bare, noteTimes }) => {
      bare({ theirs: { minUptime: 100 } })
      for (const uptime of [99, 99, 100, 99]) {
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
    '[D5] everything that is sent without a connection waits for one',
    async ({ make, note }) => {
      const socket = await make()
      for (let n = 0; n < 5_000; n++) socket.send('x'.repeat(1_000))
      note(socket.bufferedAmount)
      FakeSocket.latest.accept()
      note(FakeSocket.latest.sent.length, socket.bufferedAmount)
    },
  ],
  ...[0, 2].map((maxEnqueuedMessages): [string, Script] => [
    `[D5] of what waits, only the first ${maxEnqueuedMessages} are kept`,
    async ({ make, note }) => {
      const socket = await make({ theirs: { maxEnqueuedMessages } })
      for (const message of ['1', '2', '3']) socket.send(message)
      FakeSocket.latest.accept()
      note(FakeSocket.latest.sent)
    },
  ]),
  [
    '[D5] what waits outlives close()',
    async ({ bare, note }) => {
      const socket = bare()
      socket.send('before')
      await advance(0)
      FakeSocket.latest.fail()
      await settle()
      await advance(1_000)
      FakeSocket.latest.accept()
      FakeSocket.latest.finish(1006)
      socket.send('during')
      await advance(1_500)
      note(FakeSocket.all.length)
      await advance(1_500)
      socket.close()
      FakeSocket.latest.finish(1006)
      await settle()
      socket.send('after')
      note(socket.bufferedAmount)
      socket.reconnect()
      await advance(0)
      FakeSocket.latest.accept()
      note(FakeSocket.all.flatMap(({ sent }) => sent))
    },
  ],
  [
    '[D5] what is sent before a start by hand waits for it',
    async ({ make, note }) => {
      const socket = await make({ isManual: true })
      socket.send('early')
      note(socket.readyState, socket.bufferedAmount)
      socket.reconnect()
      await advance(0)
      FakeSocket.latest.accept()
      note(FakeSocket.latest.sent)
    },
  ],
  [
    '[D5] what is sent in a listener of open comes after what waited',
    async ({ make, note }) => {
      const socket = await make()
      socket.addEventListener('open', () => note(FakeSocket.latest.sent), true)
      socket.addEventListener('open', () => socket.send('in open'), true)
      socket.send('waiting')
      FakeSocket.latest.accept()
      note(FakeSocket.latest.sent)
    },
  ],
  [
    '[D6] close() without a code is 1000, with one is that',
    async ({ open, note }) => {
      for (const given of [[], [undefined, 'bye'], [4000], [4000, 'bye']] as [number?, string?][]) {
        const socket = await open()
        socket.close(...given)
        note(FakeSocket.latest.closes[0]?.[0], FakeSocket.latest.closes[0]?.[1] ?? null)
      }
    },
  ],
  [
    '[D6] readyState from beginning to end',
    async ({ make, note }) => {
      const socket = await make()
      note(socket.readyState)
      for (const type of ['open', 'close'] as const) socket.addEventListener(type, () => note(type, socket.readyState))
      FakeSocket.latest.accept()
      FakeSocket.latest.finish(1006)
      await advance(999)
      note(socket.readyState)
      await advance(1)
      note(socket.readyState)
      FakeSocket.latest.accept()
      socket.close()
      note(socket.readyState)
      FakeSocket.latest.finish(1000)
      note(socket.readyState)
    },
  ],
  [
    '[D6] onclose is called for each connection that is lost, and each attempt',
    async ({ bare, note }) => {
      const socket = bare()
      socket.onclose = () => note('onclose')
      await advance(0)
      FakeSocket.latest.accept()
      FakeSocket.latest.finish(4000)
      await advance(1_000)
      FakeSocket.latest.fail()
      await advance(2_000)
      FakeSocket.latest.accept()
      FakeSocket.latest.finish(1000)
    },
  ],
  [
    '[D8] a provider is called without arguments, for each attempt',
    async ({ bare, note }) => {
      const calls: unknown[][] = []
      bare({}, (...given: unknown[]) => {
        calls.push(given)
        return ADDRESS
      })
      await advance(0)
      FakeSocket.latest.fail()
      await advance(1_000)
      note(calls)
    },
  ],
  ...([undefined, '', 'chat', [], ['chat', 'v2']] as unknown[]).map((protocols): [string, Script] => [
    `[D8] protocols may be ${JSON.stringify(protocols)}`,
    async ({ make, note }) => {
      await make({ protocols: protocols as string[] })
      note(FakeSocket.latest.protocols)
    },
  ]),
  [
    '[D9] no heartbeat by default, whatever the silence',
    async ({ open, note }) => {
      await open()
      await advance(3_600_000)
      note(FakeSocket.latest.sent, FakeSocket.all.length)
    },
  ],
  [
    '[D9] an attempt that takes too long is an error with the message TIMEOUT',
    async ({ bare, note }) => {
      const socket = bare({ connectTimeout: 500 })
      socket.onerror = (event) => {
        const { message, error } = event as ErrorEvent
        note(message, (error as Error).message, error instanceof Error)
      }
      await advance(0)
      await advance(500)
    },
  ],
  [
    '[D10] listeners of each kind, and those that are removed',
    async ({ open, note }) => {
      const socket = await open()
      const removed = (): void => note('removed')
      socket.addEventListener('message', removed)
      socket.removeEventListener('message', removed)
      socket.addEventListener('message', { handleEvent: ({ data }: any) => note('object', data) } as any)
      FakeSocket.latest.receive('1')
      for (const code of [1006, 4000]) {
        FakeSocket.latest.finish(code, 'why')
        await advance(2_000)
        FakeSocket.latest.accept()
      }
      note(socket.dispatchEvent(Object.assign(new Event('message'), { data: 'own' })))
    },
  ],
]

/** Scripts of which each tells something else, beside those that it shares with `Heartwire`. */
const ALSO_DIFFERENT: [string, Script][] = [
  [
    '[D8] a provider that takes longer than connectionTimeout',
    async ({ make, note }) => {
      let asked = 0
      const url = async (): Promise<string> => {
        asked += 1
        await new Promise((resolve) => {
          setTimeout(resolve, 4_500)
        })
        return ADDRESS
      }
      await make({ connectTimeout: 4_000 }, url)
      await advance(4_500)
      await advance(500)
      note(asked, FakeSocket.all.length)
    },
  ],
  [
    '[D8] a provider that never answers the first time',
    async ({ bare, note }) => {
      let asked = 0
      bare({ connectTimeout: 1_000 }, () => {
        asked += 1
        return asked > 1 ? ADDRESS : new Promise(() => {})
      })
      // Two attempts of 1 s each wait for it.
      await advance(1_000)
      await advance(2_000)
      note(asked)
      await advance(2_000)
      note(asked, FakeSocket.all.length)
    },
  ],
  [
    '[D8] a URL object',
    async ({ make, note }) => {
      await make({}, new URL(ADDRESS))
      note(FakeSocket.all.length)
    },
  ],
  [
    '[P2] a binaryType that only ws has',
    async ({ make, note }) => {
      const socket = await make()
      socket.binaryType = 'nodebuffer' as BinaryType
      note(FakeSocket.latest.binaryType)
    },
  ],
  [
    '[D7] reconnect() in the listener of each close',
    async ({ make, noteTimes }) => {
      const socket = await make()
      socket.addEventListener('close', () => socket.reconnect())
      for (let n = 0; n < 3; n++) {
        FakeSocket.latest.accept()
        FakeSocket.latest.finish(1006)
        await advance(1_000)
      }
      noteTimes()
    },
  ],
  [
    '[D7] reconnect() during the wait',
    async ({ open, note, noteTimes }) => {
      const socket = await open()
      FakeSocket.latest.finish(1006)
      await advance(100)
      socket.reconnect()
      await advance(900)
      noteTimes()
      note(rws(socket).retryCount)
    },
  ],
  [
    '[D7] reconnect() with a code that is refused',
    async ({ open, note }) => {
      const socket = await open()
      try {
        rws(socket).reconnect(1001)
      } catch (error) {
        note(`throws ${(error as Error).name}`)
      }
      await advance(1_000)
      note(FakeSocket.mostAtOnce)
    },
  ],
  [
    '[D1] an option that there is not',
    ({ bare, note }) => {
      try {
        bare({ theirs: { maxRetrys: 3 } })
        note('passes')
      } catch (error) {
        note(`throws ${(error as Error).name}`)
      }
    },
  ],
  [
    '[D1] a class that is none',
    ({ bare, note }) => {
      try {
        bare({ theirs: { WebSocket: {} } })
      } catch (error) {
        note(`throws ${(error as Error).name}`)
      }
    },
  ],
  [
    '[D9] what an error event says of an attempt that is refused',
    async ({ bare, note }) => {
      const socket = bare()
      socket.onerror = (event) => note(String((event as ErrorEvent).message))
      await advance(0)
      FakeSocket.latest.fail()
      await settle()
    },
  ],
]

/** What partysocket's class adds, and does as ours. */
const AS_PARTYSOCKET: [string, Script][] = [
  [
    '[D11] send() says whether it sent, drainQueuedMessages() what it did not',
    async ({ bare, note }) => {
      const socket = bare() as unknown as ReconnectingWebSocket
      note(socket.send('1'), socket.send('2'), socket.drainQueuedMessages(), socket.drainQueuedMessages())
      note(socket.send('3'))
      await advance(0)
      FakeSocket.latest.accept()
      note(socket.send('4'), socket.drainQueuedMessages(), FakeSocket.latest.sent)
      socket.close()
      FakeSocket.latest.finish(1000)
      vi.spyOn(console, 'warn').mockImplementation(() => {})
      note(socket.send('5'), socket.drainQueuedMessages())
      socket.reconnect()
      await advance(0)
      FakeSocket.latest.accept()
      note(FakeSocket.latest.sent)
    },
  ],
  ...(
    [
      ['null', () => null],
      ['a text', () => 'chat'],
      ['a list', () => ['chat', 'v2']],
      ['a promise of null', async () => null],
      ['a promise of a text', async () => 'chat'],
      ['a promise of a list', async () => ['chat', 'v2']],
    ] as const
  ).map(([what, protocols]): [string, Script] => [
    `[D8] a function of protocols may give ${what}`,
    async ({ bare, note }) => {
      let asked = 0
      const provider = (): unknown => {
        asked += 1
        return protocols()
      }
      bare({ protocols: provider as any })
      await advance(0)
      FakeSocket.latest.fail()
      await advance(1_000)
      note(
        asked,
        FakeSocket.all.map((native) => native.protocols),
      )
    },
  ]),
  [
    '[D8] protocols may be null',
    async ({ bare, note }) => {
      bare({ protocols: null as any })
      await advance(0)
      note(FakeSocket.latest.protocols)
    },
  ],
  [
    '[D11] shouldReconnectOnClose says whether to go on',
    async ({ bare, note }) => {
      const shouldReconnectOnClose = ({ type, code, reason }: CloseEvent): boolean => {
        note(type, code, reason)
        return code !== 4401
      }
      const socket = bare({ theirs: { shouldReconnectOnClose } }) as unknown as ReconnectingWebSocket
      note(socket.shouldReconnect)
      await advance(0)
      for (const code of [4000, 4401]) {
        FakeSocket.latest.accept()
        FakeSocket.latest.finish(code, 'because')
        note(socket.shouldReconnect, socket.readyState)
        await advance(1_000)
      }
      await advance(60_000)
      note(FakeSocket.all.length)
      socket.reconnect()
      note(socket.shouldReconnect)
      await advance(0)
      note(FakeSocket.all.length)
    },
  ],
  [
    '[D11] shouldReconnect before a start by hand and after the end',
    async ({ bare, note }) => {
      const socket = bare({ isManual: true }) as unknown as ReconnectingWebSocket
      note(socket.shouldReconnect)
      socket.reconnect()
      await advance(0)
      note(socket.shouldReconnect)
      FakeSocket.latest.accept()
      note(socket.shouldReconnect)
      socket.close()
      note(socket.shouldReconnect)
    },
  ],
  [
    '[D11] debug writes to debugLogger, and without debug nothing does',
    async ({ bare, note }) => {
      for (const debug of [true, false]) {
        const said: unknown[][] = []
        bare({ theirs: { debug, debugLogger: (...what: unknown[]) => said.push(what) } })
        await advance(0)
        FakeSocket.latest.accept()
        note(
          said.length > 0,
          said.every(([first]) => first === 'RWS>'),
        )
      }
    },
  ],
]

/** What partysocket's class does otherwise than reconnecting-websocket, and than ours. */
const OTHER_THAN_PARTYSOCKET: [string, Script][] = [
  [
    '[D2] the first delay by default',
    async ({ bare, noteTimes }) => {
      bare({ hasDefaults: true })
      await advance(0)
      FakeSocket.latest.fail()
      await advance(5_000)
      noteTimes()
    },
  ],
  [
    '[D6] close() while open',
    async ({ open, note }) => {
      const socket = await open()
      socket.close(4000, 'bye')
      note(socket.readyState)
      FakeSocket.latest.finish(4000, 'bye')
      note(socket.readyState)
    },
  ],
  [
    '[D8] a provider of protocols that rejects',
    async ({ make, note }) => {
      let asked = 0
      const protocols = async (): Promise<string> => {
        asked += 1
        if (asked === 1) throw new Error('no token')
        return 'chat'
      }
      await make({ protocols: protocols as any })
      await advance(1_000)
      note(FakeSocket.all.length)
    },
  ],
  [
    '[D11] what shouldReconnectOnClose is asked of an attempt that is refused',
    async ({ bare, note }) => {
      const shouldReconnectOnClose = ({ code, wasClean }: CloseEvent): boolean => {
        note(code, wasClean)
        return true
      }
      bare({ theirs: { shouldReconnectOnClose } })
      await advance(0)
      FakeSocket.latest.fail()
      await settle()
    },
  ],
  [
    '[D11] reconnect() where shouldReconnectOnClose wants none',
    async ({ bare, note }) => {
      const socket = bare({ theirs: { shouldReconnectOnClose: () => false } })
      await advance(0)
      FakeSocket.latest.accept()
      socket.reconnect()
      await advance(0)
      note(FakeSocket.all.length)
    },
  ],
  [
    '[D5] what is sent after close()',
    async ({ bare, note }) => {
      const socket = bare()
      await advance(0)
      FakeSocket.latest.accept()
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
      socket.close()
      FakeSocket.latest.finish(1000, 'bye')
      socket.send('late')
      note(warn.mock.calls.length, 'warnings')
      warn.mockRestore()
    },
  ],
]

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

const codes = (text: string): string[] => [...text.matchAll(/`([^`]*)`/g)].map(([, code = '']) => code)

/** What a script is about: its title without ids. */
const topic = (title: string): string => title.replaceAll(/\[[A-Z]+\d+\] /g, '')

interface Difference {
  readonly title: string
  readonly theirs: readonly string[]
  readonly ours: readonly string[]
}

/** The differences that are written down, by their id's letters. */
const listed = (letters: string): Difference[] =>
  [
    ...read('docs/reconnecting-websocket.md').matchAll(
      new RegExp(
        `^- \\*\\*(\\[${letters}\\d+\\] \\[[A-Z]\\d+\\] .+?)\\.\\*\\* Theirs: (.+?)\\. Ours: (.+?)\\. .+$`,
        'gm',
      ),
    ),
  ].map(([, title = '', their = '', own = '']) => ({ title, theirs: codes(their), ours: codes(own) }))

/** What is listed, with its script; what is told must be just that. */
const verify = async (side: Side, { title, ...expected }: Difference, scripts: [string, Script][]): Promise<void> => {
  const script = scripts.find(([name]) => topic(name) === topic(title))?.[1]
  if (!script) throw new Error(`There is no script for ${title}`)
  const found = { theirs: await perform(side, script), ours: await perform(ours, script) }
  expect(found).toEqual(expected)
  expect(found.ours).not.toEqual(found.theirs)
}

/** Each id once and in order, each topic once. */
const checkIds = (list: readonly Difference[], letters: string): void => {
  expect(list.map(({ title }) => title.split(' ', 1)[0])).toEqual(list.map((_, index) => `[${letters}${index + 1}]`))
  expect(new Set(list.map(({ title }) => topic(title))).size).toBe(list.length)
}

/** Expects that both sides tell the same, and something. */
const expectSame = async (side: Side, script: Script): Promise<void> => {
  const expected = await perform(side, script)
  expect(expected).not.toEqual([])
  expect(expected.filter((line) => line.startsWith('uncaught'))).toEqual([])
  expect(await perform(ours, script)).toEqual(expected)
}

const SCRIPTS = [...DIFFERENT, ...ALSO_DIFFERENT]
const CHANGED = listed('RC')
const CHANGED_FROM_PARTYSOCKET = listed('PS')
const isListed = ([title]: [string, Script]): boolean => CHANGED.some((each) => topic(each.title) === topic(title))

describe('beside what it replaces', () => {
  useFakeTime()

  test.for([...ALIKE, ...ALSO_ALIKE])('as reconnecting-websocket does it: %s', async ([, script]) => {
    await expectSame(theirs, script)
  })

  // Where `Heartwire` departs from reconnecting-websocket and this entry does not.
  test.for(SCRIPTS.filter((script) => !isListed(script)))(
    'as reconnecting-websocket, though not as Heartwire: %s',
    async ([, script]) => {
      await expectSame(theirs, script)
    },
  )

  test.for(CHANGED.map((difference) => [difference.title, difference] as const))('%s', async ([, difference]) => {
    await verify(theirs, difference, SCRIPTS)
  })

  test('[D1] docs/reconnecting-websocket.md lists each difference once', () => {
    expect(CHANGED.length).toBeGreaterThan(30)
    checkIds(CHANGED, 'RC')
    checkIds(CHANGED_FROM_PARTYSOCKET, 'PS')
    const ids = read('docs/reconnecting-websocket.md').match(/\[(RC|PS)\d+\]/g)
    expect(ids).toHaveLength(CHANGED.length + CHANGED_FROM_PARTYSOCKET.length)
  })

  test.for(AS_PARTYSOCKET)('as partysocket does it: %s', async ([, script]) => {
    await expectSame(party, script)
  })

  test.for(CHANGED_FROM_PARTYSOCKET.map((difference) => [difference.title, difference] as const))(
    '%s',
    async ([, difference]) => {
      await verify(party, difference, OTHER_THAN_PARTYSOCKET)
    },
  )

  test('[D11] each difference from partysocket is listed', () => {
    const topics = CHANGED_FROM_PARTYSOCKET.map(({ title }) => topic(title))
    expect(topics).toEqual(OTHER_THAN_PARTYSOCKET.map(([title]) => topic(title)))
  })
})

describe('by itself', () => {
  useScenes()

  /** A socket on the fake network; it is checked afterwards that nothing of it is left. */
  const create = (options: Options = {}, url: any = ADDRESS, protocols?: any): ReconnectingWebSocket => {
    const socket = new ReconnectingWebSocket(url, protocols, { WebSocket: FakeSocket, network: false, ...options })
    adopt(socket)
    return socket
  }

  /** One whose connection has just been opened. */
  const createOpen = async (options?: Options): Promise<ReconnectingWebSocket> => {
    const socket = create(options)
    await settle()
    FakeSocket.latest.accept()
    await settle()
    return socket
  }

  /** ms between one native socket and the next. */
  const times = (): number[] =>
    FakeSocket.all.slice(1).map(({ bornAt }, index) => Math.round(bornAt - (FakeSocket.all[index]?.bornAt ?? 0)))

  test('[D1] it is a Heartwire, with the constants of the class', () => {
    const socket = create()
    expect(socket).toBeInstanceOf(Heartwire)
    expect([socket.state, socket.url]).toEqual(['connecting', ADDRESS])
    const { CONNECTING, OPEN, CLOSING, CLOSED } = ReconnectingWebSocket
    expect([CONNECTING, OPEN, CLOSING, CLOSED]).toEqual([0, 1, 2, 3])
  })

  test.for([
    [{ minReconnectionDelay: -1 }, RangeError, 'minReconnectionDelay'],
    [{ maxReconnectionDelay: '10s' }, TypeError, 'maxReconnectionDelay'],
    [{ reconnectionDelayGrowFactor: Number.NaN }, RangeError, 'reconnectionDelayGrowFactor'],
    [{ minUptime: Infinity }, RangeError, 'minUptime'],
    [{ connectionTimeout: null }, TypeError, 'connectionTimeout'],
    [{ maxRetries: -1 }, RangeError, 'maxRetries'],
    [{ maxEnqueuedMessages: false }, TypeError, 'maxEnqueuedMessages'],
    [{ WebSocket: 'ws' }, TypeError, 'WebSocket'],
    [{ heartbeat: true }, TypeError, 'heartbeat'],
    [{ maxAttempts: 3 }, TypeError, 'maxAttempts'],
    [{ queue: { ttl: 1 } }, TypeError, 'queue'],
    [{ reconnect: false }, TypeError, 'reconnect'],
    [{ codec: JSON }, TypeError, 'codec'],
    [{ start: 'lazy' }, TypeError, 'start'],
    [{ protocols: 'chat' }, TypeError, 'protocols'],
    [{ connectTimeout: 1 }, TypeError, 'connectTimeout'],
    [{ reconnectInterval: 3_000 }, TypeError, 'reconnectInterval'],
    [{ maxReconnectAttempts: 5 }, TypeError, 'maxReconnectAttempts'],
    [{ constructor: FakeSocket }, TypeError, 'constructor'],
  ] as const)('[D1] %j is refused by name', ([options, Kind, name]) => {
    const make = (): unknown =>
      new ReconnectingWebSocket(ADDRESS, [], { WebSocket: FakeSocket, ...(options as object) })
    expect(make).toThrow(Kind)
    expect(make).toThrow(`${name}' must be`)
    expect(FakeSocket.all).toEqual([])
  })

  test('[D1] the message about an option that there is not names none that would be refused as well', () => {
    expect(() => create({ reconnectInterval: 3_000 } as Options)).toThrow(
      "Cannot create a Heartwire as 'reconnectInterval' must be left out: current value is 3000",
    )
  })

  test('[D1] a class that extends it may use names of ours for its own', async () => {
    const said: unknown[] = []
    class Feed extends (ReconnectingWebSocket as new (...given: any[]) => any) {
      state = { user: 'ada' }
      attempt = 'first'
      lastClose = 'never'
      on(type: string, listener: (data: unknown) => void): this {
        this['addEventListener'](type, (event: MessageEvent) => listener(JSON.parse(event.data as string)))
        return this
      }
    }
    const feed: any = new Feed(ADDRESS, [], {
      WebSocket: FakeSocket,
      network: false,
      minReconnectionDelay: 1_000,
      debug: true,
      debugLogger: (...what: unknown[]) => said.push(what),
    })
    const told: unknown[] = []
    feed.on('message', (data: unknown) => told.push(data))
    feed.onclose = ({ code }: CloseEvent) => told.push([code, feed.readyState, feed.retryCount])
    await settle()
    expect([feed.readyState, feed.shouldReconnect, feed.retryCount]).toEqual([0, true, 0])
    FakeSocket.latest.accept()
    FakeSocket.latest.receive('{"kind":"news"}')
    FakeSocket.latest.finish(1012)
    await advance(1_000)
    FakeSocket.latest.accept()
    feed.reconnect(4000, 'other room')
    expect(FakeSocket.all[1]?.closes[0]).toEqual([4000, 'other room'])
    feed.close()
    await advance(2_000)
    expect(told).toEqual([{ kind: 'news' }, [1012, 3, 1], [4000, 0, 0], [1006, 3, 0]])
    expect(said).toContainEqual(['RWS>', 'state', { state: 'open', previous: 'connecting' }])
    // What is checked after each test is the state that it covers.
    delete feed.state
    adopt(feed)
  })

  test('[D1] an empty url is one, and for the class to judge', () => {
    expect(() => create({}, '')).toThrow("'' will not do")
  })

  test('[D1] an option that is undefined is not given', async () => {
    const names = ['minReconnectionDelay', 'maxRetries', 'debug', 'heartbeat', 'queue', 'debugLogger', 'WebSocket']
    vi.stubGlobal('WebSocket', FakeSocket)
    create(Object.fromEntries(names.map((name) => [name, undefined])))
    await settle()
    FakeSocket.latest.fail()
    await advance(5_000)
    expect(times()).toEqual([5_000])
  })

  test('[D2] the first delay is drawn from 1 to 5 s, for each retry anew', async () => {
    chance(1)
    create()
    await settle()
    FakeSocket.latest.fail()
    await advance(1_000)
    chance(0)
    FakeSocket.latest.fail()
    await advance(6_500)
    chance(0.5)
    FakeSocket.latest.fail()
    await advance(5_070)
    // 1, 1.3 · 5 and 1.69 · 3 s.
    expect(times().map((ms) => Math.round(ms / 10) * 10)).toEqual([1_000, 6_500, 5_070])
  })

  test('[D3] a server can name the window of the retry', async () => {
    await createOpen({ minReconnectionDelay: 100 })
    FakeSocket.latest.finish(1013, 'full, retry-after=60')
    await advance(60_000)
    expect(times()).toEqual([60_000])
  })

  test('[D4] reconnect() starts the count again, for the delays and for maxRetries', async () => {
    const socket = create({ minReconnectionDelay: 1_000, reconnectionDelayGrowFactor: 2, maxRetries: 2 })
    await settle()
    FakeSocket.latest.fail()
    await advance(1_000)
    FakeSocket.latest.fail()
    expect(socket.retryCount).toBe(2)
    await advance(500)
    socket.reconnect()
    expect(socket.retryCount).toBe(0)
    FakeSocket.latest.fail()
    expect(socket.retryCount).toBe(1)
    await advance(1_000)
    FakeSocket.latest.accept()
    await advance(5_000)
    expect(socket.retryCount).toBe(0)
    FakeSocket.latest.finish(1006)
    await advance(1_000)
    FakeSocket.latest.fail()
    await advance(2_000)
    FakeSocket.latest.fail()
    await advance(60_000)
    expect(times()).toEqual([1_000, 500, 1_000, 6_000, 2_000])
    expect([socket.state, socket.reason]).toEqual(['closed', 'refused'])
  })

  test('[D5] what waits is counted, and leaves before anything else, whoever sends first', async () => {
    const socket = create()
    socket.on('state', ({ state }) => state === 'open' && socket.send('2'))
    socket.send('€')
    expect([socket.queued, socket.bufferedAmount]).toEqual([1, 3])
    const drained = socket.drained()
    await settle()
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual(['€', '2'])
    expect([socket.queued, socket.bufferedAmount]).toEqual([0, 0])
    await advance(10_000)
    await drained
  })

  test('[D5] an open event of the application’s own sends nothing', () => {
    const socket = create({ startClosed: true })
    socket.send('1')
    socket.dispatchEvent(new Event('open'))
    expect(socket.drainQueuedMessages()).toEqual(['1'])
  })

  test('[D5] a lot that provably never left, and what waited, leave in order', async () => {
    const socket = await createOpen()
    FakeSocket.latest.isStalled = true
    const sent = Array.from({ length: 1_500 }, (_, n) => `${n}`)
    for (const message of sent) socket.send(message)
    FakeSocket.latest.finish(1006)
    for (let n = 0; n < 1_500; n++) socket.send(`later ${n}`)
    expect(socket.queued).toBe(3_000)
    await advance(5_000)
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual([...sent, ...sent.map((n) => `later ${n}`)])
  })

  test('[D5] what is sent while the server closes waits for the next connection', async () => {
    const socket = await createOpen()
    FakeSocket.latest.beginClose()
    expect(socket.readyState).toBe(2)
    expect(socket.shouldReconnect).toBe(true)
    expect(socket.send('late')).toBe(false)
    FakeSocket.latest.finish(1000)
    await advance(5_000)
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual(['late'])
  })

  test('[D5] a connection that begins to close in the middle leaves the rest for the next', async () => {
    const socket = create()
    for (const message of ['1', '2', '3']) socket.send(message)
    await settle()
    const { latest } = FakeSocket
    const send = latest.send.bind(latest)
    latest.send = (data) => {
      send(data)
      if (data === '2') latest.beginClose()
    }
    latest.accept()
    expect([latest.sent, socket.queued]).toEqual([['1', '2'], 1])
    // It is still among what can be given to another socket.
    expect(socket.drainQueuedMessages()).toEqual(['3'])
    socket.send('3')
    latest.finish(1000)
    await advance(5_000)
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual(['3'])
  })

  test('[D6] close() throws as the native one, and changes nothing then', async () => {
    const socket = await createOpen()
    expect(() => socket.close(1001)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
    expect(() => socket.reconnect(4000, 'x'.repeat(124))).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
    expect([socket.state, FakeSocket.latest.closes]).toEqual(['open', []])
  })

  test('[D6] readyState is 3 while a retry waits for the network', async () => {
    const socket = await createOpen({ network: { online: false, subscribe: () => () => {} } })
    FakeSocket.latest.finish(1006)
    expect([socket.state, socket.readyState, socket.shouldReconnect]).toEqual(['paused', 3, true])
  })

  test('[D7] reconnect() tells the server and the listeners its code and reason', async () => {
    const socket = await createOpen()
    const closes: unknown[] = []
    socket.onclose = ({ code, reason, wasClean, willReconnect }) => closes.push([code, reason, wasClean, willReconnect])
    socket.reconnect(4000, 'other room')
    expect(FakeSocket.all[0]?.closes[0]).toEqual([4000, 'other room'])
    FakeSocket.latest.accept()
    FakeSocket.latest.finish(4001, 'by itself')
    expect(closes).toEqual([
      [4000, 'other room', true, true],
      [4001, 'by itself', true, true],
    ])
  })

  test('[D7] reconnect() after the listeners of close have been called is not held back', async () => {
    const socket = await createOpen()
    socket.onclose = () => queueMicrotask(() => queueMicrotask(() => socket.reconnect()))
    FakeSocket.latest.finish(1006)
    await settle()
    expect(times()).toEqual([0])
    expect(socket.state).toBe('connecting')
    socket.onclose = null
  })

  test('[D7] close() and reconnect() in each error and close come to an end', async () => {
    const socket = create()
    await settle()
    let calls = 0
    const renew = (): void => {
      calls += 1
      // An endless loop would take the test along.
      if (calls > 10) return
      socket.close()
      socket.reconnect()
    }
    socket.onerror = renew
    socket.onclose = renew
    FakeSocket.latest.fail()
    expect([calls, FakeSocket.all.length, socket.state]).toEqual([2, 3, 'connecting'])
    socket.onerror = null
    socket.onclose = null
  })

  test('[D8] reconnect() asks the provider again, whatever the earlier answer', async () => {
    const answers: ((url: string) => void)[] = []
    const socket = create({}, () => new Promise((resolve) => answers.push(resolve)))
    await settle()
    socket.reconnect()
    await settle()
    expect(answers).toHaveLength(2)
    answers[0]?.(`${ADDRESS}old`)
    await settle()
    expect(FakeSocket.all).toEqual([])
    answers[1]?.(`${ADDRESS}new`)
    await settle()
    expect(FakeSocket.latest.url).toBe(`${ADDRESS}new`)
  })

  test('[D8] a failure that comes too late does not serve the next attempt, which asks again', async () => {
    const failures: ((error: Error) => void)[] = []
    const url = (): Promise<string> | string =>
      failures.length > 0 ? ADDRESS : new Promise((_, reject) => failures.push(reject))
    const socket = create({ connectionTimeout: 1_000, minReconnectionDelay: 1_000 }, url)
    const messages: string[] = []
    socket.onerror = ({ message }) => messages.push(message)
    await advance(1_500)
    failures[0]?.(new Error('no token'))
    await advance(500)
    expect([messages, socket.state]).toEqual([['TIMEOUT'], 'connecting'])
  })

  test('[D8] an answer that came in time does not serve twice', async () => {
    let asked = 0
    create({ minReconnectionDelay: 10 }, async () => `${ADDRESS}${(asked += 1)}`)
    for (let n = 0; n < 3; n++) {
      await settle()
      FakeSocket.latest.fail()
      await advance(20)
    }
    await settle()
    expect(FakeSocket.all.map(({ url }) => url.slice(ADDRESS.length))).toEqual(['1', '2', '3', '4'])
  })

  test('[D9] heartbeat and other options of ours are heeded', async () => {
    const controller = new AbortController()
    const heartbeat = { message: 'ping', pong: 'pong', interval: 1_000, timeout: 500 }
    const socket = await createOpen({ heartbeat, binaryType: 'arraybuffer', signal: controller.signal })
    const closes: unknown[] = []
    socket.onclose = ({ code, reason }) => closes.push([code, reason])
    await advance(1_500)
    expect(FakeSocket.all[0]?.sent).toEqual(['ping'])
    expect(closes).toEqual([[1006, 'heartbeat timeout']])
    expect(FakeSocket.latest.binaryType).toBe('arraybuffer')
    controller.abort()
    await advance(2_000)
    expect(socket.reason).toBe('aborted')
  })

  test('[D9] what the class says is told, whether it was given or is the global one', async () => {
    class Telling extends FakeSocket {
      tell(error: Error): void {
        this.dispatchEvent(Object.assign(new Event('error'), { error }))
        this.fail()
      }
    }
    vi.stubGlobal('WebSocket', Telling)
    for (const WebSocket of [Telling, undefined]) {
      const socket = create({ WebSocket })
      const told = nextError(socket)
      await settle()
      ;(FakeSocket.latest as Telling).tell(new Error('ECONNREFUSED'))
      expect((await told).message).toBe('ECONNREFUSED')
      socket.close()
    }
  })

  /** What the next error event says. */
  const nextError = (socket: ReconnectingWebSocket): Promise<{ message: string; error: Error }> =>
    new Promise((resolve) => {
      socket.addEventListener('error', ({ message, error }) => resolve({ message, error }), { once: true })
    })

  /** As `ws`: its events of `error` say why, to listeners that were added before, too. */
  class TalkativeSocket extends FakeSocket {
    refuse(error: unknown): void {
      this.dispatchEvent(Object.assign(new Event('error'), { error }))
      this.fail()
    }
  }

  test('[D9] an error event says what the class, the provider or the clock said', async () => {
    const refused = new Error('connect ECONNREFUSED')
    const denied = new Error('no token')
    let answer: () => unknown = () => ADDRESS
    const socket = create({ WebSocket: TalkativeSocket, minReconnectionDelay: 0, connectionTimeout: 1_000 }, () =>
      answer(),
    )
    await settle()
    const latest = (): TalkativeSocket => FakeSocket.latest as TalkativeSocket
    let heard = nextError(socket)
    latest().refuse(refused)
    expect(await heard).toEqual({ message: 'connect ECONNREFUSED', error: refused })
    answer = () => {
      throw denied
    }
    heard = nextError(socket)
    await advance(5)
    expect(await heard).toEqual({ message: 'no token', error: denied })
    answer = () => ADDRESS
    await advance(5)
    heard = nextError(socket)
    const slow = latest()
    await advance(1_000)
    expect(await heard).toEqual({ message: 'TIMEOUT', error: new Error('TIMEOUT') })
    // `ws` reports the end that we made, too; that is nothing of the next attempt's.
    slow.refuse(new Error('closed before the connection was established'))
    await advance(5)
    heard = nextError(socket)
    latest().fail()
    expect(await heard).toEqual({ message: 'failed', error: new Error('failed') })
    await advance(5)
    heard = nextError(socket)
    latest().refuse('no Error')
    expect(await heard).toEqual({ message: 'failed', error: new Error('failed') })
  })

  test('[D9] a refusal that came after an answer is not the next failure’s reason', async () => {
    const socket = create({ WebSocket: TalkativeSocket, minReconnectionDelay: 0, heartbeat: false })
    await settle()
    const heard = nextError(socket)
    FakeSocket.latest.finish(1006, 'by the server')
    expect((await heard).message).toBe('by the server')
  })

  test('[D9] what a provider says when nobody waits for it any more is no reason', async () => {
    const deny: ((error: Error) => void)[] = []
    const socket = create({}, () => (deny.length > 0 ? ADDRESS : new Promise((_, reject) => deny.push(reject))))
    await settle()
    socket.reconnect()
    deny[0]?.(new Error('no token'))
    await settle()
    const heard = nextError(socket)
    FakeSocket.latest.fail()
    expect((await heard).message).toBe('failed')
  })

  test('[D9] an error or close event of the application’s own stays as it is', () => {
    const socket = create()
    const said: unknown[] = []
    socket.onerror = ({ message }) => said.push(message)
    socket.onclose = ({ code }) => said.push(code)
    socket.dispatchEvent(Object.assign(new Event('error'), { message: 'mine' }))
    socket.dispatchEvent(Object.assign(new Event('close'), { code: 7 }))
    socket.dispatchEvent(new Event('error'))
    expect(said).toEqual(['mine', 7, 'failed'])
  })

  test('[D10] the target of every event is the socket, and a listener that throws stops nothing', async () => {
    // Node says so of what an EventTarget's listeners throw, and `reportError` of the others.
    vi.stubGlobal('reportError', undefined)
    const socket = create()
    const targets: unknown[] = []
    for (const type of ['open', 'message', 'error', 'close'] as const) {
      const fail = (): never => {
        throw new Error(type)
      }
      socket.addEventListener(type, fail, { once: true })
      socket.addEventListener(type, ({ target }) => targets.push(target))
    }
    const errors = await uncaught(async () => {
      await settle()
      FakeSocket.latest.accept()
      FakeSocket.latest.receive('hello')
      FakeSocket.latest.fail()
    })
    expect(targets).toEqual([socket, socket, socket, socket])
    expect(errors.map(String).sort()).toEqual(['Error: close', 'Error: error', 'Error: message', 'Error: open'])
    await advance(5_000)
    expect(FakeSocket.all).toHaveLength(2)
  })

  test('[D11] a shouldReconnectOnClose that throws is reported, and the code decides', async () => {
    const reported = stubReportError()
    const socket = await createOpen({
      shouldReconnectOnClose: () => {
        throw new Error('undecided')
      },
    })
    FakeSocket.latest.finish(1006)
    expect(socket.state).toBe('waiting')
    await advance(5_000)
    FakeSocket.latest.accept()
    FakeSocket.latest.finish(1008)
    expect(socket.state).toBe('closed')
    expect(reported.map(String)).toEqual(['Error: undecided', 'Error: undecided'])
  })

  test('[D11] debug writes to the console by default', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    await createOpen({ debug: true })
    expect(log).toHaveBeenCalledWith('RWS>', 'state', { state: 'open', previous: 'connecting' })
  })

  test('[D11] drainQueuedMessages() hands what waits to another socket, as it was when it was sent', async () => {
    const socket = await createOpen()
    socket.close()
    FakeSocket.latest.finish(1000)
    const bytes = Uint8Array.of(1, 2)
    socket.send(bytes)
    bytes.fill(9)
    const other = create()
    for (const message of socket.drainQueuedMessages()) other.send(message)
    expect(socket.queued).toBe(0)
    await settle()
    FakeSocket.latest.accept()
    expect(FakeSocket.latest.sent).toEqual([Uint8Array.of(1, 2).buffer])
  })

  test('[D6] using closes it with 1000', async () => {
    const socket = await createOpen()
    socket[Symbol.dispose]()
    expect(FakeSocket.latest.closes).toEqual([[1000, undefined]])
  })

  test('[D8] no promise of a provider is left without a handler', async () => {
    const errors = await uncaught(async () => {
      const socket = create({ connectionTimeout: 100, minReconnectionDelay: 10 }, () =>
        advance(150).then(() => Promise.reject(new Error('late'))),
      )
      await advance(1_000)
      socket.close()
      await advance(1_000)
    })
    expect(errors).toEqual([])
  })
})
