/** The error of a response by its status. */
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as ApiError from "../errors/ApiError.js"
import { none as noProblem, problemOf } from "../errors/problemDetails.js"
import { reasons } from "../errors/reasons.js"
import * as StatusTag from "../errors/StatusTag.js"
import * as RetryAfter from "../retry/RetryAfter.js"
import type { Redactor } from "../secrets/Redaction.js"
import { shownText } from "../shared/shownText.js"
import * as Headers from "../wire/headers.js"
import { isDeep } from "../wire/jsonDepth.js"
import * as Call from "./Call.js"
import * as CallError from "./CallError.js"
import * as CallSecrets from "./CallSecrets.js"

/** A response by its status, and what is known of its body. */
export interface Refusal extends CallError.Head {
  readonly text: string
  /** Whether the body was truncated. */
  readonly cut?: boolean | undefined
  /** Why the client did not follow the redirect. */
  readonly refusal?: string | undefined
  /** Whether the body fits the caller's own error for this very status: such a response ends the call. */
  readonly isOutcome?: boolean | undefined
  readonly now: number
}

/** The tagged error of a response that is no success. `body` is JSON where it parses, else text, and `undefined` if empty. */
export const statusError = (call: Call.Call, response: Refusal): ApiError.StatusError => {
  const { headers, now, refusal, status, text } = response
  const { errorBytes } = call.config.limits
  // An empty text is never truncated.
  const cut = (response.cut === true && text !== "") || text.length > errorBytes
  const parsed = response.cut === true || isDeep(text) ? text || undefined : StatusTag.parse(text)
  const redactor = CallSecrets.redactorFor(call, text, parsed)
  const problem = problemOf(headers["content-type"], parsed)
  const type = typeOf(call, parsed) ?? problem.type
  const tag = StatusTag.tagOf(status, type)
  const reason =
    refusal ??
    problem.detail ??
    problem.title ??
    StatusTag.messageOf(parsed) ??
    (CallError.excerptOf(text, cut, redactor) ||
      reasons[status] ||
      (Math.floor(status / 100) === 3 ? "a redirect to nowhere" : "error"))
  // A 2xx that the caller names as an error: the server has done the work.
  const isDone = StatusTag.isSuccess(status) && Call.isFailure(call, status)
  const delivery = isDone ? "maybe-applied" : ApiError.table[tag].delivery
  const asked = Headers.single(headers["x-should-retry"] ?? "")
  const shouldRetry = isDone || (response.isOutcome === true && asked !== "true") ? "false" : asked
  return new StatusTag.classes[tag]({
    ...CallError.ofResponse(call, response, `${status} ${reason}`, redactor, delivery),
    shouldRetry: shouldRetry === "true" ? true : shouldRetry === "false" ? false : undefined,
    headers: redactor.headers(headers),
    type: shown(redactor, type),
    ...(problem === noProblem
      ? {}
      : { title: shown(redactor, problem.title), detail: shown(redactor, problem.detail) }),
    body: cut ? redactor.text(text.slice(0, errorBytes), { cut }) : redactor.json(parsed),
    retryAfter: retryAfterOf(call, headers, now)
  })
}

const shown = ({ text }: Redactor, value: string | undefined): string | undefined =>
  value === undefined ? undefined : shownText(text, value)

/** The wait that the program's own function finds in the headers, or the one of the standard headers. */
export const retryAfterOf = (
  { retry }: Call.Call,
  headers: CallError.Head["headers"],
  now: number
): Duration.Duration | undefined =>
  RetryAfter.own(retry.policy.retryAfter, headers, now) ??
  Option.getOrUndefined(RetryAfter.parse(headers, now))

/** The caller's own function may fail on this body. It must not hide the status. */
const typeOf = (call: Call.Call, body: unknown): string | undefined => {
  try {
    const type: unknown = call.config.errorType(body)
    return typeof type === "string" ? type : undefined
  } catch {
    return undefined
  }
}
