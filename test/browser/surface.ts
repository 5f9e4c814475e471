// One tour of the whole interface, for any realm: window, dedicated worker, shared worker. Runs with either class.
import { Heartwire } from '../../src/index.ts'

/** Calls the rig from wherever we are. */
export type Ask = (path: string, ...args: unknown[]) => Promise<unknown>

/** What a tour needs. Plain data, so that it can be sent to a worker. */
export interface Tour {
  readonly url: string
  readonly isOurs: boolean
}

const PLAIN = { reconnect: false, queue: false } as const

const outcome = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return error instanceof DOMException ? `${error.name} ${error.code}` : (error as Error).name
  }
}

const next = <Type extends keyof WebSocketEventMap>(target: WebSocket, type: Type): Promise<WebSocketEventMap[Type]> =>
  new Promise((resolve) => {
    target.addEventListener(type, resolve, { once: true })
  })

const shapeOf = (Class: typeof WebSocket): unknown => {
  const { CONNECTING, OPEN, CLOSING, CLOSED, prototype } = Class
  const tag = Reflect.get(prototype, Symbol.toStringTag) as unknown
  return [CONNECTING, OPEN, CLOSING, CLOSED, prototype.OPEN, Class.length, tag, prototype instanceof EventTarget]
}

const describeData = async (data: unknown): Promise<unknown> => {
  if (data instanceof Blob) return ['blob', await data.text()]
  return data instanceof ArrayBuffer ? ['buffer', ...new Uint8Array(data)] : data
}

/** What the class says and does, as plain data. */
export async function takeTour({ url, isOurs }: Tour, ask: Ask): Promise<unknown[]> {
  const make = (...args: unknown[]): WebSocket =>
    isOurs
      ? (Reflect.construct(Heartwire, args.length > 0 ? [args[0], args[1], PLAIN] : []) as WebSocket)
      : (Reflect.construct(WebSocket, args) as WebSocket)
  const log: unknown[] = [shapeOf(isOurs ? Heartwire : WebSocket)]

  for (const args of [[], ['http://['], ['ftp://host/'], [`${url}#part`], [url, ['a', 'a']], [url, 'a b']]) {
    log.push(outcome(() => make(...args).close()))
  }

  const early = make(url)
  log.push(
    outcome(() => early.send('too early')),
    outcome(() => early.close(999)),
    outcome(() => early.close(1000, 'x'.repeat(124))),
  )
  const closedEarly = next(early, 'close')
  early.close()
  log.push(early.readyState)
  const { code: earlyCode, wasClean } = await closedEarly
  log.push([earlyCode, wasClean, early.readyState])

  const socket = make(url, ['v2', 'v1'])
  log.push([socket.readyState, socket.protocol, socket.extensions, socket.binaryType, socket.bufferedAmount])
  for (const type of ['open', 'message', 'error', 'close'] as const) {
    socket.addEventListener(type, (given) => log.push([type, given.target === socket, socket.readyState]))
    Reflect.set(socket, `on${type}`, function on(this: unknown) {
      log.push([`on${type}`, this === socket])
    })
  }
  await next(socket, 'open')
  log.push([socket.protocol, socket.url === url])
  const sent = [
    'text',
    'ü€𝄞',
    Uint8Array.of(1, 2),
    Uint8Array.of(3).buffer,
    new DataView(new ArrayBuffer(2)),
    new Blob(['b']),
  ]
  for (const binaryType of ['blob', 'arraybuffer'] as const) {
    socket.binaryType = binaryType
    for (const message of sent) {
      const heard = next(socket, 'message')
      socket.send(message)
      log.push(socket.bufferedAmount, await describeData((await heard).data))
    }
  }
  const closed = next(socket, 'close')
  await ask('server.closeClients', 4001, 'enough')
  const { code, reason, wasClean: isClean } = await closed
  log.push(
    [code, reason, isClean, socket.readyState],
    outcome(() => socket.send('late')),
    outcome(() => socket.close()),
  )

  const last = make(url)
  await next(last, 'open')
  const over = next(last, 'close')
  last.close(4002, 'bye')
  last.close(4003)
  log.push(last.readyState, (await over).code)
  return log
}
