/** The failures of a transport, by a code that the client reads. */

/** An error with a code. */
export const coded = (message: string, code: string, cause?: unknown): Error & { readonly code: string } =>
  Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code })

/** The same for what fails before there is a connection, and the system has no error for. */
export const failedBefore = (message: string, code: string): Error =>
  Object.assign(coded(message, code), { syscall: "connect" })

/** The calls of the system that fail before there is a connection: to connect, and those of Node's two resolvers. */
const before = /^(connect$|getaddrinfo|query)/

const hasSyscall = (cause: unknown): cause is Error & { readonly syscall: unknown } =>
  cause instanceof Error && "syscall" in cause

/**
 * The same failure, marked as one of before a byte of the request was written. The system's own say so for a lookup and a
 * connect; all others are wrapped.
 */
export const unsent = (cause: unknown): Error => {
  if (hasSyscall(cause) && before.test(String(cause.syscall))) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const code = cause instanceof Error && "code" in cause ? { code: cause.code } : { code: "ERR_NOT_SENT" }
  return Object.assign(new Error(message, { cause }), { ...code, syscall: "connect" })
}

/** A server's refusal of the client itself, which TLS 1.3 brings behind the handshake (RFC 8446, 4.4.2.4 and 6.2). */
const refusesClient =
  /alert.((handshake.failure|access.denied|unknown.ca|decrypt.error)|((bad|no|unsupported).)?certificate)/i

/**
 * A failure on a connection that was established. OpenSSL has the same codes for the handshake, in which nothing can have been
 * sent, and for what follows. There `syscall` says that a request may have been acted on.
 */
export const established = (cause: unknown): unknown => {
  if (!(cause instanceof Error && "code" in cause && /^(ERR_SSL_|EPROTO$)/.test(String(cause.code))))
    return cause
  if (hasSyscall(cause) && cause.syscall === "read") return cause
  if (refusesClient.test(`${cause.code} ${cause.message}`)) return cause
  return Object.assign(new Error(cause.message, { cause }), { code: cause.code, syscall: "read" })
}
