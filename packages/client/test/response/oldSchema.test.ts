import * as OldSchema from "@effect/schema/Schema"
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { ApiRequest, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect } from "effect"
import { scripted } from "../fixtures/requests.js"

describe("@effect/schema", () => {
  const Old = OldSchema.Struct({ id: OldSchema.NumberFromString, tags: OldSchema.Array(OldSchema.String) })
  const old = ResponseDecoder.fromEither(OldSchema.decodeUnknownEither(Old))

  it.effect("8.4 a schema of the old package decodes through fromEither", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json({ id: "1", tags: ["a"] })])
      expect(yield* client.get("/x", { success: old })).toEqual({ id: 1, tags: ["a"] })
    })
  )

  it("8.4 a schema of the old package has its type", () => {
    const value = <A, E>(_: ApiRequest.ApiRequest<A, E>): A => undefined as A
    expectTypeOf(value(ApiRequest.get("/x", { success: old }))).toEqualTypeOf<typeof Old.Type>()
  })

  it.effect("8.4 a mismatch is reported in the schema's own words", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json({ id: "1", tags: [2] })])
      expect(yield* Effect.flip(client.get("/x", { success: old }))).toMatchObject({
        _tag: "ResponseValidationError",
        reason: expect.stringMatching(/\["tags"\][\s\S]*2/)
      })
    })
  )

  it.effect("7.5 a schema of the old package decodes a failure", () =>
    Effect.gen(function* () {
      const Missing = OldSchema.Struct({ missing: OldSchema.Literal(true) })
      const failure = { 404: ResponseDecoder.fromEither(OldSchema.decodeUnknownEither(Missing)) }
      const { client } = yield* scripted([MockTransport.json({ missing: true }, { status: 404 })])
      expect(yield* Effect.flip(client.get("/x", { failure }))).toEqual({ missing: true })
    })
  )
})
