/** Requests per second over HTTP/2: concurrent requests share a connection. */
import { textLength } from "../fixtures/scenarios.js"
import * as Findings from "../report/Findings.js"
import * as Print from "../report/print.js"
import * as Stats from "../report/stats.js"
import { all, type RivalId } from "../rivals/all.js"
import * as Http2Server from "../server/Http2Server.js"
import * as Loads from "./loads.js"
import type { Bench, Part } from "./Part.js"

const ids: ReadonlyArray<RivalId> = [
  "ours-h2",
  "ours-4-h2",
  "ours-promise-h2",
  "node-http2",
  "http2-effect",
  "http2-4-effect",
  "undici-h2"
]

export const http2: Part = async (bench) => {
  const server = await Http2Server.start()
  const title = "POST + JSON over HTTP/2: requests per second by requests in flight; other columns with 32"
  if (server === undefined) {
    const notes = ["openssl is not installed: left out"]
    return { figures: {}, tables: [{ title, columns: [], rows: [], notes }] }
  }
  return measured(bench, server, title).finally(server.close)
}

const measured = async (
  bench: Bench,
  server: Http2Server.Http2Server,
  title: string
): Promise<Findings.Findings> => {
  const { plan } = bench
  const { cells, columns, figures, note } = await Loads.measure(bench, ids, {
    ...plan.http2,
    isCompared: Loads.isCompared,
    serverCpu: server.cpu,
    turn: ({ inFlight }, { id, run }, millis) =>
      run("calls", server.url(id), { inFlight, millis, length: textLength("unary") }),
    subject: ({ inFlight }) => ({
      what: `HTTP/2, ${inFlight} in flight`,
      unit: "request",
      each: () => 1,
      ours: ["ours-h2", "ours-promise-h2", "ours-4-h2"]
    }),
    columnOf: ({ inFlight }) => String(inFlight)
  })
  const rows: Array<ReadonlyArray<string>> = []
  for (const id of plan.among(ids)) {
    const { connections, requests } = await server.counts(id)
    const ofOne = connections / plan.processes
    figures[Findings.named("HTTP/2, connections", id)] = Stats.exactly(ofOne)
    figures[Findings.named("HTTP/2, requests/connection", id)] = Stats.exactly(requests / connections)
    const counts = [Print.short(ofOne), Print.short(requests / connections)]
    rows.push([all[id].title, ...cells.map((cell) => cell(figures, id)), ...counts])
  }
  const table: Findings.Table = {
    title,
    columns: ["", ...columns, "connections of a process", "requests on each"],
    rows,
    notes: [
      note,
      "Ours keeps an idle connection for 10 minutes here, and 5 seconds by default: the turns of a client are further apart."
    ]
  }
  return { figures, tables: [table] }
}
