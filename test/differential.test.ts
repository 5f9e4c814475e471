// The same script for reconnecting-websocket 4.4 and for ours, on the same fake socket: what is told must be the same, or
// be listed in docs/differences.md. Options are those of both that mean the same, without chance.
import { readFileSync } from 'node:fs'
import ReconnectingWebSocket from 'reconnecting-websocket'
import { describe, expect, test } from 'vitest'
import { Heartwire } from '../src/index.ts'
import type { HeartwireOptions } from '../src/index.ts'
import { ALIKE, DIFFERENT } from './support/rival-scripts.ts'
import { ListenedSocket, perform, sideOf, useFakeTime } from './support/rivals.ts'
import type { Side } from './support/rivals.ts'

useFakeTime()

const theirs = sideOf('theirs', ReconnectingWebSocket)

const ours: Side = {
  name: 'ours',
  make(url, { minDelay = 1_000, attempts, connectTimeout = 10_000, limit, isManual, protocols, hasDefaults }) {
    const timing: HeartwireOptions = {
      reconnect: { minDelay, jitter: 0, ...(attempts !== undefined && { maxAttempts: attempts }) },
      connectTimeout,
    }
    return new Heartwire(url as string, protocols, {
      WebSocket: ListenedSocket,
      network: false,
      ...(!hasDefaults && timing),
      ...(limit !== undefined && { queue: { maxMessages: limit } }),
      ...(isManual && { start: 'manual' }),
    })
  },
}

describe('as reconnecting-websocket does it', () => {
  test.for(ALIKE)('%s', async ([, script]) => {
    const expected = await perform(theirs, script)
    expect(expected.filter((line) => line.startsWith('uncaught'))).toEqual([])
    expect(expected).not.toEqual([])
    expect(await perform(ours, script)).toEqual(expected)
  })
})

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

const codes = (text: string): string[] => [...text.matchAll(/`([^`]*)`/g)].map(([, code = '']) => code)

/** The differences that are written down: by their titles, what each side tells. */
const LISTED = new Map(
  [
    ...read('docs/differences.md').matchAll(
      /^- \*\*(\[RW\d+\]) (\[[A-Z]\d+\]) (.+?)\.\*\* Theirs: (.+?)\. Ours: (.+?)\. .+$/gm,
    ),
  ].map(([, id = '', rule = '', what = '', their = '', own = '']) => [
    `${id} ${rule} ${what}`,
    { theirs: codes(their), ours: codes(own) },
  ]),
)

describe('other than reconnecting-websocket', () => {
  test.for(DIFFERENT)('%s', async ([title, script]) => {
    const found = { theirs: await perform(theirs, script), ours: await perform(ours, script) }
    expect(found).toEqual(LISTED.get(title))
    expect(found.ours).not.toEqual(found.theirs)
  })

  test('[O2] docs/differences.md lists these and no others', () => {
    expect([...LISTED.keys()]).toEqual(DIFFERENT.map(([title]) => title))
    expect([...read('docs/differences.md').matchAll(/\[RW\d+\]/g)]).toHaveLength(DIFFERENT.length)
  })
})

describe('other than the native WebSocket', () => {
  // The scripts run in a browser; that they are listed can be seen from here.
  test('[P2] docs/differences.md lists what test/browser/differential.test.ts finds and nothing else', () => {
    const ids = /\[NW\d+\] \[[A-Z]\d+\] [^'.]+/g
    const found = [...read('test/browser/differential.test.ts').matchAll(ids)].map(String)
    const listed = [...read('docs/differences.md').matchAll(/^- \*\*(\[NW\d+\] \[[A-Z]\d+\] .+?)\.\*\* .+$/gm)]
    expect(found.length).toBeGreaterThan(0)
    expect(listed.map(([, title]) => title)).toEqual(found)
  })
})
