import { FetchHttpClient, HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, Credentials } from "@effect-api/client"
import { MockTransport, TestServer } from "@effect-api/testing"
import { Effect, Redacted } from "effect"
import { clientOn, scripted, withoutDelay } from "../fixtures/requests.js"

const to = (location: string, status = 302) => MockTransport.empty(status, { headers: { location } })
const ok = MockTransport.json("there")

/** The requests of a call, one for each hop. */
const hops = (
  request: ApiRequest.ApiRequest<unknown>,
  script: MockTransport.Script,
  options: Parameters<typeof scripted>[1] = {}
) =>
  Effect.gen(function* () {
    const { client, transport } = yield* scripted(script, options)
    expect(yield* client.execute(request)).toBe("there")
    return yield* transport.requests
  })

describe("methods", () => {
  const body = { a: 1 }
  const requests = {
    GET: ApiRequest.get("/x"),
    POST: ApiRequest.post("/x", { body }),
    PUT: ApiRequest.put("/x", { body }),
    PATCH: ApiRequest.patch("/x", { body }),
    DELETE: ApiRequest.del("/x", { body })
  }

  it.effect.each([
    [301, "GET", "GET"],
    [301, "POST", "GET"],
    [301, "PUT", "PUT"],
    [302, "GET", "GET"],
    [302, "POST", "GET"],
    [302, "PATCH", "PATCH"],
    [302, "DELETE", "DELETE"],
    [303, "GET", "GET"],
    [303, "POST", "GET"],
    [303, "PUT", "GET"],
    [303, "DELETE", "GET"],
    [307, "GET", "GET"],
    [307, "POST", "POST"],
    [307, "PUT", "PUT"],
    [308, "POST", "POST"],
    [308, "DELETE", "DELETE"]
  ] as const)("8.1 %d after %s is followed with %s", ([status, method, next]) =>
    Effect.gen(function* () {
      const [first, second] = yield* hops(requests[method], [to("/y", status), ok])
      expect(first?.method).toBe(method)
      expect(second).toMatchObject({ method: next, url: "https://api.test/y" })
      const kept = next === method && method !== "GET"
      expect(second?.text).toBe(kept ? '{"a":1}' : "")
      expect(second?.headers["content-type"]).toBe(kept ? "application/json" : undefined)
      expect(second?.headers["content-length"]).toBe(kept ? "7" : undefined)
    })
  )

  it.effect.each([301, 302, 303, 307, 308])("8.1 HEAD stays HEAD after %d", (status) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([to("/y", status), MockTransport.empty(200)])
      yield* client.head("/x")
      expect((yield* transport.requests).map(({ method }) => method)).toEqual(["HEAD", "HEAD"])
    })
  )
})

describe("locations", () => {
  it.effect.each([
    ["/y", "https://api.test/y"],
    ["y?b=2", "https://api.test/v1/y?b=2"],
    ["?b=2", "https://api.test/v1/x?b=2"],
    ["../z", "https://api.test/z"],
    ["https://api.test/y#top", "https://api.test/y"],
    ["//other.test/y", "https://other.test/y"],
    ["https://user:pass@other.test/y", "https://other.test/y"]
  ] as const)("8.1 the location %s is %s", ([location, url]) =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/x", { query: { a: 1 } })
      const [, second] = yield* hops(request, [to(location), ok])
      expect(second?.url).toBe(url)
    })
  )

  it.effect("8.1 several redirects each resolve against the last URL", () =>
    Effect.gen(function* () {
      const requests = yield* hops(ApiRequest.get("/a/b"), [to("c"), to("d/"), to("e"), ok])
      expect(requests.map(({ url }) => url)).toEqual([
        "https://api.test/v1/a/b",
        "https://api.test/v1/a/c",
        "https://api.test/v1/a/d/",
        "https://api.test/v1/a/d/e"
      ])
    })
  )
})

describe("redirects that are not followed", () => {
  const failure = (script: MockTransport.Script, options: Parameters<typeof scripted>[1] = {}) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(script, { retry: withoutDelay, ...options })
      const error = yield* Effect.flip(client.execute(ApiRequest.get("/x")))
      expect(error).toMatchObject({
        _tag: "UnexpectedStatusError",
        stoppedBy: "not-retryable",
        request: { method: "GET" }
      })
      expect(error.attempts).toHaveLength(1)
      return [error.message, yield* transport.requestCount] as const
    })

  it.effect.each([
    ["http://api.test/y", "302 redirect not followed: it goes from https to http"],
    ["http://other.test/y", "302 redirect not followed: it goes from https to http"],
    ["ftp://api.test/y", "302 redirect not followed: it leaves http"],
    ["javascript:alert(1)", "302 redirect not followed: it leaves http"],
    ["data:,x", "302 redirect not followed: it leaves http"],
    ["https://[", "302 redirect not followed: its location does not parse"],
    ["https://", "302 redirect not followed: its location does not parse"]
  ] as const)("8.1 %s fails and is not requested", ([location, message]) =>
    Effect.gen(function* () {
      expect(yield* failure([to(location)])).toEqual([message, 1])
    })
  )

  it.effect.each([301, 302, 303, 307, 308])("8.1 a %d without a location fails", (status) =>
    Effect.gen(function* () {
      const [message, count] = yield* failure([MockTransport.empty(status)])
      expect([message.slice(0, 4), count]).toEqual([`${status} `, 1])
    })
  )

  it.effect.each([300, 304, 305, 306])("8.1 a %d is not a redirect", (status) =>
    Effect.gen(function* () {
      expect((yield* failure([to("/y", status)]))[1]).toBe(1)
    })
  )

  it.effect("8.1 the sixth redirect fails", () =>
    Effect.gen(function* () {
      expect(yield* failure([MockTransport.forever(to("/x"))])).toEqual([
        "302 redirect not followed: more than 5",
        6
      ])
    })
  )

  it.effect("8.1 redirects: 0 follows none", () =>
    Effect.gen(function* () {
      expect(yield* failure([to("/y")], { redirects: 0 })).toEqual([
        "302 redirect not followed: more than 0",
        1
      ])
    })
  )

  it.effect("8.1 http to https is followed", () =>
    Effect.gen(function* () {
      const requests = yield* hops(ApiRequest.get("/x"), [to("https://api.test/y"), ok], {
        baseUrl: "http://api.test"
      })
      expect(requests[1]?.url).toBe("https://api.test/y")
    })
  )

  it.effect("8.1 an error after a redirect is retried from the start", () =>
    Effect.gen(function* () {
      const requests = yield* hops(ApiRequest.get("/x"), [to("/y"), MockTransport.empty(503), to("/y"), ok], {
        retry: withoutDelay
      })
      expect(requests.map(({ url }) => new URL(url).pathname)).toEqual(["/v1/x", "/y", "/v1/x", "/y"])
    })
  )
})

describe("secrets", () => {
  const options = {
    credentials: Credentials.header("x-house-token", Redacted.make("house-secret")),
    headers: { "x-plain": "1", "x-config": Redacted.make("config-secret") }
  }
  const request = ApiRequest.post("/x", {
    body: { a: 1 },
    headers: {
      authorization: "Basic written-out",
      cookie: "session=written-out",
      "x-request": Redacted.make("request-secret"),
      "x-list": ["shown", Redacted.make("list-secret")],
      // Not marked as a secret, but it contains one.
      "x-signed": "v1:house-secret",
      "x-goog-api-key": "written-out"
    }
  })
  const secretNames = [
    "x-house-token",
    "x-config",
    "authorization",
    "cookie",
    "x-request",
    "x-list",
    "x-signed",
    "x-goog-api-key"
  ]
  const secretsIn = (headers: Readonly<Record<string, string>> | undefined) =>
    secretNames.filter((name) => headers?.[name] !== undefined)

  it.effect.each([
    ["/y", true],
    ["https://api.test:443/y", true],
    ["https://other.test/y", false],
    ["//other.test/y", false],
    ["https://api.test:8443/y", false],
    ["https://api.test.evil.test/y", false],
    ["https://sub.api.test/y", false]
  ] as const)("8.1 a hop to %s carries secrets: %s", ([location, along]) =>
    Effect.gen(function* () {
      const [first, second] = yield* hops(request, [to(location, 307), ok], options)
      expect(secretsIn(first?.headers)).toEqual(secretNames)
      expect(secretsIn(second?.headers)).toEqual(along ? secretNames : [])
      expect(second?.headers).toMatchObject({ "x-plain": "1", "content-type": "application/json" })
    })
  )

  it.effect("8.1 a hop back does not restore dropped secrets", () =>
    Effect.gen(function* () {
      const script = [to("https://other.test/y", 307), to("https://api.test/v1/x", 307), ok]
      const requests = yield* hops(request, script, options)
      expect(requests.map(({ headers }) => secretsIn(headers))).toEqual([secretNames, [], []])
    })
  )

  it.effect("8.1 a trusted origin gets the client's secrets, but not the request's", () =>
    Effect.gen(function* () {
      const [, second] = yield* hops(request, [to("https://other.test/y", 307), ok], {
        ...options,
        trustedOrigins: ["https://other.test"]
      })
      expect(secretsIn(second?.headers)).toEqual(["x-house-token", "x-config"])
    })
  )

  it.effect("8.1 headers in redact.headers are secrets, too", () =>
    Effect.gen(function* () {
      const [, second] = yield* hops(
        ApiRequest.get("/x", { headers: { "x-tenant": "acme" } }),
        [to("https://other.test/y"), ok],
        { redact: { headers: ["X-Tenant"] } }
      )
      expect(second?.headers).not.toHaveProperty("x-tenant")
    })
  )

  it.effect("8.1 the HttpClient follows the same rule", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([to("https://other.test/y", 307), ok], options)
      yield* ApiClient.httpClient(client).get("/x", { headers: { "x-list": "mine" } })
      const [first, second] = yield* transport.requests
      expect(secretsIn(first?.headers)).toEqual(["x-house-token", "x-config", "x-list"])
      expect(secretsIn(second?.headers)).toEqual(["x-list"])
    })
  )
})

describe("over sockets", () => {
  const options = {
    credentials: Credentials.header("x-house-token", Redacted.make("house-secret")),
    headers: { "x-plain": "1" }
  }

  it.scopedLive.each([
    [303, "GET", ""],
    [307, "POST", '{"a":1}'],
    [308, "POST", '{"a":1}']
  ] as const)("8.1 %d goes to the other server as %s, without credentials", ([status, method, text]) =>
    Effect.gen(function* () {
      const other = yield* TestServer.make(TestServer.json("there"))
      const server = yield* TestServer.make(TestServer.empty(status, { location: `${other.url}/y?b=2` }))
      const client = yield* clientOn(yield* HttpClient.HttpClient, { ...options, baseUrl: server.url })
      const value = yield* client.post("/x", { body: { a: 1 }, headers: { cookie: "session=1" } })
      expect(value).toBe("there")
      const [first] = yield* server.requests
      const [second] = yield* other.requests
      expect(first?.headers).toMatchObject({ "x-house-token": "house-secret", cookie: "session=1" })
      expect(second).toMatchObject({ method, url: "/y?b=2", text })
      expect(second?.headers).toMatchObject({ "x-plain": "1", host: `127.0.0.1:${other.port}` })
      expect(second?.headers).not.toHaveProperty("x-house-token")
      expect(second?.headers).not.toHaveProperty("cookie")
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.scopedLive("8.1 a hop on the same server keeps the credentials", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "GET /x": TestServer.text("moved", { status: 302, headers: { location: "/y" } }),
        "GET /y": TestServer.json("there")
      })
      const client = yield* clientOn(yield* HttpClient.HttpClient, { ...options, baseUrl: server.url })
      expect(yield* client.get("/x")).toBe("there")
      const requests = yield* server.requests
      expect(requests.map(({ headers, path }) => [path, headers["x-house-token"]])).toEqual([
        ["/x", "house-secret"],
        ["/y", "house-secret"]
      ])
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})
