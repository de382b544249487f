import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, Pagination, PromiseClient, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Exit, Redacted, Schema, Stream } from "effect"
import { drain, drainError } from "../fixtures/pages.js"
import { scripted } from "../fixtures/requests.js"

const Page = Schema.Struct({
  results: Schema.Array(Schema.Number),
  next_cursor: Schema.NullOr(Schema.String)
})
type Page = typeof Page.Type
const items = (page: Page) => page.results

/** A list of three pages. `read` finds the cursor in a request. */
const threePages =
  (read: (request: MockTransport.MockRequest) => string | undefined): MockTransport.Script =>
  (request) => {
    const at = Number(read(request) ?? 1)
    return MockTransport.json({ results: [at], next_cursor: at < 3 ? String(at + 1) : null })
  }

const next =
  (make: (cursor: string) => Pagination.Next) =>
  ({ next_cursor }: Page) =>
    next_cursor === null ? undefined : make(next_cursor)

const texts = (requests: ReadonlyArray<MockTransport.MockRequest>) => requests.map(({ text }) => text)

describe("a cursor in the body", () => {
  it.effect("11.2 the next body replaces the last one", () =>
    Effect.gen(function* () {
      const request = ApiRequest.post("/search", {
        body: { text: "milk" },
        query: { limit: 1 },
        success: Page
      }).pipe(
        ApiRequest.paginate(
          Pagination.custom({
            items: (page) => page.results,
            next: next((cursor) => ({ body: { text: "milk", start_cursor: cursor } }))
          })
        )
      )
      const { client, transport } = yield* scripted(threePages(({ json }) => (json as Fields).start_cursor))
      const values = yield* Stream.runCollect(client.items(request))
      expect(Chunk.toReadonlyArray(values)).toEqual([1, 2, 3])
      const requests = yield* transport.requests
      expect(texts(requests)).toEqual([
        '{"text":"milk"}',
        '{"text":"milk","start_cursor":"2"}',
        '{"text":"milk","start_cursor":"3"}'
      ])
      expect(new Set(requests.map(({ method, url }) => `${method} ${url}`))).toEqual(
        new Set(["POST https://api.test/v1/search?limit=1"])
      )
    })
  )

  it.effect("11.2 the next body can be built from the last one", () =>
    Effect.gen(function* () {
      const pagination = Pagination.custom({
        items,
        next: ({ next_cursor }: Page, { body }) =>
          next_cursor === null ? undefined : { body: { ...(body as object), at: next_cursor } }
      })
      const request = ApiRequest.post("/search", { body: { text: "milk" }, success: Page, pagination })
      const { client, transport } = yield* scripted(threePages(({ json }) => (json as Fields).at))
      yield* drain(client.items(request))
      expect(texts(yield* transport.requests)).toEqual([
        '{"text":"milk"}',
        '{"text":"milk","at":"2"}',
        '{"text":"milk","at":"3"}'
      ])
    })
  )

  it.effect("11.2 the next body is encoded with the request's schema", () =>
    Effect.gen(function* () {
      const Search = Schema.Struct({
        since: Schema.Date,
        at: Schema.optional(Schema.NumberFromString)
      })
      const since = new Date(0)
      const request = ApiRequest.post("/search", {
        body: { since },
        bodySchema: Search,
        success: Page,
        pagination: Pagination.custom({ items, next: next((at) => ({ body: { since, at: Number(at) } })) })
      })
      const { client, transport } = yield* scripted(threePages(({ json }) => (json as Fields).at))
      yield* drain(client.items(request))
      expect((yield* transport.requests)[2]?.json).toEqual({ since: "1970-01-01T00:00:00.000Z", at: "3" })
    })
  )

  it.effect.each([
    ["form", { form: { a: 1 } }, (at: string) => ({ a: 1, at }), "a=1&at=3"],
    ["text", { text: "q" }, (at: string) => `q at ${at}`, "q at 3"],
    ["bytes", { bytes: new Uint8Array([65]) }, (at: string) => new TextEncoder().encode(at), "3"],
    [
      "bodyStream",
      { bodyStream: () => Stream.make(new Uint8Array([49])) },
      (at: string) => Stream.make(new TextEncoder().encode(at)),
      "3"
    ],
    ["none", {}, (at: string) => ({ at }), '{"at":"3"}']
  ] as const)("11.2 the next body has the kind of the request's own: %s", ([_kind, own, make, last]) =>
    Effect.gen(function* () {
      const request = ApiRequest.post("/search", {
        ...(own as object),
        success: Page,
        pagination: Pagination.custom({ items, next: next((at) => ({ body: make(at) })) })
      })
      const { client, transport } = yield* scripted((_request, index) =>
        MockTransport.json({ results: [index], next_cursor: index < 2 ? String(index + 2) : null })
      )
      const { exit } = yield* drain(client.items(request))
      expect(exit).toEqual(Exit.void)
      const requests = yield* transport.requests
      expect(requests).toHaveLength(3)
      expect(requests[2]?.text).toBe(last)
    })
  )

  it.effect("11.2 the next body can come with a query and a URL", () =>
    Effect.gen(function* () {
      const request = ApiRequest.post("/search", {
        body: 0,
        query: { limit: 1 },
        success: Page,
        pagination: Pagination.custom({
          items,
          next: (page: Page, { index }) =>
            page.next_cursor === null
              ? undefined
              : { body: index + 1, query: { page: index + 2 }, ...(index === 1 ? { url: "/v2/find" } : {}) }
        })
      })
      const { client, transport } = yield* scripted((_request, index) =>
        MockTransport.json({ results: [index], next_cursor: index < 2 ? "more" : null })
      )
      yield* drain(client.items(request))
      expect((yield* transport.requests).map(({ text, url }) => [url, text])).toEqual([
        ["https://api.test/v1/search?limit=1", "0"],
        ["https://api.test/v1/search?limit=1&page=2", "1"],
        ["https://api.test/v2/find?page=3", "2"]
      ])
    })
  )

  it.effect("11.2 a repeated body is a PaginationError", () =>
    Effect.gen(function* () {
      const cursors = ["a", "b", "a"]
      const request = ApiRequest.post("/search", {
        body: {},
        success: Page,
        pagination: Pagination.custom({ items, next: next((at) => ({ body: { at } })) })
      })
      const { client, transport } = yield* scripted((_request, index) =>
        MockTransport.json({ results: [index], next_cursor: cursors[index] ?? null })
      )
      const { chunks, error } = yield* drainError(client.items(request))
      expect(chunks).toEqual([[0], [1], [2]])
      expect(error).toMatchObject({ _tag: "PaginationError", reason: "the same cursor came twice", pages: 3 })
      expect(yield* transport.requestCount).toBe(3)
    })
  )

  it.effect("11.2 a repeated multipart form is a PaginationError, whatever its boundary", () =>
    Effect.gen(function* () {
      const pagination = Pagination.custom({ items, next: next(() => ({ query: { limit: 1 } })) })
      const request = ApiRequest.post("/search", { multipart: { a: "1" }, success: Page, pagination })
      const more = MockTransport.json({ results: [1], next_cursor: "more" })
      const { client, transport } = yield* scripted([more, MockTransport.forever(more)])
      const { error } = yield* drainError(client.items(request))
      expect(error).toMatchObject({ _tag: "PaginationError", pages: 2 })
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  it.effect("11.2 a body that cannot be sent again is a PaginationError", () =>
    Effect.gen(function* () {
      const pagination = Pagination.custom({ items, next: next((at) => ({ query: { at } })) })
      const bodyStream = Stream.make(new Uint8Array([1]))
      const request = ApiRequest.post("/search", { bodyStream, success: Page, pagination })
      const { client, transport } = yield* scripted([MockTransport.json({ results: [1], next_cursor: "2" })])
      const { chunks, error } = yield* drainError(client.items(request))
      expect(chunks).toEqual([[1]])
      expect(error).toMatchObject({ _tag: "PaginationError", reason: "the body cannot be sent again" })
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("8.1 a body that can be read only once is not needed after a redirect to a GET", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([
        MockTransport.empty(303, { headers: { location: "/results/7" } }),
        MockTransport.json({ results: [1], next_cursor: null }, { headers: { link: "<?p=2>; rel=next" } }),
        MockTransport.json({ results: [2], next_cursor: null })
      ])
      const bodyStream = Stream.make(new Uint8Array([1]))
      const pagination = Pagination.linkHeader({ items })
      const request = ApiRequest.post("/search", { bodyStream, success: Page, pagination })
      expect((yield* drain(client.items(request))).chunks).toEqual([[1], [2]])
      expect((yield* transport.requests).map(({ method }) => method)).toEqual(["POST", "GET", "GET"])
    })
  )

  it.effect("8.1 after a redirect to a GET, the next links are followed without the body", () =>
    Effect.gen(function* () {
      const link = { headers: { link: '<?p=2>; rel="next"' } }
      const { client, transport } = yield* scripted([
        MockTransport.empty(303, { headers: { location: "/results/7" } }),
        MockTransport.json({ results: [1], next_cursor: null }, link),
        MockTransport.json({ results: [2], next_cursor: null })
      ])
      const request = ApiRequest.post("/search", {
        body: { a: 1 },
        success: Page,
        pagination: Pagination.linkHeader({ items })
      })
      expect((yield* drain(client.items(request))).chunks).toEqual([[1], [2]])
      expect((yield* transport.requests).map(({ method, text, url }) => [method, url, text])).toEqual([
        ["POST", "https://api.test/v1/search", '{"a":1}'],
        ["GET", "https://api.test/results/7", ""],
        ["GET", "https://api.test/results/7?p=2", ""]
      ])
    })
  )
})

interface Fields {
  readonly [name: string]: string | undefined
}

const thrower =
  (thrown: unknown): (() => never) =>
  () => {
    throw thrown
  }

describe("the caller's own functions", () => {
  const page = MockTransport.json({ results: [1], next_cursor: "more" })
  const failingWalk = (rule: object, view: "items" | "pages" = "items") =>
    Effect.gen(function* () {
      const pagination = Pagination.custom({ items, next: () => undefined, ...rule })
      const request = ApiRequest.get("/list", { success: Page, pagination })
      const { client, transport } = yield* scripted([page])
      const { chunks, error } = yield* drainError<unknown, unknown>(
        view === "items" ? client.items(request) : client.pages(request)
      )
      expect(error).toMatchObject({ _tag: "PaginationError", pages: 1, attempts: [{ status: 200 }] })
      expect(yield* transport.requestCount).toBe(1)
      return { chunks, error, reason: (error as { readonly reason: string }).reason }
    })

  it.effect.each([
    ["an Error", thrower(new Error("no such field")), "next failed: no such field"],
    ["a string", thrower("text"), "next failed"],
    ["undefined", thrower(undefined), "next failed"]
  ] as const)("11.2 a next that throws %s fails after the page's items", ([_name, next, reason]) =>
    Effect.gen(function* () {
      expect(yield* failingWalk({ next })).toMatchObject({ chunks: [[1]], reason })
      expect((yield* failingWalk({ next }, "pages")).reason).toBe(reason)
    })
  )

  it.effect("7.4 the thrown error is the cause", () =>
    Effect.gen(function* () {
      const thrown = new Error("no such field")
      expect((yield* failingWalk({ next: thrower(thrown) })).error).toHaveProperty("cause", thrown)
      expect((yield* failingWalk({ items: thrower(thrown) })).error).toHaveProperty("cause", thrown)
    })
  )

  it.effect.each([
    "text",
    7,
    false,
    [],
    {},
    { url: undefined },
    { url: 7 },
    { query: "a=1" },
    { query: null },
    { cursor: "c" },
    new Map(),
    Promise.resolve({ query: {} })
  ])("11.2 a next that returns %j fails after the page's items", (returned) =>
    Effect.gen(function* () {
      const { chunks, reason } = yield* failingWalk({ next: () => returned })
      expect(chunks).toEqual([[1]])
      expect(reason).toBe("next must return { query }, { body } or { url }, or undefined after the last page")
    })
  )

  it.effect.each([
    ["throws", thrower(new Error("no such field")), "items failed: no such field"],
    ["returns nothing", (): unknown => undefined, "items failed: it must return a list"],
    ["returns a string", (): unknown => "abc", "items failed: it must return a list"],
    ["returns an object", (): unknown => ({}), "items failed: it must return a list"]
  ] as const)("11.1 an items that %s fails the stream", ([_name, items, reason]) =>
    Effect.gen(function* () {
      expect(yield* failingWalk({ items })).toMatchObject({ chunks: [], reason })
    })
  )

  it.effect("11.1 items may return any iterable", () =>
    Effect.gen(function* () {
      const pagination = Pagination.custom({ items: () => new Set([1, 2]) as never, next: () => undefined })
      const { client } = yield* scripted([page])
      const request = ApiRequest.get("/list", { success: Page, pagination })
      expect((yield* drain(client.items(request))).chunks).toEqual([[1, 2]])
    })
  )

  it.effect("12.4 a secret in a thrown message is redacted", () =>
    Effect.gen(function* () {
      const pagination = Pagination.custom({ items, next: thrower(new Error("bad s3cret-value")) })
      const headers = { "x-key": Redacted.make("s3cret-value") }
      const { client } = yield* scripted([page])
      const { error } = yield* drainError(
        client.items(ApiRequest.get("/list", { headers, success: Page, pagination }))
      )
      expect(error).toMatchObject({ reason: "next failed: bad <redacted>" })
      expect(JSON.stringify(error)).not.toContain("s3cret")
    })
  )

  it("11.2 a promise client throws the same error", async () => {
    const transport = MockTransport.layer([page])
    const client = PromiseClient.make({ baseUrl: "https://api.test", transport })
    const pagination = Pagination.custom({ items: () => [1], next: thrower(new Error("no")) })
    const seen: Array<unknown> = []
    const walk = async () => {
      const request = ApiRequest.get("/list", { success: ResponseDecoder.json, pagination })
      for await (const item of client.items(request)) seen.push(item)
    }
    await expect(walk()).rejects.toMatchObject({ _tag: "PaginationError", reason: "next failed: no" })
    expect(seen).toEqual([1])
    await client.close()
  })
})

describe("the context of a page", () => {
  it.effect("11.3 has the URL that responded, and the query that was requested", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const pagination = Pagination.custom({
        items,
        next: (_page: Page, { body, query, url }) => {
          seen.push([url, query, body])
          return seen.length === 1 ? { url: "more" } : undefined
        }
      })
      const page = MockTransport.json({ results: [1], next_cursor: null })
      const to = (location: string) => MockTransport.empty(307, { headers: { location } })
      const { client, transport } = yield* scripted([to("/moved/list"), page, to("/there"), page])
      const request = ApiRequest.post("/list", { query: { a: 1 }, body: "b", success: Page, pagination })
      yield* drain(client.items(request))
      expect((yield* transport.requests).map(({ url }) => url)).toEqual([
        "https://api.test/v1/list?a=1",
        "https://api.test/moved/list",
        "https://api.test/moved/more",
        "https://api.test/there"
      ])
      expect(seen).toEqual([
        ["https://api.test/moved/list", { a: "1" }, "b"],
        ["https://api.test/there", {}, "b"]
      ])
    })
  )
})
