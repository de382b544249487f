/** What a setting costs: the same client without it, and with it. Each call is a GET, and an Effect that runs by itself. */
import * as RivalProcess from "../child/RivalProcess.js"
import { textLength } from "../fixtures/scenarios.js"
import { against, byCpu, named, type Table } from "../report/Findings.js"
import * as Print from "../report/print.js"
import { all, type RivalId } from "../rivals/all.js"
import * as Comparison from "./comparison.js"
import type { Part } from "./Part.js"
import * as Rounds from "./rounds.js"

const onEffect3 = ["total", "cached", "bearer", "middleware", "limits", "derived", "spans"] as const

/** Each client with a setting, and the plain one. */
const pairs: ReadonlyArray<readonly [RivalId, RivalId]> = [
  ...onEffect3.map((setting) => [`ours-${setting}`, "ours"] as const),
  ...onEffect3.map((setting) => [`ours-4-${setting}`, "ours-4"] as const)
]

const subject: Comparison.Subject = {
  what: "settings",
  unit: "request",
  each: () => 1,
  pairs
}

const page = "page-1.6kb"
const inFlight = 32

export const settings: Part = (bench) =>
  RivalProcess.withAll(bench, [...new Set(pairs.flat())], async (processes) => {
    const { plan, server } = bench
    const turn =
      (millis: number) =>
      ({ id, run }: RivalProcess.RivalProcess) =>
        run("pages", server.url(page, all[id].dialect, id), { inFlight, millis, length: textLength(page) })
    const { millis, rounds, warmupMillis } = plan.settings
    await Rounds.interleaved(processes, 1, turn(warmupMillis))
    const figures = Comparison.figuresOf(subject, await Rounds.interleaved(processes, rounds, turn(millis)))
    const table: Table = {
      title: `What a setting costs, GET with ${inFlight} in flight: against the plain client`,
      columns: ["", "requests/s", "cpu us each", "against plain", "by cpu"],
      rows: processes.map(({ id }) => {
        const plain = pairs.find(([with_]) => with_ === id)?.[1]
        const beside = (what: string): string => {
          const figure = plain && figures[against(what, id, plain)]
          return figure ? Print.times(figure) : ""
        }
        return [
          plain === undefined ? `${all[id].title}, plain` : all[id].title,
          Print.short(figures[named("settings, requests/s", id)]?.median ?? Number.NaN),
          Print.short(figures[named("settings, cpu us/request", id)]?.median ?? Number.NaN),
          beside("settings"),
          beside(byCpu("settings"))
        ]
      })
    }
    return { figures, tables: [table] }
  })
