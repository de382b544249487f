/**
 * The requests that the scripted transport received.
 *
 * @since 0.1.0
 */
import { Data } from "effect"
import { noBytes, toText } from "../shared/bytes.js"

/**
 * A request that a real transport would send: plain data, with helpers to read its body.
 *
 * @example
 * ```ts
 * import { MockTransport } from "@effect-api/testing"
 *
 * export const script: MockTransport.Script = (request, index) =>
 *   index === 0 ? MockTransport.empty(503) : MockTransport.json({ sent: request.json })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export class MockRequest extends Data.Class<{
  /** The order of arrival, from 0. */
  readonly index: number
  readonly method: string
  /** The URL with its query. It excludes the fragment, which is never sent. */
  readonly url: string
  /** The headers by lower-case name. A multipart body adds its content type. */
  readonly headers: Readonly<Record<string, string>>
  /** The bytes of the body. `undefined` without a body, and for a streamed body that was not collected. */
  readonly body: Uint8Array | undefined
  /** The time of arrival, in milliseconds of the `Clock`. */
  readonly at: number
}> {
  /** The body as UTF-8 text, empty without a body. */
  get text(): string {
    return toText(this.body ?? noBytes)
  }

  /** The body as JSON. Throws a `SyntaxError` for invalid JSON. */
  get json(): unknown {
    return JSON.parse(this.text)
  }
}
