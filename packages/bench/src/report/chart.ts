/** The figures of the README, as an SVG that is readable on light and dark backgrounds. */
import { all, type RivalId } from "../rivals/all.js"
import { type Findings, named } from "./Findings.js"
import { short } from "./print.js"
import type { Machine } from "./results.js"

interface Panel {
  readonly title: string
  readonly what: string
}

const panels: ReadonlyArray<Panel> = [
  { title: "POST + JSON, 32 in flight: requests per second", what: "unary, 32 in flight, requests/s" },
  { title: "Server-sent events in large chunks: events per second", what: "SSE, large chunks, events/s" }
]

const width = 760
const labelWidth = 260
const valueWidth = 80
const barHeight = 16
const rowHeight = 24
const margin = 20
const titleHeight = 34

const style = `
  .card { fill: #ffffff; stroke: #d0d7de }
  .title { font-weight: 600 }
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .note { font-size: 11px; fill: #59636e }
  .bar { fill: #afb8c1 }
  .ours { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d }
    text { fill: #f0f6fc }
    .note { fill: #9198a1 }
    .bar { fill: #656c76 }
    .ours { fill: #4493f8 }
  }`

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const text = (x: number, y: number, content: string, more = ""): string =>
  `<text x="${x}" y="${y}"${more}>${escaped(content)}</text>`

/** The bars of a panel below `top`, the fastest first. */
const panel = ({ title, what }: Panel, figures: Findings["figures"], top: number): Drawn => {
  const bars = (Object.keys(all) as ReadonlyArray<RivalId>)
    .flatMap((id) => {
      const figure = figures[named(what, id)]
      return figure === undefined ? [] : [{ id, value: figure.median }]
    })
    .sort((a, b) => b.value - a.value)
  const most = Math.max(...bars.map(({ value }) => value))
  const room = width - 2 * margin - labelWidth - valueWidth
  const lines = bars.flatMap(({ id, value }, index) => {
    const y = top + titleHeight + index * rowHeight
    const length = Math.max(1, Math.round((room * value) / most))
    const x = margin + labelWidth
    return [
      text(x - 10, y + 13, all[id].title, ' text-anchor="end"'),
      `<rect class="bar${id.startsWith("ours") ? " ours" : ""}" x="${x}" y="${y}" width="${length}" height="${barHeight}" rx="2"/>`,
      text(x + length + 8, y + 13, short(value))
    ]
  })
  return {
    lines: [text(margin, top + 16, title, ' class="title"'), ...lines],
    bottom: top + titleHeight + bars.length * rowHeight
  }
}

interface Drawn {
  readonly lines: ReadonlyArray<string>
  readonly bottom: number
}

export const chart = (figures: Findings["figures"], machine: Machine, date: string): string => {
  let bottom = margin
  const lines: Array<string> = []
  for (const each of panels) {
    const drawn = panel(each, figures, bottom)
    lines.push(...drawn.lines)
    bottom = drawn.bottom + margin
  }
  const note = `${date.slice(0, 10)}, Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores. Medians of one run, longer is faster.`
  lines.push(text(margin, bottom + 8, note, ' class="note"'))
  const height = bottom + 8 + margin
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(panels.map(({ title }) => title).join("; "))}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>`,
    ...lines,
    "</svg>",
    ""
  ].join("\n")
}
