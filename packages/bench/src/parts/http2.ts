/** A question and its answer over HTTP/2: many requests at a time share a connection. */
import * as RivalProcess from "../child/RivalProcess.js"
import * as Findings from "../report/Findings.js"
import * as Print from "../report/print.js"
import * as Stats from "../report/stats.js"
import { all, type RivalId } from "../rivals/all.js"
import * as Http2Server from "../server/Http2Server.js"
import * as Comparison from "./comparison.js"
import type { Part } from "./Part.js"
import * as Rounds from "./rounds.js"

const ids: ReadonlyArray<RivalId> = ["ours-h2", "ours-promise-h2", "node-http2", "undici-h2"]

const subject = (inFlight: number): Comparison.Subject => ({
  what: `HTTP/2, ${inFlight} in flight`,
  unit: "request",
  each: () => 1,
  ours: ["ours-h2", "ours-promise-h2"]
})

export const http2: Part = async ({ plan }) => {
  const server = await Http2Server.start()
  const title = "POST + JSON over HTTP/2: requests per second by requests in flight; the rest with 32"
  if (server === undefined) {
    const notes = ["openssl is not installed: left out"]
    return { figures: {}, tables: [{ title, columns: [], rows: [], notes }] }
  }
  const measuring = RivalProcess.withAll(plan.among(ids), async (processes) => {
    const turn = (inFlight: number, millis: number) => (process: RivalProcess.RivalProcess) =>
      process.run("calls", server.url(process.id), { inFlight, millis })
    // In several turns: a connection that nobody uses for a while is closed.
    await Rounds.interleaved(processes, 3, turn(32, plan.http2.warmupMillis / 3))

    const figures: { [name: string]: Stats.Figure } = {}
    const serverBusy: Array<number> = []
    const { loads } = plan.http2
    for (const { inFlight, millis, rounds } of loads) {
      await Rounds.interleaved(processes, 1, turn(inFlight, millis / 2))
      const measured = await Rounds.interleaved(processes, rounds, async (process) => {
        const before = await server.cpu()
        const cost = await turn(inFlight, millis)(process)
        serverBusy.push(((await server.cpu()) - before) / (cost.millis * 1000))
        return cost
      })
      Object.assign(figures, Comparison.figuresOf(subject(inFlight), measured))
    }
    const rows: Array<ReadonlyArray<string>> = []
    const counts = loads.map(({ inFlight }) => inFlight)
    const cells = [
      ...counts.map((inFlight) => Comparison.rateCell(subject(inFlight))),
      ...Comparison.comparingCells(subject(32))
    ]
    for (const { id } of processes) {
      const { connections, requests } = await server.counts(id)
      figures[Findings.named("HTTP/2, connections", id)] = Stats.exactly(connections)
      figures[Findings.named("HTTP/2, requests/connection", id)] = Stats.exactly(requests / connections)
      const told = [Print.short(connections), Print.short(requests / connections)]
      rows.push([all[id].title, ...cells.map((cell) => cell(figures, id)), ...told])
    }
    const table: Findings.Table = {
      title,
      columns: ["", ...counts.map(String), ...Comparison.comparingColumns, "connections", "requests on each"],
      rows,
      notes: [`The server was busy for at most ${Math.round(100 * Math.max(...serverBusy))} % of a turn.`]
    }
    return { figures, tables: [table] }
  })
  return measuring.finally(server.close)
}
