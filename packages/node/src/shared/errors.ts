/** The failures of a transport, by a code that the client reads, and what one looks like before the first byte of a request. */
import { STATUS_CODES } from "node:http"

/** An error with a code. */
export const codedError = (message: string, code: string): Error & { readonly code: string } =>
  Object.assign(new Error(message), { code })

export const codeOf = (cause: unknown): unknown =>
  cause instanceof Error && "code" in cause ? cause.code : undefined

type SystemError = Error & { readonly code?: unknown; readonly syscall?: unknown }

/** The calls of Node's that fail before there is a connection: connecting, and its two resolvers. */
const preConnectSyscall = /^(connect$|getaddrinfo|query)/

/**
 * A failure that came before a byte of a request was written. The client sees it by the system's own mark, `syscall`; a reset
 * during the TLS handshake, a certificate or a proxy's refusal have none, or one of reading.
 */
export const markNotSent = (cause: unknown): Error => {
  if (!(cause instanceof Error)) return notSentError(String(cause), "ERR_NOT_SENT")
  const { message, syscall }: SystemError = cause
  if (typeof syscall === "string" && preConnectSyscall.test(syscall)) return cause
  return Object.assign(new Error(message, { cause }), { code: "ERR_NOT_SENT" }, cause, { syscall: "connect" })
}

/** A failure of the same kind that the system itself has no error for. */
export const notSentError = (message: string, code: string): Error =>
  Object.assign(new Error(message), { code, syscall: "connect" })

/** A proxy that says no. Its own words are not quoted: it may put there what it was sent, the credentials too. */
export const proxyStatusError = (status: number): Error => {
  const reason = STATUS_CODES[status]
  const message = `the proxy responded ${status}${reason === undefined ? "" : ` ${reason}`}`
  return Object.assign(notSentError(message, "ERR_PROXY_STATUS"), { status })
}

/** OpenSSL's reason without the rest of its line, which has addresses in memory and ends in a line feed. */
export const opensslReason = (cause: Error): string | undefined =>
  "library" in cause && "reason" in cause ? String(cause.reason) : undefined

/** A server's refusal of the client itself, which TLS 1.3 brings behind the handshake (RFC 8446, 4.4.2.4 and 6.2). */
const clientRejected =
  /alert.((handshake.failure|access.denied|unknown.ca|decrypt.error)|((bad|no|unsupported).)?certificate)/i

/**
 * A failure on a connection that was established. OpenSSL has the same codes for the handshake, in which nothing can have been
 * sent, and for what follows. There `syscall` says that a request may have been acted on.
 */
export const explainTlsError = (cause: unknown): unknown => {
  if (!(cause instanceof Error)) return cause
  const { code, message, syscall }: SystemError = cause
  if (!/^(ERR_SSL_|EPROTO$)/.test(String(code)) || syscall === "read") return cause
  const reason = opensslReason(cause)
  if (!clientRejected.test(`${code} ${message}`)) {
    return Object.assign(new Error(reason ?? message, { cause }), { code, syscall: "read" })
  }
  return reason === undefined
    ? cause
    : Object.assign(new Error(`the server refused this client (${reason})`, { cause }), { code })
}
