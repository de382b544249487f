/** What is on its way to a connection: who hears of it, and what a failure before the first byte of a request looks like. */

/** Ends what is under way, at once, whatever it is doing. Nobody hears of it any more. */
export type Abort = () => void

/** One of the two is called, once, never before the call that began it has returned, and neither after an abort. */
export interface Connecting<in S> {
  readonly connected: (socket: S) => void
  readonly failed: (cause: Error) => void
}

type Told = Error & { readonly code?: unknown; readonly syscall?: unknown }

/** The calls of Node's that fail before there is a connection: connecting, and its two resolvers. */
const before = /^(connect$|getaddrinfo|query)/

/**
 * A failure that came before a byte of a request was written. The client sees it by the system's own mark, `syscall`; a reset
 * during the TLS handshake, a certificate or a proxy's refusal have none, or one of reading.
 */
export const unsent = (cause: unknown): Error => {
  if (!(cause instanceof Error))
    return Object.assign(new Error(String(cause), { cause }), { syscall: "connect" })
  const { code, message, syscall }: Told = cause
  if (typeof syscall === "string" && before.test(syscall)) return cause
  return Object.assign(new Error(message, { cause }), typeof code === "string" ? { code } : undefined, {
    syscall: "connect"
  })
}

/** A failure of the same kind that the system itself has no error for. */
export const failedBefore = (message: string, code: string): Error =>
  Object.assign(new Error(message), { code, syscall: "connect" })
