import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, Redacted, Schedule, TestClock } from "effect"
import { scripted } from "../fixtures/requests.js"

/** Runs to the error, within an hour on the test clock. */
const failAfterRetries = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.flip(effect))
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

const serverErrors = MockTransport.forever(MockTransport.empty(500))

describe("the retry options of a request", () => {
  it.effect.each([
    { name: "options", retry: { maxRetries: 3 } },
    { name: "a schedule", retry: Schedule.recurs(3) }
  ])(`6.11 $name of a request cannot override the client's retryUnsafe: "never"`, ({ retry }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([serverErrors], { retry: { retryUnsafe: "never" } })
      const error = yield* failAfterRetries(client.execute(ApiRequest.post("/x", { retry })))
      expect(error).toMatchObject({ _tag: "InternalServerError", stoppedBy: "not-retryable" })
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("6.3 options of a request merge with the client's", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([serverErrors], {
        retry: { initialDelay: "10 seconds", maxDelay: "10 seconds", jitter: 0 }
      })
      yield* failAfterRetries(client.execute(ApiRequest.get("/x", { retry: { maxRetries: 1 } })))
      expect((yield* transport.requests).map(({ at }) => at)).toEqual([0, 10_000])
    })
  )

  it.effect("6.4 a request with budget: false ignores the client's empty budget", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([serverErrors], { retry: { budget: { capacity: 0 } } })
      const spent = yield* failAfterRetries(client.execute(ApiRequest.get("/x")))
      expect(spent.stoppedBy).toBe("budget")
      const free = yield* failAfterRetries(client.execute(ApiRequest.get("/x", { retry: { budget: false } })))
      expect(free.stoppedBy).toBe("attempts")
      expect(yield* transport.requestCount).toBe(1 + 3)
    })
  )

  it.effect("6.2 a call waits as long as the token server's hint", () =>
    Effect.gen(function* () {
      const tokens = yield* scripted([
        MockTransport.empty(503, { headers: { "retry-after": "30" } }),
        MockTransport.json("fresh")
      ])
      const fetch = Effect.map(tokens.client.execute(ApiRequest.get("/token")), (token) =>
        Redacted.make(String(token))
      )
      const { client, transport } = yield* scripted([MockTransport.json(1)], {
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
