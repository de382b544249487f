/**
 * Where undici reads a socket: it does so only through `read`, so every byte passes through here, and waits here for a slow
 * reader. undici's own pause fails an assertion, and with it the process, if the peer ends the connection meanwhile.
 */
import type { Socket } from "node:net"
import type { ResponseHeads } from "./ResponseHeads.js"

export class Intake {
  /** The response whose reader is slow. With pipelining, those that follow wait as well. */
  private slow: object | undefined
  private readonly socket: Socket

  constructor(socket: Socket, heads: ResponseHeads | undefined) {
    this.socket = socket
    // eslint-disable-next-line types/unbound-method -- Called with `call`.
    const { read } = socket
    const intake = (size?: number): unknown => {
      // Node asks for 0 bytes to fill its buffer, up to its limit.
      if (this.slow !== undefined && size !== 0) return null
      const chunk: unknown = read.call(socket, size)
      return heads !== undefined && chunk instanceof Buffer ? heads.filter(chunk) : chunk
    }
    socket.read = intake
  }

  /** Gives undici no more bytes. It passes on the rest of those that it has. */
  hold(response: object): void {
    this.slow = response
  }

  /** Lets undici read on. In a later step: it may be in the midst of a chunk. */
  resume(response: object): void {
    if (this.slow !== response) return
    this.slow = undefined
    queueMicrotask(() => this.announce())
  }

  /** The response is complete; a reader that goes on later finds its bytes elsewhere. */
  leave(response: object): void {
    if (this.slow === response) this.slow = undefined
  }

  private announce(): void {
    if (this.slow === undefined && !this.socket.destroyed) this.socket.emit("readable")
  }
}
