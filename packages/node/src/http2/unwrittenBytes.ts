/** How much a socket has taken over from Node but the kernel has not. */
import type { Socket } from "node:net"

/** The handle of a socket. Node's own timeouts of sockets look at the same number. */
interface Handle {
  readonly writeQueueSize?: unknown
  /** The handle under a handle of TLS. */
  readonly _parent?: Handle | null
}

/** Bytes of a write that wait for the kernel. `writableLength` lacks them: an HTTP/2 session writes past its socket. */
export const unwrittenBytes = (socket: Socket): number => {
  let handle: Handle | null | undefined = Reflect.get(socket, "_handle")
  // The queue of TLS stays as it is until the socket below has written everything.
  while (handle?._parent) handle = handle._parent
  const size = handle?.writeQueueSize
  return typeof size === "number" ? size : 0
}
