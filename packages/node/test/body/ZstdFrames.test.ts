import { describe, expect, it } from "@effect/vitest"
import { ZstdFrames } from "../../src/body/ZstdFrames.js"

const magic = [0x28, 0xb5, 0x2f, 0xfd]
/** A block header: 21 bits of size, two of type, and one that marks the last block. */
const block = (size: number, type: number, last: boolean): ReadonlyArray<number> => {
  const value = (size << 3) | (type << 1) | (last ? 1 : 0)
  return [value & 0xff, (value >> 8) & 0xff, value >> 16]
}
const zeros = (count: number): ReadonlyArray<number> => Array.from({ length: count }, () => 0)

/** Hand-made frames (RFC 8878, 3.1.1): a descriptor, the fields it announces, and blocks. */
const frames: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
  ["an empty raw block with a window", [...magic, 0x00, 0x50, ...block(0, 0, true)]],
  ["a single segment", [...magic, 0x20, 3, ...block(3, 0, true), 1, 2, 3]],
  ["a checksum", [...magic, 0x24, 3, ...block(3, 0, true), 1, 2, 3, ...zeros(4)]],
  ["a dictionary of four bytes", [...magic, 0x23, ...zeros(4), 3, ...block(3, 0, true), 1, 2, 3]],
  ["a content size of eight bytes", [...magic, 0xe0, ...zeros(8), ...block(1, 0, true), 1]],
  ["a content size of two bytes and a window", [...magic, 0x40, 0x50, ...zeros(2), ...block(1, 0, true), 1]],
  ["a run, which takes one byte", [...magic, 0x00, 0x50, ...block(100_000, 1, true), 7]],
  ["two blocks", [...magic, 0x00, 0x50, ...block(2, 2, false), 1, 2, ...block(1, 0, true), 3]],
  ["a skippable frame", [0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, ...zeros(5)]],
  ["an empty skippable frame", [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]]
]

const kept = (frames: ZstdFrames, chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<ReadonlyArray<number>> =>
  chunks.flatMap((chunk) => frames.split(chunk)).map((part) => [...part])

const singly = (bytes: ReadonlyArray<number>): ReadonlyArray<Uint8Array> =>
  bytes.map((byte) => Uint8Array.of(byte))

describe("zstd frames", () => {
  it.each(frames)("8.2 %s: truncated at every byte but the last", (_, bytes) => {
    for (let length = 0; length <= bytes.length; length++) {
      const whole = new ZstdFrames()
      const split = new ZstdFrames()
      expect(kept(whole, [Uint8Array.from(bytes.slice(0, length))]).flat()).toEqual(bytes.slice(0, length))
      expect(kept(split, singly(bytes.slice(0, length))).flat()).toEqual(bytes.slice(0, length))
      expect([length, whole.isTruncated, split.isTruncated]).toEqual([
        length,
        length < bytes.length,
        length < bytes.length
      ])
    }
  })

  it.each(frames)("8.2 %s: a frame after it starts a part of its own", (_, bytes) => {
    for (const [, next] of frames) {
      const both = new ZstdFrames()
      expect(kept(both, [Uint8Array.from([...bytes, ...next])])).toEqual([bytes, next])
      expect([both.isTruncated, both.isPastLastFrame]).toEqual([false, false])
    }
  })

  it.each([
    ["zeros", [0, 0, 0]],
    ["text", [...Buffer.from("garbage")]],
    ["half of a magic number, then other bytes", [0x28, 0xb5, 0]]
  ] as const)("8.2 bytes after the last frame are dropped: %s", (_, tail) => {
    for (const [, bytes] of frames) {
      const padded = new ZstdFrames()
      expect(kept(padded, [Uint8Array.from([...bytes, ...tail])])).toEqual([bytes])
      expect([padded.isPastLastFrame, padded.isTruncated]).toEqual([true, false])
      expect(padded.split(Uint8Array.of(1, 2, 3))).toEqual([])
    }
  })

  it("8.2 input that does not start with a frame reaches the decoder, which rejects it", () => {
    const bytes = Buffer.from("plain text")
    const none = new ZstdFrames()
    expect(kept(none, [bytes])).toEqual([[...bytes]])
    expect([none.isPastLastFrame, none.isTruncated]).toEqual([false, true])
  })
})
