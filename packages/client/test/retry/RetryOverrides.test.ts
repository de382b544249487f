import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, type ApiConfig, ApiRequest, Credentials, Pagination } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, Redacted, Schedule, Stream, TestClock } from "effect"

const base = "https://api.test"

const clientOf = (script: MockTransport.Script, options: Partial<ApiConfig.Options> = {}) =>
  Effect.gen(function* () {
    const transport = yield* MockTransport.make(script)
    const client = yield* Effect.provideService(
      ApiClient.make({ baseUrl: base, ...options }),
      HttpClient.HttpClient,
      transport.client
    )
    return { client, transport }
  })

/** Runs to the error, however long that takes on the test clock. */
const failing = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.flip(effect))
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

const failure = MockTransport.forever(MockTransport.empty(500))

describe("retries of one request", () => {
  it.effect.each([
    { name: "options", retry: { maxRetries: 3 } },
    { name: "a schedule", retry: Schedule.recurs(3) }
  ])("6.11 $name of a request do not undo what the client forbids", ({ retry }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* clientOf([failure], { retry: { retryUnsafe: "never" } })
      const error = yield* failing(client.execute(ApiRequest.post("/x", { retry })))
      expect(error).toMatchObject({ _tag: "InternalServerError", stoppedBy: "not-retryable" })
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("6.3 options of a request are laid over the client's", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* clientOf([failure], {
        retry: { initialDelay: "10 seconds", maxDelay: "10 seconds", jitter: 0 }
      })
      yield* failing(client.execute(ApiRequest.get("/x", { retry: { maxRetries: 1 } })))
      expect((yield* transport.requests).map(({ at }) => at)).toEqual([0, 10_000])
    })
  )

  it.effect("6.4 a request without a budget takes nothing from the client's", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* clientOf([failure], { retry: { budget: { capacity: 0 } } })
      const spent = yield* failing(client.execute(ApiRequest.get("/x")))
      expect(spent.stoppedBy).toBe("budget")
      const free = yield* failing(client.execute(ApiRequest.get("/x", { retry: { budget: false } })))
      expect(free.stoppedBy).toBe("attempts")
      expect(yield* transport.requestCount).toBe(1 + 3)
    })
  )

  it.effect("6.2 a hint of the server that issues tokens is waited for", () =>
    Effect.gen(function* () {
      const tokens = yield* clientOf([
        MockTransport.empty(503, { headers: { "retry-after": "30" } }),
        MockTransport.json("fresh")
      ])
      const fetch = Effect.map(tokens.client.execute(ApiRequest.get("/token")), (token) =>
        Redacted.make(String(token))
      )
      const { client, transport } = yield* clientOf([MockTransport.json(1)], {
        credentials: Credentials.cached({ fetch })
      })
      const fiber = yield* Effect.fork(client.execute(ApiRequest.get("/x")))
      yield* TestClock.adjust("29 seconds")
      expect(yield* tokens.transport.requestCount).toBe(1)
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toBe(1)
      expect((yield* transport.requests)[0]?.headers.authorization).toBe("Bearer fresh")
    })
  )
})

describe("a request at a URL", () => {
  it.effect("3.1 takes the query that is set after it", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOf([])
      const request = ApiRequest.get("/x", { query: { old: 1 } }).pipe(
        ApiRequest.atUrl(`${base}/y?a=1`),
        ApiRequest.override({ query: { b: 2 } })
      )
      expect((yield* client.prepare(request)).url).toBe(`${base}/y?a=1&b=2`)
    })
  )

  it.effect.each([0, -1, Number.NaN])("11.2 maxPages of %d is refused and nothing sent", (maxPages) =>
    Effect.gen(function* () {
      const { client, transport } = yield* clientOf([])
      const pagination = Pagination.custom<unknown, number>({
        items: () => [],
        next: () => undefined,
        maxPages
      })
      const request = ApiRequest.get("/x", { pagination })
      const error = yield* Effect.flip(Stream.runDrain(client.pages(request)))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "pagination.maxPages" })
      expect(yield* transport.requestCount).toBe(0)
    })
  )
})
