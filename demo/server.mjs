// The demo from the command line: `node demo/server.mjs [--port N] [--host NAME]`. Everything real is in `server/`.
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { startDemo } from './server/start.mjs'

export { startDemo }

const usage = `Usage: node demo/server.mjs [--port N] [--host NAME]
  --port  where the page is served; default 8787, or a free one if that is taken (also: environment variable PORT)
  --host  the address to listen on; default 127.0.0.1, which only this computer can reach`

/** @param {string | undefined} text */
const toPort = (text) => {
  if (text === undefined) return undefined
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new Error(`Cannot listen as the port must be a whole number from 0 to 65535: current value is ${text}`)
}

const main = async () => {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, host: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) {
    console.log(usage)
    return
  }
  const port = toPort(values.port ?? (process.env['PORT'] || undefined))
  const demo = await startDemo({ port, host: values.host })
  console.log(`heartwire demo: ${demo.url}  (Ctrl+C stops it)`)
  const stop = () => void demo.close()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
}
