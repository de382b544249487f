/**
 * The requests that the test server received.
 *
 * @since 0.1.0
 */
import { Data } from "effect"
import { toText } from "../shared/bytes.js"

/**
 * A request from the wire: plain data, with helpers to read its body.
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
  /** The order of arrival, from 0. It identifies this request in `exchanges`, `awaitExchange` and `awaitClosed`. */
  readonly index: number
  /** The number of its connection, counted from 0 since the server started. */
  readonly socketId: number
  readonly method: string
  /** The request target as sent, neither decoded nor normalised. */
  readonly url: string
  /** The path of the target as sent, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** The decoded `{name}` segments of the route. The match of a final `*` is under `"*"`. */
  readonly params: Readonly<Record<string, string>>
  /** The headers by lower-case name. Repeated headers are joined with `, ` (cookies with `; `). */
  readonly headers: Readonly<Record<string, string>>
  /** The headers as sent, in order. */
  readonly rawHeaders: ReadonlyArray<readonly [name: string, value: string]>
  /** The complete body. It is empty for a streaming handler. */
  readonly body: Uint8Array
}> {
  /** The body as UTF-8 text. */
  get text(): string {
    return toText(this.body)
  }

  /** The body as JSON. Throws a `SyntaxError` for invalid JSON, which the server turns into a 500. */
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
 * A snapshot of a request and its reply. An exchange starts when the head of the request arrives.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  /** The request. Its body is empty until the server has read all of it. */
  readonly request: SeenRequest
  /** The number of bytes read of the request's body. */
  readonly bytesReceived: number
  /** The number of bytes of the reply's body that the socket accepted. */
  readonly bytesSent: number
  /** Whether the operating system has taken the complete reply. It stays false for a reply that is broken off. */
  readonly replied: boolean
  /** The failure or defect of the handler, or of the reply's body. */
  readonly failure: unknown
  /** The side that closed the connection, once it is closed. */
  readonly closed: ClosedBy | undefined
}
