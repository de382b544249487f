/**
 * A request as the test server saw it.
 *
 * @since 0.1.0
 */
import { Data } from "effect"
import { toText } from "../shared/bytes.js"

/**
 * A request as it stood on the wire: plain data, with helpers to read its body.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const echo = (request: TestServer.SeenRequest): TestServer.Reply =>
 *   TestServer.json({ method: request.method, path: request.path, sent: request.json })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export class SeenRequest extends Data.Class<{
  /** The order of arrival, from 0: the name of this request in `exchange`, `awaitExchange` and `awaitClosed`. */
  readonly index: number
  /** The connection it came on, counted from 0 since the server started. */
  readonly socketId: number
  readonly method: string
  /** The request target exactly as it was sent: nothing decoded, nothing normalised. */
  readonly url: string
  /** The path of the target as it was sent, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** The decoded `{name}` segments of the route; what a closing `*` matched is under `"*"`. */
  readonly params: Readonly<Record<string, string>>
  /** Lower-case names; repeated headers are joined with `, ` (cookies with `; `). */
  readonly headers: Readonly<Record<string, string>>
  /** Names as they were sent, in their order. */
  readonly rawHeaders: ReadonlyArray<readonly [name: string, value: string]>
  /** The whole body; empty for a streaming route. */
  readonly body: Uint8Array
}> {
  /** The body as UTF-8 text. */
  get text(): string {
    return toText(this.body)
  }

  /** The body as JSON; throws a `SyntaxError` where it is none, which in a handler becomes a 500. */
  get json(): unknown {
    return JSON.parse(this.text)
  }
}

/**
 * Which side closed a connection first.
 *
 * @since 0.1.0
 * @category models
 */
export type ClosedBy = "client" | "server"

/**
 * What has become of a request: a snapshot, from the arrival of its head on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  /** The request; its body is empty until the whole of it has been read. */
  readonly request: SeenRequest
  /** Body bytes of the request read so far. */
  readonly bytesReceived: number
  /** Body bytes of the reply that the socket has accepted so far. */
  readonly bytesSent: number
  /** Whether the whole reply was handed to the operating system; a reply that is cut never is. */
  readonly answered: boolean
  /** What the handler, or the body of its reply, failed or died with. */
  readonly failure: unknown
  /** Set once the connection of this request is closed. */
  readonly closed: ClosedBy | undefined
}
