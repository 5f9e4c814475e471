// One tab: what is done to it, and what its page tells.
import type { HeartwireOptions } from '../../src/index.ts'
import type { Cdp } from './cdp.ts'
import type { Entry, Life, Subject } from './in-page.ts'

/** What an entry must be: the parts that are named must be equal. */
export type Wanted = Partial<Pick<Entry, 'subject' | 'type' | 'page'>> & { detail?: Record<string, unknown> | string }

/** A tab. */
export interface Tab {
  /** Everything its pages have told, in order. */
  readonly entries: readonly Entry[]
  /** Those that fit. */
  all(wanted: Wanted): Entry[]
  /** Resolves to the first that fits and comes after `since` (entries, so far): by default, ever. */
  first(wanted: Wanted, limit?: number, since?: number): Promise<Entry>
  /** Opens a socket and waits until it is open. */
  connect(subject: Subject, url: string, options?: HeartwireOptions): Promise<void>
  /** Calls a function in the page, which knows nothing but the page; arguments and result are plain data. */
  call<Result, Args extends unknown[]>(run: (life: Life, ...args: Args) => Result, ...args: Args): Promise<Result>
  /** Puts it in front; the one that was there is hidden. */
  show(): Promise<void>
  setLifecycle(state: 'frozen' | 'active'): Promise<void>
  send(method: string, params?: Record<string, unknown>): Promise<any>
  on(method: string, listener: (params: any) => void): void
  /** Goes to another page; resolves when it has loaded. */
  navigate(url: string): Promise<void>
  close(): Promise<void>
}

/** ms within which things happen that nothing of ours delays, on a machine that is very busy. */
export const SOON = 20_000

const fits = (entry: Entry, { detail, ...wanted }: Wanted): boolean =>
  Object.entries(wanted).every(([key, value]) => entry[key as 'type'] === value) &&
  (typeof detail === 'string'
    ? entry.detail === detail
    : Object.entries(detail ?? {}).every(([key, value]) => entry.detail?.[key] === value))

/** Opens a tab in front of the others and waits until its page has loaded. */
export async function openTab(cdp: Cdp, url: string): Promise<Tab> {
  const { targetId } = (await cdp.send('Target.createTarget', { url: 'about:blank' })) as { targetId: string }
  const { sessionId } = (await cdp.send('Target.attachToTarget', { targetId, flatten: true })) as { sessionId: string }
  const entries: Entry[] = []
  const waiting = new Set<() => void>()

  const send: Tab['send'] = (method, params) => cdp.send(method, params, sessionId)
  const on: Tab['on'] = (method, listener) => {
    cdp.on(method, (params, session) => {
      if (session === sessionId) listener(params)
    })
  }
  on('Runtime.bindingCalled', ({ payload }) => {
    entries.push(JSON.parse(payload as string) as Entry)
    for (const look of [...waiting]) look()
  })

  const tab: Tab = {
    entries,
    send,
    on,
    all: (wanted) => entries.filter((entry) => fits(entry, wanted)),
    first: (wanted, limit = SOON, since = 0) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const entry = entries.slice(since).find((each) => fits(each, wanted))
          if (!entry) return
          end()
          resolve(entry)
        }
        const timer = setTimeout(() => {
          end()
          const told = entries.slice(-40).map((entry) => JSON.stringify(entry))
          reject(new Error(`No ${JSON.stringify(wanted)} within ${limit} ms; told so far:\n${told.join('\n')}`))
        }, limit)
        const end = (): void => {
          clearTimeout(timer)
          waiting.delete(look)
        }
        waiting.add(look)
        look()
      }),
    async connect(subject, address, options) {
      const since = entries.length
      await tab.call((life, ...args) => life.open(...args), subject, address, options)
      await tab.first({ subject, type: 'open' }, SOON, since)
    },
    async call(run, ...args) {
      const given = ['life', ...args.map((arg) => JSON.stringify(arg) ?? 'undefined')]
      const expression = `(${run.toString()})(${given.join(', ')})`
      const { result, exceptionDetails } = (await send('Runtime.evaluate', { expression, returnByValue: true })) as {
        result: { value: any }
        exceptionDetails?: { exception?: { description?: string } }
      }
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'It threw in the page')
      return result.value
    },
    async show() {
      await cdp.send('Target.activateTarget', { targetId })
    },
    async setLifecycle(state) {
      await send('Page.setWebLifecycleState', { state })
    },
    async navigate(address) {
      const loaded = new Promise<void>((resolve) => {
        const undo = cdp.on('Page.loadEventFired', (_params, session) => {
          if (session !== sessionId) return
          undo()
          resolve()
        })
      })
      await send('Page.navigate', { url: address })
      await loaded
    },
    async close() {
      await cdp.send('Target.closeTarget', { targetId })
    },
  }

  await send('Page.enable')
  await send('Runtime.enable')
  // Before there is any socket: only those that are made later can be taken off the network.
  await send('Network.enable')
  await send('Runtime.addBinding', { name: 'report' })
  await tab.navigate(url)
  return tab
}
