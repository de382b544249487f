import { describe, expect, it } from "@effect/vitest"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Stream } from "effect"
import { Models } from "../../src/index.js"
import { scripted } from "../fixtures/client.js"
import { failure, model } from "../fixtures/responses.js"

const page = (ids: ReadonlyArray<string>, has_more: boolean) =>
  MockTransport.json({
    data: ids.map((id) => ({ ...model, id })),
    has_more,
    first_id: ids[0],
    last_id: ids.at(-1)
  })

const paths = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  requests.map(({ url }) => decodeURIComponent(url.replace("https://api.anthropic.com", "")))

describe("models", () => {
  it.effect("8.4 retrieve returns the model unchanged", () =>
    Effect.gen(function* () {
      const full = {
        ...model,
        max_input_tokens: 200_000,
        max_tokens: 64_000,
        lifecycle: "active",
        deprecated_at: null,
        retires_at: null,
        line: "sonnet",
        capabilities: { batch: { supported: true }, thinking: { supported: true, types: {} } }
      }
      const { anthropic, transport } = yield* scripted([MockTransport.json(full)])
      expect(yield* anthropic.models.retrieve("claude/sonnet")).toEqual(full)
      expect((yield* transport.requests)[0]?.url).toBe("https://api.anthropic.com/v1/models/claude%2Fsonnet")
    })
  )

  it.effect("7.1 a missing model is a NotFoundError", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.json(failure("not_found_error"), { status: 404 })])
      const error = yield* Effect.flip(anthropic.models.retrieve("claude-0"))
      expect(error).toMatchObject({ _tag: "NotFoundError", type: "not_found_error" })
    })
  )

  it.effect("11.3 list reads all pages, each when it is needed", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([page(["a", "b"], true), page(["c"], false)])
      const ids = anthropic.models.list({ limit: 2, lifecycle: ["active"] }).pipe(Stream.map(({ id }) => id))
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(ids, 2)))).toEqual(["a", "b"])
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("11.3 list requests the page after the last id", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([page(["a", "b"], true), page(["c"], false)])
      const ids = anthropic.models.list({ limit: 2, lifecycle: ["active"] }).pipe(Stream.map(({ id }) => id))
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(ids))).toEqual(["a", "b", "c"])
      expect(paths(yield* transport.requests)).toEqual([
        "/v1/models?limit=2&lifecycle[]=active",
        "/v1/models?limit=2&lifecycle[]=active&after_id=b"
      ])
    })
  )

  it.effect("11.3 list pages backwards if it started so", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([page(["b", "c"], true), page(["a"], false)])
      yield* Stream.runDrain(anthropic.models.list({ before_id: "d" }))
      expect(paths(yield* transport.requests)).toEqual(["/v1/models?before_id=d", "/v1/models?before_id=b"])
    })
  )

  it.effect("11.1 the request gives the pages", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([page(["a"], true), page(["b"], false)])
      const pages = yield* Stream.runCollect(anthropic.client.pages(Models.list()))
      expect(Chunk.toReadonlyArray(pages).map(({ has_more, last_id }) => [has_more, last_id])).toEqual([
        [true, "a"],
        [false, "b"]
      ])
    })
  )
})
