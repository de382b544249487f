/** What the requests of a fleet come to. */
import { limit, windowMillis } from "./Limiter.js"
import type { Run } from "./run.js"
import type { Refusal } from "./work.js"

export const total = ({ fleet }: Run): number => fleet.reduce((sum, { times }) => sum + times.length, 0)

/** The requests of the fleet, of those that the limit allows in the time. */
export const ofLimit = (run: Run): number => total(run) / ((limit * run.millis) / windowMillis)

/** The most requests of the fleet in any window of the limit. */
export const mostInAWindow = ({ fleet }: Run): number => {
  const times = fleet.flatMap(({ times }) => times).sort((a, b) => a - b)
  let most = 0
  let first = 0
  for (const [index, time] of times.entries()) {
    while (time - (times[first] ?? time) >= windowMillis) first++
    most = Math.max(most, index - first + 1)
  }
  return most
}

export const callsPerRequest = (run: Run): number => run.calls / total(run)

/** The requests of the busiest process over those of the idlest. */
export const unfairness = ({ fleet }: Run): number => {
  const counts = fleet.map(({ times }) => times.length)
  return Math.max(...counts) / Math.min(...counts)
}

/** When the server refused a request of one process, and until when all are to wait. */
export const gate = ({ fleet }: Run, { millis }: Refusal): readonly [closedAt: number, opensAt: number] => {
  const [closedAt] = fleet.flatMap(({ refusedAt }) => refusedAt ?? [])
  if (closedAt === undefined) throw new Error("the server refused no request")
  return [closedAt, closedAt + millis]
}

/** How many requests were sent in a time. */
export const sentIn = ({ fleet }: Run, from: number, to: number): number =>
  fleet.flatMap(({ times }) => times).filter((time) => time > from && time < to).length

/** The requests of each process by time. */
export const series = ({ fleet, millis }: Run, bucketMillis: number): ReadonlyArray<ReadonlyArray<number>> =>
  fleet.map(({ times }) => {
    const counts = Array.from({ length: Math.ceil(millis / bucketMillis) }, () => 0)
    for (const time of times) {
      const bucket = Math.floor(time / bucketMillis)
      counts[bucket] = (counts[bucket] ?? 0) + 1
    }
    return counts
  })
