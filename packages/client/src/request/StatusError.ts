/** The error of a response by its status. */
import * as Option from "effect/Option"
import * as ApiError from "../errors/ApiError.js"
import * as StatusTag from "../errors/StatusTag.js"
import * as RetryAfter from "../retry/RetryAfter.js"
import { shownText } from "../shared/shownText.js"
import * as Headers from "../wire/headers.js"
import { isDeep } from "../wire/jsonDepth.js"
import * as Call from "./Call.js"
import { excerpt, shownRequestId } from "./CallError.js"

/**
 * Whether a status is an error of this call: all but 2xx, and those of them that the request's `failure` names. A 202 that it
 * names is over and done with: it is never retried.
 */
export const isFailure = (call: Call.Call, status: number): boolean =>
  !StatusTag.isSuccess(status) || Call.isNamed(call, status)

/**
 * The tagged error of an answer that is no success, its body already read as far as it came. `body` is JSON where it
 * parses, else text, `undefined` where there is none; `cut` says that the body went on.
 */
export const statusError = (
  call: Call.Call,
  answer: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly text: string
    readonly cut?: boolean | undefined
    readonly refusal?: string | undefined
    readonly now: number
  }
): ApiError.StatusError => {
  const { text } = answer
  const { errorBytes } = call.config.limits
  // Where nothing arrived, there is nothing that was cut.
  const cut = (answer.cut === true && text !== "") || text.length > errorBytes
  const parsed = answer.cut === true || isDeep(text) ? text || undefined : StatusTag.parse(text)
  const redactor = Call.redactorFor(call, text, parsed)
  const type = typeOf(call, parsed)
  const tag = StatusTag.tagOf(answer.status, type)
  const said =
    answer.refusal ??
    StatusTag.messageOf(parsed) ??
    (excerpt(call, text, cut, redactor) ||
      StatusTag.reasons[answer.status] ||
      (Math.floor(answer.status / 100) === 3 ? "a redirect to nowhere" : "error"))
  const done = StatusTag.isSuccess(answer.status) && Call.isNamed(call, answer.status)
  const shouldRetry = done ? "false" : Headers.single(answer.headers["x-should-retry"] ?? "")
  return new StatusTag.classes[tag]({
    ...Call.common(
      call,
      `${answer.status} ${said}`,
      done ? "maybe-applied" : ApiError.table[tag].delivery,
      redactor
    ),
    shouldRetry: shouldRetry === "true" ? true : shouldRetry === "false" ? false : undefined,
    status: answer.status,
    headers: redactor.headers(answer.headers),
    requestId: shownRequestId(call, answer.headers),
    type: type === undefined ? undefined : shownText(redactor.text, type),
    body: cut ? redactor.text(text.slice(0, errorBytes), { cut }) : redactor.json(parsed),
    retryAfter: Option.getOrUndefined(RetryAfter.parse(answer.headers, answer.now))
  })
}

/** The caller's own reader may not know this body: it must not hide the status. */
const typeOf = (call: Call.Call, body: unknown): string | undefined => {
  try {
    const type: unknown = call.config.errorType(body)
    return typeof type === "string" ? type : undefined
  } catch {
    return undefined
  }
}
