/** The measurement of requests per second by load, shared by the parts that send requests. */
import type { RivalProcess } from "../child/RivalProcess.js"
import type { Cost } from "../child/tasks.js"
import type { Turns } from "../plan.js"
import type { Figure } from "../report/stats.js"
import type { RivalId } from "../rivals/all.js"
import * as Comparison from "./comparison.js"
import { measure as measureWork } from "./measuring.js"
import type { Bench } from "./Part.js"

export interface Loads<Load extends Turns> {
  readonly warmupMillis: number
  readonly loads: ReadonlyArray<Load>
  /** The load of the comparisons, which is the first: with it the clients warm up. */
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
  bench: Bench,
  ids: ReadonlyArray<RivalId>,
  { columnOf, isCompared, loads, serverCpu, subject, turn, warmupMillis }: Loads<Load>
): Promise<Measured> => {
  const compared = loads.find(isCompared)
  if (compared === undefined) throw new Error("no load is compared")
  const serverBusy: Array<number> = []
  const works = [compared, ...loads.filter((load) => load !== compared)].map((load) => ({
    rounds: load.rounds,
    millis: load.millis,
    warmupMillis: load === compared ? warmupMillis : load.millis / 2,
    subject: subject(load),
    turn: async (process: RivalProcess, millis: number) => {
      const before = await serverCpu()
      const cost = await turn(load, process, millis)
      serverBusy.push(((await serverCpu()) - before) / (cost.millis * 1000))
      return cost
    }
  }))
  return {
    figures: await measureWork(bench, ids, works),
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
