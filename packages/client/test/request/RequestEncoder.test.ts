import { HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, type ApiConfig, ApiRequest, Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { DateTime, Effect, FastCheck as fc, Redacted, Schema } from "effect"
import { baseUrl, prepared, scripted, sent, sentFor } from "../fixtures/requests.js"

const urlOf = (request: ApiRequest.ApiRequest<unknown>, options?: Partial<ApiConfig.Options>) =>
  Effect.map(prepared(request, options), ({ url }) => url)

const rejection = (request: ApiRequest.ApiRequest<unknown>, options?: Partial<ApiConfig.Options>) =>
  Effect.gen(function* () {
    const { client, transport } = yield* scripted([], options)
    const error = yield* Effect.flip(client.execute(request))
    expect(yield* transport.requestCount).toBe(0)
    expect(error).toMatchObject({ _tag: "InvalidRequestError", delivery: "not-sent", attempts: [] })
    return error as typeof error & { readonly field: string; readonly reason: string }
  })

describe("url", () => {
  it.effect.each([
    ["https://api.test", "/todos", "https://api.test/todos"],
    ["https://api.test/", "todos", "https://api.test/todos"],
    ["https://api.test/v1", "todos", "https://api.test/v1/todos"],
    ["https://api.test/v1/", "/todos", "https://api.test/v1/todos"],
    ["https://api.test/v1", "", "https://api.test/v1/"],
    ["https://api.test/v1", "/", "https://api.test/v1/"],
    ["https://api.test/v1", "//evil.test/x", "https://api.test/v1/evil.test/x"],
    ["https://api.test/v1?k=1", "/todos", "https://api.test/v1/todos?k=1"],
    ["https://api.test/v1?k=1", "/todos?l=2", "https://api.test/v1/todos?k=1&l=2"],
    ["https://api.test/v1#top", "/todos#there", "https://api.test/v1/todos"],
    ["https://api.test/v1", "/models:list", "https://api.test/v1/models:list"]
  ] as const)("2.1 %s joined with %s is %s", ([baseUrl, path, url]) =>
    Effect.gen(function* () {
      expect(yield* urlOf(ApiRequest.get(path), { baseUrl })).toBe(url)
    })
  )

  it.effect("2.3 a value stays inside its segment", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/files/{name}/{part}", {
        path: { name: "../../x", part: "a/b?c#d%20" }
      })
      expect(yield* urlOf(request)).toBe("https://api.test/v1/files/..%2F..%2Fx/a%2Fb%3Fc%23d%2520")
    })
  )

  it.effect.each([
    [ApiRequest.get("/{id}", { path: { id: ".." } }), "path.id"],
    [ApiRequest.get("/{id}", { path: { id: "" } }), "path.id"],
    [ApiRequest.get("/{id}", { path: { id: null as never } }), "path.id"],
    [ApiRequest.get("/{id}" as string), "path.id"],
    [ApiRequest.get("/{id}" as string, { path: { id: 1, extra: 2 } }), "path.extra"],
    [ApiRequest.get("/a/../b"), "path"],
    [ApiRequest.get("ftp://api.test/x"), "path"],
    [ApiRequest.get("https://user:pass@api.test/x"), "path"]
  ] as const)("2.3 rejects $template before sending", ([request, field]) =>
    Effect.gen(function* () {
      expect((yield* rejection(request)).field).toBe(field)
    })
  )
})

describe("absolute urls", () => {
  const options = {
    baseUrl: "https://api.test/v1?base=1",
    credentials: Credentials.header("x-custom", Redacted.make("key-in-header")),
    headers: {
      "x-plain": "1",
      "x-secret": Redacted.make("secret-header"),
      // Secret by their name, or by the secret they contain.
      cookie: "session=written-out",
      "x-tenant": "acme",
      "x-signed": "v1:secret-header"
    },
    query: { plain: 1, secret: Redacted.make("secret-query"), api_key: "written-out" },
    redact: { headers: ["X-Tenant"] },
    trustedOrigins: ["https://trusted.test/ignored/path", "http://api.test:8080"]
  }

  it.effect.each([
    ["https://api.test/other", true],
    ["https://API.test:443/other", true],
    ["https://trusted.test/x", true],
    ["http://api.test:8080/x", true],
    ["https://other.test/x", false],
    ["http://api.test/x", false],
    ["https://api.test:8443/x", false],
    ["https://trusted.test.evil.test/x", false],
    ["https://sub.trusted.test/x", false],
    ["http://trusted.test/x", false]
  ] as const)("2.2 a request to %s sends the client's secrets: %s", ([url, trusted]) =>
    Effect.gen(function* () {
      const request = yield* sent(ApiRequest.get(url), options)
      expect(request.headers["x-plain"]).toBe("1")
      expect(request.headers["x-custom"]).toBe(trusted ? "key-in-header" : undefined)
      expect(request.headers["x-secret"]).toBe(trusted ? "secret-header" : undefined)
      expect(request.headers["cookie"]).toBe(trusted ? "session=written-out" : undefined)
      expect(request.headers["x-tenant"]).toBe(trusted ? "acme" : undefined)
      expect(request.headers["x-signed"]).toBe(trusted ? "v1:secret-header" : undefined)
      const { search } = new URL(request.url)
      expect(search).toBe(trusted ? "?plain=1&secret=secret-query&api_key=written-out" : "?plain=1")
    })
  )

  it.effect("2.2 the request's own secrets are sent to any origin", () =>
    Effect.gen(function* () {
      const request = yield* sent(
        ApiRequest.get("https://other.test/x?a=1#there", {
          headers: { authorization: Redacted.make("Bearer mine") },
          query: { key: Redacted.make("mine") }
        }),
        options
      )
      expect(request.url).toBe("https://other.test/x?a=1&plain=1&key=mine")
      expect(request.headers["authorization"]).toBe("Bearer mine")
    })
  )

  it.effect("2.2 platform requests follow the same rule", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(
        [MockTransport.forever(MockTransport.json(null))],
        options
      )
      yield* ApiClient.httpClient(client).get("https://other.test/x")
      yield* ApiClient.httpClient(client).get("https://trusted.test/x")
      yield* ApiClient.httpClient(client).get("x")
      const requests = yield* transport.requests
      expect(requests.map(({ headers, url }) => [url, headers["x-custom"], headers["x-secret"]])).toEqual([
        ["https://other.test/x?plain=1", undefined, undefined],
        [
          "https://trusted.test/x?plain=1&secret=secret-query&api_key=written-out",
          "key-in-header",
          "secret-header"
        ],
        [
          "https://api.test/v1/x?base=1&plain=1&secret=secret-query&api_key=written-out",
          "key-in-header",
          "secret-header"
        ]
      ])
    })
  )
})

describe("query", () => {
  it.effect("3.1 the request wins over the config, the template and the base URL", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/x?b=template&c=template&d=template", { query: { d: "request" } })
      const options = {
        baseUrl: "https://api.test?a=base&b=base&c=base&d=base",
        query: { c: "config", d: "config" }
      }
      expect(yield* urlOf(request, options)).toBe("https://api.test/x?a=base&b=template&c=config&d=request")
    })
  )

  it.effect.each([
    ["undefined drops it", undefined, ""],
    ["null drops it", null, ""],
    ["an empty string is sent", "", "?a="],
    ["an empty list drops it", [], ""],
    ["zero is sent", 0, "?a=0"],
    ["false is sent", false, "?a=false"]
  ] as const)("3.1 with a default of the same name, %s", ([, value, search]) =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/x", { query: { a: value } })
      const template = ApiRequest.get("/x?a=default", { query: { a: value } })
      const url = `https://api.test/v1/x${search}`
      expect(yield* urlOf(request, { query: { a: "default" } })).toBe(url)
      expect(yield* urlOf(request, { baseUrl: `${baseUrl}?a=default` })).toBe(url)
      expect(yield* urlOf(template)).toBe(url)
      expect(yield* urlOf(ApiRequest.get("/x?a=default"), { query: { a: value } })).toBe(url)
    })
  )

  it.effect.each([
    [{ arrays: "brackets" }, "?a[]=1&a[]=2&b[c]=3"],
    [{ arrays: "repeat" }, "?a=1&a=2&b[c]=3"],
    [{ arrays: "comma" }, "?a=1,2&b[c]=3"],
    [{ arrays: "indices" }, "?a[0]=1&a[1]=2&b[c]=3"],
    [{ nesting: "dots" }, "?a[]=1&a[]=2&b.c=3"]
  ] as const)("3.2 %j encodes the query as %s", ([queryFormat, search]) =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/x", { query: { a: [1, 2], b: { c: 3 } } })
      const url = yield* urlOf(request, { queryFormat })
      expect(decodeURIComponent(url)).toBe(`https://api.test/v1/x${search}`)
    })
  )

  it.effect("3.1 rejects an infinite number before sending", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/x", { query: { filter: { limit: Number.POSITIVE_INFINITY } } })
      expect(yield* rejection(request)).toMatchObject({
        field: "query.filter.limit",
        reason: "must be a finite number"
      })
    })
  )
})

describe("json", () => {
  it.effect.each([[], {}, 0, "", false, null, { a: [null] }, "text"])("5.1 %j is a valid body", (body) =>
    Effect.gen(function* () {
      const request = yield* sent(ApiRequest.post("/x", { body }))
      expect(request.text).toBe(JSON.stringify(body))
      expect(request.headers["content-type"]).toBe("application/json")
      expect(request.headers["content-length"]).toBe(String(request.text.length))
    })
  )

  it.effect.each([ApiRequest.post("/x"), ApiRequest.post("/x", { body: undefined }), ApiRequest.get("/x")])(
    "5.1 a request without a body has no content-type",
    (request) =>
      Effect.gen(function* () {
        const { body, headers } = yield* sent(request)
        expect(body).toBeUndefined()
        expect(headers).not.toHaveProperty("content-type")
        expect(headers).not.toHaveProperty("content-length")
      })
  )

  it.effect("5.1 sends any JSON value unchanged", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.jsonValue(), async (body) => {
          const request = await Effect.runPromise(sent(ApiRequest.post("/x", { body })))
          expect(request.json).toEqual(JSON.parse(JSON.stringify(body)))
          expect(Number(request.headers["content-length"])).toBe(request.body?.length)
        }),
        { numRuns: 50 }
      )
    )
  )

  const cyclic: Record<string, unknown> = {}
  cyclic["self"] = [cyclic]
  let deep: unknown = 1
  for (let depth = 0; depth < 50_000; depth++) deep = [deep]

  it.effect.each([
    ["NaN", Number.NaN, "body"],
    ["Infinity", { a: [Number.POSITIVE_INFINITY] }, "body.a.0"],
    ["a bigint", { id: 1n }, "body.id"],
    ["a cycle", cyclic, "body.self.0"],
    ["a Map", { tags: new Map([["a", 1]]) }, "body.tags"],
    ["a Set", new Set([1]), "body"],
    ["an invalid Date", { at: new Date("never") }, "body.at"],
    ["a function", () => 1, "body"],
    ["a secret bigint", { id: Redacted.make(1n) }, "body.id"],
    ["a value nested deeper than the stack", { deep }, `body.deep${".0".repeat(100)}`.slice(0, 200)]
  ] as const)("5.1 rejects %s, with the path of the field", ([, body, field]) =>
    Effect.gen(function* () {
      expect((yield* rejection(ApiRequest.post("/x", { body }))).field).toBe(field)
    })
  )

  it.effect("12.4 a Redacted in a body is sent in plain and redacted in the error", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([
        MockTransport.json({ error: { message: "bad password hunter2" } }, { status: 400 })
      ])
      const body = { user: "ann", password: Redacted.make("hunter2"), codes: [Redacted.make("c0de")] }
      const error = yield* Effect.flip(client.execute(ApiRequest.post("/login", { body })))
      const [request] = yield* transport.requests
      expect(request?.json).toEqual({ user: "ann", password: "hunter2", codes: ["c0de"] })
      expect(error.message).toBe("400 bad password <redacted>")
      expect(JSON.stringify(error)).not.toContain("hunter2")
    })
  )
})

describe("bodySchema", () => {
  const Event = Schema.Struct({
    at: Schema.DateTimeUtc,
    tags: Schema.Array(Schema.NonEmptyString)
  })
  const at = DateTime.unsafeMake("2025-01-02T03:04:05.000Z")

  it.effect("5.1 encodes the value before sending", () =>
    Effect.gen(function* () {
      const request = yield* sent(ApiRequest.post("/x", { body: { at, tags: ["a"] }, bodySchema: Event }))
      expect(request.json).toEqual({ at: "2025-01-02T03:04:05.000Z", tags: ["a"] })
    })
  )

  it.effect("5.1 sends dates and secrets as text", () =>
    Effect.gen(function* () {
      const bodySchema = Schema.Struct({ at: Schema.Date, key: Schema.Redacted(Schema.String) })
      const body = { at: new Date(0), key: Redacted.make("s3cret") }
      const request = yield* sent(ApiRequest.post("/x", { body, bodySchema }))
      expect(request.json).toEqual({ at: "1970-01-01T00:00:00.000Z", key: "s3cret" })
    })
  )

  it.effect("5.1 encodes with an async schema", () =>
    Effect.gen(function* () {
      const Sealed = Schema.transformOrFail(Schema.String, Schema.String, {
        decode: (text) => Effect.succeed(text),
        encode: (text) => Effect.map(Effect.yieldNow(), () => `sealed:${text}`)
      })
      const request = yield* sent(ApiRequest.post("/x", { body: "a", bodySchema: Sealed }))
      expect(request.json).toBe("sealed:a")
    })
  )

  it.effect(
    "5.1 a value that does not fit the schema fails with the schema's message and sends nothing",
    () =>
      Effect.gen(function* () {
        const request = ApiRequest.post("/x", { body: { at, tags: [""] }, bodySchema: Event })
        const { field, message, reason } = yield* rejection(request)
        expect(field).toBe("body")
        expect(reason).toContain('["tags"]')
        expect(message).toBe(`body ${reason}`)
      })
  )
})

describe("form", () => {
  it.effect("5.2 encodes a form with the query rules", () =>
    Effect.gen(function* () {
      const form = {
        a: "x y&z",
        b: [1, null, true],
        c: { d: 0 },
        e: null,
        f: undefined,
        g: "",
        h: Redacted.make("s")
      }
      const request = yield* sent(ApiRequest.post("/x", { form }))
      expect(request.headers["content-type"]).toBe("application/x-www-form-urlencoded")
      expect(request.text).toBe("a=x%20y%26z&b%5B%5D=1&b%5B%5D=true&c%5Bd%5D=0&g=&h=s")
      expect([...new URLSearchParams(request.text)]).toEqual([
        ["a", "x y&z"],
        ["b[]", "1"],
        ["b[]", "true"],
        ["c[d]", "0"],
        ["g", ""],
        ["h", "s"]
      ])
    })
  )

  it.effect("5.2 encodes a form in the client's query format", () =>
    Effect.gen(function* () {
      const queryFormat = { arrays: "repeat", nesting: "dots" } as const
      const request = yield* sent(ApiRequest.put("/x", { form: { a: [1, 2], b: { c: 1 } } }), { queryFormat })
      expect(request.text).toBe("a=1&a=2&b.c=1")
    })
  )

  it.effect("5.2 an empty form is an empty body with a content-type", () =>
    Effect.gen(function* () {
      const request = yield* sent(ApiRequest.post("/x", { form: {} }))
      expect(request.text).toBe("")
      expect(request.headers["content-type"]).toBe("application/x-www-form-urlencoded")
    })
  )

  it.effect.each([
    [{ a: Number.NaN }, "form.a"],
    [{ a: { b: () => 1 } }, "form.a.b"],
    ["a=1", "form"]
  ] as const)("5.2 rejects the form %j", ([form, field]) =>
    Effect.gen(function* () {
      expect((yield* rejection(ApiRequest.post("/x", { form: form as never }))).field).toBe(field)
    })
  )
})

describe("text and bytes", () => {
  it.effect.each(["", "héllo\n", "{}"])("5.3 sends the text %j unchanged", (text) =>
    Effect.gen(function* () {
      const request = yield* sent(ApiRequest.post("/x", { text }))
      expect(request.text).toBe(text)
      expect(request.headers["content-type"]).toBe("text/plain; charset=utf-8")
    })
  )

  it.effect.each([new Uint8Array([0, 255, 10, 13]), new Uint8Array(0), Buffer.from("node")])(
    "5.3 sends the bytes %j unchanged",
    (bytes) =>
      Effect.gen(function* () {
        const request = yield* sent(ApiRequest.patch("/x", { bytes }))
        expect(new Uint8Array(request.body ?? [])).toEqual(new Uint8Array(bytes))
        expect(request.headers).toMatchObject({
          "content-type": "application/octet-stream",
          "content-length": String(bytes.length)
        })
      })
  )

  it.effect.each([
    [{ text: 1 }, "text"],
    [{ bytes: [1, 2] }, "bytes"],
    [{ bytes: "text" }, "bytes"],
    [{ body: {}, form: {} }, "body, form"],
    [{ text: "", bytes: new Uint8Array(0) }, "text, bytes"]
  ] as const)("5.3 rejects %j", ([options, field]) =>
    Effect.gen(function* () {
      expect((yield* rejection(ApiRequest.post("/x", options as object))).field).toBe(field)
    })
  )

  it.effect.each(["post", "put", "patch", "del"] as const)("5.1 %s sends a body", (verb) =>
    Effect.gen(function* () {
      const request = yield* sent(ApiRequest[verb]("/x", { body: [1] }))
      expect([request.method, request.json]).toEqual([verb === "del" ? "DELETE" : verb.toUpperCase(), [1]])
    })
  )
})

describe("prepare", () => {
  it.effect("4.1 gives the platform request without credentials and sends nothing", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([], {
        credentials: Credentials.bearer(Redacted.make("s"))
      })
      const request = yield* client.prepare(ApiRequest.post("/x", { body: 1, query: { a: 1 } }))
      expect(Object.getPrototypeOf(request)).toBe(Object.getPrototypeOf(HttpClientRequest.get("/")))
      expect(request).toMatchObject({ method: "POST", url: "https://api.test/v1/x?a=1" })
      expect(request.headers).not.toHaveProperty("authorization")
      expect(yield* transport.requestCount).toBe(0)
    })
  )

  it.effect("5.1 every attempt sends the same bytes", () =>
    Effect.gen(function* () {
      const script = [MockTransport.empty(503), MockTransport.empty(503), MockTransport.json(null)]
      const options = { retry: { initialDelay: 0 } }
      const requests = yield* sentFor(ApiRequest.post("/x", { body: { a: 1 } }), options, script)
      expect(requests.map(({ text }) => text)).toEqual(Array(3).fill('{"a":1}'))
    })
  )
})
