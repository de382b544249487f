// The chart of a fleet, from a small sample of results.
import assert from "node:assert/strict"
import { test } from "node:test"
import { describe, draw } from "./fleetChart.mjs"

const figure = (median) => ({ median, min: median, max: median })

const sample = {
  date: "2026-01-01",
  redis: "7.0.15",
  machine: { node: "v20.20.2", cpu: "a <processor>", cores: 2 },
  load: { processes: 2, limit: 1000, windowMillis: 1000, millis: 1000, bucketMillis: 100 },
  rivals: [
    {
      id: "ours",
      title: "@effect-api/redis",
      ofLimit: { median: 0.98, min: 0.97, max: 0.99 },
      mostInASecond: figure(980),
      callsPerRequest: figure(0.15),
      unfairness: figure(1.2),
      late: figure(0),
      series: [Array(10).fill(50), Array(10).fill(48)],
      gated: {
        closedAt: 300,
        opensAt: 600,
        series: [[50, 50, 50, 0, 0, 0, 50, 50, 50, 50], Array(10).fill(0)]
      }
    },
    {
      id: "other",
      title: "a [bucket] & more",
      ofLimit: figure(2),
      mostInASecond: figure(2079),
      callsPerRequest: figure(1.09),
      unfairness: { median: null, min: null, max: null },
      series: [[900, 100], [100]]
    }
  ]
}

/** The parts of an SVG by their element, each with its attributes. */
const elements = (svg, name) =>
  Array.from(svg.matchAll(new RegExp(`<${name}\\b([^>]*)>`, "g")), ([, attributes]) =>
    Object.fromEntries(
      Array.from(attributes.matchAll(/([\w:-]+)="([^"]*)"/g), ([, key, value]) => [key, value])
    )
  )

const svg = draw(sample)

test("the chart is well-formed, and text cannot become markup", () => {
  const open = []
  for (const [, end, name, alone] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (alone) continue
    if (end) assert.equal(open.pop(), name)
    else open.push(name)
  }
  assert.deepEqual(open, [])
  assert.ok(svg.includes("a &lt;processor&gt;"))
  assert.ok(svg.includes("a [bucket] &amp; more"))
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/)
})

test("each process has a bar for each bucket in which it sent something", () => {
  const bars = elements(svg, "rect").filter((rect) => rect.class === "bar")
  assert.equal(bars.length, 20 + 7 + 2)
  // A limit of 100 a bucket is a quarter of the height, and 98 of 100 are two bars of 10.5 and 10.1.
  assert.deepEqual([bars[0].height, bars[1].height], ["10.5", "10.1"])
  const opacities = new Set(bars.map((bar) => bar["fill-opacity"]))
  assert.equal(opacities.size, 2)
})

test("the limit is a line of its own in each panel, at the height of the bars", () => {
  const lines = elements(svg, "line")
  const limits = lines.filter((line) => line.class === "limit")
  const axes = lines.filter((line) => line.class === "axis")
  assert.equal(limits.length, 3)
  assert.deepEqual(
    limits.map((line, index) => Number(axes[index].y1) - Number(line.y1)),
    [21, 21, 21]
  )
})

test("a bar far above the limit is cut off, and shows its number", () => {
  const height = Math.max(
    ...elements(svg, "rect")
      .filter((rect) => rect.class === "bar")
      .map((bar) => Number(bar.height))
  )
  assert.equal(height, 84)
  assert.match(svg, /class="note" text-anchor="middle">1,000</)
})

test("everything stays within the card, and panels do not overlap", () => {
  const [{ height, width }] = elements(svg, "svg").map(({ height, width }) => ({
    height: Number(height),
    width: Number(width)
  }))
  for (const { height: tall = 0, width: wide = 0, x = 0, y } of [
    ...elements(svg, "rect"),
    ...elements(svg, "text")
  ]) {
    assert.ok(Number(x) >= 0 && Number(x) + Number(wide) <= width)
    assert.ok(Number(y) >= 0 && Number(y) + Number(tall) <= height)
  }
  const titles = elements(svg, "text").filter((text) => text.class === "title")
  const tops = titles.map(({ y }) => Number(y))
  assert.deepEqual(
    tops,
    [...tops].sort((a, b) => a - b)
  )
  assert.equal(new Set(tops).size, 3)
})

test("dark mode has a colour of its own for every class that has one in light mode", () => {
  const [, style] = /<style>([\s\S]*)<\/style>/.exec(svg)
  const [light, dark] = style.split("@media (prefers-color-scheme: dark)")
  const coloured = (css) => Array.from(css.matchAll(/([.\w ]+) \{[^}]*#/g), ([, name]) => name.trim())
  assert.deepEqual(coloured(dark), coloured(light))
})

test("the chart and the page say in words what it shows", () => {
  const words = [
    "@effect-api/redis: 980 requests in 1 s, at most 98 in 100 ms.",
    "@effect-api/redis, one process gets a 429: 350 requests in 1 s, at most 50 in 100 ms, a wait from 0.3 to 0.6 s."
  ]
  const [, desc] = /<desc id="desc">([^<]*)</.exec(svg)
  const page = describe(sample).join("\n\n")
  for (const each of words) {
    assert.ok(desc.includes(each))
    assert.ok(page.includes(each))
  }
  const [, alt] = /!\[(.*)\]\(\.\.\/\.\.\/bench\/results\/fleet\.svg\)/.exec(page)
  assert.ok(alt.includes("a bucket & more: 1,100 requests in 0.2 s, at most 1,000 in 100 ms."))
})

test("the table has a row for each limiter", () => {
  const rows = describe(sample)
    .find((part) => part.startsWith("| "))
    .split("\n")
    .slice(2)
  assert.deepEqual(rows, [
    "| `@effect-api/redis` | **0.98** (0.97 to 0.99) | 980 | 0.15 | 1.20 | 0 |",
    "| a [bucket] & more | 2.00 | 2,079 | 1.09 | a process sent nothing |  |"
  ])
})
