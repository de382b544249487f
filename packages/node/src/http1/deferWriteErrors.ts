/**
 * A server may respond and close before it has read the whole body (RFC 9112, 9.6). Later writes then fail while the
 * response is still unread, and Node destroys the socket at the first failed write, unread data included. Write errors
 * are therefore deferred until the peer's end has been read.
 */
import type { Socket } from "node:net"

type Done = (cause?: Error | null) => void

/** The end should follow at once: a socket that rejects writes usually holds it already. */
const maxWaitMillis = 100

const isClosed = (cause: Error): boolean =>
  "code" in cause && (cause.code === "EPIPE" || cause.code === "ECONNRESET")

const reportAtEnd = (socket: Socket, cause: Error, done: Done): void => {
  let isReported = false
  const report = (): void => {
    if (isReported) return
    isReported = true
    clearTimeout(timer)
    socket.off("end", report).off("close", report)
    done(cause)
  }
  // After a blocked event loop, input that has arrived meanwhile is read first.
  const timer = setTimeout(() => setImmediate(report), maxWaitMillis)
  socket.once("end", report).once("close", report)
}

const deferring =
  (socket: Socket, done: Done): Done =>
  (cause) => {
    if (cause != null && isClosed(cause) && !socket.destroyed && !socket.readableEnded)
      reportAtEnd(socket, cause, done)
    else done(cause)
  }

/** The socket must be read to its end. */
export const deferWriteErrors = (socket: Socket): void => {
  // eslint-disable-next-line types/unbound-method -- Both are called with `call`.
  const { _write, _writev } = socket
  socket._write = function (this: Socket, chunk: unknown, encoding: BufferEncoding, done: Done) {
    _write.call(this, chunk, encoding, deferring(this, done))
  }
  if (typeof _writev !== "function") return
  socket._writev = function (this: Socket, chunks, done: Done) {
    _writev.call(this, chunks, deferring(this, done))
  }
}
