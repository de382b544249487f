import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, ApiRequest, Credentials, PlatformHeaders, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Redacted, Schema, Tracer } from "effect"
import * as ClientHeaders from "../../src/client/ClientHeaders.js"
import { platform } from "../../src/config/platform.js"
import { prepared, scripted, sent, sentFor, withoutDelay } from "../fixtures/requests.js"

type Options = Partial<ApiConfig.Options>
type Request = ApiRequest.ApiRequest<unknown>

const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const key = (secret: string) => Redacted.make(secret)

describe("precedence", () => {
  const rows: ReadonlyArray<{
    readonly what: string
    readonly name: string
    readonly options?: Options
    readonly request?: Request
    readonly value: string | undefined
  }> = [
    { what: "the default user-agent", name: "user-agent", value: `effect-api/${ClientHeaders.version}` },
    { what: "a configured user-agent", name: "user-agent", options: { userAgent: "me/1" }, value: "me/1" },
    {
      what: "config over userAgent",
      name: "user-agent",
      options: { userAgent: "me/1", headers: { "User-Agent": "other/2" } },
      value: "other/2"
    },
    { what: "the default accept", name: "accept", value: "application/json" },
    {
      what: "the decoder's accept",
      name: "accept",
      request: ApiRequest.get("/x", { success: ResponseDecoder.bytes }),
      value: "*/*"
    },
    {
      what: "config over the decoder's accept",
      name: "accept",
      options: { headers: { Accept: "application/vnd.api+json" } },
      request: ApiRequest.get("/x", { success: Schema.Number }),
      value: "application/vnd.api+json"
    },
    {
      what: "credentials over the default headers",
      name: "user-agent",
      options: { credentials: Credentials.header("User-Agent", key("secret-agent")) },
      value: "secret-agent"
    },
    {
      what: "config over credentials",
      name: "x-api-key",
      options: { credentials: Credentials.header("x-api-key", key("one")), headers: { "X-Api-Key": "two" } },
      value: "two"
    },
    {
      what: "a removal in config over credentials",
      name: "authorization",
      options: { credentials: Credentials.bearer(key("one")), headers: { Authorization: null } },
      value: undefined
    },
    {
      what: "the request over credentials",
      name: "authorization",
      options: { credentials: Credentials.bearer(key("one")) },
      request: ApiRequest.get("/x", { headers: { AUTHORIZATION: key("Basic two") } }),
      value: "Basic two"
    },
    {
      what: "a removal in the request over credentials",
      name: "authorization",
      options: { credentials: Credentials.bearer(key("one")) },
      request: ApiRequest.get("/x", { headers: { authorization: null } }),
      value: undefined
    },
    {
      what: "the body over config",
      name: "content-type",
      options: { headers: { "content-type": "text/csv" } },
      request: ApiRequest.post("/x", { body: 1 }),
      value: "application/json"
    },
    {
      what: "config without a body",
      name: "content-type",
      options: { headers: { "content-type": "text/csv" } },
      value: "text/csv"
    },
    {
      what: "the request over the body",
      name: "content-type",
      request: ApiRequest.post("/x", { text: "a,b", headers: { "Content-Type": "text/csv" } }),
      value: "text/csv"
    },
    {
      what: "a removal in the request over the body",
      name: "content-type",
      request: ApiRequest.post("/x", { bytes: new Uint8Array(1), headers: { "content-type": null } }),
      value: undefined
    },
    {
      what: "the request over config",
      name: "x-a",
      options: { headers: { "X-A": "1" } },
      request: ApiRequest.get("/x", { headers: { "x-a": "2" } }),
      value: "2"
    },
    {
      what: "null removes a header",
      name: "x-a",
      options: { headers: { "X-A": "1" } },
      request: ApiRequest.get("/x", { headers: { "x-a": null } }),
      value: undefined
    },
    {
      what: "undefined changes nothing",
      name: "x-a",
      options: { headers: { "X-A": "1" } },
      request: ApiRequest.get("/x", { headers: { "x-a": undefined } }),
      value: "1"
    },
    {
      what: "an array is joined with commas",
      name: "x-a",
      request: ApiRequest.get("/x", { headers: { "x-a": ["1", 2, true] } }),
      value: "1, 2, true"
    },
    {
      what: "cookies are joined with semicolons",
      name: "cookie",
      request: ApiRequest.get("/x", { headers: { Cookie: ["a=1", key("b=2")] } }),
      value: "a=1; b=2"
    },
    {
      what: "a default can be removed",
      name: "user-agent",
      options: { headers: { "user-agent": null } },
      value: undefined
    }
  ]

  it.effect.each(rows)("4.1 $what", ({ name, options, request, value }) =>
    Effect.gen(function* () {
      const { headers } = yield* sent(request ?? ApiRequest.get("/x"), options)
      expect(headers[name]).toBe(value)
    })
  )

  it.effect("4.1 prepare includes client headers, but no credentials or attempt headers", () =>
    Effect.gen(function* () {
      const { headers } = yield* prepared(ApiRequest.get("/x"), {
        headers: { "x-a": "1" },
        credentials: Credentials.bearer(key("s")),
        platformHeaders: PlatformHeaders.make({ prefix: "x-p", packageVersion: "1.2.3" })
      })
      expect(headers).toMatchObject({ "x-a": "1", "x-p-lang": "js" })
      expect(headers).not.toHaveProperty("authorization")
      expect(headers).not.toHaveProperty("x-p-retry-count")
    })
  )
})

describe("forbidden headers", () => {
  it.effect.each([
    [{ "x-a": "1\r\nx-b: 2" }, "headers.x-a"],
    [{ "x-a": "a\nb" }, "headers.x-a"],
    [{ "x-a": "a\0b" }, "headers.x-a"],
    [{ "x-a": ["ok", "a\rb"] }, "headers.x-a"],
    [{ "x-a": "snow \u2603" }, "headers.x-a"],
    [{ "x a": "1" }, "headers.x a"],
    [{ "x-a:": "1" }, "headers.x-a:"],
    [{ "": "1" }, "headers."]
  ] as const)("4.2 a request with %j fails and sends nothing", ([headers, field]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([])
      const error = yield* Effect.flip(client.execute(ApiRequest.get("/x", { headers: headers as never })))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field })
      expect(yield* transport.requestCount).toBe(0)
    })
  )

  it.effect.each([
    Credentials.bearer(key("s3c\r\nret")),
    Credentials.header("x-api-key", key("s3c\0ret")),
    Credentials.header("x api key", key("s3cret")),
    Credentials.effect(Effect.succeed(key("s3c\nret"))),
    Credentials.cached({ fetch: Effect.succeed(key("s3c\nret")) })
  ])("4.2 invalid credentials send nothing and are not retried", (credentials) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([], { credentials, retry: withoutDelay })
      const error = yield* Effect.flip(client.execute(ApiRequest.get("/x")))
      expect(error).toMatchObject({
        _tag: "CredentialsError",
        stoppedBy: "not-retryable",
        delivery: "not-sent"
      })
      expect(error.attempts).toHaveLength(1)
      expect(JSON.stringify(error)).not.toContain("s3c")
      expect(yield* transport.requestCount).toBe(0)
    })
  )
})

describe("platform headers", () => {
  const platformHeaders = PlatformHeaders.make({ prefix: "X-Stainless", packageVersion: "1.2.3" })
  const unavailable = [MockTransport.empty(503), MockTransport.empty(503), MockTransport.json(null)]

  it.effect("4.3 are off by default", () =>
    Effect.gen(function* () {
      const { headers } = yield* sent(ApiRequest.get("/x"))
      expect(Object.keys(headers).sort()).toEqual(["accept", "user-agent"])
    })
  )

  it.effect("4.3 describe the runtime", () =>
    Effect.gen(function* () {
      const { headers } = yield* sent(ApiRequest.get("/x"), { platformHeaders })
      const { arch, os } = platform()
      expect(headers).toMatchObject({
        "x-stainless-lang": "js",
        "x-stainless-package-version": "1.2.3",
        "x-stainless-os": os,
        "x-stainless-arch": arch,
        "x-stainless-runtime": "node",
        "x-stainless-runtime-version": process.version,
        "x-stainless-retry-count": "0",
        "x-stainless-read-timeout": "600"
      })
    })
  )

  it.effect("4.3 count the retries", () =>
    Effect.gen(function* () {
      const options = { platformHeaders, retry: withoutDelay }
      const requests = yield* sentFor(ApiRequest.get("/x"), options, unavailable)
      expect(requests.map(({ headers }) => headers["x-stainless-retry-count"])).toEqual(["0", "1", "2"])
    })
  )

  it.effect.each([
    ["30 seconds", "30"],
    [1500, "1.5"],
    ["infinity", undefined]
  ] as const)("4.3 with a response timeout of %s, the read timeout is %s", ([response, seconds]) =>
    Effect.gen(function* () {
      const timeouts = { response: response === "infinity" ? Number.POSITIVE_INFINITY : response }
      const ofConfig = yield* sent(ApiRequest.get("/x"), { platformHeaders, timeouts })
      const ofRequest = yield* sent(ApiRequest.get("/x", { timeouts }), { platformHeaders })
      expect(ofConfig.headers["x-stainless-read-timeout"]).toBe(seconds)
      expect(ofRequest.headers["x-stainless-read-timeout"]).toBe(seconds)
    })
  )

  it.effect("4.1 attempt headers are sent only where no source set or removed them", () =>
    Effect.gen(function* () {
      const options = { platformHeaders, retry: withoutDelay, headers: { "X-Stainless-Read-Timeout": "7" } }
      const request = ApiRequest.get("/x", { headers: { "x-stainless-retry-count": null } })
      const requests = yield* sentFor(request, options, unavailable)
      expect(requests).toHaveLength(3)
      for (const { headers } of requests) {
        expect(headers["x-stainless-read-timeout"]).toBe("7")
        expect(headers).not.toHaveProperty("x-stainless-retry-count")
      }
    })
  )

  const none = { os: "Unknown", arch: "unknown", runtime: "unknown", runtimeVersion: "unknown" }
  const onNode = (platform: string, arch: string) => ({ process: { platform, arch, version: "v22.1.0" } })
  const node = { runtime: "node", runtimeVersion: "v22.1.0" }

  it.each([
    [onNode("darwin", "arm64"), { os: "MacOS", arch: "arm64", ...node }],
    [onNode("linux", "x64"), { os: "Linux", arch: "x64", ...node }],
    [onNode("win32", "ia32"), { os: "Windows", arch: "x32", ...node }],
    [onNode("freebsd", "arm"), { os: "FreeBSD", arch: "arm", ...node }],
    [onNode("openbsd", "x64"), { os: "OpenBSD", arch: "x64", ...node }],
    [onNode("android", "aarch64"), { os: "Android", arch: "arm64", ...node }],
    [onNode("ios", "arm64"), { os: "iOS", arch: "arm64", ...node }],
    [onNode("sunos", "s390x"), { os: "Other:sunos", arch: "other:s390x", ...node }],
    [onNode("", ""), { os: "Unknown", arch: "unknown", ...node }],
    [
      { Deno: { version: { deno: "2.0.0" }, build: { os: "darwin", arch: "x86_64" } } },
      { os: "MacOS", arch: "x64", runtime: "deno", runtimeVersion: "2.0.0" }
    ],
    [
      { Bun: { version: "1.2.0" }, ...onNode("linux", "x64") },
      { os: "Linux", arch: "x64", runtime: "bun", runtimeVersion: "1.2.0" }
    ],
    [{ EdgeRuntime: "edge" }, { ...none, runtime: "edge" }],
    [
      { navigator: { userAgent: "Mozilla/5.0 (X11) Gecko/20100101 Firefox/130.0" } },
      { ...none, runtime: "browser", runtimeVersion: "130.0" }
    ],
    [{ navigator: { userAgent: "curl" } }, none],
    [{}, none],
    // Polyfills with missing parts.
    [{ Deno: {} }, none],
    [
      { Deno: { version: {}, build: null }, ...onNode("linux", "x64") },
      { os: "Linux", arch: "x64", ...node }
    ],
    [{ Bun: {}, Deno: null, navigator: null, process: { version: 20, platform: {} } }, none],
    [
      { process: { version: "", versions: {} }, navigator: { userAgent: "Mozilla/5.0 Chrome/156.0" } },
      { ...none, runtime: "browser", runtimeVersion: "156.0" }
    ]
  ])("4.3 detects the platform of %o", (runtimes, expected) => {
    expect(platform(runtimes)).toEqual(expected)
  })
})

describe("traceparent", () => {
  it.effect("12.1 is sent with the call's trace, unless it was removed", () =>
    Effect.gen(function* () {
      const [plain] = yield* sentFor(ApiRequest.get("/x"))
      const [removed] = yield* sentFor(ApiRequest.get("/x", { headers: { traceparent: null } }))
      expect(plain?.headers["traceparent"]).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/)
      expect(removed?.headers).not.toHaveProperty("traceparent")
    }).pipe(
      Effect.withParentSpan(
        Tracer.externalSpan({
          traceId: "0af7651916cd43dd8448eb211c80319c",
          spanId: "b7ad6b7169203331",
          sampled: true
        })
      )
    )
  )
})

describe("idempotency key", () => {
  const idempotency = { header: "Idempotency-Key" }
  const script = [MockTransport.empty(503), MockTransport.empty(503), MockTransport.json(null)]
  const keys = (request: Request, options: Options = { idempotency }) =>
    Effect.map(sentFor(request, { retry: withoutDelay, ...options }, script), (requests) =>
      requests.map(({ headers }) => headers["idempotency-key"])
    )

  it.effect("4.4 is off unless configured", () =>
    Effect.gen(function* () {
      expect(yield* keys(ApiRequest.post("/x"), {})).toEqual([undefined, undefined, undefined])
    })
  )

  it.effect.each(["post", "put", "patch", "del"] as const)(
    "4.4 is the same on every attempt of a %s",
    (verb) =>
      Effect.gen(function* () {
        const [first, ...rest] = yield* keys(ApiRequest[verb]("/x"))
        expect(first).toMatch(uuid4)
        expect(rest).toEqual([first, first])
      })
  )

  it.effect("4.4 differs for each call of the same request", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.forever(MockTransport.json(null))], {
        idempotency
      })
      const request = ApiRequest.post("/x")
      yield* client.execute(request)
      yield* client.execute(request)
      const [one, two] = (yield* transport.requests).map(({ headers }) => headers["idempotency-key"])
      expect(one).toMatch(uuid4)
      expect(two).toMatch(uuid4)
      expect(one).not.toBe(two)
    })
  )

  it.effect.each(["get", "head"] as const)("4.4 is not sent with %s", (verb) =>
    Effect.gen(function* () {
      expect(yield* keys(ApiRequest[verb]("/x"))).toEqual([undefined, undefined, undefined])
    })
  )

  it.effect.each([
    ["over the generated one", ApiRequest.post("/x", { idempotencyKey: "mine" }), { idempotency }, "mine"],
    ["without configuration", ApiRequest.post("/x", { idempotencyKey: "mine" }), {}, "mine"],
    ["on GET", ApiRequest.get("/x", { idempotencyKey: "mine" }), { idempotency }, "mine"],
    [
      "but a header wins over it",
      ApiRequest.post("/x", { idempotencyKey: "mine", headers: { "IDEMPOTENCY-KEY": "header" } }),
      { idempotency },
      "header"
    ],
    [
      "but null removes it",
      ApiRequest.post("/x", { headers: { "idempotency-key": null } }),
      { idempotency },
      undefined
    ]
  ] as const)("4.4 an explicit idempotencyKey wins %s", ([, request, options, value]) =>
    Effect.gen(function* () {
      expect(yield* keys(request, options)).toEqual([value, value, value])
    })
  )

  it.effect("4.4 an invalid idempotencyKey fails", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(prepared(ApiRequest.post("/x", { idempotencyKey: "a\r\nb" })))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "idempotencyKey" })
    })
  )
})
