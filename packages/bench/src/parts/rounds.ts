/** Rounds in which every rival has a turn. Drift of the machine then affects all rivals alike. */
import type { RivalProcess } from "../child/RivalProcess.js"
import type { Cost } from "../child/tasks.js"
import type { RivalId } from "../rivals/all.js"

/** The costs of each rival, round by round. */
export type Measured = ReadonlyMap<RivalId, ReadonlyArray<Cost>>

/** Each round starts with another rival. */
export const interleaved = async (
  processes: ReadonlyArray<RivalProcess>,
  rounds: number,
  turn: (process: RivalProcess) => Promise<Cost>
): Promise<Measured> => {
  const measured = new Map(processes.map(({ id }): [RivalId, Array<Cost>] => [id, []]))
  for (let round = 0; round < rounds; round++) {
    const first = round % processes.length
    for (const process of [...processes.slice(first), ...processes.slice(0, first)]) {
      measured.get(process.id)?.push(await turn(process))
    }
  }
  return measured
}

/** The number of units per second, round by round. */
export const rates = (measured: Measured, id: RivalId, each = 1): ReadonlyArray<number> =>
  (measured.get(id) ?? []).map(({ done, millis }) => (done * each * 1000) / millis)

/** Microseconds of processor time per unit, round by round. */
export const cpuOfOne = (measured: Measured, id: RivalId, each = 1): ReadonlyArray<number> =>
  (measured.get(id) ?? []).map(({ cpuMicros, done }) => cpuMicros / (done * each))
