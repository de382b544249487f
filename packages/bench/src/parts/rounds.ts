/** Rounds in which every rival has a turn. Drift of the machine then affects all rivals alike. */
import type { RivalProcess } from "../child/RivalProcess.js"
import type { Cost } from "../child/tasks.js"
import type { ByProcess } from "../report/stats.js"
import type { RivalId } from "../rivals/all.js"

/** The costs of each rival: process by process, and in each process round by round. */
export type Measured = ReadonlyMap<RivalId, ReadonlyArray<ReadonlyArray<Cost>>>

/** One process of each rival takes turns. Each round starts with another rival. Returns the costs round by round. */
export const interleaved = async (
  processes: ReadonlyArray<RivalProcess>,
  rounds: number,
  turn: (process: RivalProcess) => Promise<Cost>
): Promise<ReadonlyMap<RivalId, ReadonlyArray<Cost>>> => {
  const costs = new Map(processes.map(({ id }): [RivalId, Array<Cost>] => [id, []]))
  for (let round = 0; round < rounds; round++) {
    const first = round % processes.length
    for (const process of [...processes.slice(first), ...processes.slice(0, first)]) {
      costs.get(process.id)?.push(await turn(process))
    }
  }
  return costs
}

const derived = (measured: Measured, id: RivalId, of: (cost: Cost) => number): ByProcess =>
  (measured.get(id) ?? []).map((rounds) => rounds.map(of))

/** The number of units per second. */
export const rates = (measured: Measured, id: RivalId, each = 1): ByProcess =>
  derived(measured, id, ({ done, millis }) => (done * each * 1000) / millis)

/** Microseconds of processor time per unit. */
export const cpuOfOne = (measured: Measured, id: RivalId, each = 1): ByProcess =>
  derived(measured, id, ({ cpuMicros, done }) => cpuMicros / (done * each))
