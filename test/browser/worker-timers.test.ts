// `heartbeat.timers: 'worker'` with real workers, real policies and a real link: what a hidden page needs it for.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Heartwire } from '../../src/index.ts'
import type { HeartbeatOptions, HeartwireOptions } from '../../src/index.ts'
import { openRig } from '../support/control.ts'
import type { RemoteRig } from '../support/control.ts'

let rig: RemoteRig
const sockets: Heartwire[] = []
const frames: HTMLIFrameElement[] = []
/** The workers that were made in this page, and those that were ended. */
let made: Worker[] = []
let ended: Worker[] = []

beforeEach(async () => {
  rig = await openRig()
  await rig.control('server.answerPings', true)
  made = []
  ended = []
  const Native = Worker
  vi.stubGlobal(
    'Worker',
    class extends Native {
      constructor(...given: ConstructorParameters<typeof Native>) {
        super(...given)
        made.push(this)
      }

      override terminate(): void {
        ended.push(this)
        super.terminate()
      }
    },
  )
})

afterEach(async () => {
  // The next test's worker must not be one that is still there.
  await Promise.all(sockets.splice(0).map(closed))
  for (const frame of frames.splice(0)) frame.remove()
  await rig.close()
})

const heartbeat = { message: 'ping', pong: 'pong', interval: 100, timeout: 1_000, timers: 'worker' } as const

const make = (beat: HeartbeatOptions = heartbeat, Class = Heartwire, options: HeartwireOptions = {}): Heartwire => {
  const reconnect = { minDelay: 20, maxDelay: 20, jitter: 0 }
  const socket = new Class(rig.url, { heartbeat: beat, reconnect, ...options })
  sockets.push(socket)
  return socket
}

/** The codes of a socket's errors from now on. */
const errorsOf = (socket: Heartwire): string[] => {
  const codes: string[] = []
  socket.on('error', ({ code }) => codes.push(code))
  return codes
}

const beats = async (socket: Heartwire, count: number): Promise<void> => {
  for (let heard = 0; heard < count; heard++) await socket.once('heartbeat')
}

const closed = async (socket: Heartwire): Promise<void> => {
  if (socket.state === 'closed') return
  const end = socket.once('closed')
  socket.close()
  await end
}

/** From now on this page's timers come a minute late, as in a hidden tab of Chromium's: later than any test may last. */
const hidePage = (): void => {
  const { setTimeout: start } = globalThis
  vi.stubGlobal('setTimeout', (task: () => void, delay = 0) => start(task, delay + 60_000))
}

describe('[H10] a page whose timers come a minute late', () => {
  test('beats all the same, and does not without the option', async () => {
    hidePage()
    const late = make({ ...heartbeat, message: 'late', timers: 'page' })
    await late.opened()
    const socket = make()
    const errors = errorsOf(socket)
    await beats(socket, 5)
    const received = await rig.control('server.received')
    expect(received.length).toBeGreaterThanOrEqual(5)
    expect(new Set(received)).toEqual(new Set(['ping']))
    expect([errors, made.length]).toEqual([[], 1])
  })

  test('[H4] notices a dead link, retries, and beats again', async () => {
    hidePage()
    const socket = make()
    await beats(socket, 1)
    const lost = socket.once('lost')
    await rig.control('proxy.blackhole')
    expect((await lost).close).toMatchObject({ code: 1006, reason: 'heartbeat timeout' })
    await beats(socket, 2)
    expect(made).toHaveLength(1)
  })
})

describe('[H10] the worker', () => {
  test('is not made by a socket that does not ask, nor before the first connection', async () => {
    const other = make({ ...heartbeat, timers: 'page' })
    await beats(other, 1)
    await rig.control('server.holdUpgrades', true)
    const socket = make()
    await rig.control('server.waitForAttempts', 2)
    expect(made).toEqual([])
    await rig.control('server.holdUpgrades', false)
    await beats(socket, 1)
    expect(made).toHaveLength(1)
  })

  test('is one for all sockets, ends with the last of them, and is made again', async () => {
    const [first, second] = [make(), make()]
    await Promise.all([beats(first, 1), beats(second, 1)])
    await closed(first)
    await beats(second, 2)
    expect([made.length, ended]).toEqual([1, []])
    await closed(second)
    expect(ended).toEqual(made)
    hidePage()
    second.connect()
    await beats(second, 2)
    expect([made.length, ended.length]).toEqual([2, 1])
  })

  test('may die without a word: the page’s own timers go on', async () => {
    const socket = make()
    const errors = errorsOf(socket)
    await beats(socket, 1)
    made[0]?.terminate()
    await beats(socket, 3)
    expect([errors, socket.state, made.length]).toEqual([[], 'open', 1])
  })

  test('is not made within a worker, whose own timers are in time', async () => {
    const worker = new Worker(new URL('./beat-worker.ts', import.meta.url), { type: 'module' })
    const said: string[] = []
    const enough = new Promise<void>((resolve) => {
      worker.addEventListener('message', ({ data }: MessageEvent<string>) => {
        if (said.push(data) === 3) resolve()
      })
    })
    worker.postMessage(rig.url, [])
    await enough
    worker.terminate()
    expect(said).toEqual(['beat', 'beat', 'beat'])
  })
})

describe('[H10] a policy', () => {
  /** The class as a page has it that is under this policy. */
  const underPolicy = async (policy: string): Promise<typeof Heartwire> => {
    const module = new URL('../../src/index.ts', import.meta.url).href
    const frame = document.createElement('iframe')
    frames.push(frame)
    const loaded = new Promise((resolve) => {
      frame.addEventListener('load', resolve)
    })
    frame.srcdoc = `<!doctype html>
      <meta http-equiv="Content-Security-Policy" content="${policy}">
      <script type="module">
        import { Heartwire } from '${module}'
        window.Heartwire = Heartwire
      </script>`
    document.body.append(frame)
    await loaded
    return (frame.contentWindow as unknown as { Heartwire: typeof Heartwire }).Heartwire
  }

  test.each(["worker-src 'none'", "worker-src 'self'"])(
    'that allows no such worker (%s) is told once, and the page beats',
    async (policy) => {
      const socket = make(heartbeat, await underPolicy(policy))
      const states: string[] = []
      const errors = errorsOf(socket)
      await socket.once('open')
      socket.on('state', ({ state }) => states.push(state))
      const [error] = await Promise.all([errors.length > 0 ? null : socket.once('error'), beats(socket, 3)])
      expect(error?.code ?? 'worker-failed').toBe('worker-failed')
      expect([socket.state, states]).toEqual(['open', []])
      const again = socket.once('open')
      await rig.control('proxy.reset')
      await again
      await beats(socket, 2)
      expect(errors).toEqual(['worker-failed'])
    },
  )

  test('that allows it (worker-src blob:) is told nothing of', async () => {
    const socket = make(heartbeat, await underPolicy('worker-src blob:'))
    const errors = errorsOf(socket)
    await beats(socket, 3)
    expect(errors).toEqual([])
  })
})
