// Every public name, nothing else.
export { backoff, isRetriable, type BackoffOptions } from './backoff.js'
export { json } from './codec.js'
export { HeartwireError, type HeartwireErrorCode } from './errors.js'
export type { HeartwireCloseEvent } from './events.js'
export { Heartwire, Heartwire as default } from './heartwire.js'
export type {
  HeartbeatOptions,
  HeartwireOptions,
  QueueOptions,
  ReconnectOptions,
  RetryContext,
  WebSocketClass,
} from './options.js'
export type {
  AttemptContext,
  ClosedReason,
  CloseInfo,
  Codec,
  HandshakeContext,
  HeartwireEvents,
  NetworkSignal,
  NetworkSource,
  Provider,
  State,
  WireData,
} from './types.js'
