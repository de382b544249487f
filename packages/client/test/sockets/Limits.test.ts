/** Timeouts apply in every region, and release what they end. */
import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, type ApiConfig, ApiRequest, EventStream, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Duration, Effect, Exit, Scope, Stream } from "effect"
import { reasonOf } from "../fixtures/reasons.js"
import { regions } from "../fixtures/regions.js"
import type { Run } from "../fixtures/runs.js"
import { clientOf } from "../fixtures/sockets.js"
import { Tick, tick } from "../fixtures/streams.js"
import { everyTransport } from "../fixtures/transports.js"

/** Long enough to reach the server on a busy machine. */
const brief = Duration.millis(250)
/** `total` includes the connection, which takes longer on such a machine. */
const total = Duration.millis(600)
const long = Duration.minutes(1)
const text = TestServer.json("0123456789")
const events = TestServer.chunks([tick(1), tick(2)], { headers: { "content-type": "text/event-stream" } })
const silentEvents = TestServer.stallAfter(events, tick(1).length)
const once = { maxRetries: 0 } as const

const get: Run = (client) => client.get("/x")
const download: Run = (client) =>
  Effect.flatMap(client.get("/x", { success: ResponseDecoder.stream() }), Stream.runDrain)
const read: Run = (client) =>
  Effect.flatMap(ApiClient.httpClient(client).get("/x"), (response) => response.text)
const follow =
  (limits: object = {}): Run =>
  (client) =>
    Stream.runDrain(
      client.stream(ApiRequest.get("/x", { events: EventStream.make({ event: Tick, ...limits }) }))
    )

const limits: ReadonlyArray<{
  readonly limit: string
  readonly reply: TestServer.Reply
  readonly timeouts: ApiConfig.Options["timeouts"]
  readonly run: Run
  readonly phase: string
}> = [
  { limit: "response", reply: TestServer.never, timeouts: { response: brief }, run: get, phase: "response" },
  {
    limit: "idle",
    reply: TestServer.stallAfter(text, 4),
    timeouts: { idle: brief },
    run: get,
    phase: "idle"
  },
  {
    limit: "total, before the head",
    reply: TestServer.never,
    timeouts: { total },
    run: get,
    phase: "total"
  },
  {
    limit: "total, in a body",
    reply: TestServer.stallAfter(text, 4),
    timeouts: { total },
    run: get,
    phase: "total"
  },
  {
    limit: "idle of a download",
    reply: TestServer.stallAfter(text, 4),
    timeouts: { idle: brief },
    run: download,
    phase: "idle"
  },
  {
    limit: "total of a download",
    reply: TestServer.stallAfter(text, 4),
    timeouts: { total },
    run: download,
    phase: "total"
  },
  {
    limit: "response of a download",
    reply: TestServer.never,
    timeouts: { response: brief },
    run: download,
    phase: "response"
  },
  {
    limit: "firstEventTimeout",
    reply: TestServer.stallAfter(events, 0),
    timeouts: {},
    run: follow({ firstEventTimeout: brief }),
    phase: "first-event"
  },
  {
    limit: "contentTimeout",
    reply: silentEvents,
    timeouts: {},
    run: follow({ contentTimeout: brief }),
    phase: "content-idle"
  },
  {
    limit: "idleTimeout",
    reply: silentEvents,
    timeouts: {},
    run: follow({ idleTimeout: brief }),
    phase: "idle"
  },
  {
    limit: "total of a stream",
    reply: silentEvents,
    timeouts: { total },
    run: follow(),
    phase: "total"
  }
]

describe.each(everyTransport)("on $name", ({ layer }) => {
  const served = (reply: TestServer.Handler, options: Partial<ApiConfig.Options> = {}) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": reply })
      return { server, client: yield* clientOf(server, { retry: once, ...options }) }
    })

  it.scopedLive.each(regions)(
    "6.15 every timeout ends its call in $region and closes the connection",
    ({ runIn }) =>
      Effect.gen(function* () {
        yield* Effect.flatMap(served(text), ({ client }) => get(client))
        for (const { limit, phase, reply, run, timeouts } of limits) {
          const { client, server } = yield* served(reply, { timeouts })
          const error = yield* Effect.flip(runIn(run(client)))
          expect([limit, error]).toEqual([limit, expect.objectContaining({ _tag: "TimeoutError", phase })])
          expect(yield* server.awaitClosed(0)).toBe("client")
        }
        // A platform error has ours as its cause.
        const { client } = yield* served(TestServer.stallAfter(text, 4), { timeouts: { total } })
        expect(yield* Effect.flip(runIn(read(client)))).toMatchObject({ cause: { phase: "total" } })
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each(regions)(
    "6.8 an error's stalled body does not delay a retry for long, in $region",
    ({ runIn }) =>
      Effect.gen(function* () {
        const stalled = TestServer.stallAfter(TestServer.json({}, { status: 503 }), 1)
        const { client, server } = yield* served(TestServer.sequence(stalled, text), {
          timeouts: { idle: brief },
          retry: { initialDelay: 0 }
        })
        expect(yield* runIn(get(client))).toBe("0123456789")
        expect(yield* server.awaitClosed(0)).toBe("client")
      }).pipe(Effect.provide(layer))
  )

  const big = TestServer.bytes(new Uint8Array(16 * 1024 * 1024))
  const openDownload = (client: ApiClient.ApiClient) =>
    client.get("/x", { success: ResponseDecoder.stream() })

  it.scopedLive("6.15 an unread download closes its connection after idle", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(big, { timeouts: { idle: brief } })
      const stream = yield* openDownload(client)
      expect(yield* server.awaitClosed(0)).toBe("client")
      // Bytes that arrived before the timeout may still be emitted.
      expect(yield* Effect.flip(Stream.runDrain(stream))).toMatchObject({
        _tag: "TimeoutError",
        phase: "idle"
      })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.15 a download read with take(0) closes its connection after idle", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(big, { timeouts: { idle: brief } })
      yield* Stream.runDrain(Stream.take(yield* openDownload(client), 0))
      expect(yield* server.awaitClosed(0)).toBe("client")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.15 an unread response of the HttpClient closes its connection after idle", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(big, { timeouts: { idle: brief } })
      const response = yield* ApiClient.httpClient(client).get("/x")
      expect(yield* server.awaitClosed(0)).toBe("client")
      expect(yield* Effect.flip(response.text)).toMatchObject({
        cause: { _tag: "TimeoutError", phase: "idle" }
      })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.5 total ends an unread download", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(big, { timeouts: { total: Duration.seconds(1) } })
      const stream = yield* openDownload(client)
      expect(yield* server.awaitClosed(0)).toBe("client")
      expect(yield* Effect.flip(Stream.runDrain(stream))).toMatchObject({
        _tag: "TimeoutError",
        phase: "total"
      })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("10.7 closing the scope ends a request and a body (HttpClient.withScope)", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(TestServer.sequence(big, TestServer.never), {
        timeouts: { idle: long }
      })
      const http = HttpClient.withScope(ApiClient.httpClient(client))
      const scope = yield* Scope.make()
      const response = yield* Scope.extend(http.get("/x"), scope)
      yield* Scope.close(scope, Exit.void)
      expect(yield* server.awaitClosed(0)).toBe("client")
      expect((yield* Effect.exit(response.text))._tag).toBe("Failure")
      const other = yield* Scope.make()
      const fiber = yield* Effect.fork(Effect.flip(Scope.extend(http.get("/x"), other)))
      yield* server.awaitExchange(1, () => true)
      yield* Scope.close(other, Exit.void)
      expect(reasonOf(yield* fiber)).toBe("sending: Transport")
      expect(yield* server.awaitClosed(1)).toBe("client")
    }).pipe(Effect.provide(layer))
  )
})
