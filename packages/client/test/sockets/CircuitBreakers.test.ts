/** Circuit breakers on real sockets: one origin is dead, one is well. */
import { describe, expect, it } from "@effect/vitest"
import { type ApiClient, ApiRequest, CircuitBreaker, EventStream, PromiseClient } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect, Either, Schema, Stream } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { everyTransport } from "../fixtures/transports.js"

const list = ApiRequest.get("/todos")
const events = ApiRequest.get("/events", { events: EventStream.make({ event: Schema.Number }) })

/** Starts a server and stops it: nobody listens at its port. */
const deadUrl = Effect.scoped(Effect.map(TestServer.make({}), ({ url }) => url))

const well = TestServer.make({
  "GET /todos": TestServer.json([]),
  "GET /events": TestServer.chunks(["data: 1\n\n"], { headers: { "content-type": "text/event-stream" } })
})

const ways: ReadonlyArray<{
  readonly way: string
  readonly call: (
    client: ApiClient.ApiClient,
    url: string
  ) => Effect.Effect<unknown, { readonly _tag: string }>
}> = [
  { way: "execute", call: (client, url) => client.execute(ApiRequest.atUrl(list, `${url}/todos`)) },
  {
    way: "a stream",
    call: (client, url) => Stream.runCollect(client.stream(ApiRequest.atUrl(events, `${url}/events`)))
  }
]

describe.each(everyTransport)("on $name", ({ layer }) => {
  it.scopedLive.each(ways)(
    "6.25 a dead origin fails at once through $way, and the other goes on",
    ({ call }) =>
      Effect.gen(function* () {
        const server = yield* well
        const dead = yield* deadUrl
        const client = yield* clientOf(server, {
          circuitBreaker: CircuitBreaker.make({ consecutiveFailures: 3, openFor: "1 hour" }),
          retry: { initialDelay: 0, maxRetries: 1, budget: { capacity: 10 } }
        })
        const tags = yield* Effect.forEach(Array.from({ length: 10 }), () =>
          Effect.map(
            Effect.either(call(client, dead)),
            Either.match({ onLeft: ({ _tag }) => _tag, onRight: () => "ok" })
          )
        )
        // Two attempts, and then one and a refusal. A proxy responds with a 502.
        expect(tags[0]).toMatch(/ConnectionError|InternalServerError/)
        expect(tags.slice(1)).toEqual(Array.from({ length: 9 }, () => "CircuitOpenError"))
        yield* Effect.forEach(Array.from({ length: 10 }), () => call(client, server.url))
        expect(yield* server.requestCount).toBe(10)
      }).pipe(Effect.provide(layer))
  )
})

describe.each(everyTransport)("on $name", ({ layer }) => {
  it.scopedLive.each([{ total: 40 }, { response: 40 }])("6.25 a silent server is down, by %j", (timeouts) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "GET /todos": () => new Promise<never>(() => {}) })
      const client = yield* clientOf(server, {
        circuitBreaker: CircuitBreaker.make({ consecutiveFailures: 1, openFor: "1 hour" }),
        retry: { maxRetries: 0 },
        timeouts
      })
      const [first, , third] = yield* Effect.forEach([1, 2, 3], () => Effect.flip(client.execute(list)))
      expect(first).toMatchObject({ _tag: "TimeoutError" })
      // The second may be sent: where no timer of the transport ends a call, its attempt ends after it.
      expect(third).toMatchObject({ _tag: "CircuitOpenError", cause: { _tag: "TimeoutError" } })
    }).pipe(Effect.provide(layer))
  )
})

describe("a promise client", () => {
  it.scopedLive("6.25 rejects with the error itself", () =>
    Effect.gen(function* () {
      const dead = yield* deadUrl
      const client = PromiseClient.make({
        baseUrl: dead,
        circuitBreaker: CircuitBreaker.make({ consecutiveFailures: 1, openFor: "1 hour" }),
        retry: { maxRetries: 0 }
      })
      const call = Effect.promise(() =>
        client.execute(list).then(
          () => undefined,
          (error: unknown) => error
        )
      )
      expect(yield* call).toMatchObject({ _tag: "ConnectionError" })
      expect(yield* call).toMatchObject({
        _tag: "CircuitOpenError",
        origin: dead,
        cause: { _tag: "ConnectionError", kind: "refused", request: { url: dead } }
      })
      const read = Effect.promise(async () => {
        try {
          for await (const _ of client.stream(events)) return undefined
        } catch (error) {
          return error
        }
        return undefined
      })
      expect(yield* read).toMatchObject({ _tag: "CircuitOpenError" })
      yield* Effect.promise(() => client.close())
    })
  )
})
