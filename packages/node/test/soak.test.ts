import { describe, expect, it } from "@effect/vitest"
import { ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect, Either, Exit, Scope } from "effect"
import { clientOf, settled } from "./fixtures/clients.js"

const calls = 1000
const inFlight = 200

const ok = TestServer.json({ id: 1, title: "Buy milk" })
const faults = [
  TestServer.reset,
  TestServer.json({ error: { message: "busy" } }, { status: 503 }),
  TestServer.json({ error: { message: "slow" } }, { status: 429, headers: { "retry-after-ms": "2" } }),
  ok.pipe(TestServer.truncateAfter(4))
]

/** A server that fails one request in five. It counts the served and the rejected requests of each method. */
const troubled = Effect.gen(function* () {
  const counts = { served: 0, post: 0, get: 0, reset: 0 }
  let turns = 0
  const server = yield* TestServer.make((request) => {
    counts[request.method === "POST" ? "post" : "get"]++
    turns++
    const fault = turns % 5 === 0 ? faults[(turns / 5) % faults.length] : undefined
    if (fault === undefined) counts.served++
    if (fault === TestServer.reset) counts.reset++
    return fault ?? ok
  })
  return { server, counts }
})

const bytes = { success: ResponseDecoder.bytes }
const get = ApiRequest.get("/x", bytes)
const post = ApiRequest.post("/x", { body: { title: "Buy milk" }, ...bytes })

/** The resources that keep the process alive. */
const activeResources = (): { readonly sockets: number; readonly timers: number } => {
  const resources = process.getActiveResourcesInfo()
  return {
    sockets: resources.filter((name) => name === "TCPSocketWrap").length,
    timers: resources.filter((name) => name === "Timeout").length
  }
}

/** The same after the event loop has closed what is being destroyed. */
const activeResourcesWhen = (isSettled: (now: ReturnType<typeof activeResources>) => boolean) =>
  Effect.gen(function* () {
    let now = activeResources()
    for (let turns = 0; turns < 1000 && !isSettled(now); turns++) {
      yield* settled
      now = activeResources()
    }
    return now
  })

describe("a thousand calls, two hundred at a time, one in five of whose requests fails", () => {
  it.scopedLive(
    "6.8 each call ends in a success or a tagged error and leaves nothing behind",
    () =>
      Effect.gen(function* () {
        const troubles: Array<unknown> = []
        const note = (trouble: unknown): void => void troubles.push(trouble)
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            for (const event of ["unhandledRejection", "warning"]) process.on(event, note)
          }),
          () =>
            Effect.sync(() => {
              for (const event of ["unhandledRejection", "warning"]) process.off(event, note)
            })
        )
        const { counts, server } = yield* troubled
        const before = yield* activeResourcesWhen(({ sockets }) => sockets === 0)

        const scope = yield* Scope.make()
        const retry = { initialDelay: "1 millis", maxDelay: "5 millis" } as const
        const client = yield* Scope.extend(clientOf(server, { retry }), scope)
        const seen = { get: 0, post: 0 }
        const outcomes = yield* Effect.forEach(
          Array.from({ length: calls }, (_, call) => (call % 2 === 0 ? "get" : "post")),
          (method) =>
            Effect.map(
              Effect.either(client.executeWithResponse(method === "get" ? get : post)),
              (outcome) => {
                seen[method] += Either.merge(outcome).attempts.length
                return Either.isRight(outcome) ? "a success" : outcome.left
              }
            ),
          { concurrency: inFlight }
        )
        yield* Scope.close(scope, Exit.void)

        const failures = outcomes.filter((outcome) => outcome !== "a success")
        expect(outcomes).toHaveLength(calls)
        expect(failures.every(ApiError.isApiError)).toBe(true)
        expect(new Set(failures.map(({ stoppedBy }) => stoppedBy))).toEqual(new Set(["attempts"]))
        expect(calls - failures.length).toBe(counts.served)
        // The ledger lists every POST that arrived. A GET is replayed if its connection was reset.
        expect(seen.post).toBe(counts.post)
        expect(counts.get - seen.get).toBeGreaterThanOrEqual(0)
        expect(counts.get - seen.get).toBeLessThanOrEqual(counts.reset)

        expect(yield* server.awaitOpenSockets((open) => open === 0)).toBe(0)
        const after = yield* activeResourcesWhen(
          ({ sockets, timers }) => sockets === 0 && timers <= before.timers
        )
        expect(after.sockets).toBe(0)
        expect(after.timers).toBeLessThanOrEqual(before.timers)
        expect(troubles).toEqual([])
      }),
    60_000
  )
})
