/** The caller's own errors, for code that catches. */
import type * as ApiError from "../errors/ApiError.js"

/**
 * An error of `failure` whose schema decodes to plain data, as those of zod do: a promise rejects with an `Error`.
 * `failure` is what the schema decoded, and `cause` the ordinary error of the response. A schema that decodes to an
 * `Error`, such as a `Schema.TaggedError`, needs none of this: the promise rejects with that error.
 *
 * @example
 * ```ts
 * import { PromiseClient } from "@effect-api/client"
 * import { z } from "zod"
 *
 * const Refused = z.object({ code: z.string() })
 *
 * export const codeOf = async (client: PromiseClient.PromiseClient) => {
 *   try {
 *     await client.post("/payments", { body: { amount: 5 }, failure: { 402: Refused } })
 *   } catch (error) {
 *     if (error instanceof PromiseClient.FailureError) return Refused.parse(error.failure).code
 *     throw error
 *   }
 * }
 * ```
 * @since 3.2.0
 * @category errors
 */
export class FailureError extends Error {
  readonly _tag = "FailureError"
  override readonly name: string = "FailureError"
  /** What the schema of `failure` decoded. */
  readonly failure: unknown
  /** The ordinary error of the response: its status, headers, request and attempts. */
  override readonly cause: ApiError.StatusError

  constructor(failure: unknown, cause: ApiError.StatusError) {
    super(cause.message)
    this.failure = failure
    this.cause = cause
  }

  /** The status of the response. */
  get status(): number {
    return this.cause.status
  }
}

/** What a promise rejects with for a caller's own error. */
export const rejectionOf = (failure: unknown, cause: ApiError.StatusError): unknown =>
  failure instanceof Error ? failure : new FailureError(failure, cause)
