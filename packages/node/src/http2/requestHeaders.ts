/** Builds the header block of an HTTP/2 request. */
import { type OutgoingHttpHeaders, sensitiveHeaders } from "node:http2"
import type { OutgoingRequest } from "../exchange/OutgoingRequest.js"
import { codedError } from "../shared/errors.js"

/**
 * RFC 9113, 8.2.2: these concern an HTTP/1.1 connection and are dropped. Node rejects the others of the kind, which
 * request a feature.
 */
const connectionHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "host"
])

/** RFC 7541, 7.1.3: excluded from the compression tables, where an intermediary's clients could guess them. */
const neverIndexed = ["authorization", "cookie", "proxy-authorization", "x-api-key"]

/** RFC 9110, 8.6: these methods have a body, even an empty one. */
const methodsWithBody: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "QUERY"])

/** Node ends the whole session for an invalid name, and sends any value or path unchecked. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const invalidValue = /[^\t\x20-\x7e\x80-\xff]/
const invalidPath = /[^\x21-\xff]/

/** nghttp2 ends the session for a larger block, in its own count of octets. */
export const maxHeaderBytes = 1024 * 1024
/** RFC 9113, 6.5.2. */
const bytesPerHeader = 32
const pseudoBytes = ":method:scheme:authority:path".length + 4 * bytesPerHeader

const invalidError = (what: string, code: string): Error => codedError(`invalid ${what}`, code)

export interface OriginParts {
  readonly origin: string
  readonly scheme: string
  readonly authority: string
}

export const originParts = (origin: string): OriginParts => {
  // RFC 9113, 8.3.1: without user and password.
  const { host, protocol } = new URL(origin)
  return { origin, scheme: protocol.slice(0, -1), authority: host }
}

/**
 * Throws an error with a code if the request is invalid. `length` is the body's length, if known. `maxBytes` is what the peer
 * accepts; many end the whole session for more (RFC 9113, 10.5.1).
 */
export const requestHeaders = (
  { headers, method, path }: OutgoingRequest,
  target: OriginParts,
  length: number | undefined,
  maxBytes: number = maxHeaderBytes
): OutgoingHttpHeaders => {
  if (!token.test(method)) throw invalidError("method", "ERR_INVALID_ARG_VALUE")
  if (invalidPath.test(path)) throw invalidError("path", "ERR_UNESCAPED_CHARACTERS")
  const sent: OutgoingHttpHeaders = {
    ":method": method,
    ":scheme": target.scheme,
    ":authority": target.authority,
    ":path": path,
    [sensitiveHeaders]: neverIndexed
  }
  let size = pseudoBytes + method.length + target.scheme.length + target.authority.length + path.length
  for (let index = 0; ; index += 2) {
    const name = headers[index]
    const value = headers[index + 1]
    if (name === undefined || value === undefined) break
    if (!token.test(name)) throw invalidError("header name", "ERR_INVALID_HTTP_TOKEN")
    if (invalidValue.test(value)) throw invalidError(`value of ${name}`, "ERR_INVALID_CHAR")
    size += name.length + value.length + bytesPerHeader
    addHeader(sent, name.toLowerCase(), value)
  }
  if (size > maxBytes) throw codedError("the headers are too large", "ERR_HTTP2_INVALID_HEADER_VALUE")
  if (length !== undefined) setLength(sent, method, length)
  return sent
}

const addHeader = (sent: OutgoingHttpHeaders, name: string, value: string): void => {
  if (name === "host") sent[":authority"] = value
  if (connectionHeaders.has(name)) return
  const known = sent[name]
  // Node rejects a second value for an existing name.
  sent[name] = known === undefined ? value : Array.isArray(known) ? [...known, value] : [String(known), value]
}

const setLength = (sent: OutgoingHttpHeaders, method: string, length: number): void => {
  const declared = declaredLength(sent)
  if (declared !== undefined && declared !== length && length > 0) throw lengthMismatchError()
  if (length > 0 || methodsWithBody.has(method)) sent["content-length"] = String(length)
  else delete sent["content-length"]
}

/** The declared length of the body. */
export const declaredLength = (sent: OutgoingHttpHeaders): number | undefined => {
  const declared = sent["content-length"]
  if (declared === undefined) return undefined
  if (!/^\d+$/.test(String(declared))) throw invalidError("content-length", "ERR_INVALID_ARG_VALUE")
  return Number(declared)
}

/** undici's code for a body that does not match its `content-length`. */
export const lengthMismatchError = (): Error =>
  codedError("the body is not as long as its content-length", "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH")
