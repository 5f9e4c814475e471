// For tests that run in the page: commands for the server and the proxy, which live in Node.
import { inject } from 'vitest'
import type { Library, LibraryRig } from './library-server.ts'
import type { Observation } from './reliability.ts'
import type { Rig } from './rig.ts'
import { decode, encode } from './wire.ts'

type Part = 'server' | 'proxy'

/** What of a rig can be commanded. */
type Parts = Record<Part, object>

/** `'proxy.stall'`, `'server.received'`: every method and property of a rig's two parts. */
export type Path<R extends Parts = Rig> = { [Key in Part]: `${Key}.${keyof R[Key] & string}` }[Part]

type Member<R extends Parts, P extends Path<R>> = P extends `${infer Key extends Part}.${infer Name}`
  ? Name extends keyof R[Key]
    ? R[Key][Name]
    : never
  : never

type Arguments<R extends Parts, P extends Path<R>> = Member<R, P> extends (...args: infer Args) => unknown ? Args : []
type Result<R extends Parts, P extends Path<R>> =
  Member<R, P> extends (...args: never[]) => infer Returned ? Awaited<Returned> : Member<R, P>

/** Calls a method of the rig, or reads a property; resolves to its result once it is done. */
export type Control<R extends Parts = Rig> = <P extends Path<R>>(
  path: P,
  ...args: Arguments<R, P>
) => Promise<Result<R, P>>

/** A rig that lives in Node, as the page sees it. */
export interface RemoteRig<R extends Parts = Rig> {
  /** The server's address through the proxy. */
  readonly url: string
  /** The server's address past the proxy. */
  readonly serverUrl: string
  readonly control: Control<R>
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
  <R extends Parts>(rig: string): Control<R> =>
  // The other end calls the very member that `path` names, so its result has that member's type.
  async <P extends Path<R>>(path: P, ...args: Arguments<R, P>) =>
    (await post(`/${rig}/${path}`, args)) as Result<R, P>

/** Commands the rig whose addresses are `inject('wsUrl')` and `inject('proxyUrl')`. All files share it, one after another. */
export const control: Control = controlOf<Rig>('shared')

const open = async <R extends Parts>(library: Library | null): Promise<RemoteRig<R>> => {
  const opened = (await post('/', library)) as { id: string; url: string; serverUrl: string }
  const { id, url, serverUrl } = opened
  return {
    url,
    serverUrl,
    control: controlOf<R>(id),
    async close() {
      await post(`/${id}/close`)
    },
  }
}

/** A server and a proxy of one's own: for a test that must not find the traces of another. Close it. */
export const openRig = (): Promise<RemoteRig> => open<Rig>(null)

/** The same, with the server that a library is made for. */
export const openLibraryRig = (library: Library): Promise<RemoteRig<LibraryRig>> => open<LibraryRig>(library)

/** Notes what a user saw, for docs/reliability.md. */
export async function record(observation: Observation): Promise<void> {
  await post('/record', observation)
}
