/** The thresholds of the figures, and a table of the verdicts. */
import { against, type Findings, named, type Table } from "./Findings.js"
import { short } from "./print.js"

export interface Threshold {
  readonly what: string
  readonly figure: string
  readonly limit: { readonly atLeast: number } | { readonly atMost: number }
  readonly unit: "times" | "KiB" | "requests" | "connections"
}

const atLeast = (limit: number, what: string, figure: string): Threshold => ({
  what,
  figure,
  limit: { atLeast: limit },
  unit: "times"
})

const atMost = (limit: number, what: string, figure: string): Threshold => ({
  what,
  figure,
  limit: { atMost: limit },
  unit: "times"
})

const unary = "unary, 32 in flight"
const http2 = (inFlight: number): string => `HTTP/2, ${inFlight} in flight`
const chunks = "SSE, large chunks"
const events = "SSE, an event a chunk"

export const thresholds: ReadonlyArray<Threshold> = [
  atLeast(5, `${unary}, against @anthropic-ai/sdk`, against(unary, "ours", "anthropic-sdk")),
  atLeast(2.5, `${unary}, against @effect/platform on undici`, against(unary, "ours", "platform-undici")),
  atLeast(0.75, `${unary}, against undici.request`, against(unary, "ours", "undici")),
  atLeast(4, `${unary}, promises against @anthropic-ai/sdk`, against(unary, "ours-promise", "anthropic-sdk")),
  atLeast(
    0.5,
    "one call after another, blocking against promises",
    against("one call after another", "ours-sync", "ours-promise")
  ),
  atLeast(0.8, `${http2(32)}, against node:http2 by hand`, against(http2(32), "ours-h2", "node-http2")),
  atLeast(0.8, `${http2(256)}, against node:http2 by hand`, against(http2(256), "ours-h2", "node-http2")),
  {
    what: "HTTP/2, connections for all of it",
    figure: named("HTTP/2, connections", "ours-h2"),
    limit: { atMost: 1 },
    unit: "connections"
  },
  atLeast(1.6, `${chunks}, against @anthropic-ai/sdk`, against(chunks, "ours", "anthropic-sdk")),
  atLeast(0.8, `${chunks}, against eventsource-parser`, against(chunks, "ours", "eventsource-parser")),
  atLeast(0.8, `${events}, against eventsource-parser`, against(events, "ours", "eventsource-parser")),
  {
    // `for await` reads both. An Effect `Stream` itself takes 22 KiB.
    what: "heap of an open stream, promises against @anthropic-ai/sdk",
    figure: against("open stream, heap", "ours-promise", "anthropic-sdk"),
    limit: { atMost: 0.5 },
    unit: "times"
  },
  {
    what: "gzip bytes added to effect + platform",
    figure: named("bundle, gzip bytes added to effect + platform", "ours"),
    limit: { atMost: 34 * 1024 },
    unit: "KiB"
  },
  atMost(
    0.8,
    `${unary}, processor time on Effect 4 against Effect 3`,
    against(`${unary}, cpu us/request`, "ours-4", "ours")
  ),
  atLeast(1.1, `${unary}, on Effect 4 against undici.request`, against(unary, "ours-4", "undici")),
  atMost(
    1,
    `${chunks}, processor time on Effect 4 against Effect 3`,
    against(`${chunks}, cpu us/event`, "ours-4", "ours")
  ),
  atMost(
    1,
    `${events}, processor time on Effect 4 against Effect 3`,
    against(`${events}, cpu us/event`, "ours-4", "ours")
  ),
  {
    what: "gzip bytes of the small program on Effect 4, by modules",
    figure: named("bundle, gzip bytes by modules", "ours4"),
    limit: { atMost: 75 * 1024 },
    unit: "KiB"
  },
  atMost(
    2.2,
    "import of the promise client against @anthropic-ai/sdk",
    against("import", "oursPlain", "anthropicSdk")
  ),
  atMost(
    1.5,
    "import of the promise client on Effect 4 against @anthropic-ai/sdk",
    against("import", "oursPlain4", "anthropicSdk")
  ),
  {
    what: "requests for a call to a server that is down",
    figure: named("100 % failing, attempts/call", "ours"),
    limit: { atMost: 1.2 },
    unit: "requests"
  }
]

export interface Verdict {
  readonly threshold: Threshold
  /** Missing if the part that measures it did not run. */
  readonly measured: number | undefined
  readonly holds: boolean
}

export const verdicts = (figures: Findings["figures"]): ReadonlyArray<Verdict> =>
  thresholds.map((threshold) => {
    const measured = figures[threshold.figure]?.median
    const { limit } = threshold
    const holds =
      measured !== undefined && ("atLeast" in limit ? measured >= limit.atLeast : measured <= limit.atMost)
    return { threshold, measured, holds }
  })

const format = (value: number, unit: Threshold["unit"]): string =>
  unit === "times" ? `${value.toFixed(2)}x` : unit === "KiB" ? `${short(value / 1024)} KiB` : short(value)

export const verdictTable = (verdicts: ReadonlyArray<Verdict>): Table => ({
  title: "Thresholds",
  columns: ["", "measured", "must be", ""],
  rows: verdicts.map(({ holds, measured, threshold: { limit, unit, what } }) => [
    what,
    measured === undefined ? "not run" : format(measured, unit),
    "atLeast" in limit ? `at least ${format(limit.atLeast, unit)}` : `at most ${format(limit.atMost, unit)}`,
    measured === undefined ? "" : holds ? "ok" : "MISSED"
  ])
})
