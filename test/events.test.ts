// The typed bus, and the close event.
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Bus, closeEvent } from '../src/events.ts'
import type { CloseInfo } from '../src/types.ts'

const reportError = vi.fn<(error: unknown) => void>()
beforeEach(() => {
  reportError.mockClear()
  vi.stubGlobal('reportError', reportError)
})

/** A bus, and what its listeners were told: `name: event`, in order. */
const createBus = (): { bus: Bus; told: string[]; tell: (name: string) => (...event: unknown[]) => void } => {
  const told: string[] = []
  return {
    bus: new Bus(),
    told,
    tell:
      (name) =>
      (...event) =>
        told.push(`${name}: ${event.join(' ')}`),
  }
}

describe('Bus', () => {
  test('[E2] tells the listeners of a type, in the order they came', () => {
    const { bus, told, tell } = createBus()
    bus.on('open', tell('first'))
    bus.on('open', tell('second'))
    bus.on('close', tell('other'))
    bus.emit('open', 1)
    expect(told).toEqual(['first: 1', 'second: 1'])
  })

  test("[E2] '*' hears everything, with its type, after those who asked for it", () => {
    const { bus, told, tell } = createBus()
    bus.on('*', tell('all'))
    bus.on('open', tell('one'))
    bus.emit('open', 1)
    bus.emit('closed', 2)
    expect(told).toEqual(['one: 1', 'all: open 1', 'all: closed 2'])
  })

  test('[E2] nobody hears an event that nobody listens to', () => {
    const { bus } = createBus()
    expect(() => bus.emit('open', 1)).not.toThrow()
  })

  test('[P5] on returns its own undo, which is harmless twice', () => {
    const { bus, told, tell } = createBus()
    const undo = bus.on('open', tell('first'))
    bus.on('open', tell('second'))
    undo()
    undo()
    bus.emit('open', 1)
    expect(told).toEqual(['second: 1'])
  })

  test('[P5] an undo that is called twice does not undo another registration of the same listener', () => {
    const { bus, told, tell } = createBus()
    const listener = tell('still there')
    const undo = bus.on('open', listener)
    bus.on('open', listener)
    undo()
    undo()
    bus.emit('open', 1)
    expect(told).toEqual(['still there: 1'])
  })

  test('[P5] off ends one listener, or without one all of the type', () => {
    const { bus, told, tell } = createBus()
    const first = tell('first')
    bus.on('open', first)
    bus.on('open', tell('second'))
    bus.on('closed', tell('third'))
    bus.off('open', first)
    bus.emit('open', 1)
    bus.off('open')
    bus.emit('open', 2)
    bus.emit('closed', 3)
    expect(told).toEqual(['second: 1', 'third: 3'])
  })

  test('[P5] off of what is not there is harmless', () => {
    const { bus, told, tell } = createBus()
    bus.off('open')
    bus.off('open', tell('never'))
    bus.on('open', tell('first'))
    bus.off('open', tell('never'))
    bus.emit('open', 1)
    expect(told).toEqual(['first: 1'])
  })

  test('[S4] a listener that throws is reported and stops nobody', () => {
    const { bus, told, tell } = createBus()
    const mistake = new Error('a mistake of the application')
    const fail = (): never => {
      throw mistake
    }
    bus.on('open', fail)
    bus.on('open', tell('next'))
    bus.on('*', fail)
    bus.on('*', tell('all'))
    expect(() => bus.emit('open', 1)).not.toThrow()
    expect(told).toEqual(['next: 1', 'all: open 1'])
    expect(reportError.mock.calls).toEqual([[mistake], [mistake]])
  })

  test('[S3] listeners that come or go meanwhile disturb nobody else', () => {
    const { bus, told, tell } = createBus()
    const undo = bus.on('open', () => {
      undo()
      bus.on('open', tell('new'))
      tell('first')()
    })
    bus.on('open', tell('second'))
    bus.emit('open', 1)
    expect(told).toEqual(['first: ', 'second: 1'])
    bus.emit('open', 2)
    expect(told.slice(2)).toEqual(['second: 2', 'new: 2'])
  })

  test.each(['open', '*'])('[P5] a listener of %s that is taken off meanwhile is not told any more', (type) => {
    const { bus, told, tell } = createBus()
    const later = tell('later')
    bus.on('open', () => bus.off(type, later))
    bus.on(type, later)
    bus.emit('open', 1)
    expect(told).toEqual([])
  })

  test.each(['open', '*'])('[P5] all listeners of %s that are taken off meanwhile are not told any more', (type) => {
    const { bus, told, tell } = createBus()
    bus.on('open', () => bus.off(type))
    bus.on(type, tell('later'))
    bus.emit('open', 1)
    expect(told).toEqual([])
  })

  test('has says whether anyone would hear it', () => {
    const { bus, tell } = createBus()
    expect(bus.has('message')).toBe(false)
    const undo = bus.on('message', tell('one'))
    expect([bus.has('message'), bus.has('open')]).toEqual([true, false])
    undo()
    expect(bus.has('message')).toBe(false)
    bus.on('*', tell('all'))
    expect(bus.has('message')).toBe(true)
  })
})

describe('closeEvent', () => {
  const close: CloseInfo = { code: 4401, reason: 'no', wasClean: true }

  /** What every platform's event must show. */
  const check = (willReconnect: boolean): Event => {
    const event = closeEvent(close, willReconnect)
    expect(event).toBeInstanceOf(Event)
    expect(event).toMatchObject({ ...close, type: 'close', willReconnect, bubbles: false, cancelable: false })
    return event
  }

  test('[E1] has the platform’s own class where there is one', () => {
    class CloseEvent extends Event {
      readonly code: number
      readonly reason: string
      readonly wasClean: boolean
      constructor(type: string, init: CloseInfo) {
        super(type)
        this.code = init.code
        this.reason = init.reason
        this.wasClean = init.wasClean
      }
    }
    vi.stubGlobal('CloseEvent', CloseEvent)
    expect(check(true)).toBeInstanceOf(CloseEvent)
    expect(check(false).constructor).toBe(CloseEvent)
  })

  test('[E1] is an Event with the same properties where there is none', () => {
    vi.stubGlobal('CloseEvent', undefined)
    expect(check(true).constructor).toBe(Event)
    expect(check(false).constructor).toBe(Event)
  })
})
