/** How many requests a call sends to a failing server. */
import * as RivalProcess from "../child/RivalProcess.js"
import type { Scenario } from "../fixtures/scenarios.js"
import * as Findings from "../report/Findings.js"
import * as Print from "../report/print.js"
import * as Stats from "../report/stats.js"
import { all, type RivalId } from "../rivals/all.js"
import type { Part } from "./Part.js"

const ids: ReadonlyArray<RivalId> = ["ours", "ours-4", "ours-promise", "anthropic-sdk", "openai"]

const scenarios: ReadonlyArray<{ readonly scenario: Scenario; readonly share: string }> = [
  { scenario: "fails-30", share: "30 %" },
  { scenario: "fails-100", share: "100 %" }
]

const calls = 1_000

/** The load of a busy program. Many calls at a time keep the measurement short, as clients wait between retries. */
const inFlight = 100

export const failures: Part = (bench) =>
  RivalProcess.withAll(bench, ids, async (processes) => {
    const { server } = bench
    const figures: { [name: string]: Stats.Figure } = {}
    const rows: Array<ReadonlyArray<string>> = []
    for (const { id, run } of processes) {
      const { dialect, title } = all[id]
      const cells: Array<string> = []
      for (const { scenario, share } of scenarios) {
        const url = server.url(scenario, dialect, id)
        const { succeeded } = await run("outcomes", url, { calls, inFlight })
        const attempts = (await server.count(scenario, dialect, id)) / calls
        figures[Findings.named(`${share} failing, attempts/call`, id)] = Stats.exactly(attempts)
        figures[Findings.named(`${share} failing, succeeded`, id)] = Stats.exactly(succeeded / calls)
        cells.push(Print.short(attempts), `${Print.short((100 * succeeded) / calls)} %`)
      }
      rows.push([title, ...cells])
    }
    return {
      figures,
      tables: [
        {
          title: `A server that responds with 503: requests sent per call, and successful calls of ${calls}`,
          columns: ["", ...scenarios.flatMap(({ share }) => [`${share} fail`, "succeeded"])],
          rows
        }
      ]
    }
  })
