// Ending a TCP connection with RST.
import type { Socket } from 'node:net'

/**
 * RST instead of FIN. A FIN that is just on its way cannot be taken back: libuv then refuses the reset (EINVAL), and Node
 * leaves the socket open for ever and never emits `close`.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
