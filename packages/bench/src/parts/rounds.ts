/** Rounds in which every rival has its turn, so that whatever drifts meanwhile drifts for all of them alike. */
import type { RivalProcess } from "../child/RivalProcess.js"
import type { Cost } from "../child/tasks.js"
import type { RivalId } from "../rivals/all.js"

/** What each rival did, round by round. */
export type Measured = ReadonlyMap<RivalId, ReadonlyArray<Cost>>

/** Each round begins with another rival. */
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

/** How many a second, round by round. */
export const rates = (measured: Measured, id: RivalId, each = 1): ReadonlyArray<number> =>
  (measured.get(id) ?? []).map(({ done, millis }) => (done * each * 1000) / millis)

/** Microseconds of processor time for one, round by round. */
export const cpuOfOne = (measured: Measured, id: RivalId, each = 1): ReadonlyArray<number> =>
  (measured.get(id) ?? []).map(({ cpuMicros, done }) => cpuMicros / (done * each))
