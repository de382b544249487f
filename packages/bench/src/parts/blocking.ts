/** A client that blocks beside promises: calls one after another, and streams. */
import * as RivalProcess from "../child/RivalProcess.js"
import type { Cost } from "../child/tasks.js"
import { textLength } from "../fixtures/scenarios.js"
import { against, named } from "../report/Findings.js"
import * as Stats from "../report/stats.js"
import { all, type RivalId } from "../rivals/all.js"
import type { Part } from "./Part.js"
import * as Rounds from "./rounds.js"

const ids: ReadonlyArray<RivalId> = ["ours-sync", "ours-promise", "ours-4-sync", "ours-4-promise"]

const pairs: ReadonlyArray<readonly [RivalId, RivalId]> = [
  ["ours-sync", "ours-promise"],
  ["ours-4-sync", "ours-4-promise"]
]

const what = "one call after another"
const millis = 300

export const blocking: Part = (bench) =>
  RivalProcess.withAll(bench, ids, async (processes) => {
    const { plan, server } = bench
    const turn = (process: RivalProcess.RivalProcess): Promise<Cost> =>
      process.run("calls", server.url("unary", all[process.id].dialect, process.id), {
        inFlight: 1,
        millis,
        length: textLength("unary")
      })
    // The thread starts, and the code warms up.
    await Rounds.interleaved(processes, 4, turn)
    const measured = await Rounds.interleaved(processes, plan.streams.rounds, turn)
    const figures: { [name: string]: Stats.Figure } = {}
    for (const { id } of processes) figures[named(what, id)] = Stats.figure(Rounds.rates(measured, id))
    for (const [ours, other] of pairs) {
      if (!measured.has(ours) || !measured.has(other)) continue
      figures[against(what, ours, other)] = Stats.ratio(
        Rounds.rates(measured, ours),
        Rounds.rates(measured, other)
      )
    }
    const rows = processes.map(({ id }) => {
      const pair = pairs.find(([ours]) => ours === id)
      const ratio = pair && figures[against(what, ...pair)]
      return [
        all[id].title,
        figures[named(what, id)]?.median.toFixed(0) ?? "",
        ratio === undefined ? "" : ratio.median.toFixed(2)
      ]
    })
    return {
      figures,
      tables: [
        {
          title: "Blocking, one call after another: requests per second, and beside promises",
          columns: ["", "per second", "of promises"],
          rows
        }
      ]
    }
  })
