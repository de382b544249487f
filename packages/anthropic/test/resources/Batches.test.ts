import { describe, expect, it } from "@effect/vitest"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Clock, Effect, Fiber, Stream, TestClock } from "effect"
import { params, scripted } from "../fixtures/client.js"
import { batch, failure, message } from "../fixtures/responses.js"

const ended = {
  ...batch,
  processing_status: "ended",
  ended_at: "2025-01-01T01:00:00Z",
  results_url: "https://api.anthropic.com/v1/messages/batches/msgbatch_01/results"
}

const seen = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  requests.map(({ method, url }) => `${method} ${url.replace("https://api.anthropic.com", "")}`)

describe("batches", () => {
  it.effect("5.1 create sends the requests with their ids", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json(batch)])
      // No connection waits for them, so they may be of any length.
      const requests = [{ custom_id: "first", params: { ...params, max_tokens: 128_000 } }]
      expect(yield* anthropic.messages.batches.create({ requests })).toEqual(batch)
      const sent = yield* transport.requests
      expect(seen(sent)).toEqual(["POST /v1/messages/batches"])
      expect(sent[0]?.json).toEqual({ requests })
    })
  )

  it.effect("8.4 retrieve, cancel and del return the batch", () =>
    Effect.gen(function* () {
      const canceling = { ...batch, processing_status: "canceling", tomorrow: 1 }
      const gone = { id: batch.id, type: "message_batch_deleted" }
      const { anthropic, transport } = yield* scripted(
        [ended, canceling, gone].map((body) => MockTransport.json(body))
      )
      expect(yield* anthropic.messages.batches.retrieve(batch.id)).toEqual(ended)
      expect(yield* anthropic.messages.batches.cancel(batch.id)).toEqual(canceling)
      expect(yield* anthropic.messages.batches.del(batch.id)).toEqual(gone)
      expect(seen(yield* transport.requests)).toEqual([
        "GET /v1/messages/batches/msgbatch_01",
        "POST /v1/messages/batches/msgbatch_01/cancel",
        "DELETE /v1/messages/batches/msgbatch_01"
      ])
    })
  )

  it.effect("11.3 list reads all pages", () =>
    Effect.gen(function* () {
      const page = (id: string, has_more: boolean) =>
        MockTransport.json({ data: [{ ...batch, id }], has_more, first_id: id, last_id: id })
      const { anthropic, transport } = yield* scripted([page("a", true), page("b", false)])
      const batches = yield* Stream.runCollect(anthropic.messages.batches.list({ limit: 1 }))
      expect(Chunk.toReadonlyArray(batches).map(({ id }) => id)).toEqual(["a", "b"])
      expect(seen(yield* transport.requests)).toEqual([
        "GET /v1/messages/batches?limit=1",
        "GET /v1/messages/batches?limit=1&after_id=a"
      ])
    })
  )
})

describe("a wait for a batch", () => {
  const counted = (processing: number) =>
    MockTransport.json({ ...batch, request_counts: { ...batch.request_counts, processing } })

  it.effect("11.5 polls after 5 seconds, then at most every minute, until it has ended", () =>
    Effect.gen(function* () {
      const script = [...[6, 5, 4, 3, 2, 1].map(counted), MockTransport.json(ended)]
      const { anthropic, transport } = yield* scripted(script)
      const start = yield* Clock.currentTimeMillis
      const options = { jitter: 0, betas: ["batches-2030-01-01"] }
      const fiber = yield* Effect.fork(anthropic.messages.batches.untilEnded(batch.id, options))
      yield* TestClock.adjust("1 hour")
      expect(yield* Fiber.join(fiber)).toEqual(ended)
      const sent = yield* transport.requests
      expect(sent.map(({ at }) => (at - start) / 1000)).toEqual([0, 5, 15, 35, 75, 135, 195])
      expect(new Set(seen(sent))).toEqual(new Set(["GET /v1/messages/batches/msgbatch_01"]))
      expect(sent[6]?.headers["anthropic-beta"]).toBe("batches-2030-01-01")
    })
  )

  it.effect("11.5 watch emits the batch at each poll", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([counted(2), counted(1), MockTransport.json(ended)])
      const counts = anthropic.messages.batches
        .watch(batch.id)
        .pipe(Stream.map(({ request_counts }) => request_counts.processing))
      const fiber = yield* Effect.fork(Stream.runCollect(counts))
      yield* TestClock.adjust("1 hour")
      expect(Chunk.toReadonlyArray(yield* Fiber.join(fiber))).toEqual([2, 1, ended.request_counts.processing])
    })
  )

  it.effect("11.6 fails with a PollingTimeoutError after its timeout", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.forever(counted(1))])
      const waiting = anthropic.messages.batches.untilEnded(batch.id, { timeout: "10 minutes" })
      const fiber = yield* Effect.fork(Effect.flip(waiting))
      yield* TestClock.adjust("10 minutes")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "PollingTimeoutError", stoppedBy: "deadline" })
    })
  )
})

describe("the results of a batch", () => {
  const lines = [
    { custom_id: "a", result: { type: "succeeded", message: { ...message, mood: "good" } } },
    { custom_id: "b", result: { type: "errored", error: failure("invalid_request_error") } },
    { custom_id: "c", result: { type: "canceled" } },
    { custom_id: "d", result: { type: "expired" } },
    { custom_id: "e", result: { type: "postponed", until: "noon" } }
  ]

  const body = lines.map((line) => JSON.stringify(line)).join("\n")

  it.effect.each([
    "application/x-jsonl",
    "application/binary",
    "application/octet-stream",
    "text/plain; charset=utf-8"
  ])("10 arrive line by line, split anywhere, as %s", (type) =>
    Effect.gen(function* () {
      const cut = [body.slice(0, 7), body.slice(7, 400), body.slice(400)]
      const { anthropic, transport } = yield* scripted([
        MockTransport.stream(cut, { headers: { "content-type": type } })
      ])
      const results = yield* Stream.runCollect(anthropic.messages.batches.results(batch.id))
      expect(Chunk.toReadonlyArray(results)).toEqual(lines)
      const sent = yield* transport.requests
      expect(seen(sent)).toEqual(["GET /v1/messages/batches/msgbatch_01/results"])
      expect(sent[0]?.headers["accept"]).toBe("application/binary")
    })
  )

  it.effect.each([
    ["an invalid result", { custom_id: "a", result: { type: "succeeded" } }],
    ["a line without a name", { result: { type: "canceled" } }]
  ] as const)("10 fail for %s", ([, line]) =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.stream([JSON.stringify(line)])])
      const error = yield* Effect.flip(Stream.runDrain(anthropic.messages.batches.results(batch.id)))
      expect(error._tag).toBe("StreamProtocolError")
    })
  )

  it.effect("7.1 are not available before the batch has ended", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.json(failure("not_found_error"), { status: 404 })])
      const error = yield* Effect.flip(Stream.runDrain(anthropic.messages.batches.results(batch.id)))
      expect(error._tag).toBe("NotFoundError")
    })
  )
})
