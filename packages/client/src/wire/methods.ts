/** The methods of HTTP. Those that few programs use are in methodRegistry. */
import { type InvalidInput, invalid } from "../shared/invalid.js"
import { token } from "./headers.js"

/** What a method promises (RFC 9110, 9.2): to ask for no change, or to do no more when it is sent again. */
export type Promised = "safe" | "idempotent" | "nothing"

/**
 * The fetch standard forbids these methods (2.2.1, forbidden method): TRACE would echo the credentials, and CONNECT
 * is for proxies.
 */
const forbidden = /^(?:CONNECT|TRACE|TRACK)$/i

/** Why a method cannot be sent. */
export const methodProblem = (method: unknown): InvalidInput | undefined =>
  typeof method === "string" && token.test(method) && !forbidden.test(method)
    ? undefined
    : invalid("method", "must be a token that fetch can send: not CONNECT, TRACE or TRACK")
