import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { uuid } from "../../src/shared/uuid.js"

const version4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** What a page on plain http has of `crypto`. */
const insecure = (bytes: Uint8Array) => ({
  getRandomValues: <T extends ArrayBufferView | null>(into: T): T => {
    if (into instanceof Uint8Array) into.set(bytes)
    return into
  }
})

describe("uuid", () => {
  it("4.4 is one of version 4, whatever the random bytes, where there is no randomUUID", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const made = uuid(insecure(bytes))
        expect(made).toMatch(version4)
        // 122 bits are the random ones.
        expect(made.slice(0, 8)).toBe(Buffer.from(bytes.subarray(0, 4)).toString("hex"))
        expect(made.slice(24)).toBe(Buffer.from(bytes.subarray(10)).toString("hex"))
      })
    )
  })

  it("4.4 differs from call to call", () => {
    const made = Array.from({ length: 1000 }, () => uuid())
    expect(new Set(made).size).toBe(1000)
    for (const each of made) expect(each).toMatch(version4)
    const { getRandomValues } = crypto
    const plain = { getRandomValues: getRandomValues.bind(crypto) }
    expect(uuid(plain)).not.toBe(uuid(plain))
  })
})
