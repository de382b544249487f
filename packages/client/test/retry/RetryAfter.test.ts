import { readFileSync } from "node:fs"
import { Duration, FastCheck as fc, Option } from "effect"
import { describe, expect, it } from "vitest"
import * as RetryAfter from "../../src/retry/RetryAfter.js"

interface Row {
  readonly headers: Readonly<Record<string, string>>
  readonly hintSeconds: number | null
}

const vectors: { readonly now: string; readonly cases: ReadonlyArray<Row> } = JSON.parse(
  readFileSync(new URL("../vectors/retry-after.json", import.meta.url), "utf8")
)

const now = Date.parse(vectors.now)

const millis = (headers: Readonly<Record<string, string | undefined>>, at = now): number | undefined =>
  Option.getOrUndefined(Option.map(RetryAfter.parse(headers, at), Duration.toMillis))

const seconds = (value: string, at = now): number | undefined => {
  const hint = millis({ "retry-after": value }, at)
  return hint === undefined ? undefined : hint / 1000
}

describe("RetryAfter.parse", () => {
  it.each(vectors.cases)("6.2 $headers is a hint of $hintSeconds seconds", ({ headers, hintSeconds }) => {
    expect(millis(headers)).toBe(hintSeconds === null ? undefined : hintSeconds * 1000)
  })

  it.each([
    ["1", 1],
    ["007", 7],
    ["0.5", 0.5],
    ["1.50", 1.5],
    [" 3\t", 3],
    ["31536000", 31_536_000],
    ["9007199254740993", 9_007_199_254_740_992]
  ])("6.2 %j is %d seconds", (value, expected) => {
    expect(seconds(value)).toBe(expected)
  })

  it.each([
    "+5",
    "-5",
    "-0",
    "0.0",
    "00",
    "5.",
    ".5",
    "1,5",
    "1e3",
    "1e400",
    "0x10",
    "0b1",
    "1_000",
    "5s",
    "5 s",
    "5, 6",
    "5 5",
    "Infinity",
    "NaN",
    "null",
    "٣",
    "１",
    "9".repeat(400),
    "9".repeat(308),
    `0.${"0".repeat(20)}1`
  ])("6.2 %j is not a number of seconds", (value) => {
    expect(seconds(value)).toBeUndefined()
  })

  it("8.5 a header repeated with the same value counts once", () => {
    expect(seconds("5, 5")).toBe(5)
    expect(seconds("5, 6")).toBeUndefined()
  })

  it("6.2 missing headers give no hint", () => {
    expect(millis({})).toBeUndefined()
    expect(millis({ "retry-after": undefined, "retry-after-ms": undefined })).toBeUndefined()
  })

  it.each<[string, string | undefined, number | undefined]>([
    ["0.5", undefined, 0.5],
    ["250", "Fri, 29 Sep 2023 16:26:57 GMT", 250],
    ["0", "3", 3000],
    ["", "3", 3000],
    ["-1", "3", 3000],
    ["1e400", "3", 3000],
    ["9".repeat(400), "3", 3000],
    ["Fri, 29 Sep 2023 16:26:57 GMT", undefined, undefined],
    ["0", undefined, undefined],
    ["abc", "abc", undefined]
  ])("6.2 retry-after-ms %j with retry-after %j is %j ms", (ms, value, expected) => {
    expect(millis({ "retry-after-ms": ms, "retry-after": value })).toBe(expected)
  })

  it.each([
    ["Fri, 29 Sep 2023 16:26:38 GMT", 1],
    ["Sat, 30 Sep 2023 16:26:37 GMT", 86_400],
    ["Thu, 29 Feb 2024 00:00:00 GMT", 13_160_003],
    ["Fri, 29 Sep 2023 23:59:60 GMT", 27_203],
    ["Mon, 29 Sep 2023 16:26:38 GMT", 1],
    ["Saturday, 30-Sep-23 16:26:37 GMT", 86_400],
    ["Monday, 30-Sep-23 16:26:37 GMT", 86_400],
    ["Sat Sep 30 16:26:37 2023", 86_400],
    ["Sun Oct  1 16:26:37 2023", 172_800],
    ["Sun Oct 01 16:26:37 2023", 172_800],
    [" Fri, 29 Sep 2023 16:26:38 GMT ", 1]
  ])("6.2 the HTTP date %j is %d seconds ahead", (value, expected) => {
    expect(seconds(value)).toBe(expected)
  })

  it.each([
    "Fri, 29 Sep 2023 16:26:37 GMT",
    "Fri, 29 Sep 2023 16:26:36 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Fri, 29 Sep 0023 16:26:57 GMT",
    "Thursday, 29-Sep-22 16:26:57 GMT"
  ])("6.2 the HTTP date %j is not in the future", (value) => {
    expect(seconds(value)).toBeUndefined()
  })

  it.each([
    "fri, 29 sep 2023 16:26:57 gmt",
    "Fri, 29 Sep 2023 16:26:57 UTC",
    "Fri, 29 Sep 2023 16:26:57 +0000",
    "Fri, 29 Sep 2023 16:26:57",
    "Fri, 29 Sep 2023 16:26 GMT",
    "Fri, 9 Oct 2023 16:26:57 GMT",
    "Fri,  9 Oct 2023 16:26:57 GMT",
    "Fri 29 Sep 2023 16:26:57 GMT",
    "29 Sep 2023 16:26:57 GMT",
    "Friday, 29 Sep 2023 16:26:57 GMT",
    "Fri, 29-Sep-2023 16:26:57 GMT",
    "Fri, 29-Sep-23 16:26:57 GMT",
    "Friday, 29-Sep-2023 16:26:57 GMT",
    "Fri Sep 29 16:26:57 2023 GMT",
    "Sun Oct 1 16:26:57 2023",
    "Friday Sep 29 16:26:57 2023",
    "Fri, 31 Nov 2023 16:26:57 GMT",
    "Fri, 29 Feb 2025 16:26:57 GMT",
    "Fri, 00 Oct 2023 16:26:57 GMT",
    "Fri, 32 Oct 2023 16:26:57 GMT",
    "Fri, 29 Xep 2023 16:26:57 GMT",
    "Fri, 29 Sep 2023 24:00:00 GMT",
    "Fri, 29 Sep 2023 16:60:00 GMT",
    "Fri, 29 Sep 2023 16:26:61 GMT",
    "Fri, 29 Sep 12023 16:26:57 GMT",
    "Fri, 29 Sep 2023 16:26:57 GMT, Fri, 29 Sep 2023 16:26:58 GMT",
    "2023-09-29T16:26:57Z",
    "2023-09-30",
    "9/30/2023",
    "Sep 30, 2023",
    "December"
  ])("6.2 %j is not an HTTP date", (value) => {
    expect(seconds(value)).toBeUndefined()
  })

  const days = (a: string, b: string): number => (Date.parse(a) - Date.parse(b)) / 1000
  it.each([
    [
      "2023-09-29T16:26:37Z",
      "Friday, 29-Sep-73 16:26:37 GMT",
      days("2073-09-29T16:26:37Z", "2023-09-29T16:26:37Z")
    ],
    ["2023-09-29T16:26:37Z", "Friday, 29-Sep-73 16:26:38 GMT", undefined],
    ["2023-09-29T16:26:37Z", "Friday, 29-Sep-74 16:26:37 GMT", undefined],
    ["2099-12-31T23:59:50Z", "Friday, 01-Jan-00 00:00:00 GMT", 10],
    ["2049-12-31T23:59:50Z", "Saturday, 01-Jan-50 00:00:00 GMT", 10],
    ["1999-12-31T23:59:50Z", "Saturday, 01-Jan-00 00:00:00 GMT", 10]
  ])("6.2 two-digit years: at %s, %j is %j", (at, value, expected) => {
    expect(seconds(value, Date.parse(at))).toBe(expected)
  })

  it("6.2 an invalid current time gives no hint for a date", () => {
    expect(seconds("Fri, 29 Sep 2023 16:26:57 GMT", Number.NaN)).toBeUndefined()
    expect(seconds("Friday, 29-Sep-23 16:26:57 GMT", Number.NaN)).toBeUndefined()
  })

  it("6.2 parses a long value in linear time", () => {
    const long = `1${" ".repeat(1_000_000)}x`
    const started = performance.now()
    expect(seconds(long)).toBeUndefined()
    expect(millis({ "retry-after-ms": long })).toBeUndefined()
    expect(performance.now() - started).toBeLessThan(1000)
  })

  const day = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ")
  const forms: ReadonlyArray<readonly [string, (date: Date) => string]> = [
    ["IMF-fixdate", (date) => date.toUTCString()],
    [
      "RFC 850",
      (date) => {
        const [, dd, month, year, time] = date.toUTCString().split(" ")
        return `${day[date.getUTCDay()]}, ${dd}-${month}-${year?.slice(2)} ${time} GMT`
      }
    ],
    [
      "asctime",
      (date) => {
        const [name, dd, month, year, time] = date.toUTCString().split(" ")
        return `${name?.slice(0, 3)} ${month} ${dd?.replace(/^0/, " ")} ${time} ${year}`
      }
    ]
  ]

  it.each(forms)("6.2 any second of the next 49 years round-trips as %s", (_, write) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 49 * 365 * 86_400 }), (ahead) => {
        expect(seconds(write(new Date(now + ahead * 1000)))).toBe(ahead)
      })
    )
  })

  it("6.2 any headers give a finite positive hint or none", () => {
    const value = fc.oneof(fc.string(), fc.double().map(String), fc.bigInt({ min: 0n }).map(String))
    fc.assert(
      fc.property(value, value, (ms, after) => {
        const hint = millis({ "retry-after-ms": ms, "retry-after": after })
        if (hint === undefined) return
        expect(hint).toBeGreaterThan(0)
        expect(Number.isFinite(hint)).toBe(true)
      })
    )
  })
})
