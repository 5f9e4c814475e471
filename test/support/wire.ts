// JSON between the page and the test's Node process, with what JSON lacks: bytes and undefined.

const bytesKey = '$bytes'
const undefinedKey = '$undefined'

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** Plain data to text. */
export function encode(value: unknown): string {
  const pack = (item: unknown): unknown => {
    if (item === undefined) return { [undefinedKey]: true }
    if (item instanceof Uint8Array) return { [bytesKey]: [...item] }
    if (Array.isArray(item)) return item.map(pack)
    if (!isRecord(item)) return item
    return Object.fromEntries(Object.entries(item).map(([key, member]) => [key, pack(member)]))
  }
  return JSON.stringify(pack(value))
}

/** The inverse of `encode`. */
export function decode(text: string): unknown {
  const unpack = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(unpack)
    if (!isRecord(item)) return item
    if (undefinedKey in item) return undefined
    const bytes = item[bytesKey]
    if (Array.isArray(bytes)) return Uint8Array.from(bytes, Number)
    return Object.fromEntries(Object.entries(item).map(([key, member]) => [key, unpack(member)]))
  }
  return unpack(JSON.parse(text))
}
