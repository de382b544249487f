import { ApiError, type Middleware } from "@effect-api/client"
import * as Effect from "effect/Effect"

/** Makes a request fail before it is sent, as one of its fields is invalid. */
export const failing =
  (field: string, reason: string): Middleware.Middleware =>
  ({ method, url }) =>
    Effect.fail(
      new ApiError.InvalidRequestError({
        message: `${field} ${reason}`,
        request: { method, url },
        attempts: [],
        stoppedBy: "not-retryable",
        delivery: "not-sent",
        shouldRetry: undefined,
        field,
        reason
      })
    )
