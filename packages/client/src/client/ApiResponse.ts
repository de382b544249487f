/**
 * A decoded response.
 *
 * @since 0.1.0
 */
import type * as HttpHeaders from "@effect/platform/Headers"
import type * as ApiError from "../errors/ApiError.js"

/**
 * A decoded response. `headers` are by lower-case name, as they came. Where the transport has decoded the body,
 * `content-encoding` and `content-length` are dropped, because they describe the encoded body. `attempts` is the ledger of the
 * call; its last line is the attempt that succeeded.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiResponse<out A> {
  readonly value: A
  readonly status: number
  readonly headers: HttpHeaders.Headers
  readonly requestId: string | undefined
  readonly attempts: ReadonlyArray<ApiError.Attempt>
}
