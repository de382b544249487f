import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, EventStream, Pagination, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema, Stream } from "effect"
import { scripted, withoutDelay } from "../fixtures/requests.js"

class Pending extends Schema.TaggedError<Pending>()("Pending", { message: Schema.String }) {}
class Nothing extends Schema.TaggedError<Nothing>()("Nothing", {}) {}

const failure = { 202: Pending, 204: Nothing }
const accepted = MockTransport.json({ message: "queued" }, { status: 202 })
const request = ApiRequest.get("/job", { failure })
const page = Schema.Struct({ data: Schema.Array(Schema.Number) })

const calls: ReadonlyArray<
  readonly [
    name: string,
    run: (
      client: Effect.Effect.Success<ReturnType<typeof scripted>>["client"]
    ) => Effect.Effect<unknown, unknown>
  ]
> = [
  ["execute", (client) => client.execute(request)],
  ["executeWithResponse", (client) => client.executeWithResponse(request)],
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

describe.each(calls)("a 2xx status listed in failure, through %s", (_, run) => {
  const failed = (script: MockTransport.Script) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(script, { retry: { ...withoutDelay, maxRetries: 2 } })
      return { error: yield* Effect.flip(run(client)), requests: yield* transport.requestCount }
    })

  it.effect("7.5 fails with the caller's own error", () =>
    Effect.gen(function* () {
      expect(yield* failed([accepted])).toEqual({ error: new Pending({ message: "queued" }), requests: 1 })
      expect(yield* failed([MockTransport.empty(204)])).toEqual({ error: new Nothing(), requests: 1 })
      expect((yield* failed([MockTransport.empty(503), accepted])).requests).toBe(2)
    })
  )

  it.effect("7.5 is never retried, even if the server asks for it", () =>
    Effect.gen(function* () {
      const step = MockTransport.json(
        { message: "queued", error: { type: "overloaded_error" } },
        { status: 202, headers: { "x-should-retry": "true", "retry-after": "1" } }
      )
      expect(yield* failed([step])).toMatchObject({ error: { _tag: "Pending" }, requests: 1 })
    })
  )

  it.effect("7.5 fails with UnexpectedStatusError and maybe-applied if the body does not fit", () =>
    Effect.gen(function* () {
      const { error, requests } = yield* failed([MockTransport.json({ state: "queued" }, { status: 202 })])
      expect(error).toMatchObject({ _tag: "UnexpectedStatusError", status: 202, delivery: "maybe-applied" })
      expect(requests).toBe(1)
    })
  )
})
