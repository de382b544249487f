/** The dashboard that the package ships, against the metrics that there are: it names no other, and shows each of them. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { Metrics, RateLimit } from "@effect-api/client"
import { PoolMetrics } from "@effect-api/node"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema } from "effect"
import { allSeries, register, type Series } from "../fixtures/metrics.js"
import { scripted } from "../fixtures/requests.js"

const Target = Schema.Struct({ refId: Schema.String, expr: Schema.String, legendFormat: Schema.String })
const Position = Schema.Struct({ h: Schema.Number, w: Schema.Number, x: Schema.Number, y: Schema.Number })
const Panel = Schema.Struct({
  id: Schema.Number,
  type: Schema.Literal("row", "timeseries"),
  title: Schema.String,
  description: Schema.optional(Schema.String),
  gridPos: Position,
  targets: Schema.optional(Schema.Array(Target))
})
const Dashboard = Schema.Struct({
  uid: Schema.String,
  title: Schema.String,
  schemaVersion: Schema.Number,
  panels: Schema.Array(Panel),
  templating: Schema.Struct({
    list: Schema.Array(Schema.Struct({ name: Schema.String, definition: Schema.optional(Schema.String) }))
  })
})

const text = readFileSync(new URL("../../grafana.json", import.meta.url), "utf8")
const dashboard = Schema.decodeUnknownSync(Dashboard)(JSON.parse(text))
const shown = dashboard.panels.filter(({ type }) => type !== "row")
const targets = shown.flatMap(({ targets = [] }) => targets)

const page = readFileSync(new URL("../../../docs/pages/dashboard.md", import.meta.url), "utf8")
const alerts = Array.from(page.matchAll(/```text\n([^`]*)```/g), ([, expr = ""]) => ({ expr }))

const keywords = new Set(
  "and by ignoring le on or unless without bool offset group_left group_right".split(" ")
)

/** The metrics that an expression of PromQL names. */
const metricsIn = (expression: string): ReadonlyArray<string> =>
  Array.from(
    expression
      .replace(/"[^"]*"|\[[^\]]*\]/g, "")
      .replace(/\{[^}]*\}/g, "")
      .replace(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, "")
      .matchAll(/[a-zA-Z_:][\w:]*(?!\w*\s*\()\b/g),
    ([name]) => name
  ).filter((name) => !keywords.has(name))

/** The labels by which an expression selects or groups. */
const labelsIn = (expression: string): ReadonlyArray<string> => [
  ...Array.from(expression.matchAll(/([a-z_]+)(?:=~|!~|!=|=)"/g), ([, name = ""]) => name),
  ...Array.from(expression.matchAll(/\bby\s*\(([^)]*)\)/g), ([, names = ""]) => names.split(/\s*,\s*/)).flat()
]

/** The unit is in the name of a metric that has one. */
const isInSeconds = (name: string): boolean => /[._](duration|time|timestamp|time_in_queue)$/.test(name)

/** The name that a metric has in Prometheus after it has come over OTLP. */
const prometheusName = ({ kind, name }: Series): string => {
  const named = `${name.replaceAll(".", "_")}${isInSeconds(name) ? "_seconds" : ""}`
  return kind === "total" ? `${named}_total` : named
}

/** The metric that a name in an expression is of. */
const family = (name: string): string => name.replace(/_(bucket|count|sum)$/, "")

/** Every metric that a program can read. */
const ours = (): ReadonlyArray<Series> => {
  register({ ...Metrics, ...PoolMetrics })
  return allSeries().filter(({ name }) => name.startsWith("http.client."))
}

describe("dashboard", () => {
  it("12.12 names only metrics that there are", () => {
    const known = new Map(ours().map((each) => [prometheusName(each), each.kind]))
    expect(alerts).toHaveLength(page.split("```text").length - 1)
    for (const { expr } of [...targets, ...alerts])
      for (const name of metricsIn(expr)) {
        const kind = known.get(name) ?? known.get(family(name))
        expect({ name, kind }).toEqual({
          name,
          kind: family(name) === name ? expect.stringMatching(/^(counter|gauge|total)$/) : "histogram"
        })
      }
  })

  it("12.12 the page explains every panel", () => {
    const explained = Array.from(page.matchAll(/^\| ([A-Z][^|]*) \|/gm), ([, title]) => title)
    expect(explained).toEqual(shown.map(({ title }) => title))
  })

  it("12.12 shows every metric", () => {
    const named = new Set(targets.flatMap(({ expr }) => metricsIn(expr).map(family)))
    const all = new Set(ours().map(prometheusName))
    expect([...all].filter((name) => !named.has(name))).toEqual([])
    expect(all.size).toBeGreaterThan(10)
  })

  it("12.12 a counter is read as a rate, and nothing else is", () => {
    for (const { expr } of targets) {
      const rated = Array.from(expr.matchAll(/rate\(([a-z_]+)/g), ([, name = ""]) => name)
      for (const name of metricsIn(expr))
        expect({ name, isRated: rated.includes(name) }).toEqual({
          name,
          isRated: /_(total|bucket|count|sum)$/.test(name)
        })
    }
  })

  it.effect("12.12 the units are those of the series", () =>
    Effect.gen(function* () {
      const headers = { "retry-after": "1", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "5" }
      const { client } = yield* scripted(() => MockTransport.json({}, { status: 429, headers }), {
        retry: { maxRetries: 0 },
        rateLimit: RateLimit.make({ learn: true })
      })
      yield* Effect.exit(client.get("/todos"))
      const units = allSeries().filter(({ name, tags }) => name.startsWith("http.client.") && tags["unit"])
      expect(units.length).toBeGreaterThan(5)
      for (const { name, tags } of units)
        expect({ name, isInSeconds: isInSeconds(name) }).toEqual({ name, isInSeconds: tags["unit"] === "s" })
    })
  )

  it("12.12 series of other units meet without the attribute of the unit", () => {
    const sets = [...targets, ...alerts].filter(({ expr }) => /\b(and|or|unless)\b/.test(expr))
    expect(sets.length).toBeGreaterThan(1)
    for (const { expr } of sets) expect(expr).not.toMatch(/\b(and|or|unless)\b(?! ignoring \(unit\))/)
  })

  it("12.12 every variable is declared, and used", () => {
    const declared = dashboard.templating.list.map(({ name }) => name)
    const used = new Set(Array.from(text.matchAll(/\$\{?(\w+)/g), ([, name = ""]) => name))
    const own = [...used].filter((name) => !name.startsWith("__"))
    expect(own.sort()).toEqual([...declared].sort())
  })

  it("12.12 selects and groups by attributes that the metrics have", () => {
    const attributes = [
      "error.type",
      "http.response.status_code",
      "network.protocol.version",
      "peer.service",
      "rate_limit.unit",
      "server.address"
    ]
    const known = new Set(["job", "le", ...attributes.map((name) => name.replaceAll(".", "_"))])
    for (const { expr, legendFormat } of targets) {
      const legend = Array.from(legendFormat.matchAll(/\{\{(\w+)\}\}/g), ([, name = ""]) => name)
      expect([...labelsIn(expr), ...legend].filter((name) => !known.has(name))).toEqual([])
      // What a legend names is what the expression keeps.
      expect(legend.filter((name) => !labelsIn(expr).includes(name))).toEqual([])
    }
  })

  it("12.12 the panels have names, explanations and places of their own", () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length)
    const places = new Set<string>()
    for (const { description = "", gridPos, targets = [], title } of shown) {
      expect({ title, isExplained: description.endsWith("."), isFed: targets.length > 0 }).toEqual({
        title,
        isExplained: true,
        isFed: true
      })
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(places.has(`${x} ${y}`)).toBe(false)
          places.add(`${x} ${y}`)
        }
    }
  })
})
