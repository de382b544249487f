/** The error of work that is not done in time. */
import * as Duration from "effect/Duration"
import type { ResolvedConfig } from "../config/resolveConfig.js"
import type * as ApiError from "../errors/ApiError.js"
import { TaggedError } from "../errors/taggedError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as CallError from "../request/CallError.js"
import * as CallSecrets from "../request/CallSecrets.js"

/**
 * The work was not done in time: `timeout` passed, or the next poll would have come after it, or the schedule ended. `limit` is
 * the timeout, `undefined` if the schedule ended. `polls` counts the responses, and `excerpt` is the start of the last one's
 * body, without secrets. The other fields are those of the last poll. The work itself may still go on.
 *
 * @since 3.1.0
 * @category errors
 */
export class PollingTimeoutError extends /*#__PURE__*/ TaggedError("PollingTimeoutError")<
  ApiError.Common & {
    readonly limit: Duration.Duration | undefined
    readonly polls: number
    readonly excerpt: string
  }
> {}

/** What is known when the time is over. `call` is the last one, if there has been one. */
export interface Ended {
  readonly config: ResolvedConfig
  readonly request: ApiRequest.Request
  readonly call: Call.Call | undefined
  readonly limit: Duration.Duration | undefined
  readonly polls: number
  readonly body: Uint8Array
}

/** Makes the error, with the last response in its message. */
export const make = ({ body, call, config, limit, polls, request }: Ended): PollingTimeoutError => {
  const reason = limit === undefined ? "by the end of its schedule" : `within ${Duration.format(limit)}`
  const message = `the work was not done ${reason}, after ${polls} polls`
  const own = { limit, polls, excerpt: "" }
  const stoppedBy = limit === undefined ? "attempts" : "deadline"
  if (call === undefined) {
    const redactor = CallSecrets.makeRedactor({ config, request })
    const common = CallError.ofRequest(config, request, redactor, message, stoppedBy)
    return new PollingTimeoutError({ ...common, ...own, delivery: "maybe-applied" })
  }
  const { excerpt, redactor } = CallError.quoteBytes(call, body)
  const quoted = excerpt === "" ? message : `${message}: ${excerpt}`
  return new PollingTimeoutError({
    ...CallError.ofCall(call, quoted, "maybe-applied", redactor),
    ...own,
    attempts: [...call.attempts],
    stoppedBy,
    excerpt
  })
}
