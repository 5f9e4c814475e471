// The lifecycle's shell: owns the one native socket and the one timer, asks the pure files what to do, and does it.
import { Announcer } from './announcer.js'
import { greet, resolveTarget, type Target } from './application.js'
import { Attempt, type Ending } from './attempt.js'
import type { Audience } from './audience.js'
import { DrainWatch } from './drain.js'
import { because, HeartwireError, type HeartwireErrorCode, isolated } from './errors.js'
import { closeEvent } from './events.js'
import { Heart } from './heart.js'
import { judge, probe } from './heartbeat.js'
import { LEADS_TO, LIMIT, type Step, stepFor, type Trigger } from './machine.js'
import { pageNetwork } from './network.js'
import type { Settings, WebSocketClass } from './options.js'
import { type Entry, Outbox, sizeOf, snapshot } from './outbox.js'
import { Policy } from './policy.js'
import { Timer } from './timer.js'
import type {
  ClosedReason,
  CloseInfo,
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
/** Bytes of messages in flight that are kept until the next `send`, at most; for more there is a look at what has left. */
const MUCH = 65_536

const BROKEN: CloseInfo = { code: 1006, reason: '', wasClean: false }

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
  /** What was wrong with the latest connection or attempt, if anything was. */
  failure: HeartwireError | undefined
  readonly outbox: Outbox<Outgoing> | null
  readonly #settings: Settings<Incoming, Outgoing>
  #url: Provider<string | URL>
  readonly #protocols: Provider<string | string[]> | undefined
  readonly #audience: Audience
  readonly #policy: Policy
  readonly #announcer = new Announcer()
  readonly #drain = new DrainWatch()
  readonly #timer = new Timer(this)
  /** What to connect to, once the providers have said and until it is done. */
  #target: Target | null = null
  #attempt: Attempt<Outgoing> | null = null
  #heart: Heart | null = null
  #hasBeenOpen = false
  #closeArguments: [code?: number | undefined, reason?: string | undefined] | undefined
  /** Bytes that `send` accepted and no connection will ever take; the native `bufferedAmount` counts them, too. */
  #discarded = 0
  /** When the wait of `waiting`, `paused` or `closing` is over. */
  #until = Infinity
  /** What an aborted `signal` does. */
  readonly #abort: (() => void) | undefined
  #network: NetworkSource | null = null
  #unsubscribe: (() => void) | undefined
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
    this.#policy = new Policy(settings.reconnect)
    const { signal, start } = settings
    if (signal) this.#abort = () => this.close('aborted', abortedBy(signal))
    if (signal?.aborted) this.#abort?.()
    else if (start === 'now') this.step('connect')
    else this.#listenTo(signal)
    this.#isConstructing = false
    // Nobody is told anything before the constructor has returned ([P3]).
    queueMicrotask(() => {
      this.#announcer.isBusy = false
      this.#announcer.flush()
    })
  }

  get native(): WebSocket | null {
    return this.#attempt?.native ?? null
  }

  get attempt(): number {
    const openedAt = this.#attempt?.openedAt ?? null
    return this.#policy.isStable(openedAt, performance.now()) ? 0 : this.#policy.retries
  }

  get bufferedAmount(): number {
    return (this.outbox?.bytes ?? 0) + (this.#attempt?.buffered ?? 0) + this.#discarded
  }

  /** One turn of the machine: state first, then effects, then listeners ([S3]). */
  step(trigger: Trigger, ending?: Ending): void {
    const previous = this.state
    const step = stepFor(previous, trigger)
    if (step) {
      const { isBusy } = this.#announcer
      this.#announcer.isBusy = true
      try {
        this.state = LEADS_TO[step] ?? previous
        if (this.state !== previous) this.#tell('state', { state: this.state, previous })
        if (ending) this.#end(ending)
        this.#act(step, previous)
      } finally {
        // A provider may have called a method meanwhile: what that caused is told with the rest.
        this.#announcer.isBusy = isBusy
      }
    }
    this.#arm()
    this.#announcer.flush()
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
      const { queue } = this.#settings
      // What is given to a socket that has begun to close would never leave; natively that is how it is.
      if (!queue || attempt.native?.readyState === 1) {
        // The clock is dear, and nobody asks how old a message is that does not expire.
        const at = queue && queue.ttl < Infinity ? performance.now() : 0
        attempt.send(message, wire, queue !== null && queue.replay, at)
        if (this.#drain.at === Infinity && this.#isDrainWanted(attempt)) this.#watchDrain()
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
      this.#announcer.flush()
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
        if (attempt) attempt.isForsaken = true
        // What is only replaced was never open: there is no close to tell. To tell one would also make a listener of close that
        // closes and reconnects, or just reconnects, cause the next, for ever.
        if (typeof attempt?.openedAt !== 'number') this.#replace()
        else {
          this.#credit(now)
          // The policy's functions may reconnect, and are asked when the native socket has closed.
          const isGone = attempt.native?.readyState === 3
          this.#end({ close: { ...BROKEN, reason: 'reconnect' }, isFailure: false, isGone })
        }
        return this.#start(previous)
      case 'start':
        return this.#start(previous)
      case 'dial':
        return this.#dial()
      case 'greet':
        return this.#greet(attempt as Attempt<Outgoing>)
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
        this.#credit(now)
        this.#end({ close: { ...BROKEN, reason: 'page hidden' }, isFailure: false })
        this.#until = now + RECHECK
        return
      case 'strand':
        this.#until = now + RECHECK * (1 - Math.random() / 4)
        return
      case 'shut':
        this.#stopHeart()
        this.#until = attempt?.shut(this.#closeArguments ?? []) ? now + closeTimeout : now
        this.#announcer.announce(() => attempt?.abort())
        return
      case 'settle':
        // What was accepted may still be leaving over a slow link ([Q5]).
        if (attempt?.hasLeft()) this.#until = now + closeTimeout
        else this.#lose({ close: BROKEN, isFailure: false })
        return
      case 'finish':
        return this.#finish()
      /* v8 ignore next 2 -- a step without a case does not compile */
      default:
        step satisfies never
    }
  }

  #start(previous: State): void {
    const isAfresh = ['idle', 'closing', 'closed'].includes(previous)
    if (isAfresh) this.#policy.reset()
    this.error = null
    this.#closeArguments = undefined
    this.#discarded = 0
    const attempt = (this.#attempt = new Attempt(performance.now()))
    if (isAfresh) this.#subscribe()
    // A source of the application's may have called a method.
    if (attempt !== this.#attempt) return
    if (typeof this.#url !== 'function' && typeof this.#protocols !== 'function') {
      this.#target = [this.#url as string, this.#protocols]
      return this.step('resolved')
    }
    const context = { attempt: this.#policy.retries, lastClose: this.lastClose, signal: attempt.signal }
    resolveTarget(this.#url, this.#protocols, context).then(
      (target) => {
        if (attempt !== this.#attempt) return
        this.#target = target
        this.step('resolved')
      },
      (cause: unknown) =>
        this.#fail(attempt, 'provider-failed', `Cannot connect as a provider failed${because(cause)}`, cause),
    )
  }

  #dial(): void {
    const attempt = this.#attempt as Attempt<Outgoing>
    const [url, protocols] = this.#target as Target
    this.#target = null
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
    // Anything can happen in a constructor: then this one is nobody's any more.
    if (attempt !== this.#attempt) return attempt.orphan()
    const { heartbeat } = this.#settings
    this.#heart = heartbeat && new Heart(heartbeat, attempt)
    isolated(() => (native.binaryType = this.binaryType))
    this.url = native.url || url
    // A relative url means the same at each attempt, wherever the page has gone meanwhile.
    if (typeof this.#url !== 'function') this.#url = this.url
    this.protocol = this.extensions = ''
    native.onopen = () => {
      // It comes once, and an open socket may live long.
      native.onopen = null
      if (attempt !== this.#attempt) return
      this.protocol = native.protocol
      this.extensions = native.extensions
      this.step(this.#settings.handshake ? 'opened' : 'ready')
    }
    native.onmessage = (event) => this.#receive(attempt, event)
    native.onerror = (event) => {
      attempt.hasErred = true
      // Browsers never say why; `ws` does.
      attempt.cause ??= (event as Partial<ErrorEvent> | undefined)?.error
    }
    // Not every class of that shape tells everything.
    native.onclose = ({ code = 1006, reason = '', wasClean = code !== 1006 }: Partial<CloseInfo> = BROKEN) => {
      if (attempt === this.#attempt)
        this.#lose({ close: { code, reason, wasClean }, isFailure: attempt.hasErred, isGone: true })
    }
  }

  #greet(attempt: Attempt<Outgoing>): void {
    const isUnderWay = (): boolean => attempt === this.#attempt && this.state === 'handshaking'
    greet(this.#settings, attempt, this.#policy.retries, isUnderWay).then(
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
    this.failure = undefined
    this.#heart?.begin(now, Math.random)
    const hasWaited = Boolean(outbox?.length)
    if (hasWaited) this.#drop(outbox?.expire(now) ?? [], 'expired')
    this.#drain.isOwed ||= hasWaited
    this.#announcer.announce(() => this.#audience.dispatch(new Event('open')))
    this.#tell('open', { attempt: this.#policy.retries, isReconnect: this.#hasBeenOpen })
    this.#hasBeenOpen = true
    if (this.#settings.heartbeat?.timers === 'worker') this.#timer.hire()
    for (const event of attempt.unread()) this.#deliverLater(attempt, event)
    if (hasWaited) this.#sendQueue(attempt, outbox as Outbox<Outgoing>)
    if (this.#drain.isOwed && attempt === this.#attempt) this.#watchDrain()
  }

  #sendQueue(attempt: Attempt<Outgoing>, outbox: Outbox<Outgoing>): void {
    const { queue } = this.#settings
    const entries = outbox.takeAll()
    for (const [index, entry] of entries.entries()) {
      // A native socket that has begun to close meanwhile would never send it; then the rest waits for the next ([Q3]).
      // What a class has given back within send() is older.
      if (attempt.native?.readyState !== 1) return outbox.putBack([...outbox.takeAll(), ...entries.slice(index)])
      const { message, wire, at } = entry
      const isSent = isolated(() => attempt.send(message, wire, queue !== null && queue.replay, at) === undefined)
      // A class that cannot send this one is reported, and the others still go.
      if (!isSent) this.#drop([entry], 'refused')
    }
  }

  // The heartbeat.

  /** Asks the heart, and acts on what it says. */
  #look(decide: typeof judge, now: number): void {
    const heart = this.#heart
    if (!heart) return
    const verdict = heart.look(decide, now, this.#timer.isLate)
    if (verdict === 'ask') {
      if (decide === probe) this.#tell('probe', { timeout: heart.pulse.patience })
      heart.ask(now)
    }
    if (verdict !== 'dead') return
    const silence = Math.round(now - heart.pulse.heard)
    this.#fail(this.#attempt, 'heartbeat-timeout', `Lost the connection as nothing came for ${silence} ms`)
  }

  /** The connection is over or closing: nothing more is sent for it. */
  #stopHeart(): void {
    if (this.#heart) this.#heart.isStopped = true
    this.#heart = null
  }

  /** A message: the hot path. It notes the time, and neither steps nor sets a timer ([H5]). */
  #receive(attempt: Attempt<Outgoing>, event: MessageEvent): void {
    if (attempt !== this.#attempt) return
    const isGreeting = this.state === 'handshaking'
    if (!isGreeting && this.state !== 'open') return
    if (this.#heart && this.#isBeat(this.#heart, event)) return
    if (isGreeting) return attempt.keep(event)
    const announcer = this.#announcer
    if (announcer.isBusy) return this.#deliverLater(attempt, event)
    announcer.isBusy = true
    try {
      this.#audience.deliver(event, attempt.native)
    } finally {
      announcer.isBusy = false
    }
    announcer.flush()
  }

  /** A message that has to wait its turn. As natively, nobody gets it if the application closes before that. */
  #deliverLater(attempt: Attempt<Outgoing>, event: MessageEvent): void {
    this.#announcer.announce(() => {
      if (!attempt.isForsaken) this.#audience.deliver(event)
    })
  }

  /** Shows a message to the heart. Returns whether it is for nobody else: a beat, or too late. */
  #isBeat(heart: Heart, event: MessageEvent): boolean {
    const isBeat = heart.hear(event)
    // pong() is the application's: it may have let go of the connection.
    if (heart.isStopped) return true
    if (!isBeat) {
      if (this.state === 'open' && heart.isOverdue) this.#look(judge, heart.pulse.heard)
      // So is message().
      return heart.isStopped
    }
    const latency = heart.answered()
    if (latency !== null) this.latency = latency
    this.#tell('heartbeat', { latency })
    heart.reply(event.data)
    this.#announcer.flush()
    return true
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
    if (attempt?.openedAt === null) ending = asFailure(ending, this.url, attempt.cause)
    if (this.state === 'closing') return this.step('ended', { ...ending, error: undefined })
    this.failure = ending.error
    const sentence = this.#policy.sentence(ending.close, attempt?.openedAt ?? null, performance.now())
    // The application's when() or delay() may have closed or reconnected meanwhile.
    if (attempt !== this.#attempt) return
    if (typeof sentence === 'number') {
      this.#until = performance.now() + sentence
      return this.step(isolated(() => this.#network?.online) === false ? 'stranded' : 'lost', ending)
    }
    if ((this.state as State) !== 'closing') {
      this.reason = sentence
      this.error =
        sentence === 'gave-up'
          ? new HeartwireError('gave-up', `Gave up, failed attempts: ${this.#policy.failures}`, ending.error)
          : null
    }
    this.step('ended', ending)
  }

  /** Lets go of the connection or attempt and announces its end. The state is the next one already. */
  #end({ close, isFailure, error, isGone }: Ending): void {
    const attempt = this.#attempt
    const willReconnect = this.state !== 'closed'
    this.#attempt = null
    this.#stopHeart()
    this.#drain.at = Infinity
    if (willReconnect) this.#policy.retries++
    if (isFailure) this.#announcer.announce(() => this.#audience.dispatch(new Event('error')))
    this.#announcer.announce(() => this.#audience.dispatch(closeEvent(close, willReconnect)))
    if (error) this.#tell('error', error)
    if (!attempt) return
    this.#announcer.announce(() => attempt.abort())
    this.lastClose = close
    const { buffered } = attempt
    const unsent = attempt.unsent()
    if (!willReconnect) this.#discarded += buffered - total(unsent)
    // A socket that we gave up on may still send what it holds, should the link come back. Only what is in the buffer of one
    // that has closed can be sent again without any danger of arriving twice ([Q3], decision 0003).
    const requeued = willReconnect && !isGone ? [] : unsent
    this.outbox?.putBack(requeued.map((entry) => ({ ...entry, size: sizeOf(entry.wire) })))
    attempt.orphan()
    // A peer that answers before it is asked confirms too much.
    const inDoubt = Math.max(attempt.sent - attempt.confirmed - requeued.length, 0)
    // Whoever answers our close has read what came before it. A close of the server's own may have crossed it, and what a
    // server receives after that it throws away. (Some answer a close without a code with 1000.)
    const [code = 1005] = this.#closeArguments ?? []
    const isAnswered = close.wasClean && (close.code === code || close.code === 1000)
    if (this.#closeArguments && isAnswered && buffered === 0) return
    this.#tell('lost', {
      close,
      wasOpen: attempt.openedAt !== null,
      willReconnect,
      // Without a next connection they are dropped.
      requeued: willReconnect ? requeued.length : 0,
      inDoubt,
    })
  }

  #replace(): void {
    const attempt = this.#attempt
    this.#attempt = null
    this.#stopHeart()
    attempt?.orphan()
    this.#announcer.announce(() => attempt?.abort())
  }

  #finish(): void {
    this.#drain.isOwed = false
    this.#timer.release()
    this.#unsubscribeAll()
    const left = this.outbox?.takeAll() ?? []
    this.#discarded += total(left)
    this.#drop(left, 'closed')
    if (this.error) this.#tell('error', this.error)
    this.#tell('closed', { reason: this.reason, close: this.lastClose })
  }

  #credit(now: number): void {
    this.#policy.credit(this.#attempt?.openedAt ?? null, now)
  }

  // Signals, time and telling.

  #subscribe(): void {
    const { network, signal } = this.#settings
    const source = (this.#network = network === true ? pageNetwork() : network || null)
    if (source && !this.#unsubscribe) {
      let isSubscribed = false
      // What it says of the present when asked is no news.
      this.#unsubscribe = isolated(() =>
        source.subscribe((hint) => {
          if (isSubscribed) this.#heed(hint)
        }),
      )
      isSubscribed = true
    }
    this.#listenTo(signal)
  }

  #listenTo(signal: AbortSignal | undefined): void {
    if (this.#abort) signal?.addEventListener('abort', this.#abort)
  }

  #unsubscribeAll(): void {
    // A source of the application's may have given us none.
    if (typeof this.#unsubscribe === 'function') isolated(this.#unsubscribe)
    this.#unsubscribe = undefined
    if (this.#abort) this.#settings.signal?.removeEventListener('abort', this.#abort)
  }

  #heed(signal: NetworkSignal): void {
    // Who wants one connection and no other gets what the browser makes of it, as natively ([P2]).
    if (!this.#policy.allowsRetries && (signal === 'hide' || this.state !== 'open')) return
    if (signal === 'offline' || signal === 'hide') this.step(signal)
    // Chromium says that the page is visible before it says that it is restored: then the wait has begun.
    else if (signal === 'restore' && ['paused', 'waiting'].includes(this.state)) this.connect()
    else this.step('wake')
  }

  /** Sees to it that `drain` is announced, now that somebody waits for it. */
  expectDrain(): void {
    this.#drain.isOwed = true
    if (this.state === 'open' || (this.state === 'closing' && this.native)) this.#watchDrain()
  }

  /** A timer for each single message would cost more than the message: only for who listens, or to let go of much. */
  #isDrainWanted(attempt: Attempt<Outgoing>): boolean {
    return this.#drain.isOwed || attempt.held > MUCH || this.#audience.isHeard('drain')
  }

  #watchDrain(): void {
    this.#drain.begin(performance.now())
    this.#arm()
  }

  /** When the present state is over or to be looked at ([S1]). */
  #limit(): number {
    const { state } = this
    switch (LIMIT[state]) {
      case 'connectTimeout':
        return (this.#attempt as Attempt<Outgoing>).startedAt + this.#settings.connectTimeout
      case 'heartbeat':
        return this.#heart?.nextCheck(performance.now()) ?? Infinity
      case null:
        return Infinity
      case 'delay':
      case 'recheck':
      case 'closeTimeout':
        return this.#until
    }
  }

  #arm(): void {
    this.#timer.set(Math.min(this.#limit(), this.#drain.at))
  }

  /** The state has lasted as long as it may, or it is time to look. */
  onTimer(): void {
    const now = performance.now()
    if (now >= this.#drain.at - 1) {
      const isBuffering = this.#attempt?.prune() === true || this.outbox?.length
      if (this.#drain.look(now, Boolean(isBuffering))) this.#tell('drain', undefined)
    }
    if (now >= this.#limit() - 1) this.step('timeout')
    this.#arm()
    this.#announcer.flush()
  }

  /** A diagnostic, not a failure: everything goes on by the page's timers ([H10]). */
  onWorkerFailed(cause: unknown): void {
    const message = `Cannot beat from a worker, only from the page${because(cause)}`
    this.#tell('error', new HeartwireError('worker-failed', message, cause))
    this.#announcer.flush()
  }

  #tellWaiting(now: number): void {
    const delay = Math.max(this.#until - now, 0)
    this.#tell('waiting', { attempt: this.#policy.retries, delay, retryAt: Date.now() + delay })
  }

  #drop(entries: readonly Entry<Outgoing>[], reason: HeartwireEvents['dropped']['reason']): void {
    if (entries.length > 0) this.#tell('dropped', { messages: entries.map((entry) => entry.message), reason })
  }

  #tell<Type extends keyof HeartwireEvents>(type: Type, event: HeartwireEvents<any, any>[Type]): void {
    this.#announcer.announce(() => this.#audience.tell(type, event))
  }
}

/** A failed attempt is reported as the browser does: never as clean, never as a normal closure ([R6]). The query stays out: it may hold a token. */
function asFailure(ending: Ending, url: string, cause: unknown): Ending {
  const { code, reason } = ending.close
  const close = { code: code === 1000 || code === 1005 ? 1006 : code, reason, wasClean: false }
  const error =
    ending.error ??
    new HeartwireError(
      'connect-failed',
      `Cannot connect to ${url.split('?', 1)[0]}: ${code} ${reason}`.trim() + because(cause),
      cause,
    )
  return { ...ending, close, isFailure: true, error }
}

function abortedBy({ reason }: AbortSignal): HeartwireError {
  return new HeartwireError('aborted', `Closed as the signal was aborted${because(reason)}`, reason)
}

function total(entries: readonly Entry<unknown>[]): number {
  return entries.reduce((bytes, entry) => bytes + entry.size, 0)
}
