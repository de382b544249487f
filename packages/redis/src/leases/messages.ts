/** What a process asks Redis, and what Redis returns, in the form of the scripts. */
import type { SharedLimits } from "@effect-api/client"

/** A quota, in the times of Redis: microseconds. */
export interface Quota {
  readonly unit: string
  readonly limit: number
  readonly windowMicros: number
  /** How much later than its time a request may go. */
  readonly toleranceMicros: number
  /** How many units a process may catch up with. */
  readonly burst: number
}

/** The most that a request may be late, in milliseconds. */
const mostTolerance = 250

/**
 * A fiftieth of the window may be lost to late requests, and a 250th of the limit to a late reservation: a limit of 1,000 a
 * second lets 976 go.
 */
export const quotaOf = ({ limit, millis, unit }: SharedLimits.Quota): Quota => ({
  unit,
  limit,
  windowMicros: Math.ceil(millis * 1000),
  toleranceMicros: Math.min(mostTolerance, millis / 50) * 1000,
  burst: Math.min(4, Math.floor(limit / 250))
})

/** A limit that a response has reported. */
export interface Seen {
  readonly name: string
  readonly unit: string
  readonly limit: number
  readonly remaining: number
  readonly resetMicros: number
}

/** What a process asks. Times are microseconds. */
export interface Asked {
  readonly me: string
  /** How many requests wait here, and what they cost, by `quotas` and then by `units`. The last costs go on. */
  readonly count: number
  readonly costs: ReadonlyArray<ReadonlyArray<number>>
  readonly quotas: ReadonlyArray<Quota>
  /** The units of limits that the server reports, each with its place among the costs, from one. */
  readonly units: Readonly<Record<string, number>>
  readonly observed: ReadonlyArray<Seen>
  /** What earlier requests have used more, or less. */
  readonly corrections: Readonly<Record<string, number>>
  /** Times at the end of a grant that nobody here needs any more: they go back if nobody has reserved since. */
  readonly release: { readonly grant: number; readonly costs: ReadonlyArray<number> } | undefined
  /** How far ahead times are reserved. */
  readonly horizon: number
  /** Since when Redis has known the key, as it replied last; 0 if it never did. */
  readonly born: number
  /** How long from now what is reserved lasts, as it replied last; below 0 if that has passed. */
  readonly ahead: number
  /** How many processes took part of late, as it replied. */
  readonly members: number
  /** For how long this process was without Redis until now; 0 if it was not. */
  readonly away: number
  /** How many processes took part when Redis was lost; 1 while it is there. */
  readonly fleet: number
  readonly grace: number
  readonly memberFor: number
  /** The client leaves longer waits to the server. */
  readonly most: number
}

/** The argument of the script. */
export const encode = (asked: Asked): string =>
  JSON.stringify({
    ...asked,
    quotas: asked.quotas.map(({ burst, limit, toleranceMicros, unit, windowMicros }) => [
      unit,
      limit,
      windowMicros,
      toleranceMicros,
      burst
    ]),
    observed: asked.observed.map(({ limit, name, remaining, resetMicros, unit }) => [
      `${unit}/${name}`,
      limit,
      remaining,
      resetMicros
    ])
  })

/** What Redis grants. Times are milliseconds from when the script ran. */
export interface Granted {
  readonly times: ReadonlyArray<number>
  /** How long until it is worth to ask again. */
  readonly waitMillis: number
  /** How many processes take part. */
  readonly members: number
  readonly epoch: number
  readonly grant: number
  /** How long the gate stays closed. */
  readonly gateMillis: number
  /** When the script ran, in microseconds of Redis' clock. */
  readonly at: number
  /** Since when Redis has known the key. Another time: it has lost its memory. */
  readonly born: number
  /** How long what is reserved lasts. */
  readonly aheadMillis: number
}

/** The reply of the script; `undefined` if it has another form. */
export const decode = (reply: unknown): Granted | undefined => {
  if (!Array.isArray(reply)) return undefined
  const numbers = reply.map(numberOf)
  const [count, wait, members, epoch, grant, gate, at, born, ahead, ...times] = numbers
  if (!numbers.every((number) => number >= 0 && Number.isFinite(number))) return undefined
  if (at === undefined || born === undefined || ahead === undefined || times.length !== count)
    return undefined
  return {
    times: times.map((micros) => micros / 1000),
    waitMillis: (wait ?? 0) / 1000,
    members: members ?? 1,
    epoch: epoch ?? 0,
    grant: grant ?? 0,
    gateMillis: (gate ?? 0) / 1000,
    at,
    born,
    aheadMillis: ahead / 1000
  }
}

const numberOf = (value: unknown): number =>
  typeof value === "number" || typeof value === "string" ? Number(value) : Number.NaN

/** A gate that a process has closed. */
export interface Closed {
  readonly key: string
  readonly by: string
  readonly millis: number
  readonly most: number
}

export const encodeClosed = ({ by, key, millis, most }: Closed): string =>
  JSON.stringify([key, by, millis, Math.min(most, Number.MAX_SAFE_INTEGER)])

/** The message of another process; `undefined` if it has another form. */
export const decodeClosed = (message: string): Closed | undefined => {
  const parts: unknown = parsed(message)
  if (!Array.isArray(parts)) return undefined
  const [key, by, millis, most]: ReadonlyArray<unknown> = parts
  return typeof key === "string" && typeof by === "string" && isTime(millis) && isTime(most)
    ? { key, by, millis, most }
    : undefined
}

const isTime = (value: unknown): value is number => typeof value === "number" && value >= 0

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
