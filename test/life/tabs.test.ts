// Two tabs of one site: what happens to one is none of the other's business.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HeartbeatOptions } from '../../src/index.ts'
import type { Rig } from '../support/rig.ts'
import { startStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { SOON } from './tab.ts'
import type { Tab } from './tab.ts'

const BEAT = { message: 'ping', pong: 'pong', interval: 500, timeout: 5_000 } as const

/** Nothing is asked but what a signal asks; and a signal is not told of while a question is open. */
const ONLY_PROBES = { ...BEAT, interval: 86_400_000 } as const

let stage: Stage

beforeAll(async () => {
  stage = await startStage()
})

afterAll(() => stage?.close())

/** A hidden tab, with the server's first connection, and a visible one, with its second. */
async function openBoth(heartbeat: HeartbeatOptions = BEAT): Promise<{ rig: Rig; hidden: Tab; visible: Tab }> {
  const rig = await stage.rig()
  const hidden = await stage.tab(rig, { heartwire: { heartbeat } })
  const visible = await stage.tab(rig, { heartwire: { heartbeat } })
  await hidden.first({ subject: 'page', type: 'hidden' })
  return { rig, hidden, visible }
}

/** Two more beats of one connection. */
async function beats(rig: Rig, connection: number): Promise<void> {
  const before = rig.server.received(connection).length
  await expect.poll(() => rig.server.received(connection).length, { timeout: SOON }).toBeGreaterThan(before + 1)
}

const isUndisturbed = (tab: Tab): void => {
  expect(tab.all({ subject: 'heartwire', type: 'open' })).toHaveLength(1)
  expect(tab.all({ subject: 'heartwire', type: 'bus.lost' })).toEqual([])
}

test('[S2] each has its connection, and both beat', async () => {
  const { rig, hidden, visible } = await openBoth()
  await Promise.all([beats(rig, 1), beats(rig, 2)])
  expect(rig.server.open).toHaveLength(2)
  isUndisturbed(hidden)
  isUndisturbed(visible)
})

test.for([
  ['hidden', 1, 2],
  ['visible', 2, 1],
] as const)(
  '[R1] the %s one loses its connection and comes back; the other notices nothing',
  async ([name, own, others]) => {
    const { rig, hidden, visible } = await openBoth()
    const [tab, other] = name === 'hidden' ? [hidden, visible] : [visible, hidden]
    const since = tab.entries.length
    rig.server.terminate(own)
    await tab.first({ subject: 'heartwire', type: 'close' }, SOON, since)
    await tab.first({ subject: 'heartwire', type: 'open' }, SOON, since)
    await Promise.all([beats(rig, others), beats(rig, 3)])
    isUndisturbed(other)
  },
)

test.for([
  ['hidden', 1, 2],
  ['visible', 2, 1],
] as const)('[N4] the %s one is closed; the other notices nothing', async ([name, own, others]) => {
  const { rig, hidden, visible } = await openBoth()
  const [tab, other] = name === 'hidden' ? [hidden, visible] : [visible, hidden]
  await tab.close()
  await rig.server.waitForClosed(1)
  expect(rig.server.connections[own - 1]?.closed).not.toBeNull()
  await beats(rig, others)
  expect(rig.server.attempts).toBe(2)
  isUndisturbed(other)
})

test('[N3] being shown asks at once, and only for the tab that is shown', async () => {
  const { hidden, visible } = await openBoth(ONLY_PROBES)
  const since = visible.entries.length
  await hidden.show()
  await hidden.first({ subject: 'heartwire', type: 'bus.probe' })
  await visible.first({ subject: 'page', type: 'hidden' }, SOON, since)
  expect(visible.all({ subject: 'heartwire', type: 'bus.probe' })).toEqual([])
  isUndisturbed(hidden)
  isUndisturbed(visible)
})
