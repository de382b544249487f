/** Errors of the transport. The client classifies them by `code`, and by `syscall` as sent or not sent. */
import { STATUS_CODES } from "node:http"

export const codedError = (message: string, code: string): Error & { readonly code: string } =>
  Object.assign(new Error(message), { code })

export const codeOf = (cause: unknown): unknown =>
  cause instanceof Error && "code" in cause ? cause.code : undefined

type SystemError = Error & { readonly code?: unknown; readonly syscall?: unknown }

/** The system calls that fail before a connection exists: connecting, and Node's two resolvers. */
const preConnectSyscall = /^(connect$|getaddrinfo|query)/

/**
 * Marks a failure that happened before any byte of the request was written. The client recognizes the mark by
 * `syscall`. A reset during the TLS handshake, a rejected certificate or a proxy's refusal comes without one, or with
 * `read`.
 */
export const markNotSent = (cause: unknown): Error => {
  if (!(cause instanceof Error)) return notSentError(String(cause), "ERR_NOT_SENT")
  const { message, syscall }: SystemError = cause
  if (typeof syscall === "string" && preConnectSyscall.test(syscall)) return cause
  return Object.assign(new Error(message, { cause }), { code: "ERR_NOT_SENT" }, cause, { syscall: "connect" })
}

/**
 * No connection carried a replay. The try before it may have been processed, so the error has no trace of connecting.
 */
export const replayError = (cause: unknown): Error =>
  Object.assign(
    codedError(
      `no other carried the request: ${cause instanceof Error ? cause.message : String(cause)}`,
      "UND_ERR_SOCKET"
    ),
    { cause }
  )

/** The same kind of failure, where the system has no error of its own. */
export const notSentError = (message: string, code: string): Error =>
  Object.assign(new Error(message), { code, syscall: "connect" })

/**
 * A proxy refused the request. The message does not quote the proxy, which may echo what it received, credentials
 * included.
 */
export const proxyStatusError = (status: number): Error => {
  const reason = STATUS_CODES[status]
  const message = `the proxy responded ${status}${reason === undefined ? "" : ` ${reason}`}`
  return Object.assign(notSentError(message, "ERR_PROXY_STATUS"), { status })
}

/** OpenSSL's reason alone: the full line contains memory addresses and ends in a line feed. */
export const opensslReason = (cause: Error): string | undefined =>
  "library" in cause && "reason" in cause ? String(cause.reason) : undefined

/**
 * The server rejected the client's certificate. TLS 1.3 reports this only after the handshake (RFC 8446, 4.4.2.4 and
 * 6.2).
 */
const clientRejected =
  /alert.((handshake.failure|access.denied|unknown.ca|decrypt.error)|((bad|no|unsupported).)?certificate)/i

/**
 * Explains a failure on an established connection. OpenSSL uses the same codes for the handshake, where nothing can
 * have been sent, and for what follows it. `syscall: "read"` marks the latter: the server may have processed the
 * request.
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
