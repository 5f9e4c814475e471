// The lifecycle's shell: owns the one native socket and the one timer, asks the pure files what to do, and does it.
import { Attempt, type Ending } from './attempt.js'
import { backoff, isRetriable, retryWindow } from './backoff.js'
import { because, handled, HeartwireError, type HeartwireErrorCode, isolated } from './errors.js'
import { closeEvent } from './events.js'
import { firstPulse, type HeartbeatRule, judge, nextBeat, nextCheck, probe, type Pulse } from './heartbeat.js'
import { LEADS_TO, LIMIT, READY_STATE, type Step, stepFor, type Trigger } from './machine.js'
import { pageNetwork } from './network.js'
import type { Settings, WebSocketClass } from './options.js'
import { type Entry, Outbox, sizeOf, snapshot, toWireData } from './outbox.js'
import { Timer } from './timer.js'
import type {
  AttemptContext,
  ClosedReason,
  CloseInfo,
  HandshakeContext,
  HeartwireEvents,
  NetworkSignal,
  NetworkSource,
  Provider,
  State,
  WireData,
} from './types.js'

/** ms between retries while the network is believed to be down: signals lie, so never not at all ([N2]). */
const RECHECK = 60_000
/** ms that retries caused by a signal are spread over, so that a whole office does not come back at once ([R7]). */
const SIGNAL_SPREAD = 100
/** ms between looks at what has drained, the first and the longest; browsers have no event for it. */
const DRAIN_FIRST = 4
const DRAIN_LONGEST = 250

/** ms between an event's time and now if both are of one clock, at most; another clock is off by hours or years. */
const SAME_CLOCK = 1_000

/** Bytes of messages in flight that are kept until the next `send`, at most; for more there is a look at what has left. */
const MUCH = 65_536

const BROKEN: CloseInfo = { code: 1006, reason: '', wasClean: false }

/** Whom the shell tells what happened; nothing else leaves it. Each call is made when nothing else is going on ([S3]). */
export interface Audience {
  /** A DOM event: `open`, `error`, `close`. */
  dispatch(event: Event): void
  /** A native `message` event: while it is being dispatched, or `isHeld` back until now. */
  deliver(event: MessageEvent, isHeld: boolean): void
  /** A bus event. */
  tell(type: keyof HeartwireEvents, event: unknown): void
  /** Whether anybody would hear it. */
  isHeard(type: keyof HeartwireEvents): boolean
}

/** What the reconnect policy makes of a loss. */
type Sentence =
  | { readonly trigger: 'lost' | 'stranded'; readonly delay: number }
  | { readonly trigger: 'ended'; readonly reason: ClosedReason }

export class Shell<Incoming, Outgoing> {
  state: State = 'idle'
  url = ''
  protocol = ''
  extensions = ''
  binaryType: BinaryType
  latency: number | null = null
  lastClose: CloseInfo | null = null
  /** Why it is closing or closed, and the error behind it. */
  reason: ClosedReason = 'user'
  error: HeartwireError | null = null
  readonly outbox: Outbox<Outgoing> | null
  readonly #settings: Settings<Incoming, Outgoing>
  #url: Provider<string | URL>
  readonly #protocols: Provider<string | string[]> | undefined
  readonly #audience: Audience
  readonly #rule: HeartbeatRule | null
  readonly #timer = new Timer(() => this.#onTimer())
  #attempt: Attempt<Outgoing> | null = null
  #pulse: Pulse | null = null
  /** Retries since the last stable connection, and consecutive failures: a first attempt may fail but is no retry. */
  #retries = 0
  #failures = 0
  #hasBeenOpen = false
  #closeArguments: [code?: number | undefined, reason?: string | undefined] = []
  /** Bytes that `send` accepted and no connection will ever take; the native `bufferedAmount` counts them, too. */
  #discarded = 0
  /** When the wait of `waiting`, `paused` or `closing` is over. */
  #until = Infinity
  #drainAt = Infinity
  #drainDelay = DRAIN_FIRST
  /** Whether somebody waits for `drain`, over a loss if need be. */
  #owesDrain = false
  #network: NetworkSource | null = null
  #unsubscribe: (() => void) | undefined
  /** What the audience has yet to be told, in order. */
  #announcements: (() => void)[] = []
  #isBusy = true
  #isConstructing = true

  /** Makes the first connection if `start` is `'now'`. @throws what the native constructor throws */
  constructor(
    settings: Settings<Incoming, Outgoing>,
    url: Provider<string | URL>,
    protocols: Provider<string | string[]> | undefined,
    audience: Audience,
  ) {
    this.#settings = settings
    this.#url = url
    this.#protocols = protocols
    this.#audience = audience
    this.binaryType = settings.binaryType
    this.outbox = settings.queue && new Outbox(settings.queue)
    const { heartbeat, signal, start } = settings
    this.#rule = heartbeat
    if (signal?.aborted) this.#abort()
    else if (start === 'now') this.step('connect')
    else signal?.addEventListener('abort', this.#abort)
    this.#isConstructing = false
    // Nobody is told anything before the constructor has returned ([P3]).
    queueMicrotask(() => {
      this.#isBusy = false
      this.#flush()
    })
  }

  get native(): WebSocket | null {
    return this.#attempt?.native ?? null
  }

  get attempt(): number {
    return this.#isStable() ? 0 : this.#retries
  }

  get bufferedAmount(): number {
    return (this.outbox?.bytes ?? 0) + (this.#attempt?.buffered ?? 0) + this.#discarded
  }

  /** One turn of the machine: state first, then effects, then listeners ([S3]). */
  step(trigger: Trigger, ending?: Ending): void {
    const previous = this.state
    const step = stepFor(previous, trigger)
    if (step) {
      this.state = LEADS_TO[step] ?? previous
      if (this.state !== previous) this.#tell('state', { state: this.state, previous })
      if (ending) this.#end(ending)
      this.#act(step, previous)
    }
    this.#arm()
    this.#flush()
  }

  /** A new attempt at once, unless `signal` was aborted. */
  connect(): void {
    if (!this.#settings.signal?.aborted) this.step('connect')
  }

  /** Ends it for good; the first reason stands. */
  close(
    reason: ClosedReason,
    error: HeartwireError | null,
    ...closeArguments: [code?: number | undefined, reason?: string | undefined]
  ): void {
    if (this.state === 'closing' || this.state === 'closed') return
    this.reason = reason
    this.error = error
    this.#closeArguments = closeArguments
    this.step('close')
  }

  /** @throws DOMException `InvalidStateError`, HeartwireError `queue-overflow` */
  send(message: Outgoing, wire: WireData): void {
    if (this.state === 'open') {
      const attempt = this.#attempt as Attempt<Outgoing>
      const native = attempt.native as WebSocket
      const { queue } = this.#settings
      // What is given to a socket that has begun to close would never leave; natively that is how it is.
      if (!queue || native.readyState === 1) {
        attempt.send(message, wire, queue !== null && queue.replay)
        if (this.#drainAt === Infinity && this.#isDrainWanted(attempt)) this.#watchDrain()
        return
      }
    }
    this.#sendLater(message, wire)
  }

  #sendLater(message: Outgoing, wire: WireData): void {
    const { outbox, state } = this
    const isOver = state === 'closing' || state === 'closed'
    if (!isOver && !outbox && state !== 'idle') {
      throw new DOMException(
        "Cannot send as the socket must be open or have a queue: current state is 'connecting'",
        'InvalidStateError',
      )
    }
    const kept = snapshot(wire)
    const entry = {
      message: message === wire ? (kept as Outgoing) : message,
      wire: kept,
      size: sizeOf(kept),
      at: performance.now(),
    }
    try {
      if (isOver || !outbox) {
        this.#discarded += entry.size
        this.#drop([entry], 'closed')
      } else {
        if (outbox.isFull(entry.size)) this.#drop(outbox.expire(entry.at), 'expired')
        this.#drop(outbox.add(entry), 'overflow')
      }
      this.startLazily()
    } finally {
      this.#flush()
    }
  }

  /** With `start: 'lazy'`, something made a connection worth having. */
  startLazily(): void {
    if (this.state === 'idle' && this.#settings.start === 'lazy') this.connect()
  }

  setBinaryType(value: BinaryType): void {
    this.binaryType = value
    if (this.native) this.native.binaryType = value
  }

  // What each step does.

  #act(step: Step, previous: State): void {
    const { connectTimeout, closeTimeout } = this.#settings
    const attempt = this.#attempt
    const now = performance.now()
    switch (step) {
      case 'renew':
        // An attempt that is only replaced was never open, and readyState stays 0: there is no close to tell. To tell one
        // would also make a listener of close that reconnects cause the next, for ever.
        if (READY_STATE[previous] === 0) this.#replace()
        else {
          this.#credit()
          this.#end({ close: { ...BROKEN, reason: 'reconnect' }, isFailure: attempt?.openedAt === null })
        }
        return this.#start(previous)
      case 'start':
        return this.#start(previous)
      case 'dial':
        return this.#dial()
      case 'greet':
        return this.#greet()
      case 'establish':
        return this.#establish(now)
      case 'beat':
        return this.#look(judge, now)
      case 'probe':
        return this.#look(probe, now)
      case 'expire':
        return this.#fail(attempt, 'connect-timeout', `Cannot connect as it must take at most ${connectTimeout} ms`)
      case 'refresh':
        // Half the time is gone: Firefox may be holding it back silently, and the network has just changed.
        if (attempt && now - attempt.startedAt > connectTimeout / 2) this.connect()
        return
      case 'retry':
        return this.#tellWaiting(now)
      case 'hasten': {
        // Signals come in bunches; only what is sooner is news.
        const until = now + SIGNAL_SPREAD * Math.random()
        if (until >= this.#until && previous === 'waiting') return
        this.#until = until
        return this.#tellWaiting(now)
      }
      case 'leave':
        this.#credit()
        this.#end({ close: { ...BROKEN, reason: 'page hidden' }, isFailure: false })
        this.#until = now + RECHECK
        return
      case 'strand':
        this.#until = now + RECHECK * (1 - Math.random() / 4)
        return
      case 'shut':
        this.#until = attempt?.shut(this.#closeArguments) ? now + closeTimeout : now
        this.#announce(() => attempt?.abort())
        return
      case 'settle':
        // What was accepted may still be leaving over a slow link ([Q5]).
        if (attempt?.hasLeft()) this.#until = now + closeTimeout
        else this.#lose({ close: BROKEN, isFailure: false })
        return
      case 'finish':
        return this.#finish()
      default:
        step satisfies never
    }
  }

  #start(previous: State): void {
    if (previous === 'idle' || previous === 'closing' || previous === 'closed') {
      this.#retries = this.#failures = 0
      this.#subscribe()
    }
    this.error = null
    this.#discarded = 0
    const attempt = (this.#attempt = new Attempt(performance.now()))
    if (typeof this.#url !== 'function' && typeof this.#protocols !== 'function') {
      attempt.target = [this.#url as string, this.#protocols]
      return this.step('resolved')
    }
    const context: AttemptContext = {
      attempt: this.#retries,
      lastClose: this.lastClose,
      signal: attempt.signal,
    }
    const ask = async <Value>(provider: Provider<Value>): Promise<Value> =>
      typeof provider === 'function' ? (provider as (context: AttemptContext) => Value)(context) : provider
    Promise.all([ask(this.#url), ask(this.#protocols)])
      .then(([url, protocols]): typeof attempt.target => [`${url}`, protocols])
      .then(
        (target) => {
          attempt.target = target
          if (attempt === this.#attempt) this.step('resolved')
        },
        (cause: unknown) =>
          this.#fail(attempt, 'provider-failed', `Cannot connect as a provider failed${because(cause)}`, cause),
      )
  }

  #dial(): void {
    const attempt = this.#attempt as Attempt<Outgoing>
    const [url, protocols] = attempt.target
    const Native = this.#settings.WebSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket
    let native: WebSocket
    try {
      if (!Native)
        throw new HeartwireError(
          'unsupported',
          "Cannot connect as there is no WebSocket here: pass the option 'WebSocket', for example the class of the package ws",
        )
      native = protocols === undefined ? new Native(url) : new Native(url, protocols)
    } catch (cause) {
      if (this.#isConstructing) {
        this.#unsubscribeAll()
        throw cause
      }
      const error =
        cause instanceof HeartwireError
          ? cause
          : new HeartwireError('refused', `Cannot connect as the WebSocket constructor refuses${because(cause)}`, cause)
      return this.close(error.code as ClosedReason, error)
    }
    attempt.native = native
    native.binaryType = this.binaryType
    this.url = native.url || url
    // A relative url means the same at each attempt, wherever the page has gone meanwhile.
    if (typeof this.#url !== 'function') this.#url = this.url
    this.protocol = this.extensions = ''
    native.onopen = () => {
      if (attempt !== this.#attempt) return
      this.protocol = native.protocol
      this.extensions = native.extensions
      this.step(this.#settings.handshake ? 'opened' : 'ready')
    }
    native.onmessage = (event) => this.#receive(attempt, event)
    native.onerror = () => {
      attempt.hasErred = true
    }
    native.onclose = ({ code, reason, wasClean }) => {
      if (attempt === this.#attempt)
        this.#lose({ close: { code, reason, wasClean }, isFailure: attempt.hasErred, isGone: true })
    }
  }

  #greet(): void {
    const { codec, handshake } = this.#settings
    const attempt = this.#attempt as Attempt<Outgoing>
    const isUnderWay = (): boolean => attempt === this.#attempt && this.state === 'handshaking'
    const insist = (): void => {
      if (!isUnderWay()) throw new HeartwireError('handshake-failed', 'Cannot go on as the handshake is over')
    }
    const context: HandshakeContext<Incoming, Outgoing> = {
      attempt: this.#retries,
      signal: attempt.signal,
      send(message) {
        insist()
        attempt.send(message, toWireData(codec ? codec.encode(message) : message), false)
      },
      receive: () =>
        handled(
          (async () => {
            insist()
            const { data } = await attempt.receive()
            return codec ? codec.decode(data) : data
          })(),
        ),
    }
    // A promise around the call, so that a throw is a rejection.
    new Promise((resolve) => resolve(handshake?.(context))).then(
      () => {
        if (isUnderWay()) this.step('ready')
      },
      (cause: unknown) => {
        if (isUnderWay())
          this.#fail(attempt, 'handshake-failed', `Cannot connect as the handshake failed${because(cause)}`, cause)
      },
    )
  }

  #establish(now: number): void {
    const attempt = this.#attempt as Attempt<Outgoing>
    const { outbox } = this
    attempt.openedAt = now
    this.#pulse = this.#rule && firstPulse(this.#rule, now, Math.random)
    if (outbox?.length) {
      this.#drop(outbox.expire(now), 'expired')
      this.#owesDrain = true
      this.#sendQueue(attempt, outbox)
    }
    if (this.#owesDrain) this.#watchDrain()
    this.#announce(() => this.#audience.dispatch(new Event('open')))
    this.#tell('open', { attempt: this.#retries, isReconnect: this.#hasBeenOpen })
    this.#hasBeenOpen = true
    for (const event of attempt.unread()) this.#announce(() => this.#audience.deliver(event, true))
  }

  /** A native socket that has begun to close meanwhile would never send it; then the queue waits for the next ([Q3]). */
  #sendQueue(attempt: Attempt<Outgoing>, outbox: Outbox<Outgoing>): void {
    if (attempt.native?.readyState !== 1) return
    const { queue } = this.#settings
    for (const { message, wire } of outbox.takeAll()) {
      // A class that cannot send this one is reported, and the others still go.
      isolated(() => attempt.send(message, wire, queue !== null && queue.replay))
    }
  }

  // The heartbeat.

  /** Asks the heartbeat's rules and does what they say. */
  #look(decide: typeof judge, now: number): void {
    const attempt = this.#attempt
    if (!attempt || !this.#rule || !this.#pulse) return
    const [verdict, pulse] = decide(this.#pulse, this.#rule, now, this.#timer.isLate)
    this.#pulse = pulse
    if (verdict === 'ask') {
      this.#ask(attempt, now)
      if (decide === probe) this.#tell('probe', { timeout: pulse.patience })
    } else if (verdict === 'dead') {
      if (attempt.isProgressing()) this.#pulse = { ...pulse, heard: now }
      else
        this.#fail(
          attempt,
          'heartbeat-timeout',
          `Lost the connection as nothing came for ${Math.round(now - pulse.heard)} ms`,
        )
    }
  }

  #ask(attempt: Attempt<Outgoing>, now: number): void {
    const { message } = this.#settings.heartbeat ?? {}
    const wire = isolated(() => toWireData(typeof message === 'function' ? message() : message))
    // The application's function may have let go of the connection.
    if (attempt !== this.#attempt || !this.#pulse || this.state !== 'open') return
    // It threw, and that was reported: a question that was not asked proves nothing.
    if (wire === undefined) this.#pulse.asked = null
    else {
      attempt.sendAside(wire)
      attempt.asked(now)
    }
  }

  /** A message: the hot path. It notes the time, and neither steps nor sets a timer ([H5]). */
  #receive(attempt: Attempt<Outgoing>, event: MessageEvent): void {
    if (attempt !== this.#attempt) return
    if (this.state === 'handshaking') return attempt.keep(event)
    if (this.state !== 'open') return
    const pulse = this.#pulse
    if (pulse) {
      // The event's own time costs a third of performance.now(). But classes of that shape may have another clock, or none.
      attempt.trustsEvents ??= Math.abs(event.timeStamp - performance.now()) < SAME_CLOCK
      pulse.heard = attempt.trustsEvents ? event.timeStamp : performance.now()
      const isBeat = this.#isBeat(event.data)
      // pong() is the application's: it may have let go of the connection.
      if (attempt !== this.#attempt) return
      if (isBeat) return this.#hearBeat(attempt, pulse, event.data)
      // In a hidden tab timers are late; traffic is not ([H7]).
      if (this.#rule?.when === 'always' && pulse.heard >= nextBeat(pulse, this.#rule)) this.#look(judge, pulse.heard)
    }
    if (this.#isBusy) return this.#announce(() => this.#audience.deliver(event, true))
    this.#isBusy = true
    this.#audience.deliver(event, false)
    this.#isBusy = false
    if (this.#announcements.length > 0) this.#flush()
  }

  #isBeat(data: unknown): boolean {
    const pong = this.#settings.heartbeat?.pong
    return pong !== undefined && (typeof pong === 'string' ? data === pong : isolated(() => pong(data)) === true)
  }

  #hearBeat(attempt: Attempt<Outgoing>, pulse: Pulse, data: unknown): void {
    // A beat of the server's own answers no question.
    const latency = this.#rule?.from === 'client' ? attempt.answered(pulse.heard) : null
    if (latency !== null) {
      this.latency = latency
      pulse.asked = null
      pulse.isForgiven = false
    }
    isolated(() => {
      const answer = this.#settings.heartbeat?.reply?.(data)
      if (answer !== undefined && attempt === this.#attempt && this.state === 'open')
        attempt.sendAside(toWireData(answer))
    })
    this.#tell('heartbeat', { latency })
    this.#flush()
  }

  // The end of a connection.

  #fail(attempt: Attempt<Outgoing> | null, code: HeartwireErrorCode, message: string, cause?: unknown): void {
    if (attempt !== this.#attempt) return
    const close = { ...BROKEN, reason: code.replace('-', ' ') }
    this.#lose({ close, isFailure: true, error: new HeartwireError(code, message, cause) })
  }

  /** The connection or attempt is over; the policy decides what follows ([R4]). */
  #lose(ending: Ending): void {
    const attempt = this.#attempt
    if (attempt?.openedAt === null) ending = asFailure(ending, this.url)
    if (this.state === 'closing') return this.step('ended', { ...ending, error: undefined, isWanted: true })
    const sentence = this.#sentence(ending)
    // The application's when() or delay() may have closed or reconnected meanwhile.
    if (attempt !== this.#attempt) return
    if (sentence.trigger !== 'ended') this.#until = performance.now() + sentence.delay
    else if ((this.state as State) !== 'closing') {
      this.reason = sentence.reason
      this.error =
        sentence.reason === 'gave-up'
          ? new HeartwireError('gave-up', `Gave up after ${this.#failures} failed attempts`, ending.error)
          : null
    }
    this.step(sentence.trigger, ending)
  }

  #sentence({ close }: Ending): Sentence {
    const { reconnect } = this.#settings
    if (!this.#credit()) this.#failures++
    if (!reconnect) return { trigger: 'ended', reason: 'refused' }
    const isWanted = reconnect.when && isolated(() => reconnect.when?.(close))
    if (!(isWanted ?? isRetriable(close))) return { trigger: 'ended', reason: 'refused' }
    if (this.#failures >= reconnect.maxAttempts) return { trigger: 'ended', reason: 'gave-up' }
    const window = retryWindow(close, this.#retries === 0)
    const usual = window === null ? backoff(this.#retries, reconnect) : window * Math.random()
    const wanted =
      reconnect.delay && isolated(() => reconnect.delay?.({ attempt: this.#retries + 1, delay: usual, close }))
    if (wanted === false) return { trigger: 'ended', reason: 'refused' }
    const delay = typeof wanted === 'number' && wanted >= 0 ? wanted : usual
    return { trigger: this.#network?.online === false ? 'stranded' : 'lost', delay }
  }

  /** Lets go of the connection or attempt and announces its end. The state is the next one already. */
  #end({ close, isFailure, error, isGone, isWanted }: Ending): void {
    const attempt = this.#attempt
    const willReconnect = this.state !== 'closed'
    this.#attempt = this.#pulse = null
    this.#drainAt = Infinity
    if (willReconnect) this.#retries++
    if (isFailure) this.#announce(() => this.#audience.dispatch(new Event('error')))
    this.#announce(() => this.#audience.dispatch(closeEvent(close, willReconnect)))
    if (error) this.#tell('error', error)
    if (!attempt) return
    this.#announce(() => attempt.abort())
    this.lastClose = close
    const unsent = attempt.unsent()
    if (!willReconnect) this.#discarded += attempt.buffered - total(unsent)
    // A socket that we gave up on may still send what it holds, should the link come back. Only what is in the buffer of one
    // that has closed can be sent again without any danger of arriving twice ([Q3], decision 0003).
    const requeued = willReconnect && !isGone ? [] : unsent
    const at = performance.now()
    this.outbox?.putBack(requeued.map((entry) => ({ ...entry, size: sizeOf(entry.wire), at })))
    attempt.orphan()
    const inDoubt = attempt.sent - attempt.confirmed - requeued.length
    // What the user closed cleanly is not lost.
    if (isWanted && close.wasClean) return
    this.#tell('lost', { close, wasOpen: attempt.openedAt !== null, willReconnect, requeued: requeued.length, inDoubt })
  }

  #replace(): void {
    const attempt = this.#attempt
    this.#attempt = null
    attempt?.orphan()
    this.#announce(() => attempt?.abort())
  }

  #finish(): void {
    this.#owesDrain = false
    this.#unsubscribeAll()
    const left = this.outbox?.takeAll() ?? []
    this.#discarded += total(left)
    this.#drop(left, 'closed')
    if (this.error) this.#tell('error', this.error)
    this.#tell('closed', { reason: this.reason, close: this.lastClose })
  }

  /** A connection that lasted was a success ([R2]). Returns whether it was. */
  #credit(): boolean {
    const isStable = this.#isStable()
    if (isStable) this.#retries = this.#failures = 0
    return isStable
  }

  #isStable(): boolean {
    const openedAt = this.#attempt?.openedAt ?? null
    return openedAt !== null && performance.now() - openedAt >= (this.#settings.reconnect?.minUptime ?? 0)
  }

  // Signals, time and telling.

  readonly #abort = (): void => {
    const cause: unknown = this.#settings.signal?.reason
    this.close('aborted', new HeartwireError('aborted', `Closed as the signal was aborted${because(cause)}`, cause))
  }

  #subscribe(): void {
    const { network, signal } = this.#settings
    this.#network = network === true ? pageNetwork() : network || null
    this.#unsubscribe ??= this.#network?.subscribe((hint) => this.#heed(hint))
    signal?.addEventListener('abort', this.#abort)
  }

  #unsubscribeAll(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.#settings.signal?.removeEventListener('abort', this.#abort)
  }

  #heed(signal: NetworkSignal): void {
    if (signal === 'offline' || signal === 'hide') this.step(signal)
    else if (signal === 'restore' && this.state === 'paused') this.connect()
    else this.step('wake')
  }

  /** Sees to it that `drain` is announced, now that somebody waits for it. */
  expectDrain(): void {
    this.#owesDrain = true
    if (this.state === 'open') this.#watchDrain()
  }

  /** A timer for each single message would cost more than the message: only for who listens, or to let go of much. */
  #isDrainWanted(attempt: Attempt<Outgoing>): boolean {
    return this.#owesDrain || attempt.held > MUCH || this.#audience.isHeard('drain')
  }

  #watchDrain(): void {
    this.#owesDrain = true
    this.#drainDelay = DRAIN_FIRST
    this.#drainAt = performance.now() + DRAIN_FIRST
    this.#arm()
  }

  #checkDrain(now: number): void {
    if (this.#attempt?.prune()) {
      this.#drainDelay = Math.min(this.#drainDelay * 2, DRAIN_LONGEST)
      this.#drainAt = now + this.#drainDelay
    } else {
      this.#drainAt = Infinity
      this.#owesDrain = false
      this.#tell('drain', undefined)
    }
  }

  /** When the present state is over or to be looked at ([S1]). */
  #limit(): number {
    const { state } = this
    switch (LIMIT[state]) {
      case 'connectTimeout':
        return (this.#attempt as Attempt<Outgoing>).startedAt + this.#settings.connectTimeout
      case 'heartbeat':
        return this.#pulse && this.#rule ? nextCheck(this.#pulse, this.#rule, performance.now()) : Infinity
      case null:
        return Infinity
      case 'delay':
      case 'recheck':
      case 'closeTimeout':
        return this.#until
    }
  }

  #arm(): void {
    this.#timer.set(Math.min(this.#limit(), this.#drainAt))
  }

  #onTimer(): void {
    const now = performance.now()
    if (now >= this.#drainAt - 1) this.#checkDrain(now)
    if (now >= this.#limit() - 1) this.step('timeout')
    this.#arm()
    this.#flush()
  }

  #tellWaiting(now: number): void {
    const delay = Math.max(this.#until - now, 0)
    this.#tell('waiting', { attempt: this.#retries, delay, retryAt: Date.now() + delay })
  }

  #drop(entries: readonly Entry<Outgoing>[], reason: 'overflow' | 'expired' | 'closed'): void {
    if (entries.length > 0) this.#tell('dropped', { messages: entries.map((entry) => entry.message), reason })
  }

  #tell(type: keyof HeartwireEvents, event: unknown): void {
    this.#announce(() => this.#audience.tell(type, event))
  }

  #announce(announcement: () => void): void {
    this.#announcements.push(announcement)
  }

  /** Tells what there is to tell, in order. What a listener causes is told after it ([S3]). */
  #flush(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    // The list may grow meanwhile; for…of sees that.
    for (const announcement of this.#announcements) announcement()
    this.#announcements = []
    this.#isBusy = false
  }
}

/** A failed attempt is reported as the browser does: never as clean, never as a normal closure ([R6]). The query stays out: it may hold a token. */
function asFailure(ending: Ending, url: string): Ending {
  const { code, reason } = ending.close
  const close = { code: code === 1000 || code === 1005 ? 1006 : code, reason, wasClean: false }
  const error =
    ending.error ??
    new HeartwireError('connect-failed', `Cannot connect to ${url.split('?', 1)[0]}: ${code} ${reason}`.trim())
  return { ...ending, close, isFailure: true, error }
}

function total(entries: readonly Entry<unknown>[]): number {
  return entries.reduce((bytes, entry) => bytes + entry.size, 0)
}
