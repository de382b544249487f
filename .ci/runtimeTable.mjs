// The table of the runtimes page, from the results of the last run of the suite on every runtime.
import { join } from "node:path"
import { readJson, root } from "./workspace.mjs"

const path = join(root, "packages", "runtimes", "results", "latest.json")

const cell = (text) => text.replaceAll("|", "\\|")

const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map(cell).join(" | ")} |`).join("\n")

const sum = (counts) => counts.reduce((total, count) => total + count, 0)

/** Runtimes in the order of the reader: servers before browsers. */
const groups = ["Node", "Deno", "Bun", "Cloudflare", "Chromium", "Firefox"]

const place = ({ runtime }) => groups.findIndex((group) => runtime.startsWith(group))

/** The Markdown of it. */
export const runtimeTable = () => {
  const rows = [...readJson(path).rows].sort((one, other) => place(one) - place(other))
  const reasons = [...new Set(rows.flatMap(({ differs }) => differs.map(({ why }) => why)))]
  const numberOf = (why) => reasons.indexOf(why) + 1
  const unique = (all) => [...new Set(all)]

  const held = ({ areas, differs, refuses }) => {
    if (refuses !== undefined) return ["none", `fails at once: ${refuses}`]
    const all = sum(Object.values(areas))
    const numbers = unique(differs.map(({ why }) => numberOf(why))).sort((one, other) => one - other)
    return [`${all - differs.length} of ${all}`, numbers.length === 0 ? "nothing" : numbers.join(", ")]
  }
  const areas = Object.entries(
    rows.reduce((most, row) => {
      for (const [area, count] of Object.entries(row.areas)) most[area] = Math.max(most[area] ?? 0, count)
      return most
    }, {})
  )

  return [
    table(
      ["Runtime", "Version", "Transport", "Holds", "Differs"],
      rows.map((row) => [row.runtime, row.version, `\`${row.transport}\``, ...held(row)])
    ),
    "What differs, and why:",
    table(
      ["", "Check", "Why it does not hold"],
      reasons.map((why) => [
        String(numberOf(why)),
        unique(
          rows.flatMap(({ differs }) => differs.filter((each) => each.why === why).map(({ title }) => title))
        ).join("; "),
        why
      ])
    ),
    `The areas of the suite: ${areas.map(([area, count]) => `${area} (${count})`).join(", ")}.`
  ].join("\n\n")
}
