/** Requests per second over HTTP/1.1: POST and JSON. */
import * as RivalProcess from "../child/RivalProcess.js"
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
  "platform-undici",
  "platform-4",
  "platform-fetch",
  "platform-4-fetch",
  "fetch",
  "ky",
  "axios",
  "got",
  "anthropic-sdk",
  "openai"
]

export const unary: Part = ({ plan, server }) =>
  RivalProcess.withAll(plan.among(ids), async (processes) => {
    const { cells, columns, figures, note } = await Loads.measure(processes, {
      plan: plan.unary,
      serverCpu: server.cpu,
      url: ({ id }) => server.url("unary", all[id].dialect, id),
      subject: (inFlight) => ({ what: `unary, ${inFlight} in flight`, unit: "request", each: () => 1 })
    })
    const table = {
      title: "POST + JSON: requests per second by requests in flight; other columns with 32",
      columns: ["", ...columns],
      rows: processes.map(({ id }) => [all[id].title, ...cells.map((cell) => cell(figures, id))]),
      notes: [note]
    }
    return { figures, tables: [table] }
  })
