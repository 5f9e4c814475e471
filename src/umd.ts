// The script-tag build: one global that is the class itself, with the other names on it.
import { backoff, isRetriable } from './backoff.js'
import { json } from './codec.js'
import { HeartwireError } from './errors.js'
import { Heartwire } from './heartwire.js'

export default Object.assign(Heartwire, { Heartwire, HeartwireError, backoff, isRetriable, json })
