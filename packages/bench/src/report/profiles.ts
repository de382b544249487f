/** Where the time of the main thread of a client went, from its profile. */
import { readdir, readFile } from "node:fs/promises"
import type { Profiler } from "node:inspector"
import { join } from "node:path"
import type { Table } from "./Findings.js"

const functions = 20

/** Samples without work of the client. */
const idle = new Set(["(idle)", "(root)"])

/** The package of a function, and its file within. */
const placeOf = ({
  functionName,
  url
}: Profiler.ProfileNode["callFrame"]): { readonly owner: string; readonly file: string } => {
  if (functionName === "(garbage collector)") return { owner: "garbage collection", file: "" }
  if (url === "") return { owner: "V8 and native code", file: "" }
  if (url.startsWith("node:")) return { owner: "node", file: url }
  if (url.startsWith("wasm:")) return { owner: "WebAssembly", file: "" }
  const [, installed, owner = ""] = /.*node_modules\/(((?:@[^/]+\/)?[^/]+).*)/.exec(url) ?? []
  if (installed !== undefined) return { owner, file: installed }
  const [, name, file] = /packages\/(\w+)\/dist\/(.*)$/.exec(url) ?? []
  return name === undefined
    ? { owner: "other", file: url }
    : { owner: `@effect-api/${name}`, file: `@effect-api/${name}/${file}` }
}

/** Sums by name, the largest first, as shares of all. */
const shares = (
  parts: ReadonlyArray<readonly [name: string, micros: number]>,
  most: number
): Table["rows"] => {
  const sums = new Map<string, number>()
  let all = 0
  for (const [name, micros] of parts) {
    all += micros
    sums.set(name, (sums.get(name) ?? 0) + micros)
  }
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([name, micros]) => [name, `${((100 * micros) / all).toFixed(1)} %`])
}

interface Part {
  readonly frame: Profiler.ProfileNode["callFrame"]
  readonly micros: number
}

const partsOf = ({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): ReadonlyArray<Part> => {
  const frames = new Map(nodes.map(({ callFrame, id }) => [id, callFrame]))
  return samples.flatMap((id, index) => {
    const frame = frames.get(id)
    // The time from this sample to the next.
    return frame === undefined || idle.has(frame.functionName)
      ? []
      : [{ frame, micros: timeDeltas[index + 1] ?? 0 }]
  })
}

const tablesOf = (title: string, parts: ReadonlyArray<Part>): ReadonlyArray<Table> => {
  const nameOf = (frame: Part["frame"]): string => {
    const { file } = placeOf(frame)
    const name = frame.functionName || "(anonymous)"
    return file === "" ? name : `${name}  ${file}:${frame.lineNumber + 1}`
  }
  return [
    {
      title: `${title}: the main thread by package`,
      columns: ["", "time"],
      rows: shares(
        parts.map(({ frame, micros }) => [placeOf(frame).owner, micros]),
        Number.POSITIVE_INFINITY
      )
    },
    {
      title: `${title}: the functions that take the most time by themselves`,
      columns: ["", "time"],
      rows: shares(
        parts.map(({ frame, micros }) => [nameOf(frame), micros]),
        functions
      )
    }
  ]
}

/** The tables of all clients with profiles in a folder: each is about all processes of the client. */
export const tables = async (folder: string): Promise<ReadonlyArray<Table>> => {
  const clients = new Map<string, ReadonlyArray<Part>>()
  for (const file of (await readdir(folder)).sort()) {
    const [, client] = /^(.+)\.\d+\.cpuprofile$/.exec(file) ?? []
    if (client === undefined) continue
    const parts = partsOf(JSON.parse(await readFile(join(folder, file), "utf8")))
    clients.set(client, [...(clients.get(client) ?? []), ...parts])
  }
  return [...clients].flatMap(([client, parts]) => tablesOf(client, parts))
}
