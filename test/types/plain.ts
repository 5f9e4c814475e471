// The declarations need the DOM and nothing else: compiled with no types of Node's, and no lib but ES2022 and the DOM's.
import { Heartwire } from 'heartwire'
import { NetworkMonitor } from 'heartwire/network'
import { ReconnectingWebSocket } from 'heartwire/reconnecting-websocket'

export const classes: readonly (new (...given: never[]) => EventTarget | object)[] = [
  Heartwire,
  NetworkMonitor,
  ReconnectingWebSocket,
]
