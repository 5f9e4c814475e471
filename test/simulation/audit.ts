// The end of an account: what a client gave to `send`, held against what the server has received.
import type { Connection } from './connection.ts'
import type { Judge } from './invariants.ts'
import { type Ledger, sequenceOf } from './ledger.ts'
import type { Receipt } from './server.ts'

/** Every message has to be somewhere, and nowhere twice. */
export function audit(ledger: Ledger, judge: Judge, receipts: readonly Receipt[]): void {
  auditReceipts(ledger, judge, receipts)
  auditOrder(judge, receipts)
  const arrived = new Set(receipts.map(({ text }) => text))
  for (const { status, sequence } of ledger.entries.values()) {
    const isKnown = status === 'dropped' || status === 'flying'
    judge.claim('noneLost', isKnown, () => `message ${sequence} is still ${status}`)
  }
  for (const [connection, { entries, lost }] of ledger.accounts) {
    const missing = entries.filter(
      (entry) => entry.connection === connection && entry.status === 'flying' && !arrived.has(entry.text),
    )
    const inDoubt = lost?.inDoubt ?? 0
    const list = missing.map(({ sequence }) => sequence).join(', ')
    const detail = (): string => `${list} over socket ${connection.number} never arrived, ${inDoubt} were in doubt`
    // Who answers twice proves what is not so.
    const isDeceived = connection.hasExcessAnswers || (lost === null && isMistakable(connection))
    judge.claim('noneLost', missing.length <= inDoubt || isDeceived, detail)
  }
}

/** Whether the server's own close, which crossed the page's, looks like an answer to it ([Q3]). */
function isMistakable({ codeOfPage, codeOfServer }: Connection): boolean {
  return codeOfServer !== null && (codeOfServer === codeOfPage || codeOfServer === 1000)
}

function auditReceipts(ledger: Ledger, judge: Judge, receipts: readonly Receipt[]): void {
  const seen = new Set<number>()
  const latest = new Map<Connection, number>()
  for (const { text, connection } of receipts) {
    const sequence = sequenceOf(text)
    if (sequence === null) continue
    const before = latest.get(connection) ?? 0
    const claim = (isTrue: boolean, why: string): void =>
      judge.claim('onceInOrder', isTrue, () => `message ${sequence} arrived ${why}`)
    claim(!seen.has(sequence), 'twice')
    claim(ledger.entries.get(sequence)?.text === text, `as '${text.slice(0, 60)}'`)
    claim(sequence > before, `after ${before}`)
    seen.add(sequence)
    latest.set(connection, sequence)
  }
}

/** What a socket that was let go of still delivers comes late, but is older than all that its successors carry. */
function auditOrder(judge: Judge, receipts: readonly Receipt[]): void {
  const carried = new Map<Connection, number[]>()
  for (const { text, connection } of receipts) {
    const sequence = sequenceOf(text)
    if (sequence !== null) carried.set(connection, [...(carried.get(connection) ?? []), sequence])
  }
  let last = 0
  for (const [{ number }, sequences] of [...carried].sort(([a], [b]) => a.number - b.number)) {
    const first = Math.min(...sequences)
    judge.claim('onceInOrder', first > last, () => `${first} arrived over socket ${number}, ${last} over one before it`)
    last = Math.max(...sequences)
  }
}
