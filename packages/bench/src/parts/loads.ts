/** The measurement of requests per second by load, shared by the parts that send requests. */
import type { RivalProcess } from "../child/RivalProcess.js"
import type { Cost } from "../child/tasks.js"
import type { Turns } from "../plan.js"
import type { Figure } from "../report/stats.js"
import * as Comparison from "./comparison.js"
import * as Rounds from "./rounds.js"

/** How many turns the warm-up takes. Several turns keep connections alive that a server closes when idle. */
const warmUpTurns = 3

export interface Loads<Load extends Turns> {
  readonly warmupMillis: number
  readonly loads: ReadonlyArray<Load>
  /** The load of the comparisons, with which the clients warm up. */
  readonly isCompared: (load: Load) => boolean
  /** The processor time that the server has used, in microseconds. */
  readonly serverCpu: () => Promise<number>
  readonly turn: (load: Load, process: RivalProcess, millis: number) => Promise<Cost>
  readonly subject: (load: Load) => Comparison.Subject
  readonly columnOf: (load: Load) => string
}

export interface Measured {
  readonly figures: { [name: string]: Figure }
  /** The columns of a table, and the cells of its rows. */
  readonly columns: ReadonlyArray<string>
  readonly cells: ReadonlyArray<Comparison.Cell>
  /** How busy the server was. */
  readonly note: string
}

export const measure = async <Load extends Turns>(
  processes: ReadonlyArray<RivalProcess>,
  { columnOf, isCompared, loads, serverCpu, subject, turn, warmupMillis }: Loads<Load>
): Promise<Measured> => {
  const compared = loads.find(isCompared)
  if (compared === undefined) throw new Error("no load is compared")
  await Rounds.interleaved(processes, warmUpTurns, (process) =>
    turn(compared, process, warmupMillis / warmUpTurns)
  )
  const figures: Measured["figures"] = {}
  const serverBusy: Array<number> = []
  for (const load of loads) {
    await Rounds.interleaved(processes, 1, (process) => turn(load, process, load.millis / 2))
    const measured = await Rounds.interleaved(processes, load.rounds, async (process) => {
      const before = await serverCpu()
      const cost = await turn(load, process, load.millis)
      serverBusy.push(((await serverCpu()) - before) / (cost.millis * 1000))
      return cost
    })
    Object.assign(figures, Comparison.figuresOf(subject(load), measured))
  }
  return {
    figures,
    columns: [...loads.map(columnOf), ...Comparison.comparingColumns(subject(compared))],
    cells: [
      ...loads.map((load) => Comparison.rateCell(subject(load))),
      ...Comparison.comparingCells(subject(compared))
    ],
    note: `The server was busy for at most ${Math.round(100 * Math.max(...serverBusy))} % of a turn.`
  }
}

/** The load of the comparisons of clients by the number of requests in flight. */
export const isCompared = ({ inFlight }: { readonly inFlight: number }): boolean => inFlight === 32
