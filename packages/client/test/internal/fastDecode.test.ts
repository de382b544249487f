import { ValueSchema } from "@effect-api/client"
import { Arbitrary, Effect, Either, FastCheck as fc, ParseResult, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { compile, misfit } from "../../src/internal/fastDecode.js"
import { inputs } from "../fixtures/oddities.js"
import { type Any, fast, slow } from "../fixtures/schemas.js"

type Outcome = { readonly value: unknown } | { readonly reason: string } | { readonly thrown: string }

const outcome = (run: () => Either.Either<unknown, string>): Outcome => {
  try {
    return Either.match(run(), { onLeft: (reason) => ({ reason }), onRight: (value) => ({ value }) })
  } catch (error) {
    return { thrown: String(error) }
  }
}

/** As the real decoder says it. */
const decoded = <A>(
  decode: ValueSchema.EventDecode<A>,
  value: unknown
): Effect.Effect<A, ValueSchema.Misfit> => {
  const result = decode(value)
  return result instanceof ValueSchema.Unfitting ? result.decoded : Effect.succeed(result)
}

const ours = (decode: ValueSchema.EventDecode<unknown>, value: unknown): Outcome =>
  outcome(() => Either.mapLeft(Effect.runSync(Effect.either(decoded(decode, value))), ({ reason }) => reason))

const theirs = (
  decode: (value: unknown) => Either.Either<unknown, ParseResult.ParseIssue>,
  value: unknown
): Outcome => outcome(() => Either.mapLeft(decode(value), ParseResult.TreeFormatter.formatIssueSync))

const isDate = (value: object): value is Date => Object.prototype.toString.call(value) === "[object Date]"

/** The same in all that can be seen: prototypes, keys and their order, symbols, what may be enumerated. */
const same = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (!same(Object.getPrototypeOf(a), Object.getPrototypeOf(b))) return false
  if (isDate(a) && isDate(b)) return Object.is(a.getTime(), b.getTime())
  if (a instanceof Set || a instanceof Map) return same([...a], [...(b as typeof a)])
  const keys = Reflect.ownKeys(a)
  const others = Reflect.ownKeys(b)
  const isSame = (key: PropertyKey, index: number) =>
    key === others[index] &&
    Object.prototype.propertyIsEnumerable.call(a, key) ===
      Object.prototype.propertyIsEnumerable.call(b, key) &&
    (key === "stack" || same(Reflect.get(a, key), Reflect.get(b, key)))
  return keys.length === others.length && keys.every(isSame)
}

const table = (schemas: Record<string, Any>) => Object.entries(schemas)

describe("fastDecode", () => {
  it.each(table({ ...fast, ...slow }))("8.4 %s: gives what Effect's decoder gives", (_, schema) => {
    const real = ParseResult.decodeUnknownEither(schema)
    fc.assert(
      fc.property(inputs(schema), (value) => {
        const expected = theirs(real, value)
        // A decoder of its own for each value: no value may cost the next one the fast way.
        const actual = ours(ValueSchema.eventDecoder(Schema.make(schema.ast)), value)
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
          expect(decode?.(encoded.right)).not.toBe(misfit)
      }),
      { numRuns: 20 }
    )
  })

  it("8.4 asks Effect's decoder only about what does not fit", () => {
    let asked = 0
    const decode = ValueSchema.eventDecoder(
      Schema.Struct({
        a: Schema.Number.pipe(Schema.filter((n) => ++asked > 0 && n > 0, { message: () => "too little" }))
      })
    )
    expect(decode({ a: 1 })).toStrictEqual({ a: 1 })
    expect(asked).toBe(1)
    const refused = Effect.runSync(Effect.flip(decoded(decode, { a: -1 })))
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
    const decode = ValueSchema.eventDecoder(Schema.Struct({ a: Schema.Union(Later, Schema.String) }))
    for (let time = 0; time < 50; time++)
      expect(await Effect.runPromise(decoded(decode, { a: "four" }))).toStrictEqual({ a: 4 })
    expect(asked).toBeLessThan(50 + 20)
  })

  it.each(["declared", "template", "fallback at the top", "exact at the top"])(
    "8.4 %s: Effect's decoder alone is as fast",
    (name) => {
      expect(compile(slow[name] ?? Schema.String)).toBeUndefined()
    }
  )
})
