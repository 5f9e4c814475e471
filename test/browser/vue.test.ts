// The binding for Vue in a real page: what is in the document, and what the server sees of a component's life.
import { createApp, createSSRApp, defineComponent, h, nextTick, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import type { App, Component, Ref } from 'vue'
import { expect, onTestFinished, test, vi } from 'vitest'
import { useHeartwire } from '../../src/vue.ts'
import { openRig } from '../support/control.ts'
import type { RemoteRig } from '../support/control.ts'
import { show } from '../support/shown.ts'
import type { Shown } from '../support/shown.ts'

// A whole story, on a machine that does much else.
vi.setConfig({ testTimeout: 60_000 })

// What an application's bundler tells Vue, which complains otherwise.
Object.assign(globalThis, {
  __VUE_OPTIONS_API__: true,
  __VUE_PROD_DEVTOOLS__: false,
  __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
})

const rigged = async (): Promise<RemoteRig> => {
  const rig = await openRig()
  onTestFinished(() => rig.close())
  return rig
}

/** Shows a connection: its state, its last message, how many came, and whether a retry is counted down. */
const view = (url: Ref<string | undefined>): Component =>
  defineComponent(() => {
    const count = ref(0)
    const { state, data, retryIn, send } = useHeartwire(url, {
      reconnect: { minDelay: 200, maxDelay: 400 },
      onMessage: () => (count.value += 1),
    })
    return () =>
      h('p', { onClick: () => send('clicked') }, [
        `${state.value} ${String(data.value)} ${count.value}${retryIn.value === null ? '' : ' retry'}`,
      ])
  })

/** An application in the document, and a way to wait for what it shows. */
const mount = (app: App, html = ''): Shown & { unmount: () => void } => {
  const shown = show(html)
  app.mount(shown.element)
  let isMounted = true
  const unmount = (): void => {
    if (isMounted) app.unmount()
    isMounted = false
    shown.element.remove()
  }
  onTestFinished(unmount)
  return { ...shown, unmount }
}

test('[V1] a component shows messages, a server that dies, the retry, and the new connection', async () => {
  const { control, serverUrl } = await rigged()
  const { element, shows } = mount(createApp(view(ref(serverUrl))))
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

test('[V6] unmount closes the connection for good, and mounting again makes a new one', async () => {
  const { control, serverUrl } = await rigged()
  const url = ref(serverUrl)
  const { unmount, shows } = mount(createApp(view(url)))
  await shows(/^open/)
  unmount()
  await control('server.waitForClosed', 1)
  const [first] = await control('server.connections')
  // A closing handshake, not a broken link.
  expect(first?.closed?.code).toBe(1005)
  const again = mount(createApp(view(url)))
  await again.shows(/^open/)
  expect(await control('server.attempts')).toBe(2)
  expect(await control('server.open')).toHaveLength(1)
})

test('[V4] another url replaces the connection, undefined ends it', async () => {
  const { control, serverUrl } = await rigged()
  const url = ref<string | undefined>(`${serverUrl}a`)
  const { shows } = mount(createApp(view(url)))
  await shows(/^open/)
  await control('server.send', 'of a')
  await shows('open of a 1')
  url.value = `${serverUrl}b`
  await shows('open undefined 1')
  await control('server.waitForClosed', 1)
  expect((await control('server.open')).map(({ path }) => path)).toEqual(['/b'])
  url.value = undefined
  await shows('idle undefined 1')
  await control('server.waitForClosed', 2)
  expect(await control('server.attempts')).toBe(2)
})

test('[V6] a page that a server rendered is hydrated without a mismatch, and connects once', async () => {
  const { control, serverUrl } = await rigged()
  const url = ref(serverUrl)
  const html = await renderToString(createSSRApp(view(url)))
  expect(html).toBe('<p>idle undefined 0</p>')
  expect(await control('server.attempts')).toBe(0)
  const warned = vi.spyOn(console, 'warn')
  const failed = vi.spyOn(console, 'error')
  const { shows } = mount(createSSRApp(view(url)), html)
  await shows('open undefined 0')
  await nextTick()
  expect(warned).not.toHaveBeenCalled()
  expect(failed).not.toHaveBeenCalled()
  expect(await control('server.attempts')).toBe(1)
})
