/** Why an HTTP/2 exchange failed: an error code for each cause, and whether the peer left the request unprocessed. */
import { constants } from "node:http2"
import type { Unprocessed } from "../exchange/Exchange.js"
import { codedError } from "../shared/errors.js"

/** RFC 9113, 7, indexed by number. */
const errorNames = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED"
]

const nameOf = (code: number): string => errorNames[code] ?? `0x${code.toString(16)}`

/** RFC 9113, 7: an unknown code counts as INTERNAL_ERROR. */
const codeOf = (code: number): string => `ERR_HTTP2_${errorNames[code] ?? "INTERNAL_ERROR"}`

/** The content of a GOAWAY frame. */
export interface Goaway {
  readonly code: number
  readonly lastStreamId: number
}

/** The state of a stream that ended before its response did. */
export interface StreamEnd {
  readonly id: number | undefined
  /** The code of RST_STREAM. Node uses a code of its own for a stream that ends with its connection. */
  readonly code: number
  /** The error of the stream or of its connection. */
  readonly failure: unknown
  readonly isDisconnected: boolean
  readonly goaway: Goaway | undefined
}

export interface StreamFailure {
  readonly cause: unknown
  readonly unprocessed: Unprocessed | undefined
}

export const disconnectedError = (): Error =>
  codedError("the other side closed the connection", "UND_ERR_SOCKET")

const goawayError = ({ code }: Goaway): Error =>
  codedError(`the server ended the connection: ${nameOf(code)}`, codeOf(code))

export const resetError = (code: number): Error =>
  codedError(`the stream was reset: ${nameOf(code)}`, codeOf(code))

export const failureOf = ({ code, failure, goaway, id, isDisconnected }: StreamEnd): StreamFailure => {
  // RFC 9113, 6.8: the server did not process streams above the last identifier it names.
  if (goaway !== undefined && id !== undefined && id > goaway.lastStreamId) {
    return { cause: goawayError(goaway), unprocessed: "refused" }
  }
  if (isDisconnected) {
    const isGraceful = goaway === undefined || goaway.code === constants.NGHTTP2_NO_ERROR
    if (isGraceful) return { cause: failure ?? disconnectedError(), unprocessed: undefined }
    return { cause: goawayError(goaway), unprocessed: unprocessedBy(goaway.code) }
  }
  if (failure !== undefined) return { cause: failure, unprocessed: undefined }
  return { cause: resetError(code), unprocessed: unprocessedBy(code) }
}

/**
 * RFC 9113, 7 and 8.7: the server did not process the request and expects it on another connection or over HTTP/1.1.
 */
const unprocessedBy = (code: number): Unprocessed | undefined =>
  code === constants.NGHTTP2_REFUSED_STREAM || code === constants.NGHTTP2_HTTP_1_1_REQUIRED
    ? "refused"
    : undefined
