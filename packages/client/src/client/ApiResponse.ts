/**
 * A decoded response.
 *
 * @since 0.1.0
 */
import type * as HttpHeaders from "@effect/platform/Headers"
import type * as Stream from "effect/Stream"
import type * as ApiError from "../errors/ApiError.js"

/**
 * What comes around the value of a response. `headers` are by lower-case name, as they came. Where the transport has decoded the
 * body, `content-encoding` and `content-length` are dropped, because they describe the encoded body. `attempts` is the ledger of
 * the call; its last line is the attempt that succeeded.
 *
 * `url` is the URL of the response, after redirects. Its secrets are hidden as in the URLs of errors, so that a response may be
 * logged: the client's own secrets, and query parameters with the name of a secret, such as the signature of a presigned URL.
 *
 * @since 3.1.0
 * @category models
 */
export interface ResponseInfo {
  readonly status: number
  readonly headers: HttpHeaders.Headers
  readonly requestId: string | undefined
  readonly url: string
  readonly attempts: ReadonlyArray<ApiError.Attempt>
}

/**
 * A decoded response: its value, and what came around it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiResponse<out A> extends ResponseInfo {
  readonly value: A
}

/**
 * An open response whose events are still to be read. `stream` runs once. It closes the connection when it ends or is left; the
 * scope of the response closes it at the latest. `attempts` ends with the attempt that opened the stream.
 *
 * @since 3.1.0
 * @category models
 */
export interface StreamResponse<out A, out E = never> extends ResponseInfo {
  readonly stream: Stream.Stream<A, E>
}
