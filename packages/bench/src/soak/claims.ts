/** The claims that must hold at the end. */

import type { Tally } from "./calls.js"
import type { held } from "./held.js"
import { type Counts, kinds } from "./responses.js"
import type { Report } from "./server.js"

const megabyte = 1024 * 1024

/** The number of heap readings per quarter. */
export const readings = 8
/** The permitted growth from the second to the last quarter's median, for compiled code and noise. */
const slack = 2 * megabyte
/** The most requests in transit to a connection that closes. */
const maxInTransit = 5

const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0)

export const inMegabytes = (bytes: number): string => `${(bytes / megabyte).toFixed(2)} MiB`

export interface Claim {
  readonly claim: string
  readonly holds: boolean
  readonly seen: string
}

export const claimsOf = (
  calls: number,
  tally: Tally,
  heap: ReadonlyArray<number>,
  left: ReturnType<typeof held>,
  report: Report,
  troubles: ReadonlyArray<unknown>
): ReadonlyArray<Claim> => {
  const { counts } = report
  const ended = sum(Object.values(tally.ended))
  const failed = sum(tally.errors.values())
  const succeeded = sum(Object.values(tally.succeeded))
  const total = (of: (counts: Counts) => number): number => sum(kinds.map((kind) => of(counts[kind])))
  const requests = total((counts) => counts.requests)
  const faulty = total((counts) => counts.faulty)
  const overBudget = sum(
    [...tally.errors].filter(([name]) => name.endsWith("budget")).map(([, count]) => count)
  )
  const second = median(heap.slice(readings, 2 * readings))
  const last = median(heap.slice(3 * readings, 4 * readings))
  // When a server closes a connection, the arrival of requests in transit is unknown.
  const unknown = report.closes * maxInTransit
  const uncounted = (kind: "get" | "post"): number =>
    counts[kind].requests - counts[kind].refused - tally.attempts[kind]
  return [
    {
      claim: "every call ended once, with a success or a tagged error",
      holds: ended === calls && succeeded + failed === calls && tally.foreign.length === 0,
      seen: `${succeeded} + ${failed} of ${calls}, ${tally.foreign.length} other outcomes`
    },
    {
      claim: "no call failed because of the retry budget",
      holds: overBudget === 0,
      seen: `${overBudget}`
    },
    {
      claim: "one request in five got a fault",
      holds: faulty / requests > 0.199 && faulty / requests < 0.25,
      seen: `${faulty} of ${requests}`
    },
    {
      claim: "every complete response reached its call",
      holds: kinds.every((kind) => counts[kind].served === tally.succeeded[kind]),
      seen: kinds.map((kind) => `${kind} ${counts[kind].served} and ${tally.succeeded[kind]}`).join(", ")
    },
    {
      claim:
        "every POST that was not refused unread is a reported attempt, and every reported attempt arrived",
      holds: uncounted("post") <= 0 && uncounted("post") >= -unknown,
      seen: `${counts.post.requests - counts.post.refused} and ${tally.attempts.post}`
    },
    {
      claim: "a GET arrived more often than reported only if its kept connection was lost",
      holds: uncounted("get") >= -unknown && uncounted("get") <= counts.get.lost + unknown,
      seen: `${uncounted("get")} more, ${counts.get.lost} lost`
    },
    {
      claim: "no unhandled rejection and no warning",
      holds: troubles.length === 0,
      seen: troubles.length === 0 ? "none" : String(troubles[0])
    },
    {
      claim: "no socket and no timer remains on either side",
      holds: left.sockets === 0 && left.timers === 0 && report.connections === 0,
      seen: `${left.sockets} sockets, ${left.timers} timers; the server's ${report.connections} of ${report.seen} connections`
    },
    {
      claim: "the heap is flat from the second quarter to the last",
      holds: globalThis.gc !== undefined && last - second <= slack,
      seen:
        globalThis.gc === undefined
          ? "not measured: node needs --expose-gc"
          : `${inMegabytes(second)} and ${inMegabytes(last)}`
    }
  ]
}
