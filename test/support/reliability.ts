// What a user saw of a fault and after how long: the rows of docs/reliability.md, written by the tests that see it.
import { appendFile } from 'node:fs/promises'

/** One observation: one engine, one scenario, one client. */
export interface Observation {
  /** The engine's name and major version: `Chromium 156`. */
  readonly engine: string
  /** The fault, in the words of the table: `half-open, idle`. */
  readonly scenario: string
  readonly subject: 'heartwire' | 'native' | 'reconnecting-websocket'
  /** In the words of the table: `close 1006 "heartbeat timeout", open again`. */
  readonly saw: string
  /** ms from the fault to what was seen; null when nothing was seen, and `saw` says for how long we looked. */
  readonly after: number | null
  /** ms within which heartwire promises it; null for the others. */
  readonly bound: number | null
}

/** Notes it, when a run asks for the table. Tests prove the same without it. */
export async function record(observation: Observation): Promise<void> {
  const file = process.env['HEARTWIRE_RECORD']
  if (file) await appendFile(file, `${JSON.stringify(observation)}\n`)
}
