// For tests that run in the page: commands for the server and the proxy, which live in Node.
import { inject } from 'vitest'
import type { Observation } from './reliability.ts'
import type { Rig } from './rig.ts'
import { decode, encode } from './wire.ts'

type Part = 'server' | 'proxy'

/** `'proxy.stall'`, `'server.received'`: every method and property of the rig's two parts. */
export type Path = { [Key in Part]: `${Key}.${keyof Rig[Key] & string}` }[Part]

type Member<P extends Path> = P extends `${infer Key extends Part}.${infer Name}`
  ? Name extends keyof Rig[Key]
    ? Rig[Key][Name]
    : never
  : never

type Arguments<P extends Path> = Member<P> extends (...args: infer Args) => unknown ? Args : []
type Result<P extends Path> = Member<P> extends (...args: never[]) => infer R ? Awaited<R> : Member<P>

/** Calls a method of the rig, or reads a property; resolves to its result once it is done. */
export type Control = <P extends Path>(path: P, ...args: Arguments<P>) => Promise<Result<P>>

/** A rig that lives in Node, as the page sees it. */
export interface RemoteRig {
  /** The server's address through the proxy. */
  readonly url: string
  /** The server's address past the proxy. */
  readonly serverUrl: string
  readonly control: Control
  /** Ends server and proxy. */
  close(): Promise<void>
}

const post = async (path: string, body: unknown = null): Promise<unknown> => {
  const response = await fetch(inject('controlUrl') + path, { method: 'POST', body: encode(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return decode(text)
}

const controlOf =
  (rig: string): Control =>
  // The other end calls the very member that `path` names, so its result has that member's type.
  async <P extends Path>(path: P, ...args: Arguments<P>) =>
    (await post(`/${rig}/${path}`, args)) as Result<P>

/** Commands the rig whose addresses are `inject('wsUrl')` and `inject('proxyUrl')`. All files share it, one after another. */
export const control: Control = controlOf('shared')

/** A server and a proxy of one's own: for a test that must not find the traces of another. Close it. */
export async function openRig(): Promise<RemoteRig> {
  const { id, url, serverUrl } = (await post('/')) as { id: string; url: string; serverUrl: string }
  return {
    url,
    serverUrl,
    control: controlOf(id),
    async close() {
      await post(`/${id}/close`)
    },
  }
}

/** Notes what a user saw, for docs/reliability.md. */
export async function record(observation: Observation): Promise<void> {
  await post('/record', observation)
}
