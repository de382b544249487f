/** A client that blocks beside promises: calls one after another, and streams. */
import { textLength } from "../fixtures/scenarios.js"
import { against, named } from "../report/Findings.js"
import * as Print from "../report/print.js"
import { all, type RivalId } from "../rivals/all.js"
import type * as Comparison from "./comparison.js"
import { measure } from "./measuring.js"
import type { Part } from "./Part.js"

const ids: ReadonlyArray<RivalId> = ["ours-sync", "ours-promise", "ours-4-sync", "ours-4-promise"]

const pairs: ReadonlyArray<readonly [RivalId, RivalId]> = [
  ["ours-sync", "ours-promise"],
  ["ours-4-sync", "ours-4-promise"]
]

const what = "one call after another"

const subject: Comparison.Subject = { what, unit: "request", each: () => 1, pairs }

export const blocking: Part = async (bench) => {
  const { plan, server } = bench
  const figures = await measure(bench, ids, [
    {
      ...plan.blocking,
      subject,
      turn: ({ id, run }, millis) =>
        run("calls", server.url("unary", all[id].dialect, id), {
          inFlight: 1,
          millis,
          length: textLength("unary")
        })
    }
  ])
  const rows = plan.among(ids).map((id) => {
    const pair = pairs.find(([ours]) => ours === id)
    const ratio = pair && figures[against(what, ...pair)]
    return [
      all[id].title,
      Print.short(figures[named(`${what}, requests/s`, id)]?.median ?? Number.NaN),
      ratio === undefined ? "" : Print.times(ratio)
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
}
