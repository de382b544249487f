import type { ApiSchema } from "@effect-api/client"
import { Arbitrary, Effect, Either, FastCheck as fc, ParseResult, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { boundedIssue } from "../../src/effect/parsing.js"
import * as SchemaDecoder from "../../src/response/schemaDecoder.js"
import { compile, misfit } from "../../src/schema/fastDecode.js"
import { thrownMisfit } from "../../src/schema/guarded.js"
import { identical } from "../fixtures/identical.js"
import { inputs } from "../fixtures/schemaInputs.js"
import { type Any, fast, slow } from "../fixtures/schemas.js"

type Outcome = { readonly value: unknown } | { readonly reason: string }

const outcome = (run: () => Either.Either<unknown, string>): Outcome => {
  try {
    return Either.match(run(), { onLeft: (reason) => ({ reason }), onRight: (value) => ({ value }) })
  } catch (error) {
    return { reason: thrownMisfit(error).reason }
  }
}

/** Resolves an undecodable value through Effect's own decoder. */
const decoded = <A>(
  { decode }: SchemaDecoder.EventDecoder<A>,
  value: unknown
): Effect.Effect<A, ApiSchema.DecodeFailure> => {
  const result = decode(value)
  return result instanceof SchemaDecoder.Undecodable ? result.decoded : Effect.succeed(result)
}

const ours = (decoder: SchemaDecoder.EventDecoder<unknown>, value: unknown): Outcome =>
  outcome(() =>
    Either.mapLeft(Effect.runSync(Effect.either(decoded(decoder, value))), ({ reason }) => reason)
  )

const theirs = (
  decode: (value: unknown) => Either.Either<unknown, ParseResult.ParseIssue>,
  value: unknown
): Outcome =>
  outcome(() =>
    Either.mapLeft(decode(value), (issue) => ParseResult.TreeFormatter.formatIssueSync(boundedIssue(issue)))
  )

const table = (schemas: Record<string, Any>) => Object.entries(schemas)

describe("fastDecode", () => {
  it.each(table({ ...fast, ...slow }))(
    "8.4 %s: the fast decoder agrees with Effect's decoder",
    (_, schema) => {
      const real = ParseResult.decodeUnknownEither(schema)
      fc.assert(
        fc.property(inputs(schema), (value) => {
          const expected = theirs(real, value)
          // A new decoder for each value: one slow value must not switch the next one to the slow path.
          const actual = ours(SchemaDecoder.eventDecoder(Schema.make(schema.ast)), value)
          if (!identical(actual, expected)) expect(actual).toStrictEqual(expected)
          expect(identical(actual, expected)).toBe(true)
        }),
        { numRuns: 100 }
      )
    }
  )

  it.each(table(fast))("8.4 %s: valid values stay on the fast path", (_, schema) => {
    const decode = compile(schema)
    const again = Either.flatMap(ParseResult.decodeUnknownEither(schema))
    const encode = ParseResult.encodeEither(schema)
    fc.assert(
      fc.property(Arbitrary.make(schema), (value) => {
        const encoded = encode(value)
        if (Either.isRight(encoded) && Either.isRight(again(encoded)))
          expect(decode?.decode(encoded.right)).not.toBe(misfit)
      }),
      { numRuns: 20 }
    )
  })

  it("8.4 Effect's decoder runs only for a value that does not fit", () => {
    let calls = 0
    const decoder = SchemaDecoder.eventDecoder(
      Schema.Struct({
        a: Schema.Number.pipe(Schema.filter((n) => ++calls > 0 && n > 0, { message: () => "too little" }))
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
      encode: (n) => ParseResult.succeed(String(n))
    })
    const decoder = SchemaDecoder.eventDecoder(Schema.Struct({ a: Schema.Union(Later, Schema.String) }))
    for (let time = 0; time < 50; time++)
      expect(await Effect.runPromise(decoded(decoder, { a: "four" }))).toStrictEqual({ a: 4 })
    expect(calls).toBeLessThan(50 + 20)
  })

  it.each(["declared", "template", "fallback at the top", "exact at the top"])(
    "8.4 %s: no fast decoder is compiled, because Effect's own is as fast",
    (name) => {
      expect(compile(slow[name] ?? Schema.String)).toBeUndefined()
    }
  )
})
