/**
 * What the test server answers: ordinary replies, and the faults a client must survive.
 *
 * @since 0.1.0
 */
import { Duration, Pipeable, Predicate, type Stream } from "effect"
import { toBytes } from "../shared/bytes.js"

/**
 * The mark of replies.
 *
 * @since 0.1.0
 * @category type ids
 */
export const ReplyTypeId: unique symbol = Symbol.for("@effect-api/testing/Reply")

/**
 * The type of the mark of replies.
 *
 * @since 0.1.0
 * @category type ids
 */
export type ReplyTypeId = typeof ReplyTypeId

/**
 * Response headers; an array sends the header several times.
 *
 * @since 0.1.0
 * @category models
 */
export type ReplyHeaders = Readonly<Record<string, string | ReadonlyArray<string>>>

/**
 * The chunks of a streamed body. A function is called for each request, so that a reply can be given more than once.
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
 * Where a reply is cut, and how: `reset` sends RST, `fin` closes in order, `stall` sends nothing more and leaves the
 * socket open. `after` counts body bytes; `"nothing"` cuts before the status line.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cut {
  readonly after: number | "nothing"
  readonly by: "reset" | "fin" | "stall"
}

/**
 * What becomes of the socket once the reply has been sent: `keep` leaves it to keep-alive, `close` closes it, and
 * the other two let the client reuse it and then kill it without a response byte, by FIN or by RST.
 *
 * @since 0.1.0
 * @category models
 */
export type Afterwards = "keep" | "close" | "fin-on-reuse" | "reset-on-reuse"

/**
 * One answer of the server as a value. Make it with a constructor below and change it with the combinators.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reply extends ReplyFields, Pipeable.Pipeable {
  readonly [ReplyTypeId]: ReplyTypeId
}

/**
 * Everything that makes up a reply.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReplyFields {
  /** `http` sends a status line and headers before the body, `raw` sends the body alone. */
  readonly wire: "http" | "raw"
  readonly status: number
  readonly statusText: string | undefined
  readonly headers: ReplyHeaders
  readonly body: Uint8Array | Chunks
  /** Waited before the first byte. */
  readonly delay: Duration.Duration
  /** Waited between two chunks. */
  readonly chunkDelay: Duration.Duration
  /** The `content-length` to claim, where it is not the true one. */
  readonly contentLength: number | undefined
  readonly cut: Cut | undefined
  readonly afterwards: Afterwards
}

/**
 * The head of a reply; the status defaults to 200.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReplyOptions {
  /** The status (200). */
  readonly status?: number | undefined
  /** The reason phrase (that of the status). */
  readonly statusText?: string | undefined
  /** The headers; a list sends one several times. */
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
 * @since 0.1.0
 * @category guards
 */
export const isReply = (u: unknown): u is Reply => Predicate.hasProperty(u, ReplyTypeId)

/**
 * Builds a reply from its fields; the rest is an empty 200. The other constructors are short for this one.
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
  const named = Object.keys(options?.headers ?? {}).some((name) => name.toLowerCase() === "content-type")
  return reply({
    body,
    status: options?.status ?? 200,
    statusText: options?.statusText,
    headers:
      type === undefined || named ? { ...options?.headers } : { "content-type": type, ...options?.headers }
  })
}

/**
 * Answers with a value as JSON.
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
 * Answers with UTF-8 text.
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
 * Answers with bytes, as `application/octet-stream` unless the headers name another type.
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
 * Answers with a status and no body, without a content type.
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
 * Answers with a chunked body: the headers leave at once, each element is one write, and the next is pulled when the
 * client has taken enough of the last. A `content-length` among the headers replaces the chunked encoding. A stream
 * or iterable that fails resets the connection.
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
    /** Real time between two chunks. */
    readonly delay?: Duration.DurationInput | undefined
  }
): Reply => reply({ ...withBody(body, undefined, options), chunkDelay: Duration.decode(options?.delay ?? 0) })
