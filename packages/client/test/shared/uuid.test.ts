import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { uuid } from "../../src/shared/uuid.js"

const version4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** `crypto` as a page on plain HTTP has it: without `randomUUID`. */
const insecure = (bytes: Uint8Array) => ({
  getRandomValues: <T extends ArrayBufferView | null>(into: T): T => {
    if (into instanceof Uint8Array) into.set(bytes)
    return into
  }
})

describe("uuid", () => {
  it("4.4 is a valid version 4 for any random bytes when `crypto.randomUUID` is missing", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const made = uuid(insecure(bytes))
        expect(made).toMatch(version4)
        // 122 of the bits are random.
        expect(made.slice(0, 8)).toBe(Buffer.from(bytes.subarray(0, 4)).toString("hex"))
        expect(made.slice(24)).toBe(Buffer.from(bytes.subarray(10)).toString("hex"))
      })
    )
  })

  it("4.4 differs on every call", () => {
    const made = Array.from({ length: 1000 }, () => uuid())
    expect(new Set(made).size).toBe(1000)
    for (const each of made) expect(each).toMatch(version4)
    const { getRandomValues } = crypto
    const plain = { getRandomValues: getRandomValues.bind(crypto) }
    expect(uuid(plain)).not.toBe(uuid(plain))
  })
})
