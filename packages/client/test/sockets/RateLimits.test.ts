/** The client's own limits on real sockets, through each way in. */

import { HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  ApiRequest,
  EventStream,
  PromiseClient,
  RateLimit,
  ResponseDecoder
} from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect, Schema, Stream } from "effect"
import { countsOf, labelled } from "../fixtures/metrics.js"
import { clientOf } from "../fixtures/sockets.js"
import { everyTransport } from "../fixtures/transports.js"

const download = ApiRequest.get("/todos", { success: ResponseDecoder.stream() })
const events = ApiRequest.get("/events", { events: EventStream.make({ event: Schema.Number }) })

const ways: ReadonlyArray<{
  readonly way: string
  readonly call: (client: ApiClient.ApiClient) => Effect.Effect<unknown, unknown>
}> = [
  { way: "execute", call: (client) => client.execute(ApiRequest.get("/todos")) },
  {
    way: "the plain HttpClient",
    call: (client) => Effect.flatMap(ApiClient.httpClient(client).get("/todos"), ({ json }) => json)
  },
  {
    way: "a download",
    call: (client) => Effect.flatMap(client.execute(download), Stream.runDrain)
  },
  { way: "a stream", call: (client) => Stream.runCollect(client.stream(events)) }
]

/** A server that counts the requests in progress, and refuses those that come too soon after a 429. */
const makeServer = (refusals: number, millis: number) => {
  let open = 0
  let refused = 0
  let until = 0
  const seen = { most: 0, early: 0 }
  const reply = (success: TestServer.Reply): TestServer.Reply => {
    const now = performance.now()
    if (now < until) seen.early++
    if (refused >= refusals) return success
    refused++
    until = now + millis
    return TestServer.json({}, { status: 429, headers: { "retry-after-ms": String(millis) } })
  }
  const slowly = (success: TestServer.Reply) => async (): Promise<TestServer.Reply> => {
    seen.most = Math.max(seen.most, ++open)
    await new Promise((resolve) => setImmediate(resolve))
    open--
    return reply(success)
  }
  const stream = TestServer.chunks(["data: 1\n\n", "data: 2\n\n"], {
    headers: { "content-type": "text/event-stream" }
  })
  return Effect.map(
    TestServer.make({ "GET /todos": slowly(TestServer.json([])), "GET /events": slowly(stream) }),
    (server) => ({ seen, server })
  )
}

/** Responses that nobody reads, since they have no body. */
const unread = [
  { what: "a HEAD", method: "HEAD", reply: TestServer.json([1]) },
  { what: "a 204", method: "DELETE", reply: TestServer.empty(204) },
  { what: "a 205", method: "PUT", reply: TestServer.empty(205) },
  { what: "a 304", method: "GET", reply: TestServer.empty(304) },
  { what: "an empty body", method: "POST", reply: TestServer.text("") }
] as const

describe.each(everyTransport)("on $name", ({ layer, name }) => {
  it.scopedLive.each(unread)("6.20 $what that nobody reads keeps no place", ({ method, reply }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "GET /todos": TestServer.json([]), "*": reply })
      const client = yield* clientOf(server, { rateLimit: RateLimit.make({ concurrency: 1 }) })
      const fetch = yield* PromiseClient.toFetch(client, { reject: () => false })
      const plain = ApiClient.httpClient(client)
      const kept: Array<unknown> = []
      for (let n = 0; n < 3; n++) {
        if (name !== "NodeTransport in another thread")
          kept.push(yield* Effect.promise(() => fetch(`/nothing/${n}`, { method })))
        kept.push(yield* Effect.either(plain.execute(HttpClientRequest.make(method)(`/nothing/${n}`))))
      }
      yield* client.execute(ApiRequest.get("/todos"))
      expect(kept.length).toBeGreaterThan(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each(ways)(
    "6.20 at most three requests are in flight through $way, and every place comes back",
    ({ call }) =>
      Effect.gen(function* () {
        const { seen, server } = yield* makeServer(0, 0)
        const client = yield* clientOf(server, { rateLimit: RateLimit.make({ concurrency: 3 }) })
        yield* Effect.forEach(Array.from({ length: 40 }), () => call(client), { concurrency: "unbounded" })
        expect(seen.most).toBeLessThanOrEqual(3)
        expect(yield* server.requestCount).toBe(40)
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each(ways)(
    "6.23 a 429 holds back the calls that come after it through $way",
    ({ call, way }) =>
      Effect.gen(function* () {
        const { seen, server } = yield* makeServer(1, 100)
        const client = yield* clientOf(server, { retry: { jitter: 0 } })
        const first = call(client.withOptions({ retry: { maxRetries: 0 } }))
        expect(yield* Effect.either(first.pipe(labelled(`${way} ${name}`)))).toBeDefined()
        expect(countsOf("http.client.rate_limit.refusals", `${way} ${name}`)).toEqual([1])
        yield* Effect.forEach(Array.from({ length: 10 }), () => call(client), { concurrency: "unbounded" })
        expect(seen.early).toBe(0)
        expect(yield* server.requestCount).toBe(11)
      }).pipe(Effect.provide(layer))
  )
})
