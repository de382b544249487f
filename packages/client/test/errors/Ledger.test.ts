import { describe, expect, it } from "@effect/vitest"
import { Duration } from "effect"
import * as Ledger from "../../src/errors/Ledger.js"

describe("the ledger", () => {
  it("keeps the first fifty lines and the last fifty, and counts them all", () => {
    const ledger: Ledger.Ledger = { attempts: [], omitted: 0 }
    for (let at = 0; at < 250; at++) Ledger.record(ledger, Ledger.line(at, 1, undefined, 200))
    const starts = ledger.attempts.map(({ startedAt }) => startedAt)
    expect(starts.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, at) => at))
    expect(starts.slice(50)).toEqual(Array.from({ length: 50 }, (_, at) => 200 + at))
    expect(ledger.omitted).toBe(150)
    expect(Ledger.tries(ledger)).toBe(250)
  })

  it("holds durations, and no delay after the last attempt", () => {
    expect(Ledger.line(5, 30, "RateLimitError", 429, 500)).toEqual({
      startedAt: 5,
      duration: Duration.millis(30),
      tag: "RateLimitError",
      status: 429,
      delay: Duration.millis(500)
    })
    expect(Ledger.line(5, 30, undefined, 200).delay).toBeUndefined()
  })
})
