import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, type ApiError, ApiRequest, Credentials, Pagination } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Redacted, Schema, Stream } from "effect"
import { drain, drainError, items, type list, listOf, numbersUpTo, Page, paths } from "../fixtures/pages.js"
import { scripted } from "../fixtures/requests.js"

describe("requests for later pages", () => {
  const requestsOf = (
    request: typeof list,
    script: MockTransport.Script,
    options?: Partial<ApiConfig.Options>
  ) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(script, options)
      yield* drain(client.items(request))
      return yield* transport.requests
    })

  it.effect("11.3 keep the path, query, headers, method and body of the first request", () =>
    Effect.gen(function* () {
      const request = ApiRequest.post("/teams/{id}/search", {
        path: { id: "a/b" },
        query: { filter: { open: true }, tags: ["x", "y"], limit: 2 },
        headers: { "x-trace": "on" },
        body: { text: "milk" },
        success: Page,
        pagination: Pagination.cursor({ items })
      })
      const requests = yield* requestsOf(request, numbersUpTo(4), {
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
    { name: "template", template: "/list?after_id=1&limit=5", query: {}, config: {} },
    { name: "request", template: "/list?limit=5", query: { after_id: 1 }, config: {} },
    { name: "client", template: "/list?limit=5", query: {}, config: { after_id: 1 } }
  ])("11.3 the cursor replaces that of the $name", ({ config, query, template }) =>
    Effect.gen(function* () {
      const request = ApiRequest.get(template, {
        query,
        success: Page,
        pagination: Pagination.cursor({ items })
      })
      const requests = yield* requestsOf(request, numbersUpTo(5), { query: config })
      const params = requests.map(({ url }) => [...new URL(url).searchParams].sort())
      expect(params).toEqual(
        [1, 3].map((cursor) => [
          ["after_id", String(cursor)],
          ["limit", "5"]
        ])
      )
    })
  )

  it.effect("11.3 a backwards request replaces its own before_id", () =>
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

  it.effect("11.2 page numbers and offsets continue from the requested ones", () =>
    Effect.gen(function* () {
      const script: MockTransport.Script = (_request, index) =>
        MockTransport.json({ data: index < 2 ? [1, 2] : [] })
      const byNumber = listOf({}, { query: { page: 5 }, pagination: Pagination.pageNumber({ items }) })
      expect(paths(yield* requestsOf(byNumber, script))).toEqual([
        "/list?page=5",
        "/list?page=6",
        "/list?page=7"
      ])
      const byOffset = listOf({}, { pagination: Pagination.offset({ items }) })
      expect(paths(yield* requestsOf(byOffset, script))).toEqual([
        "/list",
        "/list?offset=2",
        "/list?offset=4"
      ])
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
  const withNextLink = (link: string): MockTransport.Script => [
    MockTransport.json({ data: [1] }, { headers: { link: `<${link}>; rel="next"` } }),
    MockTransport.json({ data: [2] })
  ]
  const withSecrets: Partial<ApiConfig.Options> = {
    credentials: Credentials.bearer(Redacted.make("token")),
    headers: { "x-key": Redacted.make("key"), "x-app": "demo" },
    query: { key: Redacted.make("key"), version: 1 }
  }

  it.effect("11.3 a next link is followed exactly as given, with credentials on the base URL's origin", () =>
    Effect.gen(function* () {
      const [, second] = yield* requestsOf(byLink, withNextLink("/v1/list?state=open&cursor=a%2Fb&t={x}"), {
        credentials: Credentials.bearer(Redacted.make("token"))
      })
      expect(second?.url).toBe("https://api.test/v1/list?state=open&cursor=a%2Fb&t={x}")
      expect(second?.headers).toMatchObject({ authorization: "Bearer token", "x-trace": "on" })
    })
  )

  it.effect("2.2 a next link to another origin gets no credentials", () =>
    Effect.gen(function* () {
      const [first, second] = yield* requestsOf(
        byLink,
        withNextLink("https://other.test/list?cursor=1"),
        withSecrets
      )
      expect(first?.headers).toMatchObject({ authorization: "Bearer token", "x-key": "key" })
      expect(new URL(second?.url ?? "").host).toBe("other.test")
      expect(JSON.stringify([second?.url, second?.headers])).not.toMatch(/token|key/)
      expect(second?.headers).toMatchObject({ "x-app": "demo", "x-trace": "on" })
    })
  )

  it.effect("2.2 a next link to a trusted origin gets the credentials", () =>
    Effect.gen(function* () {
      const options = { ...withSecrets, trustedOrigins: ["https://other.test"] }
      const [, second] = yield* requestsOf(byLink, withNextLink("https://other.test/list?cursor=1"), options)
      expect(second?.headers).toMatchObject({ authorization: "Bearer token", "x-key": "key" })
    })
  )

  it.effect.each([
    ["javascript:alert(1)", "it leaves http"],
    ["ftp://api.test/list", "it leaves http"],
    ["http://api.test/list", "it goes from https to http"],
    ["https://[", "its location does not parse"]
  ] as const)("11.3 an unsafe next link fails after its page's items: %s", ([link, reason]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(withNextLink(link))
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

  it.effect("11.3 drops the user name, password and fragment of a next link", () =>
    Effect.gen(function* () {
      const [, second] = yield* requestsOf(byLink, withNextLink("https://me:hunter2@api.test/list#there"))
      expect(second?.url).toBe("https://api.test/list")
      expect(JSON.stringify(second)).not.toContain("hunter2")
    })
  )

  it.effect("11.3 a custom rule gets the sent query, the headers and the index of each page", () =>
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
      yield* requestsOf(request, (_request, index) =>
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
