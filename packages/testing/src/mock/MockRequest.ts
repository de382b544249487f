/**
 * A request as the scripted transport received it.
 *
 * @since 0.1.0
 */
import { Data } from "effect"
import { noBytes, toText } from "../shared/bytes.js"

/**
 * A request as it would go on the wire: plain data, with helpers to read its body.
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
  /** The whole URL with its query, without the fragment, which is never sent. */
  readonly url: string
  /** Lower-case names, as the request carries them; a multipart body adds its content type. */
  readonly headers: Readonly<Record<string, string>>
  /** The body's bytes; `undefined` for none, and for a streamed body that was not collected. */
  readonly body: Uint8Array | undefined
  /** When it was received: milliseconds of the `Clock`. */
  readonly at: number
}> {
  /** The body as UTF-8 text; empty where there is none. */
  get text(): string {
    return toText(this.body ?? noBytes)
  }

  /** The body as JSON; throws a `SyntaxError` where it is none. */
  get json(): unknown {
    return JSON.parse(this.text)
  }
}
