import { describe, expect, it } from "@effect/vitest"
import { Duration } from "effect"
import { askedPause, pauseAfter, renewalLimit, tokenLife } from "../../src/credentials/tokenLife.js"

const endless = { refreshAt: Infinity, expiresAt: Infinity }

describe("a token's life", () => {
  it.each([
    ["a duration", Duration.minutes(10), { refreshAt: 1000 + 540_000, expiresAt: 1000 + 600_000 }],
    ["text", "10 minutes", { refreshAt: 1000 + 540_000, expiresAt: 1000 + 600_000 }],
    ["milliseconds", 600_000, { refreshAt: 1000 + 540_000, expiresAt: 1000 + 600_000 }],
    ["less than the head start", 40_000, { refreshAt: 21_000, expiresAt: 41_000 }],
    ["none", 0, { refreshAt: 1000, expiresAt: 1000 }],
    ["one that is over", -5, { refreshAt: 1000, expiresAt: 1000 }],
    ["one that is over, in words", "-5 seconds", { refreshAt: 1000, expiresAt: 1000 }],
    ["an endless one", Duration.infinity, endless],
    ["nothing", undefined, endless],
    ["null", null, endless],
    ["no number", Number.NaN, endless],
    ["seconds as text", "3600", endless],
    ["an object", {}, endless],
    [
      "more than a number counts",
      Number.MAX_VALUE,
      { refreshAt: Number.MAX_VALUE, expiresAt: Number.MAX_VALUE }
    ]
  ])("6.9 that is told as %s", (_, expiresIn, life) => {
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
    "6.9 after a failure with a hint of %s ms: %d ms in the background, %d ms at all",
    (hint, background, all) => {
      expect([pauseAfter(hint), askedPause(hint)]).toEqual([background, all])
    }
  )

  it.each([
    ["its own limit", 120_000, 500_000, 120_000],
    ["the token's end", 120_000, 10_000, 10_000],
    ["a moment, however near the end", 120_000, 5, 1000],
    ["its own limit, however near the end", 200, 5, 200]
  ])("6.9 a renewal ends at %s", (_, limit, left, expected) => {
    expect(renewalLimit(limit, { refreshAt: 0, expiresAt: 1000 + left }, 1000)).toBe(expected)
  })
})
