/** An override: Effect 4 has a compiler of schemas, which generates code. A program may enable it, as this file does. */
import "effect/schema/SchemaJITCompiler/enable"
import { Effect, Exit, Schema } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as SchemaDecoder from "../../src/response/schemaDecoder.js"
import { compile } from "../../src/schema/fastDecode.js"
import { identical } from "../fixtures/identical.js"
import { inputs } from "../fixtures/schemaInputs.js"
import * as Schemas from "../fixtures/schemas.js"
import { withoutFunction } from "../fixtures/withoutFunction.js"

const Todo = Schema.Struct({ id: Schema.Number, tags: Schema.Array(Schema.String) })

/** How often the fast decoder decodes a value that does not fit. Compiled code does it again, to explain it. */
const decodings = (): number => {
  let count = 0
  const isPositive = Schema.makeFilter((n: number) => ++count > 0 && n > 0)
  compile(Schema.Struct({ a: Schema.Number.check(isPositive) }))?.decode({ a: -1 })
  return count
}

describe("generated code", () => {
  it("8.4 the fast decoder generates none: a content security policy may forbid it", () => {
    withoutFunction(() => {
      expect(compile(Todo)?.decode({ id: 1, tags: ["a"], more: 2 })).toEqual({ id: 1, tags: ["a"] })
      expect(decodings()).toBe(1)
    })
  })

  it("8.4 the fast decoder gives way to the compiler of schemas where a program enables it", () => {
    expect(decodings()).toBe(2)
    expect(compile(Todo)?.decode({ id: 1, tags: ["a"], more: 2 })).toEqual({ id: 1, tags: ["a"] })
  })

  it.each(Object.entries(Schemas.all))("8.4 %s: compiled code agrees with Effect's decoder", (_, schema) => {
    const { decode } = SchemaDecoder.eventDecoder(schema)
    fc.assert(
      fc.property(inputs(schema), (value) => {
        const exit = Effect.runSyncExit(Schema.decodeUnknownEffect(schema)(value))
        const decoded = decode(value)
        if (decoded instanceof SchemaDecoder.Undecodable)
          expect(Exit.isSuccess(Effect.runSyncExit(decoded.decoded))).toBe(Exit.isSuccess(exit))
        else expect(Exit.isSuccess(exit) && identical(decoded, exit.value)).toBe(true)
      }),
      { numRuns: 30 }
    )
  })
})
