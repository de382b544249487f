import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { transports } from "../fixtures/transports.js"

const concurrency = 16

/** The pool of undici opens another socket where the one that has just answered is not free yet. */
const pool = 2 * concurrency

/** Each todo is refused once. */
const refusingOnce = (refusal: TestServer.Reply) => {
  const asked = new Set<string | undefined>()
  return TestServer.make({
    "GET /todos/{id}": ({ params }) => {
      if (asked.has(params["id"])) return TestServer.json({ id: Number(params["id"]), title: "Buy milk" })
      asked.add(params["id"])
      return refusal
    }
  })
}

const busy = { error: { message: "busy" } }

const refusals: ReadonlyArray<{
  readonly refusal: string
  readonly reply: TestServer.Reply
  readonly calls: number | "many"
  /** Whether the answer is read to its end, so that its socket can be used again. */
  readonly kept: boolean
}> = [
  { refusal: "JSON", reply: TestServer.json(busy, { status: 503 }), calls: "many", kept: true },
  { refusal: "nothing", reply: TestServer.empty(503), calls: 48, kept: true },
  {
    refusal: "chunks",
    reply: TestServer.chunks(["bu", "sy"], { status: 503 }),
    calls: 48,
    kept: true
  },
  {
    refusal: "a mebibyte",
    reply: TestServer.text("x".repeat(1024 * 1024), { status: 503 }),
    calls: 64,
    kept: false
  },
  {
    refusal: "a body that is cut off",
    reply: TestServer.json(busy, { status: 503 }).pipe(TestServer.truncateAfter(4)),
    calls: 64,
    kept: false
  }
]

const ways: ReadonlyArray<{
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

describe.each(transports)("on $name", ({ layer, leakCalls }) => {
  describe.each(ways)("by $way", ({ get, way }) => {
    it.scopedLive.each(refusals)(
      "6.8 retried calls leave no socket but the pool's: refused with $refusal",
      ({ calls, kept, reply }) =>
        Effect.gen(function* () {
          const count = calls !== "many" ? calls : way === "execute" ? leakCalls : 100
          const server = yield* refusingOnce(reply)
          const client = yield* clientOf(server, { retry: { initialDelay: 0, budget: false } })
          yield* Effect.forEach(
            Array.from({ length: count }, (_, id) => id),
            (id) => Effect.map(get(client, id), (todo) => expect(todo).toEqual({ id, title: "Buy milk" })),
            { concurrency, discard: true }
          )
          expect(yield* server.requestCount).toBe(2 * count)
          expect(yield* server.awaitOpenSockets((open) => open <= pool)).toBeLessThanOrEqual(pool)
          // To let go of an answer that has been read whole does not cost its socket.
          if (kept) expect(yield* server.socketsSeen).toBeLessThanOrEqual(pool)
        }).pipe(Effect.provide(layer)),
      60_000
    )
  })
})
