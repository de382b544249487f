import type { ApiSchema } from "@effect-api/client"
import { Effect, Either, Exit, FastCheck as fc, Schema } from "effect"
import { describe, expect, it } from "vitest"
import * as SchemaDecoder from "../../src/response/schemaDecoder.js"
import { compile, misfit } from "../../src/schema/fastDecode.js"
import { identical } from "../fixtures/identical.js"
import { inputs } from "../fixtures/schemaInputs.js"
import * as Schemas from "../fixtures/schemas.js"
import { type Any, copyOf, valuesOf } from "../fixtures/schemaValues.js"

type Outcome = { readonly value: unknown } | { readonly reason: string }

/** Resolves an undecodable value through Effect's own decoder. */
const decoded = <A>(
  { decode }: SchemaDecoder.EventDecoder<A>,
  value: unknown
): Effect.Effect<A, ApiSchema.DecodeFailure> => {
  const result = decode(value)
  return result instanceof SchemaDecoder.Undecodable ? result.decoded : Effect.succeed(result)
}

const reasonOf = (decode: Effect.Effect<unknown, { readonly reason: string }>): string =>
  Effect.runSync(Effect.flip(decode)).reason

const ours = (decoder: SchemaDecoder.EventDecoder<unknown>, value: unknown): Outcome => {
  const decode = decoded(decoder, value)
  const exit = Effect.runSyncExit(decode)
  return Exit.isSuccess(exit) ? { value: exit.value } : { reason: reasonOf(decode) }
}

/** What Effect's own decoder returns, and what the slow decoder makes of its failure. */
const theirs = (schema: Any, value: unknown): Outcome => {
  const exit = Effect.runSyncExit(Effect.suspend(() => Schema.decodeUnknown(schema)(value)))
  return Exit.isSuccess(exit)
    ? { value: exit.value }
    : { reason: reasonOf(SchemaDecoder.decoder(schema)(value)) }
}

const table = (schemas: Record<string, Any>) => Object.entries(schemas)

describe("fastDecode", () => {
  it.each(table(Schemas.all))("8.4 %s: the fast decoder agrees with Effect's decoder", (_, schema) => {
    fc.assert(
      fc.property(inputs(schema), (value) => {
        const expected = theirs(schema, value)
        // A new decoder for each value: one slow value must not switch the next one to the slow path.
        const actual = ours(SchemaDecoder.eventDecoder(copyOf(schema)), value)
        if (!identical(actual, expected)) expect(actual).toStrictEqual(expected)
        expect(identical(actual, expected)).toBe(true)
      }),
      { numRuns: 100 }
    )
  })

  it.each(table(Schemas.fast))("8.4 %s: valid values stay on the fast path", (_, schema) => {
    const decode = compile(schema)
    const again = Schema.decodeUnknownEither(schema)
    const encode = Schema.encodeEither(schema)
    fc.assert(
      fc.property(valuesOf(schema), (value) => {
        const encoded = encode(value)
        if (Either.isRight(encoded) && Either.isRight(again(encoded.right)))
          expect(decode?.decode(encoded.right)).not.toBe(misfit)
      }),
      { numRuns: 20 }
    )
  })

  it("8.4 Effect's decoder runs only for a value that does not fit", () => {
    let calls = 0
    const decoder = SchemaDecoder.eventDecoder(
      Schema.Struct({
        a: Schema.Number.pipe(Schema.filter((n) => (++calls > 0 && n > 0 ? undefined : "too little")))
      })
    )
    expect(decoder.decode({ a: 1 })).toStrictEqual({ a: 1 })
    expect(calls).toBe(1)
    const failure = Effect.runSync(Effect.flip(decoded(decoder, { a: -1 })))
    expect(failure.reason).toContain("too little")
    expect(failure).toMatchObject({ path: ["a"], parsed: { value: { a: -1 } } })
    expect(calls).toBe(3)
  })

  it("8.4 a schema with asynchronous work soon skips the fast path", async () => {
    let calls = 0
    const Later = Schema.transformOrFail(Schema.String, Schema.Number, {
      strict: true,
      decode: (s) => {
        calls++
        return Effect.promise(() => Promise.resolve(s.length))
      },
      encode: (n) => Effect.succeed(String(n))
    })
    const decoder = SchemaDecoder.eventDecoder(Schema.Struct({ a: Schema.Union(Later, Schema.String) }))
    for (let time = 0; time < 50; time++)
      expect(await Effect.runPromise(decoded(decoder, { a: "four" }))).toStrictEqual({ a: 4 })
    expect(calls).toBeLessThan(50 + 20)
  })

  it.each(table(Schemas.foreign))(
    "8.4 %s: no fast decoder is compiled, because Effect's own is as fast",
    (_, schema) => {
      expect(compile(schema)).toBeUndefined()
    }
  )
})
