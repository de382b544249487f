/**
 * Faults between a client and a server, as replies and as changes to replies.
 *
 * @since 0.1.0
 */
import type { Duration } from "effect"
import { dual } from "effect/Function"
import { toBytes } from "../shared/bytes.js"
import { duration } from "../shared/mistakes.js"
import { type Cut, type Reply, reply } from "./Reply.js"

/**
 * Sends raw bytes instead of an HTTP response, and closes the socket. `stallAfter(Infinity)` leaves the socket open.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const halfHead = TestServer.raw("HTTP/1.1 200 OK\r\ncontent-le")
 * ```
 *
 * @since 0.1.0
 * @category faults
 */
export const raw = (body: string | Uint8Array): Reply =>
  reply({ wire: "raw", body: toBytes(body), cut: { after: Number.POSITIVE_INFINITY, by: "fin" } })

/**
 * Sends bytes that are not HTTP, and closes the socket.
 *
 * @since 0.1.0
 * @category faults
 */
export const garbage: Reply = raw("\u0000\u0001 this is not HTTP \u0002\r\n\r\n")

/**
 * Never replies. The socket stays open until the client or the server's scope closes it.
 *
 * @since 0.1.0
 * @category faults
 */
export const never: Reply = reply({ cut: { after: "nothing", by: "stall" } })

/**
 * Resets the connection (RST) instead of replying: clients get `ECONNRESET`.
 *
 * @since 0.1.0
 * @category faults
 */
export const reset: Reply = reply({ cut: { after: "nothing", by: "reset" } })

/**
 * Closes the connection (FIN) instead of replying: clients get the error "other side closed" or "socket hang up".
 *
 * @since 0.1.0
 * @category faults
 */
export const hangUp: Reply = reply({ cut: { after: "nothing", by: "fin" } })

/**
 * Waits in real time before the first byte of the reply, or before its fault.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const slow = TestServer.json({ ok: true }).pipe(TestServer.delayed("5 millis"))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const delayed: {
  (delay: Duration.DurationInput): (self: Reply) => Reply
  (self: Reply, delay: Duration.DurationInput): Reply
} = dual(
  2,
  (self: Reply, delay: Duration.DurationInput): Reply =>
    reply({ ...self, delay: duration("TestServer.delayed", delay) })
)

const cutting = (
  by: Cut["by"]
): { (after: number): (self: Reply) => Reply; (self: Reply, after: number): Reply } =>
  dual(2, (self: Reply, after: number): Reply => reply({ ...self, cut: { after, by } }))

/**
 * Sends the head and at most `after` bytes of the body, then resets the connection (RST).
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const broken = TestServer.text("0123456789").pipe(TestServer.resetAfter(4))
 * ```
 *
 * @since 0.1.0
 * @category faults
 */
export const resetAfter: {
  (after: number): (self: Reply) => Reply
  (self: Reply, after: number): Reply
} = cutting("reset")

/**
 * Sends the head and at most `after` bytes of the body, then closes the connection (FIN) before the end of the body.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const truncated = TestServer.chunks(["data: 1\n\n", "data: 2\n\n"]).pipe(TestServer.truncateAfter(9))
 * ```
 *
 * @since 0.1.0
 * @category faults
 */
export const truncateAfter: {
  (after: number): (self: Reply) => Reply
  (self: Reply, after: number): Reply
} = cutting("fin")

/**
 * Sends the head and at most `after` bytes of the body, then nothing more. The socket stays open.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const silent = TestServer.text("0123456789").pipe(TestServer.stallAfter(4))
 * ```
 *
 * @since 0.1.0
 * @category faults
 */
export const stallAfter: {
  (after: number): (self: Reply) => Reply
  (self: Reply, after: number): Reply
} = cutting("stall")

/**
 * Sends a false `content-length`. The body is unchanged and the socket stays open.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const tooShort = TestServer.text("abc").pipe(TestServer.contentLength(10))
 * ```
 *
 * @since 0.1.0
 * @category faults
 */
export const contentLength: {
  (length: number): (self: Reply) => Reply
  (self: Reply, length: number): Reply
} = dual(2, (self: Reply, length: number): Reply => reply({ ...self, contentLength: length }))

/**
 * Replies with keep-alive, but closes the socket immediately afterwards.
 *
 * @since 0.1.0
 * @category faults
 */
export const closeAfter = (self: Reply): Reply => reply({ ...self, afterwards: "close" })

/**
 * Replies with keep-alive, then closes the socket (FIN) when the next request arrives on it.
 *
 * @since 0.1.0
 * @category faults
 */
export const closeOnReuse = (self: Reply): Reply => reply({ ...self, afterwards: "fin-on-reuse" })

/**
 * Replies with keep-alive, then resets the socket (RST) when the next request arrives on it.
 *
 * @since 0.1.0
 * @category faults
 */
export const resetOnReuse = (self: Reply): Reply => reply({ ...self, afterwards: "reset-on-reuse" })
