/**
 * A server may respond before it has the whole body, and close (RFC 9112, 9.6): what is still written fails then, while the
 * response waits to be read. Node destroys a socket at the first write that fails, with all that has come. So the failure is
 * held until the other side's end is read, behind which there is nothing.
 */
import type { Socket } from "node:net"

type Done = (cause?: Error | null) => void

/** How long the end may take: a socket that cannot be written to any more has it already. */
const maxWaitMillis = 100

const isClosed = (cause: Error): boolean =>
  "code" in cause && (cause.code === "EPIPE" || cause.code === "ECONNRESET")

const reportAtEnd = (socket: Socket, cause: Error, done: Done): void => {
  const report = (): void => {
    clearTimeout(timer)
    socket.off("end", report).off("close", report)
    done(cause)
  }
  const timer = setTimeout(report, maxWaitMillis)
  socket.once("end", report).once("close", report)
}

const deferring =
  (socket: Socket, done: Done): Done =>
  (cause) => {
    if (cause != null && isClosed(cause) && !socket.destroyed && !socket.readableEnded)
      reportAtEnd(socket, cause, done)
    else done(cause)
  }

/** For a socket that is read to its end. */
export const deferWriteErrors = (socket: Socket): void => {
  const { _write, _writev } = socket
  socket._write = function (this: Socket, chunk: unknown, encoding: BufferEncoding, done: Done) {
    _write.call(this, chunk, encoding, deferring(this, done))
  }
  if (typeof _writev !== "function") return
  socket._writev = function (this: Socket, chunks, done: Done) {
    _writev.call(this, chunks, deferring(this, done))
  }
}
