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
  "platform-4": "`effect/http` of Effect 4, retry and schema by hand",
  "platform-4-fetch": "`effect/http` of Effect 4 on `fetch`, retry and schema by hand",
  "platform-4-sse": "`effect/encoding` Sse of Effect 4 on `effect/http`",
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

/** The same program on Effect 4 over Effect 3: the clients of its calls and of its streams. */
const lines = [
  { title: "effect-api", calls: ["ours-4", "ours"] },
  { title: "effect-api with promises", calls: ["ours-4-promise", "ours-promise"] },
  { title: "`@effect-api/anthropic`", calls: ["ours-4-anthropic", "ours-anthropic"] },
  {
    title: "`effect/http` over `@effect/platform`, by hand",
    calls: ["platform-4", "platform-undici"],
    events: ["platform-4-sse", "platform-sse"]
  }
]

const betweenLines = (figures) => {
  const cells = (what, unit, [four, three]) => [
    ratio(figures[`${what}, ${four} : ${three}`]),
    ratio(figures[`${what}, cpu us/${unit}, ${four} : ${three}`])
  ]
  return table(
    [
      "",
      "requests",
      "time a request",
      "events in large chunks",
      "time an event",
      "an event a chunk",
      "time an event"
    ],
    lines.map(({ title, calls, events: streams = calls }) => [
      title,
      ...cells("unary, 32 in flight", "request", calls),
      ...events.flatMap((what) => cells(what, "event", streams))
    ])
  )
}

/** What an empty project gets, and what its program waits for. */
const install = (figures) => {
  const found = Object.entries(programs).filter(([id]) => figures[`import, ms, ${id}`])
  if (found.length === 0) return []
  return [
    "### Install and import",
    "The published packages in an empty project, with what they need: the size of `node_modules`, the time of the import alone, and " +
      "the time from the start of the program to its response.",
    table(
      ["", "size", "packages", "import beside `@anthropic-ai/sdk`", "its processor time", "first response"],
      found.map(([id, title]) => [
        title,
        `${((figures[`installed, bytes, ${id}`]?.median ?? 0) / 1024 ** 2).toFixed(1)} MiB`,
        figures[`installed, packages, ${id}`]?.median.toFixed(0) ?? "",
        ratio(figures[`import, ${id} : anthropicSdk`]),
        ratio(figures[`import, cpu, ${id} : anthropicSdk`]),
        `${plain(figures[`first response installed, ms, ${id}`])} ms`
      ])
    )
  ]
}

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

const callersOn4 = [
  "anthropic-sdk",
  "openai",
  "platform-4",
  "platform-4-fetch",
  "ky",
  "axios",
  "got",
  "fetch",
  "undici"
]
const readersOn4 = [
  "anthropic-sdk",
  "anthropic-sdk-messages",
  "openai",
  "platform-4-sse",
  "eventsource-parser"
]

const programs = {
  ours: "effect-api on `fetch`",
  oursPromise: "effect-api with promises, on `fetch`",
  oursPlain: "effect-api with promises, nothing of Effect",
  anthropic: "`@effect-api/anthropic`",
  anthropicPromise: "`@effect-api/anthropic` with promises",
  platform: "`effect` and `@effect/platform` by hand",
  ours4: "effect-api on `fetch`, Effect 4",
  oursPromise4: "effect-api with promises, on `fetch`, Effect 4",
  oursPlain4: "effect-api with promises, nothing of Effect, Effect 4",
  anthropic4: "`@effect-api/anthropic`, Effect 4",
  anthropicPromise4: "`@effect-api/anthropic` with promises, Effect 4",
  platform4: "`effect/http` by hand, Effect 4",
  anthropicSdk: "`@anthropic-ai/sdk`",
  openai: "`openai`",
  ky: "ky",
  axios: "axios",
  fetch: "bare `fetch`"
}

const failing = {
  ours: "effect-api",
  "ours-4": "effect-api, Effect 4",
  "anthropic-sdk": "`@anthropic-ai/sdk`",
  openai: "`openai`"
}

/** The Markdown of them. */
export const performanceTables = () => {
  const { date, machine, versions, figures, verdicts } = readJson(path)
  const of = (name) =>
    [`${name} ${versions[name]}`, versions[`${name}, Effect 4`]].filter(Boolean).join(" and ")
  const ran4 = figures["unary, 32 in flight, ours-4 : ours"] !== undefined
  /** What a run without the edition for Effect 4 has no figures of. */
  const on4 = (...parts) => (ran4 ? parts : [])
  /** The rows of what ran, by the name of a figure that each has. */
  const ran = (entries, figureOf) => Object.entries(entries).filter(([id]) => figures[figureOf(id)])
  return [
    `Measured on ${date}: ${machine.cores} cores of an ${machine.cpu}, Node ${machine.node}, ${machine.system}; ` +
      `${["effect", "@effect/platform", "@anthropic-ai/sdk", "openai", "undici", "ky", "axios", "got"].map(of).join(", ")}.`,
    "### Requests per second",
    "POST + JSON over HTTP/1.1, by the number of requests in flight.",
    beside(figures, "ours", callers, calls),
    "With promises:",
    beside(figures, "ours-promise", callers, calls),
    ...on4("On Effect 4:", beside(figures, "ours-4", callersOn4, calls)),
    "### Events per second",
    "Responses of 2,000 server-sent events, in chunks of 64 KiB and with a chunk for each event. Read as a `Stream`:",
    beside(figures, "ours", readers, events),
    "Read with `for await`:",
    beside(figures, "ours-promise", readers, events),
    ...on4("Read as a `Stream` on Effect 4:", beside(figures, "ours-4", readersOn4, events)),
    ...on4(
      "### Effect 4 over Effect 3",
      "The same programs on both. More requests and events per second are better, and less processor time for each of them. " +
        "32 requests are in flight.",
      betweenLines(figures)
    ),
    "### Memory",
    "Heap of an open stream that waits for its next event.",
    table(
      ["", "heap", "beside `@anthropic-ai/sdk`"],
      [
        ["read as a `Stream`", "ours"],
        ["read with `for await`", "ours-promise"],
        ...on4(
          ["read as a `Stream`, Effect 4", "ours-4"],
          ["read with `for await`, Effect 4", "ours-4-promise"]
        )
      ].map(([title, id]) => [
        title,
        kibibytes(figures[`open stream, heap bytes, ${id}`]),
        ratio(figures[`open stream, heap, ${id} : anthropic-sdk`])
      ])
    ),
    "### Bundle and start",
    "A program that sends one message, bundled for browsers, minified and gzipped; and the time from its start to its response.",
    ...on4(
      "By modules, it imports `effect/Effect` and the like: of a module in the barrel `effect`, a bundler keeps all."
    ),
    table(
      ["", "gzip", ...on4("gzip by modules"), "start, bundled"],
      ran(programs, (id) => `bundle, gzip bytes, ${id}`).map(([id, title]) => [
        title,
        kibibytes(figures[`bundle, gzip bytes, ${id}`]),
        ...on4(
          figures[`bundle, gzip bytes by modules, ${id}`]
            ? kibibytes(figures[`bundle, gzip bytes by modules, ${id}`])
            : ""
        ),
        `${plain(figures[`cold start bundled, ms, ${id}`])} ms`
      ])
    ),
    ...install(figures),
    "### Requests to a server that fails",
    "Requests for each of 1,000 calls where 30 % and where all of the responses are a 503.",
    table(
      ["", "30 % failing", "all failing"],
      ran(failing, (id) => `30 % failing, attempts/call, ${id}`).map(([id, title]) => [
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
        measured === null
          ? "not run"
          : measured > 1000
            ? `${(measured / 1024).toFixed(1)} KiB`
            : digits(measured),
        holds ? "held" : "**missed**"
      ])
    )
  ].join("\n\n")
}
