/** The errors of a response that is no error by its status, and cannot be used. */
import * as ApiError from "../errors/ApiError.js"
import { ownCause } from "../errors/ownCause.js"
import type * as ApiSchema from "../response/ApiSchema.js"
import { bounded, shownText } from "../shared/shownText.js"
import type * as Call from "./Call.js"
import * as CallError from "./CallError.js"
import * as CallSecrets from "./CallSecrets.js"

/** A body that cannot be read, before any schema has seen it. */
export const unreadable = (
  call: Call.Call,
  head: CallError.Head,
  reason: string,
  excerpt = ""
): ApiError.ResponseValidationError =>
  new ApiError.ResponseValidationError({
    ...CallError.ofResponse(call, head, `the body ${reason}`),
    reason,
    path: [],
    excerpt
  })

const longestPath = 100
const longestKey = 200

/** A body that does not fit its schema. */
export const undecodable = (
  call: Call.Call,
  head: CallError.Head,
  bytes: Uint8Array,
  { parsed, path, reason, thrown }: ApiSchema.DecodeFailure
): ApiError.ResponseValidationError => {
  const { excerpt, redactor } = CallError.quoteBytes(call, bytes, false, parsed?.value)
  const message = `the response (${head.status}) does not fit: ${reason}`
  return new ApiError.ResponseValidationError({
    ...CallError.ofResponse(call, head, message, redactor),
    attempts: call.attempts,
    reason: shownText(redactor.text, reason),
    // A server may send anything as a key.
    path: path
      .slice(0, longestPath)
      .map((key) => (typeof key === "string" ? bounded(shownText(redactor.text, key), longestKey) : key)),
    excerpt,
    ...ownCause(thrown, redactor.text)
  })
}

/** A stream that breaks its contract. `text` is what the error quotes; `cut` means that it was truncated. */
export const streamProtocol = (
  call: Call.Call,
  head: CallError.Head,
  reason: string,
  text: string,
  cut = false,
  cause?: unknown
): ApiError.StreamProtocolError => {
  const { excerpt, redactor } = CallError.quote(call, text, cut)
  const message = excerpt === "" ? reason : `${reason}: ${excerpt}`
  return new ApiError.StreamProtocolError({
    ...CallError.ofResponse(call, head, message, redactor),
    reason: shownText(redactor.text, reason),
    excerpt,
    ...ownCause(cause, redactor.text)
  })
}

/** A stream that ended too early, after `received` events. */
export const streamTruncated = (
  call: Call.Call,
  head: CallError.Head,
  where: string,
  received: number
): ApiError.StreamTruncatedError => {
  const message = `the stream ended ${where}, after ${received} events`
  const { status: _, ...fields } = CallError.ofResponse(call, head, message)
  return new ApiError.StreamTruncatedError({ ...fields, received })
}

/** Why nothing follows a response: no next page, no next poll, no list of a page's items. */
export interface Unusable {
  readonly reason: string
  readonly cause?: unknown
}

/** A response that is to be followed, and cannot be. */
export const unfollowed = (
  call: Call.Call,
  head: CallError.Head,
  { cause, reason }: Unusable
): ApiError.ResponseValidationError => {
  const { text } = CallSecrets.redactor(call)
  return new ApiError.ResponseValidationError({
    ...CallError.ofResponse(call, head, reason),
    ...ownCause(cause, text),
    attempts: [...call.attempts],
    reason: shownText(text, reason),
    path: [],
    excerpt: ""
  })
}

/** Pages that cannot go on after `pages` of them. */
export const pagination = (
  call: Call.Call,
  { cause, reason }: Unusable,
  pages: number
): ApiError.PaginationError => {
  const { text } = CallSecrets.redactor(call)
  return new ApiError.PaginationError({
    ...CallError.ofCall(call, `${reason}, after ${pages} pages`, "maybe-applied"),
    ...ownCause(cause, text),
    attempts: [...call.attempts],
    reason: shownText(text, reason),
    pages
  })
}
