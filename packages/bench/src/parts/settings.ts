/** What a setting costs: the same client without it, and with it. Each call is a GET, and an Effect that runs by itself. */
import { textLength } from "../fixtures/scenarios.js"
import { against, byCpu, named, type Table } from "../report/Findings.js"
import * as Print from "../report/print.js"
import { all, type RivalId } from "../rivals/all.js"
import type * as Comparison from "./comparison.js"
import { measure } from "./measuring.js"
import type { Part } from "./Part.js"

const onEffect3 = ["total", "cached", "bearer", "middleware", "limits", "derived", "spans"] as const

/** Each client with a setting, and the plain one. */
const pairs: ReadonlyArray<readonly [RivalId, RivalId]> = [
  ...onEffect3.map((setting) => [`ours-${setting}`, "ours"] as const),
  ...onEffect3.map((setting) => [`ours-4-${setting}`, "ours-4"] as const),
  // What a span costs the least that a program of Effects can send a request with.
  ["undici-effect-spans", "undici-effect"],
  ["undici-4-effect-spans", "undici-4-effect"]
]

const subject: Comparison.Subject = {
  what: "settings",
  unit: "request",
  each: () => 1,
  pairs
}

const page = "page-1.6kb"
const inFlight = 32

const ids = [...new Set(pairs.flat())]

export const settings: Part = async (bench) => {
  const { plan, server } = bench
  const figures = await measure(bench, ids, [
    {
      ...plan.settings,
      subject,
      turn: ({ id, run }, millis) =>
        run("pages", server.url(page, all[id].dialect, id), { inFlight, millis, length: textLength(page) })
    }
  ])
  const table: Table = {
    title: `What a setting costs, GET with ${inFlight} in flight: against the plain client`,
    columns: ["", "requests/s", "cpu us each", "against plain", "by cpu"],
    rows: plan.among(ids).map((id) => {
      const plain = pairs.find(([with_]) => with_ === id)?.[1]
      const beside = (what: string): string => {
        const figure = plain && figures[against(what, id, plain)]
        return figure ? Print.times(figure) : ""
      }
      const spread = (what: string): string => {
        const figure = figures[named(what, id)]
        return figure ? Print.withSpread(figure) : ""
      }
      return [
        plain === undefined ? `${all[id].title}, plain` : all[id].title,
        spread("settings, requests/s"),
        spread("settings, cpu us/request"),
        beside("settings"),
        beside(byCpu("settings"))
      ]
    })
  }
  return { figures, tables: [table] }
}
