import { ApiSchema } from "@effect-api/client"
import { Arbitrary, Effect, Either, FastCheck as fc, ParseResult, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { boundedIssue } from "../../src/schema/boundedIssue.js"
import { compile, misfit } from "../../src/schema/fastDecode.js"
import { thrownMisfit } from "../../src/schema/guarded.js"
import { inputs } from "../fixtures/oddities.js"
import { same } from "../fixtures/same.js"
import { type Any, fast, slow } from "../fixtures/schemas.js"

type Outcome = { readonly value: unknown } | { readonly reason: string }

const outcome = (run: () => Either.Either<unknown, string>): Outcome => {
  try {
    return Either.match(run(), { onLeft: (reason) => ({ reason }), onRight: (value) => ({ value }) })
  } catch (error) {
    return { reason: thrownMisfit(error).reason }
  }
}

/** As the real decoder says it. */
const decoded = <A>(
  { decode }: ApiSchema.EventDecoder<A>,
  value: unknown
): Effect.Effect<A, ApiSchema.DecodeFailure> => {
  const result = decode(value)
  return result instanceof ApiSchema.Undecodable ? result.decoded : Effect.succeed(result)
}

const ours = (decoder: ApiSchema.EventDecoder<unknown>, value: unknown): Outcome =>
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
  it.each(table({ ...fast, ...slow }))("8.4 %s: gives what Effect's decoder gives", (_, schema) => {
    const real = ParseResult.decodeUnknownEither(schema)
    fc.assert(
      fc.property(inputs(schema), (value) => {
        const expected = theirs(real, value)
        // A decoder of its own for each value: no value may cost the next one the fast way.
        const actual = ours(ApiSchema.eventDecoder(Schema.make(schema.ast)), value)
        if (!same(actual, expected)) expect(actual).toStrictEqual(expected)
        expect(same(actual, expected)).toBe(true)
      }),
      { numRuns: 100 }
    )
  })

  it.each(table(fast))("8.4 %s: takes what fits, and does not need Effect's decoder", (_, schema) => {
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

  it("8.4 asks Effect's decoder only about what does not fit", () => {
    let asked = 0
    const decoder = ApiSchema.eventDecoder(
      Schema.Struct({
        a: Schema.Number.pipe(Schema.filter((n) => ++asked > 0 && n > 0, { message: () => "too little" }))
      })
    )
    expect(decoder.decode({ a: 1 })).toStrictEqual({ a: 1 })
    expect(asked).toBe(1)
    const refused = Effect.runSync(Effect.flip(decoded(decoder, { a: -1 })))
    expect(refused.reason).toContain("too little")
    expect(refused).toMatchObject({ path: ["a"], parsed: { value: { a: -1 } } })
    expect(asked).toBe(3)
  })

  it("8.4 leaves a schema that needs work in the background to Effect's decoder, soon at once", async () => {
    let asked = 0
    const Later = Schema.transformOrFail(Schema.String, Schema.Number, {
      strict: true,
      decode: (s) => {
        asked++
        return Effect.promise(() => Promise.resolve(s.length))
      },
      encode: (n) => ParseResult.succeed(String(n))
    })
    const decoder = ApiSchema.eventDecoder(Schema.Struct({ a: Schema.Union(Later, Schema.String) }))
    for (let time = 0; time < 50; time++)
      expect(await Effect.runPromise(decoded(decoder, { a: "four" }))).toStrictEqual({ a: 4 })
    expect(asked).toBeLessThan(50 + 20)
  })

  it.each(["declared", "template", "fallback at the top", "exact at the top"])(
    "8.4 %s: Effect's decoder alone is as fast",
    (name) => {
      expect(compile(slow[name] ?? Schema.String)).toBeUndefined()
    }
  )
})
