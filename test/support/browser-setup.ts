// Before the browser project: starts what its pages talk to, and tells them where.
import type { TestProject } from 'vitest/node'
import { startControlServer } from './control-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The shared rig's server, past the proxy. */
    wsUrl: string
    /** The shared rig's server, through the proxy. */
    proxyUrl: string
    /** For `control.ts`. */
    controlUrl: string
    /** ms to watch what a client does that does nothing: long when a table is made of it, else short. */
    patience: number
  }
}

/** Vitest calls this once; what it returns, at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, shared, close } = await startControlServer()
  project.provide('wsUrl', shared.server.url)
  project.provide('proxyUrl', shared.url)
  project.provide('controlUrl', url)
  project.provide('patience', process.env['HEARTWIRE_RECORD'] ? 5_000 : 700)
  return close
}
