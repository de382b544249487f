// The tables of the performance page, from the figures of the newest whole run of the bench, and of other machines beside it.
import { sections as fleetSections } from "./fleetChart.mjs"
import { byMachine, dayOf, digits, newest, nodeOf, ratio, table } from "./machineTables.mjs"

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
  "undici-8": "bare `undici.request` of undici 8",
  "undici-effect": "bare `undici.request` in an Effect",
  "undici-4-effect": "bare `undici.request` in an Effect",
  "openapi-fetch": "openapi-fetch",
  "parser-stream": "bare `eventsource-parser` in a `Stream`",
  "parser-4-stream": "bare `eventsource-parser` in a `Stream`",
  "eventsource-parser": "bare `eventsource-parser` on `undici.request`",
  "node-http2": "bare `node:http2`"
}

const kibibytes = (figure) => (figure ? `${(figure.median / 1024).toFixed(1)} KiB` : "not run")

const plain = (figure) => (figure ? digits(figure.median) : "not run")

/** A row for each rival, and a column for each measurement: ours over theirs, round by round. */
const beside = (figures, ours, rivals, columns) =>
  table(
    ["beside", ...columns.map((column) => column.replace(/^\w+, /, ""))],
    rivals
      .filter((rival) => figures[`${columns[0]}, ${ours} : ${rival}`])
      .map((rival) => [
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
const gets = ["1 in flight", "32 in flight", "256 in flight", "100 B", "100 KB", "5 MB"].map(
  (load) => `GET, ${load}`
)

const clients = {
  ours: "effect-api",
  "ours-promise": "effect-api with promises",
  "ours-4": "effect-api, Effect 4",
  "ours-4-promise": "effect-api with promises, Effect 4"
}

/** What an Effect itself costs. */
const wrapped = {
  "undici-effect": titles["undici-effect"],
  "undici-4-effect": `${titles["undici-4-effect"]}, Effect 4`
}

/** Ours beside bare undici, by throughput and by processor time. */
const getsBeside = (figures) => {
  const found = Object.entries({ ...clients, ...wrapped }).filter(
    ([id]) => figures[`${gets[0]}, ${id} : undici`]
  )
  if (found.length === 0) return []
  const rows = (suffix) =>
    found.map(([id, title]) => [
      title,
      ...gets.map((what) => ratio(figures[`${what}${suffix}, ${id} : undici`]))
    ])
  const head = ["", ...gets.map((what) => what.replace("GET, ", ""))]
  return [
    "### Requests and their size",
    "GET beside bare `undici.request`. Each call is an Effect that runs by itself, as in a handler of a server. The first three " +
      "columns have responses of 1.6 KB. In its last rows `undici.request` itself is called in such an Effect, which validates " +
      "nothing and retries nothing: what an Effect costs. Requests per second:",
    table(head, rows("")),
    "By processor time:",
    table(head, rows(", by cpu"))
  ]
}

const settings = {
  total: "`timeouts.total`",
  cached: "`Credentials.cached`",
  middleware: "one middleware",
  derived: "a client of `withOptions`",
  bearer: "a bearer token",
  limits: "limits that no call waits for",
  spans: "spans, each of them sampled"
}

/** What a setting leaves of the requests per second of the plain client. */
const costs = (figures) => {
  if (figures["settings, ours-total : ours"] === undefined) return []
  const cells = (our, setting) =>
    ["settings", "settings, by cpu"].map((what) => ratio(figures[`${what}, ${our}-${setting} : ${our}`]))
  return [
    "### What a setting costs",
    "The client with a setting beside the same without it: GET with 32 in flight.",
    table(
      ["", "requests", "by processor time", "requests, Effect 4", "by processor time, Effect 4"],
      [
        ...Object.entries(settings).map(([setting, title]) => [
          title,
          ...cells("ours", setting),
          ...cells("ours-4", setting)
        ]),
        [
          "a span with the same attributes around `undici.request` in an Effect, beside the same without it",
          ...cells("undici-effect", "spans"),
          ...cells("undici-4-effect", "spans")
        ]
      ]
    )
  ]
}

const shapes = {
  "SSE, other keys in each event": "events per second, each with keys of its own",
  "SSE, streams of a few events": "streams per second, of a few events each"
}

/** Streams that learnt forms do not help, and the cost of opening and closing one. */
const otherStreams = (figures) => {
  const found = Object.keys(shapes).filter((what) => figures[`${what}, ours : anthropic-sdk`])
  if (found.length === 0) return []
  return [
    "Events that differ in their keys, and streams that end after a few events:",
    table(
      ["", ...found.flatMap((what) => [shapes[what], "by processor time"])],
      ["anthropic-sdk", "eventsource-parser"].flatMap((rival) =>
        Object.entries(clients).map(([id, title]) => [
          `${title} beside ${titles[rival]}`,
          ...found.flatMap((what) => [
            ratio(figures[`${what}, ${id} : ${rival}`]),
            ratio(figures[`${what}, by cpu, ${id} : ${rival}`])
          ])
        ])
      )
    )
  ]
}

const callers = [
  "anthropic-sdk",
  "openai",
  "platform-undici",
  "platform-fetch",
  "ky",
  "axios",
  "got",
  "openapi-fetch",
  "fetch",
  "undici",
  "undici-8",
  "undici-effect"
]
const readers = [
  "anthropic-sdk",
  "anthropic-sdk-messages",
  "openai",
  "platform-sse",
  "eventsource-parser",
  "parser-stream"
]

const callersOn4 = [
  "anthropic-sdk",
  "openai",
  "platform-4",
  "platform-4-fetch",
  "ky",
  "axios",
  "got",
  "openapi-fetch",
  "fetch",
  "undici",
  "undici-8",
  "undici-4-effect"
]
const readersOn4 = [
  "anthropic-sdk",
  "anthropic-sdk-messages",
  "openai",
  "platform-4-sse",
  "eventsource-parser",
  "parser-4-stream"
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
  const results = newest()
  const { machine, name, quick, versions, figures, verdicts } = results
  const of = (name) =>
    [`${name} ${versions[name]}`, versions[`${name}, Effect 4`]].filter(Boolean).join(" and ")
  const ran4 = figures["unary, 32 in flight, ours-4 : ours"] !== undefined
  /** What a run without the edition for Effect 4 has no figures of. */
  const on4 = (...parts) => (ran4 ? parts : [])
  /** The rows of what ran, by the name of a figure that each has. */
  const ran = (entries, figureOf) => Object.entries(entries).filter(([id]) => figures[figureOf(id)])
  const shown = [
    "@effect-api/client",
    "effect",
    "@effect/platform",
    "@anthropic-ai/sdk",
    "openai",
    "undici",
    "undici8",
    "ky"
  ]
  const others = ["axios", "got", "openapi-fetch", "eventsource-parser"]
  return [
    "### By machine",
    ...byMachine(),
    "### The newest whole run",
    `Measured on ${dayOf(results)}: ${machine.cores} cores of an ${machine.cpu}, ${nodeOf(machine)}, ${machine.system}; ` +
      `${[...shown, ...others]
        .filter((name) => versions[name])
        .map(of)
        .join(", ")}.` +
      `${quick ? " The turns were short: `--quick`." : ""} All figures, with their spread: ` +
      `[${name}.json](../../bench/results/${name}.json).`,
    `![Requests and events per second of this client and of others](../../bench/results/${name}.svg)`,
    "### Requests per second",
    "POST + JSON over HTTP/1.1, by the number of requests in flight.",
    beside(figures, "ours", callers, calls),
    "With promises:",
    beside(figures, "ours-promise", callers, calls),
    ...on4("On Effect 4:", beside(figures, "ours-4", callersOn4, calls)),
    ...getsBeside(figures),
    ...costs(figures),
    "### Events per second",
    "Responses of 2,000 server-sent events, in chunks of 64 KiB and with a chunk for each event. Read as a `Stream`:",
    beside(figures, "ours", readers, events),
    "Read with `for await`:",
    beside(figures, "ours-promise", readers, events),
    ...on4("Read as a `Stream` on Effect 4:", beside(figures, "ours-4", readersOn4, events)),
    ...otherStreams(figures),
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
        ),
        ["bare `eventsource-parser` in a `Stream`", "parser-stream"],
        ...on4(["bare `eventsource-parser` in a `Stream`, Effect 4", "parser-4-stream"])
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
    ...fleetSections(),
    "### Thresholds",
    "What `npm run bench -- --check` looks at, and whether it held in this run.",
    table(
      ["", "measured", "must be", "by cpu", "must be", ""],
      Object.entries(verdicts).map(([what, { cpu, cpuLimit, holds, limit, measured }]) => [
        what,
        measured,
        limit,
        cpu,
        cpuLimit,
        holds ? "held" : "**missed**"
      ])
    )
  ].join("\n\n")
}
