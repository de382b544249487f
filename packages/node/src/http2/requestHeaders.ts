/** The head of a request as HTTP/2 has it. */
import { type OutgoingHttpHeaders, sensitiveHeaders } from "node:http2"
import type { Outgoing } from "../exchange/OutgoingRequest.js"
import { coded } from "../shared/errors.js"

/** RFC 9113, 8.2.2: they concern a connection of HTTP/1.1. What else does, Node refuses: it asks for what cannot be had. */
const dropped: ReadonlySet<string> = new Set(["connection", "keep-alive", "proxy-connection", "host"])

/** RFC 7541, 7.1.3: no table of a proxy's keeps them, from which they could be guessed. */
const secret = ["authorization", "cookie", "proxy-authorization", "x-api-key"]

/** RFC 9110, 8.6: methods whose requests have a body, if an empty one. */
const withBody: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "QUERY"])

/** Node ends the whole session for a name that is no token, and sends whatever stands in a value or a path. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const unfit = /[^\t\x20-\x7e\x80-\xff]/
const unfitPath = /[^\x21-\xff]/

/** nghttp2 ends the session for a larger one: what it sends may take so many octets, in its own count. */
export const maxHead = 1024 * 1024
const perHeader = 16

const invalid = (what: string, code: string): Error => coded(`invalid ${what}`, code)

/** The scheme and the authority of an origin. */
export interface Target {
  readonly origin: string
  readonly scheme: string
  readonly authority: string
}

export const targetOf = (origin: string): Target => {
  // RFC 9113, 8.3.1: no user and no password.
  const { host, protocol } = new URL(origin)
  return { origin, scheme: protocol.slice(0, -1), authority: host }
}

/** Throws an error with a code where the request cannot be sent as it was written. `length` is that of a body that is known. */
export const requestHeaders = (
  { headers, method, path }: Outgoing,
  target: Target,
  length: number | undefined
): OutgoingHttpHeaders => {
  if (!token.test(method)) throw invalid("method", "ERR_INVALID_ARG_VALUE")
  if (unfitPath.test(path)) throw invalid("path", "ERR_UNESCAPED_CHARACTERS")
  const sent: OutgoingHttpHeaders = {
    ":method": method,
    ":scheme": target.scheme,
    ":authority": target.authority,
    ":path": path,
    [sensitiveHeaders]: secret
  }
  let size = path.length + target.authority.length
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string
    const value = headers[index + 1] as string
    if (!token.test(name)) throw invalid("header name", "ERR_INVALID_HTTP_TOKEN")
    if (unfit.test(value)) throw invalid(`value of ${name}`, "ERR_INVALID_CHAR")
    size += name.length + value.length + perHeader
    add(sent, name.toLowerCase(), value)
  }
  if (size > maxHead) throw coded("the headers are too large", "ERR_HTTP2_INVALID_HEADER_VALUE")
  if (length !== undefined) setLength(sent, method, length)
  return sent
}

const add = (sent: OutgoingHttpHeaders, name: string, value: string): void => {
  if (name === "host") sent[":authority"] = value
  if (dropped.has(name)) return
  const known = sent[name]
  // Node refuses a second value of a name that has one.
  sent[name] = known === undefined ? value : Array.isArray(known) ? [...known, value] : [String(known), value]
}

const setLength = (sent: OutgoingHttpHeaders, method: string, length: number): void => {
  const declared = declaredLength(sent)
  if (declared !== undefined && declared !== length && length > 0) throw mismatch()
  if (length > 0 || withBody.has(method)) sent["content-length"] = String(length)
  else delete sent["content-length"]
}

/** What the headers say of the length of the body. */
export const declaredLength = (sent: OutgoingHttpHeaders): number | undefined => {
  const declared = sent["content-length"]
  if (declared === undefined) return undefined
  if (!/^\d+$/.test(String(declared))) throw invalid("content-length", "ERR_INVALID_ARG_VALUE")
  return Number(declared)
}

/** undici's code for a body that is shorter or longer than its `content-length`. */
export const mismatch = (): Error =>
  coded("the body is not as long as its content-length", "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH")
