import type { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiRequest,
  Credentials,
  PlatformHeaders,
  RetryPolicy
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Config, ConfigProvider, Effect, Layer, Redacted, Schedule } from "effect"
import { type ResolvedConfig, resolveConfig } from "../../src/config/resolveConfig.js"
import { reasonOf } from "../fixtures/reasons.js"
import { baseUrl, scripted } from "../fixtures/requests.js"
import { errorOf, valueOf } from "../fixtures/results.js"

const list = ApiRequest.get("/todos")

const configOf = (options: Partial<ApiConfig.Options> = {}): ResolvedConfig =>
  valueOf(resolveConfig({ baseUrl, ...options }))

const rejectedKey = (options: object): string => errorOf(resolveConfig({ baseUrl, ...options })).key

const withScript = <E>(layer: Layer.Layer<ApiClient.ApiClient, E, HttpClient.HttpClient>) =>
  Layer.provideMerge(layer, MockTransport.layer([MockTransport.json(null)]))

describe("layerConfig", () => {
  const wrapped = {
    baseUrl: Config.string("BASE_URL").pipe(Config.withDefault("https://default.test")),
    timeouts: { response: Config.duration("RESPONSE").pipe(Config.withDefault("1 minute")) },
    headers: Config.all({ "x-team": Config.string("TEAM").pipe(Config.withDefault("nobody")) })
  }

  const resolved = (env: Record<string, string>, explicit?: Partial<ApiConfig.Options>) =>
    Effect.gen(function* () {
      const { headers, url } = yield* ApiClient.prepare(list)
      return { url, team: headers["x-team"] }
    }).pipe(
      Effect.provide(withScript(ApiClient.layerConfig(wrapped, explicit))),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env))))
    )

  const explicit = { baseUrl: "https://explicit.test", headers: { "X-Team": "search" } }

  it.effect.each([
    { env: {}, url: "https://default.test/todos", team: "nobody" },
    { env: { BASE_URL: "https://env.test" }, url: "https://env.test/todos", team: "nobody" },
    { env: { BASE_URL: "" }, url: "https://default.test/todos", team: "nobody" },
    { env: { BASE_URL: " \t\n", TEAM: "   " }, url: "https://default.test/todos", team: "nobody" },
    { env: { BASE_URL: " https://env.test\n" }, url: "https://env.test/todos", team: "nobody" },
    { env: { TEAM: "ads" }, url: "https://default.test/todos", team: "ads" },
    {
      env: { BASE_URL: "https://env.test", TEAM: "ads" },
      explicit,
      url: "https://explicit.test/todos",
      team: "search"
    },
    { env: {}, explicit, url: "https://explicit.test/todos", team: "search" },
    {
      env: { BASE_URL: "https://env.test" },
      explicit: { baseUrl: undefined } as never,
      url: "https://env.test/todos",
      team: "nobody"
    }
  ])(
    "1.1 an explicit setting wins over Config, and Config over the default: %j",
    ({ env, explicit, team, url }) =>
      Effect.gen(function* () {
        expect(yield* resolved(env as Record<string, string>, explicit)).toEqual({ url, team })
      })
  )

  it.effect("1.1 an explicit setting replaces a missing environment value", () =>
    Effect.gen(function* () {
      const layer = ApiClient.layerConfig(
        { baseUrl: Config.string("BASE_URL"), redirects: Config.integer("REDIRECTS") },
        { baseUrl, redirects: 1 }
      )
      const request = yield* ApiClient.prepare(list).pipe(Effect.provide(withScript(layer)))
      expect(request.url).toBe("https://api.test/v1/todos")
    }).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map())))
  )

  it.effect.each([{}, { BASE_URL: "" }, { BASE_URL: "  " }])(
    "1.1 a required setting that is unset or blank is missing: %j",
    (env) =>
      Effect.gen(function* () {
        const layer = withScript(ApiClient.layerConfig({ baseUrl: Config.string("BASE_URL") }))
        const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
        expect(error._tag).toBe("ConfigError")
        expect(String(error)).toContain("BASE_URL")
      }).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env)))))
  )

  it.effect("1.1 a blank environment value leaves the credentials at their default", () =>
    Effect.gen(function* () {
      const layer = ApiClient.layerConfig({
        baseUrl: Config.succeed(baseUrl),
        credentials: Config.redacted("API_KEY").pipe(
          Config.map((key) => Credentials.header("x-api-key", key)),
          Config.withDefault(Credentials.header("x-api-key", Redacted.make("fallback")))
        )
      })
      yield* Effect.gen(function* () {
        yield* ApiClient.execute(list)
        const [request] = yield* (yield* MockTransport.MockTransport).requests
        expect(request?.headers["x-api-key"]).toBe("fallback")
      }).pipe(Effect.provide(withScript(layer)))
    }).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["API_KEY", " "]]))))
  )

  it.effect("1.1 an environment value that does not parse is an error, not the default", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(resolved({ RESPONSE: "soon" }))
      expect(error._tag).toBe("ConfigError")
      expect(String(error)).toContain("RESPONSE")
    })
  )
})

describe("validation", () => {
  it.effect("1.2 building the layer fails with the key and the reason", () =>
    Effect.gen(function* () {
      const layer = withScript(ApiClient.layer({ baseUrl, timeouts: { connect: -1 } }))
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      expect(error).toMatchObject({
        _tag: "InvalidConfigError",
        key: "timeouts.connect",
        reason: "must be a duration above zero",
        message: "timeouts.connect must be a duration above zero"
      })
    })
  )

  it.effect("1.2 a setting from Config is checked, too", () =>
    Effect.gen(function* () {
      const layer = withScript(ApiClient.layerConfig({ baseUrl: Config.string("BASE_URL") }))
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      expect(error).toMatchObject({ _tag: "InvalidConfigError", key: "baseUrl" })
    }).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["BASE_URL", "api.test"]]))))
  )

  it.each([
    undefined,
    "",
    "api.test/v1",
    "/v1",
    "ftp://api.test",
    "https://",
    "https:///v1",
    "https:api.test",
    "https://api.test:99999",
    "https://user:secret@api.test",
    "https://api.test\\v1",
    "javascript:alert(1)"
  ])("1.2 rejects the base URL %j", (baseUrl) => {
    expect(rejectedKey({ baseUrl })).toBe("baseUrl")
  })

  const timeouts = ["connect", "response", "idle", "total"]
  const badTimeouts = [
    -1,
    0,
    Number.NaN,
    "-1 second",
    "soon",
    -1n,
    [0, -1],
    {},
    null,
    new Date(0),
    { minute: 1 }
  ]
  it.each(timeouts.flatMap((name) => badTimeouts.map((value) => ({ name, value }))))(
    "1.2 rejects the $name timeout $value",
    ({ name, value }) => {
      expect(rejectedKey({ timeouts: { [name]: value } })).toBe(`timeouts.${name}`)
    }
  )

  const delays = ["initialDelay", "maxDelay", "maxRetryAfter"]
  it.each([
    ...delays.flatMap((name) =>
      [-1, Number.NaN, "-1 second", "soon", {}, new Date(0)].map((value) => ({ name, value }))
    ),
    ...[-1, Number.NaN, 1.5, Number.NEGATIVE_INFINITY].map((value) => ({ name: "maxRetries", value })),
    ...[-0.1, 1.1, Number.NaN].map((value) => ({ name: "jitter", value }))
  ])("1.2 rejects $name = $value in retry", ({ name, value }) => {
    expect(rejectedKey({ retry: { [name]: value } })).toBe(`retry.${name}`)
    expect(rejectedKey({ retry: RetryPolicy.make({ [name]: value }) })).toBe(`retry.${name}`)
  })

  it.each([
    { options: { headers: { "x-a": "1\r\nx-b: 2" } }, key: "headers.x-a" },
    { options: { headers: { "x-a": "\0" } }, key: "headers.x-a" },
    { options: { headers: { "x-a": Redacted.make("1\n") } }, key: "headers.x-a" },
    { options: { headers: { "x a": "1" } }, key: "headers.x a" },
    { options: { headers: { "": "1" } }, key: "headers." },
    { options: { headers: { "Transfer-Encoding": "chunked" } }, key: "headers.transfer-encoding" },
    { options: { headers: { expect: "100-continue" } }, key: "headers.expect" },
    { options: { headers: { connection: "upgrade" } }, key: "headers.connection" },
    { options: { headers: { "content-length": "3" } }, key: "headers.content-length" },
    { options: { userAgent: "me\r\nx-b: 2" }, key: "userAgent" },
    {
      options: { platformHeaders: PlatformHeaders.make({ prefix: "x y", packageVersion: "1" }) },
      key: "platformHeaders.prefix"
    },
    {
      options: { platformHeaders: PlatformHeaders.make({ prefix: "x", packageVersion: "1\n" }) },
      key: "platformHeaders.packageVersion"
    },
    { options: { query: { limit: Number.NaN } }, key: "query.limit" },
    { options: { query: { since: new Date("never") } }, key: "query.since" },
    { options: { queryFormat: { arrays: "pipes" } }, key: "queryFormat.arrays" },
    { options: { queryFormat: { nesting: "slashes" } }, key: "queryFormat.nesting" },
    { options: { limits: { responseBytes: 0 } }, key: "limits.responseBytes" },
    { options: { limits: { errorBytes: -1 } }, key: "limits.errorBytes" },
    { options: { limits: { eventBytes: Number.NaN } }, key: "limits.eventBytes" },
    { options: { redirects: -1 }, key: "redirects" },
    { options: { redirects: 1.5 }, key: "redirects" },
    { options: { redirects: Number.NaN }, key: "redirects" },
    { options: { trustedOrigins: ["https://a.test", "b.test"] }, key: "trustedOrigins.1" },
    { options: { trustedOrigins: ["null"] }, key: "trustedOrigins.0" },
    { options: { idempotency: { header: "idempotency key" } }, key: "idempotency.header" },
    { options: { validation: "loose" }, key: "validation" },
    { options: { retry: { budget: { capacity: -1 } } }, key: "retry.budget.capacity" },
    { options: { retry: { onLongRetryAfter: "sleep" } }, key: "retry.onLongRetryAfter" },
    { options: { retry: { retryUnsafe: "sometimes" } }, key: "retry.retryUnsafe" },
    { options: { retry: { nested: "twice" } }, key: "retry.nested" }
  ])("1.2 the error for $options names $key", ({ key, options }) => {
    expect(rejectedKey(options)).toBe(key)
  })

  it("1.2 the reason never repeats the value, which may be a secret", () => {
    const error = errorOf(resolveConfig({ baseUrl, headers: { "x-key": Redacted.make("s3cret\r\n") } }))
    expect(error.message).toBe("headers.x-key must not contain CR, LF or NUL")
    expect(JSON.stringify(error)).not.toContain("s3cret")
  })

  it.each<Partial<ApiConfig.Options>>([
    { baseUrl: new URL("http://127.0.0.1:8080/a/b?x=1") },
    { baseUrl: " https://api.test\n" },
    { timeouts: { connect: 1, response: 1n, idle: [0, 1], total: Number.POSITIVE_INFINITY } },
    { timeouts: { connect: undefined } },
    { retry: { maxRetries: 0, initialDelay: 0, jitter: 1, budget: false } },
    { retry: { maxRetries: Number.POSITIVE_INFINITY } },
    { retry: RetryPolicy.none },
    { retry: Schedule.recurs(3) },
    { redirects: 0 },
    { trustedOrigins: ["https://a.test/any/path", "http://b.test:8080"] }
  ])("1.2 accepts %o", (options) => {
    expect(resolveConfig({ baseUrl, ...options }).ok).toBe(true)
  })
})

describe("defaults", () => {
  const config = configOf()
  const { policy } = config.retry

  it.each([
    ["connect timeout", config.timeouts.connect, 5_000],
    ["response timeout", config.timeouts.response, 600_000],
    ["idle timeout", config.timeouts.idle, 600_000],
    ["total timeout", config.timeouts.total, Number.POSITIVE_INFINITY],
    ["retries", policy.maxRetries, 2],
    ["first backoff delay", policy.initialMillis, 500],
    ["backoff limit", policy.maxMillis, 8_000],
    ["jitter", policy.jitter, 0.25],
    ["longest Retry-After", policy.maxRetryAfterMillis, 60_000],
    ["handling of a longer Retry-After", policy.onLongRetryAfter, "fail"],
    ["unsafe methods", policy.retryUnsafe, "always"],
    ["nested retries", policy.nested, "once"],
    ["retry budget", policy.budget, { capacity: 500, retryCost: 5, timeoutCost: 10, successRefund: 1 }],
    ["lenient validation", config.lenient, false],
    ["redirects", config.redirects, 5],
    ["limit of a decoded body", config.limits.responseBytes, 256 * 1024 * 1024],
    ["limit of an error's body", config.limits.errorBytes, 64 * 1024],
    ["limit of one event", config.limits.eventBytes, 16 * 1024 * 1024],
    ["query format", config.queryFormat, { arrays: "brackets", nesting: "brackets" }],
    ["idempotency header", config.idempotencyHeader, undefined],
    ["request id headers", config.requestIdHeaders, ["request-id", "x-request-id"]],
    ["trusted origins", [...config.trustedOrigins], []]
  ])("1.3 the default of the %s is %j", (_name, actual, expected) => {
    expect(actual).toEqual(expected)
  })

  it("1.3 undefined keeps the default", () => {
    const options = {
      timeouts: { connect: undefined },
      retry: { maxRetries: undefined, budget: { capacity: undefined } },
      limits: { errorBytes: undefined },
      queryFormat: { arrays: undefined },
      redirects: undefined
    }
    const { limits, queryFormat, redirects, retry, timeouts } = configOf(options as never)
    expect({ limits, queryFormat, redirects, policy: retry.policy, timeouts }).toEqual({
      limits: config.limits,
      queryFormat: config.queryFormat,
      redirects: config.redirects,
      policy,
      timeouts: config.timeouts
    })
  })
})

describe("withOptions", () => {
  const step = MockTransport.forever(MockTransport.json(null))

  it.effect("1.4 merges headers and query, and replaces the other settings", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([step], {
        headers: { "x-a": "1", "x-b": "1" },
        query: { a: 1, b: 1 },
        idempotency: { header: "x-key" },
        queryFormat: { arrays: "repeat" }
      })
      const other = client.withOptions({
        baseUrl: "https://other.test",
        headers: { "X-B": "2", "x-c": "2" },
        query: { b: 2, c: [2, 3] },
        idempotency: { header: "x-other" }
      })
      yield* other.execute(ApiRequest.post("/x"))
      yield* client.execute(list)
      const [changed, original] = yield* transport.requests
      expect(changed?.url).toBe("https://other.test/x?a=1&b=2&c=2&c=3")
      expect(changed?.headers).toMatchObject({ "x-a": "1", "x-b": "2", "x-c": "2" })
      expect(changed?.headers["x-other"]).toBeTypeOf("string")
      expect(changed?.headers).not.toHaveProperty("x-key")
      expect(original?.url).toBe("https://api.test/v1/todos?a=1&b=1")
      expect(original?.headers).toMatchObject({ "x-a": "1", "x-b": "1" })
    })
  )

  it.effect("1.4 merges the timeouts one by one", () =>
    Effect.gen(function* () {
      const platformHeaders = PlatformHeaders.make({ prefix: "x-p", packageVersion: "1" })
      const { client, transport } = yield* scripted([step], {
        platformHeaders,
        timeouts: { response: "30 seconds", total: "1 minute" }
      })
      yield* client.withOptions({ timeouts: { total: "2 minutes" } }).execute(list)
      yield* client.withOptions({ timeouts: { response: undefined } }).execute(list)
      const requests = yield* transport.requests
      expect(requests.map(({ headers }) => headers["x-p-read-timeout"])).toEqual(["30", "30"])
    })
  )

  it.effect("1.4 a removed header stays removed until it is set again", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([step], { headers: { "x-a": "1", "user-agent": "me" } })
      const without = client.withOptions({ headers: { "X-A": null, "User-Agent": null } })
      const still = without.withOptions({ headers: { "x-b": "2", "x-a": undefined } })
      const again = still.withOptions({ headers: { "x-a": "3" } })
      const headers = (client: ApiClient.ApiClient) =>
        Effect.map(client.prepare(list), ({ headers }) => [headers["x-a"], headers["user-agent"]])
      expect(yield* headers(client)).toEqual(["1", "me"])
      expect(yield* headers(without)).toEqual([undefined, undefined])
      expect(yield* headers(still)).toEqual([undefined, undefined])
      expect(yield* headers(again)).toEqual(["3", undefined])
    })
  )

  it.effect("1.4 a dropped query default stays dropped", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([step], { query: { a: 1, b: 1, c: 1 } })
      const dropped = client
        .withOptions({ query: { a: null, b: undefined } })
        .withOptions({ query: { d: 1 } })
      expect((yield* dropped.prepare(list)).url).toBe("https://api.test/v1/todos?c=1&d=1")
    })
  )

  it.effect("1.4 shares the transport and the cached credentials", () =>
    Effect.gen(function* () {
      let fetched = 0
      const credentials = Credentials.cached({
        fetch: Effect.sync(() => Redacted.make(`token-${++fetched}`))
      })
      const { client, transport } = yield* scripted([step], { credentials })
      yield* client.execute(list)
      yield* client.withOptions({ headers: { "x-a": "1" } }).execute(list)
      yield* client
        .withOptions({ redirects: 1 })
        .withOptions({ query: { a: 1 } })
        .execute(list)
      const requests = yield* transport.requests
      expect(requests.map(({ headers }) => headers["authorization"])).toEqual(Array(3).fill("Bearer token-1"))
    })
  )

  it.effect("1.4 uses its own credentials if it has any", () =>
    Effect.gen(function* () {
      const credentials = Credentials.bearer(Redacted.make("one"))
      const { client, transport } = yield* scripted([step], { credentials })
      const other = client.withOptions({ credentials: Credentials.bearer(Redacted.make("two")) })
      yield* other.execute(list)
      yield* other.withOptions({ redirects: 1 }).execute(list)
      yield* client.execute(list)
      const requests = yield* transport.requests
      expect(requests.map(({ headers }) => headers["authorization"])).toEqual([
        "Bearer two",
        "Bearer two",
        "Bearer one"
      ])
    })
  )

  it.effect("1.4 an invalid override fails every call and sends nothing", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([step])
      const bad = client.withOptions({ timeouts: { idle: -1 } })
      const later = bad.withOptions({ headers: { "x-a": "1" } })
      for (const client of [bad, later]) {
        expect(yield* Effect.flip(client.execute(list))).toMatchObject({
          _tag: "InvalidRequestError",
          field: "timeouts.idle",
          reason: "must be a duration above zero",
          delivery: "not-sent"
        })
        expect(yield* Effect.flip(client.prepare(list))).toMatchObject({ field: "timeouts.idle" })
        const plain = yield* Effect.flip(ApiClient.httpClient(client).get("/todos"))
        expect(reasonOf(plain)).toMatch(/^sending: /)
      }
      expect(yield* transport.requestCount).toBe(0)
      yield* client.execute(list)
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("1.4 ApiClient.withOptions changes the client of the environment", () =>
    Effect.gen(function* () {
      const client = yield* ApiClient.withOptions({ query: { a: 1 } })
      expect((yield* client.prepare(list)).url).toBe("https://api.test/v1/todos?a=1")
    }).pipe(Effect.provide(withScript(ApiClient.layer({ baseUrl }))))
  )
})
