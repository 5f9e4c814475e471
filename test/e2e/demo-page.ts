// The demo's page as a visitor sees and uses it: its buttons, its log, its headline.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { startDemo } from '../../demo/server.mjs'
import type { Engine } from '../../scripts/browser.mjs'
import type { State } from '../../src/types.ts'
import { startBrowser } from '../support/visitor.ts'
import type { ColorScheme, Size, VisitedBrowser, Visitor } from '../support/visitor.ts'

/** One line of the page's event log, with the times that the page noted. */
export interface Line {
  readonly type: string
  readonly text: string
  readonly first: number
  readonly last: number
  readonly count: number
}

/** The server's own word of what arrived, not the page's. */
export interface Receipts {
  readonly arrived: number
  readonly lost: number
  readonly duplicates: number
  readonly outOfOrder: number
  readonly order: number[]
}

/** The button that breaks something. */
export const fault = (name: string): string => `button[data-fault="${name}"]`

/** From 1 to `count`. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

/** A demo for each test, and a browser for all of them. */
export interface Demo {
  /** Somebody who opens a page of the demo, in a tab of their own. */
  visit(path?: string, size?: Size): Promise<Visitor>
  /** Somebody who opens the demo and waits until it is connected. */
  open(size?: Size): Promise<DemoPage>
  /** The address of something the server serves. */
  readonly address: (path: string) => string
  /** Breaks something for a client, as a button would that its page does not have. */
  control(client: string, name: string, given: object): Promise<void>
  /** What a page is expected to complain of in this test. */
  expectProblem(text: string): void
}

/** Registers what each test of a suite needs. A page that complains fails its test. */
export function useDemo(engine: Engine, colorScheme?: ColorScheme): Demo {
  let browser: VisitedBrowser
  let server: Awaited<ReturnType<typeof startDemo>>
  let visitors: Visitor[] = []
  let expected: string[] = []

  beforeAll(async () => {
    browser = await startBrowser(engine, colorScheme)
  })

  afterAll(async () => {
    await browser?.close()
  })

  beforeEach(async () => {
    // A server that a failed test has left broken would fail the next test, too.
    server = await startDemo({ port: 0 })
    visitors = []
    expected = []
  })

  afterEach(async () => {
    // Asked before: what a page says while it is being taken down, about a request cut off for example, is no problem.
    const problems = await Promise.all(visitors.map((visitor) => visitor.problems()))
    for (const visitor of visitors) await visitor.close()
    await server?.close()
    expect(problems.flat().filter((problem) => !expected.some((text) => problem.includes(text)))).toEqual([])
  })

  const address = (path: string): string => new URL(path, server.url).href

  const visit = async (path = '/', size?: Size): Promise<Visitor> => {
    const visitor = await browser.newVisitor(size)
    visitors.push(visitor)
    await visitor.goto(address(path))
    return visitor
  }

  return {
    visit,
    async open(size) {
      const page = new DemoPage(await visit('/', size), address)
      await page.reach('open')
      return page
    },
    address,
    async control(client, name, given) {
      const request = { method: 'POST', body: JSON.stringify(given) }
      const response = await fetch(address(`/control/${name}?client=${client}`), request)
      expect(response.status).toBe(200)
    },
    expectProblem(text) {
      expected.push(text)
    },
  }
}

/** One page of the demo. */
export class DemoPage {
  readonly visitor: Visitor
  readonly #address: (path: string) => string

  constructor(visitor: Visitor, address: (path: string) => string) {
    this.visitor = visitor
    this.#address = address
  }

  /** Waits for a state of its socket. */
  reach(state: State): Promise<void> {
    return this.visitor.waitFor(`#status[data-state="${state}"]`)
  }

  async state(): Promise<string | null> {
    return this.visitor.attribute('#status', 'data-state')
  }

  /** Presses a fault's button. */
  cause(name: string): Promise<void> {
    return this.visitor.click(fault(name))
  }

  /** Presses a fault's toggle; it is waited for, since it shows what the server has confirmed. */
  async toggle(name: string, isOn: boolean): Promise<void> {
    await this.cause(name)
    await this.visitor.waitFor(`${fault(name)}[aria-pressed="${isOn}"]`)
  }

  /** Has the server close with a code and a reason. */
  async closeWith(code: number, reason: string): Promise<void> {
    await this.visitor.fill('#close-code', String(code))
    await this.visitor.fill('#close-reason', reason)
    await this.cause('close')
  }

  async send(count: number): Promise<void> {
    for (let sent = 0; sent < count; sent += 1) await this.visitor.click('#send button[type=submit]')
  }

  /** The event log, newest first. */
  log(): Promise<Line[]> {
    return this.visitor.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('#entries li')].map(({ dataset, children }) => ({
        type: dataset['type'] ?? '',
        text: children[2]?.textContent ?? '',
        first: Number(dataset['first']),
        last: Number(dataset['last']),
        count: Number(dataset['count']),
      })),
    )
  }

  async loggedTypes(): Promise<string[]> {
    return (await this.log()).map(({ type }) => type)
  }

  /** Waits for a line of the log. */
  logged(type: string, text: string): Promise<void> {
    return this.visitor.waitFor(`#entries li[data-type="${type}"]`, { text })
  }

  /** What it calls itself. */
  client(): Promise<string> {
    return this.visitor.evaluate(
      () => (globalThis as unknown as { heartwireDemo: { client: string } }).heartwireDemo.client,
    )
  }

  async receipts(): Promise<Receipts> {
    const address = this.#address(`/receipts?client=${await this.client()}`)
    return (await (await fetch(address)).json()) as Receipts
  }

  /** Waits until everything sent has arrived, once and in order, as the server counted it. */
  async expectNothingLost(count: number): Promise<void> {
    await this.visitor.waitFor('#score-arrived', { exactText: count })
    expect(await this.receipts()).toMatchObject({
      ...{ order: upTo(count), arrived: count, lost: 0, duplicates: 0, outOfOrder: 0 },
    })
    expect(await this.visitor.texts('#score .must-be-zero dd')).toEqual(['0', '0', '0'])
  }
}
