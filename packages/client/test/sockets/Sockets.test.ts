import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, RetryPolicy } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Array, Duration, Effect, Fiber } from "effect"
import { list } from "../fixtures/retry.js"
import { clientOf } from "../fixtures/sockets.js"
import { type Transport, transports } from "../fixtures/transports.js"

const ok = TestServer.json("ok")
const broken = TestServer.json({ error: { message: "no" } }, { status: 503 })
const text = TestServer.json("0123456789")
/** Long enough for a response on a busy machine. */
const brief = Duration.millis(300)

type Options = Partial<ApiConfig.Options>

/** How one attempt goes wrong, and what its error tells. */
interface Fault {
  readonly fault: string
  readonly reply: TestServer.Reply
  readonly options?: Options
  readonly told: object | ((transport: Transport) => object)
}

const cutOff = ({ truncatedBody }: Transport) => ({ _tag: "ConnectionError", kind: truncatedBody })

const faults: ReadonlyArray<Fault> = [
  { fault: "a 503", reply: broken, told: { _tag: "ServiceUnavailableError", message: "503 no" } },
  {
    fault: "a reset before the headers",
    reply: TestServer.reset,
    told: { _tag: "ConnectionError", kind: "reset", code: "ECONNRESET" }
  },
  {
    fault: "a close before the headers",
    reply: TestServer.hangUp,
    told: { _tag: "ConnectionError", kind: "closed", code: "UND_ERR_SOCKET" }
  },
  {
    fault: "a reset within the headers",
    reply: TestServer.raw("HTTP/1.1 200 OK\r\ncontent-le").pipe(
      TestServer.resetAfter(Number.POSITIVE_INFINITY)
    ),
    told: { _tag: "ConnectionError", kind: expect.stringMatching(/^(reset|closed)$/) }
  },
  {
    fault: "a reset within the body",
    reply: text.pipe(TestServer.resetAfter(4)),
    told: { _tag: "ConnectionError", kind: expect.stringMatching(/^(reset|closed)$/) }
  },
  {
    fault: "a body that is cut off",
    reply: text.pipe(TestServer.truncateAfter(4)),
    told: cutOff
  },
  {
    fault: "a chunked body that is cut off",
    reply: TestServer.chunks(['"0123', '4567"']).pipe(TestServer.truncateAfter(5)),
    told: cutOff
  },
  {
    fault: "a content-length that is too long, the socket open",
    reply: text.pipe(TestServer.contentLength(100)),
    options: { timeouts: { idle: brief } },
    told: { _tag: "TimeoutError", phase: "idle", limit: brief }
  },
  {
    fault: "a content-length that is too long, the socket closed",
    reply: text.pipe(TestServer.contentLength(100), TestServer.closeAfter),
    told: cutOff
  },
  {
    fault: "bytes that are not HTTP",
    reply: TestServer.garbage,
    told: ({ notHttp: { kind, message } }) => ({
      _tag: "ConnectionError",
      kind,
      message: expect.stringMatching(message)
    })
  },
  {
    fault: "no answer",
    reply: TestServer.never,
    options: { timeouts: { response: brief } },
    told: { _tag: "TimeoutError", phase: "response", limit: brief }
  },
  {
    fault: "a body that falls silent",
    reply: text.pipe(TestServer.stallAfter(4)),
    options: { timeouts: { idle: brief } },
    told: { _tag: "TimeoutError", phase: "idle", limit: brief }
  },
  {
    fault: "an error's body that falls silent",
    reply: broken.pipe(TestServer.stallAfter(4)),
    options: { timeouts: { idle: brief } },
    told: { _tag: "ServiceUnavailableError", status: 503, body: undefined }
  },
  {
    fault: "an error's body that is reset",
    reply: broken.pipe(TestServer.resetAfter(4)),
    told: { _tag: "ServiceUnavailableError", status: 503, body: undefined }
  },
  {
    fault: "an error's body of a mebibyte",
    reply: TestServer.text("x".repeat(1024 * 1024), { status: 503 }),
    told: { _tag: "ServiceUnavailableError", status: 503, body: "x".repeat(64 * 1024) }
  }
]

/** Faults that are noticed by waiting. */
const [silent, loud] = Array.partition(faults, ({ options }) => options?.timeouts === undefined)

describe.each(transports)("on $name", (transport) => {
  const { layer, refused } = transport

  const faulty = (replies: ReadonlyArray<TestServer.Reply>, options?: Options) =>
    Effect.gen(function* () {
      const [first = ok, ...others] = replies
      const server = yield* TestServer.make({ "GET /todos": TestServer.sequence(first, ...others) })
      return { server, client: yield* clientOf(server, options) }
    })

  /** Every fault is met with patience, and told of where it stays. */
  const survived = (faults: ReadonlyArray<Fault>) => {
    it.scopedLive.each(faults)("6.1 $fault: asked again, answered", ({ options, reply }) =>
      Effect.gen(function* () {
        const { client, server } = yield* faulty([reply, reply, ok], options)
        const response = yield* client.executeWithResponse(list)
        expect(response.value).toBe("ok")
        expect(response.attempts).toHaveLength(3)
        expect(yield* server.requestCount).toBe(3)
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive.each(faults)("7.3 $fault: what is told", ({ options, reply, told }) =>
      Effect.gen(function* () {
        const { client, server } = yield* faulty([reply], options)
        const error = yield* Effect.flip(client.execute(list))
        const expected = typeof told === "function" ? told(transport) : told
        expect(error).toMatchObject({ ...expected, delivery: "maybe-applied", stoppedBy: "attempts" })
        expect(error.attempts).toHaveLength(3)
        // A proxy takes its time to pass the last one on.
        expect(yield* server.awaitRequests(3)).toHaveLength(3)
        expect(JSON.stringify(error)).not.toContain("fetch failed")
      }).pipe(Effect.provide(layer))
    )
  }

  survived(loud)
  describe("at a limit", () => survived(silent))

  // A proxy's own status is the response, where it cannot connect.
  it.scopedLive.skipIf(refused === undefined)("7.3 nobody listens: what is told", () =>
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

  it.scopedLive.skipIf(refused === undefined)("7.3 a name that does not resolve: what is told", () =>
    Effect.gen(function* () {
      // RFC 6761: no resolver may know a name under .invalid.
      const client = yield* clientOf({ url: "http://name.invalid" }, { retry: RetryPolicy.none })
      expect(yield* Effect.flip(client.execute(list))).toMatchObject({
        _tag: "ConnectionError",
        kind: "dns",
        delivery: "not-sent"
      })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.2 a content-length that is too short gives the body that it promises", () =>
    Effect.gen(function* () {
      const { client } = yield* faulty([TestServer.text("123456").pipe(TestServer.contentLength(3))])
      expect(yield* client.execute(list)).toBe("123")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each([
    { when: "before the headers", reply: TestServer.never },
    { when: "within the body", reply: text.pipe(TestServer.stallAfter(4)) },
    { when: "within the body of an error", reply: broken.pipe(TestServer.stallAfter(4)) }
  ])("10.7 an interruption $when closes the socket, and nothing more is sent", ({ reply }) =>
    Effect.gen(function* () {
      const { client, server } = yield* faulty([reply])
      const fiber = yield* Effect.fork(client.execute(list))
      yield* server.awaitExchange(0, () => true)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
      expect(yield* server.awaitOpenSockets((open) => open === 0)).toBe(0)
      expect(yield* server.requestCount).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.5 a deadline closes the socket", () =>
    Effect.gen(function* () {
      const { client, server } = yield* faulty([TestServer.never], { timeouts: { total: brief } })
      expect(yield* Effect.flip(client.execute(list))).toMatchObject({
        phase: "total",
        stoppedBy: "deadline"
      })
      expect(yield* server.awaitClosed(0)).toBe("client")
    }).pipe(Effect.provide(layer))
  )
})
