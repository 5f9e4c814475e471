// The binding for React in a real page: what is in the document, and what the server sees of a component's life.
import { createElement, StrictMode, useState } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import type { ReactNode } from 'react'
import type { Root } from 'react-dom/client'
import { expect, onTestFinished, test, vi } from 'vitest'
import { useHeartwire } from '../../src/react.ts'
import { openRig } from '../support/control.ts'
import type { RemoteRig } from '../support/control.ts'
import { show } from '../support/shown.ts'
import type { Shown } from '../support/shown.ts'

// A whole story, on a machine that does much else.
vi.setConfig({ testTimeout: 60_000 })

const rigged = async (): Promise<RemoteRig> => {
  const rig = await openRig()
  onTestFinished(() => rig.close())
  return rig
}

interface Props {
  readonly url: string | undefined
  readonly instance?: string
}

/** Shows a connection: its state, its last message, how many came, and whether a retry is counted down. */
const View = ({ url, instance }: Props): ReactNode => {
  const [count, setCount] = useState(0)
  const { state, data, retryIn, send } = useHeartwire(url, {
    instance,
    reconnect: { minDelay: 200, maxDelay: 400 },
    onMessage: () => setCount(count + 1),
  })
  const text = `${state} ${String(data)} ${count}${retryIn === null ? '' : ' retry'}`
  return createElement('p', { onClick: () => send('clicked') }, text)
}

/** A view in StrictMode, as an application in development has it. */
const view = (url: string | undefined): ReactNode => createElement(StrictMode, null, createElement(View, { url }))

interface Mounted extends Shown {
  readonly root: Root
  readonly unmount: () => void
}

const keep = (shown: Shown, root: Root): Mounted => {
  let isMounted = true
  const unmount = (): void => {
    if (isMounted) root.unmount()
    isMounted = false
    shown.element.remove()
  }
  onTestFinished(unmount)
  return { ...shown, root, unmount }
}

const mount = (node: ReactNode): Mounted => {
  const shown = show()
  const mounted = keep(shown, createRoot(shown.element))
  mounted.root.render(node)
  return mounted
}

test('[X1] a component shows messages, a server that dies, the retry, and the new connection', async () => {
  const { control, serverUrl } = await rigged()
  const { element, shows } = mount(view(serverUrl))
  await shows('open undefined 0')
  await control('server.send', 'hello')
  await shows('open hello 1')
  element.querySelector('p')?.click()
  expect(await control('server.waitForMessages', 1)).toEqual(['clicked'])
  const waiting = shows(/^waiting hello 1 retry$/)
  await control('server.stop')
  await waiting
  await control('server.restart')
  await shows('open hello 1')
  await control('server.send', 'again')
  await shows('open again 2')
})

test('[X6] StrictMode connects once, unmount closes it for good, and mounting again makes a new one', async () => {
  const { control, serverUrl } = await rigged()
  const { unmount, shows } = mount(view(serverUrl))
  await shows(/^open/)
  expect(await control('server.attempts')).toBe(1)
  unmount()
  await control('server.waitForClosed', 1)
  const [first] = await control('server.connections')
  // A closing handshake, not a broken link.
  expect(first?.closed?.code).toBe(1005)
  const again = mount(view(serverUrl))
  await again.shows(/^open/)
  expect(await control('server.attempts')).toBe(2)
  expect(await control('server.open')).toHaveLength(1)
})

test('[X4] another url replaces the connection, undefined ends it', async () => {
  const { control, serverUrl } = await rigged()
  const { root, shows } = mount(view(`${serverUrl}a`))
  await shows(/^open/)
  await control('server.send', 'of a')
  await shows('open of a 1')
  root.render(view(`${serverUrl}b`))
  await shows('open undefined 1')
  await control('server.waitForClosed', 1)
  expect((await control('server.open')).map(({ path }) => path)).toEqual(['/b'])
  root.render(view(undefined))
  await shows('idle undefined 1')
  await control('server.waitForClosed', 2)
  expect(await control('server.attempts')).toBe(2)
})

test('[X7] two roots share a connection by its name', async () => {
  const { control, serverUrl } = await rigged()
  const node = createElement(View, { url: serverUrl, instance: 'shared by two' })
  const first = mount(node)
  await first.shows(/^open/)
  const second = mount(node)
  await second.shows(/^open/)
  await control('server.send', 'hello')
  await first.shows('open hello 1')
  await second.shows('open hello 1')
  first.unmount()
  await control('server.send', 'for one')
  await second.shows('open for one 2')
  expect(await control('server.attempts')).toBe(1)
  second.unmount()
  await control('server.waitForClosed', 1)
})

test('[X8] a page that a server rendered is hydrated without a mismatch, and connects once', async () => {
  const { control, serverUrl } = await rigged()
  const html = renderToString(view(serverUrl))
  expect(html).toBe('<p>idle undefined 0</p>')
  expect(await control('server.attempts')).toBe(0)
  const warned = vi.spyOn(console, 'warn')
  const failed = vi.spyOn(console, 'error')
  const shown = show(html)
  keep(shown, hydrateRoot(shown.element, view(serverUrl)))
  await shown.shows('open undefined 0')
  expect(warned).not.toHaveBeenCalled()
  expect(failed).not.toHaveBeenCalled()
  expect(await control('server.attempts')).toBe(1)
})
