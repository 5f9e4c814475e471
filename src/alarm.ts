// Wakes sockets in time while their page is hidden: the timers of one worker for all that ask ([H10]). Never their only timers.

/** Whom an alarm wakes. */
interface Sleeper {
  /** A time has come that was set for it: the latest, or one just before that was already on its way. */
  wake(): void
  /** No alarm will come any more. */
  fail(): void
}

/**
 * What runs in the worker: a timer for each number, the latest that was set. Inline, so that bundlers and script tags have no
 * second file to serve.
 */
const SOURCE =
  'let t={};onmessage=({data:[i,d]})=>{clearTimeout(t[i]);t[i]=setTimeout(()=>{delete t[i];postMessage(i)},d)}'

const sleepers = /* @__PURE__ */ new Map<number, Sleeper>()
/** There while anybody sleeps. */
let worker: Worker | undefined
/** Where its source is. Made once and kept: to revoke it could race with an engine that is still loading it. */
let url = ''
let latest = 0

/** Gives a sleeper the number that its alarms are set by. @throws what there is instead of a worker: no such class, a policy */
export function enlist(sleeper: Sleeper): number {
  if (!worker) {
    url ||= URL.createObjectURL(new Blob([SOURCE]))
    const hired = (worker = new Worker(url))
    hired.onmessage = ({ data }) => sleepers.get(data as number)?.wake()
    // A policy that allows no such worker is told like this, later.
    hired.onerror = () => {
      // One that was let go of says it to nobody.
      if (hired !== worker) return
      // What they do now may make another: that one has sleepers of its own.
      const all = [...sleepers]
      for (const [id] of all) dismiss(id)
      for (const [, each] of all) each.fail()
    }
  }
  sleepers.set(++latest, sleeper)
  return latest
}

/** Wakes a sleeper after so many ms, instead of when it was to be woken before. */
export function wakeAfter(id: number, delay: number): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
  worker?.postMessage([id, delay])
}

/** Wakes it no more. The last one ends the worker. */
export function dismiss(id: number): void {
  if (!sleepers.delete(id) || sleepers.size > 0) return
  const last = worker
  worker = undefined
  last?.terminate()
}
