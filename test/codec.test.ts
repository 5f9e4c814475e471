// The ready-made JSON codec.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { json } from '../src/codec.ts'

const codec = json()

describe('json', () => {
  test('[C1] what is encoded decodes to the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (message) => {
        const text = codec.encode(message)
        expect(text).toBeTypeOf('string')
        expect(codec.decode(text)).toEqual(JSON.parse(JSON.stringify(message)))
      }),
    )
  })

  test.each([undefined, () => {}, Symbol('no')])('[C1] %o is no JSON, so encoding it throws', (message) => {
    expect(() => codec.encode(message)).toThrow(
      new TypeError(`Cannot encode as the message must be JSON: current value is ${String(message)}`),
    )
  })

  test('[C1] what JSON.stringify throws reaches the caller', () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(() => codec.encode(circle)).toThrow(TypeError)
    expect(() => codec.encode(1n)).toThrow(TypeError)
  })

  test.each(['', '{', 'pong', new ArrayBuffer(2), new Blob(['1'])])('[C1] %o does not decode', (data) => {
    expect(() => codec.decode(data)).toThrow(SyntaxError)
  })
})
