// What the constructor's and the methods' arguments mean, where that takes more than a look.
import { readOptions } from './options.js'
import type { Provider } from './types.js'

/** `(url, protocols, options)` or `(url, options)`: what natively could be protocols is taken for protocols. */
export function splitArguments<Options>(second: any, third: Options): [protocols: any, options: Options] {
  const isOptions = typeof second === 'object' && second !== null && !(Symbol.iterator in second)
  if (isOptions && third !== undefined) refuse("'options' must be the last argument")
  return isOptions ? [undefined, second] : [second, third]
}

/** A url as the standard converts it; a function as it is. @throws TypeError for an object that is none, most likely options */
export function toTarget(url: Provider<string | URL>): Exclude<Provider<string | URL>, URL> {
  const target = typeof url === 'function' ? url : `${url}`
  if (target === '[object Object]') refuse(`'url' must be a url or a function: current value is ${target}`)
  return target
}

function refuse(why: string): never {
  throw new TypeError(`Cannot create a Heartwire as ${why}`)
}

/** @throws TypeError if the listener of `addEventListener` or `removeEventListener` is missing, as the platform */
export function insistOnTwo(given: IArguments): void {
  if (given.length < 2) throw new TypeError("Cannot go on as 'type' and 'listener' must be given")
}

/** Options over defaults; `undefined` is not given. @throws TypeError if they are no options */
export function withDefaults<Options extends object>(own: Options | undefined, defaults: Options): Options {
  readOptions(own)
  const given = Object.entries(own ?? {}).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(given) }
}

/** The standard's own check, for a url that is not connected to at once. @throws DOMException `SyntaxError` */
export function checkUrl(url: string): void {
  try {
    const { protocol, hash } = new URL(url, (globalThis as { location?: Location }).location?.href)
    if (/^(ws|http)s?:/.test(protocol) && !hash) return
  } catch {
    // Not a url at all: the same answer.
  }
  throw new DOMException(
    `Cannot connect as 'url' must be a WebSocket url without a fragment: current value is '${url}'`,
    'SyntaxError',
  )
}

/** WebIDL's `[Clamp] unsigned short`: halves go to the even neighbour. */
export function clampToShort(value: unknown): number {
  const clamped = Math.min(Math.max(+(value as number) || 0, 0), 65_535)
  const rounded = Math.round(clamped)
  return rounded - clamped === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded
}
