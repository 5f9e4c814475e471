// The demo's pages for Vue and React as a visitor sees and uses them, and what the server counts meanwhile.
import { expect } from 'vitest'
import type { State } from '../../src/types.ts'
import type { Visitor } from '../support/visitor.ts'
import { fault } from './demo-page.ts'
import type { Demo } from './demo-page.ts'

/** The server's own count of a page's connections. */
export interface Count {
  readonly open: number
  readonly opened: number
  readonly lastCode: number | null
}

/** One page with the component. */
export class AppPage {
  readonly visitor: Visitor
  readonly path: string
  /** What the server knows it by. */
  readonly name: string

  private constructor(visitor: Visitor, path: string, name: string) {
    this.visitor = visitor
    this.path = path
    this.name = name
  }

  /** Somebody who opens the page and waits until it is connected. */
  static async open(demo: Demo, path: string): Promise<AppPage> {
    const visitor = await demo.visit(path)
    await visitor.waitFor('.chat [data-state]')
    const page = new AppPage(visitor, path, await visitor.text('#client'))
    await page.reach('open')
    return page
  }

  /** Waits for a state of its socket. */
  reach(state: State): Promise<void> {
    return this.visitor.waitFor(`.chat [data-state="${state}"]`)
  }

  /** Takes the component away, or brings it back; resolves once that is to be seen. */
  async mount(isMounted: boolean): Promise<void> {
    await this.visitor.click(`#mounted[aria-pressed="${!isMounted}"]`)
    await this.visitor.waitFor(isMounted ? '.chat form' : '.chat.empty')
  }

  /**
   * Takes the component away while its socket is in that state. What is left is one timer at most, which bounds the closing
   * of the socket; waits until that is over, too.
   */
  async leavesNothing(state: State): Promise<void> {
    expect(await this.timers()).not.toEqual([])
    const left = await this.visitor.until(async (wanted) => {
      if (!document.querySelector(`.chat [data-state="${wanted}"]`)) return null
      document.querySelector<HTMLElement>('#mounted')?.click()
      while (!document.querySelector('.chat.empty')) await new Promise(requestAnimationFrame)
      return (globalThis as unknown as Watched).timers()
    }, state)
    expect(left?.slice(1)).toEqual([])
    await this.visitor.until(() => (globalThis as unknown as Watched).timers().length === 0)
  }

  /** Presses "Retry now" while it counts down; resolves to the state it is in before anything else can have happened. */
  retryNow(): Promise<string | undefined> {
    return this.visitor.until(async () => {
      if (!document.querySelector('.countdown')) return null
      document.querySelector<HTMLElement>('.retry')?.click()
      // Frameworks draw in microtasks; the network and timers have tasks.
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
      return document.querySelector<HTMLElement>('.chat [data-state]')?.dataset['state']
    }) as Promise<string | undefined>
  }

  async toggle(name: string, isOn: boolean): Promise<void> {
    await this.visitor.click(`${fault(name)}[aria-pressed="${!isOn}"]`)
    await this.visitor.waitFor(`${fault(name)}[aria-pressed="${isOn}"]`)
  }

  async say(text: string): Promise<void> {
    await this.visitor.fill('.chat input', text)
    await this.visitor.click('.chat form button')
  }

  /** Waits until it shows what somebody said, the server having passed it on. */
  hear(text: string): Promise<void> {
    return this.visitor.waitFor('.messages li:not(.unconfirmed) span', { exactText: text })
  }

  /** All that it shows as said. */
  heard(): Promise<string[]> {
    return this.visitor.texts('.messages li:not(.unconfirmed) span')
  }

  count(): Promise<Count> {
    return this.visitor.evaluate(
      async (name) => (await (await fetch(`/connections?client=${name}`)).json()) as Count,
      this.name,
    )
  }

  /** Waits until the server counts so many as open; resolves to all that it counts. */
  settled(open: number): Promise<Count> {
    return this.visitor.until(
      async (name, wanted) => {
        const count = (await (await fetch(`/connections?client=${name}`)).json()) as Count
        return count.open === wanted ? count : null
      },
      this.name,
      open,
    ) as Promise<Count>
  }

  /** From now on the page notes its timers. Those that were set before go on unseen. */
  async watchTimers(): Promise<void> {
    await this.visitor.evaluate(watchTimers)
  }

  /** Who has set those that have neither fired nor been cleared, as call stacks. */
  timers(): Promise<string[]> {
    return this.visitor.evaluate(() => (globalThis as unknown as Watched).timers())
  }
}

/** What a page has that watches its timers. */
interface Watched {
  timers(): string[]
}

/** Runs in the page. */
const watchTimers = (): void => {
  const outstanding = new Map<number, string>()
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis
  type Handler = (...args: unknown[]) => void
  const set =
    (native: (handler: Handler, delay?: number) => number, isOnce: boolean) =>
    (handler: Handler, delay?: number, ...args: unknown[]): number => {
      const stack = `${delay} ms: ${new Error().stack}`
      // WebKit's driver bounds each of its scripts by a timer of the page.
      if (stack.includes('evaluateJavaScriptFunction')) return native(handler, delay)
      const id = native(() => {
        if (isOnce) outstanding.delete(id)
        handler(...args)
      }, delay)
      outstanding.set(id, stack)
      return id
    }
  const clear =
    (native: (id?: number) => void) =>
    (id?: number): void => {
      outstanding.delete(id ?? 0)
      native(id)
    }
  Object.assign(globalThis, {
    setTimeout: set(setTimeout as never, true),
    clearTimeout: clear(clearTimeout),
    setInterval: set(setInterval as never, false),
    clearInterval: clear(clearInterval),
    timers: () => [...outstanding.values()],
  })
}
