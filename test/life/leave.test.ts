// Pages that end: another one in their place, the same one anew, or none.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Rig } from '../support/rig.ts'
import { connectionsOf, pass, startStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { SOON } from './tab.ts'
import type { Tab } from './tab.ts'

/** A client that would be back at once, were there anybody left to be. */
const EAGER = { reconnect: { minDelay: 10, maxDelay: 50 } }

/** ms to look whether somebody is: many times the longest delay. */
const LOOK = 1_500

const SUBJECTS = ['heartwire', 'native', 'reconnecting-websocket'] as const

const ENDS: Record<string, (tab: Tab) => Promise<unknown>> = {
  'left for another page': (tab) => tab.navigate(stage.site.elsewhere),
  reloaded: (tab) => tab.send('Page.reload'),
  closed: (tab) => tab.close(),
}

let stage: Stage

beforeAll(async () => {
  // Without its cache: a page that is left is gone. cache.test.ts has the other case.
  stage = await startStage('--disable-features=BackForwardCache')
})

afterAll(() => stage?.close())

describe.each(Object.entries(ENDS))('a page that is %s', (name, end) => {
  test('[N4] tells the server, and is heard of no more', async () => {
    const rigs: Rig[] = []
    for (const subject of SUBJECTS) {
      const rig = await stage.rig()
      rigs.push(rig)
      const tab = await stage.tab(rig, { [subject]: subject === 'heartwire' ? EAGER : {} })
      const endedAt = Date.now()
      await Promise.all([end(tab), rig.server.waitForClosed(1)])
      const after = Date.now() - endedAt
      const code = connectionsOf(rig, subject)[0]?.closed?.code
      // A close frame: without a code from us, since a page may not say 1001 as the browser does.
      if (subject === 'heartwire') expect(code).toBe(1005)
      const saw = code === 1006 ? 'server not told (1006)' : `server told (${code}), no attempt afterwards`
      await stage.note({ scenario: `page ${name}`, subject, saw, after, bound: null })
    }
    await pass(LOOK)
    expect(rigs.map(({ server }) => [server.attempts, server.open.length])).toEqual(SUBJECTS.map(() => [1, 0]))
  })

  test('[S5] is heard of no more while it waits for a retry, either', async () => {
    const rig = await stage.rig()
    const tab = await stage.tab(rig, { heartwire: { reconnect: { minDelay: LOOK / 2, jitter: 0 } } })
    rig.server.terminate()
    await tab.first({ subject: 'heartwire', type: 'bus.waiting' }, SOON)
    await end(tab)
    await pass(LOOK)
    expect(rig.server.attempts).toBe(1)
  })
})
