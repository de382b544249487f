/** A server that fails: how many requests a call becomes. */
import * as RivalProcess from "../child/RivalProcess.js"
import type { Scenario } from "../fixtures/scenarios.js"
import * as Findings from "../report/Findings.js"
import * as Print from "../report/print.js"
import * as Stats from "../report/stats.js"
import { all, type RivalId } from "../rivals/all.js"
import type { Part } from "./Part.js"

const ids: ReadonlyArray<RivalId> = ["ours", "ours-promise", "anthropic-sdk", "openai"]

const scenarios: ReadonlyArray<{ readonly scenario: Scenario; readonly share: string }> = [
  { scenario: "fails-30", share: "30 %" },
  { scenario: "fails-100", share: "100 %" }
]

const calls = 1_000

/** As in a program that is busy. Clients wait by their own backoff, so many at a time keep the measurement short. */
const inFlight = 100

export const failures: Part = ({ plan, server }) =>
  RivalProcess.withAll(plan.among(ids), async (processes) => {
    const figures: { [name: string]: Stats.Figure } = {}
    const rows: Array<ReadonlyArray<string>> = []
    for (const { id, run } of processes) {
      const { dialect, title } = all[id]
      const cells: Array<string> = []
      for (const { scenario, share } of scenarios) {
        const url = server.url(scenario, dialect, id)
        const { answered } = await run("outcomes", url, { calls, inFlight })
        const attempts = (await server.count(scenario, dialect, id)) / calls
        figures[Findings.named(`${share} failing, attempts/call`, id)] = Stats.exactly(attempts)
        figures[Findings.named(`${share} failing, answered`, id)] = Stats.exactly(answered / calls)
        cells.push(Print.short(attempts), `${Print.short((100 * answered) / calls)} %`)
      }
      rows.push([title, ...cells])
    }
    return {
      figures,
      tables: [
        {
          title: `A server that answers 503: requests sent for each of ${calls} calls, and calls that were answered`,
          columns: ["", ...scenarios.flatMap(({ share }) => [`${share} fail`, "answered"])],
          rows
        }
      ]
    }
  })
