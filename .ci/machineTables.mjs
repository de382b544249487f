// The figures of several machines side by side, and the lowest of them.
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { readJson, root } from "./workspace.mjs"

const folder = join(root, "packages", "bench", "results")

export const digits = (value) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

export const ratio = (figure) =>
  figure ? `**${digits(figure.median)}x** (${digits(figure.min)} to ${digits(figure.max)})` : "not run"

export const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const major = ({ node }) => Number(/\d+/.exec(node)[0])

/** The day of results. */
export const dayOf = ({ date }) => date.slice(0, 10)

export const nodeOf = ({ node }) => `Node ${node.replace("v", "")}`

/** The results of each machine: the newest first, of one day those of the oldest Node, at the end those that were entered by hand. */
const machines = () =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".json") && name !== "fleet.json")
    .map((file) => ({ name: file.replace(".json", ""), ...readJson(join(folder, file)) }))
    .sort(
      (a, b) =>
        Number(a.entered !== undefined) - Number(b.entered !== undefined) ||
        (b.date ?? "").localeCompare(a.date ?? "") ||
        major(a.machine) - major(b.machine)
    )

/** The results that the page shows in full. */
export const newest = () => machines()[0]

const call = "unary, 32 in flight"
const chunks = "SSE, large chunks"
const events = "SSE, an event a chunk"

/** What is shown of each machine, by the name of its figure. */
const rows = [
  ["POST + JSON, 32 in flight, beside `@anthropic-ai/sdk`", `${call}, ours : anthropic-sdk`],
  ["the same with promises", `${call}, ours-promise : anthropic-sdk`],
  ["the same on Effect 4", `${call}, ours-4 : anthropic-sdk`],
  ["beside `@effect/platform` by hand", `${call}, ours : platform-undici`],
  ["beside bare `undici.request`", `${call}, ours : undici`],
  ["beside bare `undici.request`, on Effect 4", `${call}, ours-4 : undici`],
  ...["1 in flight", "32 in flight", "256 in flight", "100 KB"].map((load) => [
    `GET, ${load}, beside bare \`undici.request\``,
    `GET, ${load}, ours : undici`
  ]),
  ["GET, 32 in flight, beside bare `undici.request` in an Effect", "GET, 32 in flight, ours : undici-effect"],
  [
    "POST + JSON over HTTP/2, 32 in flight, beside bare `node:http2`",
    "HTTP/2, 32 in flight, ours-h2 : node-http2"
  ],
  ["the same with 256 in flight", "HTTP/2, 256 in flight, ours-h2 : node-http2"],
  ["events in large chunks beside `@anthropic-ai/sdk`", `${chunks}, ours : anthropic-sdk`],
  ["the same on Effect 4", `${chunks}, ours-4 : anthropic-sdk`],
  ["beside bare `eventsource-parser`", `${chunks}, ours : eventsource-parser`],
  ["the same by processor time", `${chunks}, by cpu, ours : eventsource-parser`],
  ["the same with promises", `${chunks}, ours-promise : eventsource-parser`],
  ["the same on Effect 4", `${chunks}, ours-4 : eventsource-parser`],
  ["beside bare `eventsource-parser` in a `Stream`", `${chunks}, ours : parser-stream`],
  ["an event a chunk, beside bare `eventsource-parser`", `${events}, ours : eventsource-parser`],
  ["events of other keys, beside `@anthropic-ai/sdk`", "SSE, other keys in each event, ours : anthropic-sdk"],
  [
    "streams of a few events, beside `@anthropic-ai/sdk`",
    "SSE, streams of a few events, ours : anthropic-sdk"
  ],
  ["`timeouts.total` beside the plain client", "settings, ours-total : ours"],
  ["`Credentials.cached` beside the plain client", "settings, ours-cached : ours"],
  ["one middleware beside the plain client", "settings, ours-middleware : ours"],
  ["limits that no call waits for, beside the plain client", "settings, ours-limits : ours"],
  ["spans beside the plain client", "settings, ours-spans : ours"]
]

const titleOf = ({ entered, machine, versions }) =>
  `${machine.cores} cores of an ${machine.cpu}, ${nodeOf(machine)}, version ${versions["@effect-api/client"]}${entered ? ", entered by hand" : ""}`

const least = (name) =>
  Math.min(...machines().flatMap(({ figures }) => (figures[name] ? [figures[name].median] : [])))

/** The columns of the machines, with the lowest figure of each row in bold, and where the figures come from. */
export const byMachine = () => {
  const found = machines()
  const cells = (name) => {
    const compared = found.filter(({ figures }) => figures[name]).length > 1
    return found.map(({ figures }) => {
      const figure = figures[name]
      if (figure === undefined) return ""
      const text = `${digits(figure.median)}x`
      return compared && figure.median === least(name) ? `**${text}**` : text
    })
  }
  return [
    table(
      ["", ...found.map(titleOf)],
      rows
        .map(([title, name]) => [title, ...cells(name)])
        .filter((cells) => cells.some((cell, at) => at > 0 && cell !== ""))
    ),
    "The lower or lowest figure of a row is bold.",
    ...found.flatMap(({ entered }) => (entered ? [entered] : []))
  ]
}

/** The ratios of the README: the lowest of all machines. */
export const lowest = () => {
  const cell = (name) => {
    const value = least(name)
    return Number.isFinite(value) ? `${digits(value)}x` : ""
  }
  const row = (title, what, other) => [
    title,
    ...["ours", "ours-promise", "ours-4"].map((our) => cell(`${what}, ${our} : ${other}`))
  ]
  return table(
    ["", "Effect 3", "with promises", "Effect 4"],
    [
      row("requests per second beside `@anthropic-ai/sdk`", call, "anthropic-sdk"),
      row("requests per second beside bare `undici.request`", call, "undici"),
      row("events per second beside `@anthropic-ai/sdk`", chunks, "anthropic-sdk"),
      row("events per second beside bare `eventsource-parser`", chunks, "eventsource-parser")
    ]
  )
}
