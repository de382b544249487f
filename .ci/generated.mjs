// Text that a script writes between two marks of a page: `<!-- NAME: ... -->` and `<!-- /NAME -->`. And the chart of results.
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { errorTable } from "./errorTable.mjs"
import * as FleetChart from "./fleetChart.mjs"
import { lowest } from "./machineTables.mjs"
import { performanceTables } from "./performanceTables.mjs"
import { runtimeTable } from "./runtimeTable.mjs"
import { pagesDir, report, root, show } from "./workspace.mjs"

const blocks = [
  { name: "errors", page: join(pagesDir, "errors.md"), write: errorTable },
  { name: "performance", page: join(pagesDir, "performance.md"), write: performanceTables },
  { name: "lowest", page: join(root, "README.md"), write: lowest },
  { name: "runtimes", page: join(pagesDir, "runtimes.md"), write: runtimeTable }
]

/** What stands on the page of a block, and what should; nothing should where the marks are missing. */
const versions = ({ name, page, write }) => {
  const before = readFileSync(page, "utf8")
  const marks = new RegExp(`(<!-- ${name}: [^\n]*-->\n)[\\s\\S]*?(<!-- /${name} -->)`)
  if (!marks.test(before)) return { before, after: undefined }
  // A function, since a table may hold `$&`.
  return { before, after: before.replace(marks, (_, open, close) => `${open}\n${write()}\n\n${close}`) }
}

/** The chart is drawn as soon as there are results. */
const staleChart = () => {
  const { chart, file } = FleetChart
  const after = chart()
  const before = existsSync(file) ? readFileSync(file, "utf8") : undefined
  return after === before ? [] : [`${show(file)}:1: is stale, mend with "npm run docs:generate"`]
}

/** The pages whose block is not what its script writes today. */
export const stale = () => [
  ...staleChart(),
  ...blocks.flatMap((block) => {
    const { before, after } = versions(block)
    if (after === before) return []
    const problem =
      after === undefined ? `has no place for the block "${block.name}"` : `block "${block.name}" is stale`
    return [`${show(block.page)}:1: ${problem}, mend with "npm run docs:generate"`]
  })
]

if (process.argv[1] === import.meta.filename) {
  const failures = blocks.flatMap((block) => {
    const { after } = versions(block)
    if (after === undefined) return [`${show(block.page)}:1: has no place for the block "${block.name}"`]
    writeFileSync(block.page, after)
    return []
  })
  const chart = FleetChart.chart()
  if (chart !== undefined) writeFileSync(FleetChart.file, chart)
  report(failures, `generated: ${blocks.length} blocks`)
}
