// Our own errors, and how those of the application are reported.
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { because, handled, HeartwireError, isolated, report } from '../src/errors.ts'

describe('HeartwireError', () => {
  test('[E3] carries a code, a message and a name', () => {
    const error = new HeartwireError('gave-up', 'Gave up, failed attempts: 3')
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ code: 'gave-up', message: 'Gave up, failed attempts: 3', name: 'HeartwireError' })
    expect(String(error)).toBe('HeartwireError: Gave up, failed attempts: 3')
  })

  test('[E3] has a cause where there is one, and no such property where there is none', () => {
    const cause = new Error('401')
    expect(new HeartwireError('provider-failed', 'No token', cause).cause).toBe(cause)
    expect(new HeartwireError('provider-failed', 'No token', null)).toHaveProperty('cause', null)
    expect(new HeartwireError('provider-failed', 'No token')).not.toHaveProperty('cause')
  })
})

describe('because', () => {
  test('[E3] a message goes on with that of its cause', () => {
    expect(because(new TypeError('no route'))).toBe(': no route')
  })

  test.each([undefined, null, 'text', 401, Symbol('no'), Object.create(null)])(
    '[E3] a cause that is no error adds nothing, since not everything can be turned into text: %o',
    (cause) => expect(because(cause)).toBe(''),
  )
})

describe('handled', () => {
  test('[S6] a rejection that nobody looks at is not unhandled', async () => {
    const unhandled = vi.fn<() => void>()
    process.on('unhandledRejection', unhandled)
    void handled(Promise.reject(new Error('nobody cares')))
    // Node tells after the microtasks of the turn.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })

  test('[S6] it is the same promise, for whoever does look', async () => {
    const promise = Promise.resolve(5)
    expect(handled(promise)).toBe(promise)
    await expect(handled(Promise.reject(new Error('no')))).rejects.toThrow('no')
  })
})

describe('report', () => {
  const mistake = new Error('a mistake of the application')

  test('[S4] an error goes to reportError where there is one', () => {
    const reportError = vi.fn<(error: unknown) => void>()
    vi.stubGlobal('reportError', reportError)
    report(mistake)
    expect(reportError.mock.calls).toEqual([[mistake]])
  })

  test('[S4] without reportError an error is thrown on its own, as for any listener in Node', () => {
    vi.stubGlobal('reportError', undefined)
    const tasks: (() => void)[] = []
    vi.stubGlobal('queueMicrotask', (task: () => void) => tasks.push(task))
    report(mistake)
    expect(tasks).toHaveLength(1)
    expect(tasks[0]).toThrow(mistake)
  })
})

describe('isolated', () => {
  const reportError = vi.fn<(error: unknown) => void>()
  beforeEach(() => {
    reportError.mockClear()
    vi.stubGlobal('reportError', reportError)
  })

  test('returns what the code returns', () => {
    expect(isolated(() => 5)).toBe(5)
    expect(reportError).not.toHaveBeenCalled()
  })

  test.each([new Error('no'), 'a string', undefined, null])(
    '[S4] reports what the code throws (%o) and returns undefined',
    (thrown) => {
      expect(
        isolated(() => {
          throw thrown
        }),
      ).toBeUndefined()
      expect(reportError.mock.calls).toEqual([[thrown]])
    },
  )
})
