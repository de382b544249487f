/** An override: Effect 4 has no Either, and `@effect/schema` cannot be installed beside it. */
import { describe, expect, it } from "@effect/vitest"
import { ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Result } from "effect"
import { scripted } from "../fixtures/requests.js"

describe("a parser that returns a Result", () => {
  const even = ResponseDecoder.fromResult((input) =>
    typeof input === "number" && input % 2 === 0
      ? Result.succeed({ half: input / 2 })
      : Result.fail(new Error(`${JSON.stringify(input)} is not even`))
  )

  it.effect("8.4 decodes through fromResult", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json(4)])
      expect(yield* client.get("/x", { success: even })).toEqual({ half: 2 })
    })
  )

  it.effect("8.4 a mismatch is reported in the parser's own words", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json(5)])
      expect(yield* Effect.flip(client.get("/x", { success: even }))).toMatchObject({
        _tag: "ResponseValidationError",
        reason: "5 is not even"
      })
    })
  )

  it.effect("7.5 decodes a failure", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json(6, { status: 404 })])
      expect(yield* Effect.flip(client.get("/x", { failure: { 404: even } }))).toEqual({ half: 3 })
    })
  )
})
