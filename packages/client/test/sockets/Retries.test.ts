import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { everyTransport } from "../fixtures/transports.js"

const concurrency = 16

/** Undici opens another socket if the last one is not free yet. */
const pool = 2 * concurrency

/** Rejects the first request for each todo. */
const rejectOnce = (refusal: TestServer.Reply) => {
  const seen = new Set<string | undefined>()
  return TestServer.make({
    "GET /todos/{id}": ({ params }) => {
      if (seen.has(params["id"])) return TestServer.json({ id: Number(params["id"]), title: "Buy milk" })
      seen.add(params["id"])
      return refusal
    }
  })
}

const busy = { error: { message: "busy" } }

const refusals: ReadonlyArray<{
  readonly refusal: string
  readonly reply: TestServer.Reply
  readonly calls: number | "many"
  /** Whether the response is read to its end, so that its socket is reused. */
  readonly kept: boolean
}> = [
  { refusal: "JSON", reply: TestServer.json(busy, { status: 503 }), calls: "many", kept: true },
  { refusal: "an empty body", reply: TestServer.empty(503), calls: 48, kept: true },
  {
    refusal: "chunks",
    reply: TestServer.chunks(["bu", "sy"], { status: 503 }),
    calls: 48,
    kept: true
  },
  {
    refusal: "1 MiB",
    reply: TestServer.text("x".repeat(1024 * 1024), { status: 503 }),
    calls: 64,
    kept: false
  },
  {
    refusal: "a truncated body",
    reply: TestServer.json(busy, { status: 503 }).pipe(TestServer.truncateAfter(4)),
    calls: 64,
    kept: false
  }
]

const interfaces: ReadonlyArray<{
  readonly way: string
  readonly get: (client: ApiClient.ApiClient, id: number) => Effect.Effect<unknown, unknown>
}> = [
  { way: "execute", get: (client, id) => client.execute(ApiRequest.get("/todos/{id}", { path: { id } })) },
  {
    way: "the plain HttpClient",
    get: (client, id) =>
      Effect.flatMap(ApiClient.httpClient(client).get(`/todos/${id}`), (response) => response.json)
  }
]

describe.each(everyTransport)("on $name", ({ layer, leakCalls }) => {
  describe.each(interfaces)("through $way", ({ get, way }) => {
    it.scopedLive.each(refusals)(
      "6.8 retried calls keep only the pool's sockets: rejected with $refusal",
      ({ calls, kept, reply }) =>
        Effect.gen(function* () {
          const count = calls !== "many" ? calls : way === "execute" ? leakCalls : 100
          const server = yield* rejectOnce(reply)
          const client = yield* clientOf(server, { retry: { initialDelay: 0, budget: false } })
          yield* Effect.forEach(
            Array.from({ length: count }, (_, id) => id),
            (id) => Effect.map(get(client, id), (todo) => expect(todo).toEqual({ id, title: "Buy milk" })),
            { concurrency, discard: true }
          )
          expect(yield* server.requestCount).toBe(2 * count)
          expect(yield* server.awaitOpenSockets((open) => open <= pool)).toBeLessThanOrEqual(pool)
          // Discarding a response that was read to its end keeps its socket.
          if (kept) expect(yield* server.socketsSeen).toBeLessThanOrEqual(pool)
        }).pipe(Effect.provide(layer)),
      60_000
    )
  })
})
