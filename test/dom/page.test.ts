// The page's own signals, heard where there is a page: jsdom's events, and a socket of the native shape.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Heartwire } from '../../src/index.ts'
import { FakeSocket } from '../support/fake-socket.ts'
import { adopt, advance, settle, URL as ADDRESS, useScenes, type Scene } from '../support/scene.ts'

useScenes()

/** Who listens to the page: type by type, added and not removed. */
const listening = new Map<string, number>()

const heartbeat = { message: 'ping', interval: 60_000 }

beforeEach(() => {
  listening.clear()
  for (const target of [globalThis, document] as EventTarget[]) {
    const add = target.addEventListener.bind(target)
    const remove = target.removeEventListener.bind(target)
    const count = (type: string, step: number): void => void listening.set(type, (listening.get(type) ?? 0) + step)
    vi.spyOn(target, 'addEventListener').mockImplementation((type: string, ...rest: unknown[]) => {
      count(type, 1)
      Reflect.apply(add, target, [type, ...rest])
    })
    vi.spyOn(target, 'removeEventListener').mockImplementation((type: string, ...rest: unknown[]) => {
      count(type, -1)
      Reflect.apply(remove, target, [type, ...rest])
    })
  }
})

afterEach(() => setOnline(true))

/** What `navigator.onLine` answers. */
const setOnline = (isOnline: boolean): void => {
  Object.defineProperty(navigator, 'onLine', { value: isOnline, configurable: true })
}

const setVisible = (isVisible: boolean): void => {
  Object.defineProperty(document, 'visibilityState', { value: isVisible ? 'visible' : 'hidden', configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}

const transition = (type: 'pageshow' | 'pagehide', persisted: boolean): void => {
  dispatchEvent(Object.assign(new Event(type), { persisted }))
}

const openOne = async (options: object = {}): Promise<Scene> => {
  const scene = adopt(new Heartwire(ADDRESS, { WebSocket: FakeSocket, heartbeat, ...options }))
  await settle()
  FakeSocket.latest.accept()
  await advance(1)
  return scene
}

const total = (): number => [...listening.values()].reduce((sum, count) => sum + count, 0)

describe('[N5] listeners on the page', () => {
  test('are there while a socket is, one set for all of them', async () => {
    const { socket: first } = await openOne()
    const { socket: second } = await openOne()
    expect(Object.fromEntries(listening)).toEqual({
      online: 1,
      offline: 1,
      pageshow: 1,
      pagehide: 1,
      visibilitychange: 1,
      resume: 1,
    })
    first.close()
    await advance(2_000)
    expect(total()).toBe(6)
    second.close()
    await advance(2_000)
    expect(total()).toBe(0)
  })

  test('are never unload or beforeunload', async () => {
    await openOne()
    expect([...listening.keys()].filter((type) => type.includes('unload'))).toEqual([])
  })

  test('network: false adds none', async () => {
    await openOne({ network: false })
    expect(total()).toBe(0)
  })

  test('a source of one’s own adds none', async () => {
    await openOne({ network: { online: true, subscribe: () => () => {} } })
    expect(total()).toBe(0)
  })

  test('nothing listens before connect()', () => {
    adopt(new Heartwire(ADDRESS, { WebSocket: FakeSocket, start: 'manual' }))
    expect(total()).toBe(0)
  })
})

describe('what the page says', () => {
  test.each([
    ['online', () => dispatchEvent(new Event('online'))],
    ['offline', () => dispatchEvent(new Event('offline'))],
    ['visibilitychange', () => setVisible(true)],
    ['resume', () => document.dispatchEvent(new Event('resume'))],
  ])('[N1] [N3] %s: an open socket is probed', async (_, happen) => {
    const { socket } = await openOne()
    happen()
    expect(FakeSocket.latest.sent).toEqual(['ping'])
    expect(socket.state).toBe('open')
  })

  test('[N3] a page that is hidden, or shown for the first time, says nothing', async () => {
    await openOne()
    setVisible(false)
    transition('pageshow', false)
    expect(FakeSocket.latest.sent).toEqual([])
    setVisible(true)
  })

  test('[N2] navigator.onLine false at a loss pauses; online goes on', async () => {
    const { socket } = await openOne()
    setOnline(false)
    FakeSocket.latest.fail()
    expect(socket.state).toBe('paused')
    setOnline(true)
    dispatchEvent(new Event('online'))
    await advance(100)
    expect(socket.state).toBe('connecting')
  })

  test('[N2] offline while waiting pauses; becoming visible retries', async () => {
    const { socket } = await openOne()
    FakeSocket.latest.fail()
    dispatchEvent(new Event('offline'))
    expect(socket.state).toBe('paused')
    setVisible(true)
    await advance(100)
    expect(socket.state).toBe('connecting')
  })

  test('[N4] pagehide closes, pageshow of a kept page reconnects at once', async () => {
    const { socket } = await openOne()
    const native = FakeSocket.latest
    const closes: boolean[] = []
    socket.addEventListener('close', (event) =>
      closes.push((event as CloseEvent & { willReconnect: boolean }).willReconnect),
    )
    transition('pagehide', true)
    expect(native.isLive).toBe(false)
    expect([socket.state, closes]).toEqual(['paused', [true]])
    transition('pageshow', true)
    expect(socket.state).toBe('connecting')
    FakeSocket.latest.accept()
    expect(socket.state).toBe('open')
  })

  test('[S5] reaches no closed socket', async () => {
    const { socket } = await openOne()
    socket.close()
    await advance(2_000)
    dispatchEvent(new Event('online'))
    transition('pageshow', true)
    expect([socket.state, FakeSocket.all.length]).toEqual(['closed', 1])
  })
})

describe('the platform’s events', () => {
  test('[E1] are its own classes', async () => {
    const { socket } = await openOne()
    const told: unknown[] = []
    for (const type of ['error', 'close', 'message']) {
      socket.addEventListener(type, (event) => told.push(event.constructor, event.target === socket))
    }
    FakeSocket.latest.receive('x')
    FakeSocket.latest.fail()
    expect(told).toEqual([MessageEvent, true, Event, true, CloseEvent, true])
  })

  test('[S4] a listener that throws does not keep the next one from hearing', async () => {
    const { socket } = await openOne()
    let isTold = false
    socket.addEventListener('close', () => {
      // jsdom swallows it: an EventTarget of one's own has no window to report to.
      throw new Error('thrown')
    })
    socket.addEventListener('close', () => (isTold = true))
    FakeSocket.latest.fail()
    expect([isTold, socket.state]).toEqual([true, 'waiting'])
  })
})
