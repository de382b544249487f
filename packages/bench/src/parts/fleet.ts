/** Processes that share a limit on one Redis, with unlimited demand. */
import * as Of from "../fleet/figures.js"
import { limit, windowMillis } from "../fleet/Limiter.js"
import { all, among, type LimiterId } from "../fleet/limiters.js"
import * as Redis from "../fleet/Redis.js"
import { processes, type Run, run } from "../fleet/run.js"
import { type Findings, named, type Table } from "../report/Findings.js"
import * as Print from "../report/print.js"
import { rounded } from "../report/results.js"
import * as Stats from "../report/stats.js"
import type { Part } from "./Part.js"

const millis = 5000
const bucketMillis = 100

/** A shorter run, in which the server refuses a request of one process. */
const gatedMillis = 2500
const refusal = { at: 1000, millis: 500 }

/** How long the refusal may take to reach the other processes. */
const notice = 20

interface Runs {
  readonly id: LimiterId
  readonly plain: Array<Run>
  readonly gated: Array<Run>
}

/** How many requests were sent while all processes were to wait. */
const late = (run: Run): number => {
  const [closedAt, opensAt] = Of.gate(run, refusal)
  return Of.sentIn(run, closedAt + notice, opensAt)
}

/** The measurements: by the names that the saved results have. */
const measurements = {
  ofLimit: { what: "of the limit", runs: "plain", of: Of.ofLimit },
  mostInASecond: { what: "most in any second", runs: "plain", of: Of.mostInAWindow },
  callsPerRequest: { what: "calls to Redis a request", runs: "plain", of: Of.callsPerRequest },
  unfairness: { what: "busiest over idlest process", runs: "plain", of: Of.unfairness },
  late: { what: "sent after a 429 of one process", runs: "gated", of: late }
} as const

type Figures = { readonly [name: string]: Stats.Figure }

const figuresOf = (runs: Runs): Figures =>
  Object.fromEntries(
    Object.entries(measurements).flatMap(([name, { of, runs: kind }]) =>
      runs[kind].length === 0 ? [] : [[name, Stats.figure(runs[kind].map(of))]]
    )
  )

/** The run to draw: the one in the middle, by its requests. */
const middle = (runs: ReadonlyArray<Run>): Run | undefined =>
  [...runs].sort((a, b) => Of.total(a) - Of.total(b))[Math.floor(runs.length / 2)]

/** The results of a limiter, to be saved. */
const record = ({ gated, id, plain }: Runs, figures: Figures): object => {
  const drawn = middle(plain)
  const drawnGate = middle(gated)
  return {
    id,
    title: all[id].title,
    ...Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, rounded(figure)])),
    ...(drawn && { series: Of.series(drawn, bucketMillis) }),
    ...(drawnGate && { gated: gatedSeries(drawnGate) })
  }
}

const gatedSeries = (run: Run): object => {
  const [closedAt, opensAt] = Of.gate(run, refusal)
  return {
    closedAt: Math.round(closedAt),
    opensAt: Math.round(opensAt),
    series: Of.series(run, bucketMillis)
  }
}

/** Each run has a Redis of its own, which knows nothing of the others. */
const measured = async (redis: Redis.Redis, id: LimiterId, isGated: boolean): Promise<Run> => {
  try {
    return isGated ? await run(redis, id, gatedMillis, refusal) : await run(redis, id, millis)
  } finally {
    await redis.close()
  }
}

const title = `${processes} processes share ${limit} requests a second on one Redis, for ${millis / 1000} seconds`

export const fleet: Part = async ({ plan }): Promise<Findings> => {
  const found: ReadonlyArray<Runs> = among(plan).map((id) => ({ id, plain: [], gated: [] }))
  let version = ""
  for (let round = 0; round < plan.fleetRounds; round++) {
    for (const runs of found) {
      for (const kind of all[runs.id].hasGate ? (["plain", "gated"] as const) : (["plain"] as const)) {
        const redis = await Redis.start()
        if (redis === undefined) {
          const notes = ["redis-server is not installed: left out"]
          return { figures: {}, tables: [{ title, columns: [], rows: [], notes }] }
        }
        version = redis.version
        runs[kind].push(await measured(redis, runs.id, kind === "gated"))
      }
    }
  }
  const results = found.map((runs) => ({ runs, figures: figuresOf(runs) }))
  const table: Table = {
    title,
    columns: ["", ...Object.values(measurements).map(({ what }) => what)],
    rows: results.map(({ figures, runs }) => [
      all[runs.id].title,
      ...Object.keys(measurements).map((name) => {
        const figure = figures[name]
        return figure === undefined ? "" : Print.withSpread(figure)
      })
    ]),
    notes: [`A 429 of one process counts from ${notice} ms after it until its wait is over.`]
  }
  return {
    figures: Object.fromEntries(
      results.flatMap(({ figures, runs }) =>
        Object.entries(figures).map(([name, figure]) => [named(`fleet, ${name}`, runs.id), figure])
      )
    ),
    tables: [table],
    files: {
      fleet: {
        redis: version,
        load: { processes, limit, windowMillis, millis, bucketMillis },
        rivals: results.map(({ figures, runs }) => record(runs, figures))
      }
    }
  }
}
