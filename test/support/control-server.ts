// The Node end of `control.ts`: one HTTP request on loopback is one call on a rig.
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { startLibraryRig } from './library-server.ts'
import type { Library, LibraryRig } from './library-server.ts'
import { listen } from './listen.ts'
import { record } from './reliability.ts'
import type { Observation } from './reliability.ts'
import { startRig } from './rig.ts'
import type { Rig } from './rig.ts'
import { decode, encode } from './wire.ts'

/** Where pages send their commands, and the rig they all share. */
export interface ControlServer {
  readonly url: string
  readonly shared: Rig
  readonly close: () => Promise<void>
}

const read = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return decode(Buffer.concat(chunks).toString())
}

const call = async (rig: Rig | LibraryRig, path: string, args: unknown): Promise<unknown> => {
  const [part, name] = path.split('.')
  if ((part !== 'server' && part !== 'proxy') || name === undefined || !Object.hasOwn(rig[part], name)) {
    throw new Error(`Cannot call ${path}: a rig has no such member`)
  }
  const target = rig[part]
  const member: unknown = Reflect.get(target, name)
  return typeof member === 'function' ? (Reflect.apply(member, target, args as unknown[]) as unknown) : member
}

/** Starts it, with the shared rig. */
export async function startControlServer(): Promise<ControlServer> {
  const shared = await startRig()
  const rigs = new Map<string, Rig | LibraryRig>([['shared', shared]])
  let created = 0

  const handle = async (request: IncomingMessage): Promise<unknown> => {
    const body = await read(request)
    const [, id = '', path = ''] = (request.url ?? '').split('/')
    if (id === 'record') return record(body as Observation)
    if (id === '') {
      const rig = body === null ? await startRig() : await startLibraryRig(body as Library)
      const name = `rig${(created += 1)}`
      rigs.set(name, rig)
      return { id: name, url: rig.url, serverUrl: rig.serverUrl }
    }
    const rig = rigs.get(id)
    if (!rig) throw new Error(`Cannot find the rig ${id}: it is closed`)
    if (path !== 'close') return call(rig, path, body)
    rigs.delete(id)
    await rig.close()
    return undefined
  }

  const server = createServer((request, response) => {
    // The page comes from vitest's own port.
    response.setHeader('access-control-allow-origin', '*')
    handle(request).then(
      (result) => response.end(encode(result)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  const port = await listen(server)

  return {
    url: `http://127.0.0.1:${port}`,
    shared,
    async close() {
      // A page may still hold keep-alive connections; without this the server would wait for them.
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      server.closeAllConnections()
      await Promise.all([...rigs.values()].map((rig) => rig.close()))
      await closed
    },
  }
}
