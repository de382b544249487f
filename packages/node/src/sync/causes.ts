/** The causes of failures, from one thread to the other. */
import { Defect } from "@effect-api/client/TransportParts"
import type { SentCause } from "./protocol.js"

/** No deeper than the client looks for a code. */
const maxDepth = 8

/** The parts of a cause that the client classifies it by. */
export const toSent = (cause: unknown, depth = 0): SentCause => {
  if (cause instanceof Defect) return { ...toSent(cause.error), kind: "defect" }
  // The first address that was tried is the one that the client names.
  if (cause instanceof AggregateError && cause.errors.length > 0) return toSent(cause.errors[0], depth)
  if (!(cause instanceof Error)) return { kind: "error", message: String(cause) }
  const { message, name, stack }: Error = cause
  const fields: Fields = cause
  return {
    kind: "error",
    name,
    message,
    stack,
    code: text(fields.code),
    syscall: text(fields.syscall),
    status: numeric(fields.status),
    limit: numeric(fields.limit),
    cause: fields.cause === undefined || depth === maxDepth ? undefined : toSent(fields.cause, depth + 1)
  }
}

interface Fields {
  readonly code?: unknown
  readonly syscall?: unknown
  readonly status?: unknown
  readonly limit?: unknown
  readonly cause?: unknown
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const numeric = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined)

/** The same as an error of this thread. */
export const fromSent = (sent: SentCause): unknown => {
  const { kind } = sent
  const error = errorOf(sent)
  return kind === "defect" ? new Defect(error) : error
}

const errorOf = ({ cause, code, limit, message, name, stack, status, syscall }: SentCause): Error => {
  const error = new Error(message, cause && { cause: errorOf(cause) })
  if (name !== undefined && name !== "Error") Object.defineProperty(error, "name", { value: name })
  if (stack !== undefined) error.stack = stack
  return Object.assign(
    error,
    code !== undefined && { code },
    syscall !== undefined && { syscall },
    status !== undefined && { status },
    limit !== undefined && { limit }
  )
}
