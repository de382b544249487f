import { expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, EventStream } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { TestServer } from "@effect-api/testing"
import { Effect, Schema, Stream } from "effect"

it.scopedLive("carries a call, a retry and a stream", () =>
  Effect.gen(function* () {
    const sse = { headers: { "content-type": "text/event-stream" } }
    const server = yield* TestServer.make({
      "GET /x": TestServer.sequence(TestServer.empty(503, { "retry-after-ms": "1" }), TestServer.reset, TestServer.json({ a: 1 })),
      "GET /s": TestServer.chunks(['data: {"n":1}\n\n', 'data: {"n":2}\n\n', "data: [DONE]\n\n"], sse)
    })
    const client = yield* ApiClient.make({ baseUrl: server.url, retry: { initialDelay: "1 millis" } })
    const response = yield* client.executeWithResponse(ApiRequest.get("/x"))
    expect(response.value).toEqual({ a: 1 })
    expect(response.attempts.map((attempt) => attempt.tag)).toEqual(["ServiceUnavailableError", "ConnectionError", undefined])
    const events = EventStream.make({ event: Schema.Struct({ n: Schema.Number }), terminal: "[DONE]" })
    const seen = yield* Stream.runCollect(client.stream(ApiRequest.get("/s", { events })))
    expect([...seen]).toEqual([{ n: 1 }, { n: 2 }])
  }).pipe(Effect.provide(NodeTransport.layer))
)
