import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  ApiConfig,
  ApiRequest,
  type Middleware,
  PlatformHeaders,
  RetryPolicy
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Config, Effect, Either, Layer, Redacted, Schedule } from "effect"
import * as Overrides from "../../src/config/Overrides.js"
import { untyped } from "../fixtures/bodies.js"
import { baseUrl, scripted } from "../fixtures/requests.js"

const step = MockTransport.forever(MockTransport.json(null))
const failing = MockTransport.forever(MockTransport.empty(503))
const list = ApiRequest.get("/todos")

const named =
  (name: string): Middleware.Middleware =>
  (request, next) =>
    next({
      ...request,
      headers: { ...request.headers, "x-by": `${request.headers["x-by"] ?? ""}${name}` }
    } as never)

/** The ways to lay settings over a client's. */
const ways = ["withOptions", "the request", "override"] as const

const asked = (
  way: (typeof ways)[number],
  client: ApiClient.ApiClient,
  settings: object,
  request: ApiRequest.ApiRequest<unknown> = list
) => {
  switch (way) {
    case "withOptions":
      return client.withOptions(settings).execute(request)
    case "the request":
      return client.execute(ApiRequest.withOptions(request, settings))
    case "override":
      return client.execute(ApiRequest.override(request, settings))
  }
}

const base: Partial<ApiConfig.Options> = {
  headers: { "X-A": "1", "x-b": "1" },
  query: { a: 1, b: 1 },
  middleware: [named("a")]
}

describe.each(ways)("a function of the old value that throws, by %s", (way) => {
  it.effect.each(["headers", "query", "timeouts", "retry", "middleware"])(
    "1.4 7.6 refuses the request, and is its cause: %s",
    (name) =>
      Effect.gen(function* () {
        const mine = new Error("mine")
        const replace = () => {
          throw mine
        }
        const { client, transport } = yield* scripted([step], base)
        const error = yield* Effect.flip(asked(way, client, { [name]: replace }))
        expect(error).toMatchObject({ _tag: "InvalidRequestError", field: name, delivery: "not-sent" })
        expect(error.cause).toBe(mine)
        expect(yield* transport.requestCount).toBe(0)
      })
  )
})

describe.each(ways)("settings over a client's, by %s", (way) => {
  const sent = (settings: object) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([step], base)
      yield* asked(way, client, settings)
      const [request] = yield* transport.requests
      const { headers, url } = yield* Effect.fromNullable(request)
      return [new URL(url).search, headers["x-a"], headers["x-b"], headers["x-by"]]
    })

  it.effect.each<readonly [settings: object, sent: ReadonlyArray<unknown>]>([
    [{}, ["?a=1&b=1", "1", "1", "a"]],
    [{ headers: undefined, query: undefined, middleware: undefined }, ["?a=1&b=1", "1", "1", "a"]],
    [{ headers: { "X-B": "2" } }, ["?a=1&b=1", "1", "2", "a"]],
    [{ headers: { "X-B": null } }, ["?a=1&b=1", "1", undefined, "a"]],
    [{ headers: new Headers({ "X-B": "2" }) }, ["?a=1&b=1", "1", "2", "a"]],
    [{ headers: new Map([["X-B", "2"]]) }, ["?a=1&b=1", "1", "2", "a"]],
    [{ headers: [["X-B", "2"]] }, ["?a=1&b=1", "1", "2", "a"]],
    [{ headers: (old: object) => ({ ...old, "x-b": "2" }) }, ["?a=1&b=1", "1", "2", "a"]],
    [{ headers: () => ({ "x-b": "2" }) }, ["?a=1&b=1", undefined, "2", "a"]],
    [{ query: { b: 2 } }, ["?a=1&b=2", "1", "1", "a"]],
    [{ query: { b: undefined } }, ["?a=1", "1", "1", "a"]],
    [{ query: () => ({ b: 2 }) }, ["?b=2", "1", "1", "a"]],
    [{ middleware: [named("b")] }, ["?a=1&b=1", "1", "1", "ab"]],
    [{ middleware: () => [named("b")] }, ["?a=1&b=1", "1", "1", "b"]],
    [{ middleware: () => [] }, ["?a=1&b=1", "1", "1", undefined]],
    [{ middleware: ([first]: ReadonlyArray<unknown>) => [first, first] }, ["?a=1&b=1", "1", "1", "aa"]]
  ])("1.4 %o", ([settings, expected]) =>
    Effect.map(sent(settings), (request) => expect(request).toEqual(expected))
  )

  const post = ApiRequest.post("/pay")
  it.effect.each<readonly [retry: unknown, requests: number]>([
    [{ maxRetries: 3 }, 1],
    [Schedule.recurs(3), 1],
    [{ retryUnsafe: "always" }, 2],
    [RetryPolicy.make({ initialDelay: 0 }), 3],
    [() => ({ initialDelay: 0 }), 3],
    [() => Schedule.recurs(3), 1],
    [
      ({ policy }: { policy: RetryPolicy.RetryPolicy }) =>
        RetryPolicy.override(policy, { retryUnsafe: "always" }),
      2
    ]
  ])("1.4 retry: %o keeps what it does not say: %i requests", ([retry, requests]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([failing], {
        retry: { retryUnsafe: "never", initialDelay: 0, maxRetries: 1 }
      })
      yield* Effect.flip(asked(way, client, { retry }, post))
      expect(yield* transport.requestCount).toBe(requests)
    })
  )

  it.effect("1.4 the single timeouts merge", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([step], {
        platformHeaders: PlatformHeaders.make({ prefix: "x-p", packageVersion: "1" }),
        timeouts: { response: "30 seconds" }
      })
      for (const timeouts of [
        { idle: "1 second" },
        { response: undefined },
        { response: "1 second" },
        () => ({})
      ]) {
        yield* asked(way, client, { timeouts })
      }
      const requests = yield* transport.requests
      expect(requests.map(({ headers }) => headers["x-p-read-timeout"])).toEqual(["30", "30", "1", "600"])
      const refused = yield* Effect.flip(asked(way, client, { timeouts: { idle: 0 } }))
      expect(refused).toMatchObject({ _tag: "InvalidRequestError", field: "timeouts.idle" })
    })
  )
})

describe("several, one over the other", () => {
  const policyOf = (...overrides: ReadonlyArray<Overrides.Overrides>) => {
    const options = overrides.reduce<ApiConfig.Options>(Overrides.merge, { baseUrl })
    return Either.getOrThrow(ApiConfig.make(options)).retry
  }

  it("1.4 retries keep policy and schedule apart", () => {
    const schedule = Schedule.recurs(1)
    const { policy, schedule: kept } = policyOf(
      { retry: { retryUnsafe: "never", budget: { capacity: 10 } } },
      { retry: { maxRetries: 5, budget: { retryCost: 1 } } },
      { retry: schedule }
    )
    expect(policy).toMatchObject({
      retryUnsafe: "never",
      maxRetries: 5,
      budget: { capacity: 10, retryCost: 1, timeoutCost: 10 }
    })
    expect(kept).toBe(schedule)
    expect(policyOf({ retry: schedule }, { retry: { maxRetries: 5 } }).schedule).not.toBe(schedule)
    expect(policyOf({ retry: schedule }, { retry: ({ schedule }) => schedule }).schedule).toBe(schedule)
  })

  it("1.4 names to hide unite, limits and formats merge by field", () => {
    const merged = Overrides.merge(
      {
        baseUrl,
        redact: { headers: ["a"], query: ["q"] },
        limits: { errorBytes: 1, eventBytes: 1 },
        queryFormat: { arrays: "comma" }
      },
      { redact: { headers: ["b", "a"] }, limits: { errorBytes: 2 }, queryFormat: { nesting: "dots" } }
    )
    expect(merged).toEqual({
      baseUrl,
      redact: { headers: ["a", "b"], query: ["q"] },
      limits: { errorBytes: 2, eventBytes: 1 },
      queryFormat: { arrays: "comma", nesting: "dots" }
    })
    expect(Overrides.merge(merged, { redact: () => ({}), limits: () => ({}) })).toMatchObject({
      redact: {},
      limits: {}
    })
  })

  it.effect("1.4 overrides of a request come one after the other, whichever of them are functions", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([step], base)
      const add = (name: string) => ({ headers: (old: object) => ({ ...old, [name]: "1" }) })
      const request = list.pipe(
        ApiRequest.override({ headers: { "x-c": "1" }, query: { c: 1 } }),
        ApiRequest.override(add("x-d")),
        ApiRequest.override({ headers: { "x-c": "2" }, middleware: [named("b")] }),
        ApiRequest.override({ middleware: (all) => all.slice(1), query: () => ({ d: 1 }) })
      )
      yield* client.execute(request)
      const [sent] = yield* transport.requests
      expect(sent?.headers).toMatchObject({ "x-a": "1", "x-c": "2", "x-d": "1", "x-by": "b" })
      expect(sent?.url).toBe(`${baseUrl}/todos?d=1`)
    })
  )

  it.effect("1.4 the retries of a request merge with those it had", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([failing], { retry: { initialDelay: 0 } })
      const request = ApiRequest.post("/x", {
        retry: { retryUnsafe: "never", budget: { capacity: 1 } }
      }).pipe(
        ApiRequest.override({ retry: { maxRetries: 5 } }),
        ApiRequest.override({ retry: Schedule.recurs(5) })
      )
      yield* Effect.flip(client.execute(request))
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("1.1 explicit settings merge with those of Config", () =>
    Effect.gen(function* () {
      const live = ApiClient.layerConfig(
        {
          baseUrl: Config.succeed(baseUrl),
          retry: Config.succeed({ retryUnsafe: "never", initialDelay: 0 } as const)
        },
        { retry: { maxRetries: 5 }, headers: { "x-a": "1" } }
      ).pipe(Layer.provide(MockTransport.layer([failing])))
      const error = yield* Effect.flip(Effect.provide(ApiClient.post("/x"), live))
      expect(error).toMatchObject({ attempts: { length: 1 }, stoppedBy: "not-retryable" })
    })
  )

  it.effect("12.4 a secret that a function puts in is hidden as any", () =>
    Effect.gen(function* () {
      const echo = MockTransport.response(
        (request) => new Response(request.headers["x-key"], { status: 400 })
      )
      const { client } = yield* scripted([echo])
      const request = ApiRequest.get("/x", { headers: () => ({ "x-key": Redacted.make("hunter2") }) })
      const error = yield* Effect.flip(client.execute(request))
      expect(JSON.stringify(error)).not.toContain("hunter2")
    })
  )

  const merging = ["headers", "query", "queryFormat", "timeouts", "retry", "middleware", "limits", "redact"]
  const wrong = [5, "x", null, new Date(0), Promise.resolve()]
  it.each(merging.flatMap((name) => wrong.map((value) => [name, value] as const)))(
    "1.5 %s of %o is refused behind a merge, too",
    (name, value) => {
      const merged = Overrides.merge({ baseUrl }, untyped({ [name]: value }))
      expect(Either.flip(ApiConfig.make(merged))).toMatchObject({ right: { key: name } })
    }
  )
})
