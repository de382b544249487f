import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiRequest,
  type Middleware,
  PlatformHeaders,
  RetryPolicy
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Config, Effect, Layer, Redacted, Schedule } from "effect"
import * as Overrides from "../../src/config/Overrides.js"
import { resolveConfig } from "../../src/config/resolveConfig.js"
import * as RequestChanges from "../../src/request/requestChanges.js"
import { untyped } from "../fixtures/bodies.js"
import { baseUrl, scripted } from "../fixtures/requests.js"
import { valueOf } from "../fixtures/results.js"

const step = MockTransport.forever(MockTransport.json(null))
const failing = MockTransport.forever(MockTransport.empty(503))
const list = ApiRequest.get("/todos")

const appendName =
  (name: string): Middleware.Middleware =>
  (request, next) =>
    next({
      ...request,
      headers: { ...request.headers, "x-by": `${request.headers["x-by"] ?? ""}${name}` }
    } as never)

/** The three ways to override a client's settings. */
const ways = ["withOptions", "the request", "override"] as const

const executeWith = (
  way: (typeof ways)[number],
  client: ApiClient.ApiClient,
  settings: object,
  request: ApiRequest.ApiRequest<unknown> = list
) => {
  switch (way) {
    case "withOptions":
      return client.withOptions(settings).execute(request)
    case "the request":
      return client.execute(RequestChanges.withOptions(request, settings))
    case "override":
      return client.execute(ApiRequest.override(request, settings))
  }
}

const base: Partial<ApiConfig.Options> = {
  headers: { "X-A": "1", "x-b": "1" },
  query: { a: 1, b: 1 },
  middleware: [appendName("a")]
}

describe.each(ways)("a function of the old value that throws, through %s", (way) => {
  it.effect.each(["headers", "query", "timeouts", "retry", "middleware"])(
    "1.4 7.6 the call fails with the thrown error as its cause: %s",
    (name) =>
      Effect.gen(function* () {
        const mine = new Error("mine")
        const replace = () => {
          throw mine
        }
        const { client, transport } = yield* scripted([step], base)
        const error = yield* Effect.flip(executeWith(way, client, { [name]: replace }))
        expect(error).toMatchObject({ _tag: "InvalidRequestError", field: name, delivery: "not-sent" })
        expect(error.cause).toBe(mine)
        expect(yield* transport.requestCount).toBe(0)
      })
  )
})

describe.each(ways)("overriding a client's settings through %s", (way) => {
  const sent = (settings: object) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([step], base)
      yield* executeWith(way, client, settings)
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
    [{ middleware: [appendName("b")] }, ["?a=1&b=1", "1", "1", "ab"]],
    [{ middleware: () => [appendName("b")] }, ["?a=1&b=1", "1", "1", "b"]],
    [{ middleware: () => [] }, ["?a=1&b=1", "1", "1", undefined]],
    [{ middleware: ([first]: ReadonlyArray<unknown>) => [first, first] }, ["?a=1&b=1", "1", "1", "aa"]]
  ])("1.4 merges %o", ([settings, expected]) =>
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
  ])("1.4 retry: %o keeps the client's other settings, and the call sends %i requests", ([retry, requests]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([failing], {
        retry: { retryUnsafe: "never", initialDelay: 0, maxRetries: 1 }
      })
      yield* Effect.flip(executeWith(way, client, { retry }, post))
      expect(yield* transport.requestCount).toBe(requests)
    })
  )

  it.effect("1.4 merges the timeouts one by one", () =>
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
        yield* executeWith(way, client, { timeouts })
      }
      const requests = yield* transport.requests
      expect(requests.map(({ headers }) => headers["x-p-read-timeout"])).toEqual(["30", "30", "1", "600"])
      const error = yield* Effect.flip(executeWith(way, client, { timeouts: { idle: 0 } }))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "timeouts.idle" })
    })
  )
})

describe("several overrides", () => {
  const policyOf = (...overrides: ReadonlyArray<Overrides.Overrides>) => {
    const options = overrides.reduce<ApiConfig.Options>(Overrides.merge, { baseUrl })
    return valueOf(resolveConfig(options)).retry
  }

  it("1.4 merging retry keeps the policy's fields and the schedule apart", () => {
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

  it("1.4 redacted names are united; limits and formats merge field by field", () => {
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

  it.effect("1.4 overrides of a request apply in order, values and functions alike", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([step], base)
      const add = (name: string) => ({ headers: (old: object) => ({ ...old, [name]: "1" }) })
      const request = list.pipe(
        ApiRequest.override({ headers: { "x-c": "1" }, query: { c: 1 } }),
        ApiRequest.override(add("x-d")),
        ApiRequest.override({ headers: { "x-c": "2" }, middleware: [appendName("b")] }),
        ApiRequest.override({ middleware: (all) => all.slice(1), query: () => ({ d: 1 }) })
      )
      yield* client.execute(request)
      const [sent] = yield* transport.requests
      expect(sent?.headers).toMatchObject({ "x-a": "1", "x-c": "2", "x-d": "1", "x-by": "b" })
      expect(sent?.url).toBe(`${baseUrl}/todos?d=1`)
    })
  )

  it.effect("1.4 overrides of a request's retry merge with its own", () =>
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

  it.effect("1.1 explicit settings merge with those from Config", () =>
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

  it.effect("12.4 a secret that a function adds is redacted", () =>
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

  const mergedSettings = [
    "headers",
    "query",
    "queryFormat",
    "timeouts",
    "retry",
    "middleware",
    "limits",
    "redact"
  ]
  const invalidValues = [5, "x", null, new Date(0), Promise.resolve()]
  it.each(mergedSettings.flatMap((name) => invalidValues.map((value) => [name, value] as const)))(
    "1.5 merging keeps an invalid %s of %o invalid",
    (name, value) => {
      const merged = Overrides.merge({ baseUrl }, untyped({ [name]: value }))
      expect(resolveConfig(merged)).toMatchObject({ error: { key: name } })
    }
  )
})
