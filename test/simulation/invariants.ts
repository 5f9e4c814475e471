// What must always be true, each as a sentence, and how it is found broken. A run ends with the first sentence that is not true.

/** The sentences. A name is how the code refers to one; the sentence is what a failure prints. */
export const INVARIANTS = {
  oneSocket: 'at most one native socket of a client is live at once',
  oneConnection: 'the server never has two connections of one client that the client has not let go of',
  nothingAfterClosed: 'after closed there is no timer, no listener on the network or on a signal, no live socket',
  silentAfterClosed: 'after closed nothing is told until the next attempt, but what is dropped',
  oneTimer: 'a client has one timer at most',
  movesOn: 'every state that must move on by itself has a timer within its limit',
  legalState: 'states follow each other as the table says',
  delayInRange: 'a retry comes after a delay that the options allow',
  noStorm: 'no attempt begins before its time, unless the application or a signal asks for it',
  policy: 'a loss is retried exactly if the policy says so',
  givesUp: 'attempts are counted, and giving up comes after the last one allowed',
  healthyStays: 'a healthy link is never dropped, however late the checks come',
  deadIsNoticed: 'a dead link is noticed within its bound',
  recovers: 'once faults cease, every client that may is open within its bound',
  onceInOrder: 'what send accepted arrives at most once, in order and unchanged',
  noneLost: 'what send accepted is at the server, still queued, or announced as dropped or in doubt',
  replayed: 'what provably never left a closed connection is queued again, and nothing else',
  bufferedAmount: 'bufferedAmount and queued are what the model says',
  withinLimits: 'the queue keeps its limits, and is full when it says so',
  readyState: 'readyState, reason, latency and url are what the state, the events and the native socket say',
  eventOrder: 'open, message, error and close come in the order of the browser',
  closesInTime: 'close() waits for the peer as long as closeTimeout says, and longer only while bytes are leaving',
  failsAtOnce: 'a provider or handshake that throws or rejects fails its attempt at once',
  oneClose:
    'each connection has one close event, and each close() leads to one, never within the call, unless what was not open is replaced',
  drained: 'drain is told when all that was accepted has left, and not before',
  inbound: 'what the server sent arrives once, in order, while open',
  nothingUncaught: 'no rejection is unhandled and no error is uncaught but those of the application',
  promises: 'a promise settles with what happened, and none is left when the socket is closed',
  badInput: 'bad input throws what it should and changes nothing',
} as const
export type InvariantName = keyof typeof INVARIANTS

/** An invariant that was found broken. */
export class Violation extends Error {
  readonly invariant: InvariantName
  readonly detail: string

  constructor(invariant: InvariantName, detail: string) {
    super(`${INVARIANTS[invariant]}: ${detail}`)
    this.name = 'Violation'
    this.invariant = invariant
    this.detail = detail
  }
}

/** Notes the first violation. Never throws: a listener's throw would be caught, and a turn must come to its end. */
export class Judge {
  first: Violation | null = null

  claim(invariant: InvariantName, isTrue: boolean, detail: () => string): void {
    if (!isTrue && !this.first) this.first = new Violation(invariant, detail())
  }
}
