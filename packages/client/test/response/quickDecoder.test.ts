import type { ApiSchema } from "@effect-api/client"
import { Effect, Exit, FastCheck as fc, Schema } from "effect"
import { describe, expect, it } from "vitest"
import * as ResponseDecoder from "../../src/response/ResponseDecoder.js"
import * as SchemaDecoder from "../../src/response/schemaDecoder.js"
import { WholeBody } from "../../src/response/WholeBody.js"
import { compile } from "../../src/schema/fastDecode.js"
import { identical } from "../fixtures/identical.js"
import { inputs } from "../fixtures/schemaInputs.js"
import * as Schemas from "../fixtures/schemas.js"
import { type Any, copyOf } from "../fixtures/schemaValues.js"

const outcome = (decode: Effect.Effect<unknown, ApiSchema.DecodeFailure>): unknown => {
  const exit = Effect.runSyncExit(Effect.either(decode))
  return Exit.isSuccess(exit) ? exit.value : "a defect"
}

/** A decoder that has compiled its schema already. */
const warm = (schema: Any) => {
  const decode = SchemaDecoder.quickDecoder(schema)
  outcome(Effect.asVoid(decode({})))
  return decode
}

/** Schemas that run code of a program's own. The code counts its runs. */
const counting = (): { readonly schemas: Record<string, Any>; readonly runs: () => number } => {
  let runs = 0
  const ran = <A>(value: A): A => {
    runs++
    return value
  }
  class Item extends Schema.Class<Item>("Item")({ id: Schema.Number }) {
    readonly made = ran(true)
  }
  const Doubled = Schema.transform(Schema.Number, Schema.Number, {
    strict: true,
    decode: (n) => ran(n * 2),
    encode: (n) => n / 2
  })
  const Positive = Schema.Number.pipe(Schema.filter((n) => ran(n > 0)))
  return {
    runs: () => runs,
    schemas: {
      transformation: Schema.Struct({ a: Doubled, b: Schema.String }),
      "transformation in a list": Schema.Struct({ list: Schema.Array(Doubled), b: Schema.String }),
      "transformation in a union": Schema.Struct({ a: Schema.NullOr(Doubled), b: Schema.String }),
      "transformation in a record": Schema.Struct({
        a: Doubled,
        b: Schema.Record({ key: Schema.String, value: Doubled })
      }),
      class: Schema.Struct({ list: Schema.Array(Item), b: Schema.String }),
      filter: Schema.Struct({ a: Positive, b: Schema.String })
    }
  }
}

const values: ReadonlyArray<unknown> = [
  { a: 1, b: "text", list: [1, 2] },
  { a: 1, b: 1, list: [1, 2] },
  { a: 1, b: 1, list: [{ id: 1 }, { id: 2 }] },
  { a: -1, b: null, list: [1, "two"] },
  { a: "one", b: {}, list: "none" },
  null
]

const plain: Record<string, Any> = {
  struct: Schema.Struct({ id: Schema.String, size: Schema.optional(Schema.NullOr(Schema.Number)) }),
  list: Schema.Array(Schema.Struct({ type: Schema.Literal("a"), text: Schema.String })),
  union: Schema.Union(
    Schema.Struct({ type: Schema.Literal("a"), text: Schema.String }),
    Schema.Struct({ type: Schema.Literal("b"), on: Schema.Boolean })
  ),
  record: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  "filters of Effect": Schema.Struct({ id: Schema.Int, name: Schema.NonEmptyString })
}

describe("the decoder of whole responses", () => {
  it.each(Object.entries(Schemas.all))("8.4 %s: agrees with the usual decoder", (_, schema) => {
    fc.assert(
      fc.property(inputs(schema), (value) => {
        const expected = outcome(SchemaDecoder.decoder(schema)(value))
        const actual = outcome(warm(copyOf(schema))(value))
        if (!identical(actual, expected)) expect(actual).toStrictEqual(expected)
        expect(identical(actual, expected)).toBe(true)
      }),
      { numRuns: 40 }
    )
  })

  it.each(Object.keys(counting().schemas))("8.4 %s: code of a schema runs as often as ever", (name) => {
    const runsOf = (decoderOf: SchemaDecoder.DecoderOf): ReadonlyArray<number> => {
      const { runs, schemas } = counting()
      const decode = decoderOf(schemas[name] ?? Schema.Unknown)
      return values.map((value) => {
        outcome(decode(value))
        outcome(decode(value))
        return runs()
      })
    }
    expect(runsOf(SchemaDecoder.quickDecoder)).toEqual(runsOf(SchemaDecoder.decoder))
  })

  it("8.4 asynchronous work of a schema begins once for each response", async () => {
    let runs = 0
    const Later = Schema.transformOrFail(Schema.String, Schema.Number, {
      strict: true,
      decode: (text) => {
        runs++
        return Effect.promise(() => Promise.resolve(text.length))
      },
      encode: (n) => Effect.succeed(String(n))
    })
    const decode = SchemaDecoder.quickDecoder(Schema.Struct({ a: Later }))
    for (let time = 0; time < 5; time++)
      expect(await Effect.runPromise(decode({ a: "four" }))).toStrictEqual({ a: 4 })
    expect(runs).toBe(5)
  })

  it.each(Object.entries(plain))("8.4 %s: is compiled", (_, schema) => {
    expect(compile(schema)?.isPure).toBe(true)
  })

  it("8.4 a transport that brings it changes no value and no reason", () => {
    const decoder = ResponseDecoder.fromSchema(Schema.Struct({ id: Schema.Int }))
    const response = { status: 200, headers: {} }
    for (const text of ['{"id":1,"more":2}', '{"id":1.5}', "{}", "no JSON", ""]) {
      const view = new TextEncoder().encode(text)
      const usual = outcome(decoder.decode(new WholeBody(response, view)))
      for (let time = 0; time < 3; time++) {
        const body = new WholeBody(response, view, SchemaDecoder.quickDecoder)
        expect(outcome(decoder.decode(body))).toStrictEqual(usual)
      }
    }
  })
})
