/**
 * The problem that pure code reports for bad input; the caller turns it into an `InvalidRequestError` or an
 * `InvalidConfigError`. Also the text of single values, which paths, queries and headers share.
 */
import * as Redacted from "effect/Redacted"

/** Which input is bad (`path.id`, `query.limit`, `headers.x-name`, `baseUrl`), and what is wrong with it. */
export interface InvalidInput {
  readonly field: string
  readonly reason: string
  /** What the caller's own code threw. */
  readonly cause?: unknown
}

const maxFieldLength = 200

/**
 * Makes an {@link InvalidInput}. The reason never contains the bad value, which may be a secret. The field contains
 * names that the caller chose: characters that could forge a log line (controls, line separators, lone surrogates)
 * become `?`.
 */
export const invalid = (field: string, reason: string): InvalidInput => ({
  field: field.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?").slice(0, maxFieldLength),
  reason
})

/** A reason without a field: the pure encoders know what is wrong before they know where. */
export class Problem {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

/** Not a single value. Callers compare by identity; the reason is the default wording. */
export const notScalar: Problem = new Problem("must be a string, number, bigint, boolean or Redacted string")
const notFinite = new Problem("must be a finite number")
const notText = new Problem("must be a Redacted that holds a string")
export const wiped: Problem = new Problem("is a Redacted whose secret was wiped")
export const loneSurrogate: Problem = new Problem("must be well-formed Unicode, without a lone surrogate")

/** With the `u` flag a pair is one code point, so only a lone surrogate matches. */
const surrogate = /\p{Surrogate}/u

/** Whether `encodeURIComponent` would throw. `String.isWellFormed` is newer than the oldest supported runtimes. */
export const hasLoneSurrogate = (text: string): boolean => surrogate.test(text)

/** `encodeURIComponent` that returns a problem instead of throwing. */
export const encodeComponent = (text: string): string | Problem =>
  hasLoneSurrogate(text) ? loneSurrogate : encodeURIComponent(text)

/** The text of a scalar, with secrets unwrapped; `notScalar` (by identity) for other values. */
export const scalarText = (value: unknown): string | Problem => {
  switch (typeof value) {
    case "string":
      return value
    case "number":
      return Number.isFinite(value) ? String(value) : notFinite
    case "bigint":
    case "boolean":
      return String(value)
    case "object":
      return Redacted.isRedacted(value) ? secretText(value) : notScalar
    default:
      return notScalar
  }
}

const badDate = new Problem("must be a valid date")

/** The text of a date. */
export const dateText = (date: Date): string | Problem =>
  Number.isNaN(date.getTime()) ? badDate : date.toISOString()

const secretText = (secret: Redacted.Redacted<unknown>): string | Problem => {
  let value: unknown
  try {
    value = Redacted.value(secret)
  } catch {
    return wiped
  }
  return typeof value === "string" ? value : notText
}
