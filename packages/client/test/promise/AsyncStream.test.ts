import {
  ApiError,
  ApiRequest,
  EventStream,
  type Middleware,
  Pagination,
  PromiseClient
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import {
  collect,
  expectNoUnhandledRejection,
  nextMacrotask,
  rejection,
  scriptedPromises
} from "../fixtures/promises.js"
import { baseUrl } from "../fixtures/requests.js"
import {
  done,
  errorEvent,
  getEvents,
  neverEnding,
  sse,
  tick,
  tickEvents,
  ticks,
  untilDone,
  values
} from "../fixtures/streams.js"

expectNoUnhandledRejection()

const streaming = getEvents(untilDone)
const anything = getEvents(EventStream.make({ event: Schema.Unknown }))

const Page = Schema.Struct({
  data: Schema.Array(Schema.Number),
  has_more: Schema.Boolean,
  last_id: Schema.NullOr(Schema.Number)
})
const items = (page: typeof Page.Type) => page.data
const paged = ApiRequest.get("/numbers", { success: Page, pagination: Pagination.cursor({ items }) })
const page = (data: ReadonlyArray<number>, has_more = true) =>
  MockTransport.json({ data, has_more, last_id: data.at(-1) ?? null })
const threePages = [page([1, 2]), page([3]), page([4, 5], false)]

const sent = (transport: MockTransport.MockTransport) => Effect.runPromise(transport.requestCount)
const iterate = <A>(stream: PromiseClient.AsyncStream<A>) => stream[Symbol.asyncIterator]()
const ended = { done: true, value: undefined }

describe("for await", () => {
  it("10 emits every event in order and ends", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2), tick(3), done])])
    expect(await collect(client.stream(streaming))).toEqual({ seen: values(1, 2, 3), error: undefined })
  })

  it("11.1 emits every item, and every page", async () => {
    const { client } = scriptedPromises([...threePages, ...threePages])
    expect((await collect(client.items(paged))).seen).toEqual([1, 2, 3, 4, 5])
    expect((await collect(client.pages(paged))).seen.map(({ data }) => data)).toEqual([[1, 2], [3], [4, 5]])
  })

  it("11.1 emits every item with prefetch", async () => {
    const { client } = scriptedPromises(threePages)
    const ahead = ApiRequest.get("/numbers", {
      success: Page,
      pagination: Pagination.cursor({ items, prefetch: true })
    })
    expect(await collect(client.items(ahead))).toEqual({ seen: [1, 2, 3, 4, 5], error: undefined })
  })

  it("11.1 requests a page only when it is needed", async () => {
    const { client, transport } = scriptedPromises(threePages)
    const counts: Array<number> = []
    for await (const _ of client.items(paged)) counts.push(await sent(transport))
    expect(counts).toEqual([1, 1, 2, 3, 3])
  })

  it("sends nothing before the first step, and starts again in each loop", async () => {
    const { client, transport } = scriptedPromises([MockTransport.forever(sse([tick(1), done]))])
    const stream = client.stream(streaming)
    const iterator = iterate(stream)
    await nextMacrotask()
    expect(await sent(transport)).toBe(0)
    expect(await iterator.next()).toEqual({ done: false, value: { n: 1 } })
    await iterator.return?.()
    expect((await collect(stream)).seen).toEqual(values(1))
    expect((await collect(stream)).seen).toEqual(values(1))
    expect(await sent(transport)).toBe(3)
  })

  it("10.3 throws after the values when the stream is truncated", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2)])])
    const { error, seen } = await collect(client.stream(streaming))
    expect(seen).toEqual(values(1, 2))
    expect(error).toBeInstanceOf(ApiError.StreamTruncatedError)
    expect(error).toMatchObject({ received: 2 })
  })

  it("10.4 throws the stream's error event after the values", async () => {
    const { client } = scriptedPromises([sse([ticks(1) + errorEvent("overloaded_error")])])
    const { error, seen } = await collect(client.stream(streaming))
    expect(seen).toEqual(values(1))
    expect(error).toBeInstanceOf(ApiError.OverloadedError)
  })

  it("11.4 throws a later page's error after the earlier items", async () => {
    const { client } = scriptedPromises([page([1, 2]), MockTransport.empty(404)])
    const { error, seen } = await collect(client.items(paged))
    expect(seen).toEqual([1, 2])
    expect(error).toBeInstanceOf(ApiError.NotFoundError)
  })

  it("throws the very value that a middleware's bug threw", async () => {
    const bug = new TypeError("a bug")
    const buggy: Middleware.Middleware = () => {
      throw bug
    }
    const { client } = scriptedPromises([sse([ticks(1)])], { middleware: [buggy] })
    expect((await collect(client.stream(streaming))).error).toBe(bug)
  })

  it("11.2 the cause is the very value that a pagination rule threw", async () => {
    const bug = new TypeError("a bug")
    const buggy = (): ReadonlyArray<number> => {
      throw bug
    }
    const request = ApiRequest.get("/", { success: Page, pagination: Pagination.cursor({ items: buggy }) })
    const { client } = scriptedPromises([page([1])])
    const { error } = await collect(client.items(request))
    expect(error).toBeInstanceOf(ApiError.PaginationError)
    expect(error).toHaveProperty("cause", bug)
  })

  it.each(["break", "throw"])("10.7 aborts the response on %s", async (how) => {
    const { client, transport } = scriptedPromises([sse([ticks(1, 2), neverEnding])])
    const bug = new Error("of the loop")
    const seen: Array<unknown> = []
    const loop = async () => {
      for await (const event of client.stream(streaming)) {
        seen.push(event)
        if (how === "break") break
        throw bug
      }
    }
    if (how === "break") await loop()
    else expect(await rejection(loop())).toBe(bug)
    expect(seen).toEqual(values(1))
    expect(await Effect.runPromise(transport.interrupted)).toBe(1)
    expect(await Effect.runPromise(transport.inFlight)).toBe(0)
  })
})

describe("calling next by hand", () => {
  it("overlapping calls resolve in order", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2, 3), tick(4), done])])
    const iterator = iterate(client.stream(streaming))
    const first = iterator.next()
    const queued = [iterator.next(), iterator.next(), iterator.next()]
    // Called as soon as there are values, while earlier calls still wait for theirs.
    const fifth = first.then(() => iterator.next())
    expect(await Promise.all([first, ...queued, fifth])).toEqual([
      ...values(1, 2, 3, 4).map((value) => ({ done: false, value })),
      ended
    ])
  })

  it("a later call does not overtake waiting ones", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2, 3, 4), done])])
    const iterator = iterate(client.stream(streaming))
    const order: Array<string> = []
    const next = async (name: string) => {
      const { value } = await iterator.next()
      order.push(`${name}: ${value?.n}`)
    }
    const waiting = [next("a"), next("b"), next("c")]
    await waiting[0]
    await Promise.all([next("d"), ...waiting])
    expect(order.sort()).toEqual(["a: 1", "b: 2", "c: 3", "d: 4"])
  })

  it("one waiting call rejects with the error, and the others end", async () => {
    const { client } = scriptedPromises([MockTransport.empty(404)])
    const iterator = iterate(client.stream(streaming))
    const [first, second, third] = await Promise.allSettled([
      iterator.next(),
      iterator.next(),
      iterator.next()
    ])
    expect(first).toMatchObject({ status: "rejected", reason: { _tag: "NotFoundError" } })
    expect([second, third]).toEqual([
      { status: "fulfilled", value: ended },
      { status: "fulfilled", value: ended }
    ])
    expect(await iterator.next()).toEqual(ended)
  })

  it("return() ends the waiting calls and aborts the response", async () => {
    const { client, transport } = scriptedPromises([sse([tick(1), neverEnding])])
    const iterator = iterate(client.stream(streaming))
    await iterator.next()
    const pending = [iterator.next(), iterator.next()]
    await nextMacrotask()
    expect(await iterator.return?.()).toEqual(ended)
    expect(await Promise.all(pending)).toEqual([ended, ended])
    expect(await Effect.runPromise(transport.interrupted)).toBe(1)
    expect(await iterator.next()).toEqual(ended)
  })

  it("return() before the response aborts the request", async () => {
    const { client, transport } = scriptedPromises([MockTransport.never])
    const iterator = iterate(client.stream(streaming))
    const pending = iterator.next()
    await Effect.runPromise(transport.awaitRequests(1))
    expect(await iterator.return?.()).toEqual(ended)
    expect(await pending).toEqual(ended)
    expect(await Effect.runPromise(transport.awaitInterrupted(1))).toBe(1)
  })

  it("after return() the buffered values are dropped, and a second return() is harmless", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2, 3), neverEnding])])
    const iterator = iterate(client.stream(streaming))
    await iterator.next()
    expect(await Promise.all([iterator.return?.(), iterator.return?.()])).toEqual([ended, ended])
    expect(await iterator.next()).toEqual(ended)
  })

  it("return() before the first step sends nothing", async () => {
    const { client, transport } = scriptedPromises([])
    const iterator = iterate(client.stream(streaming))
    expect(await iterator.return?.()).toEqual(ended)
    expect(await iterator.next()).toEqual(ended)
    expect(await sent(transport)).toBe(0)
  })
})

describe("the signal option", () => {
  it("an aborted signal ends the loop before anything is sent", async () => {
    const { client, transport } = scriptedPromises([])
    const { error } = await collect(client.stream(streaming, { signal: AbortSignal.abort("no") }))
    expect(error).toBe("no")
    expect(await sent(transport)).toBe(0)
  })

  it("10.7 aborting while a step waits rejects that step once, with the reason", async () => {
    const { client, transport } = scriptedPromises([sse([tick(1), neverEnding])])
    const controller = new AbortController()
    const iterator = iterate(client.stream(streaming, { signal: controller.signal }))
    await iterator.next()
    const pending = rejection(iterator.next())
    await nextMacrotask()
    controller.abort()
    expect(await pending).toBe(controller.signal.reason)
    expect(await pending).toMatchObject({ name: "AbortError" })
    expect(await iterator.next()).toEqual(ended)
    expect(await Effect.runPromise(transport.awaitInterrupted(1))).toBe(1)
  })

  it("10.7 aborting inside the loop's body aborts the response at once and drops buffered values", async () => {
    const { client, transport } = scriptedPromises([sse([ticks(1, 2, 3), neverEnding])])
    const controller = new AbortController()
    const seen: Array<unknown> = []
    const loop = async () => {
      for await (const event of client.stream(streaming, { signal: controller.signal })) {
        seen.push(event)
        controller.abort("enough")
        // This still runs in the loop's body.
        await Effect.runPromise(transport.awaitInterrupted(1))
      }
    }
    expect(await rejection(loop())).toBe("enough")
    expect(seen).toEqual(values(1))
  })

  it("aborting after the end changes nothing", async () => {
    const { client } = scriptedPromises([sse([tick(1), done])])
    const controller = new AbortController()
    const iterator = iterate(client.stream(streaming, { signal: controller.signal }))
    await iterator.next()
    expect(await iterator.next()).toEqual(ended)
    controller.abort()
    expect(await iterator.next()).toEqual(ended)
  })
})

describe("toReadableStream", () => {
  it("emits every value and ends", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2), tick(3), done])])
    const seen: Array<unknown> = []
    const reader = client.stream(streaming).toReadableStream().getReader()
    for (let next = await reader.read(); !next.done; next = await reader.read()) seen.push(next.value)
    expect(seen).toEqual(values(1, 2, 3))
  })

  it("sends nothing before the first read, or when cancelled before it", async () => {
    const { client, transport } = scriptedPromises([])
    const readable = client.stream(streaming).toReadableStream()
    await nextMacrotask()
    await readable.cancel()
    expect(await sent(transport)).toBe(0)
  })

  it("10.7 cancelling aborts the response, between two reads and during one", async () => {
    for (const reads of [1, 2]) {
      const { client, transport } = scriptedPromises([sse([tick(1), neverEnding])])
      const reader = client.stream(streaming).toReadableStream().getReader()
      const pending = [reader.read(), ...(reads === 2 ? [reader.read()] : [])]
      expect(await pending[0]).toEqual({ done: false, value: { n: 1 } })
      await nextMacrotask()
      await reader.cancel()
      expect(await Effect.runPromise(transport.interrupted)).toBe(1)
      expect(await pending.at(-1)).toEqual(reads === 2 ? ended : { done: false, value: { n: 1 } })
    }
  })

  it("10.3 fails with the error after the values", async () => {
    const { client } = scriptedPromises([sse([tick(1)])])
    const reader = client.stream(streaming).toReadableStream().getReader()
    expect(await reader.read()).toEqual({ done: false, value: { n: 1 } })
    const error = await rejection(reader.read())
    expect(error).toBeInstanceOf(ApiError.StreamTruncatedError)
    expect(await rejection(reader.closed)).toBe(error)
  })

  it("fails with the reason of an aborted signal", async () => {
    const { client } = scriptedPromises([sse([tick(1), neverEnding])])
    const controller = new AbortController()
    const reader = client.stream(streaming, { signal: controller.signal }).toReadableStream().getReader()
    await reader.read()
    const pending = rejection(reader.read())
    const closed = rejection(reader.closed)
    controller.abort("enough")
    expect(await pending).toBe("enough")
    expect(await closed).toBe("enough")
  })
})

describe("closing the client", () => {
  it("rejects a waiting step with an AbortError", async () => {
    const { client, transport } = scriptedPromises([sse([tick(1), neverEnding])])
    const iterator = iterate(client.stream(streaming))
    await iterator.next()
    const pending = rejection(iterator.next())
    await nextMacrotask()
    await client.close()
    expect(await pending).toMatchObject({ name: "AbortError", message: "The client was closed" })
    expect(await Effect.runPromise(transport.interrupted)).toBe(1)
    expect(await iterator.next()).toEqual(ended)
  })

  it("aborts a response between two steps, and the next step rejects", async () => {
    const { client, transport } = scriptedPromises([sse([tick(1), neverEnding])])
    const iterator = iterate(client.stream(streaming))
    await iterator.next()
    await client.close()
    expect(await Effect.runPromise(transport.interrupted)).toBe(1)
    expect(await rejection(iterator.next())).toMatchObject({ message: "the client is closed" })
    expect(await iterator.next()).toEqual(ended)
    expect((await collect(client.items(paged))).error).toMatchObject({ message: "the client is closed" })
  })
})

describe("types", () => {
  it("follow the request", () => {
    const client = PromiseClient.make({ baseUrl })
    type Tick = { readonly n: number }
    expectTypeOf(client.stream(streaming)).toEqualTypeOf<PromiseClient.AsyncStream<Tick>>()
    expectTypeOf(client.stream(getEvents(tickEvents))).toExtend<AsyncIterable<Tick>>()
    expectTypeOf(client.stream(anything)).toEqualTypeOf<PromiseClient.AsyncStream<unknown>>()
    expectTypeOf(client.pages(paged)).toEqualTypeOf<PromiseClient.AsyncStream<typeof Page.Type>>()
    const items = client.items(paged)
    expectTypeOf(items).toEqualTypeOf<PromiseClient.AsyncStream<number>>()
    expectTypeOf(items.toReadableStream).returns.toEqualTypeOf<ReadableStream<number>>()
    // No `any` even at the end, where TypeScript's lib has it.
    type Next = Awaited<ReturnType<ReturnType<(typeof items)[typeof Symbol.asyncIterator]>["next"]>>
    expectTypeOf<Next>().toEqualTypeOf<IteratorResult<number, undefined>>()
    expectTypeOf<Next["value"]>().toEqualTypeOf<number | undefined>()
  })
})
