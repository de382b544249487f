/** A question and its answer: POST and JSON. */
import * as RivalProcess from "../child/RivalProcess.js"
import type * as Findings from "../report/Findings.js"
import type * as Stats from "../report/stats.js"
import { all, type RivalId } from "../rivals/all.js"
import * as Comparison from "./comparison.js"
import type { Part } from "./Part.js"
import * as Rounds from "./rounds.js"

const ids: ReadonlyArray<RivalId> = [
  "ours",
  "ours-promise",
  "ours-fetch",
  "ours-anthropic",
  "undici",
  "platform-undici",
  "platform-fetch",
  "fetch",
  "ky",
  "axios",
  "got",
  "anthropic-sdk",
  "openai"
]

const subject = (inFlight: number): Comparison.Subject => ({
  what: `unary, ${inFlight} in flight`,
  unit: "request",
  each: () => 1
})

export const unary: Part = ({ plan, server }) =>
  RivalProcess.withAll(plan.among(ids), async (processes) => {
    const turn = (inFlight: number, millis: number) => (process: RivalProcess.RivalProcess) =>
      process.run("calls", server.url("unary", all[process.id].dialect, process.id), { inFlight, millis })
    await Rounds.interleaved(processes, 1, turn(32, plan.unary.warmupMillis))

    const figures: { [name: string]: Stats.Figure } = {}
    const serverBusy: Array<number> = []
    for (const { inFlight, millis, rounds } of plan.unary.loads) {
      await Rounds.interleaved(processes, 1, turn(inFlight, millis / 2))
      const measured = await Rounds.interleaved(processes, rounds, async (process) => {
        const before = await server.cpu()
        const cost = await turn(inFlight, millis)(process)
        serverBusy.push(((await server.cpu()) - before) / (cost.millis * 1000))
        return cost
      })
      Object.assign(figures, Comparison.figuresOf(subject(inFlight), measured))
    }

    const counts = plan.unary.loads.map(({ inFlight }) => inFlight)
    const cells = [
      ...counts.map((inFlight) => Comparison.rateCell(subject(inFlight))),
      ...Comparison.comparingCells(subject(32))
    ]
    const table: Findings.Table = {
      title: "POST + JSON: requests per second by requests in flight; the rest with 32",
      columns: ["", ...counts.map(String), ...Comparison.comparingColumns],
      rows: processes.map(({ id }) => [all[id].title, ...cells.map((cell) => cell(figures, id))]),
      notes: [`The server was busy for at most ${Math.round(100 * Math.max(...serverBusy))} % of a turn.`]
    }
    return { figures, tables: [table] }
  })
