import { FastCheck as fc } from "effect"
import { describe, expect, it } from "vitest"
import * as Scan from "../../src/secrets/secretScan.js"

/** The number of steps of a search, and of secrets found. */
const work = (
  secrets: ReadonlyArray<string>,
  text: string
): { readonly steps: number; readonly found: number } => {
  const meter = { left: Number.MAX_SAFE_INTEGER }
  const found = Scan.find(text, new Scan.Patterns(secrets), true, meter)
  return { steps: Number.MAX_SAFE_INTEGER - meter.left, found: found?.length ?? -1 }
}

const filled = (unit: string, length: number): string => unit.repeat(Math.ceil(length / unit.length))

/** Strings that a hostile server repeats: starts of escapes, escapes of those, and letters. */
const units = [
  "\\",
  "a",
  "%",
  "&",
  "+",
  "%25",
  "%41",
  "%2541",
  "&amp;",
  "&#38;",
  "\\u005c",
  "\\\\u005c",
  "\\x41",
  "ab",
  `k9/ "+=&<>'\\%é~!(*)\n😀x`
]

describe("find", () => {
  it.each(units)("12.5 twice the text or secret takes at most about twice the steps, for %j", (unit) => {
    const steps = (length: number) => work([`${filled(unit, length / 50)}x`], filled(unit, length)).steps
    expect(steps(8_000)).toBeLessThanOrEqual(2.6 * steps(4_000) + 1_000)
    expect(steps(8_000)).toBeLessThan(Scan.allowance(8_000))
  })

  it.each(units)("12.5 hides a long secret of %j", (unit) => {
    const secret = filled(unit, 8_000)
    const meter = { left: Scan.allowance(secret.length) }
    const shown = Scan.hide(`say ${secret}`, new Scan.Patterns([secret]), "<hidden>", false, meter)
    expect(["say <hidden>", "<hidden>"]).toContain(shown)
    expect(meter.left).toBeGreaterThan(-8_000)
  })

  it("12.5 a thousand secrets cost no more steps than one", () => {
    const secrets = Array.from({ length: 1000 }, (_, index) => `sk-live-${index * 7919}-${index}`)
    const text = "What is this sk-live- of yours, said the quick brown fox. ".repeat(1000)
    expect(work(secrets, text).steps).toBeLessThan(2 * text.length)
    const { found, steps } = work(secrets, secrets.join(" "))
    expect(found).toBe(1000)
    expect(steps).toBeLessThan(3 * secrets.join(" ").length)
    const alike = Array.from({ length: 1000 }, (_, index) => `${"a".repeat(index + 6)}b`)
    expect(work(alike, "a".repeat(60_000)).steps).toBeLessThan(3 * 60_000)
  })

  it("12.5 hides a whole text that would take too many steps, and stops", () => {
    const text = "%41".repeat(20_000)
    const secrets = [`${"%41".repeat(3000)}x`, `${"A".repeat(9000)}x`, `${"41A".repeat(3000)}x`]
    const meter = { left: Scan.allowance(text.length) }
    expect(Scan.hide(text, new Scan.Patterns(secrets), "<hidden>", false, meter)).toBe("<hidden>")
    expect(meter.left).toBeGreaterThan(-10_000)
  })

  it("12.5 stops within the allowance for any secrets and text", () => {
    const piece = fc.constantFrom(...units)
    const mixture = fc.array(fc.tuple(piece, fc.integer({ min: 1, max: 400 })), { maxLength: 8 })
    const text = mixture.map((parts) => parts.map(([unit, times]) => unit.repeat(times)).join(""))
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), text, (secrets, text) => {
        const meter = { left: Scan.allowance(text.length) }
        Scan.find(text, new Scan.Patterns(secrets.filter((secret) => secret !== "")), true, meter)
        expect(meter.left).toBeGreaterThan(-8_000)
      }),
      { seed: 7, numRuns: 100 }
    )
  })
})
