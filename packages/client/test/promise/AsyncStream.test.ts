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
const over = { done: true, value: undefined }

describe("for await", () => {
  it("10 gives every event in order, and ends", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2), tick(3), done])])
    expect(await collect(client.stream(streaming))).toEqual({ seen: values(1, 2, 3), error: undefined })
  })

  it("11.1 gives every item, and every page", async () => {
    const { client } = scriptedPromises([...threePages, ...threePages])
    expect((await collect(client.items(paged))).seen).toEqual([1, 2, 3, 4, 5])
    expect((await collect(client.pages(paged))).seen.map(({ data }) => data)).toEqual([[1, 2], [3], [4, 5]])
  })

  it("11.1 gives every item where pages are fetched ahead", async () => {
    const { client } = scriptedPromises(threePages)
    const ahead = ApiRequest.get("/numbers", {
      success: Page,
      pagination: Pagination.cursor({ items, prefetch: true })
    })
    expect(await collect(client.items(ahead))).toEqual({ seen: [1, 2, 3, 4, 5], error: undefined })
  })

  it("11.1 asks for a page only when it is needed", async () => {
    const { client, transport } = scriptedPromises(threePages)
    const counts: Array<number> = []
    for await (const _ of client.items(paged)) counts.push(await sent(transport))
    expect(counts).toEqual([1, 1, 2, 3, 3])
  })

  it("sends nothing before its first step, and anew in each loop", async () => {
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

  it("10.3 throws behind the values where the stream is cut off", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2)])])
    const { error, seen } = await collect(client.stream(streaming))
    expect(seen).toEqual(values(1, 2))
    expect(error).toBeInstanceOf(ApiError.StreamTruncatedError)
    expect(error).toMatchObject({ received: 2 })
  })

  it("10.4 throws the error that the stream tells of, behind the values", async () => {
    const { client } = scriptedPromises([sse([ticks(1) + errorEvent("overloaded_error")])])
    const { error, seen } = await collect(client.stream(streaming))
    expect(seen).toEqual(values(1))
    expect(error).toBeInstanceOf(ApiError.OverloadedError)
  })

  it("11.4 throws the error of a later page behind the items of the earlier", async () => {
    const { client } = scriptedPromises([page([1, 2]), MockTransport.empty(404)])
    const { error, seen } = await collect(client.items(paged))
    expect(seen).toEqual([1, 2])
    expect(error).toBeInstanceOf(ApiError.NotFoundError)
  })

  it("throws the very value that a bug throws", async () => {
    const bug = new TypeError("a bug")
    const broken: Middleware.Middleware = () => {
      throw bug
    }
    const { client } = scriptedPromises([sse([ticks(1)])], { middleware: [broken] })
    expect((await collect(client.stream(streaming))).error).toBe(bug)
  })

  it("11.2 shows what a rule of pages threw as the cause", async () => {
    const bug = new TypeError("a bug")
    const broken = (): ReadonlyArray<number> => {
      throw bug
    }
    const request = ApiRequest.get("/", { success: Page, pagination: Pagination.cursor({ items: broken }) })
    const { client } = scriptedPromises([page([1])])
    const { error } = await collect(client.items(request))
    expect(error).toBeInstanceOf(ApiError.PaginationError)
    expect(error).toHaveProperty("cause", bug)
  })

  it.each(["break", "throw"])("10.7 ends the answer on %s", async (how) => {
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

describe("steps by hand", () => {
  it("take turns where they overlap, in the order of the calls", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2, 3), tick(4), done])])
    const iterator = iterate(client.stream(streaming))
    const first = iterator.next()
    const queued = [iterator.next(), iterator.next(), iterator.next()]
    // Made as soon as there are values, and while calls made before it still wait for theirs.
    const fifth = first.then(() => iterator.next())
    expect(await Promise.all([first, ...queued, fifth])).toEqual([
      ...values(1, 2, 3, 4).map((value) => ({ done: false, value })),
      over
    ])
  })

  it("do not overtake those that wait", async () => {
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

  it("give the error to one of them, and the end to the rest", async () => {
    const { client } = scriptedPromises([MockTransport.empty(404)])
    const iterator = iterate(client.stream(streaming))
    const [first, second, third] = await Promise.allSettled([
      iterator.next(),
      iterator.next(),
      iterator.next()
    ])
    expect(first).toMatchObject({ status: "rejected", reason: { _tag: "NotFoundError" } })
    expect([second, third]).toEqual([
      { status: "fulfilled", value: over },
      { status: "fulfilled", value: over }
    ])
    expect(await iterator.next()).toEqual(over)
  })

  it("end where the loop is left while they wait", async () => {
    const { client, transport } = scriptedPromises([sse([tick(1), neverEnding])])
    const iterator = iterate(client.stream(streaming))
    await iterator.next()
    const pending = [iterator.next(), iterator.next()]
    await nextMacrotask()
    expect(await iterator.return?.()).toEqual(over)
    expect(await Promise.all(pending)).toEqual([over, over])
    expect(await Effect.runPromise(transport.interrupted)).toBe(1)
    expect(await iterator.next()).toEqual(over)
  })

  it("end where the loop is left before the answer has come", async () => {
    const { client, transport } = scriptedPromises([MockTransport.never])
    const iterator = iterate(client.stream(streaming))
    const pending = iterator.next()
    await Effect.runPromise(transport.awaitRequests(1))
    expect(await iterator.return?.()).toEqual(over)
    expect(await pending).toEqual(over)
    expect(await Effect.runPromise(transport.awaitInterrupted(1))).toBe(1)
  })

  it("give nothing that is left over once the loop is left, and may be left twice", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2, 3), neverEnding])])
    const iterator = iterate(client.stream(streaming))
    await iterator.next()
    expect(await Promise.all([iterator.return?.(), iterator.return?.()])).toEqual([over, over])
    expect(await iterator.next()).toEqual(over)
  })

  it("send nothing where the loop is left before the first", async () => {
    const { client, transport } = scriptedPromises([])
    const iterator = iterate(client.stream(streaming))
    expect(await iterator.return?.()).toEqual(over)
    expect(await iterator.next()).toEqual(over)
    expect(await sent(transport)).toBe(0)
  })
})

describe("a signal", () => {
  it("that is aborted already ends the loop before anything is sent", async () => {
    const { client, transport } = scriptedPromises([])
    const { error } = await collect(client.stream(streaming, { signal: AbortSignal.abort("no") }))
    expect(error).toBe("no")
    expect(await sent(transport)).toBe(0)
  })

  it("10.7 that aborts while a step waits ends it with the reason, once", async () => {
    const { client, transport } = scriptedPromises([sse([tick(1), neverEnding])])
    const controller = new AbortController()
    const iterator = iterate(client.stream(streaming, { signal: controller.signal }))
    await iterator.next()
    const pending = rejection(iterator.next())
    await nextMacrotask()
    controller.abort()
    expect(await pending).toBe(controller.signal.reason)
    expect(await pending).toMatchObject({ name: "AbortError" })
    expect(await iterator.next()).toEqual(over)
    expect(await Effect.runPromise(transport.awaitInterrupted(1))).toBe(1)
  })

  it("10.7 that aborts while the loop is busy ends the answer at once, and values at hand are dropped", async () => {
    const { client, transport } = scriptedPromises([sse([ticks(1, 2, 3), neverEnding])])
    const controller = new AbortController()
    const seen: Array<unknown> = []
    const loop = async () => {
      for await (const event of client.stream(streaming, { signal: controller.signal })) {
        seen.push(event)
        controller.abort("enough")
        // Still in the body of the loop.
        await Effect.runPromise(transport.awaitInterrupted(1))
      }
    }
    expect(await rejection(loop())).toBe("enough")
    expect(seen).toEqual(values(1))
  })

  it("that aborts behind the end changes nothing", async () => {
    const { client } = scriptedPromises([sse([tick(1), done])])
    const controller = new AbortController()
    const iterator = iterate(client.stream(streaming, { signal: controller.signal }))
    await iterator.next()
    expect(await iterator.next()).toEqual(over)
    controller.abort()
    expect(await iterator.next()).toEqual(over)
  })
})

describe("toReadableStream", () => {
  it("gives every value, and ends", async () => {
    const { client } = scriptedPromises([sse([ticks(1, 2), tick(3), done])])
    const seen: Array<unknown> = []
    const reader = client.stream(streaming).toReadableStream().getReader()
    for (let next = await reader.read(); !next.done; next = await reader.read()) seen.push(next.value)
    expect(seen).toEqual(values(1, 2, 3))
  })

  it("sends nothing before it is read, nor where it is cancelled first", async () => {
    const { client, transport } = scriptedPromises([])
    const readable = client.stream(streaming).toReadableStream()
    await nextMacrotask()
    await readable.cancel()
    expect(await sent(transport)).toBe(0)
  })

  it("10.7 ends the answer where it is cancelled, between two reads and within one", async () => {
    for (const reads of [1, 2]) {
      const { client, transport } = scriptedPromises([sse([tick(1), neverEnding])])
      const reader = client.stream(streaming).toReadableStream().getReader()
      const pending = [reader.read(), ...(reads === 2 ? [reader.read()] : [])]
      expect(await pending[0]).toEqual({ done: false, value: { n: 1 } })
      await nextMacrotask()
      await reader.cancel()
      expect(await Effect.runPromise(transport.interrupted)).toBe(1)
      expect(await pending.at(-1)).toEqual(reads === 2 ? over : { done: false, value: { n: 1 } })
    }
  })

  it("10.3 fails with the error, behind the values", async () => {
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

describe("close of the client", () => {
  it("ends a step that waits, with an AbortError", async () => {
    const { client, transport } = scriptedPromises([sse([tick(1), neverEnding])])
    const iterator = iterate(client.stream(streaming))
    await iterator.next()
    const pending = rejection(iterator.next())
    await nextMacrotask()
    await client.close()
    expect(await pending).toMatchObject({ name: "AbortError", message: "The client was closed" })
    expect(await Effect.runPromise(transport.interrupted)).toBe(1)
    expect(await iterator.next()).toEqual(over)
  })

  it("ends an answer between two steps, and the next step rejects", async () => {
    const { client, transport } = scriptedPromises([sse([tick(1), neverEnding])])
    const iterator = iterate(client.stream(streaming))
    await iterator.next()
    await client.close()
    expect(await Effect.runPromise(transport.interrupted)).toBe(1)
    expect(await rejection(iterator.next())).toMatchObject({ message: "the client is closed" })
    expect(await iterator.next()).toEqual(over)
    expect((await collect(client.items(paged))).error).toMatchObject({ message: "the client is closed" })
  })
})

describe("types", () => {
  it("are those of the request", () => {
    const client = PromiseClient.make({ baseUrl })
    type Tick = { readonly n: number }
    expectTypeOf(client.stream(streaming)).toEqualTypeOf<PromiseClient.AsyncStream<Tick>>()
    expectTypeOf(client.stream(getEvents(tickEvents))).toExtend<AsyncIterable<Tick>>()
    expectTypeOf(client.stream(anything)).toEqualTypeOf<PromiseClient.AsyncStream<unknown>>()
    expectTypeOf(client.pages(paged)).toEqualTypeOf<PromiseClient.AsyncStream<typeof Page.Type>>()
    const items = client.items(paged)
    expectTypeOf(items).toEqualTypeOf<PromiseClient.AsyncStream<number>>()
    expectTypeOf(items.toReadableStream).returns.toEqualTypeOf<ReadableStream<number>>()
    // Not even behind the end, where the lib has `any`.
    type Next = Awaited<ReturnType<ReturnType<(typeof items)[typeof Symbol.asyncIterator]>["next"]>>
    expectTypeOf<Next>().toEqualTypeOf<IteratorResult<number, undefined>>()
    expectTypeOf<Next["value"]>().toEqualTypeOf<number | undefined>()
  })
})
