/**
 * Finds requests that no transport can send, before one tries. Each transport would fail in its own words, and some
 * would report a network failure.
 */

import { type InvalidInput, invalid } from "../shared/invalid.js"
import { checkHeaders } from "./headers.js"
import { methodProblem } from "./methods.js"
import { absoluteProblem } from "./url.js"

/** The parts of a request that are checked here. */
export interface Outgoing {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
}

/** A body, with its length if that is known. A length of zero means no body. */
interface Body {
  readonly _tag: string
  readonly contentLength?: number | undefined
}

/** Why a given `content-length` does not fit the body. */
export const lengthProblem = (declared: string | null | undefined, body: Body): InvalidInput | undefined => {
  const length = body._tag === "Empty" ? 0 : body.contentLength
  return typeof declared !== "string" || length === undefined || Number(declared) === length
    ? undefined
    : invalid("headers.content-length", `must be the length of the body, which has ${length} bytes`)
}

/** Why a request cannot be sent. `knownUrl` is one that can: parsing it again would cost more than the rest. */
export const problemOf = (request: Outgoing, knownUrl?: string): InvalidInput | undefined =>
  methodProblem(request.method) ??
  (request.url === knownUrl ? undefined : absoluteProblem(request.url)) ??
  checkHeaders(request.headers) ??
  lengthProblem(request.headers["content-length"], request.body)
