// A worker that runs its real source on the fake clock: the test says when it has loaded, and whether it ever does.
import { resolveObjectURL } from 'node:buffer'
import { createContext, runInContext, type Context } from 'node:vm'
import { vi } from 'vitest'

type Handler = ((event: any) => void) | null

/** The native class as far as timers need it. `FakeWorker.all` are those of the present test. */
export class FakeWorker {
  /** Every instance since `use`, oldest first. */
  static all: FakeWorker[] = []
  /** How many were asked for, those included that were refused. */
  static asked = 0
  /** What the next constructions throw; `null` lets them pass. */
  static refusal: unknown = null

  /** Makes it the global `Worker` of the present test. Call it once the fake clock runs. */
  static use(): void {
    FakeWorker.all = []
    FakeWorker.asked = 0
    FakeWorker.refusal = null
    punctual = { setTimeout, clearTimeout }
    vi.stubGlobal('Worker', FakeWorker)
  }

  /** The newest instance. */
  static get latest(): FakeWorker {
    const latest = FakeWorker.all.at(-1)
    if (!latest) throw new Error('Nobody has constructed a worker yet')
    return latest
  }

  onmessage: Handler = null
  onerror: Handler = null
  isTerminated = false
  /** What it was sent, in order. */
  readonly received: unknown[] = []
  /** What it says from now on is kept here, as if on its way, until `deliver`; `null` while it arrives at once. */
  held: unknown[] | null = null
  readonly #url: string
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  #scope: Context = {}
  #run: ((data: unknown) => void) | null = null

  constructor(url: string) {
    FakeWorker.asked++
    if (FakeWorker.refusal !== null) throw FakeWorker.refusal
    this.#url = url
    FakeWorker.all.push(this)
  }

  /** How many timers it has. */
  get timers(): number {
    return this.#timers.size
  }

  /** How many sleepers it remembers. */
  get remembered(): number {
    return runInContext('Object.keys(t).length', this.#scope) as number
  }

  // As a real one, it keeps what it is sent until it has loaded.
  postMessage(data: unknown): void {
    if (this.isTerminated) return
    const copy: unknown = structuredClone(data)
    this.received.push(copy)
    this.#run?.(copy)
  }

  terminate(): void {
    this.isTerminated = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  /** It has loaded: its source runs, on timers that are never late. */
  async load(): Promise<void> {
    const source = await resolveObjectURL(this.#url)?.text()
    if (source === undefined) throw new Error(`Cannot load ${this.#url}: it is no url of a blob`)
    const { setTimeout: start, clearTimeout: stop } = punctual
    this.#scope = createContext({
      postMessage: (data: unknown) => this.#say(data),
      setTimeout: (task: () => void, delay: number) => {
        const timer = start(() => {
          this.#timers.delete(timer)
          task()
        }, delay)
        this.#timers.add(timer)
        return timer
      },
      clearTimeout: (timer: ReturnType<typeof setTimeout>) => {
        this.#timers.delete(timer)
        stop(timer)
      },
    })
    runInContext(source, this.#scope)
    const { onmessage } = this.#scope as { onmessage: (event: { data: unknown }) => void }
    this.#run = (data) => onmessage({ data })
    if (!this.isTerminated) for (const data of this.received) this.#run(data)
  }

  /** It could not be loaded, or broke: a plain event, as for a policy. */
  fail(): void {
    this.onerror?.({ type: 'error' })
  }

  /** What it has said meanwhile arrives, as long as anybody listens. */
  deliver(): void {
    const said = this.held ?? []
    this.held = null
    for (const data of said) this.#say(data)
  }

  #say(data: unknown): void {
    if (this.isTerminated) return
    if (this.held) this.held.push(data)
    else this.onmessage?.({ type: 'message', data })
  }
}

/** What is longer than this is taken for nothing. */
const LONGEST = 2 ** 31 - 1

/** The fake clock's own timers. */
let punctual = { setTimeout, clearTimeout }

/** From now on the page is hidden as in Chromium: its timers come a minute late, those of its workers do not. */
export const hidePage = (): void => {
  const { setTimeout: start } = punctual
  vi.spyOn(globalThis, 'setTimeout').mockImplementation((task: () => void, delay = 0) =>
    start(task, Math.min(delay + 60_000, LONGEST)),
  )
}
