import { Duration, FastCheck as fc } from "effect"
import { describe, expect, it } from "vitest"
import { toMillis } from "../../src/shared/duration.js"

const nan = Number.NaN
const endless = Number.POSITIVE_INFINITY

describe("toMillis", () => {
  it.each<readonly [input: unknown, millis: number]>([
    [0, 0],
    [1500, 1500],
    [0.5, 0.5],
    [endless, endless],
    [1_500_000n, 1.5],
    ["5 seconds", 5_000],
    ["1 second", 1_000],
    ["250 millis", 250],
    ["10 minutes", 600_000],
    ["1.5 hours", 5_400_000],
    [[1, 500_000_000], 1_500],
    [Duration.seconds(2), 2_000],
    [Duration.zero, 0],
    [Duration.infinity, endless]
  ])("1.3 %o is %d milliseconds", (input, millis) => {
    expect(toMillis(input)).toBe(millis)
  })

  it.each<readonly [input: unknown, millis: number]>([
    [-1, -1],
    [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    [-1_000_000n, -1],
    ["-5 seconds", -5_000],
    [" -1 milli ", -1],
    ["--5 seconds", -5_000]
  ])("1.2 %o keeps its sign, so that validation can reject it", (input, millis) => {
    expect(toMillis(input)).toBe(millis)
  })

  it.each([
    nan,
    "",
    "5",
    "5s",
    "soon",
    "five seconds",
    "-",
    [],
    [1],
    [-1, 0],
    [0, -1],
    [nan, 0],
    ["1", "2"],
    {},
    null,
    undefined,
    true,
    { minute: 1 },
    { seconds: nan },
    { seconds: "1" },
    new Map(),
    new Date(0),
    new Date(1000)
  ])("1.2 %o is not a duration", (input) => {
    expect(toMillis(input)).toBeNaN()
  })

  it("1.2 negative numbers and NaN never become a valid limit", () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer()), (number) => {
        expect(toMillis(number)).toBe(number)
        expect(toMillis(`${number} millis`) >= 0).toBe(
          number >= 0 && Math.abs(number) < 1e21 && !/e/.test(`${number}`)
        )
      })
    )
  })
})
