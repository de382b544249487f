/** The memory of an open stream that waits for its next event. */
import * as RivalProcess from "../child/RivalProcess.js"
import type { Memory } from "../child/tasks.js"
import * as Findings from "../report/Findings.js"
import * as Print from "../report/print.js"
import * as Stats from "../report/stats.js"
import { all, type RivalId } from "../rivals/all.js"
import type { Bench, Part } from "./Part.js"

/** Ours, and the least that a program of Effects keeps. */
const compared: ReadonlyArray<RivalId> = [
  "ours",
  "ours-promise",
  "ours-4",
  "ours-4-promise",
  "parser-stream",
  "parser-4-stream"
]

const ids: ReadonlyArray<RivalId> = [...compared, "eventsource-parser", "anthropic-sdk"]

const streams = 1_000
const kibibyte = 1024

/** Each measurement has a new process, as streams leave traces in a heap after they end. */
const measured = async (bench: Bench, id: RivalId, copy: number): Promise<Memory> => {
  const url = bench.server.url("held", all[id].dialect, id)
  const process = await RivalProcess.start({ ...bench, copy }, id, ["--expose-gc"])
  try {
    return await process.run("hold", url, { streams })
  } finally {
    await process.close()
  }
}

export const memory: Part = async (bench) => {
  const { plan } = bench
  const figures: { [name: string]: Stats.Figure } = {}
  const found = new Map<RivalId, Array<Memory>>()
  for (let round = 1; round <= plan.memoryRounds; round++) {
    for (const id of plan.among(ids)) {
      const each = found.get(id) ?? []
      each.push(await measured(bench, id, round))
      found.set(id, each)
    }
  }
  const heapOf = (id: RivalId): ReadonlyArray<number> =>
    (found.get(id) ?? []).map(({ heapBytes }) => heapBytes)
  const rows = [...found].map(([id, each]) => {
    const heap = Stats.figure(heapOf(id))
    const resident = Stats.figure(each.map(({ residentBytes }) => residentBytes))
    figures[Findings.named("open stream, heap bytes", id)] = heap
    figures[Findings.named("open stream, resident bytes", id)] = resident
    const ratios = compared.map((our) => {
      if (our === id || !found.has(our)) return ""
      const ratio = Stats.ratio(heapOf(our), heapOf(id))
      figures[Findings.against("open stream, heap", our, id)] = ratio
      return Print.times(ratio)
    })
    return [
      all[id].title,
      Print.short(heap.median / kibibyte),
      Print.short(resident.median / kibibyte),
      ...ratios
    ]
  })
  return {
    figures,
    tables: [
      {
        title: `${streams} open streams: KiB for each`,
        columns: ["", "heap", "resident", ...compared.map((id) => `heap, ${all[id].title} : it`)],
        rows
      }
    ]
  }
}
