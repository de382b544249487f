/** Problem details: `application/problem+json` (RFC 9457), which many APIs send as the body of an error. */
import * as Predicate from "effect/Predicate"

/** The members of a problem that an error shows. */
export interface Problem {
  readonly type: string | undefined
  readonly title: string | undefined
  readonly detail: string | undefined
}

/** No problem details. */
export const none: Problem = { type: undefined, title: undefined, detail: undefined }

const mediaType = /^\s*application\/problem\+json\s*(?:;|$)/i

/** The problem in a parsed body, if it has their media type. A member of another kind counts as absent. */
export const problemOf = (contentType: string | undefined, body: unknown): Problem => {
  if (contentType === undefined || !mediaType.test(contentType) || !Predicate.isRecord(body)) return none
  const { detail, title, type } = body
  return {
    // "about:blank" is the status and nothing more (RFC 9457, 4.2.1).
    type: type === "about:blank" ? undefined : textOf(type),
    title: textOf(title),
    detail: textOf(detail)
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined
