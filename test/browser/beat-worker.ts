// Runs in a dedicated worker: a socket that asks for timers of a worker, and tells its page of its beats and of workers.
import { Heartwire } from '../../src/index.ts'

const say = (what: string): void => postMessage(what)

Object.assign(globalThis, {
  Worker() {
    say('a worker of its own')
  },
})

addEventListener('message', ({ data: url }: MessageEvent<string>) => {
  const heartbeat = { message: 'ping', pong: 'pong', interval: 50, timeout: 5_000, timers: 'worker' } as const
  const socket = new Heartwire(url, { heartbeat })
  socket.on('error', ({ code }) => say(code))
  socket.on('heartbeat', () => say('beat'))
})
