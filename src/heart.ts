// The heartbeat of one connection: asks the rules of heartbeat.ts and does what they say. Dies with the connection.
import type { Attempt } from './attempt.js'
import { isolated } from './errors.js'
import { firstPulse, isAsking, type judge, nextBeat, nextCheck, type Pulse, type Verdict } from './heartbeat.js'
import type { Settings } from './options.js'
import { toWireData } from './outbox.js'

/** ms between an event's time and now if both are of one clock, at most; another clock is off by hours or years. */
const SAME_CLOCK = 1_000

/** Bytes per ms of the slowest upload that is not taken for a dead link: 512 kbit/s. */
const SLOWEST = 64

/** ms that a message in the buffer may take to leave unseen, at most: whoever has unplugged must learn of it some time. */
const LONGEST_UPLOAD = 60_000

type HeartbeatSettings = NonNullable<Settings<unknown, unknown>['heartbeat']>

export class Heart {
  /** Whether the connection is over, or closing: the application's functions may cause that, and then no more is sent. */
  isStopped = false
  readonly #settings: HeartbeatSettings
  readonly #attempt: Attempt<any>
  /** What is known of the link. */
  pulse: Pulse
  /** The message whose leaving nobody can see: how much left before it, how long it is waited for, and when to look again. */
  #upload: { readonly after: number; readonly until: number; lookAt: number } | undefined
  /** Whether events tell the time of `performance.now()`; the first one shows. */
  #trustsEvents: boolean | undefined

  constructor(settings: HeartbeatSettings, attempt: Attempt<any>) {
    this.#settings = settings
    this.#attempt = attempt
    this.pulse = firstPulse(settings, attempt.startedAt, () => 0)
  }

  /** The connection is open: from now on silence counts. */
  begin(now: number, random: () => number): void {
    this.pulse = firstPulse(this.#settings, now, random)
  }

  nextCheck(now: number): number {
    const next = nextCheck(this.pulse, this.#settings, now)
    return isAsking(this.pulse) ? Math.max(next, this.#upload?.lookAt ?? 0) : next
  }

  /** Asks the rules. */
  look(decide: typeof judge, now: number, isLate: boolean): Verdict {
    const [verdict, pulse] = decide(this.pulse, this.#settings, now, isLate)
    this.pulse = pulse
    // Only an open question can be waiting behind data that is leaving ([H9]).
    if (verdict !== 'dead' || !isAsking(pulse)) return verdict
    if (this.#attempt.isProgressing()) pulse.heard = now
    else if (!this.#isUploading(now)) return verdict
    return 'fine'
  }

  /** Whether the question waits behind a message of which nobody can see that it is leaving, and that may still be. */
  #isUploading(now: number): boolean {
    const { from, interval, timeout } = this.#settings
    const next = this.#attempt.wholeNext()
    // The server's own beats do not wait behind what we send.
    if (!next || from === 'server' || next.size / SLOWEST <= timeout) return false
    if (this.#upload?.after !== next.after) {
      const until = now + Math.min(next.size / SLOWEST, LONGEST_UPLOAD)
      this.#upload = { after: next.after, until, lookAt: 0 }
    }
    const { until } = this.#upload
    // That it has left is seen by looking only.
    this.#upload.lookAt = Math.min(until, now + Math.min(interval, timeout))
    return now < until
  }

  /** Asks the peer. */
  ask(now: number): void {
    const { message } = this.#settings
    const wire = isolated(() => toWireData(typeof message === 'function' ? message() : message))
    // The server has begun to close: the browser would not send it. The question stays, as an end that never comes is death.
    if (this.isStopped || this.#attempt.isClosing) return
    const isSent = wire !== undefined && isolated(() => this.#attempt.sendAside(wire) === undefined)
    if (isSent) this.#attempt.asked(now)
    // It threw, or the class did, and that was reported: a question that was not asked proves nothing.
    else this.pulse.asked = null
  }

  /** Takes note of a message: on the hot path. Returns whether it is a beat. */
  hear(event: MessageEvent): boolean {
    // The event's own time costs a third of performance.now(). But classes of that shape may have another clock, or none.
    this.#trustsEvents ??= Math.abs(event.timeStamp - performance.now()) < SAME_CLOCK
    this.pulse.heard = this.#trustsEvents ? event.timeStamp : performance.now()
    const { pong } = this.#settings
    if (pong === undefined) return false
    const { data } = event
    return typeof pong === 'string' ? data === pong : isolated(() => pong(data)) === true
  }

  /** Whether a beat is due that the timer has not sent: in a hidden tab timers are late; traffic is not ([H7]). */
  get isOverdue(): boolean {
    return this.#settings.when === 'always' && this.pulse.heard >= nextBeat(this.pulse, this.#settings)
  }

  /** A beat arrived. Returns its latency in ms if it is an answer; a beat of the server's own answers no question. */
  answered(): number | null {
    const { from, timeout } = this.#settings
    const latency = from === 'client' ? this.#attempt.answered(this.pulse.heard, timeout) : null
    if (latency === null) return null
    // Clocks are coarse: an answer may seem to come before its question.
    this.pulse.asked = null
    this.pulse.isForgiven = false
    return Math.max(latency, 0)
  }

  /** Answers a beat, if the application wants to. */
  reply(beat: unknown): void {
    isolated(() => {
      const answer = this.#settings.reply?.(beat)
      if (answer !== undefined && !this.isStopped && !this.#attempt.isClosing)
        this.#attempt.sendAside(toWireData(answer))
    })
  }
}
