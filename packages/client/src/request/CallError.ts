/**
 * What the errors of a call say of a response: whatever is wrong with it, they give the request's id and the start of the body.
 */
import * as ApiError from "../errors/ApiError.js"
import type * as Redaction from "../secrets/Redaction.js"
import { bounded, shownText } from "../shared/shownText.js"
import * as Headers from "../wire/headers.js"
import * as Call from "./Call.js"

/** The head of a response. */
export interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** The request's id in a response's headers, by the first configured name that is there. */
export const requestId = (call: Call.Call, headers: Readonly<Record<string, string>>): string | undefined => {
  for (const name of call.config.requestIdHeaders) {
    const id = headers[name]
    if (id !== undefined) return Headers.single(id)
  }
  return undefined
}

/** The request's id as an error may show it: an id is whatever the server sent. */
export const shownRequestId = (
  call: Call.Call,
  headers: Readonly<Record<string, string>>
): string | undefined => {
  const id = requestId(call, headers)
  return id === undefined ? undefined : shownText(Call.redactor(call).text, id)
}

/** Enough for an excerpt, once the secrets and the blanks are out. */
const excerptSource = 8 * 1024
const excerptLength = 200

/**
 * The start of a text on one line, with the secrets out. `cut` says that the text goes on where it ends: the half of a
 * secret that may stand there goes too. The excerpt's own cut comes last, when no secret is left.
 */
export const excerpt = (
  call: Call.Call,
  text: string,
  cut = false,
  shown: Redaction.Redactor = Call.redactorFor(call, text)
): string => {
  const start = text.trimStart()
  const line = shown
    .text(start.slice(0, excerptSource), { cut: cut || start.length > excerptSource })
    .replace(/\s+/g, " ")
    .trim()
  return bounded(line, excerptLength)
}

/** The text of a body, or of its start: a character that was cut in two is left out. */
export const textOf = (bytes: Uint8Array, cut: boolean): string =>
  new TextDecoder().decode(bytes, { stream: cut })

/** More than enough for an excerpt: a body of many megabytes is not decoded for one line of it. */
const excerptBytes = 64 * 1024

/**
 * The start of a body on one line, with the secrets out. `cut` says that the body goes on where these bytes end.
 */
export const excerptOf = (call: Call.Call, bytes: Uint8Array, cut = false): string => {
  const start = bytes.subarray(0, excerptBytes)
  const short = cut || bytes.length > excerptBytes
  return excerpt(call, textOf(start, short), short)
}

/** What every error of a response has in common, besides its reason. */
export const ofResponse = (
  call: Call.Call,
  { headers, status }: Head,
  message: string,
  excerpt: string
): ApiError.Common & Pick<ApiError.ResponseValidationError, "status" | "requestId" | "excerpt"> => ({
  ...Call.common(call, message, "maybe-applied"),
  status,
  requestId: shownRequestId(call, headers),
  excerpt
})

/** A response whose body cannot be taken as it is, before any schema has seen it. */
export const unreadable = (
  call: Call.Call,
  head: Head,
  reason: string,
  excerpt = ""
): ApiError.ResponseValidationError =>
  new ApiError.ResponseValidationError({
    ...ofResponse(call, head, `the body ${reason}`, excerpt),
    reason,
    path: []
  })
