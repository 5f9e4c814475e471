// What all libraries can do, each over its own server: to say something and to hear it. For Node and for pages.
import type { IMessage } from '@stomp/stompjs'
import { Doc } from 'yjs'
import { Heartwire } from '../../src/index.ts'
import type { HeartwireOptions } from '../../src/index.ts'
import { connect as connectGraphql } from '../recipes/graphql-ws.ts'
import { connect as connectMqtt } from '../recipes/mqtt.ts'
import { connect as connectRxjs, forever } from '../recipes/rxjs.ts'
import { createClient as createStomp } from '../recipes/stomp.ts'
import { connect as connectY } from '../recipes/y-websocket.ts'
import type { Library } from './library-server.ts'
import { createCounter } from './waiting.ts'

/** A library that is connected, or about to be, and subscribed. */
export interface Conversation {
  /** Resolves once the text has come back through everything: library, link, server and subscription. */
  readonly say: (text: string) => Promise<void>
  /** Ends it as the library has it. */
  readonly end: () => unknown
}

/** Where a recipe's heartbeat differs from its defaults. */
export interface Timing {
  readonly interval: number
  readonly timeout: number
}

/** `url` leads through the link that breaks, `serverUrl` past it. */
type Begin = (url: string, serverUrl: string, timing: Timing) => Conversation

/** Who waits for which text. */
const createEar = (): { hear: (text: string) => void; heard: (text: string) => Promise<void> } => {
  const waiting = new Map<string, () => void>()
  return {
    hear: (text) => waiting.get(text)?.(),
    heard: (text) =>
      new Promise((resolve) => {
        waiting.set(text, resolve)
      }),
  }
}

/** Each by its recipe. */
export const begin: Record<Library, Begin> = {
  'graphql-ws'(url, _serverUrl, timing) {
    const { hear, heard } = createEar()
    const client = connectGraphql(url, timing)
    const fail = (error: unknown): never => {
      throw error as Error
    }
    const unsubscribe = client.subscribe<{ said: string }>(
      { query: 'subscription { said }' },
      { next: ({ data }) => hear(data?.said ?? ''), error: fail, complete: () => {} },
    )
    return {
      async say(text) {
        const done = heard(text)
        const query = 'mutation ($text: String!) { say(text: $text) }'
        client.subscribe({ query, variables: { text } }, { next: () => {}, error: fail, complete: () => {} })
        await done
      },
      // With its last subscription it ends the connection.
      end: unsubscribe,
    }
  },

  stomp(url, _serverUrl, timing) {
    const { hear, heard } = createEar()
    const client = createStomp(url, timing)
    // Its own check would come second, and on a busy machine perhaps first.
    client.heartbeatToleranceMultiplier = 100
    client.onConnect = () => void client.subscribe('/topic/heard', ({ body }: IMessage) => hear(body))
    client.activate()
    return {
      async say(text) {
        const done = heard(text)
        client.publish({ destination: '/topic/said', body: text })
        await done
      },
      end: () => client.deactivate(),
    }
  },

  mqtt(url, _serverUrl, timing) {
    const { hear, heard } = createEar()
    const client = connectMqtt(url, timing)
    client.on('message', (_topic, payload) => hear(payload.toString()))
    client.subscribe('said')
    return {
      async say(text) {
        const done = heard(text)
        await client.publishAsync('said', text, { qos: 1 })
        await done
      },
      end: () => client.endAsync(),
    }
  },

  'y-websocket'(url, serverUrl, timing) {
    const { hear, heard } = createEar()
    const room = crypto.randomUUID()
    const [near, far] = [new Doc(), new Doc()]
    const providers = [connectY(url, room, near, timing), connectY(serverUrl, room, far)]
    const words = near.getMap<string>('words')
    const copy = far.getMap<string>('words')
    copy.observe(({ keysChanged }) => {
      if (keysChanged.has('said')) copy.set('answered', copy.get('said') ?? '')
    })
    words.observe(({ keysChanged }) => {
      if (keysChanged.has('answered')) hear(words.get('answered') ?? '')
    })
    return {
      async say(text) {
        const done = heard(text)
        words.set('said', text)
        await done
      },
      end() {
        for (const provider of providers) provider.destroy()
        for (const doc of [near, far]) doc.destroy()
      },
    }
  },

  rxjs(url, _serverUrl, timing) {
    const { hear, heard } = createEar()
    const subject = connectRxjs<{ said?: string; subscribe?: string; unsubscribe?: string }>(url, timing)
    const subscription = subject
      .multiplex(
        () => ({ subscribe: 'said' }),
        () => ({ unsubscribe: 'said' }),
        ({ said }) => said !== undefined,
      )
      .pipe(forever())
      .subscribe(({ said = '' }) => hear(said))
    return {
      async say(text) {
        const done = heard(text)
        subject.next({ said: text })
        await done
      },
      end: () => subscription.unsubscribe(),
    }
  },
}

/** The sockets that the recipes make. */
export interface Watched {
  /** Every one since then, in order. */
  readonly sockets: readonly Heartwire[]
  /** Resolves once there have been `count`. */
  made(count: number): Promise<void>
  stop(): void
}

/** Watches every Heartwire that a recipe's class makes from now on. */
export function watch(): Watched {
  const sockets: Heartwire[] = []
  const counter = createCounter('sockets')
  // Called with its class, below.
  // oxlint-disable-next-line typescript/unbound-method
  const { extend } = Heartwire
  Heartwire.extend = ((options: HeartwireOptions) =>
    class extends extend.call(Heartwire, options) {
      constructor(...given: ConstructorParameters<typeof Heartwire>) {
        super(...given)
        sockets.push(this)
        counter.add()
      }
    }) as typeof extend
  return {
    sockets,
    made: (count) => counter.reached(count),
    stop() {
      Heartwire.extend = extend
      counter.close()
    },
  }
}
