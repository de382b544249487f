import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, Pagination } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Redacted, Schema, Stream } from "effect"
import { prepared, scripted, sent } from "../fixtures/requests.js"
import { ok, playError, status } from "../fixtures/retry.js"

const Id = Schema.Struct({ id: Schema.NumberFromString })
const Filter = Schema.Struct({
  since: Schema.optional(Schema.DateFromString),
  limit: Schema.optional(Schema.NumberFromString),
  tags: Schema.optional(Schema.Array(Schema.String))
})
const since = new Date(0)

const urlOf = (request: ApiRequest.ApiRequest<unknown>) =>
  Effect.map(prepared(request), ({ url }) => url.replace("https://api.test/v1", ""))

describe("pathSchema and querySchema", () => {
  it.effect("3.3 encode the values of the type to those of the wire", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/todos/{id}", {
        path: { id: 7 },
        pathSchema: Id,
        query: { since, limit: 5, tags: ["a", "b"] },
        querySchema: Filter
      })
      expect(yield* urlOf(request)).toBe(
        "/todos/7?since=1970-01-01T00%3A00%3A00.000Z&limit=5&tags[]=a&tags[]=b".replaceAll("[]", "%5B%5D")
      )
    })
  )

  it.effect("3.3 encode asynchronously as well", () =>
    Effect.gen(function* () {
      const Slow = Schema.Struct({
        id: Schema.transformOrFail(Schema.String, Schema.Number, {
          strict: true,
          decode: (text) => Effect.as(Effect.yieldNow(), Number(text)),
          encode: (id) => Effect.as(Effect.yieldNow(), `n${id}`)
        })
      })
      const request = ApiRequest.get("/todos/{id}", {
        path: { id: 7 },
        pathSchema: Slow,
        query: { id: 8 },
        querySchema: Slow
      })
      expect(yield* urlOf(request)).toBe("/todos/n7?id=n8")
    })
  )

  it.effect("3.3 leave a request without values, and one for a complete URL, as they are", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get(
        "/todos{/id}" as string,
        { pathSchema: Id, querySchema: Filter } as object
      )
      expect(yield* urlOf(request)).toBe("/todos")
      const linked = ApiRequest.atUrl(
        ApiRequest.get("/todos/{id}", { path: { id: 7 }, pathSchema: Id }),
        "https://api.test/v1/x?y=1"
      )
      expect(yield* urlOf(linked)).toBe("/x?y=1")
    })
  )

  const broken = (encode: () => Effect.Effect<string>) =>
    Schema.Struct({
      id: Schema.transformOrFail(Schema.String, Schema.Number, {
        strict: true,
        decode: (text) => Effect.succeed(Number(text)),
        encode
      })
    })
  const thrown = new Error("the schema broke")
  const schemas = [
    [
      "throws",
      broken(() => {
        throw thrown
      })
    ],
    ["dies", broken(() => Effect.die(thrown))],
    ["dies later", broken(() => Effect.zipRight(Effect.yieldNow(), Effect.die(thrown)))]
  ] as const

  it.effect.each(
    schemas.flatMap(([how, schema]) => [
      [how, "path", ApiRequest.get("/todos/{id}", { path: { id: 7 }, pathSchema: schema })] as const,
      [how, "query", ApiRequest.get("/todos", { query: { id: 7 }, querySchema: schema })] as const,
      [how, "body", ApiRequest.post("/todos", { body: { id: 7 }, bodySchema: schema })] as const
    ])
  )("3.3, 5.1 a schema that %s for the %s is an InvalidRequestError", ([, field, request]) =>
    Effect.gen(function* () {
      const { error, requests } = yield* playError([ok], {}, request, 0)
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field, delivery: "not-sent" })
      expect(error.cause).toBe(thrown)
      expect(requests).toEqual([])
    })
  )

  const untyped = (options: object) => ApiRequest.get("/todos/{id}" as string, options)

  it.effect.each([
    [untyped({ path: { id: "x" }, pathSchema: Id }), "path.id", "number"],
    [
      untyped({
        path: { id: 7 },
        pathSchema: Schema.Struct({ id: Schema.String.pipe(Schema.minLength(9)) })
      }),
      "path.id",
      "tring"
    ],
    [untyped({ path: { id: 7 }, query: { limit: "x" }, querySchema: Filter }), "query.limit", "number"],
    [untyped({ path: { id: 7 }, query: { tags: ["a", 1] }, querySchema: Filter }), "query.tags.1", "string"],
    [untyped({ path: { id: 7 }, query: "x", querySchema: Schema.String }), "query", "plain object"],
    [untyped({ path: { id: 7 }, querySchema: "x" }), "querySchema", "schema"],
    [untyped({ path: { id: 7 }, pathSchema: 7 }), "pathSchema", "schema"]
  ] as const)("3.3 a value that does not fit is named, and nothing is sent: %#", ([request, field, reason]) =>
    Effect.gen(function* () {
      const { error, requests } = yield* playError([ok], {}, request, 0)
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field, delivery: "not-sent" })
      expect(error.message).toContain(reason)
      expect(requests).toEqual([])
    })
  )

  it.effect("12.4 hide what a schema makes Redacted, in the error and in the URL", () =>
    Effect.gen(function* () {
      const Secret = Schema.Struct({ id: Schema.Redacted(Schema.String) })
      const request = ApiRequest.get("/todos/{id}", {
        path: { id: Redacted.make("hunter2/path") },
        pathSchema: Secret,
        query: { id: Redacted.make("hunter2 query") },
        querySchema: Secret
      })
      expect((yield* sent(request)).url).toContain("hunter2%2Fpath?id=hunter2%20query")
      const { error } = yield* playError([status(404)], {}, request, 0)
      expect(JSON.stringify(error) + String(error)).not.toContain("hunter2")
      const bad = untyped({ path: { id: Redacted.make(["hunter2"]) }, pathSchema: Secret })
      const refused = (yield* playError([ok], {}, bad, 0)).error
      expect(JSON.stringify(refused) + String(refused)).not.toContain("hunter2")
    })
  )

  it.effect("3.3 the next page has its parameters beside those of the schema", () =>
    Effect.gen(function* () {
      const Page = Schema.Struct({ data: Schema.Array(Schema.Number), next: Schema.optional(Schema.String) })
      const { client, transport } = yield* scripted([
        MockTransport.json({ data: [1], next: "c" }),
        MockTransport.json({ data: [2] })
      ])
      const request = ApiRequest.get("/todos", {
        query: { limit: 5 },
        querySchema: Filter,
        success: Page
      }).pipe(
        ApiRequest.paginate(
          Pagination.pageToken({ items: (page) => page.data, param: "after", token: (page) => page.next })
        )
      )
      expect([...(yield* Stream.runCollect(client.items(request)))]).toEqual([1, 2])
      const urls = (yield* transport.requests).map(({ url }) => new URL(url).search)
      expect(urls).toEqual(["?limit=5", "?limit=5&after=c"])
    })
  )
})
