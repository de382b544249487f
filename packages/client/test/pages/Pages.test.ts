import { describe, expect, it } from "@effect/vitest"
import { type ApiError, Pagination } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Deferred, Effect, Exit, Fiber, Stream } from "effect"
import {
  cursorOf,
  drain,
  drainError,
  Gone,
  items,
  list,
  listOf,
  numbersUpTo,
  pageAfter,
  paths
} from "../fixtures/pages.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"
import { settle, status } from "../fixtures/retry.js"

describe("items and pages", () => {
  it.effect("11.1 items emits a page's items as one chunk, pages emits the pages", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(numbersUpTo(6))
      const walked = yield* drain(client.items(list))
      expect(walked.chunks).toEqual([
        [1, 2],
        [3, 4],
        [5, 6]
      ])
      expect(Exit.isSuccess(walked.exit)).toBe(true)
      expect(paths(yield* transport.requests)).toEqual(["/list", "/list?after_id=2", "/list?after_id=4"])
      const pages = yield* Stream.runCollect(client.pages(list))
      expect(Chunk.toReadonlyArray(pages)).toEqual([0, 2, 4].map((cursor) => pageAfter(cursor, 6)))
    })
  )

  it.effect("11.1 pagesWithResponse emits each page with its response", () =>
    Effect.gen(function* () {
      const script = numbersUpTo(4)
      const { client } = yield* scripted(
        (request, index) =>
          index === 1 ? status(503) : typeof script === "function" ? script(request, index) : status(500),
        { retry: withoutDelay }
      )
      const pages = yield* Stream.runCollect(client.pagesWithResponse(list))
      expect(
        Array.from(pages, ({ attempts, status, url, value }) => [
          status,
          url.replace("https://api.test/v1", ""),
          value.data,
          attempts.map(({ status }) => status)
        ])
      ).toEqual([
        [200, "/list", [1, 2], [200]],
        [200, "/list?after_id=2", [3, 4], [503, 200]]
      ])
    })
  )

  it.effect("11.1 each run of the stream starts from the first page", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(numbersUpTo(4))
      const numbers = client.items(list)
      expect(yield* transport.requestCount).toBe(0)
      for (const count of [2, 4]) {
        expect(Chunk.toReadonlyArray(yield* Stream.runCollect(numbers))).toEqual([1, 2, 3, 4])
        expect(yield* transport.requestCount).toBe(count)
      }
    })
  )

  it.effect("11.1 the next page is requested only after the last one was consumed", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(numbersUpTo(6))
      const sent: Array<number> = []
      yield* Stream.runForEach(client.pages(list), () =>
        Effect.map(transport.requestCount, (count) => void sent.push(count))
      )
      expect(sent).toEqual([1, 2, 3])
    })
  )

  it.effect.each([
    { take: 1, requests: 1 },
    { take: 2, requests: 1 },
    { take: 3, requests: 2 }
  ])("11.1 taking $take of many items sends $requests requests", ({ requests, take }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(numbersUpTo(100))
      const taken = yield* Stream.runCollect(Stream.take(client.items(list), take))
      expect(Chunk.toReadonlyArray(taken)).toEqual([1, 2, 3].slice(0, take))
      expect(yield* transport.requestCount).toBe(requests)
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect("11.2 an empty page with a next cursor continues", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([
        MockTransport.json({ data: [1], last_id: 1 }),
        MockTransport.json({ data: [], last_id: 2 }),
        MockTransport.json({ data: [3], last_id: null })
      ])
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(client.items(list)))).toEqual([1, 3])
    })
  )

  it.effect("11.1 a thousand pages do not deepen the stack", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(numbersUpTo(2000))
      const depths = new Set<number>()
      const sum = yield* Stream.runFold(client.items(list), 0, (sum, item) => {
        if (item % 100 === 0) depths.add(new Error().stack?.split("\n").length ?? 0)
        return sum + item
      })
      expect(sum).toBe(2001 * 1000)
      expect(depths.size).toBe(1)
      const [request] = (yield* transport.requests).slice(-1)
      // The query of a page replaces that of the last page.
      expect(request?.url).toBe("https://api.test/v1/list?after_id=1998")
    })
  )
})

describe("prefetch", () => {
  const prefetching = listOf({ prefetch: true })

  it.effect("11.1 requests exactly one page ahead of the consumer", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(numbersUpTo(8))
      const working = yield* Deferred.make<void>()
      const seen: Array<number> = []
      const fiber = yield* Effect.fork(
        Stream.runForEach(client.pages(prefetching), ({ data }) =>
          Effect.zipRight(
            Effect.sync(() => void seen.push(...data)),
            seen.length === 0 ? Deferred.await(working) : Effect.void
          )
        )
      )
      yield* transport.awaitRequests(2)
      // Advancing the clock also runs everything that does not wait for it.
      yield* settle(Effect.void, "1 minute")
      expect(yield* transport.requestCount).toBe(2)
      expect(seen).toEqual([1, 2])
      yield* Deferred.succeed(working, undefined)
      yield* Fiber.join(fiber)
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      expect(yield* transport.requestCount).toBe(4)
    })
  )

  it.effect("11.1 emits the same items in the same chunks", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(numbersUpTo(6))
      expect((yield* drain(client.items(prefetching))).chunks).toEqual([
        [1, 2],
        [3, 4],
        [5, 6]
      ])
    })
  )

  it.effect("11.4 a prefetched page that fails does so after the earlier items", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json(pageAfter(0, 6)), status(400)])
      const { chunks, error } = yield* drainError(client.items(prefetching))
      expect(chunks).toEqual([[1, 2]])
      expect(error._tag).toBe("BadRequestError")
    })
  )

  it.effect("11.1 leaving early aborts the prefetched page", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([
        MockTransport.json(pageAfter(0, 6)),
        MockTransport.never
      ])
      const first = yield* Stream.runHead(
        Stream.tap(client.items(prefetching), () => transport.awaitRequests(2))
      )
      expect(first).toMatchObject({ _tag: "Some", value: 1 })
      expect(yield* transport.awaitInterrupted(1)).toBe(1)
      expect(yield* transport.inFlight).toBe(0)
    })
  )
})

describe("a failing page", () => {
  it.effect("11.4 each page has its own retries, and no item is emitted twice", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(
        [
          status(503),
          MockTransport.json(pageAfter(0, 6)),
          status(503),
          status(503),
          MockTransport.json(pageAfter(2, 6)),
          MockTransport.connectionError({ code: "ECONNRESET" }),
          status(429),
          MockTransport.json(pageAfter(4, 6))
        ],
        { retry: { ...withoutDelay, maxRetries: 2 } }
      )
      const { chunks, exit } = yield* drain(client.items(list))
      expect(exit).toEqual(Exit.void)
      expect(chunks).toEqual([
        [1, 2],
        [3, 4],
        [5, 6]
      ])
      const requested = paths(yield* transport.requests)
      expect(requested.map((path) => path.replace("/list", ""))).toEqual([
        ...["", ""],
        ...["?after_id=2", "?after_id=2", "?after_id=2"],
        ...["?after_id=4", "?after_id=4", "?after_id=4"]
      ])
    })
  )

  it.effect("11.4 a page whose retries are used up fails the stream after the earlier items", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(
        [MockTransport.json(pageAfter(0, 6)), MockTransport.forever(status(503))],
        { retry: { ...withoutDelay, maxRetries: 2 } }
      )
      const { chunks, error } = yield* drainError(client.items(list))
      expect(chunks).toEqual([[1, 2]])
      expect(error).toMatchObject({ _tag: "ServiceUnavailableError", stoppedBy: "attempts" })
      // The ledger is that of the page's call.
      expect((error as ApiError.ApiError).attempts).toHaveLength(3)
      expect(yield* transport.requestCount).toBe(4)
    })
  )

  it.effect("11.4 each page has the full `total` timeout", () =>
    Effect.gen(function* () {
      const slow: MockTransport.Script = (request) =>
        MockTransport.json(pageAfter(cursorOf(request), 6), { delay: "8 seconds" })
      const { client } = yield* scripted(slow, { timeouts: { total: "10 seconds" } })
      const walked = yield* settle(drain(client.items(list)))
      expect(walked).toMatchObject({
        right: {
          chunks: [
            [1, 2],
            [3, 4],
            [5, 6]
          ]
        }
      })
    })
  )

  it.effect("11.4 the caller's own error, on a later page", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([
        MockTransport.json(pageAfter(0, 6)),
        MockTransport.json({ message: "the cursor is too old" }, { status: 410 })
      ])
      const { chunks, error } = yield* drainError(client.items(list))
      expect(chunks).toEqual([[1, 2]])
      expect(error).toEqual(new Gone({ message: "the cursor is too old" }))
    })
  )

  it.effect("11.4 a later page that does not fit its schema", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([
        MockTransport.json(pageAfter(0, 6)),
        MockTransport.json({ data: "none" })
      ])
      const { chunks, error } = yield* drainError(client.items(list))
      expect(chunks).toEqual([[1, 2]])
      expect(error._tag).toBe("ResponseValidationError")
    })
  )
})

describe("an endless list", () => {
  it.effect.each([
    { name: "the same cursor twice", ids: [2, 4, 4], options: {}, emitted: 3 },
    {
      name: "the cursor of the first request",
      ids: [7],
      options: { query: { after_id: "7" } },
      emitted: 1
    },
    { name: "a cycle of cursors", ids: [2, 4, 6, 2], options: {}, emitted: 4 }
  ])("11.2 $name fails after the last new page", ({ emitted, options, ids }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted((_request, index) =>
        MockTransport.json({ data: [index], last_id: ids[index] })
      )
      const { chunks, error } = yield* drainError(client.items(listOf({}, options)))
      expect(chunks.flat()).toEqual(ids.map((_, index) => index))
      expect(error).toMatchObject({
        _tag: "PaginationError",
        reason: "the same cursor came twice",
        pages: emitted,
        message: `the same cursor came twice, after ${emitted} pages`,
        stoppedBy: "not-retryable",
        request: { url: `https://api.test/v1/list?after_id=${ids[ids.length - 1]}` }
      })
      expect(yield* transport.requestCount).toBe(emitted)
    })
  )

  it.effect("11.2 a link to the page itself is a PaginationError", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([
        MockTransport.json({ data: [1] }, { headers: { link: '</v1/list>; rel="next"' } })
      ])
      const { chunks, error } = yield* drainError(
        client.items(listOf({}, { pagination: Pagination.linkHeader({ items }) }))
      )
      expect(chunks).toEqual([[1]])
      expect(error).toMatchObject({ _tag: "PaginationError", pages: 1 })
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect.each([
    { maxPages: 1, last: 2, ended: "success" },
    { maxPages: 3, last: 6, ended: "success" },
    { maxPages: 2, last: 6, ended: "PaginationError" }
  ])("11.2 maxPages $maxPages of a list up to $last", ({ ended, last, maxPages }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(numbersUpTo(last))
      const { chunks, exit } = yield* drain(client.items(listOf({ maxPages })))
      expect(chunks).toHaveLength(maxPages)
      expect(yield* transport.requestCount).toBe(maxPages)
      const error = Exit.isSuccess(exit) ? undefined : yield* Effect.flip(exit)
      expect(error?._tag ?? "success").toBe(ended)
      if (error?._tag === "PaginationError") expect(error.reason).toBe("there are more than 2 pages")
    })
  )

  it.effect.each([0, -1, Number.NaN])("11.2 maxPages of %d fails and sends nothing", (maxPages) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([])
      const error = yield* Effect.flip(Stream.runDrain(client.pages(listOf({ maxPages }))))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "pagination.maxPages" })
      expect(yield* transport.requestCount).toBe(0)
    })
  )
})
