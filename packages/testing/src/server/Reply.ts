/**
 * The replies of the test server.
 *
 * @since 0.1.0
 */
import { Duration, Pipeable, Predicate, type Stream } from "effect"
import { toBytes } from "../shared/bytes.js"
import { duration } from "../shared/mistakes.js"

/**
 * The type id of replies.
 *
 * @since 0.1.0
 * @category type ids
 */
export const ReplyTypeId: unique symbol = Symbol.for("@effect-api/testing/Reply")

/**
 * The type of {@link ReplyTypeId}.
 *
 * @since 0.1.0
 * @category type ids
 */
export type ReplyTypeId = typeof ReplyTypeId

/**
 * Response headers. An array sends a header several times.
 *
 * @since 0.1.0
 * @category models
 */
export type ReplyHeaders = Readonly<Record<string, string | ReadonlyArray<string>>>

/**
 * The chunks of a streamed body. The server calls a function for each request, so that the reply can be sent repeatedly.
 *
 * @since 0.1.0
 * @category models
 */
export type Chunks =
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>
  | Stream.Stream<string | Uint8Array, unknown>
  | (() => Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>)

/**
 * Where and how the server breaks a reply off: `reset` sends RST, `fin` closes the connection, `stall` sends nothing more and
 * leaves the socket open. `after` counts bytes of the body; `"nothing"` breaks off before the status line.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cut {
  readonly after: number | "nothing"
  readonly by: "reset" | "fin" | "stall"
}

/**
 * The socket's fate after the reply: `keep` keeps it alive, and `close` closes it. The other two close it with FIN or RST when
 * the client reuses it for another request.
 *
 * @since 0.1.0
 * @category models
 */
export type Afterwards = "keep" | "close" | "fin-on-reuse" | "reset-on-reuse"

/**
 * A reply of the server. Make it with a constructor and change it with a combinator.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reply extends ReplyFields, Pipeable.Pipeable {
  readonly [ReplyTypeId]: ReplyTypeId
}

/**
 * The fields of a reply.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReplyFields {
  /** `http` sends a status line and headers before the body, `raw` sends the body alone. */
  readonly wire: "http" | "raw"
  readonly status: number
  /** The reason phrase, or `undefined` for the standard one. */
  readonly statusText: string | undefined
  readonly headers: ReplyHeaders
  /** The body, complete or in chunks. */
  readonly body: Uint8Array | Chunks
  /** The delay before the first byte. */
  readonly delay: Duration.Duration
  /** The delay between two chunks. */
  readonly chunkDelay: Duration.Duration
  /** A false `content-length` to send instead of the true one. */
  readonly contentLength: number | undefined
  /** Where and how the server breaks the reply off. */
  readonly cut: Cut | undefined
  /** The socket's fate after the reply. */
  readonly afterwards: Afterwards
}

/**
 * The head of a reply.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReplyOptions {
  /** The status (200). */
  readonly status?: number | undefined
  /** The reason phrase (the standard one of the status). */
  readonly statusText?: string | undefined
  /** The headers. An array sends a header several times. */
  readonly headers?: ReplyHeaders | undefined
}

const Proto = { ...Pipeable.Prototype, [ReplyTypeId]: ReplyTypeId }

const defaults: ReplyFields = {
  wire: "http",
  status: 200,
  statusText: undefined,
  headers: {},
  body: new Uint8Array(0),
  delay: Duration.zero,
  chunkDelay: Duration.zero,
  contentLength: undefined,
  cut: undefined,
  afterwards: "keep"
}

/**
 * Whether a value is a `Reply`.
 *
 * @internal
 */
export const isReply = (u: unknown): u is Reply => Predicate.hasProperty(u, ReplyTypeId)

/**
 * Makes a reply from its fields. The default is an empty 200. The other constructors are shorthands for this one.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const teapot = TestServer.reply({ ...TestServer.text("short and stout"), status: 418 })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const reply = (fields: Partial<ReplyFields>): Reply =>
  Object.assign(Object.create(Proto), { ...defaults, ...fields })

const withBody = (
  body: Uint8Array | Chunks,
  type: string | undefined,
  options: ReplyOptions | undefined
): Reply => {
  const hasType = Object.keys(options?.headers ?? {}).some((name) => name.toLowerCase() === "content-type")
  return reply({
    body,
    status: options?.status ?? 200,
    statusText: options?.statusText,
    headers:
      type === undefined || hasType ? { ...options?.headers } : { "content-type": type, ...options?.headers }
  })
}

/**
 * Replies with a value as JSON.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const busy = TestServer.json({ error: "busy" }, { status: 503, headers: { "retry-after": "1" } })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const json = (value: unknown, options?: ReplyOptions): Reply =>
  withBody(toBytes(JSON.stringify(value) ?? ""), "application/json", options)

/**
 * Replies with UTF-8 text.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const page = TestServer.text("<html>Bad gateway</html>", {
 *   status: 502,
 *   headers: { "content-type": "text/html" }
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const text = (body: string, options?: ReplyOptions): Reply =>
  withBody(toBytes(body), "text/plain; charset=utf-8", options)

/**
 * Replies with bytes, as `application/octet-stream` unless the headers set another type.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const image = TestServer.bytes(new Uint8Array([0x89, 0x50]), { headers: { "content-type": "image/png" } })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const bytes = (body: Uint8Array, options?: ReplyOptions): Reply =>
  withBody(body, "application/octet-stream", options)

/**
 * Replies with a status, without a body or a content type.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const moved = TestServer.empty(307, { location: "/elsewhere" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty = (status = 204, headers: ReplyHeaders = {}): Reply =>
  withBody(new Uint8Array(0), undefined, { status, headers })

/**
 * Replies with a chunked body. The server sends the headers immediately and each chunk as one write. It pulls the next chunk
 * when the client has read enough of the previous ones.
 *
 * A `content-length` header replaces the chunked encoding. A stream or iterable that fails resets the connection.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const events = TestServer.chunks(["data: 1\n\n", "data: 2\n\n"], {
 *   headers: { "content-type": "text/event-stream" },
 *   delay: "2 millis"
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const chunks = (
  body: Chunks,
  options?: ReplyOptions & {
    /** The real time between two chunks (none). */
    readonly delay?: Duration.DurationInput | undefined
  }
): Reply =>
  reply({
    ...withBody(body, undefined, options),
    chunkDelay: duration("TestServer.chunks: delay", options?.delay ?? 0)
  })
