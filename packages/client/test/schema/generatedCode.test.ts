import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { compile } from "../../src/schema/fastDecode.js"
import { withoutFunction } from "../fixtures/withoutFunction.js"

const Todo = Schema.Struct({ id: Schema.Number, tags: Schema.Array(Schema.String) })

describe("generated code", () => {
  it("8.4 the fast decoder generates none: a content security policy may forbid it", () => {
    withoutFunction(() => {
      expect(compile(Todo)?.decode({ id: 1, tags: ["a"], more: 2 })).toEqual({ id: 1, tags: ["a"] })
    })
  })
})
