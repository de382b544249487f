/** GET over HTTP/1.1 by requests in flight and by size. Each call is an Effect that runs by itself, as in a handler of a server. */
import type { PageName } from "../fixtures/responses.js"
import { textLength } from "../fixtures/scenarios.js"
import type { PageLoad } from "../plan.js"
import { against, byCpu, type Table } from "../report/Findings.js"
import * as Print from "../report/print.js"
import { all, type RivalId } from "../rivals/all.js"
import type * as Comparison from "./comparison.js"
import * as Loads from "./loads.js"
import type { Part } from "./Part.js"

/** Ours, and what an Effect around a request costs. */
const compared: ReadonlyArray<RivalId> = [
  "ours",
  "ours-4",
  "ours-promise",
  "ours-4-promise",
  "undici-effect",
  "undici-4-effect"
]

const ids: ReadonlyArray<RivalId> = [...compared, "undici", "undici-8"]

const plain = "page-1.6kb"

const sizes: { readonly [K in Exclude<PageName, typeof plain>]: string } = {
  "page-100b": "100 B",
  "page-100kb": "100 KB",
  "page-5mb": "5 MB"
}

/** `GET, 32 in flight` or `GET, 100 KB`. */
const whatOf = ({ inFlight, page }: PageLoad): string =>
  page === plain ? `GET, ${inFlight} in flight` : `GET, ${sizes[page]}`

const subject = (load: PageLoad): Comparison.Subject => ({
  what: whatOf(load),
  unit: "request",
  each: () => 1,
  ours: compared
})

export const get: Part = async (bench) => {
  const { plan, server } = bench
  const { cells, columns, figures, note } = await Loads.measure(bench, ids, {
    ...plan.get,
    isCompared: (load) => load.page === plain && Loads.isCompared(load),
    serverCpu: server.cpu,
    turn: ({ inFlight, page }, { id, run }, millis) =>
      run("pages", server.url(page, all[id].dialect, id), { inFlight, millis, length: textLength(page) }),
    subject,
    columnOf: (load) => whatOf(load).replace("GET, ", "")
  })
  const measured = plan.among(ids)
  const rates: Table = {
    title: "GET: requests per second; other columns with 32 in flight and 1.6 KB",
    columns: ["", ...columns],
    rows: measured.map((id) => [all[id].title, ...cells.map((cell) => cell(figures, id))]),
    notes: [note]
  }
  const columnsOf = compared.filter((id) => measured.includes(id))
  const besideUndici: Table = {
    title: "GET, against undici.request: by throughput and by processor time",
    columns: ["", ...columnsOf.flatMap((id) => [all[id].title, "by cpu"])],
    rows: plan.get.loads.map((load) => [
      whatOf(load),
      ...columnsOf.flatMap((id) =>
        [whatOf(load), byCpu(whatOf(load))].map((what) => {
          const figure = figures[against(what, id, "undici")]
          return figure === undefined ? "" : Print.times(figure)
        })
      )
    ])
  }
  return { figures, tables: [rates, besideUndici] }
}
