/** Limits that something outside the client counts, through a client and a scripted server on the test clock. */
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, RateLimit, SharedLimits } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Either, Fiber, TestClock } from "effect"
import { scripted } from "../fixtures/requests.js"

const list = ApiRequest.get("/todos")

/** A counter that lets a request go for each turn that the test gives it, and remembers what it is asked. */
const turns = () => {
  let requests: SharedLimits.Requests | undefined
  let given = 0
  const seen: Array<unknown> = []
  const counter: SharedLimits.Counter = {
    wait: () => (given > 0 ? 0 : Number.POSITIVE_INFINITY),
    take: (costs) => {
      given--
      seen.push({ took: costs })
      return {
        correct: (unit, difference) => seen.push({ correct: { [unit]: difference } }),
        giveBack: () => seen.push("gave back")
      }
    },
    observe: (limits) => seen.push({ observed: limits.map(({ remaining, unit }) => [unit, remaining]) }),
    close: (millis, most) => seen.push({ closed: [millis, most] }),
    isEmpty: () => given === 0
  }
  const shared: SharedLimits.SharedLimits = {
    [SharedLimits.TypeId]: SharedLimits.TypeId,
    open: (opened) => {
      requests = opened
      return counter
    }
  }
  return {
    shared,
    seen,
    opened: () => requests,
    give: (count: number) => {
      given += count
      requests?.changed()
    }
  }
}

const settled = TestClock.adjust("1 millis")

describe("shared limits", () => {
  it.effect("6.24 a call goes once the counter lets it, and the queue is there to be counted", () =>
    Effect.gen(function* () {
      const { give, opened, seen, shared } = turns()
      const { client, transport } = yield* scripted(() => MockTransport.json("ok"), {
        rateLimit: RateLimit.make({
          concurrency: 4,
          quotas: { tokens: { limit: 10, window: "1 minute" } },
          cost: ({ template }) => ({ tokens: template.length }),
          learn: false,
          shared
        })
      })
      const fiber = yield* Effect.fork(
        Effect.all([client.execute(list), client.execute(ApiRequest.get("/a")), client.execute(list)], {
          concurrency: "unbounded"
        })
      )
      yield* settled
      const requests = opened()
      expect(requests?.key).toBe("https://api.test ")
      expect(requests?.quotas).toEqual([{ unit: "tokens", limit: 10, millis: 60_000 }])
      expect(requests?.learns).toBe(false)
      expect(requests?.waiting(2)).toEqual([{ tokens: 6 }, { tokens: 2 }])
      expect(requests?.waiting(100)).toHaveLength(3)
      expect(yield* transport.requests).toHaveLength(0)
      give(2)
      yield* settled
      expect(yield* transport.requests).toHaveLength(2)
      give(1)
      yield* settled
      yield* Fiber.join(fiber)
      expect(seen).toEqual([{ took: { tokens: 6 } }, { took: { tokens: 2 } }, { took: { tokens: 6 } }])
    })
  )

  it.effect("6.24 a request that could not be in flight is not among those that wait", () =>
    Effect.gen(function* () {
      const { give, opened, shared } = turns()
      const { client } = yield* scripted(() => MockTransport.json("ok", { delay: "1 second" }), {
        rateLimit: RateLimit.make({ concurrency: 2, shared })
      })
      const fiber = yield* Effect.fork(
        Effect.forEach([list, list, list], client.execute, { concurrency: "unbounded" })
      )
      yield* settled
      give(1)
      yield* settled
      expect(opened()?.waiting(10)).toHaveLength(1)
      give(2)
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(fiber)
    })
  )

  it.effect("6.24 a 429 reaches the others, and that of another process holds the calls here", () =>
    Effect.gen(function* () {
      const { give, opened, seen, shared } = turns()
      const { client, transport } = yield* scripted(
        ({ at }) =>
          at < 1000
            ? MockTransport.json({}, { status: 429, headers: { "retry-after": "2" } })
            : MockTransport.json("ok"),
        { rateLimit: RateLimit.make({ shared }), retry: { maxRetryAfter: "10 seconds" } }
      )
      give(100)
      const fiber = yield* Effect.fork(client.execute(list))
      yield* settled
      give(1)
      yield* settled
      expect(seen).toEqual([{ took: {} }, { closed: [2000, 10_000] }])
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(fiber)
      const before = (yield* transport.requests).length
      // The test clock counts from zero.
      opened()?.closed(3000, 10_000, 5002)
      const held = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("2 seconds")
      expect(yield* transport.requests).toHaveLength(before)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(held)
      expect(yield* transport.requests).toHaveLength(before + 1)
    })
  )

  it.effect("6.24 what a response reports and what a request used reach the counter", () =>
    Effect.gen(function* () {
      const { give, seen, shared } = turns()
      const { client } = yield* scripted(
        () =>
          MockTransport.json("ok", {
            headers: { "x-ratelimit-remaining-tokens": "7", "x-ratelimit-limit-tokens": "10" }
          }),
        {
          rateLimit: RateLimit.make({
            learn: true,
            shared,
            cost: () => ({ tokens: 5 }),
            usage: () => ({ tokens: 3 })
          })
        }
      )
      const fiber = yield* Effect.fork(client.execute(list))
      yield* settled
      give(1)
      yield* settled
      yield* Fiber.join(fiber)
      expect(seen).toEqual([
        { took: { tokens: 5 } },
        { observed: [["tokens", 7]] },
        { correct: { tokens: -2 } }
      ])
    })
  )

  it.effect("6.24 what was not sent is given back", () =>
    Effect.gen(function* () {
      const { give, seen, shared } = turns()
      const { client } = yield* scripted(() => MockTransport.connectionError({ code: "ECONNREFUSED" }), {
        rateLimit: RateLimit.make({ shared }),
        retry: { maxRetries: 0 }
      })
      const fiber = yield* Effect.fork(Effect.either(client.execute(list)))
      yield* settled
      give(1)
      yield* settled
      expect(Either.isLeft(yield* Fiber.join(fiber))).toBe(true)
      expect(seen).toEqual([{ took: {} }, "gave back"])
    })
  )

  it("6.24 something else is refused by name", () => {
    // @ts-expect-error: no shared limits
    expect(RateLimit.make({ shared: {} }).problem).toMatchObject({
      field: "rateLimit.shared",
      reason: "must be shared limits, such as RedisLimits makes"
    })
  })
})
