// What the performance page shows of processes that share a limit: a chart of each limiter, and the figures beside it. Both come
// from packages/bench/results/fleet.json, which `npm run bench -- --only=fleet --save` writes.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { dayOf, digits, nodeOf, table } from "./machineTables.mjs"
import { readJson, root } from "./workspace.mjs"

const results = join(root, "packages", "bench", "results")
const source = join(results, "fleet.json")

export const file = join(results, "fleet.svg")

const width = 760
const margin = 20
const axisWidth = 44
const plotWidth = width - 2 * margin - axisWidth
const plotHeight = 84
const titleHeight = 28
const panelHeight = titleHeight + plotHeight + 30

/** A higher bar is cut off and has its number above it: one second at once would make all others a line. */
const mostLimits = 4

// The shades of processes: a stack of eight stays readable on light and dark backgrounds.
const shades = [1, 0.62, 0.9, 0.52, 0.8, 0.42, 0.7, 0.34]

const style = `
  .card { fill: #ffffff; stroke: #d0d7de }
  .title { font-weight: 600 }
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .note { font-size: 11px; fill: #59636e }
  .bar { fill: #6e7781 }
  .ours .bar { fill: #0969da }
  .axis { stroke: #d0d7de }
  .limit { stroke: #cf222e; stroke-dasharray: 4 3 }
  .closed { fill: #cf222e; fill-opacity: 0.12 }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d }
    text { fill: #f0f6fc }
    .note { fill: #9198a1 }
    .bar { fill: #9198a1 }
    .ours .bar { fill: #4493f8 }
    .axis { stroke: #3d444d }
    .limit { stroke: #ff7b72 }
    .closed { fill: #ff7b72 }
  }`

const escaped = (text) =>
  String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const text = (x, y, content, more = "") => `<text x="${x}" y="${y}"${more}>${escaped(content)}</text>`

const number = (value) => value.toLocaleString("en-US")

const isOurs = ({ id }) => id === "ours" || id.startsWith("ours-")

/** What all processes sent in each bucket. */
const sums = (series) =>
  Array.from({ length: Math.max(0, ...series.map((counts) => counts.length)) }, (_, bucket) =>
    series.reduce((sum, counts) => sum + (counts[bucket] ?? 0), 0)
  )

/** The panels of a limiter: its run, and one in which the server refuses a request. */
const panelsOf = (rival) => [
  { rival, title: rival.title, series: rival.series },
  ...(rival.gated ? [{ rival, title: `${rival.title}, one process gets a 429`, ...rival.gated }] : [])
]

/** The same in words, for those who do not see the chart. */
const inWords = ({ closedAt, opensAt, series, title }, { bucketMillis }) => {
  const sent = sums(series)
  const total = sent.reduce((sum, count) => sum + count, 0)
  const seconds = (sent.length * bucketMillis) / 1000
  const most = `at most ${number(Math.max(0, ...sent))} in ${bucketMillis} ms`
  const wait = closedAt === undefined ? "" : `, a wait from ${closedAt / 1000} to ${opensAt / 1000} s`
  return `${title}: ${number(total)} requests in ${seconds} s, ${most}${wait}.`
}

const panel = (shown, load, perBucket, top) => {
  const { closedAt, opensAt, rival, series, title } = shown
  const left = margin + axisWidth
  const bottom = top + titleHeight + plotHeight
  const sent = sums(series)
  const most = perBucket * mostLimits
  const step = plotWidth / Math.max(1, sent.length)
  const y = (count) => bottom - (Math.min(count, most) / most) * plotHeight
  const at = (millis) => left + (millis / load.bucketMillis) * step
  const round = (value) => Number(value.toFixed(1))
  const bars = sent.flatMap((_, bucket) => {
    let below = 0
    return series.flatMap((counts, process) => {
      const [from, to] = [y(below), y((below += counts[bucket] ?? 0))]
      if (from - to < 0.05) return []
      const box = `x="${round(left + bucket * step)}" y="${round(to)}" width="${round(step - 1)}" height="${round(from - to)}"`
      return [`<rect class="bar" fill-opacity="${shades[process % shades.length]}" ${box}/>`]
    })
  })
  // Neighbours have no room for two numbers: the higher one shows its own.
  const isShown = (count, bucket) =>
    count > most && count > (sent[bucket - 1] ?? 0) && count >= (sent[bucket + 1] ?? 0)
  const cut = sent.flatMap((count, bucket) =>
    isShown(count, bucket)
      ? [
          text(
            round(left + (bucket + 0.5) * step),
            top + titleHeight - 2,
            number(count),
            ' class="note" text-anchor="middle"'
          )
        ]
      : []
  )
  const seconds = Array.from({ length: Math.floor((sent.length * load.bucketMillis) / 1000) + 1 }, (_, s) =>
    text(round(at(s * 1000)), bottom + 13, `${s} s`, ' class="note" text-anchor="middle"')
  )
  const closed =
    closedAt === undefined
      ? []
      : [
          `<rect class="closed" x="${round(at(closedAt))}" y="${top + titleHeight}" width="${round(at(opensAt) - at(closedAt))}" height="${plotHeight}"/>`
        ]
  return [
    `<g${isOurs(rival) ? ' class="ours"' : ""}>`,
    text(margin, top + 12, title, ' class="title"'),
    ...closed,
    ...bars,
    ...cut,
    `<line class="axis" x1="${left}" y1="${bottom}" x2="${left + plotWidth}" y2="${bottom}"/>`,
    `<line class="limit" x1="${left}" y1="${y(perBucket)}" x2="${left + plotWidth}" y2="${y(perBucket)}"/>`,
    text(left - 6, y(perBucket) + 4, number(perBucket), ' class="note" text-anchor="end"'),
    text(left - 6, bottom + 4, "0", ' class="note" text-anchor="end"'),
    ...seconds,
    "</g>"
  ]
}

/** Requests in each bucket of time, stacked by process, with the limit as a line. */
export const draw = (fleet) => {
  const { load, machine, rivals } = fleet
  const perBucket = (load.limit * load.bucketMillis) / load.windowMillis
  const panels = rivals.filter(({ series }) => series).flatMap(panelsOf)
  const lines = panels.flatMap((shown, index) => panel(shown, load, perBucket, margin + index * panelHeight))
  const bottom = margin + panels.length * panelHeight
  const note = `${dayOf(fleet)}, Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores. A shade is a process, the dashed line the limit.`
  const height = bottom + 8 + margin
  const title = `Requests in each ${load.bucketMillis} ms of ${load.processes} processes that share ${number(load.limit)} requests a second`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="desc">${escaped(panels.map((shown) => inWords(shown, load)).join(" "))}</desc>`,
    `<style>${style}\n</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>`,
    ...lines,
    text(margin, bottom + 8, note, ' class="note"'),
    "</svg>",
    ""
  ].join("\n")
}

const columns = [
  ["ofLimit", "of the limit", digits],
  ["mostInASecond", "most in any second", (value) => number(Math.round(value))],
  ["callsPerRequest", "calls to Redis a request", digits],
  ["unfairness", "busiest process over the idlest", digits],
  ["late", "sent later than 20 ms after a 429", (value) => number(Math.round(value))]
]

const cell = (figure, show) => {
  if (figure === undefined) return ""
  const { max, median, min } = figure
  if (median === null) return "a process sent nothing"
  return min === max ? show(median) : `**${show(median)}** (${show(min)} to ${show(max)})`
}

/** Markdown may read a `[` or a `]` of a title as a link. */
const altOf = ({ load, rivals }) =>
  rivals
    .filter(({ series }) => series)
    .flatMap(panelsOf)
    .map((shown) => inWords(shown, load))
    .join(" ")
    .replace(/[[\]\\]/g, "")

/** A title with the names of packages and of their exports as code. */
const marked = (title) => title.replace(/@[\w-]+\/[\w-]+|[a-z]+(-[a-z]+)+|\w+Limiter\w*/g, "`$&`")

/** What the page has of a fleet. */
export const describe = (fleet) => {
  const { load, machine, redis, rivals } = fleet
  return [
    "### A fleet on one Redis",
    `${load.processes} processes share a limit of ${number(load.limit)} requests a second for ${load.millis / 1000} seconds, and each ` +
      "sends as many as it may. The limit holds if no second has more. " +
      `Measured on ${dayOf(fleet)}: ${machine.cores} cores of an ${machine.cpu}, ${nodeOf(machine)}, Redis ${redis}. All figures: ` +
      "[fleet.json](../../bench/results/fleet.json).",
    table(
      ["", ...columns.map(([, title]) => title)],
      rivals.map((rival) => [
        marked(rival.title),
        ...columns.map(([name, , show]) => cell(rival[name], show))
      ])
    ),
    `![${altOf(fleet)}](../../bench/results/fleet.svg)`
  ]
}

const saved = () => (existsSync(source) ? readJson(source) : undefined)

/** The chart of the saved results, if there are any. */
export const chart = () => {
  const fleet = saved()
  return fleet && draw(fleet)
}

/** The section of the page, which is empty without results. */
export const sections = () => {
  const fleet = saved()
  return fleet ? describe(fleet) : []
}
