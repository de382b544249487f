/** Limits that clients share, through both ways in, on a real Redis. */

import { setImmediate } from "node:timers/promises"
import { it as effectIt } from "@effect/vitest"
import { ApiClient, ApiConfig, ApiRequest, PromiseClient, RateLimit } from "@effect-api/client"
import { RedisConnection, RedisLimits } from "@effect-api/redis"
import { MockTransport } from "@effect-api/testing"
import { Effect, Exit, Layer, Scope } from "effect"
import { Redis } from "ioredis"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { describeWithRedis, type RedisServer, startRedis } from "./fixtures/redisServer.js"
import { scriptedConnection } from "./fixtures/scriptedConnection.js"

describeWithRedis("limits of several clients", () => {
  let server: RedisServer
  let redis: Redis
  beforeAll(async () => {
    server = await startRedis()
    redis = new Redis({ path: server.path })
  })
  afterAll(async () => {
    redis?.disconnect()
    await server?.[Symbol.asyncDispose]()
  })

  const limits = (prefix: string) =>
    RedisLimits.start({ connection: RedisConnection.fromIoredis(redis), prefix, timeout: "5 seconds" })

  /** A client of its own, as another process has one, and when it has sent its requests. */
  const clientOf = (
    shared: RedisLimits.RedisLimits,
    options: Partial<RateLimit.Options>,
    script: MockTransport.Script = () => MockTransport.json("ok")
  ) => {
    const { transport } = MockTransport.start(script)
    const client = PromiseClient.make({
      baseUrl: "https://api.test",
      transport,
      retry: { maxRetries: 3 },
      rateLimit: RateLimit.make({ shared, ...options })
    })
    return client
  }

  it("13.4 two clients keep one quota together", async () => {
    const quotas = { requests: { limit: 50, window: "1 second" } } as const
    const both = [limits("quota"), limits("quota")]
    const times: Array<number> = []
    const clients = both.map((shared) =>
      clientOf(shared, { quotas }, () => {
        times.push(performance.now())
        return MockTransport.json("ok")
      })
    )
    await Promise.all(clients.flatMap((client) => Array.from({ length: 30 }, () => client.get("/"))))
    expect(times).toHaveLength(60)
    const [first = 0] = times
    expect(times.filter((at) => at < first + 1000).length).toBeLessThanOrEqual(50)
    await Promise.all(both.map(({ close }) => close()))
  })

  it("13.5 a 429 of one client holds back the other, without quotas too", async () => {
    const [first, second] = [limits("gate"), limits("gate")]
    let refusedAt = Number.POSITIVE_INFINITY
    const times: Array<number> = []
    const one = clientOf(first, {}, () => {
      if (refusedAt < Number.POSITIVE_INFINITY) return MockTransport.json("ok")
      refusedAt = performance.now()
      return MockTransport.json({}, { status: 429, headers: { "retry-after-ms": "400" } })
    })
    const other = clientOf(second, {}, () => {
      times.push(performance.now())
      return MockTransport.json("ok")
    })
    await other.get("/")
    const refused = one.get("/")
    // Once Redis has counted the gate, its message is with the process.
    while ((await redis.hget("gate:{https://api.test }", "gate")) === null);
    await setImmediate()
    await setImmediate()
    await other.get("/")
    await refused
    expect((times[1] ?? 0) - refusedAt).toBeGreaterThan(350)
    await first.close()
    await second.close()
  })

  it("13.8 the keys hold nothing of a credential, and a key of the program is there", async () => {
    const shared = limits("secret")
    const { transport } = MockTransport.start(() => MockTransport.json("ok"))
    const client = PromiseClient.make({
      baseUrl: "https://api.test",
      transport,
      headers: { "x-api-key": "sk-a-secret" },
      rateLimit: RateLimit.make({
        shared,
        key: ({ template }) => `${template} {x}`,
        quotas: { requests: { limit: 1000, window: "1 second" } }
      })
    })
    await client.get("/todos")
    const names = await redis.keys("secret:*")
    expect(names.sort()).toEqual([
      "secret:{https://api.test /todos %7Bx%7D}",
      "secret:{https://api.test /todos %7Bx%7D}:members"
    ])
    expect(JSON.stringify(await redis.hgetall(names[0] ?? ""))).not.toContain("sk-a-secret")
    await shared.close()
  })

  effectIt.live("13.4 a scope has the limits, and ends the subscription", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const before = (yield* Effect.promise(() => server.command("CLIENT", "LIST"))).split("\n").length
      const shared = yield* Scope.extend(
        RedisLimits.make({ connection: RedisConnection.fromIoredis(redis), prefix: "scope" }),
        scope
      )
      const live = ApiClient.layer({
        baseUrl: "https://api.test",
        rateLimit: RateLimit.make({ shared, quotas: { requests: { limit: 10, window: "1 second" } } })
      }).pipe(Layer.provide(MockTransport.layer(() => MockTransport.json("ok"))))
      expect(yield* Effect.provide(ApiClient.execute(ApiRequest.get("/")), live)).toBe("ok")
      yield* Scope.close(scope, Exit.void)
      const after = (yield* Effect.promise(() => server.command("CLIENT", "LIST"))).split("\n").length
      expect(after).toBe(before)
    })
  )
})

describe("the options of shared limits", () => {
  const { connection } = scriptedConnection()
  const invalid: ReadonlyArray<readonly [object, string, string]> = [
    [{}, "connection", "must come from RedisConnection"],
    [{ connection: {} }, "connection", "must come from RedisConnection"],
    [{ connection: "redis://127.0.0.1" }, "connection", "must come from RedisConnection"],
    [{ connection, prefix: "" }, "prefix", "must be a non-empty string"],
    [{ connection, prefix: 1 }, "prefix", "must be a non-empty string"],
    [{ connection, timeout: 0 }, "timeout", "must be a finite duration above zero"],
    [{ connection, timeout: "soon" }, "timeout", "must be a finite duration above zero"],
    [{ connection, horizon: Number.POSITIVE_INFINITY }, "horizon", "must be a finite duration above zero"],
    [{ connection, processes: 0 }, "processes", "must be a whole number above zero"],
    [{ connection, processes: 1.5 }, "processes", "must be a whole number above zero"],
    [{ connection, onChange: true }, "onChange", "must be a function"],
    [{ connection, prefx: "a" }, "prefx", "is unknown: the nearest is prefix"]
  ]

  it.each(invalid)("13.4 %j is refused", (options, key, reason) => {
    // @ts-expect-error: what plain JavaScript may pass
    expect(() => RedisLimits.start(options)).toThrow(new ApiConfig.InvalidConfigError({ key, reason }))
  })

  effectIt.effect("13.4 an Effect fails with the same", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(RedisLimits.make({ connection, processes: -1 }))
      expect(error).toMatchObject({ _tag: "InvalidConfigError", key: "processes" })
    }).pipe(Effect.scoped)
  )
})
