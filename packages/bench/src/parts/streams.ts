/** Streams of about 2,000 events, in large chunks and with one chunk per event. */
import * as RivalProcess from "../child/RivalProcess.js"
import { eventCount } from "../fixtures/responses.js"
import type { Scenario } from "../fixtures/scenarios.js"
import type * as Findings from "../report/Findings.js"
import type * as Stats from "../report/stats.js"
import { all, type RivalId } from "../rivals/all.js"
import * as Comparison from "./comparison.js"
import type { Part } from "./Part.js"
import * as Rounds from "./rounds.js"

const ids: ReadonlyArray<RivalId> = [
  "ours",
  "ours-4",
  "ours-promise",
  "ours-4-promise",
  "ours-anthropic",
  "ours-4-anthropic",
  "ours-anthropic-promise",
  "ours-4-anthropic-promise",
  "eventsource-parser",
  "platform-sse",
  "platform-4-sse",
  "anthropic-sdk",
  "anthropic-sdk-messages",
  "openai"
]

const shapes: ReadonlyArray<{ readonly scenario: Scenario; readonly what: string }> = [
  { scenario: "chunks", what: "SSE, large chunks" },
  { scenario: "events", what: "SSE, an event a chunk" }
]

export const streams: Part = ({ plan, server }) =>
  RivalProcess.withAll(plan.among(ids), async (processes) => {
    const turn = (scenario: Scenario, millis: number) => (process: RivalProcess.RivalProcess) =>
      process.run("streams", server.url(scenario, all[process.id].dialect, process.id), { millis })

    const figures: { [name: string]: Stats.Figure } = {}
    const tables: Array<Findings.Table> = []
    const { millis, rounds, warmupMillis } = plan.streams
    for (const { scenario, what } of shapes) {
      await Rounds.interleaved(processes, 1, turn(scenario, warmupMillis))
      const measured = await Rounds.interleaved(processes, rounds, turn(scenario, millis))
      const subject: Comparison.Subject = { what, unit: "event", each: (id) => eventCount(all[id].dialect) }
      const cells = [Comparison.rateCell(subject), ...Comparison.comparingCells(subject)]
      Object.assign(figures, Comparison.figuresOf(subject, measured))
      tables.push({
        title: `${what}: events per second`,
        columns: ["", "events/s", ...Comparison.comparingColumns],
        rows: processes.map(({ id }) => [all[id].title, ...cells.map((cell) => cell(figures, id))])
      })
    }
    return { figures, tables }
  })
