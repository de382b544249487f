/**
 * How long a server asks a client to wait: `retry-after-ms` and `retry-after` as a duration.
 *
 * Pure: the caller passes the time, so a test needs no clock.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { toMillis } from "../shared/duration.js"
import { single, trimValue } from "../wire/headers.js"
import type * as RetryOptions from "./RetryOptions.js"

export { type RateLimitHeaders, rateLimit } from "./rateLimit.js"

/** Digits with an optional fraction only: `Number` would also take `0x10`, `1e9`, `+5` and `Infinity`. */
const decimal = /^\d+(?:\.\d+)?$/

const parseDecimal = (text: string): number | undefined => (decimal.test(text) ? Number(text) : undefined)

const dayNames = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
const longDayNames = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
const monthNames: ReadonlyArray<string> = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ")
const month = `(?<month>${monthNames.join("|")})`
const time = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)"

/**
 * RFC 9110 section 5.6.7: IMF-fixdate, RFC 850, asctime, case-sensitive and of fixed width. `Date.parse` would also
 * take `"2"`, `"May"` and local times. The day name need not fit the date: to drop a hint over a wrong name would
 * mean to come back sooner than the server asked.
 */
const forms: ReadonlyArray<RegExp> = [
  new RegExp(`^(?:${dayNames}), (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT$`),
  new RegExp(`^${longDayNames}, (?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT$`),
  new RegExp(`^(?:${dayNames}) ${month} (?<day>\\d\\d| \\d) ${time} (?<year>\\d{4})$`)
]

/** Milliseconds since the epoch; `undefined` for a day or time that does not exist. 60 is a leap second. */
const instant = (
  year: number,
  monthIndex: number,
  day: number,
  hour: number,
  minute: number,
  second: number
): number | undefined => {
  if (hour > 23 || minute > 59 || second > 60) return undefined
  // `Date.UTC` would read the years 0 to 99 as 1900 to 1999.
  const date = new Date(0)
  date.setUTCFullYear(year, monthIndex, day)
  if (date.getUTCMonth() !== monthIndex || date.getUTCDate() !== day) return undefined
  return date.setUTCHours(hour, minute, second)
}

/** The latest year with these digits that is at most 50 years ahead (RFC 9110 section 5.6.7). */
const fullYear = (twoDigits: number, at: (year: number) => number | undefined, nowMillis: number): number => {
  const limit = new Date(nowMillis)
  const limitYear = limit.getUTCFullYear() + 50
  limit.setUTCFullYear(limitYear)
  const year = limitYear - ((limitYear - twoDigits) % 100)
  return (at(year) ?? Number.NEGATIVE_INFINITY) > limit.getTime() ? year - 100 : year
}

const parseDate = (text: string, nowMillis: number): number | undefined => {
  for (const form of forms) {
    const found = form.exec(text)?.groups
    if (found === undefined) continue
    const { day, hour, minute, month, second, year = "" } = found
    const at = (y: number): number | undefined =>
      instant(y, monthNames.indexOf(month ?? ""), Number(day), Number(hour), Number(minute), Number(second))
    return at(year.length === 4 ? Number(year) : fullYear(Number(year), at, nowMillis))
  }
  return undefined
}

/** A hint counts if it is more than zero, even after `Duration` has rounded it to whole nanoseconds. */
const hint = (millis: number | undefined): Option.Option<Duration.Duration> => {
  if (millis === undefined || !Number.isFinite(millis) || millis <= 0) return Option.none()
  const duration = Duration.millis(millis)
  return Duration.toMillis(duration) > 0 ? Option.some(duration) : Option.none()
}

/**
 * How long the server asked the client to wait, counted from `nowMillis` (milliseconds since the epoch).
 *
 * Header names must be lower-case. `retry-after-ms`, in milliseconds, takes precedence. `retry-after` is seconds (a
 * fraction is allowed) or an HTTP-date in one of the three forms of RFC 9110 section 5.6.7. A number is digits with
 * an optional fraction, and must be the whole value. A hint that is zero, past, infinite or malformed is ignored.
 *
 * @example
 * ```ts
 * import { RetryAfter } from "@effect-api/client"
 * import { Duration, Option } from "effect"
 *
 * const now = Date.UTC(2023, 8, 29, 16, 26, 37)
 *
 * const wait = RetryAfter.parse({ "retry-after": "1.5" }, now)
 * console.log(Option.map(wait, Duration.toMillis)) // { _id: 'Option', _tag: 'Some', value: 1500 }
 *
 * const until = RetryAfter.parse({ "retry-after": "Fri, 29 Sep 2023 16:26:57 GMT" }, now)
 * console.log(Option.map(until, Duration.toSeconds)) // { _id: 'Option', _tag: 'Some', value: 20 }
 *
 * console.log(RetryAfter.parse({ "retry-after": "soon" }, now)) // { _id: 'Option', _tag: 'None' }
 * ```
 *
 * @since 0.1.0
 * @category parsing
 */
export const parse = (
  headers: Readonly<Record<string, string | undefined>>,
  nowMillis: number
): Option.Option<Duration.Duration> => {
  const exact = hint(parseDecimal(single(trimValue(headers["retry-after-ms"] ?? ""))))
  if (Option.isSome(exact)) return exact
  const value = single(trimValue(headers["retry-after"] ?? ""))
  const seconds = parseDecimal(value)
  if (seconds !== undefined) return hint(seconds * 1000)
  const date = parseDate(value, nowMillis)
  return hint(date === undefined ? undefined : date - nowMillis)
}

/**
 * The wait that a program's own function reads from headers; `undefined` if it throws or returns no duration.
 *
 * @internal
 */
export const own = (
  read: RetryOptions.RetryAfter | undefined,
  headers: Readonly<Record<string, string>>,
  nowMillis: number
): Duration.Duration | undefined => {
  if (read === undefined) return undefined
  try {
    const wait = read(headers, nowMillis)
    return wait === undefined ? undefined : Option.getOrUndefined(hint(toMillis(wait)))
  } catch {
    return undefined
  }
}
