/** The run as JSON: the machine, the versions and every figure, without paths or host names. */
import { readFile } from "node:fs/promises"
import { arch, availableParallelism, cpus, platform } from "node:os"
import { manifestOf } from "../edition.js"
import type { Findings } from "./Findings.js"
import type { Figure } from "./stats.js"
import { cellsOf, type Verdict } from "./thresholds.js"

export interface Machine {
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly system: string
}

/** When, where and of what results are. */
export interface Origin {
  readonly date: string
  readonly machine: Machine
  readonly versions: { readonly [name: string]: string }
}

export interface Results extends Origin {
  readonly quick: boolean
  /** The measurements and the limits of each threshold, as they are printed. */
  readonly verdicts: {
    readonly [what: string]: {
      readonly measured: string
      readonly limit: string
      readonly cpu: string
      readonly cpuLimit: string
      readonly holds: boolean
    }
  }
  readonly figures: { readonly [name: string]: Figure }
}

export const machine = (): Machine => ({
  node: process.version,
  cpu: withoutMarks(cpus()[0]?.model ?? "unknown"),
  cores: availableParallelism(),
  system: `${platform()} ${arch()}`
})

/** The model of a processor without trade marks and frequency. */
const withoutMarks = (model: string): string =>
  model
    .replace(/\((r|tm)\)|@.*|\b(cpu|processor|\d+-core)\b/gi, " ")
    .replace(/\s+/g, " ")
    .trim()

/** The name of the results of a machine: its processor, and the line of Node. */
export const nameOf = ({ cpu, node }: Machine): string => {
  const words = cpu.toLowerCase().match(/[a-z0-9]+/g) ?? ["unknown"]
  return `${words.join("-")}-node${/\d+/.exec(node)?.[0]}`
}

/** Four significant digits, as more would claim a false precision. */
export const rounded = ({ max, median, min }: Figure): Figure => {
  const digits = (value: number): number => Number(value.toPrecision(4))
  return { median: digits(median), min: digits(min), max: digits(max) }
}

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly dependencies?: { readonly [name: string]: string }
}

const manifest = async (url: URL): Promise<Manifest> =>
  readFile(url, "utf8").then(
    (text) => JSON.parse(text) as Manifest,
    () => ({})
  )

/** The version of an imported package, from the manifest above its entry file. An alias has the manifest of another name. */
const versionOf = async (name: string, range: string): Promise<string> => {
  const own = /^npm:(.+)@/.exec(range)?.[1] ?? name
  for (
    let url = new URL("./package.json", import.meta.resolve(name));
    ;
    url = new URL("../package.json", url)
  ) {
    const { name: found, version } = await manifest(url)
    if (found === own && version !== undefined) return version
    if (url.pathname === "/package.json") return "unknown"
  }
}

const versions = async (): Promise<Origin["versions"]> => {
  const { dependencies = {} } = await manifest(new URL("../../package.json", import.meta.url))
  const ranges = Object.entries(dependencies).sort()
  const found = await Promise.all(ranges.map(async ([name, range]) => [name, await versionOf(name, range)]))
  return { ...Object.fromEntries(found), ...(await effect4Versions()) }
}

/** The versions below the edition for Effect 4, where it is installed. */
const effect4Versions = async (): Promise<Origin["versions"]> => {
  const found: { [name: string]: string } = {}
  for (const name of ["effect", "@effect/platform-node"]) {
    const { version } = await manifest(manifestOf(name))
    if (version !== undefined) found[`${name}, Effect 4`] = version
  }
  return found
}

export const origin = async (): Promise<Origin> => ({
  date: new Date().toISOString(),
  machine: machine(),
  versions: await versions()
})

/** The verdicts on what was measured. */
export const recordOf = (verdicts: ReadonlyArray<Verdict>): Results["verdicts"] =>
  Object.fromEntries(
    verdicts
      .filter(({ measured }) => measured !== undefined)
      .map((verdict) => {
        const [what = "", measured = "", limit = "", cpu = "", cpuLimit = ""] = cellsOf(verdict)
        return [what, { measured, limit, cpu, cpuLimit, holds: verdict.holds }]
      })
  )

export const make = async (
  quick: boolean,
  figures: Findings["figures"],
  verdicts: ReadonlyArray<Verdict>
): Promise<Results> => ({
  quick,
  ...(await origin()),
  verdicts: recordOf(verdicts),
  figures: Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, rounded(figure)]))
})

/** A list of numbers fills its lines, as the formatter of this repository has it. */
const filled = (indent: string, start: string, numbers: ReadonlyArray<string>, end: string): string => {
  const line = `${indent}${start}[${numbers.join(", ")}]${end}`
  if (line.length <= 110) return line
  const lines = [""]
  for (const number of numbers) {
    const last = lines.at(-1) ?? ""
    if (`${indent}  ${last} ${number},`.length > 110) lines.push(`${number},`)
    else lines[lines.length - 1] = `${last} ${number},`.trimStart()
  }
  const inner = lines.map((line) => `${indent}  ${line}`).join("\n")
  return `${indent}${start}[\n${inner.slice(0, -1)}\n${indent}]${end}`
}

export const text = (results: object): string => {
  const lists = /^( *)("\w+": )?\[\n([\d\s,]+)\](,?)$/gm
  const json = JSON.stringify(results, undefined, 2)
  return `${json.replace(lists, (_, indent, start = "", list: string, end) => filled(indent, start, list.trim().split(/,\s+/), end))}\n`
}
