/** A conversation with a proxy on a socket, before the socket is a tunnel. */
import type { Duplex } from "node:stream"
import type { Abort, Connecting } from "../connect/connecting.js"
import { failedBefore } from "../shared/errors.js"

/** Reads what has come. A number ends it: so many bytes at the end of the chunk belong to the tunnel. */
export type Read = (chunk: Buffer) => number | Error | undefined

/** The system's own failure of the connection. */
const broken = ({ code, message }: NodeJS.ErrnoException): Error =>
  failedBefore(`the connection to the proxy broke: ${message}`, code ?? "ERR_PROXY_CLOSED")

const closed = (): Error =>
  failedBefore("the proxy closed the connection before there was a tunnel", "ERR_PROXY_CLOSED")

export const ignore = (): void => undefined

/** Ends a socket whose errors nobody needs any more: one may be on its way. */
export const drop = (socket: Duplex): void => {
  socket.on("error", ignore)
  socket.destroy()
}

/** A failure that is known before anything was said. */
export const failing = (socket: Duplex, cause: Error, listener: Connecting<Duplex>): Abort => {
  let over = false
  drop(socket)
  process.nextTick(() => {
    if (!over) listener.failed(cause)
  })
  return () => {
    over = true
  }
}

/** Owns a socket until it is a tunnel: destroyed by an abort and by each failure, and left without a listener else. */
class Handshake {
  private over = false
  private readonly socket: Duplex
  private readonly read: Read
  private readonly listener: Connecting<Duplex>

  constructor(socket: Duplex, read: Read, listener: Connecting<Duplex>) {
    this.socket = socket
    this.read = read
    this.listener = listener
  }

  begin(opening: Uint8Array): void {
    const { socket } = this
    // `readable` leaves no trace: behind `data` a socket flows, or has to be resumed.
    socket.on("readable", this.onReadable)
    socket.on("end", this.onClosed)
    socket.on("close", this.onClosed)
    socket.on("error", this.onError)
    socket.write(opening)
  }

  private readonly onReadable = (): void => {
    for (let chunk = this.next(); chunk !== null; chunk = this.next()) {
      const outcome = this.read(chunk)
      if (outcome instanceof Error) return this.fail(outcome)
      if (outcome !== undefined) return this.succeed(chunk.subarray(chunk.length - outcome))
    }
  }

  private next(): Buffer | null {
    return this.over ? null : this.socket.read()
  }

  private readonly onClosed = (): void => this.fail(closed())

  private readonly onError = (cause: Error): void => this.fail(broken(cause))

  private succeed(rest: Buffer): void {
    this.leave()
    if (rest.length > 0) this.socket.unshift(rest)
    this.listener.connected(this.socket)
  }

  private fail(cause: Error): void {
    if (this.over) return
    this.abort()
    this.listener.failed(cause)
  }

  readonly abort = (): void => {
    if (this.over) return
    this.leave()
    drop(this.socket)
  }

  private leave(): void {
    const { socket } = this
    this.over = true
    socket.off("readable", this.onReadable)
    socket.off("end", this.onClosed)
    socket.off("close", this.onClosed)
    socket.off("error", this.onError)
  }
}

/** Says the first word and reads on until `read` has made up its mind. */
export const perform = (
  socket: Duplex,
  opening: Uint8Array,
  read: Read,
  listener: Connecting<Duplex>
): Abort => {
  if (socket.destroyed || socket.readableEnded || !socket.writable) {
    return failing(socket, socket.errored ? broken(socket.errored) : closed(), listener)
  }
  const handshake = new Handshake(socket, read, listener)
  handshake.begin(opening)
  return handshake.abort
}
