/** Streams of about 2,000 events, in large chunks, with one chunk per event and with other keys in each; and short streams. */
import * as RivalProcess from "../child/RivalProcess.js"
import { eventCount } from "../fixtures/responses.js"
import { type Scenario, textLength } from "../fixtures/scenarios.js"
import type * as Findings from "../report/Findings.js"
import type * as Stats from "../report/stats.js"
import { all, type RivalId } from "../rivals/all.js"
import * as Comparison from "./comparison.js"
import type { Part } from "./Part.js"
import * as Rounds from "./rounds.js"

/** Those whose cost a shape of streams can show. */
const few: ReadonlyArray<RivalId> = [
  "ours",
  "ours-4",
  "ours-promise",
  "ours-4-promise",
  "eventsource-parser",
  "anthropic-sdk"
]

const ids: ReadonlyArray<RivalId> = [
  ...few,
  "ours-anthropic",
  "ours-4-anthropic",
  "ours-anthropic-promise",
  "ours-4-anthropic-promise",
  "platform-sse",
  "platform-4-sse",
  "anthropic-sdk-messages",
  "openai"
]

interface Shape {
  readonly scenario: Scenario
  readonly what: string
  readonly unit: "event" | "stream"
  readonly ids: ReadonlyArray<RivalId>
}

const shapes: ReadonlyArray<Shape> = [
  { scenario: "chunks", what: "SSE, large chunks", unit: "event", ids },
  { scenario: "events", what: "SSE, an event a chunk", unit: "event", ids },
  { scenario: "keys", what: "SSE, other keys in each event", unit: "event", ids: few },
  { scenario: "short", what: "SSE, streams of a few events", unit: "stream", ids: few }
]

export const streams: Part = (bench) =>
  RivalProcess.withAll(bench, ids, async (processes) => {
    const { plan, server } = bench
    const turn =
      (scenario: Scenario, millis: number) =>
      ({ id, run }: RivalProcess.RivalProcess) =>
        run("streams", server.url(scenario, all[id].dialect, id), { millis, length: textLength(scenario) })

    const figures: { [name: string]: Stats.Figure } = {}
    const tables: Array<Findings.Table> = []
    const { millis, rounds, warmupMillis } = plan.streams
    for (const { ids, scenario, unit, what } of shapes) {
      const taking = processes.filter(({ id }) => ids.includes(id))
      await Rounds.interleaved(taking, 1, turn(scenario, warmupMillis))
      const measured = await Rounds.interleaved(taking, rounds, turn(scenario, millis))
      const each = (id: RivalId): number => (unit === "stream" ? 1 : eventCount(all[id].dialect))
      const subject: Comparison.Subject = { what, unit, each }
      const cells = [Comparison.rateCell(subject), ...Comparison.comparingCells(subject)]
      Object.assign(figures, Comparison.figuresOf(subject, measured))
      tables.push({
        title: `${what}: ${unit}s per second`,
        columns: ["", `${unit}s/s`, ...Comparison.comparingColumns(subject)],
        rows: taking.map(({ id }) => [all[id].title, ...cells.map((cell) => cell(figures, id))])
      })
    }
    return { figures, tables }
  })
