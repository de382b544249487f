/** The failures of a transport, by a code that the client reads. */

/** An error with a code. */
export const coded = (message: string, code: string, cause?: unknown): Error & { readonly code: string } =>
  Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code })

/**
 * The same failure, marked as one of before a byte of the request was written. The system's own say so for a connect; all
 * others are wrapped.
 */
export const unsent = (cause: unknown): Error => {
  if (cause instanceof Error && "syscall" in cause && cause.syscall === "connect") return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const code = cause instanceof Error && "code" in cause ? { code: cause.code } : { code: "ERR_NOT_SENT" }
  return Object.assign(new Error(message, { cause }), { ...code, syscall: "connect" })
}
