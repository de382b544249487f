/** `npm run bench`: runs the parts in order, then prints the verdicts. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Edition from "./edition.js"
import { blocking } from "./parts/blocking.js"
import { bundles } from "./parts/bundles.js"
import { coldStart } from "./parts/coldStart.js"
import { decoding } from "./parts/decoding.js"
import { failures } from "./parts/failures.js"
import { fleet } from "./parts/fleet.js"
import { get } from "./parts/get.js"
import { http2 } from "./parts/http2.js"
import { installed } from "./parts/installed.js"
import { memory } from "./parts/memory.js"
import type { Part } from "./parts/Part.js"
import { settings } from "./parts/settings.js"
import { streams } from "./parts/streams.js"
import { unary } from "./parts/unary.js"
import * as Plan from "./plan.js"
import { chart } from "./report/chart.js"
import type { Findings } from "./report/Findings.js"
import * as Print from "./report/print.js"
import * as Profiles from "./report/profiles.js"
import * as Results from "./report/results.js"
import { verdicts, verdictTable } from "./report/thresholds.js"
import * as Server from "./server/Server.js"

const parts = new Map<string, Part>([
  ["unary", unary],
  ["get", get],
  ["settings", settings],
  ["http2", http2],
  ["blocking", blocking],
  ["sse", streams],
  ["memory", memory],
  ["cold-start", coldStart],
  ["installed", installed],
  ["bundle", bundles],
  ["failures", failures],
  ["fleet", fleet],
  ["decoding", decoding]
])

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    rivals: { type: "string", default: "" },
    "bundle-detail": { type: "boolean", default: false }
  }
})

const namesIn = (flag: string): ReadonlyArray<string> => flag.split(",").filter((name) => name !== "")

const only = namesIn(flags.only)
const unknown = only.filter((name) => !parts.has(name))
if (unknown.length > 0) throw new Error(`no such part: ${unknown}; the parts are ${[...parts.keys()]}`)
const missing = await Edition.prepare()
if (missing !== undefined) console.log(`Without the rows of Effect 4: ${missing}.\n`)
const plan = Plan.make({
  quick: flags.quick,
  effect4: missing === undefined,
  bundleDetail: flags["bundle-detail"],
  rivals: namesIn(flags.rivals)
})

/** A folder of its own for the profiles of each run. */
const profiles = flags.profile
  ? fileURLToPath(
      new URL(`../build/profiles-${new Date().toISOString().replace(/\W/g, "-")}`, import.meta.url)
    )
  : undefined
if (profiles !== undefined) await mkdir(profiles, { recursive: true })

const run = async (server: Server.Server): Promise<Required<Omit<Findings, "tables">>> => {
  const figures: { [name: string]: Findings["figures"][string] } = {}
  const files: { [name: string]: object } = {}
  for (const [name, part] of parts) {
    if (only.length > 0 && !only.includes(name)) continue
    const start = performance.now()
    const findings = await part({
      plan,
      server,
      profiles: profiles === undefined ? undefined : join(profiles, `${name}-`)
    })
    Object.assign(figures, findings.figures)
    Object.assign(files, findings.files)
    for (const table of findings.tables) console.log(Print.table(table))
    console.log(`(${name}: ${Math.round((performance.now() - start) / 1000)} s)\n`)
  }
  return { figures, files }
}

const save = async (file: string, text: string): Promise<void> => {
  const folder = new URL("../results/", import.meta.url)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL(file, folder), text)
  console.log(`Saved as packages/bench/results/${file}; "npm run docs:generate" shows it.`)
}

/** Keeps the results of a whole run beside those of other machines. */
const saveAll = async (results: Results.Results): Promise<void> => {
  const name = Results.nameOf(results.machine)
  await save(`${name}.json`, Results.text(results))
  await save(`${name}.svg`, chart(results.figures, results.machine, results.date))
}

const complete = only.length === 0 && plan.rivals.length === 0
const hasFile = only.length === 1 && only[0] === "fleet"
if (flags.save && ((!complete && !hasFile) || plan.rivals.length > 0 || flags.profile))
  throw new Error("--save keeps whole runs, or --only=fleet: leave out --rivals and --profile")
const server = await Server.start()
const { figures, files } = await run(server).finally(server.close)
if (profiles !== undefined) {
  for (const table of await Profiles.tables(profiles)) console.log(Print.table(table))
  console.log(`The profiles are in ${profiles}: a profiler slows what it measures.\n`)
}
const checked = verdicts(figures)
// A profiler slows clients unevenly.
const shown = flags.profile ? [] : checked.filter(({ measured }) => complete || measured !== undefined)
if (shown.length > 0) console.log(Print.table(verdictTable(shown)))
if (flags.save) {
  if (complete) await saveAll(await Results.make(plan.quick, figures, checked))
  const origin = await Results.origin()
  for (const [name, content] of Object.entries(files))
    await save(`${name}.json`, Results.text({ ...origin, ...content }))
}
const missed = shown.filter(({ holds }) => !holds)
if (flags.check && missed.length > 0) {
  console.error(`${missed.length} of ${shown.length} thresholds were missed`)
  process.exitCode = 1
}
