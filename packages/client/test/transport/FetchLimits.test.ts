/** A custom `fetch` (a mock, a wrapper, a polyfill) may ignore its signal. */
import { FetchHttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiRequest,
  EventStream,
  FetchTransport,
  ResponseDecoder
} from "@effect-api/client"
import { Deferred, Effect, Fiber, Layer, Logger, Schema, Stream } from "effect"
import { regions } from "../fixtures/regions.js"

const brief = "40 millis"

/** A body that gives its first bytes and then hangs, and reports when it is cancelled. */
const hung = (first: string, status: number, headers: Record<string, string> = {}) => {
  const cancelled = Effect.runSync(Deferred.make<void>())
  const begun = Effect.runSync(Deferred.make<void>())
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(first)),
    // The consumer has taken the first bytes and wants more.
    pull: () => {
      Effect.runSync(Deferred.succeed(begun, undefined))
      return new Promise(() => {})
    },
    // Cancelling never completes either.
    cancel: () => {
      Effect.runSync(Deferred.succeed(cancelled, undefined))
      return new Promise(() => {})
    }
  })
  return {
    begun: Deferred.await(begun),
    cancelled: Deferred.await(cancelled),
    response: new Response(body, { status, headers })
  }
}

const never = (): Promise<Response> => new Promise(() => {})
const json = (): Response => Response.json({ a: 1 })

/** A client over a custom fetch that gives the responses in turn. */
const clientOver = (
  responses: ReadonlyArray<() => Response | Promise<Response>>,
  options: Partial<ApiConfig.Options> = {}
) => {
  let sent = 0
  const fetch = (): Promise<Response> => Promise.resolve().then(() => (responses[sent++] ?? never)())
  const layer = Layer.provide(FetchTransport.layer, Layer.succeed(FetchHttpClient.Fetch, fetch))
  return Effect.provide(
    ApiClient.make({ baseUrl: "http://api.test", retry: { maxRetries: 0 }, ...options }),
    Layer.merge(layer, Logger.remove(Logger.defaultLogger))
  )
}

describe("a fetch that ignores its signal", () => {
  it.live.each(regions)("6.15 response ends in $region, and a late body is cancelled", ({ runIn }) =>
    Effect.gen(function* () {
      const late = hung("{", 200)
      let resolveResponse = (_: Response): void => {}
      const pending = new Promise<Response>((resolve) => {
        resolveResponse = resolve
      })
      const client = yield* clientOver([() => pending], { timeouts: { response: brief } })
      expect(yield* Effect.flip(runIn(client.get("/x")))).toMatchObject({
        _tag: "TimeoutError",
        phase: "response"
      })
      resolveResponse(late.response)
      yield* late.cancelled
    })
  )

  it.live.each(regions)("6.15 idle and total end a stalled body in $region and cancel it", ({ runIn }) =>
    Effect.gen(function* () {
      for (const [timeouts, phase] of [
        [{ idle: brief }, "idle"],
        [{ total: brief }, "total"]
      ] as const) {
        const { cancelled, response } = hung("{", 200)
        const client = yield* clientOver([() => response], { timeouts })
        expect(yield* Effect.flip(runIn(client.get("/x")))).toMatchObject({ _tag: "TimeoutError", phase })
        yield* cancelled
      }
    })
  )

  it.live.each([503, 404, 307])(
    "6.8 the stalled body of a %d is cancelled and the call continues",
    (status) =>
      Effect.gen(function* () {
        const { cancelled, response } = hung("busy", status, { location: "/y" })
        const client = yield* clientOver([() => response, json], {
          timeouts: { idle: brief },
          retry: { maxRetries: 1, initialDelay: 0 }
        })
        const outcome = yield* Effect.either(client.get("/x"))
        expect(outcome).toMatchObject(
          status === 404 ? { left: { _tag: "NotFoundError" } } : { right: { a: 1 } }
        )
        yield* cancelled
      })
  )

  it.live("7.4 a body above the limit is cancelled", () =>
    Effect.gen(function* () {
      const { cancelled, response } = hung("x".repeat(100), 200)
      const client = yield* clientOver([() => response], { limits: { responseBytes: 10 } })
      expect(yield* Effect.flip(client.get("/x"))).toMatchObject({ _tag: "ResponseValidationError" })
      yield* cancelled
    })
  )

  it.live("10.7 an interruption cancels the body", () =>
    Effect.gen(function* () {
      const { begun, cancelled, response } = hung("{", 200)
      const client = yield* clientOver([() => response])
      const fiber = yield* Effect.fork(client.get("/x"))
      yield* begun
      yield* Fiber.interrupt(fiber)
      yield* cancelled
    })
  )

  it.live("6.15 a download that is not read, or left early, is cancelled", () =>
    Effect.gen(function* () {
      for (const read of [
        () => Effect.void,
        (stream: Stream.Stream<Uint8Array, unknown>) => Stream.runDrain(Stream.take(stream, 0)),
        (stream: Stream.Stream<Uint8Array, unknown>) => Stream.runHead(stream)
      ]) {
        const { cancelled, response } = hung("one", 200)
        const client = yield* clientOver([() => response], { timeouts: { idle: brief } })
        yield* read(yield* client.get("/x", { success: ResponseDecoder.stream() }))
        yield* cancelled
      }
    })
  )

  it.live("a transport uses the fetch that the runtime has when it is made", () =>
    Effect.gen(function* () {
      const { fetch } = globalThis
      const receive = (value: number) =>
        Effect.suspend(() => {
          globalThis.fetch = async () => Response.json(value)
          return Effect.provide(
            Effect.flatMap(ApiClient.make({ baseUrl: "http://api.test" }), (client) => client.get("/x")),
            FetchTransport.layer
          )
        })
      const received = yield* Effect.ensuring(
        Effect.all([receive(1), receive(2)]),
        Effect.sync(() => {
          globalThis.fetch = fetch
        })
      )
      expect(received).toEqual([1, 2])
    })
  )

  it.live("7.3 a fetch that throws synchronously is a ConnectionError", () =>
    Effect.gen(function* () {
      const layer = Layer.provide(
        FetchTransport.layer,
        Layer.succeed(FetchHttpClient.Fetch, () => {
          throw Object.assign(new Error("no network"), { code: "ECONNREFUSED" })
        })
      )
      const client = yield* Effect.provide(
        ApiClient.make({ baseUrl: "http://api.test", retry: { maxRetries: 0 } }),
        layer
      )
      expect(yield* Effect.flip(client.get("/x"))).toMatchObject({ _tag: "ConnectionError", kind: "refused" })
    })
  )
})

/** The ways in which a client reads a body. */
const readers = {
  value: (client: ApiClient.ApiClient) => client.get("/x"),
  download: (client: ApiClient.ApiClient) =>
    Effect.flatMap(client.get("/x", { success: ResponseDecoder.stream() }), Stream.runCollect),
  events: (client: ApiClient.ApiClient) =>
    Stream.runCollect(
      client.stream(ApiRequest.get("/x", { events: EventStream.make({ event: Schema.Number }) }))
    ),
  "platform's": (client: ApiClient.ApiClient) =>
    Effect.mapError(
      Effect.flatMap(ApiClient.httpClient(client).get("/x"), ({ text }) => text),
      ({ cause }) => cause
    )
}

describe.each([
  { name: "FetchTransport", transport: FetchTransport.layer },
  { name: "platform fetch", transport: FetchHttpClient.layer }
])("a Response of a mock or a polyfill, on $name", ({ transport }) => {
  const readThrough = (reader: keyof typeof readers, response: () => Response) => {
    const fetch = (): Promise<Response> => Promise.resolve(response())
    const layer = Layer.provide(transport, Layer.succeed(FetchHttpClient.Fetch, fetch))
    return Effect.flatMap(
      Effect.provide(ApiClient.make({ baseUrl: "http://api.test", retry: { initialDelay: 0 } }), layer),
      (client): Effect.Effect<unknown, unknown> => readers[reader](client)
    )
  }
  const headersFor = (reader: keyof typeof readers) =>
    new Headers({ "content-type": reader === "events" ? "text/event-stream" : "application/json" })
  const names = ["value", "download", "events", "platform's"] as const

  it.live.each(names)(
    "7.7 a body that gives no bytes is cancelled and fails with ERR_NOT_BYTES: %s",
    (reader) =>
      Effect.gen(function* () {
        for (const value of ["data: 1\n\n", 7, {}, null]) {
          let sent = 0
          let cancelled = false
          const error = yield* Effect.flip(
            readThrough(reader, () => {
              sent++
              const body = new ReadableStream<unknown>({
                start: (controller) => controller.enqueue(value),
                cancel: () => {
                  cancelled = true
                }
              })
              return new Response(body as ReadableStream<Uint8Array>, { headers: headersFor(reader) })
            })
          )
          expect(error).toMatchObject({ _tag: "ConnectionError", code: "ERR_NOT_BYTES" })
          expect(String(error)).toContain("must give bytes (Uint8Array)")
          expect([sent, cancelled]).toEqual([1, true])
        }
      })
  )

  /** A body that every reader reads as 42. */
  const bodyOf = (reader: keyof typeof readers) => (reader === "events" ? "data: 42\n\n" : "42")
  const expectRead = (reader: keyof typeof readers, result: unknown) => {
    const isStreamed = reader === "download" || reader === "events"
    expect(isStreamed ? [...(result as Iterable<unknown>)] : [result]).toEqual([
      { value: 42, download: new TextEncoder().encode("42"), events: 42, "platform's": "42" }[reader]
    ])
  }

  it.live.each(names)("8.2 headers without getSetCookie are accepted: %s", (reader) =>
    Effect.gen(function* () {
      const result = yield* readThrough(reader, () => {
        const headers = Object.assign(headersFor(reader), { getSetCookie: undefined })
        return Object.defineProperty(new Response(bodyOf(reader)), "headers", { value: headers })
      })
      expectRead(reader, result)
    })
  )

  it.live.each(names)("8.2 a body without a stream, as in React Native, is read at once: %s", (reader) =>
    Effect.gen(function* () {
      const result = yield* readThrough(reader, () => {
        const response = new Response(bodyOf(reader), { headers: headersFor(reader) })
        return Object.defineProperty(response, "body", { value: undefined })
      })
      expectRead(reader, result)
    })
  )
})
