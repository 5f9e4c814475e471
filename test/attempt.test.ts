// One attempt and its connection: what it has sent, what of that has left, and how it lets go.
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Attempt } from '../src/attempt.ts'
import { sizeOf } from '../src/outbox.ts'
import type { WireData } from '../src/types.ts'

const reportError = vi.fn<(error: unknown) => void>()
beforeEach(() => {
  reportError.mockClear()
  vi.stubGlobal('reportError', reportError)
})

/** A native socket whose buffer empties when it is told to. */
class FakeSocket {
  bufferedAmount = 0
  readonly sent: WireData[] = []
  readonly closed: unknown[][] = []
  onopen: unknown = () => {}
  onmessage: unknown = () => {}
  onerror: unknown = () => {}
  onclose: unknown = () => {}

  send(data: WireData): void {
    this.sent.push(data)
    this.bufferedAmount += sizeOf(data)
  }

  close(...given: unknown[]): void {
    this.closed.push(given)
  }

  leave(bytes = this.bufferedAmount): void {
    this.bufferedAmount -= bytes
  }
}

/** An attempt with a native socket, which has sent what is given. */
const create = (...messages: WireData[]): { attempt: Attempt<unknown>; native: FakeSocket } => {
  const attempt = new Attempt<unknown>(0)
  const native = new FakeSocket()
  attempt.native = native as unknown as WebSocket
  for (const message of messages) attempt.send(message, message, true)
  return { attempt, native }
}

const message = (data: string): MessageEvent => new MessageEvent('message', { data })

describe('sending', () => {
  test('what is sent goes to the native socket, and counts', () => {
    const { attempt, native } = create('a', 'bb')
    attempt.send('ccc', 'ccc', false)
    attempt.sendAside('ping')
    expect(native.sent).toEqual(['a', 'bb', 'ccc', 'ping'])
    expect(attempt.sent).toBe(3)
    expect(attempt.buffered).toBe(10)
  })

  test('[Q3] what is still in the native buffer in whole never left, oldest first', () => {
    const { attempt, native } = create('aaa', 'bbb', 'ccc')
    const check = (expected: string[]): void => expect(attempt.unsent().map((entry) => entry.message)).toEqual(expected)
    check(['aaa', 'bbb', 'ccc'])
    native.leave(1)
    check(['bbb', 'ccc'])
    native.leave(2)
    check(['bbb', 'ccc'])
    native.leave(4)
    check([])
    native.leave()
    check([])
  })

  test('[Q3] a heartbeat and what is not to be kept count by their bytes, and are never given back', () => {
    const { attempt, native } = create('aaa')
    attempt.sendAside('ping')
    attempt.send('bbb', 'bbb', false)
    attempt.send('ccc', 'ccc', true)
    expect(attempt.unsent().map((entry) => entry.message)).toEqual(['aaa', 'ccc'])
    native.leave(3)
    expect(attempt.unsent().map((entry) => entry.message)).toEqual(['ccc'])
  })

  test('[Q3] a message and what a codec made of it are both kept', () => {
    const { attempt } = create()
    const order = { kind: 'order' }
    attempt.send(order, '{"kind":"order"}', true)
    expect(attempt.unsent()).toMatchObject([{ message: order, wire: '{"kind":"order"}', size: 16 }])
    expect(attempt.unsent()[0]?.message).toBe(order)
  })

  test('[Q1] binary data is copied, since the caller may reuse it', () => {
    const bytes = new Uint8Array([1, 2])
    const { attempt, native } = create(bytes)
    bytes.fill(0)
    const kept = new Uint8Array([1, 2]).buffer
    expect(attempt.unsent()).toEqual([{ message: kept, wire: kept, size: 2, at: 0 }])
    expect(native.sent).toEqual([kept])
  })

  test('[Q3] the size is what the native buffer grew by: some classes count frame headers', () => {
    const { attempt, native } = create()
    vi.spyOn(native, 'send').mockImplementation((data) => {
      native.bufferedAmount += sizeOf(data) + 6
    })
    attempt.send('aaa', 'aaa', true)
    attempt.send('bbb', 'bbb', true)
    native.leave(9)
    expect(attempt.unsent()).toMatchObject([{ message: 'bbb', size: 9 }])
  })

  test('[Q3] a class without bufferedAmount proves nothing, so nothing is given back', () => {
    const { attempt, native } = create()
    Object.assign(native, { bufferedAmount: undefined, send() {} })
    attempt.send('aaa', 'aaa', true)
    expect([attempt.buffered, attempt.prune(), attempt.hasLeft()]).toEqual([0, false, false])
    expect(attempt.unsent()).toEqual([])
  })

  test('[Q3] without a native socket nothing is buffered', () => {
    const attempt = new Attempt(0)
    expect([attempt.buffered, attempt.unsent(), attempt.prune()]).toEqual([0, [], false])
  })
})

describe('forgetting what has left', () => {
  test('[Q4] prune says whether anything is still buffered', () => {
    const { attempt, native } = create('aaa', 'bbb')
    expect(attempt.prune()).toBe(true)
    native.leave(4)
    expect(attempt.prune()).toBe(true)
    native.leave()
    expect(attempt.prune()).toBe(false)
  })

  test('[Q4] held says how many bytes are kept here, since they may not have left', () => {
    const { attempt, native } = create('aaa', 'bbb')
    expect(attempt.held).toBe(6)
    native.leave(4)
    attempt.prune()
    expect(attempt.held).toBe(2)
    attempt.send('ccc', 'ccc', true)
    expect(attempt.held).toBe(5)
    native.leave()
    attempt.send('d', 'd', true)
    expect(attempt.held).toBe(1)
  })

  test('[Q3] prune forgets nothing that may yet be given back', () => {
    const { attempt, native } = create('aaa', 'bbb', 'ccc')
    native.leave(4)
    attempt.prune()
    expect(attempt.unsent().map((entry) => entry.message)).toEqual(['ccc'])
    attempt.send('ddd', 'ddd', true)
    expect(attempt.unsent().map((entry) => entry.message)).toEqual(['ccc', 'ddd'])
  })

  test('[Q3] a message sent into an empty buffer finds everything before it forgotten', () => {
    const { attempt, native } = create('aaa', 'bbb')
    native.leave()
    attempt.send('ccc', 'ccc', true)
    // More than was sent since: were the others still known, they would come back.
    native.bufferedAmount = 99
    expect(attempt.unsent().map((entry) => entry.message)).toEqual(['ccc'])
  })
})

describe('what a heartbeat proves', () => {
  /** Sends a heartbeat. */
  const ask = (attempt: Attempt<unknown>, at = 0): void => {
    attempt.sendAside('ping')
    attempt.asked(at)
  }

  test('[Q3] [H3] its answer confirms what was sent before it, and nothing after, and tells the latency', () => {
    const { attempt } = create('a', 'b')
    ask(attempt, 1_000)
    attempt.send('c', 'c', true)
    expect(attempt.confirmed).toBe(0)
    expect(attempt.answered(1_250)).toBe(250)
    expect([attempt.sent, attempt.confirmed]).toEqual([3, 2])
  })

  test('[Q3] an answer to nothing confirms nothing', () => {
    const { attempt } = create('a')
    expect(attempt.answered(1_000)).toBeNull()
    ask(attempt)
    attempt.answered(1_000)
    attempt.send('b', 'b', true)
    expect([attempt.answered(2_000), attempt.confirmed]).toEqual([null, 1])
  })

  test('[Q3] answers come in order: each confirms what was sent before the oldest open beat', () => {
    const { attempt } = create('a')
    ask(attempt, 1_000)
    attempt.send('b', 'b', true)
    ask(attempt, 2_000)
    expect([attempt.answered(3_500), attempt.confirmed]).toEqual([2_500, 1])
    expect([attempt.answered(3_500), attempt.confirmed]).toEqual([1_500, 2])
  })

  test('[H3] a beat that was never answered does not make every latency after it a wrong one', () => {
    const { attempt } = create('a')
    ask(attempt, 1_000)
    attempt.send('b', 'b', true)
    ask(attempt, 26_000)
    // What is confirmed stays on the safe side: the answer may be a late one to the first.
    expect([attempt.answered(26_040, 10_000), attempt.confirmed]).toEqual([40, 1])
    ask(attempt, 51_000)
    expect([attempt.answered(51_050, 10_000), attempt.confirmed]).toEqual([50, 2])
  })

  test('[H3] an answer later than any should be still has a latency', () => {
    const { attempt } = create('a')
    ask(attempt, 1_000)
    expect(attempt.answered(31_000, 10_000)).toBe(30_000)
  })

  test('[Q3] of a peer that answers none only so many beats are remembered', () => {
    const { attempt } = create()
    for (let beat = 0; beat < 100; beat++) {
      attempt.send('a', 'a', true)
      ask(attempt, beat)
    }
    const latencies = Array.from({ length: 100 }, () => attempt.answered(100)).filter((latency) => latency !== null)
    expect(latencies).toEqual(Array.from({ length: 64 }, (_, beat) => 100 - beat))
    expect(attempt.confirmed).toBe(64)
  })

  test('[H9] a beat behind data that is leaving is making progress', () => {
    const { attempt, native } = create('aaaaaaaaaa')
    ask(attempt)
    native.leave(3)
    expect(attempt.isProgressing()).toBe(true)
    native.leave(3)
    expect(attempt.isProgressing()).toBe(true)
  })

  test('[H9] a beat behind data that does not leave is not', () => {
    const { attempt, native } = create('aaaaaaaaaa')
    ask(attempt)
    expect(attempt.isProgressing()).toBe(false)
    native.leave(3)
    attempt.isProgressing()
    expect(attempt.isProgressing()).toBe(false)
  })

  test('[H9] [H4] what left before the beat is no progress', () => {
    const { attempt, native } = create('aaaaaaaaaa')
    native.leave(3)
    ask(attempt)
    expect(attempt.isProgressing()).toBe(false)
  })

  test('[H9] a beat that has left since the last look may still be answered, whatever leaves after it; not for ever', () => {
    const { attempt, native } = create('aaaaaaaaaa')
    ask(attempt)
    attempt.send('bbbb', 'bbbb', true)
    native.leave(14)
    expect(attempt.isProgressing()).toBe(true)
    native.leave(2)
    expect(attempt.isProgressing()).toBe(false)
  })

  test('[H9] a beat that waited behind another beat has no excuse', () => {
    const { attempt, native } = create()
    ask(attempt)
    ask(attempt)
    native.leave()
    expect(attempt.isProgressing()).toBe(false)
  })

  test('[H9] a beat that waited behind nothing has no excuse, whatever is sent after it', () => {
    const { attempt, native } = create()
    ask(attempt)
    attempt.send('bbbb', 'bbbb', true)
    native.leave(2)
    expect(attempt.isProgressing()).toBe(false)
  })

  test('[S6] its signal is aborted when it is over, also if nobody had asked for it before', () => {
    const { attempt } = create()
    const { signal } = attempt
    expect(signal.aborted).toBe(false)
    attempt.abort()
    expect(signal.aborted).toBe(true)
    const { attempt: other } = create()
    other.abort()
    expect(other.signal.aborted).toBe(true)
  })

  test('[Q5] hasLeft tells whether bytes have left since the last look', () => {
    const { attempt, native } = create('aaaaaaaaaa')
    expect(attempt.hasLeft()).toBe(false)
    native.leave(1)
    expect(attempt.hasLeft()).toBe(true)
    expect(attempt.hasLeft()).toBe(false)
    attempt.send('bbb', 'bbb', true)
    expect(attempt.hasLeft()).toBe(false)
    native.leave()
    expect(attempt.hasLeft()).toBe(true)
  })
})

describe('the handshake', () => {
  test('[P6] what arrived before it is asked for waits, in order', async () => {
    const { attempt } = create()
    const [first, second] = [message('1'), message('2')]
    attempt.keep(first)
    attempt.keep(second)
    expect(await attempt.receive()).toBe(first)
    expect(await attempt.receive()).toBe(second)
  })

  test('[P6] who asks first is served first', async () => {
    const { attempt } = create()
    const both = Promise.all([attempt.receive(), attempt.receive()])
    const [first, second] = [message('1'), message('2')]
    attempt.keep(first)
    attempt.keep(second)
    expect(await both).toEqual([first, second])
    expect(attempt.unread()).toEqual([])
  })

  test('[P6] what it leaves unread is handed over once', () => {
    const { attempt } = create()
    const [first, second] = [message('1'), message('2')]
    attempt.keep(first)
    attempt.keep(second)
    expect(attempt.unread()).toEqual([first, second])
    expect(attempt.unread()).toEqual([])
  })

  test('[S6] whoever still waits when the attempt is over is told', async () => {
    const { attempt } = create()
    const waiting = attempt.receive()
    attempt.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'HeartwireError', code: 'handshake-failed' })
  })

  test('[S6] whoever asked and does not look causes no unhandled rejection', async () => {
    const unhandled = vi.fn<() => void>()
    process.on('unhandledRejection', unhandled)
    const { attempt } = create()
    void attempt.receive()
    attempt.abort()
    // Node tells after the microtasks of the turn.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })
})

describe('the end', () => {
  test('[S3] neither shut nor orphan runs code of the application’s: abort does, when it is time', () => {
    const { attempt } = create()
    const aborted = vi.fn<() => void>()
    attempt.signal.addEventListener('abort', aborted)
    attempt.shut([])
    attempt.orphan()
    expect(aborted).not.toHaveBeenCalled()
    attempt.abort()
    expect(aborted).toHaveBeenCalledOnce()
  })

  test('[P1] the signal is aborted when the attempt is over, and is one and the same', () => {
    const { attempt } = create()
    const { signal } = attempt
    expect(attempt.signal).toBe(signal)
    expect(signal.aborted).toBe(false)
    attempt.abort()
    expect(signal.aborted).toBe(true)
    expect(() => attempt.abort()).not.toThrow()
  })

  test('[Q5] shut begins the closing handshake with what close was given', () => {
    const { attempt, native } = create('aaa')
    native.leave(1)
    expect(attempt.shut([3000, 'done'])).toBe(true)
    expect(native.closed).toEqual([[3000, 'done']])
    // What had left before is no news.
    expect(attempt.hasLeft()).toBe(false)
  })

  test('[Q5] shut says when there is nothing to close', () => {
    expect(new Attempt(0).shut([])).toBe(false)
  })

  test('[S2] an orphan is closed, and hears nothing any more but errors, for nobody', () => {
    const { attempt, native } = create()
    attempt.orphan()
    expect(attempt.native).toBeNull()
    expect(native.closed).toEqual([[]])
    expect(native).toMatchObject({ onopen: null, onmessage: null, onclose: null, onerror: expect.any(Function) })
    expect(() => (native.onerror as () => void)()).not.toThrow()
  })

  test('[S2] an orphan of nothing, and a second time, are harmless', () => {
    const { attempt, native } = create()
    attempt.orphan()
    attempt.orphan()
    expect(native.closed).toHaveLength(1)
    expect(() => new Attempt(0).orphan()).not.toThrow()
  })

  test('[S2] a native socket that throws when it is closed is reported and let go', () => {
    const mistake = new Error('not now')
    for (const end of ['orphan', 'shut'] as const) {
      const { attempt, native } = create()
      vi.spyOn(native, 'close').mockImplementation(() => {
        throw mistake
      })
      expect(() => attempt[end]([])).not.toThrow()
    }
    expect(reportError.mock.calls).toEqual([[mistake], [mistake]])
  })
})
