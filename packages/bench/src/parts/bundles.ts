/** The size of a small program that sends a request, validates the response and retries. */
import * as Programs from "../programs/all.js"
import * as Findings from "../report/Findings.js"
import * as Print from "../report/print.js"
import * as Stats from "../report/stats.js"
import { type Bundle, bundle } from "./bundling.js"
import type { Part } from "./Part.js"

const kibibyte = 1024

/** The packages that our programs are built on and compared to. Effect 4 has the second in the first. */
const base = ["effect", "@effect/platform"]

const isOurs = (id: Programs.ProgramId): boolean => /^(ours|anthropic(Promise)?4?$)/.test(id)

const isOnEffect = (id: Programs.ProgramId): boolean => isOurs(id) || id.startsWith("platform")

/** The program without this client, on the same line of Effect. */
const byHandOf = (id: Programs.ProgramId): Programs.ProgramId =>
  Programs.all[id].twin === undefined ? "platform" : "platform4"

export const bundles: Part = async ({ plan }) => {
  const found = new Map<Programs.ProgramId, Bundle>()
  const figures: { [name: string]: Stats.Figure } = {}
  const rows: Array<ReadonlyArray<string>> = []
  const sizeOf = (id: Programs.ProgramId): number => found.get(id)?.gzipBytes ?? Number.NaN
  // The programs by hand come before ours.
  for (const id of Programs.among(plan).filter((id) => !Programs.all[id].node)) {
    const bundled = await bundle(id, "browser")
    found.set(id, bundled)
    const figure = (what: string, bytes: number): string => {
      figures[Findings.named(`bundle, ${what}`, id)] = Stats.exactly(bytes)
      return Print.short(bytes / kibibyte)
    }
    const sizes = [figure("minified bytes", bundled.code.length), figure("gzip bytes", bundled.gzipBytes)]
    if (isOnEffect(id)) {
      const { gzipBytes } = await bundle(id, "browser", { modules: true })
      sizes.push(figure("gzip bytes by modules", gzipBytes))
    }
    if (isOurs(id)) {
      const { gzipBytes } = await bundle(id, "browser", { external: base })
      sizes.push(
        figure("gzip bytes added to effect + platform", bundled.gzipBytes - sizeOf(byHandOf(id))),
        figure("gzip bytes of its own", gzipBytes)
      )
    }
    rows.push([Programs.all[id].title, ...sizes])
  }
  const sizes: Findings.Table = {
    title: "A program of POST + JSON + retries, bundled by esbuild: KiB",
    columns: [
      "",
      "minified",
      "gzip",
      "gzip by modules",
      "gzip added to effect + platform",
      "gzip without these"
    ],
    rows,
    notes: [
      "By modules: the program imports `effect/Effect` and the like. A bundler keeps all of a module in a barrel."
    ]
  }
  return {
    figures,
    tables: plan.bundleDetail ? [sizes, ...details(found, "ours"), ...details(found, "ours4")] : [sizes]
  }
}

/** The modules that this client adds, its own and those of other packages, by size. */
const details = (
  found: ReadonlyMap<Programs.ProgramId, Bundle>,
  id: Programs.ProgramId
): ReadonlyArray<Findings.Table> => {
  const before = found.get(byHandOf(id))?.modules ?? new Map<string, number>()
  const added = [...(found.get(id)?.modules ?? [])]
    .map(([name, bytes]) => ({ name, bytes: bytes - (before.get(name) ?? 0) }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
  const list = (title: string, modules: typeof added): Findings.Table => ({
    title: `${title}: ${modules.reduce((sum, { bytes }) => sum + bytes, 0)} minified bytes more`,
    columns: ["", "bytes"],
    rows: modules.slice(0, 60).map(({ bytes, name }) => [name, String(bytes)])
  })
  const isOwn = ({ name }: { readonly name: string }): boolean => name.startsWith("@effect-api/")
  return [
    list(`Modules of ${Programs.all[id].title}`, added.filter(isOwn)),
    list(
      `Further modules of other packages, ${Programs.all[id].title}`,
      added.filter((module) => !isOwn(module))
    )
  ]
}
