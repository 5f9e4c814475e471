// The network monitor on its own, and as an option.
import { Heartwire } from 'heartwire'
import type { NetworkSignal, NetworkSource } from 'heartwire'
import { NetworkMonitor } from 'heartwire/network'
import type { NetworkMonitorOptions } from 'heartwire/network'

declare const url: string

const options: NetworkMonitorOptions = { probe: new URL(url), timeout: 1_000, minDelay: 3_000, maxDelay: 60_000 }
const monitor = new NetworkMonitor(options)

export const undo: (() => void)[] = [
  monitor.on('up', () => {}),
  monitor.on('down', () => {}),
  monitor.subscribe((signal: NetworkSignal) => signal),
]
export const isUp: Promise<boolean> = monitor.check()
export const online: boolean = monitor.online

// @ts-expect-error It is up or down.
monitor.on('online', () => {})
// @ts-expect-error It is `probe`.
export const unknownName: NetworkMonitor = new NetworkMonitor({ url })
// @ts-expect-error What it knows is for it to say.
monitor.online = true

const source: NetworkSource = { online: true, subscribe: (listener) => () => listener('online') }

export const sockets: Heartwire[] = [monitor, source, false, true].map((network) => new Heartwire(url, { network }))

// @ts-expect-error There is no such signal.
source.subscribe((signal: 'up') => signal)
