/** The figures that `--check` requires. */
import { against, byCpu, named } from "./Findings.js"

/** A figure and its limit. */
export interface Bound {
  readonly figure: string
  readonly limit: { readonly atLeast: number } | { readonly atMost: number }
}

export interface Threshold {
  readonly what: string
  readonly unit: "times" | "KiB" | "requests" | "connections"
  readonly measure: Bound
  /** The same by processor time, which a busy machine disturbs less. */
  readonly cpu?: Bound
}

/** A ratio of rates, and the same ratio of processor times. Above 1 ours is better. */
const atLeast = (
  limits: number | readonly [rate: number, cpu: number],
  what: string,
  measurement: string,
  our: string,
  other: string
): Threshold => {
  const [rate, cpu] = typeof limits === "number" ? [limits, limits] : limits
  return {
    what,
    unit: "times",
    measure: { figure: against(measurement, our, other), limit: { atLeast: rate } },
    cpu: { figure: against(byCpu(measurement), our, other), limit: { atLeast: cpu } }
  }
}

const atMost = (
  limit: number,
  what: string,
  figure: string,
  unit: Threshold["unit"] = "times",
  cpu?: string
): Threshold => ({
  what,
  unit,
  measure: { figure, limit: { atMost: limit } },
  ...(cpu !== undefined && { cpu: { figure: cpu, limit: { atMost: limit } } })
})

const sdk = "anthropic-sdk"
const unary = "unary, 32 in flight"
const chunks = "SSE, large chunks"
const events = "SSE, an event a chunk"
const kibibyte = 1024

/** Our client of Effects, on both lines, and the bare clients in Effects: what Effect itself costs. */
const lines = [
  ["ours", "", { calls: "undici-effect", streams: "parser-stream" }],
  ["ours-4", ", Effect 4", { calls: "undici-4-effect", streams: "parser-4-stream" }]
] as const

const calls: ReadonlyArray<Threshold> = [
  atLeast(5, `${unary}, against @anthropic-ai/sdk`, unary, "ours", sdk),
  atLeast(2.5, `${unary}, against @effect/platform on undici`, unary, "ours", "platform-undici"),
  atLeast(0.95, `${unary}, against undici.request`, unary, "ours", "undici"),
  atLeast(1.1, `${unary}, against undici.request, Effect 4`, unary, "ours-4", "undici"),
  atLeast(4, `${unary}, promises against @anthropic-ai/sdk`, unary, "ours-promise", sdk),
  atMost(
    0.8,
    `${unary}, processor time on Effect 4 against Effect 3`,
    against(`${unary}, cpu us/request`, "ours-4", "ours")
  )
]

const gets: ReadonlyArray<Threshold> = (
  [
    ["GET, 1 in flight", 0.95],
    ["GET, 32 in flight", 0.95],
    ["GET, 256 in flight", 0.9],
    ["GET, 100 KB", 0.9]
  ] as const
).flatMap(([what, limit]) => [
  ...lines.map(([our, line]) =>
    atLeast(limit, `${what}, against undici.request${line}`, what, our, "undici")
  ),
  ...lines.map(([our, line, wrapped]) =>
    atLeast(1, `${what}, against undici.request in an Effect${line}`, what, our, wrapped.calls)
  )
])

const settings: ReadonlyArray<Threshold> = (
  [
    ["total", "timeouts.total", 0.95],
    ["cached", "Credentials.cached", 0.95],
    ["middleware", "a middleware", 0.85],
    ["limits", "limits that no call waits for", 0.97],
    ["spans", "spans", 0.75]
  ] as const
).flatMap(([setting, title, limit]) =>
  lines.map(([our, line]) =>
    atLeast(limit, `${title}, against the plain client${line}`, "settings", `${our}-${setting}`, our)
  )
)

const others: ReadonlyArray<Threshold> = [
  {
    what: "one call after another, blocking against promises",
    unit: "times",
    measure: {
      figure: against("one call after another", "ours-sync", "ours-promise"),
      limit: { atLeast: 0.5 }
    }
  },
  ...[32, 256].flatMap((inFlight) => {
    const what = `HTTP/2, ${inFlight} in flight`
    return [
      atLeast(0.8, `${what}, against node:http2 by hand`, what, "ours-h2", "node-http2"),
      atLeast(1, `${what}, against node:http2 in an Effect`, what, "ours-h2", "http2-effect")
    ]
  }),
  atMost(1, "HTTP/2, connections of a process", named("HTTP/2, connections", "ours-h2"), "connections"),
  atMost(
    1.2,
    "requests for a call to a server that is down",
    named("100 % failing, attempts/call", "ours"),
    "requests"
  )
]

const keys = "SSE, other keys in each event"
const short = "SSE, streams of a few events"

const streams: ReadonlyArray<Threshold> = [
  ...[chunks, events].flatMap((what) => [
    ...lines.flatMap(([our, line, wrapped]) => [
      atLeast([0.85, 0.75], `${what}, against eventsource-parser${line}`, what, our, "eventsource-parser"),
      atLeast(1, `${what}, against eventsource-parser in a Stream${line}`, what, our, wrapped.streams),
      atLeast([2, 1.8], `${what}, against @anthropic-ai/sdk${line}`, what, our, sdk)
    ]),
    atLeast(
      [1, 0.85],
      `${what}, promises against eventsource-parser`,
      what,
      "ours-promise",
      "eventsource-parser"
    ),
    atLeast([2, 1.8], `${what}, promises against @anthropic-ai/sdk`, what, "ours-promise", sdk),
    atMost(
      1,
      `${what}, processor time on Effect 4 against Effect 3`,
      against(`${what}, cpu us/event`, "ours-4", "ours")
    )
  ]),
  ...[keys, short].flatMap((what) =>
    lines.map(([our, line]) => atLeast(1, `${what}, against @anthropic-ai/sdk${line}`, what, our, sdk))
  ),
  // `for await` reads both.
  atMost(
    0.5,
    "heap of an open stream, promises against @anthropic-ai/sdk",
    against("open stream, heap", "ours-promise", sdk)
  ),
  atMost(
    1,
    "heap of an open Stream against eventsource-parser in a Stream",
    against("open stream, heap", "ours", "parser-stream")
  ),
  // An Effect `Stream` itself takes 22 KiB.
  atMost(33 * kibibyte, "heap of an open Stream", named("open stream, heap bytes", "ours"), "KiB")
]

const sizes: ReadonlyArray<Threshold> = [
  atMost(
    34 * kibibyte,
    "gzip bytes added to effect + platform",
    named("bundle, gzip bytes added to effect + platform", "ours"),
    "KiB"
  ),
  // What it had in version 3.2.
  atMost(
    125.6 * kibibyte,
    "gzip bytes of the small program, by modules",
    named("bundle, gzip bytes by modules", "ours"),
    "KiB"
  ),
  atMost(
    75 * kibibyte,
    "gzip bytes of the small program on Effect 4, by modules",
    named("bundle, gzip bytes by modules", "ours4"),
    "KiB"
  ),
  ...(
    [
      ["oursPlain", "", 2.2],
      ["oursPlain4", " on Effect 4", 1.5]
    ] as const
  ).map(([program, line, limit]) =>
    atMost(
      limit,
      `import of the promise client${line} against @anthropic-ai/sdk`,
      against("import", program, "anthropicSdk"),
      "times",
      against("import, cpu", program, "anthropicSdk")
    )
  )
]

/** A limit that eight processes share: kept, used, and cheap. */
const fleet: ReadonlyArray<Threshold> = lines.flatMap(([our, line]) => {
  const measure = (name: string): string => named(`fleet, ${name}`, our)
  return [
    {
      what: `a shared limit, requests sent of those allowed${line}`,
      unit: "times",
      measure: { figure: measure("ofLimit"), limit: { atLeast: 0.95 } }
    },
    atMost(1000, `the most in any second of 1,000${line}`, measure("mostInASecond"), "requests"),
    atMost(0.2, `calls to Redis for each request${line}`, measure("callsPerRequest"), "times"),
    atMost(2, `the busiest process over the idlest${line}`, measure("unfairness"), "times"),
    atMost(0, `requests sent 20 ms after a 429 of one process${line}`, measure("late"), "requests")
  ]
})

export const thresholds: ReadonlyArray<Threshold> = [
  ...calls,
  ...gets,
  ...settings,
  ...streams,
  ...sizes,
  ...others,
  ...fleet
]
