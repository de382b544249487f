import { describe, expect, it } from "@effect/vitest"
import { GrowingBuffer } from "../../src/http2/GrowingBuffer.js"

type Step = readonly ["add" | "hold", string]

const cases: ReadonlyArray<{ readonly steps: ReadonlyArray<Step>; readonly text: string | undefined }> = [
  { steps: [], text: undefined },
  { steps: [["hold", "a"]], text: "a" },
  { steps: [["add", "a"]], text: "a" },
  {
    steps: [
      ["hold", "a"],
      ["hold", "bc"],
      ["hold", "d"]
    ],
    text: "abcd"
  },
  {
    steps: [
      ["hold", "a"],
      ["add", "b"]
    ],
    text: "ab"
  },
  {
    steps: [
      ["add", "a".repeat(1000)],
      ["hold", "b".repeat(2000)],
      ["add", "c"]
    ],
    text: `${"a".repeat(1000)}${"b".repeat(2000)}c`
  }
]

describe("a growing buffer", () => {
  it.each(cases)("$steps", ({ steps, text }) => {
    const buffer = new GrowingBuffer()
    const chunks = steps.map(([step, chunk]) => {
      const bytes = Buffer.from(chunk)
      buffer[step](bytes)
      return bytes
    })
    const taken = buffer.take()
    expect(taken?.toString()).toBe(text)
    expect(buffer.take()).toBe(undefined)
    // Only a chunk that is held alone is not copied.
    expect(taken !== undefined && chunks[0] === taken).toBe(steps.length === 1 && steps[0]?.[0] === "hold")
  })
})
