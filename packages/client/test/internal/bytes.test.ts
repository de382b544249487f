import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { Collector, owned } from "../../src/internal/bytes.js"

const bytes = fc.uint8Array({ maxLength: 3000 })

describe("owned", () => {
  it.each([
    ["a plain array", () => new Uint8Array([1, 2, 3]), true],
    ["a Buffer of its own", () => Buffer.alloc(3, 1), false],
    ["a Buffer of the pool", () => Buffer.from([1, 2, 3]), false],
    ["a part at the start", () => new Uint8Array([1, 2, 3, 4]).subarray(0, 3), false],
    ["a part at the end", () => new Uint8Array([4, 1, 2, 3]).subarray(1), false],
    ["a part of shared memory", () => new Uint8Array(new SharedArrayBuffer(3)), false],
    ["nothing", () => new Uint8Array(0), true],
    ["an empty part", () => Buffer.from([1, 2, 3]).subarray(1, 1), false]
  ] as const)("8.4 %s has its memory to itself", (_, make, same) => {
    const given = make()
    const own = owned(given)
    expect([own.constructor, own.byteOffset, own.buffer.byteLength]).toEqual([Uint8Array, 0, given.length])
    expect([...own]).toEqual([...given])
    expect(own === given).toBe(same)
    expect(own.buffer).toBeInstanceOf(ArrayBuffer)
  })
})

describe("a collector", () => {
  it("8.4 gives the bytes of its chunks in order, up to a limit", () =>
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 40 }), fc.nat(120_000), (chunks, limit) => {
        const collector = new Collector()
        for (const chunk of chunks) collector.add(chunk)
        const all = Buffer.concat(chunks)
        expect(collector.size).toBe(all.length)
        expect(Buffer.compare(collector.concat(limit), all.subarray(0, limit))).toBe(0)
      })
    ))

  it("8.4 takes little more than their bytes for chunks of one", () => {
    const collector = new Collector()
    const chunk = new Uint8Array(1)
    // Every chunk is another object to whoever keeps them.
    for (let index = 0; index < 100_000; index++) collector.add(chunk.subarray())
    expect(collector.concat(Number.POSITIVE_INFINITY)).toHaveLength(100_000)
    expect((collector as unknown as { readonly chunks: ReadonlyArray<unknown> }).chunks.length).toBeLessThan(
      10
    )
  })

  it("8.4 small chunks between large ones share what is left of a block", () => {
    const collector = new Collector()
    for (let index = 0; index < 100; index++) {
      collector.add(new Uint8Array(2000))
      collector.add(new Uint8Array(1))
    }
    const { chunks } = collector as unknown as { readonly chunks: ReadonlyArray<Uint8Array> }
    expect(new Set(chunks.filter(({ length }) => length === 1).map(({ buffer }) => buffer)).size).toBe(1)
  })
})
