import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, type ApiError, ApiRequest, Credentials, Pagination } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Redacted, Schema, Stream } from "effect"
import { drain, drainError, items, type list, listOf, numbersUpTo, Page, paths } from "../fixtures/pages.js"
import { scripted } from "../fixtures/requests.js"

describe("later pages", () => {
  const walkWith = (
    request: typeof list,
    script: MockTransport.Script,
    options?: Partial<ApiConfig.Options>
  ) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(script, options)
      yield* drain(client.items(request))
      return yield* transport.requests
    })

  it.effect("11.3 keep path, filters, headers and method of the first request", () =>
    Effect.gen(function* () {
      const request = ApiRequest.post("/teams/{id}/search", {
        path: { id: "a/b" },
        query: { filter: { open: true }, tags: ["x", "y"], limit: 2 },
        headers: { "x-trace": "on" },
        body: { text: "milk" },
        success: Page,
        pagination: Pagination.cursor({ items })
      })
      const requests = yield* walkWith(request, numbersUpTo(4), {
        query: { version: 1 },
        headers: { "x-app": "demo" }
      })
      const filters = "version=1&filter[open]=true&tags[]=x&tags[]=y&limit=2"
      expect(requests.map(({ url }) => decodeURIComponent(url))).toEqual([
        `https://api.test/v1/teams/a/b/search?${filters}`,
        `https://api.test/v1/teams/a/b/search?${filters}&after_id=2`
      ])
      for (const { headers, json, method } of requests) {
        expect([method, json]).toEqual(["POST", { text: "milk" }])
        expect(headers).toMatchObject({ "x-trace": "on", "x-app": "demo", accept: "application/json" })
      }
    })
  )

  it.effect.each([
    { name: "the template's", template: "/list?after_id=1&limit=5", query: {}, config: {} },
    { name: "the request's", template: "/list?limit=5", query: { after_id: 1 }, config: {} },
    { name: "the client's", template: "/list?limit=5", query: {}, config: { after_id: 1 } }
  ])("11.3 the cursor takes the place of $name own", ({ config, query, template }) =>
    Effect.gen(function* () {
      const request = ApiRequest.get(template, {
        query,
        success: Page,
        pagination: Pagination.cursor({ items })
      })
      const requests = yield* walkWith(request, numbersUpTo(5), { query: config })
      const params = requests.map(({ url }) => [...new URL(url).searchParams].sort())
      expect(params).toEqual(
        [1, 3].map((cursor) => [
          ["after_id", String(cursor)],
          ["limit", "5"]
        ])
      )
    })
  )

  it.effect("11.3 a walk backwards takes the place of its own before_id", () =>
    Effect.gen(function* () {
      const page = (first: number) =>
        MockTransport.json({ data: [first], has_more: first > 1, first_id: first, last_id: 9 })
      const Backwards = Schema.Struct({ ...Page.fields, first_id: Schema.Number })
      const request = ApiRequest.get("/list", {
        query: { before_id: 3, limit: 1 },
        success: Backwards,
        pagination: Pagination.cursor({ items })
      })
      const { client, transport } = yield* scripted([page(2), page(1)])
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(client.items(request)))).toEqual([2, 1])
      expect(paths(yield* transport.requests)).toEqual([
        "/list?before_id=3&limit=1",
        "/list?before_id=2&limit=1"
      ])
    })
  )

  it.effect("11.2 pages by number and by offset go on from what was asked for", () =>
    Effect.gen(function* () {
      const script: MockTransport.Script = (_request, index) =>
        MockTransport.json({ data: index < 2 ? [1, 2] : [] })
      const byNumber = listOf({}, { query: { page: 5 }, pagination: Pagination.pageNumber({ items }) })
      expect(paths(yield* walkWith(byNumber, script))).toEqual([
        "/list?page=5",
        "/list?page=6",
        "/list?page=7"
      ])
      const byOffset = listOf({}, { pagination: Pagination.offset({ items }) })
      expect(paths(yield* walkWith(byOffset, script))).toEqual(["/list", "/list?offset=2", "/list?offset=4"])
    })
  )

  const byLink = listOf(
    {},
    {
      query: { state: "open" },
      headers: { "x-trace": "on" },
      pagination: Pagination.linkHeader({ items })
    }
  )
  const linked = (link: string): MockTransport.Script => [
    MockTransport.json({ data: [1] }, { headers: { link: `<${link}>; rel="next"` } }),
    MockTransport.json({ data: [2] })
  ]
  const secretly: Partial<ApiConfig.Options> = {
    credentials: Credentials.bearer(Redacted.make("token")),
    headers: { "x-key": Redacted.make("key"), "x-app": "demo" },
    query: { key: Redacted.make("key"), version: 1 }
  }

  it.effect("11.3 a link is taken as it stands, on the base's origin with the credentials", () =>
    Effect.gen(function* () {
      const [, second] = yield* walkWith(byLink, linked("/v1/list?state=open&cursor=a%2Fb&t={x}"), {
        credentials: Credentials.bearer(Redacted.make("token"))
      })
      expect(second?.url).toBe("https://api.test/v1/list?state=open&cursor=a%2Fb&t={x}")
      expect(second?.headers).toMatchObject({ authorization: "Bearer token", "x-trace": "on" })
    })
  )

  it.effect("2.2 a link to another origin gets no credentials", () =>
    Effect.gen(function* () {
      const [first, second] = yield* walkWith(byLink, linked("https://other.test/list?cursor=1"), secretly)
      expect(first?.headers).toMatchObject({ authorization: "Bearer token", "x-key": "key" })
      expect(new URL(second?.url ?? "").host).toBe("other.test")
      expect(JSON.stringify([second?.url, second?.headers])).not.toMatch(/token|key/)
      expect(second?.headers).toMatchObject({ "x-app": "demo", "x-trace": "on" })
    })
  )

  it.effect("2.2 a link to another origin that is trusted gets them", () =>
    Effect.gen(function* () {
      const options = { ...secretly, trustedOrigins: ["https://other.test"] }
      const [, second] = yield* walkWith(byLink, linked("https://other.test/list?cursor=1"), options)
      expect(second?.headers).toMatchObject({ authorization: "Bearer token", "x-key": "key" })
    })
  )

  it.effect.each([
    ["javascript:alert(1)", "it leaves http"],
    ["ftp://api.test/list", "it leaves http"],
    ["http://api.test/list", "it goes from https to http"],
    ["https://[", "its location does not parse"]
  ] as const)("11.3 a link that no client should follow fails behind its page: %s", ([link, reason]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(linked(link))
      const { chunks, error } = yield* drainError(client.items(byLink))
      expect(chunks).toEqual([[1]])
      expect(error).toMatchObject({
        _tag: "PaginationError",
        reason: `the next page is not asked for: ${reason}`,
        pages: 1,
        delivery: "maybe-applied"
      })
      expect((error as ApiError.ApiError).attempts).toHaveLength(1)
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("11.3 user name, password and fragment of a link are not sent", () =>
    Effect.gen(function* () {
      const [, second] = yield* walkWith(byLink, linked("https://me:hunter2@api.test/list#there"))
      expect(second?.url).toBe("https://api.test/list")
      expect(JSON.stringify(second)).not.toContain("hunter2")
    })
  )

  it.effect("11.3 a custom rule sees the query as sent, the headers and the number of each page", () =>
    Effect.gen(function* () {
      const seen: Array<Pagination.Context> = []
      const pagination = Pagination.custom({
        items,
        next: (_page: Page, context) => {
          seen.push(context)
          return context.index < 2 ? { query: { page: context.index + 2, first: null } } : undefined
        }
      })
      const request = listOf({}, { query: { first: "yes", tags: ["a b"] }, pagination })
      yield* walkWith(request, (_request, index) =>
        MockTransport.json({ data: [] }, { headers: { "x-page": String(index) } })
      )
      expect(seen.map(({ headers, index, query }) => [index, headers["x-page"], query])).toEqual([
        [0, "0", { first: "yes", "tags[]": "a b" }],
        [1, "1", { "tags[]": "a b", page: "2" }],
        [2, "2", { "tags[]": "a b", page: "3" }]
      ])
      expect(seen[1]?.url).toBe("https://api.test/v1/list?tags%5B%5D=a%20b&page=2")
    })
  )
})
