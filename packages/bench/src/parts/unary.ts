/** Requests per second over HTTP/1.1: POST and JSON. */
import { textLength } from "../fixtures/scenarios.js"
import { all, type RivalId } from "../rivals/all.js"
import * as Loads from "./loads.js"
import type { Part } from "./Part.js"

const ids: ReadonlyArray<RivalId> = [
  "ours",
  "ours-4",
  "ours-promise",
  "ours-4-promise",
  "ours-fetch",
  "ours-4-fetch",
  "ours-anthropic",
  "ours-4-anthropic",
  "undici",
  "undici-8",
  "undici-effect",
  "undici-4-effect",
  "platform-undici",
  "platform-4",
  "platform-fetch",
  "platform-4-fetch",
  "fetch",
  "ky",
  "axios",
  "got",
  "openapi-fetch",
  "anthropic-sdk",
  "openai"
]

export const unary: Part = async (bench) => {
  const { plan, server } = bench
  const { cells, columns, figures, note } = await Loads.measure(bench, ids, {
    ...plan.unary,
    isCompared: Loads.isCompared,
    serverCpu: server.cpu,
    turn: ({ inFlight }, { id, run }, millis) =>
      run("calls", server.url("unary", all[id].dialect, id), {
        inFlight,
        millis,
        length: textLength("unary")
      }),
    subject: ({ inFlight }) => ({ what: `unary, ${inFlight} in flight`, unit: "request", each: () => 1 }),
    columnOf: ({ inFlight }) => String(inFlight)
  })
  const table = {
    title: "POST + JSON: requests per second by requests in flight; other columns with 32",
    columns: ["", ...columns],
    rows: plan.among(ids).map((id) => [all[id].title, ...cells.map((cell) => cell(figures, id))]),
    notes: [note]
  }
  return { figures, tables: [table] }
}
