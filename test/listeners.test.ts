// The `message` listeners against the platform's own EventTarget, and the `on…` attributes.
import * as fc from 'fast-check'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { type Attributes, defineAttribute } from '../src/attributes.ts'
import { MessageListeners } from '../src/listeners.ts'

const reportError = vi.fn<(error: unknown) => void>()
beforeEach(() => {
  reportError.mockClear()
  vi.stubGlobal('reportError', reportError)
})

/** A native socket, from where its events are delivered. */
const createNative = (listeners: MessageListeners): EventTarget => {
  const native = new EventTarget()
  native.addEventListener('message', (event) => listeners.deliver(event, native))
  return native
}

/** Dispatches `event` on a native socket. */
const receive = (listeners: MessageListeners, event: Event): boolean => createNative(listeners).dispatchEvent(event)

/** The target whose listeners they are: all that it does itself is to dispatch events. */
const create = (): {
  owner: EventTarget
  listeners: MessageListeners
  told: string[]
  tell: (name: string) => () => void
  deliver: (event?: Event) => void
} => {
  const owner = new EventTarget()
  const listeners = new MessageListeners(owner)
  const native = createNative(listeners)
  const told: string[] = []
  return {
    owner,
    listeners,
    told,
    tell: (name) => () => told.push(name),
    deliver: (event = new MessageEvent('message', { data: 'x' })) => native.dispatchEvent(event),
  }
}

describe('MessageListeners', () => {
  test('[P2] are called in the order they came, those that capture first', () => {
    const { listeners, told, tell, deliver } = create()
    listeners.add(tell('first'))
    listeners.add(tell('capturing'), true)
    listeners.add(tell('second'), { capture: false })
    listeners.add(tell('capturing, too'), { capture: true })
    deliver()
    expect(told).toEqual(['capturing', 'capturing, too', 'first', 'second'])
  })

  test('[P2] one listener is one however often it is added, unless it also captures', () => {
    const { listeners, told, tell, deliver } = create()
    const listener = tell('once')
    for (const options of [undefined, false, {}, { capture: false }, { once: true }, { passive: true }]) {
      listeners.add(listener, options)
    }
    deliver()
    listeners.add(listener, true)
    listeners.add(listener, { capture: true })
    deliver()
    expect(told).toEqual(['once', 'once', 'once'])
  })

  test('[P2] is removed as it was added: with the same capture', () => {
    const { listeners, told, tell, deliver } = create()
    const listener = tell('still there')
    listeners.add(listener, true)
    listeners.remove(listener)
    listeners.remove(listener, { capture: false })
    listeners.remove(tell('never added'))
    listeners.remove(null)
    deliver()
    listeners.remove(listener, { capture: true })
    deliver()
    expect(told).toEqual(['still there'])
  })

  test('[P2] an object listens with handleEvent, looked up at each message', () => {
    const { listeners, told, deliver } = create()
    const object = {
      name: 'object',
      handleEvent(): void {
        told.push(this.name)
      },
    }
    listeners.add(object)
    deliver()
    object.handleEvent = () => void told.push('replaced')
    deliver()
    expect(told).toEqual(['object', 'replaced'])
  })

  test('[S4] an object without handleEvent is reported at each message', () => {
    const { listeners, deliver } = create()
    listeners.add({} as EventListenerObject)
    deliver()
    expect(reportError.mock.calls).toEqual([[expect.any(TypeError)]])
  })

  test('[P2] a function is called with the owner as this', () => {
    const { owner, listeners, deliver } = create()
    const seen: unknown[] = []
    listeners.add(function (this: unknown) {
      seen.push(this)
    })
    deliver()
    expect(seen).toEqual([owner])
  })

  test('[P2] null is no listener, and no error', () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { listeners, deliver } = create()
    listeners.add(null)
    expect(deliver).not.toThrow()
  })

  test.each([5, 'text', true])('[P2] %j is refused as the platform refuses it', (callback) => {
    const { listeners } = create()
    const platform = (): void => new EventTarget().addEventListener('message', callback as unknown as EventListener)
    expect(platform).toThrow(TypeError)
    expect(() => listeners.add(callback as unknown as EventListener)).toThrow(TypeError)
  })

  test('[P2] once is once, also when the listener causes the next message', () => {
    const { listeners, told, deliver } = create()
    const listener = (): void => {
      told.push('once')
      deliver()
    }
    listeners.add(listener, { once: true })
    deliver()
    expect(told).toEqual(['once'])
  })

  test('[P2] an aborted signal ends a listener, or keeps it from beginning', () => {
    const { listeners, told, tell, deliver } = create()
    const controller = new AbortController()
    listeners.add(tell('until aborted'), { signal: controller.signal })
    deliver()
    controller.abort()
    listeners.add(tell('too late'), { signal: controller.signal })
    deliver()
    expect(told).toEqual(['until aborted'])
  })

  test('[P2] a listener that is removed lets go of its signal', () => {
    const { listeners, deliver } = create()
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    const listener = (): void => {}
    listeners.add(listener, { signal })
    listeners.remove(listener)
    listeners.add(listener, { signal, once: true })
    deliver()
    // Node's own check of the options adds hooks with options of its own.
    const hooks = added.mock.calls.filter(({ length }) => length === 2)
    expect(hooks).toHaveLength(2)
    expect(removed.mock.calls).toEqual(hooks)
  })

  test.each([5, 'text', true])('[P2] %j cannot be removed, as on the platform', (callback) => {
    const { listeners } = create()
    const remove = (target: { remove: (given: EventListener) => void }): unknown => {
      try {
        return target.remove(callback as unknown as EventListener)
      } catch (error) {
        return (error as Error).constructor
      }
    }
    const platform = { remove: (given: EventListener) => new EventTarget().removeEventListener('message', given) }
    expect(remove(listeners)).toBe(remove(platform))
  })

  test('[P2] a listener that was removed meanwhile is not called any more', () => {
    const { listeners, told, tell, deliver } = create()
    const last = tell('last')
    listeners.add(() => listeners.remove(last))
    listeners.add(last)
    deliver()
    expect(told).toEqual([])
  })

  test('[P2] a listener that was added meanwhile waits for the next message, even if it was there before', () => {
    const { listeners, told, tell, deliver } = create()
    const last = tell('last')
    listeners.add(() => {
      listeners.remove(last)
      listeners.add(last)
    })
    listeners.add(last)
    deliver()
    expect(told).toEqual([])
  })

  test('[S4] a listener that throws is reported and stops nobody', () => {
    const { listeners, told, tell, deliver } = create()
    const mistake = new Error('a mistake of the application')
    listeners.add(() => {
      throw mistake
    })
    listeners.add(tell('next'))
    expect(deliver).not.toThrow()
    expect(told).toEqual(['next'])
    expect(reportError.mock.calls).toEqual([[mistake]])
  })

  test('[P2] stopImmediatePropagation stops the others, for this message', () => {
    const { listeners, told, tell, deliver } = create()
    const stop = (event: Event): void => event.stopImmediatePropagation()
    listeners.add(tell('first'))
    listeners.add(stop)
    listeners.add(tell('second'))
    deliver()
    listeners.remove(stop)
    deliver()
    expect(told).toEqual(['first', 'first', 'second'])
  })

  test('[P2] stopPropagation stops nobody: there is nowhere to propagate to', () => {
    const { listeners, told, tell, deliver } = create()
    listeners.add((event) => event.stopPropagation())
    listeners.add(tell('second'))
    deliver()
    expect(told).toEqual(['second'])
  })

  test('[P2] any sequence of adding, removing and receiving does what an EventTarget does', () => {
    const anyOptions = fc.constantFrom(undefined, false, { once: true }, { once: false }, { capture: false })
    const anyCommand = fc.oneof(
      fc.record({ kind: fc.constantFrom('add', 'remove'), who: fc.nat(3), options: anyOptions }),
      // A listener that does so while it is called. Not that it adds another: Node calls that one at once, browsers do not.
      fc.record({ kind: fc.constantFrom('remove', 'stop'), who: fc.nat(3), by: fc.nat(3), options: anyOptions }),
      fc.constant({ kind: 'receive' }),
    )
    interface Command {
      readonly kind: string
      readonly who?: number
      readonly by?: number
      readonly options?: boolean | AddEventListenerOptions | undefined
    }

    /** Runs the commands on one kind of target, and tells who was called. */
    const run = (
      commands: readonly Command[],
      { add, remove, dispatch }: Record<'add' | 'remove' | 'dispatch', (...given: any[]) => unknown>,
    ): string[] => {
      const told: string[] = []
      /** What each listener has yet to do when it is called. */
      const orders: ((event: Event) => void)[][] = [[], [], [], []]
      const callbacks = orders.map((own, who) => (event: Event) => {
        told.push(`${who}`)
        own.shift()?.(event)
      })
      for (const { kind, who = 0, by, options } of commands) {
        const act = (event?: Event): void => {
          if (kind === 'add') add('message', callbacks[who], options)
          else if (kind === 'remove') remove('message', callbacks[who], options)
          else event?.stopImmediatePropagation()
        }
        if (kind === 'receive') {
          told.push('|')
          dispatch(new MessageEvent('message'))
        } else if (by === undefined) act()
        else orders[by]?.push(act)
      }
      return told
    }

    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 40, size: 'max' }), (commands) => {
        const target = new EventTarget()
        const { listeners, deliver } = create()
        const ours = run(commands, {
          add: (_type, callback, options) => listeners.add(callback, options),
          remove: (_type, callback, options) => listeners.remove(callback, options),
          dispatch: deliver,
        })
        const platform = run(commands, {
          add: target.addEventListener.bind(target),
          remove: target.removeEventListener.bind(target),
          dispatch: target.dispatchEvent.bind(target),
        })
        expect(ours).toEqual(platform)
      }),
    )
  })
})

describe('the event they get', () => {
  test('[P2] is the native one, and says that it came from the owner', () => {
    const { owner, listeners } = create()
    const event = new MessageEvent('message', { data: 'x', origin: 'ws://x', lastEventId: '7' })
    const seen: Event[] = []
    listeners.add((given) => {
      seen.push(given)
      expect(given).toBeInstanceOf(MessageEvent)
      expect(given).toMatchObject({ type: 'message', data: 'x', origin: 'ws://x', lastEventId: '7', isTrusted: false })
      for (const key of ['target', 'srcElement', 'currentTarget'] as const) expect(given[key], key).toBe(owner)
      expect(given.composedPath()).toEqual([owner])
      expect(given.eventPhase).toBe(Event.AT_TARGET)
    })
    receive(listeners, event)
    expect(seen).toEqual([event])
  })

  test('[P2] after its dispatch it is nowhere, but still came from the owner', () => {
    const { owner, listeners } = create()
    const event = new MessageEvent('message')
    listeners.add(() => {})
    receive(listeners, event)
    expect(event.target).toBe(owner)
    expect(event.currentTarget).toBeNull()
    expect(event.composedPath()).toEqual([])
    expect(event.eventPhase).toBe(Event.NONE)
  })

  test('[P2] stopImmediatePropagation reaches the native event, too', () => {
    const { listeners, told, tell } = create()
    const native = createNative(listeners)
    native.addEventListener('message', tell('another listener of the native socket'))
    listeners.add((event) => event.stopImmediatePropagation())
    native.dispatchEvent(new MessageEvent('message'))
    expect(told).toEqual([])
  })

  test('[P2] is of the class that the application dispatches, with what that class has', () => {
    const { owner, listeners, told, tell } = create()
    owner.addEventListener('message', (event) => listeners.pass(event))
    const seen: Event[] = []
    listeners.add((event) => {
      seen.push(event)
      expect(event.target).toBe(owner)
      expect(Object.getPrototypeOf(event)).toBe(event.constructor.prototype)
      event.stopImmediatePropagation()
    })
    listeners.add(tell('never'))
    const custom = new CustomEvent('message', { detail: 5 })
    const plain = new Event('message')
    owner.dispatchEvent(custom)
    owner.dispatchEvent(plain)
    expect(seen).toEqual([custom, plain])
    expect(Object.keys(Object.getOwnPropertyDescriptors(custom))).not.toContain('stopImmediatePropagation')
    expect(custom).toBeInstanceOf(CustomEvent)
    expect(custom.detail).toBe(5)
    expect(plain).not.toBeInstanceOf(MessageEvent)
    expect(told).toEqual([])
  })

  test('[P2] may be dispatched again, and starts anew then even if it was stopped', () => {
    const { listeners, told, tell, deliver } = create()
    const event = new MessageEvent('message', { data: 'x' })
    listeners.add((given) => given.stopImmediatePropagation(), { once: true })
    listeners.add(tell('second'))
    listeners.add(tell('third'))
    deliver(event)
    expect(told).toEqual([])
    // Node forgets only with the next event that an event was stopped; browsers do at once.
    receive(listeners, new MessageEvent('message'))
    expect(told).toEqual(['second', 'third'])
  })

  test('[P2] stays stopped if the listener that stopped it causes another message, which is stopped, too', () => {
    const { listeners, told, tell, deliver } = create()
    let depth = 0
    listeners.add((event) => {
      event.stopImmediatePropagation()
      if (depth++ === 0) deliver()
    })
    listeners.add(tell('never'))
    deliver()
    expect([depth, told]).toEqual([2, []])
  })

  test('[P2] is left alone where the first of a connection is not the platform’s, or is not dispatched', () => {
    const { listeners, told, tell } = create()
    listeners.add(tell('never'))
    const Message = MessageEvent as new (type: string, init?: MessageEventInit) => MessageEvent
    class Other extends Message {}
    const source = new EventTarget()
    for (const event of [new MessageEvent('message'), new Other('message')]) {
      expect(listeners.deliver(event, new EventTarget())).toBe(false)
      expect(event.target).toBeNull()
    }
    source.addEventListener('message', (event) => expect(listeners.deliver(event, source)).toBe(false))
    const other = new Other('message')
    source.dispatchEvent(other)
    expect([other.target, told]).toEqual([source, []])
  })

  test('[P2] says where it is when it is passed on to another target', () => {
    const { owner, listeners } = create()
    const event = new MessageEvent('message')
    listeners.add(() => {})
    receive(listeners, event)
    expect(event.target).toBe(owner)
    const other = new EventTarget()
    const seen: unknown[] = []
    other.addEventListener('message', (given) => seen.push(given.currentTarget, given.composedPath()))
    other.dispatchEvent(event)
    expect(seen).toEqual([other, [other]])
    expect(event.target).toBe(other)
  })

  test('[P2] events of other sockets are left alone', () => {
    const { listeners } = create()
    listeners.add(() => {})
    receive(listeners, new MessageEvent('message'))
    const other = new EventTarget()
    const event = new MessageEvent('message')
    other.dispatchEvent(event)
    expect(event.target).toBe(other)
  })
})

describe('on… attributes', () => {
  class Target extends EventTarget {
    declare onopen: unknown
    declare onclose: unknown
    static {
      for (const type of ['open', 'close']) {
        defineAttribute(this.prototype, type, (target) => ((target as Target).#attributes ??= {}))
      }
    }
    #attributes: Attributes | undefined
  }

  /** A target, and who was called by `open`. */
  const createTarget = (): { target: Target; told: string[]; tell: (name: string) => () => void; open: () => void } => {
    const target = new Target()
    const told: string[] = []
    return {
      target,
      told,
      tell: (name) => () => told.push(name),
      open: () => target.dispatchEvent(new Event('open')),
    }
  }

  test('[P2] are accessors of the prototype, enumerable and configurable', () => {
    for (const name of ['onopen', 'onclose']) {
      const expected = { enumerable: true, configurable: true, get: expect.any(Function), set: expect.any(Function) }
      expect(Object.getOwnPropertyDescriptor(Target.prototype, name)).toEqual(expected)
    }
    expect(Object.keys(new Target())).toEqual([])
  })

  test('[P2] are of instances only, as natively: the prototype has none', () => {
    expect(() => Target.prototype.onopen).toThrow(TypeError)
    expect(() => (Target.prototype.onopen = null)).toThrow(TypeError)
  })

  test('[P2] do not ask what a subclass makes of addEventListener', () => {
    class Sub extends Target {
      override addEventListener(): void {
        throw new Error('never')
      }
    }
    const target = new Sub()
    expect(() => (target.onopen = () => {})).not.toThrow()
  })

  test('[P2] are null at first, and one per type and target', () => {
    const { target, tell } = createTarget()
    expect([target.onopen, target.onclose]).toEqual([null, null])
    const listener = tell('open')
    target.onopen = listener
    expect(target.onopen).toBe(listener)
    expect([target.onclose, new Target().onopen]).toEqual([null, null])
  })

  test('[P2] are called with the target as this, and the event', () => {
    const { target, open } = createTarget()
    const seen: unknown[] = []
    target.onopen = function (this: unknown, event: Event) {
      seen.push(this, event.type)
    }
    open()
    expect(seen).toEqual([target, 'open'])
  })

  test('[P2] keep the place in the order in which they were first set', () => {
    const { target, told, tell, open } = createTarget()
    target.onopen = tell('attribute')
    target.addEventListener('open', tell('listener'))
    target.onopen = tell('replaced')
    open()
    expect(told).toEqual(['replaced', 'listener'])
  })

  test('[P2] lose their place when they are set to null', () => {
    const { target, told, tell, open } = createTarget()
    target.onopen = tell('never')
    target.addEventListener('open', tell('listener'))
    target.onopen = null
    open()
    expect(told.splice(0)).toEqual(['listener'])
    target.onopen = tell('attribute')
    open()
    expect(told).toEqual(['listener', 'attribute'])
  })

  test.each([null, undefined, 5, 'text', true, Symbol('no')])('[P2] set to %o they are null', (value) => {
    const { target, told, tell, open } = createTarget()
    target.onopen = value
    expect(target.onopen).toBeNull()
    target.onopen = tell('never')
    target.onopen = value
    expect(target.onopen).toBeNull()
    open()
    expect(told).toEqual([])
  })

  test('[P2] keep an object that cannot be called, and do not call it', () => {
    const { target, told, tell, open } = createTarget()
    const object = { handleEvent: tell('never') }
    target.onopen = object
    expect(target.onopen).toBe(object)
    open()
    expect(told).toEqual([])
  })

  test('[P2] cancel an event that can be cancelled by returning false, and by nothing else', () => {
    const { target } = createTarget()
    for (const [returned, isCancelled] of [
      [false, true],
      [true, false],
      [undefined, false],
      [null, false],
    ]) {
      target.onopen = () => returned
      expect(target.dispatchEvent(new Event('open', { cancelable: true }))).toBe(!isCancelled)
    }
  })

  test('[P2] may be replaced or removed by a listener before them', () => {
    const { target, told, tell, open } = createTarget()
    target.addEventListener('open', () => (target.onopen = tell('replaced')), { once: true })
    target.onopen = tell('never')
    open()
    expect(told.splice(0)).toEqual(['replaced'])
    target.onopen = null
    target.addEventListener('open', () => (target.onopen = null))
    target.onopen = tell('never')
    open()
    expect(told).toEqual([])
  })
})
