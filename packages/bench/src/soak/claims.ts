/** What must be true when all is over. */
import { type Counts, kinds } from "./answers.js"
import type { Tally } from "./calls.js"
import type { held } from "./held.js"
import type { Said } from "./server.js"

const megabyte = 1024 * 1024

/** How many readings of the heap a quarter has. */
export const readings = 8
/** By how much the median of the last quarter may stand above that of the second: what the compiler and noise take. */
const slack = 2 * megabyte
/** How many requests may be on their way to a connection as it closes. */
const onTheirWay = 5

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
  said: Said,
  troubles: ReadonlyArray<unknown>
): ReadonlyArray<Claim> => {
  const { counts } = said
  const ended = sum(Object.values(tally.ended))
  const failed = sum(tally.errors.values())
  const succeeded = sum(Object.values(tally.succeeded))
  const total = (of: (counts: Counts) => number): number => sum(kinds.map((kind) => of(counts[kind])))
  const requests = total((counts) => counts.requests)
  const wrong = total((counts) => counts.wrong)
  const overBudget = sum(
    [...tally.errors].filter(([name]) => name.endsWith("budget")).map(([, count]) => count)
  )
  const second = median(heap.slice(readings, 2 * readings))
  const last = median(heap.slice(3 * readings, 4 * readings))
  // Where a server closes a connection, nobody can tell what of the requests on their way to it has arrived.
  const unknown = said.closes * onTheirWay
  const uncounted = (kind: "get" | "post"): number =>
    counts[kind].requests - counts[kind].refused - tally.attempts[kind]
  return [
    {
      claim: "every call ended once, in a success or in a tagged error",
      holds: ended === calls && succeeded + failed === calls && tally.foreign.length === 0,
      seen: `${succeeded} + ${failed} of ${calls}, ${tally.foreign.length} of another kind`
    },
    {
      claim: "no call was given up for want of budget",
      holds: overBudget === 0,
      seen: `${overBudget}`
    },
    {
      claim: "one request in five went wrong",
      holds: wrong / requests > 0.199 && wrong / requests < 0.25,
      seen: `${wrong} of ${requests}`
    },
    {
      claim: "every answer in full reached its call",
      holds: kinds.every((kind) => counts[kind].served === tally.succeeded[kind]),
      seen: kinds.map((kind) => `${kind} ${counts[kind].served} and ${tally.succeeded[kind]}`).join(", ")
    },
    {
      claim: "each POST that was not refused unread stands in a ledger, and each in a ledger arrived",
      holds: uncounted("post") <= 0 && uncounted("post") >= -unknown,
      seen: `${counts.post.requests - counts.post.refused} and ${tally.attempts.post}`
    },
    {
      claim: "a GET arrived more often only where its kept connection was lost",
      holds: uncounted("get") >= -unknown && uncounted("get") <= counts.get.lost + unknown,
      seen: `${uncounted("get")} more, ${counts.get.lost} lost`
    },
    {
      claim: "no unhandled rejection and no warning",
      holds: troubles.length === 0,
      seen: troubles.length === 0 ? "none" : String(troubles[0])
    },
    {
      claim: "no socket and no timer is left, on either side",
      holds: left.sockets === 0 && left.timers === 0 && said.connections === 0,
      seen: `${left.sockets} sockets, ${left.timers} timers; the server's ${said.connections} of ${said.seen} connections`
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
