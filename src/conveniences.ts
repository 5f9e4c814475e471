// Promises and iteration over the public events. Built from the outside: nothing here knows the shell.
import { handled, HeartwireError } from './errors.js'

/** What there is to know of a socket here. */
export interface Waiting {
  on(type: string, listener: (event: any) => void): () => void
  isClosed(): boolean
}

/**
 * Messages that an iterator holds for a slow reader, at most: no WebSocket can slow its sender down, so a reader that falls
 * behind for good must fail rather than eat all memory.
 */
const ITERATOR_LIMIT = 65_536

/**
 * The next event of a type. Rejects when the socket closes for good first, or `signal` is aborted. A rejection that nobody
 * looks at is nobody's error, so it is never unhandled.
 */
export function next<Event>(
  socket: Waiting,
  type: string,
  failure: () => unknown,
  signal?: AbortSignal,
): Promise<Event> {
  return handled(
    new Promise<Event>((resolve, reject) => {
      const abort = (): void => settle(() => reject(signal?.reason))
      const undo = [
        socket.on(type, (event: Event) => settle(() => resolve(event))),
        // In a listener of the end someone may have connected again: then that end is not this waiter's.
        socket.on('closed', () => {
          if (socket.isClosed()) settle(() => reject(failure()))
        }),
        () => signal?.removeEventListener('abort', abort),
      ]
      const settle = (how: () => void): void => {
        for (const off of undo) off()
        how()
      }
      signal?.addEventListener('abort', abort)
      if (signal?.aborted) abort()
    }),
  )
}

/** Who waits for the next message. */
interface Reader<Message> {
  resolve(result: IteratorResult<Message, undefined>): void
  reject(error: unknown): void
}

/**
 * Every message from now on, until the socket is closed for good; then `failure`, if it was not the user who closed it.
 * Not a generator: one would begin with its first `next()`, and could not `return()` while it waits.
 */
export class Messages<Message> implements AsyncIterableIterator<Message, undefined> {
  /** What is unread: newest last; and what of it is read next, newest first, since shifting a long list is slow. */
  #queue: Message[] = []
  #turned: Message[] = []
  readonly #readers: Reader<Message>[] = []
  readonly #undo: (() => void)[]
  #hasEnded = false
  #error: unknown = null

  constructor(socket: Waiting, failure: () => unknown) {
    this.#undo = [
      socket.on('message', (message: Message) => this.#take(message)),
      socket.on('closed', () => {
        if (socket.isClosed()) this.#end(failure())
      }),
    ]
    if (socket.isClosed()) this.#end(failure())
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    if (this.#turned.length === 0) {
      // oxlint-disable-next-line unicorn/no-array-reverse -- toReversed() is too new for some browsers
      this.#turned = this.#queue.reverse()
      this.#queue = []
    }
    if (this.#turned.length > 0) return Promise.resolve({ done: false, value: this.#turned.pop() as Message })
    return handled(
      new Promise((resolve, reject) => {
        this.#readers.push({ resolve, reject })
        if (this.#hasEnded) this.#settle()
      }),
    )
  }

  /** What `break` calls: stops listening. */
  return(): Promise<IteratorResult<Message, undefined>> {
    this.#forget()
    this.#error = null
    this.#end(null)
    return this.next()
  }

  #take(message: Message): void {
    const reader = this.#readers.shift()
    if (reader) return reader.resolve({ done: false, value: message })
    if (this.#queue.push(message) + this.#turned.length > ITERATOR_LIMIT) {
      this.#forget()
      this.#end(new HeartwireError('queue-overflow', `Cannot iterate as at most ${ITERATOR_LIMIT} messages may wait`))
    }
  }

  #forget(): void {
    this.#queue = []
    this.#turned = []
  }

  #end(error: unknown): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#error = error
    for (const off of this.#undo) off()
    this.#settle()
  }

  /** The error is for one reader; whoever asks again hears that it is over. */
  #settle(): void {
    for (const reader of this.#readers.splice(0)) {
      if (this.#error) reader.reject(this.#error)
      else reader.resolve({ done: true, value: undefined })
      this.#error = null
    }
  }
}
