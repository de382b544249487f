import { describe, expect, it } from "vitest"
import { BodyAssembly, join } from "../../src/body/BodyAssembly.js"

const chunksOf = (...sizes: ReadonlyArray<number>): ReadonlyArray<Uint8Array> =>
  sizes.map((size, index) => Buffer.alloc(size, index + 1))

const assembled = (chunks: ReadonlyArray<Uint8Array>, size: number): Promise<Uint8Array> =>
  new Promise((resolve) => new BodyAssembly(chunks, size, resolve))

/** Sizes of chunks, and how many bytes are wanted. */
const cases: ReadonlyArray<readonly [sizes: ReadonlyArray<number>, size: number]> = [
  [[], 0],
  [[3], 3],
  [[3, 4], 7],
  [[3, 4], 5],
  [[3, 4], 2],
  [[0, 3, 0, 4, 0], 7],
  [[60_000, 40_000], 100_000],
  [[4096, 4096, 1], 8193]
]

describe("a body of several chunks", () => {
  it.each(cases)("8.6 %j to %d bytes: is joined in memory of its own", (sizes, size) => {
    const chunks = chunksOf(...sizes)
    const joined = join(chunks, size)
    expect(Buffer.compare(joined, Buffer.concat(chunks, size))).toBe(0)
    expect(joined.constructor).toBe(Uint8Array)
    expect(joined.buffer.byteLength).toBe(size)
  })

  it("8.6 shows no byte that no chunk has", async () => {
    // Memory that was in use before.
    for (let time = 0; time < 50; time++) Buffer.allocUnsafeSlow(10_000).fill(0xff)
    for (let time = 0; time < 50; time++) {
      const chunks = chunksOf(10)
      const expected = Buffer.concat([...chunks, Buffer.alloc(9_990)])
      expect(Buffer.compare(join(chunks, 10_000), expected)).toBe(0)
      expect(Buffer.compare(await assembled(chunks, 10_000), expected)).toBe(0)
    }
  })

  it("8.6 is the same whether it is joined in one turn or in several", async () => {
    const chunks = chunksOf(3_000_000, 1, 2_500_000)
    expect(Buffer.compare(await assembled(chunks, 5_500_001), join(chunks, 5_500_001))).toBe(0)
  })
})
