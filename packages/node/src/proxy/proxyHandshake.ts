/** The exchange with a proxy on a socket before it becomes a tunnel. */
import type { Duplex } from "node:stream"
import type { Abort, ConnectListener } from "../connect/connecting.js"
import { notSentError } from "../shared/errors.js"

/** Consumes a chunk. A number completes the handshake: that many trailing bytes belong to the tunnel. */
export type ReadReply = (chunk: Buffer) => number | Error | undefined

const brokenError = ({ code, message }: NodeJS.ErrnoException): Error =>
  notSentError(`the connection to the proxy broke: ${message}`, code ?? "ERR_PROXY_CLOSED")

const closedError = (): Error =>
  notSentError("the proxy closed the connection before the tunnel was established", "ERR_PROXY_CLOSED")

export const ignore = (): void => undefined

/** Destroys a socket and ignores its errors, one of which may be pending. */
export const discard = (socket: Duplex): void => {
  socket.on("error", ignore)
  socket.destroy()
}

/** Reports a failure that is known before anything was sent. */
export const failOnNextTick = (socket: Duplex, cause: Error, listener: ConnectListener<never>): Abort => {
  let over = false
  discard(socket)
  process.nextTick(() => {
    if (!over) listener.failed(cause)
  })
  return () => {
    over = true
  }
}

/**
 * Owns a socket until it is a tunnel. An abort or a failure destroys the socket; success leaves it without listeners.
 */
class ProxyHandshake<S extends Duplex> {
  private isOver = false
  private readonly socket: S
  private readonly read: ReadReply
  private readonly listener: ConnectListener<S>

  constructor(socket: S, read: ReadReply, listener: ConnectListener<S>) {
    this.socket = socket
    this.read = read
    this.listener = listener
  }

  start(opening: Uint8Array): void {
    const { socket } = this
    // A `readable` listener leaves no trace, whereas `data` would switch the socket to flowing mode.
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
    return this.isOver ? null : this.socket.read()
  }

  private readonly onClosed = (): void => this.fail(closedError())

  private readonly onError = (cause: Error): void => this.fail(brokenError(cause))

  private succeed(rest: Buffer): void {
    this.release()
    if (rest.length > 0) this.socket.unshift(rest)
    this.listener.connected(this.socket)
  }

  private fail(cause: Error): void {
    if (this.isOver) return
    this.abort()
    this.listener.failed(cause)
  }

  readonly abort = (): void => {
    if (this.isOver) return
    this.release()
    discard(this.socket)
  }

  private release(): void {
    const { socket } = this
    this.isOver = true
    socket.off("readable", this.onReadable)
    socket.off("end", this.onClosed)
    socket.off("close", this.onClosed)
    socket.off("error", this.onError)
  }
}

/** Sends the opening and reads until `read` returns a result. */
export const proxyHandshake = <S extends Duplex>(
  socket: S,
  opening: Uint8Array,
  read: ReadReply,
  listener: ConnectListener<S>
): Abort => {
  if (socket.destroyed || socket.readableEnded || !socket.writable) {
    return failOnNextTick(socket, socket.errored ? brokenError(socket.errored) : closedError(), listener)
  }
  const handshake = new ProxyHandshake(socket, read, listener)
  handshake.start(opening)
  return handshake.abort
}
