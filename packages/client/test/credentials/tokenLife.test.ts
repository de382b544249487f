import { describe, expect, it } from "@effect/vitest"
import { Duration } from "effect"
import { askedPause, pauseAfter, renewalLimit, tokenLife } from "../../src/credentials/tokenLife.js"

const endless = { refreshAt: Infinity, expiresAt: Infinity }

describe("the life of a token", () => {
  it.each([
    ["a duration", Duration.minutes(10), { refreshAt: 1000 + 540_000, expiresAt: 1000 + 600_000 }],
    ["text", "10 minutes", { refreshAt: 1000 + 540_000, expiresAt: 1000 + 600_000 }],
    ["milliseconds", 600_000, { refreshAt: 1000 + 540_000, expiresAt: 1000 + 600_000 }],
    ["less than refreshAhead", 40_000, { refreshAt: 21_000, expiresAt: 41_000 }],
    ["zero", 0, { refreshAt: 1000, expiresAt: 1000 }],
    ["a negative number", -5, { refreshAt: 1000, expiresAt: 1000 }],
    ["a negative duration as text", "-5 seconds", { refreshAt: 1000, expiresAt: 1000 }],
    ["an infinite duration", Duration.infinity, endless],
    ["undefined", undefined, endless],
    ["null", null, endless],
    ["NaN", Number.NaN, endless],
    ["seconds as text", "3600", endless],
    ["an object", {}, endless],
    ["the largest number", Number.MAX_VALUE, { refreshAt: Number.MAX_VALUE, expiresAt: Number.MAX_VALUE }]
  ])("6.9 expiresIn given as %s", (_, expiresIn, life) => {
    expect(tokenLife(expiresIn, 60_000, 1000)).toEqual(life)
  })

  it.each([
    [undefined, 5000, 0],
    [0, 5000, 0],
    [Number.NaN, 5000, 0],
    [300, 300, 300],
    [30_000, 30_000, 30_000],
    [86_400_000, 60_000, 60_000],
    [Infinity, 60_000, 60_000]
  ])(
    "6.9 after a failure with a hint of %s ms: a background pause of %d ms, a pause of %d ms for calls",
    (hint, background, all) => {
      expect([pauseAfter(hint), askedPause(hint)]).toEqual([background, all])
    }
  )

  it.each([
    ["its own limit", 120_000, 500_000, 120_000],
    ["the token's end", 120_000, 10_000, 10_000],
    ["one second, however near the token's end", 120_000, 5, 1000],
    ["its own limit, however near the token's end", 200, 5, 200]
  ])("6.9 a renewal ends at %s", (_, limit, left, expected) => {
    expect(renewalLimit(limit, { refreshAt: 0, expiresAt: 1000 + left }, 1000)).toBe(expected)
  })
})
