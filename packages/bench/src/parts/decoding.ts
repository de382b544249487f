/** Whether the cost of decoding server-sent events is linear in their bytes. */
import type { Findings } from "../report/Findings.js"
import * as Stats from "../report/stats.js"
import type { Part } from "./Part.js"
import { costsOf, shapes } from "./sse.js"

const mebibyte = 1024 * 1024

export const decoding: Part = async ({ plan }): Promise<Findings> => {
  const figures: { [name: string]: Stats.Figure } = {}
  const sizes = plan.decoding.mebibytes.map((size) => size * mebibyte)
  const largest = plan.decoding.mebibytes.at(-1) ?? 1
  const rows = shapes.map((shape) => {
    // The first runs warm up the code.
    costsOf(shape, mebibyte, 5)
    const costs = sizes.map((size) => Stats.figure(costsOf(shape, size, plan.decoding.rounds)))
    const ratio = (costs.at(-1)?.median ?? Number.NaN) / (costs[0]?.median ?? Number.NaN)
    figures[`decoding, ns/byte of 1 MiB, ${shape.name}`] = costs[0] ?? Stats.exactly(Number.NaN)
    figures[`decoding, ${largest} MiB : 1 MiB, ${shape.name}`] = Stats.exactly(ratio)
    return [shape.name, ...costs.map(({ median }) => median.toFixed(2)), ratio.toFixed(2)]
  })
  return {
    figures,
    tables: [
      {
        title: "Decoding server-sent events: nanoseconds for each byte of a document",
        columns: ["", ...plan.decoding.mebibytes.map((size) => `${size} MiB`), `${largest} : 1`],
        rows
      }
    ]
  }
}
