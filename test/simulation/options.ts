// The options that one client is made with: what was drawn, and the functions of the application that it names.
import type { HeartwireOptions } from '../../src/index.ts'
import type { Client } from './client.ts'
import { BEAT, PING, PONG } from './server.ts'
import { plainOptions } from './settings.ts'

export function optionsOf(client: Client): HeartwireOptions<any, any> {
  const { application, facts, network, controller } = client
  const { gives, heartbeat, reconnect } = facts
  const plain = plainOptions(facts)
  return {
    ...plain,
    ...(gives.protocols === 'provider' && {
      protocols: application.provide<string | string[]>(['chat'], 'not a token'),
    }),
    ...(gives.handshake && { handshake: application.handshake }),
    ...(gives.network && { network }),
    ...(gives.signal && { signal: controller.signal }),
    ...(gives.codec && { codec: application.codec }),
    ...(heartbeat && {
      heartbeat: {
        ...(plain.heartbeat as object),
        ...(heartbeat.canAsk && gives.message === 'function' && { message: () => beat(client) }),
        ...(heartbeat.pong === 'function' && { pong: (data: unknown) => isPong(client, data) }),
        ...(gives.reply && { reply: () => reply(client) }),
      },
    }),
    ...(reconnect &&
      (gives.when || gives.delay) && {
        reconnect: {
          ...reconnect,
          ...(gives.when && { when: () => answer(client, 'when', application.when) as boolean }),
          ...(gives.delay && {
            delay: (context: { readonly delay: number }) =>
              answer(client, 'delay', () => application.delay(context)) as number,
          }),
        },
      }),
  }
}

/** What the heartbeat sends. If it throws, or calls a method, the question may be left out. */
function beat(client: Client): string {
  const { calls } = client
  let isAsked = false
  try {
    client.application.act()
    isAsked = client.calls === calls
    return PING
  } finally {
    if (!isAsked) client.vitals.omitted()
  }
}

function isPong({ application }: Client, data: unknown): boolean {
  application.act()
  return data === PONG || data === BEAT
}

function reply({ application, world }: Client): string | undefined {
  application.act()
  return world.chance.is(0.5) ? 'r' : undefined
}

/** Asks the application about a retry. What it calls meanwhile makes the policy start over, and the model uncertain. */
function answer(client: Client, name: 'when' | 'delay', ask: () => unknown): unknown {
  const { calls } = client
  const { schedule, causes } = client.witness
  delete schedule.answers[name]
  try {
    return (schedule.answers[name] = ask())
  } finally {
    if (client.calls > calls) causes.policy = true
  }
}
