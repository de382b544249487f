/** Streams of about 2,000 events, in large chunks, with one chunk per event and with other keys in each; and short streams. */
import { eventCount } from "../fixtures/responses.js"
import { type Scenario, textLength } from "../fixtures/scenarios.js"
import { all, type RivalId } from "../rivals/all.js"
import * as Comparison from "./comparison.js"
import { measure } from "./measuring.js"
import type { Part } from "./Part.js"

/** Those whose cost a shape of streams can show. */
const few: ReadonlyArray<RivalId> = [
  "ours",
  "ours-4",
  "ours-promise",
  "ours-4-promise",
  "eventsource-parser",
  "parser-stream",
  "parser-4-stream",
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

const subjectOf = ({ unit, what }: Shape): Comparison.Subject => ({
  what,
  unit,
  each: (id) => (unit === "stream" ? 1 : eventCount(all[id].dialect))
})

export const streams: Part = async (bench) => {
  const { plan, server } = bench
  const works = shapes.map((shape) => ({ ...shape, subject: subjectOf(shape) }))
  const figures = await measure(
    bench,
    ids,
    works.map(({ ids, scenario, subject }) => ({
      ...plan.streams,
      ids,
      subject,
      turn: ({ id, run }, millis) =>
        run("streams", server.url(scenario, all[id].dialect, id), { millis, length: textLength(scenario) })
    }))
  )
  const tables = works.map(({ ids, subject, unit, what }) => {
    const cells = [Comparison.rateCell(subject), ...Comparison.comparingCells(subject)]
    return {
      title: `${what}: ${unit}s per second`,
      columns: ["", `${unit}s/s`, ...Comparison.comparingColumns(subject)],
      rows: plan.among(ids).map((id) => [all[id].title, ...cells.map((cell) => cell(figures, id))])
    }
  })
  return { figures, tables }
}
