import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, EventStream, Pagination, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema, Stream } from "effect"
import { scripted, withoutDelay } from "../fixtures/requests.js"

class Pending extends Schema.TaggedError<Pending>()("Pending", { message: Schema.String }) {}
class Nothing extends Schema.TaggedError<Nothing>()("Nothing", {}) {}

const failure = { 202: Pending, 204: Nothing }
const accepted = MockTransport.json({ message: "queued" }, { status: 202 })
const plain = ApiRequest.get("/job", { failure })
const page = Schema.Struct({ data: Schema.Array(Schema.Number) })

const ways: ReadonlyArray<
  readonly [
    name: string,
    run: (
      client: Effect.Effect.Success<ReturnType<typeof scripted>>["client"]
    ) => Effect.Effect<unknown, unknown>
  ]
> = [
  ["execute", (client) => client.execute(plain)],
  ["executeWithResponse", (client) => client.executeWithResponse(plain)],
  ["a verb", (client) => client.get("/job", { failure })],
  [
    "a download",
    (client) => client.execute(ApiRequest.get("/job", { failure, success: ResponseDecoder.stream() }))
  ],
  [
    "a stream",
    (client) =>
      Stream.runCollect(
        client.stream(ApiRequest.get("/job", { failure, events: EventStream.make({ event: Schema.Number }) }))
      )
  ],
  [
    "pages",
    (client) =>
      Stream.runCollect(
        client.items(
          ApiRequest.get("/job", { failure, success: page }).pipe(
            ApiRequest.paginate(Pagination.cursor({ items: ({ data }) => data }))
          )
        )
      )
  ]
]

describe.each(ways)("a success that failure names, by %s", (_, run) => {
  const ended = (script: MockTransport.Script) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(script, { retry: { ...withoutDelay, maxRetries: 2 } })
      return { error: yield* Effect.flip(run(client)), requests: yield* transport.requestCount }
    })

  it.effect("7.5 is the caller's own error", () =>
    Effect.gen(function* () {
      expect(yield* ended([accepted])).toEqual({ error: new Pending({ message: "queued" }), requests: 1 })
      expect(yield* ended([MockTransport.empty(204)])).toEqual({ error: new Nothing(), requests: 1 })
      expect((yield* ended([MockTransport.empty(503), accepted])).requests).toBe(2)
    })
  )

  it.effect("7.5 is never retried, whatever the server says", () =>
    Effect.gen(function* () {
      const step = MockTransport.json(
        { message: "queued", error: { type: "overloaded_error" } },
        { status: 202, headers: { "x-should-retry": "true", "retry-after": "1" } }
      )
      expect(yield* ended([step])).toMatchObject({ error: { _tag: "Pending" }, requests: 1 })
    })
  )

  it.effect("7.5 whose body does not fit is an UnexpectedStatusError: the server may have done it", () =>
    Effect.gen(function* () {
      const { error, requests } = yield* ended([MockTransport.json({ state: "queued" }, { status: 202 })])
      expect(error).toMatchObject({ _tag: "UnexpectedStatusError", status: 202, delivery: "maybe-applied" })
      expect(requests).toBe(1)
    })
  )
})
