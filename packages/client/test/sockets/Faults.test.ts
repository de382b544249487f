import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, RetryPolicy } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Duration, Effect, Fiber } from "effect"
import { list } from "../fixtures/retry.js"
import { clientOf } from "../fixtures/sockets.js"
import { everyTransport, type Transport } from "../fixtures/transports.js"

const ok = TestServer.json("ok")
const broken = TestServer.json({ error: { message: "no" } }, { status: 503 })
const text = TestServer.json("0123456789")
/** Long enough for a response on a busy machine. */
const brief = Duration.millis(300)

type Options = Partial<ApiConfig.Options>

/** A way in which an attempt fails, and its error. */
interface Fault {
  readonly fault: string
  readonly reply: TestServer.Reply
  readonly options?: Options
  readonly expected: object | ((transport: Transport) => object)
}

const truncated = ({ truncatedBody }: Transport) => ({ _tag: "ConnectionError", kind: truncatedBody })

const faults: ReadonlyArray<Fault> = [
  { fault: "a 503", reply: broken, expected: { _tag: "ServiceUnavailableError", message: "503 no" } },
  {
    fault: "a reset before the headers",
    reply: TestServer.reset,
    expected: { _tag: "ConnectionError", kind: "reset", code: "ECONNRESET" }
  },
  {
    fault: "a close before the headers",
    reply: TestServer.hangUp,
    expected: { _tag: "ConnectionError", kind: "closed", code: "UND_ERR_SOCKET" }
  },
  {
    fault: "a reset inside the headers",
    reply: TestServer.raw("HTTP/1.1 200 OK\r\ncontent-le").pipe(
      TestServer.resetAfter(Number.POSITIVE_INFINITY)
    ),
    expected: { _tag: "ConnectionError", kind: expect.stringMatching(/^(reset|closed)$/) }
  },
  {
    fault: "a reset inside the body",
    reply: text.pipe(TestServer.resetAfter(4)),
    expected: { _tag: "ConnectionError", kind: expect.stringMatching(/^(reset|closed)$/) }
  },
  {
    fault: "a truncated body",
    reply: text.pipe(TestServer.truncateAfter(4)),
    expected: truncated
  },
  {
    fault: "a truncated chunked body",
    reply: TestServer.chunks(['"0123', '4567"']).pipe(TestServer.truncateAfter(5)),
    expected: truncated
  },
  {
    fault: "a body shorter than its content-length on an open socket",
    reply: text.pipe(TestServer.contentLength(100)),
    options: { timeouts: { idle: brief } },
    expected: { _tag: "TimeoutError", phase: "idle", limit: brief }
  },
  {
    fault: "a body shorter than its content-length on a closed socket",
    reply: text.pipe(TestServer.contentLength(100), TestServer.closeAfter),
    expected: truncated
  },
  {
    fault: "bytes that are not HTTP",
    reply: TestServer.garbage,
    expected: ({ notHttp: { kind, message } }) => ({
      _tag: "ConnectionError",
      kind,
      message: expect.stringMatching(message)
    })
  },
  {
    fault: "no response",
    reply: TestServer.never,
    options: { timeouts: { response: brief } },
    expected: { _tag: "TimeoutError", phase: "response", limit: brief }
  },
  {
    fault: "a stalled body",
    reply: text.pipe(TestServer.stallAfter(4)),
    options: { timeouts: { idle: brief } },
    expected: { _tag: "TimeoutError", phase: "idle", limit: brief }
  },
  {
    fault: "an error's stalled body",
    reply: broken.pipe(TestServer.stallAfter(4)),
    options: { timeouts: { idle: brief } },
    expected: { _tag: "ServiceUnavailableError", status: 503, body: undefined }
  },
  {
    fault: "an error's reset body",
    reply: broken.pipe(TestServer.resetAfter(4)),
    expected: { _tag: "ServiceUnavailableError", status: 503, body: undefined }
  },
  {
    fault: "an error's body of 1 MiB",
    reply: TestServer.text("x".repeat(1024 * 1024), { status: 503 }),
    expected: { _tag: "ServiceUnavailableError", status: 503, body: "x".repeat(64 * 1024) }
  }
]

/** Faults that only a timeout detects. */
const byTimeout = faults.filter(({ options }) => options?.timeouts !== undefined)
const immediate = faults.filter((fault) => !byTimeout.includes(fault))

describe.each(everyTransport)("on $name", (transport) => {
  const { layer, refused } = transport

  const faultyServer = (replies: ReadonlyArray<TestServer.Reply>, options?: Options) =>
    Effect.gen(function* () {
      const [first = ok, ...others] = replies
      const server = yield* TestServer.make({ "GET /todos": TestServer.sequence(first, ...others) })
      return { server, client: yield* clientOf(server, options) }
    })

  /** Every fault is retried, and is the error if it persists. */
  const testFaults = (faults: ReadonlyArray<Fault>) => {
    it.scopedLive.each(faults)("6.1 $fault: a retry succeeds", ({ options, reply }) =>
      Effect.gen(function* () {
        const { client, server } = yield* faultyServer([reply, reply, ok], options)
        const response = yield* client.executeWithResponse(list)
        expect(response.value).toBe("ok")
        expect(response.attempts).toHaveLength(3)
        expect(yield* server.requestCount).toBe(3)
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive.each(faults)("7.3 $fault: the error after all retries", ({ options, reply, expected }) =>
      Effect.gen(function* () {
        const { client, server } = yield* faultyServer([reply], options)
        const error = yield* Effect.flip(client.execute(list))
        const fields = typeof expected === "function" ? expected(transport) : expected
        expect(error).toMatchObject({ ...fields, delivery: "maybe-applied", stoppedBy: "attempts" })
        expect(error.attempts).toHaveLength(3)
        // A proxy may still be forwarding the last request.
        expect(yield* server.awaitRequests(3)).toHaveLength(3)
        expect(JSON.stringify(error)).not.toContain("fetch failed")
      }).pipe(Effect.provide(layer))
    )
  }

  testFaults(immediate)
  describe("detected by a timeout", () => testFaults(byTimeout))

  // A proxy that cannot connect responds with a status.
  it.scopedLive.skipIf(refused === undefined)("7.3 a refused connection", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ url: yield* TestServer.refusedUrl })
      const error = yield* Effect.flip(client.execute(list))
      expect(error).toMatchObject({
        _tag: "ConnectionError",
        kind: "refused",
        code: refused?.code,
        delivery: "not-sent",
        stoppedBy: "attempts"
      })
      expect(error.message).toMatch(refused?.message ?? /^$/)
      expect(error.attempts).toHaveLength(3)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.skipIf(refused === undefined)("7.3 an unresolved host name", () =>
    Effect.gen(function* () {
      // RFC 6761: no resolver may resolve a name under `.invalid`.
      const client = yield* clientOf({ url: "http://name.invalid" }, { retry: RetryPolicy.none })
      expect(yield* Effect.flip(client.execute(list))).toMatchObject({
        _tag: "ConnectionError",
        kind: "dns",
        delivery: "not-sent"
      })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.2 a body longer than its content-length is cut at that length", () =>
    Effect.gen(function* () {
      const { client } = yield* faultyServer([TestServer.text("123456").pipe(TestServer.contentLength(3))])
      expect(yield* client.execute(list)).toBe("123")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each([
    { when: "before the headers", reply: TestServer.never },
    { when: "inside the body", reply: text.pipe(TestServer.stallAfter(4)) },
    { when: "inside the body of an error", reply: broken.pipe(TestServer.stallAfter(4)) }
  ])("10.7 an interruption $when closes the socket, and nothing more is sent", ({ reply }) =>
    Effect.gen(function* () {
      const { client, server } = yield* faultyServer([reply])
      const fiber = yield* Effect.fork(client.execute(list))
      yield* server.awaitExchange(0, () => true)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
      expect(yield* server.awaitOpenSockets((open) => open === 0)).toBe(0)
      expect(yield* server.requestCount).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.5 total closes the socket", () =>
    Effect.gen(function* () {
      const { client, server } = yield* faultyServer([TestServer.never], { timeouts: { total: brief } })
      expect(yield* Effect.flip(client.execute(list))).toMatchObject({
        phase: "total",
        stoppedBy: "deadline"
      })
      expect(yield* server.awaitClosed(0)).toBe("client")
    }).pipe(Effect.provide(layer))
  )
})
