// `heartwire/reconnecting-websocket` in a real page: the same talk with reconnecting-websocket, with partysocket's class and
// with ours, over a link that breaks.
import PartySocket from 'partysocket/ws'
import Original from 'reconnecting-websocket'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ReconnectingWebSocket } from '../../src/reconnecting-websocket.ts'
import type { Options } from '../../src/reconnecting-websocket.ts'
import { openRig } from '../support/control.ts'
import type { RemoteRig } from '../support/control.ts'
import { event } from './subjects.ts'

// A whole story, on a machine that does much else.
vi.setConfig({ testTimeout: 60_000 })

const rigged = async (): Promise<RemoteRig> => {
  const rig = await openRig()
  onTestFinished(() => rig.close())
  return rig
}

/** Short delays, time for a busy machine to connect, and no success that would end the counting. */
const QUICK: Options = {
  minReconnectionDelay: 20,
  maxReconnectionDelay: 100,
  connectionTimeout: 20_000,
  minUptime: 60_000,
}

const make = (url: unknown, options: Options = {}, protocols?: unknown): ReconnectingWebSocket => {
  const rws = new ReconnectingWebSocket(url as string, protocols as string[], { ...QUICK, ...options })
  onTestFinished(() => rws.close())
  return rws
}

const CLASSES = {
  'reconnecting-websocket': Original as unknown as typeof ReconnectingWebSocket,
  partysocket: PartySocket as unknown as typeof ReconnectingWebSocket,
  ours: ReconnectingWebSocket,
}

describe.each(Object.entries(CLASSES))('%s', (_name, Class) => {
  test('[D1] talks, is cut off, comes back and says what was sent meanwhile', async () => {
    const { control, url } = await rigged()
    await control('server.echo', true)
    const rws = new Class(url, ['chat'], QUICK)
    onTestFinished(() => rws.close())
    rws.binaryType = 'arraybuffer'
    const heard: unknown[] = []
    const closes: number[] = []
    rws.onmessage = ({ data }) => heard.push(data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data)
    rws.onclose = ({ code }) => closes.push(code)
    rws.send('before it is open')
    rws.send(Uint8Array.of(1, 2))
    await vi.waitUntil(() => heard.length === 2, { timeout: 20_000 })
    expect([rws.readyState, rws.protocol, rws.url, rws.retryCount]).toEqual([1, 'chat', url, 0])
    await control('server.closeClients', 4001, 'enough')
    await vi.waitUntil(() => closes.length === 1, { timeout: 20_000 })
    rws.send('while it is down')
    await vi.waitUntil(() => heard.length === 3, { timeout: 20_000 })
    expect(heard).toEqual(['before it is open', [1, 2], 'while it is down'])
    expect(closes).toEqual([4001])
    expect(rws.retryCount).toBe(1)
    const closed = new Promise((resolve) => {
      rws.addEventListener('close', resolve)
    })
    rws.close(1000, 'bye')
    await closed
    await control('server.waitForClosed', 2)
    const [, second] = await control('server.connections')
    expect(second?.closed).toEqual({ code: 1000, reason: 'bye' })
    expect(await control('server.attempts')).toBe(2)
  })

  test('[D7] reconnect(code, reason) tells the server, and connects where the provider says', async () => {
    const { control, serverUrl } = await rigged()
    let room = 'a'
    const rws = new Class(() => serverUrl + room, undefined, QUICK)
    onTestFinished(() => rws.close())
    const closes: unknown[] = []
    rws.onclose = ({ code, reason }) => closes.push([code, reason])
    await event(rws, 'open')
    room = 'b'
    const opened = event(rws, 'open')
    rws.reconnect(4000, 'other room')
    await opened
    expect(closes).toEqual([[4000, 'other room']])
    await control('server.waitForClosed', 1)
    const connections = await control('server.connections')
    expect(connections.map(({ path }) => path)).toEqual(['/a', '/b'])
    expect(connections[0]?.closed).toEqual({ code: 4000, reason: 'other room' })
  })
})

test('[D9] a server that refuses is error, then close 1006, and an error event says so', async () => {
  const { control, url } = await rigged()
  await control('server.refuseUpgrades', 503)
  const rws = make(url, { maxRetries: 1 })
  const log: unknown[] = []
  rws.onerror = ({ message, error, target }) => log.push(['error', message, error instanceof Error, target === rws])
  rws.onclose = ({ code, wasClean, willReconnect }) =>
    log.push(['close', code, wasClean, willReconnect, rws.readyState])
  await rws.once('closed')
  expect(log).toEqual([
    ['error', 'failed', true, true],
    ['close', 1006, false, true, 3],
    ['error', 'failed', true, true],
    ['close', 1006, false, false, 3],
  ])
  expect(rws.retryCount).toBe(1)
})

test('[D9] an upgrade that is not answered is TIMEOUT', async () => {
  const { control, url } = await rigged()
  await control('proxy.stall')
  const rws = make(url, { connectionTimeout: 1_000 })
  const { message } = (await event(rws, 'error')) as unknown as ErrorEvent
  expect(message).toBe('TIMEOUT')
  await control('proxy.resume')
  await event(rws, 'open')
})

test('[D5] what waited has left before any listener of open is called, capturing ones first', async () => {
  const { control, url } = await rigged()
  const rws = make(url)
  rws.send('waiting')
  const left = new Promise((resolve) => {
    rws.addEventListener('open', () => resolve(rws.drainQueuedMessages()), true)
  })
  expect(await left).toEqual([])
  expect(await control('server.waitForMessages', 1)).toEqual(['waiting'])
})

test('[D6] close() during the wait is final', async () => {
  const { control, serverUrl } = await rigged()
  const rws = make(serverUrl, { minReconnectionDelay: 10_000, maxReconnectionDelay: 10_000 })
  await event(rws, 'open')
  const lost = event(rws, 'close')
  await control('server.closeClients', 1012)
  await lost
  const closed = rws.once('closed')
  rws.close()
  expect((await closed).reason).toBe('user')
  expect(await control('server.attempts')).toBe(1)
})

test('[D9] with a heartbeat a dead link is noticed, without one it is not', async () => {
  const { control, url } = await rigged()
  await control('server.answerPings', true)
  const without = make(url)
  const rws = make(url, { heartbeat: { message: 'ping', pong: 'pong', interval: 100, timeout: 2_000 } })
  await Promise.all([event(rws, 'open'), event(without, 'open')])
  await rws.once('heartbeat')
  const lost = event(rws, 'close')
  await control('proxy.stall')
  expect((await lost).reason).toBe('heartbeat timeout')
  expect(without.readyState).toBe(1)
  await control('proxy.resume')
  await event(rws, 'open')
})

test('[D11] shouldReconnectOnClose and a provider of protocols', async () => {
  const { control, serverUrl } = await rigged()
  const asked: unknown[] = []
  const options: Options = {
    shouldReconnectOnClose(close) {
      asked.push([close instanceof CloseEvent, close.code])
      return close.code !== 4401
    },
  }
  let version = 0
  const rws = make(serverUrl, options, async () => (version++ === 0 ? null : `v${version}`))
  await event(rws, 'open')
  expect(rws.protocol).toBe('')
  const again = event(rws, 'open')
  await control('server.closeClients', 4000)
  await again
  expect(rws.protocol).toBe('v2')
  const closed = rws.once('closed')
  await control('server.closeClients', 4401)
  await closed
  expect(asked).toEqual([
    [true, 4000],
    [true, 4401],
  ])
  expect([rws.readyState, rws.shouldReconnect]).toEqual([3, false])
})
