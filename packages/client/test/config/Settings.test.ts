import { describe, expect, it } from "@effect/vitest"
import {
  ApiConfig,
  ApiRequest,
  Credentials,
  EventStream,
  Pagination,
  PlatformHeaders,
  PromiseClient,
  ResponseDecoder,
  RetryPolicy
} from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { Effect, Schema } from "effect"
import { resolveConfig } from "../../src/config/resolveConfig.js"
import { untyped } from "../fixtures/bodies.js"
import { baseUrl, scripted } from "../fixtures/requests.js"
import { errorOf } from "../fixtures/results.js"

const rejected = (options: object) => errorOf(resolveConfig({ baseUrl, ...options }))

describe("an unknown setting", () => {
  const rows: ReadonlyArray<readonly [options: object, key: string, nearest: string]> = [
    [{ baseURL: "https://a.test" }, "baseURL", "baseUrl"],
    [{ base_url: "https://a.test" }, "base_url", "baseUrl"],
    [{ url: "https://a.test" }, "url", "baseUrl"],
    [{ timeout: 1000 }, "timeout", "timeouts"],
    [{ maxRetries: 1 }, "maxRetries", "retry.maxRetries"],
    [{ max_retries: 1 }, "max_retries", "retry.maxRetries"],
    [{ apiKey: "hunter2" }, "apiKey", "credentials"],
    [{ bearerToken: "hunter2" }, "bearerToken", "credentials"],
    [{ interceptors: [] }, "interceptors", "middleware"],
    [{ header: {} }, "header", "headers"],
    [{ middlewares: [] }, "middlewares", "middleware"],
    [{ trustedOrigin: [] }, "trustedOrigin", "trustedOrigins"],
    [{ params: {} }, "params", "query"],
    [{ toString: 1 }, "toString", ""],
    [{ timeouts: { conect: 1 } }, "timeouts.conect", "connect"],
    [{ timeouts: { Total: 1 } }, "timeouts.Total", "total"],
    [{ retry: { maxretries: 1 } }, "retry.maxretries", "maxRetries"],
    [{ retry: { maxRetry: 1 } }, "retry.maxRetry", "maxRetries"],
    [{ retry: RetryPolicy.make(untyped({ retries: 1 })) }, "retry.retries", "maxRetries"],
    [{ retry: { budget: { cost: 1 } } }, "retry.budget.cost", "retryCost"],
    [{ limits: { responseByte: 1 } }, "limits.responseByte", "responseBytes"],
    [{ redact: { header: [] } }, "redact.header", "headers"],
    [{ idempotency: { name: "x" } }, "idempotency.name", "header"],
    [{ queryFormat: { array: "comma" } }, "queryFormat.array", "arrays"]
  ]

  it.each(rows)("1.5 %j is rejected with the key %s and the suggestion %s", (options, key, nearest) => {
    const error = rejected(options)
    expect(error).toMatchObject({ _tag: "InvalidConfigError", key })
    expect(error.reason).toContain(`is unknown: the nearest is ${nearest}`)
    expect(error.message).not.toContain("hunter2")
  })

  it.effect.each(rows)("1.5 withOptions rejects %j", ([options, field]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([])
      const error = yield* Effect.flip(client.withOptions(options).get("/x"))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field, delivery: "not-sent" })
      expect(yield* transport.requestCount).toBe(0)
    })
  )

  it("1.5 PromiseClient.make throws, and suggests `transport` for its own setting", () => {
    expect(() => PromiseClient.make(untyped({ baseUrl, transports: 1 }))).toThrow(
      "transports is unknown: the nearest is transport"
    )
    expect(() => PromiseClient.make(untyped({ baseUrl, fetch }))).toThrow("the nearest is transport")
  })
})

describe("the second argument of a promise call", () => {
  it("1.5 accepts only `signal`: request options there fail and send nothing", async () => {
    const client = PromiseClient.make({ baseUrl: "http://127.0.0.1:1" })
    const request = ApiRequest.get("/x", { events: EventStream.make({ event: Schema.Number }) })
    const options = untyped({ timeouts: { total: 5 }, signal: new AbortController().signal })
    const first = async (values: AsyncIterable<unknown>) => {
      for await (const value of values) return value
      return undefined
    }
    const refusal = { _tag: "InvalidRequestError", field: "timeouts", delivery: "not-sent" }
    await expect(client.execute(ApiRequest.get("/x"), options)).rejects.toMatchObject(refusal)
    await expect(client.executeWithResponse(ApiRequest.get("/x"), options)).rejects.toMatchObject(refusal)
    await expect(first(client.stream(request, options))).rejects.toMatchObject(refusal)
    await client.close()
  })
})

describe("an invalid schema in a stream contract", () => {
  it.each([
    ["no schema", () => EventStream.make(untyped({}))],
    ["an empty record", () => EventStream.make({ event: {} })],
    [
      "a record with an invalid member",
      () => EventStream.make(untyped({ event: { delta: Schema.Number, stop: 1 } }))
    ],
    ["options in place of the schema", () => EventStream.jsonLines(untyped({ schema: Schema.Number }))],
    ["no schema for lines", () => EventStream.jsonLines(untyped(undefined))]
  ])("1.5 the constructor throws: %s", (_, make) => {
    expect(make).toThrow(ApiConfig.InvalidConfigError)
    expect(make).toThrow("events.event must be a schema")
  })
})

describe("the events to ignore", () => {
  it.each(["ping", 1, true, null, {}, [1], ["ping", undefined]])(
    "1.5 the constructor throws: %j",
    (ignore) => {
      const make = () => EventStream.make({ event: Schema.Number, ignore: untyped(ignore) })
      expect(make).toThrow(ApiConfig.InvalidConfigError)
      expect(make).toThrow("events.ignore must be a list of names, or a function")
    }
  )
})

describe("an unknown option of a constructor", () => {
  const event = Schema.Number
  const items = () => []
  it.each<readonly [make: () => unknown, key: string, nearest: string]>([
    [() => EventStream.make(untyped({ event, terminals: "x" })), "events.terminals", "terminal"],
    [() => EventStream.make(untyped({ event, timeout: 1 })), "events.timeout", "idleTimeout"],
    [() => EventStream.jsonLines(event, untyped({ ignore: [] })), "events.ignore", "error"],
    [() => Pagination.cursor(untyped({ items, hasmore: 1 })), "pagination.hasmore", "hasMore"],
    [() => Pagination.pageToken(untyped({ items, params: 1 })), "pagination.params", "param"],
    [() => Pagination.pageNumber(untyped({ items, total: 1 })), "pagination.total", "totalPages"],
    [() => Pagination.offset(untyped({ items, totals: 1 })), "pagination.totals", "total"],
    [() => Pagination.linkHeader(untyped({ item: items })), "pagination.item", "items"],
    [() => Pagination.custom(untyped({ items, nextPage: 1 })), "pagination.nextPage", "next"],
    [
      () => Credentials.cached(untyped({ fetch: Effect.never, refreshahead: 1 })),
      "credentials.refreshahead",
      "refreshAhead"
    ],
    [() => PlatformHeaders.make(untyped({ prefix: "x", version: "1" })), "platformHeaders.version", ""],
    [() => ResponseDecoder.stream(untyped({ onProgress: 1 })), "success.onProgress", "onDownload"]
  ])("1.5 %o throws an error with the key %s and the suggestion %s", (make, key, nearest) => {
    try {
      make()
    } catch (error) {
      expect(error).toBeInstanceOf(ApiConfig.InvalidConfigError)
      expect(error).toMatchObject({ key, reason: expect.stringContaining(`the nearest is ${nearest}`) })
      return
    }
    expect.unreachable("it must throw")
  })

  it.effect.each([
    [{ connection: 5 }, "connection", "connections"],
    [{ tls: { rejectUnauthorized: false } }, "tls.rejectUnauthorized", ""],
    [{ proxy: { uri: "http://127.0.0.1" } }, "proxy.uri", "url"],
    [{ proxy: { url: "https://127.0.0.1", tls: { verfy: false } } }, "proxy.tls.verfy", "verify"],
    [{ timeouts: { conect: 1 } }, "timeouts.conect", "connect"],
    [{ timeouts: 5 }, "timeouts", ""]
  ] as const)("1.5 NodeTransport.make fails for %j", ([options, key, nearest]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(NodeTransport.make(untyped(options))))
      expect(error).toMatchObject({
        _tag: "InvalidConfigError",
        key,
        reason: expect.stringContaining(nearest)
      })
    })
  )
})

describe("a setting of the wrong type", () => {
  it.each<readonly [options: object, key: string]>([
    [{ baseUrl: 5 }, "baseUrl"],
    [{ baseUrl: null }, "baseUrl"],
    [{ credentials: "hunter2" }, "credentials"],
    [{ headers: "x-a: 1" }, "headers"],
    [{ headers: ["x-a", "1"] }, "headers"],
    [{ headers: new Date(0) }, "headers"],
    [{ headers: Promise.resolve({}) }, "headers"],
    [{ headers: () => ({}) }, "headers"],
    [{ headers: [["x-a", "1"]].values() }, "headers"],
    [{ headers: { "x-a": [["1"]] } }, "headers.x-a"],
    [{ headers: new Map([["x-a", {}]]) }, "headers.x-a"],
    [{ query: "a=1" }, "query"],
    [{ query: new Map([["a", 1]]) }, "query"],
    [{ query: () => ({}) }, "query"],
    [{ queryFormat: "comma" }, "queryFormat"],
    [{ timeouts: 5000 }, "timeouts"],
    [{ timeouts: { total: true } }, "timeouts.total"],
    [{ retry: 3 }, "retry"],
    [{ retry: false }, "retry"],
    [{ retry: { maxRetries: "3" } }, "retry.maxRetries"],
    [{ retry: { jitter: "0.5" } }, "retry.jitter"],
    [{ retry: { budget: true } }, "retry.budget"],
    [{ retry: { budget: { capacity: "5" } } }, "retry.budget.capacity"],
    [{ middleware: () => undefined }, "middleware"],
    [{ middleware: ["x"] }, "middleware.0"],
    [{ trustedOrigins: "https://a.test" }, "trustedOrigins"],
    [{ trustedOrigins: [new URL("https://a.test")] }, "trustedOrigins.0"],
    [{ redirects: "5" }, "redirects"],
    [{ redirects: null }, "redirects"],
    [{ validation: true }, "validation"],
    [{ limits: 5 }, "limits"],
    [{ limits: { errorBytes: "5" } }, "limits.errorBytes"],
    [{ idempotency: "idempotency-key" }, "idempotency"],
    [{ idempotency: {} }, "idempotency.header"],
    [{ userAgent: 5 }, "userAgent"],
    [{ platformHeaders: true }, "platformHeaders"],
    [{ requestIdHeaders: "request-id" }, "requestIdHeaders"],
    [{ errorType: "type" }, "errorType"],
    [{ redact: ["x-a"] }, "redact"],
    [{ redact: { headers: "x-a" } }, "redact.headers"],
    [{ logBodies: "yes" }, "logBodies"]
  ])("1.5 %o is rejected with the key %s", (options, key) => {
    const error = rejected(options)
    expect(error).toMatchObject({ key, reason: expect.stringMatching(/^must |^is |^needs /) })
    expect(error.message).not.toContain("hunter2")
  })
})

describe("a policy that a program has copied and changed", () => {
  const policy = RetryPolicy.make()
  const schedule = RetryPolicy.schedule(policy)
  const rows: ReadonlyArray<readonly [changed: object, field: string]> = [
    [{ ...policy, maxRetries: -1 }, "maxRetries"],
    [{ ...policy, maxRetries: "2" }, "maxRetries"],
    [{ ...policy, maxRetries: undefined }, "maxRetries"],
    [{ ...policy, initialMillis: Number.NaN }, "initialMillis"],
    [{ ...policy, initialMillis: "1 second" }, "initialMillis"],
    [{ ...policy, maxMillis: -1 }, "maxMillis"],
    [{ ...policy, maxRetryAfterMillis: null }, "maxRetryAfterMillis"],
    [{ ...policy, jitter: 2 }, "jitter"],
    [{ ...policy, onLongRetryAfter: "wait" }, "onLongRetryAfter"],
    [{ ...policy, retryUnsafe: true }, "retryUnsafe"],
    [{ ...policy, nested: "twice" }, "nested"],
    [{ ...policy, retryable: [503] }, "retryable"],
    [{ ...policy, retryAfter: "1 second" }, "retryAfter"],
    [{ ...policy, budget: true }, "budget"],
    [{ ...policy, budget: undefined }, "budget"],
    [{ ...policy, budget: { capacity: 5 } }, "budget.retryCost"],
    [{ ...policy, budget: { ...Object(policy.budget), capacity: -5 } }, "budget.capacity"],
    [{ ...policy, initialDelay: "1 second" }, "initialDelay"],
    [{ policy: { ...policy, maxRetries: -1 }, schedule }, "maxRetries"],
    [{ policy, schedule: 5 }, "schedule"]
  ]

  it.each(rows)("1.5 %o is rejected with the key retry.%s", (retry, field) => {
    expect(rejected({ retry })).toMatchObject({ key: `retry.${field}` })
  })

  it.effect.each(rows)("1.5, 5.1 a request with %o is rejected with the field retry.%s", ([retry, field]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([])
      const error = yield* Effect.flip(client.execute(ApiRequest.get("/x", untyped({ retry }))))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: `retry.${field}` })
      expect(yield* transport.requestCount).toBe(0)
    })
  )

  it.effect.each(rows)(
    "1.5, 5.1 withOptions with %o fails every call with the field retry.%s",
    ([retry, field]) =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted([])
        const other = client.withOptions(untyped({ retry }))
        const error = yield* Effect.flip(other.execute(ApiRequest.get("/x")))
        expect(error).toMatchObject({ _tag: "InvalidRequestError", field: `retry.${field}` })
        expect(yield* transport.requestCount).toBe(0)
      })
  )

  it("1.5 one with fields within their ranges is taken", () => {
    const changed = { ...policy, maxRetries: Number.POSITIVE_INFINITY, initialMillis: 0, budget: false }
    expect(resolveConfig({ baseUrl, retry: untyped(changed) })).toMatchObject({ ok: true })
  })
})

describe("an unknown or mistyped option of a request", () => {
  const rows: ReadonlyArray<readonly [options: object, field: string, reason: string]> = [
    [{ params: { a: 1 } }, "params", "the nearest is query"],
    [{ json: { a: 1 } }, "json", "the nearest is body"],
    [{ data: { a: 1 } }, "data", "the nearest is body"],
    [{ timeout: 1000 }, "timeout", "the nearest is timeouts"],
    [{ maxRetries: 1 }, "maxRetries", "the nearest is retry.maxRetries"],
    [{ signal: AbortSignal.timeout(1000) }, "signal", "execute(request, { signal })"],
    [{ header: {} }, "header", "the nearest is headers"],
    [{ sucess: Schema.Number }, "sucess", "the nearest is success"],
    [{ timeouts: { conect: 1 } }, "timeouts.conect", "the nearest is connect"],
    [{ path: "x" }, "path", "an object"],
    [{ path: Promise.resolve({}) }, "path", "an object"],
    [{ timeouts: 1000 }, "timeouts", "an object of connect"],
    [{ timeouts: null }, "timeouts", "an object of connect"],
    [{ retry: 3 }, "retry", "a Schedule"],
    [{ retry: null }, "retry", "a Schedule"],
    [{ retry: { maxretries: 1 } }, "retry.maxretries", "maxRetries"],
    [{ retry: { maxRetry: 1 } }, "retry.maxRetry", "maxRetries"],
    [{ middleware: null }, "middleware", "a list"],
    [{ middleware: [1] }, "middleware.0", "a function"],
    [{ idempotencyKey: 5 }, "idempotencyKey", "a string"],
    [{ onUpload: true }, "onUpload", "a function"],
    [{ success: "json" }, "success", "a schema"],
    [{ success: null }, "success", "a schema"],
    [{ failure: Schema.Number }, "failure", "an object of schemas"],
    [{ failure: { "6xx": Schema.Number } }, "failure.6xx", "a status"],
    [{ failure: { 404: "missing" } }, "failure.404", "a schema"],
    [{ events: {} }, "events", "EventStream"],
    [{ pagination: "cursor" }, "pagination", "Pagination"],
    [{ bodySchema: {} }, "bodySchema", "effect/Schema"],
    [{ headers: null }, "headers", "a Headers"],
    [{ headers: new Date(0) }, "headers", "a Headers"],
    [{ headers: true }, "headers", "a Headers"],
    [{ query: null }, "query", "plain object"],
    [{ query: new URLSearchParams("a=1") }, "query", "plain object"],
    [{ query: Promise.resolve({}) }, "query", "plain object"],
    [{ form: new URLSearchParams("a=1") }, "form", "plain object"],
    [{ form: new FormData() }, "form", "plain object"],
    [{ form: null }, "form", "plain object"],
    [{ form: { a: Promise.resolve(1) } }, "form.a", "must be"],
    [{ multipart: new FormData() }, "multipart", "plain object"],
    [{ multipart: null }, "multipart", "plain object"],
    [{ multipart: { a: Promise.resolve(1) } }, "multipart.a", "must be"],
    [{ text: 5 }, "text", "a string"],
    [{ bytes: "x" }, "bytes", "a Uint8Array or an ArrayBuffer"],
    [{ bytes: new Blob(["x"]) }, "bytes", "a Uint8Array or an ArrayBuffer"],
    [{ bodyStream: "x" }, "bodyStream", "a stream of bytes"],
    [{ bodyStream: [1] }, "bodyStream", "a stream of bytes"]
  ]

  it.effect.each(rows)("1.5, 5.1 %o is rejected with the field %s: %s", ([options, field, reason]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([])
      const request = yield* Effect.try(() => ApiRequest.post("/x", untyped(options)))
      const error = yield* Effect.flip(client.execute(request as ApiRequest.ApiRequest<unknown>))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field, delivery: "not-sent" })
      expect(error.message).toContain(reason)
      expect(yield* transport.requestCount).toBe(0)
    })
  )

  const hostile = {
    get a(): string {
      throw new Error("hunter2")
    }
  }

  it.effect("5.1 an unreadable option fails the call and does not throw", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([])
      for (const field of ["query", "headers", "body", "form", "multipart"]) {
        for (const value of [hostile, new Proxy({}, { ownKeys: () => Effect.runSync(Effect.die("no")) })]) {
          const error = yield* Effect.flip(client.post("/x", untyped({ [field]: value })))
          expect(error).toMatchObject({ _tag: "InvalidRequestError", delivery: "not-sent" })
          expect(JSON.stringify(error)).not.toContain("hunter2")
        }
      }
      const unreadable = new Proxy({}, { ownKeys: () => Effect.runSync(Effect.die("no")) })
      for (const option of ["timeouts", "retry", "failure"]) {
        const error = yield* Effect.flip(client.get("/x", untyped({ [option]: unreadable })))
        expect(error).toMatchObject({ _tag: "InvalidRequestError", field: option, delivery: "not-sent" })
      }
      const path = yield* Effect.flip(client.get("/x/{a}", { path: hostile }))
      expect(path).toMatchObject({ _tag: "InvalidRequestError", field: "path" })
    })
  )

  it.effect("5.3 bytes accepts an ArrayBuffer", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([])
      const { body } = yield* client.prepare(ApiRequest.post("/x", { bytes: new Uint8Array([1, 2]).buffer }))
      expect(body).toMatchObject({ _tag: "Uint8Array", body: new Uint8Array([1, 2]) })
    })
  )
})
