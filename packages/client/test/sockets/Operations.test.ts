import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, Credentials, Polling, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Chunk, Effect, Fiber, Redacted, Stream } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { direct } from "../fixtures/transports.js"

const start = ApiRequest.post("/reports", { body: { year: 2026 } })
const state = ApiRequest.get("/state", {
  success: ResponseDecoder.json,
  headers: { "x-tenant": Redacted.make("s3cret-tenant") }
})
const soon = { initialDelay: "1 millis" } as const
const accepted = (headers: Record<string, string>) => TestServer.empty(202, headers)
const finished = TestServer.json({ total: 7 })
const byKey = { credentials: Credentials.bearer(Redacted.make("s3cret-key")) }

const lines = (requests: ReadonlyArray<TestServer.SeenRequest>) =>
  requests.map(({ method, url }) => `${method} ${url}`)

describe.each(direct)("over $name", ({ layer }) => {
  it.scopedLive("11.7 polls the location of a 202, after redirects", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "POST /reports": TestServer.empty(307, { location: "/v2/reports" }),
        "POST /v2/reports": accepted({ location: "jobs/1", "retry-after-ms": "5" }),
        "GET /v2/jobs/1": TestServer.sequence(TestServer.empty(302, { location: "/v3/jobs/1" }), finished),
        "GET /v3/jobs/1": accepted({})
      })
      const client = yield* clientOf(server)
      const values = yield* Stream.runCollect(client.watch(Polling.operation(start, state, soon)))
      expect(Chunk.toReadonlyArray(values)).toEqual([undefined, { total: 7 }])
      expect(lines(yield* server.requests)).toEqual([
        "POST /reports",
        "POST /v2/reports",
        "GET /v2/jobs/1",
        "GET /v3/jobs/1",
        "GET /v2/jobs/1"
      ])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.1 another origin gets no secret, nor does an origin that it names", () =>
    Effect.gen(function* () {
      const home = yield* TestServer.make({ "GET /deleted": finished })
      const other = yield* TestServer.make({ "GET /op": accepted({ location: `${home.url}/deleted` }) })
      const started = yield* TestServer.make({ "POST /reports": accepted({ location: `${other.url}/op` }) })
      const client = yield* clientOf(started, { ...byKey, trustedOrigins: [home.url] })
      const value = yield* client.poll(Polling.operation(start, state, soon))
      expect(value).toEqual({ total: 7 })
      expect((yield* started.requests)[0]?.headers.authorization).toBe("Bearer s3cret-key")
      for (const server of [other, home]) {
        const seen = yield* server.requests
        expect(seen).toHaveLength(1)
        expect(JSON.stringify(seen)).not.toContain("s3cret")
      }
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.6 an interruption closes a poll in flight", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "GET /state": TestServer.never })
      const client = yield* clientOf(server)
      const fiber = yield* Effect.fork(client.poll(Polling.until(state, { done: () => true })))
      yield* server.awaitRequests(1)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.7 the URL of a response is the one after redirects", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "GET /a": TestServer.empty(302, { location: "/b?page=2&token=s3cret-of-url" }),
        "GET /b": finished
      })
      const client = yield* clientOf(server)
      const { url } = yield* client.executeWithResponse(ApiRequest.get("/a"))
      expect(url).toBe(`${server.url}/b?page=2&token=<redacted>`)
    }).pipe(Effect.provide(layer))
  )
})
