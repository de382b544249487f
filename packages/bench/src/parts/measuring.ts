/**
 * Measures work that the rivals do in turns. Two processes of one program may differ by half: where its code and its heap lie, and
 * what V8 has compiled by when. So each rival has several processes, one after another, and the figures are medians over them.
 */
import * as RivalProcess from "../child/RivalProcess.js"
import type { Cost } from "../child/tasks.js"
import type { Turns } from "../plan.js"
import type { Findings } from "../report/Findings.js"
import type { RivalId } from "../rivals/all.js"
import * as Comparison from "./comparison.js"
import type { Bench } from "./Part.js"
import * as Rounds from "./rounds.js"

/** The rounds and the turns are those of each process. */
export interface Work extends Turns {
  /** Processor time of a client before its turns count. On a busy machine the warm-up takes longer. */
  readonly warmupMillis: number
  readonly turn: (process: RivalProcess.RivalProcess, millis: number) => Promise<Cost>
  readonly subject: Comparison.Subject
  /** The only rivals that take part, if not all do. */
  readonly ids?: ReadonlyArray<RivalId>
}

/** Short turns keep connections alive that a server closes when idle. */
const warmUpTurn = 300

const warmUp = async (
  processes: ReadonlyArray<RivalProcess.RivalProcess>,
  cpuMillis: number,
  turn: Work["turn"]
): Promise<void> => {
  const left = new Map(processes.map((process) => [process, cpuMillis]))
  while (left.size > 0) {
    for (const [process, millis] of left) {
      const rest = millis - (await turn(process, Math.min(millis, warmUpTurn))).cpuMicros / 1000
      if (rest > 0) left.set(process, rest)
      else left.delete(process)
    }
  }
}

export const measure = async (
  bench: Bench,
  ids: ReadonlyArray<RivalId>,
  works: ReadonlyArray<Work>
): Promise<{ [name: string]: Findings["figures"][string] }> => {
  const measuring = works.map((work) => ({
    ...work,
    measured: new Map<RivalId, Array<ReadonlyArray<Cost>>>()
  }))
  for (let copy = 1; copy <= bench.plan.processes; copy++) {
    await RivalProcess.withAll({ ...bench, copy }, ids, async (processes) => {
      for (const { ids: only = ids, measured, millis, rounds, turn, warmupMillis } of measuring) {
        const taking = processes.filter(({ id }) => only.includes(id))
        await warmUp(taking, warmupMillis, turn)
        const costs = await Rounds.interleaved(taking, rounds, (process) => turn(process, millis))
        for (const [id, each] of costs) measured.set(id, [...(measured.get(id) ?? []), each])
      }
    })
  }
  return Object.assign(
    {},
    ...measuring.map(({ measured, subject }) => Comparison.figuresOf(subject, measured))
  )
}
