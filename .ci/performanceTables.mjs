// The tables of the performance page, from the figures of the last whole run of the bench.
import { join } from "node:path"
import { readJson, root } from "./workspace.mjs"

const path = join(root, "packages", "bench", "results", "latest.json")

const titles = {
  "anthropic-sdk": "`@anthropic-ai/sdk`",
  "anthropic-sdk-messages": "`@anthropic-ai/sdk`, `messages.stream`",
  openai: "`openai`",
  "platform-undici": "`@effect/platform` on undici, retry and schema by hand",
  "platform-fetch": "`@effect/platform` on `fetch`, retry and schema by hand",
  "platform-sse": "`@effect/experimental` Sse on undici",
  ky: "ky",
  axios: "axios",
  got: "got",
  fetch: "bare `fetch`",
  undici: "bare `undici.request`",
  "eventsource-parser": "bare `eventsource-parser` on `undici.request`",
  "node-http2": "bare `node:http2`"
}

const digits = (value) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

const ratio = (figure) =>
  figure ? `**${digits(figure.median)}x** (${digits(figure.min)} to ${digits(figure.max)})` : "not run"

const kibibytes = (figure) => (figure ? `${(figure.median / 1024).toFixed(1)} KiB` : "not run")

const plain = (figure) => (figure ? digits(figure.median) : "not run")

const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

/** A row for each rival, and a column for each measurement: ours over theirs, round by round. */
const beside = (figures, ours, rivals, columns) =>
  table(
    ["beside", ...columns.map((column) => column.replace(/^\w+, /, ""))],
    rivals.map((rival) => [
      titles[rival],
      ...columns.map((column) => ratio(figures[`${column}, ${ours} : ${rival}`]))
    ])
  )

const calls = [1, 32, 256].map((count) => `unary, ${count} in flight`)
const events = ["SSE, large chunks", "SSE, an event a chunk"]

const callers = [
  "anthropic-sdk",
  "openai",
  "platform-undici",
  "platform-fetch",
  "ky",
  "axios",
  "got",
  "fetch",
  "undici"
]
const readers = ["anthropic-sdk", "anthropic-sdk-messages", "openai", "platform-sse", "eventsource-parser"]

const programs = {
  ours: "effect-api on `fetch`",
  oursPromise: "effect-api with promises, on `fetch`",
  anthropic: "`@effect-api/anthropic`",
  platform: "`effect` and `@effect/platform` by hand",
  anthropicSdk: "`@anthropic-ai/sdk`",
  openai: "`openai`"
}

const failing = { ours: "effect-api", "anthropic-sdk": "`@anthropic-ai/sdk`", openai: "`openai`" }

/** The Markdown of them. */
export const performanceTables = () => {
  const { date, machine, versions, figures, verdicts } = readJson(path)
  const of = (name) => `${name} ${versions[name]}`
  return [
    `Measured on ${date}: ${machine.cores} cores of an ${machine.cpu}, Node ${machine.node}, ${machine.system}; ` +
      `${["effect", "@effect/platform", "@anthropic-ai/sdk", "openai", "undici", "ky", "axios", "got"].map(of).join(", ")}.`,
    "### Requests per second",
    "POST + JSON over HTTP/1.1, by the number of requests in flight.",
    beside(figures, "ours", callers, calls),
    "With promises:",
    beside(figures, "ours-promise", callers, calls),
    "### Events per second",
    "Responses of 2,000 server-sent events, in chunks of 64 KiB and with a chunk for each event. Read as a `Stream`:",
    beside(figures, "ours", readers, events),
    "Read with `for await`:",
    beside(figures, "ours-promise", readers, events),
    "### Memory",
    "Heap of an open stream that waits for its next event.",
    table(
      ["", "heap", "beside `@anthropic-ai/sdk`"],
      [
        ["read as a `Stream`", "ours"],
        ["read with `for await`", "ours-promise"]
      ].map(([title, id]) => [
        title,
        kibibytes(figures[`open stream, heap bytes, ${id}`]),
        ratio(figures[`open stream, heap, ${id} : anthropic-sdk`])
      ])
    ),
    "### Bundle and start",
    "A program that sends one message, bundled for browsers, minified and gzipped; and the time from its start to its response.",
    table(
      ["", "gzip", "start, bundled"],
      Object.entries(programs).map(([id, title]) => [
        title,
        kibibytes(figures[`bundle, gzip bytes, ${id}`]),
        `${plain(figures[`cold start bundled, ms, ${id}`])} ms`
      ])
    ),
    "### Requests to a server that fails",
    "Requests for each of 1,000 calls where 30 % and where all of the responses are a 503.",
    table(
      ["", "30 % failing", "all failing"],
      Object.entries(failing).map(([id, title]) => [
        title,
        plain(figures[`30 % failing, attempts/call, ${id}`]),
        plain(figures[`100 % failing, attempts/call, ${id}`])
      ])
    ),
    "### Thresholds",
    "What `npm run bench -- --check` looks at, and whether it held in this run.",
    table(
      ["", "measured", ""],
      Object.entries(verdicts).map(([what, { measured, holds }]) => [
        what,
        measured > 1000 ? `${(measured / 1024).toFixed(1)} KiB` : digits(measured),
        holds ? "held" : "**missed**"
      ])
    )
  ].join("\n\n")
}
