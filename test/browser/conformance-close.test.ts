// `close`, and every other way in which a connection ends, beside the native ones ([P2]).
import { describe, expect, test } from 'vitest'
import { call, compare, contrast, engine, event, outcomeOf, record, task } from './subjects.ts'

const close = (socket: WebSocket, args: unknown[]): unknown => outcomeOf(() => call(socket, 'close', args))

describe('close()', () => {
  const told = (name: string, value: unknown): object => ({
    valueOf: () => value,
    toString: () => `${name}: ${String(value)}`,
  })

  const cases: [title: string, ...args: unknown[]][] = [
    ['nothing'],
    ['undefined', undefined],
    ['undefined twice', undefined, undefined],
    ['null', null],
    ['NaN', NaN],
    ['text that is a number', '1000'],
    ['text that is none', 'code'],
    ['text in hexadecimal', '0xbb8'],
    ['an empty string', ''],
    ['true', true],
    ['0', 0],
    ['-1', -1],
    ['999', 999],
    ['1000', 1000],
    ['1000.5, which rounds to the even', 1000.5],
    ['1001', 1001],
    ['1005', 1005],
    ['1006', 1006],
    ['2999', 2999],
    ['3000', 3000],
    ['4999', 4999],
    ['5000', 5000],
    ['65535', 65_535],
    ['70000', 70_000],
    ['1e9', 1e9],
    ['66536, which is 1000 without the clamp', 66_536],
    ['Infinity', Infinity],
    ['a bigint', 1000n],
    ['a symbol', Symbol('code')],
    ['an object that is a number', told('code', 4000)],
    ['an array', [4001]],
    ['a reason', 1000, 'because'],
    ['an empty reason', 4000, ''],
    ['null as reason', 4000, null],
    ['an object as reason', 4000, told('reason', 1)],
    ['a number as reason', 4000, 5],
    ['a symbol as reason', 4000, Symbol('reason')],
    ['a bad code, and a symbol as reason', 999, Symbol('reason')],
    ['a bad code, and a reason that is too long', 999, 'x'.repeat(124)],
    ['a reason of 123 bytes', 4000, 'x'.repeat(123)],
    ['a reason of 124 bytes', 4000, 'x'.repeat(124)],
    ['a reason of 123 bytes in fewer characters', 4000, '€'.repeat(41)],
    ['a reason of 124 bytes in fewer characters', 4000, `${'€'.repeat(41)}x`],
    ['a reason of 126 bytes in 124 characters', 4000, `${'x'.repeat(122)}ü`],
    ['a reason of unpaired surrogates, 123 bytes', 4000, '\uD800'.repeat(41)],
    ['a reason of unpaired surrogates, 126 bytes', 4000, '\uD800'.repeat(42)],
    ['a reason of pairs, 124 bytes', 4000, '𝄞'.repeat(31)],
    ['one argument too many', 4000, 'reason', 'more'],
  ]

  test.for(cases)('[P2] while open, given %s, does what the native one does', async ([, ...args]) => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      record(socket, log)
      const outcome = close(socket, args)
      log.push(outcome, socket.readyState)
      // Nothing is changed by a call that throws: the connection still works.
      if (outcome === undefined) await event(socket, 'close')
      else socket.send('still here')
      await (outcome === undefined ? control('server.waitForClosed', 1) : control('server.waitForMessages', 1))
      const [connection] = await control('server.connections')
      log.push(connection?.closed)
    })
  })

  test.for(cases)('[P2] while connecting, given %s, does what the native one does', async ([, ...args]) => {
    await compare(async ({ make, url, log }) => {
      const socket = make(url)
      record(socket, log)
      const outcome = close(socket, args)
      log.push(outcome, socket.readyState)
      await event(socket, outcome === undefined ? 'close' : 'open')
    })
  })

  test.for(cases)('[P2] after the close, given %s, checks and does nothing else', async ([, ...args]) => {
    await compare(async ({ open, log }) => {
      const socket = await open()
      socket.close()
      record(socket, log)
      log.push(close(socket, args), socket.readyState)
      await event(socket, 'close')
      log.push(close(socket, args), socket.readyState)
      await task()
    })
  })

  test('[P2] converts both arguments, then checks the code, then the reason', async () => {
    await compare(async ({ open, log }) => {
      const socket = await open()
      const value = (name: string, result: unknown): object => ({
        valueOf() {
          log.push(`${name} as a number`)
          return result
        },
        toString() {
          log.push(`${name} as text`)
          return String(result)
        },
      })
      log.push(close(socket, [value('code', 999), value('reason', 'x'.repeat(124))]))
      log.push(close(socket, [value('code', 4000), value('reason', 'x'.repeat(124))]))
      log.push(close(socket, [value('code', 4000), value('reason', 'fine')]))
    })
  })

  test('[P2] tells nobody before it has returned, and tells the end exactly once', async () => {
    const outcome = await compare(async ({ open, control, log }) => {
      const socket = await open()
      record(socket, log)
      socket.close(4000, 'first')
      socket.close(4001, 'second')
      log.push(['called', socket.readyState])
      await event(socket, 'close')
      socket.close(4002, 'third')
      await control('server.waitForClosed', 1)
      await task()
      log.push(socket.readyState)
    })
    expect(outcome).toEqual([['called', 2], ['close', 3, [4000, 'first', true]], 3])
  })

  test('[P2] while connecting ends in error and close, later', async () => {
    const outcome = await compare(async ({ make, url, log }) => {
      const socket = make(url)
      record(socket, log)
      socket.close()
      log.push(['called', socket.readyState])
      await Promise.resolve()
      log.push(['microtask', socket.readyState])
      await event(socket, 'close')
      await task()
    })
    expect(outcome).toEqual([
      ['called', 2],
      ['microtask', 2],
      ['error', 3, null],
      ['close', 3, [1006, '', false]],
    ])
  })

  test('[P2] while the server does not answer ends at once all the same', async () => {
    await compare(async ({ make, url, control, log }) => {
      await control('server.holdUpgrades', true)
      const socket = make(url)
      await control('server.waitForAttempts', 1)
      record(socket, log)
      socket.close(4000, 'never mind')
      await event(socket, 'close')
    })
  })

  test.for(['open', 'message', 'error', 'close'] as const)('[P2] may be called in on%s', async (type) => {
    await compare(async ({ make, url, control, log }) => {
      if (type === 'error') await control('server.refuseUpgrades', 401)
      const socket = make(url)
      record(socket, log)
      const closed = event(socket, 'close')
      socket[`on${type}`] = () => {
        log.push(close(socket, [4000, type]), socket.readyState)
      }
      if (type !== 'error') {
        await event(socket, 'open')
        await control('server.send', 'one')
        await control('server.send', 'two')
        if (type === 'close') await control('server.closeClients', 4001, 'bye')
      }
      await closed
      await task()
    })
  })

  test('[P2] keeps from listeners what arrives afterwards', async () => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      await control('proxy.stall')
      await control('server.send', 'too late')
      record(socket, log)
      socket.close()
      const closed = event(socket, 'close')
      await control('proxy.resume')
      await closed
    })
  })

  test('[P2] lets what was sent before leave first', async () => {
    const outcome = await compare(async ({ open, control, log }) => {
      const socket = await open()
      record(socket, log)
      for (let count = 0; count < 100; count += 1) socket.send(`${count} ${'x'.repeat(10_000)}`)
      socket.close(4000)
      await event(socket, 'close')
      await control('server.waitForClosed', 1)
      log.push(await control('server.received').then((received) => received.length))
    })
    expect(outcome).toEqual([['close', 3, [4000, '', true]], 100])
  })

  test('[P2] may be followed by a send, which goes nowhere', async () => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      socket.close()
      socket.send('nowhere')
      await event(socket, 'close')
      socket.send('nowhere')
      await control('server.waitForClosed', 1)
      log.push(await control('server.received'))
    })
  })
})

describe('the known difference of close()', () => {
  // [Clamp] of Web IDL rounds, half to even. Chromium and WebKit cut off; Firefox and ours follow the standard.
  test('[P2] a code with a fraction is rounded', async () => {
    const outcome = await contrast(async ({ open, log }) => {
      for (const code of [999.4, 999.5, 1000.4, 1000.5, 1000.6, 2999.5, 4999.4, 4999.5]) {
        log.push([code, close(await open(), [code]) === undefined])
      }
    })
    const shared = [
      [999.4, false],
      [1000.4, true],
      [1000.5, true],
      [4999.4, true],
    ]
    const { native, ours } = outcome as Record<'native' | 'ours', [number, boolean][]>
    const cutOff = [...shared, [999.5, false], [1000.6, true], [2999.5, false], [4999.5, true]]
    const rounded = [...shared, [999.5, true], [1000.6, false], [2999.5, true], [4999.5, false]]
    expect(native).toEqual(expect.arrayContaining(engine === 'firefox' ? rounded : cutOff))
    expect(ours).toEqual(expect.arrayContaining(rounded))
  })
})

describe('the end', () => {
  test.for<[code?: number, reason?: string]>([
    [],
    [1000],
    [1000, 'done'],
    [1001, 'going away'],
    [1002],
    [1008, 'policy'],
    [1011, 'grün €'],
    [1012],
    [3000, 'x'.repeat(123)],
    [4401, 'logged out'],
  ])('[P2] by the server with %s is reported as it was given', async ([code, reason]) => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      record(socket, log)
      const closed = event(socket, 'close')
      await control('server.closeClients', code, reason)
      await closed
      log.push(socket.readyState, socket.bufferedAmount)
      await control('server.waitForClosed', 1)
      const [connection] = await control('server.connections')
      log.push(connection?.closed)
    })
  })

  test('[P2] by the server comes after the messages sent before it', async () => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      record(socket, log)
      const closed = event(socket, 'close')
      await control('proxy.stall')
      await control('server.send', 'one')
      await control('server.send', Uint8Array.of(2)) // Read as a Blob, which takes a while.
      await control('server.send', 'three')
      await control('server.closeClients', 4000)
      await control('proxy.resume')
      await closed
      for (const [index, entry] of (log as unknown[][]).entries()) {
        if (entry[2] instanceof Blob) log[index] = await entry[2].text()
      }
    })
  })

  test('[P2] by the server while our own close() is under way', async () => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      record(socket, log)
      await control('proxy.stall')
      await control('server.closeClients', 4001, 'theirs')
      const closed = event(socket, 'close')
      socket.close(4002, 'ours')
      log.push(socket.readyState)
      await control('proxy.resume')
      await closed
    })
  })

  test.for(['proxy.cut', 'proxy.reset', 'server.terminate'] as const)('[P2] of the link by %s', async (fault) => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      record(socket, log)
      const closed = event(socket, 'close')
      await control(fault)
      await closed
      await task()
      log.push(socket.readyState, socket.bufferedAmount)
    })
  })

  test.for(['proxy.cut', 'proxy.reset'] as const)('[P2] of the link by %s during our close()', async (fault) => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      record(socket, log)
      await control('proxy.blackhole')
      const closed = event(socket, 'close')
      socket.close(4000, 'ours')
      await control(fault)
      await closed
      log.push(socket.readyState)
    })
  })

  test('[P2] of an attempt that nobody takes', async () => {
    const outcome = await compare(async ({ make, url, control, log }) => {
      await control('proxy.refuse')
      const socket = make(url)
      record(socket, log)
      await event(socket, 'close')
      await task()
    })
    expect(outcome).toEqual([
      ['error', 3, null],
      ['close', 3, [1006, '', false]],
    ])
  })

  test.for([200, 301, 401, 404, 500, 503])('[P2] of an attempt that is answered with %d', async (status) => {
    await compare(async ({ make, url, control, log }) => {
      await control('server.refuseUpgrades', status)
      const socket = make(url)
      record(socket, log)
      await event(socket, 'close')
      await task()
    })
  })

  test.for(['proxy.cut', 'proxy.reset'] as const)('[P2] of an attempt that is ended by %s', async (fault) => {
    await compare(async ({ make, url, control, log }) => {
      await control('server.holdUpgrades', true)
      const socket = make(url)
      record(socket, log)
      await control('server.waitForAttempts', 1)
      const closed = event(socket, 'close')
      await control(fault)
      await closed
    })
  })

  test('[P2] leaves nothing that could be heard later', async () => {
    await compare(async ({ open, control, log }) => {
      const socket = await open()
      const closed = event(socket, 'close')
      await control('proxy.reset')
      await closed
      record(socket, log)
      socket.send('nowhere')
      socket.close()
      await control('server.waitForClosed', 1)
      await task()
      log.push(socket.readyState)
    })
  })
})
