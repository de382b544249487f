/** The IANA HTTP Method Registry: https://www.iana.org/assignments/http-methods */
import { type InvalidInput, invalid } from "../shared/invalid.js"
import { methodProblem, type Promised } from "./methods.js"

const safe = /^(?:GET|HEAD|OPTIONS|PRI|PROPFIND|QUERY|REPORT|SEARCH|TRACE)$/

/** Idempotent, and not safe; most of them are of WebDAV. */
const idempotent =
  /^(?:ACL|BASELINE-CONTROL|CHECK(?:IN|OUT)|COPY|DELETE|LABEL|MERGE|MK(?:ACTIVITY|CALENDAR|COL|REDIRECTREF|WORKSPACE)|MOVE|ORDERPATCH|PROPPATCH|PUT|(?:RE|UN)?BIND|UNCHECKOUT|(?:UN)?LINK|UNLOCK|UPDATE(?:REDIRECTREF)?|VERSION-CONTROL)$/

/** What a method promises. One that is not registered promises nothing. */
export const promisedBy = (method: string): Promised =>
  safe.test(method) ? "safe" : idempotent.test(method) ? "idempotent" : "nothing"

/**
 * Whether a request that is sent twice does no more than one that is sent once, by the definition of its method (RFC
 * 9110, 9.2.2, and the IANA HTTP Method Registry). A method that is not registered promises nothing.
 *
 * @since 3.1.0
 * @category guards
 */
export const isIdempotent = (method: string): boolean => promisedBy(method) !== "nothing"

/** `fetch` sends some of these in upper case whatever their case, and other transports send them as they are. */
const common = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|QUERY)$/i

/** Why a program cannot mean a method. Methods are case-sensitive (RFC 9110, 9.1). */
export const spellingProblem = (method: string): InvalidInput | undefined =>
  methodProblem(method) ??
  (common.test(method) && method !== method.toUpperCase()
    ? invalid("method", `must be written ${method.toUpperCase()}: methods are case-sensitive`)
    : undefined)
