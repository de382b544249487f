import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { Collector, owned } from "../../src/shared/bytes.js"

const bytes = fc.uint8Array({ maxLength: 3000 })

describe("owned", () => {
  it.each([
    ["a plain array", () => new Uint8Array([1, 2, 3]), true],
    ["an unpooled Buffer", () => Buffer.alloc(3, 1), false],
    ["a pooled Buffer", () => Buffer.from([1, 2, 3]), false],
    ["a view of the start of a buffer", () => new Uint8Array([1, 2, 3, 4]).subarray(0, 3), false],
    ["a view of the end of a buffer", () => new Uint8Array([4, 1, 2, 3]).subarray(1), false],
    ["a view of shared memory", () => new Uint8Array(new SharedArrayBuffer(3)), false],
    ["an empty array", () => new Uint8Array(0), true],
    ["an empty view", () => Buffer.from([1, 2, 3]).subarray(1, 1), false]
  ] as const)("8.4 owned() returns %s as a plain Uint8Array that fills its buffer", (_, make, same) => {
    const source = make()
    const own = owned(source)
    expect([own.constructor, own.byteOffset, own.buffer.byteLength]).toEqual([Uint8Array, 0, source.length])
    expect([...own]).toEqual([...source])
    expect(own === source).toBe(same)
    expect(own.buffer).toBeInstanceOf(ArrayBuffer)
  })
})

describe("Collector", () => {
  it("8.4 concat(limit) returns the chunks' bytes in order, up to the limit", () =>
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 40 }), fc.nat(120_000), (chunks, limit) => {
        const collector = new Collector()
        for (const chunk of chunks) collector.add(chunk)
        const all = Buffer.concat(chunks)
        expect(collector.size).toBe(all.length)
        expect(Buffer.compare(collector.concat(limit), all.subarray(0, limit))).toBe(0)
      })
    ))

  it("8.4 one-byte chunks are packed into few blocks", () => {
    const collector = new Collector()
    const chunk = new Uint8Array(1)
    // Each subarray() is a separate object; keeping all of them would cost far more than their bytes.
    for (let index = 0; index < 100_000; index++) collector.add(chunk.subarray())
    expect(collector.concat(Number.POSITIVE_INFINITY)).toHaveLength(100_000)
    expect((collector as unknown as { readonly chunks: ReadonlyArray<unknown> }).chunks.length).toBeLessThan(
      10
    )
  })

  it("8.4 small chunks between large ones share one block", () => {
    const collector = new Collector()
    for (let index = 0; index < 100; index++) {
      collector.add(new Uint8Array(2000))
      collector.add(new Uint8Array(1))
    }
    const { chunks } = collector as unknown as { readonly chunks: ReadonlyArray<Uint8Array> }
    expect(new Set(chunks.filter(({ length }) => length === 1).map(({ buffer }) => buffer)).size).toBe(1)
  })

  it("8.4 take() returns the bytes added since the last take(), in few chunks", () => {
    const collector = new Collector()
    const taken = (): ReadonlyArray<ReadonlyArray<number>> => collector.take().map((chunk) => [...chunk])
    expect(taken()).toEqual([])
    for (let byte = 0; byte < 5; byte++) collector.add(Uint8Array.of(byte))
    expect(taken()).toEqual([[0], [1, 2, 3, 4]])
    expect([collector.size, taken()]).toEqual([0, []])
    collector.add(Uint8Array.of(5))
    collector.add(Uint8Array.of(6))
    expect(taken()).toEqual([[5], [6]])
  })

  it.each([
    ["small views of large buffers", 2000, () => new Uint8Array(64 * 1024).subarray(0, 2000)],
    ["whole large buffers", 64 * 1024, () => new Uint8Array(64 * 1024)],
    [
      "many views of one buffer",
      16 * 1024,
      (
        (buffer) => () =>
          new Uint8Array(buffer, 0, 16 * 1024)
      )(new ArrayBuffer(64 * 1024))
    ]
  ] as const)("8.4 the memory held for %s is at most twice their bytes plus 256 KiB", (_, size, make) => {
    const collector = new Collector()
    for (let index = 0; index < 500; index++) collector.add(make())
    const buffers = new Set(collector.take().map(({ buffer }) => buffer))
    const held = [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(held).toBeLessThanOrEqual(2 * 500 * size + 256 * 1024)
  })
})
