/** The measurement of requests per second by load, shared by HTTP/1.1 and HTTP/2. */
import type { RivalProcess } from "../child/RivalProcess.js"
import type { Plan } from "../plan.js"
import type { Figure } from "../report/stats.js"
import * as Comparison from "./comparison.js"
import * as Rounds from "./rounds.js"

/** The load of the comparisons, which every plan measures. */
const comparedLoad = 32

/** How many turns the warm-up takes. Several turns keep connections alive that a server closes when idle. */
const warmUpTurns = 3

export interface Loads {
  readonly plan: Plan["unary"]
  /** The processor time that the server has used, in microseconds. */
  readonly serverCpu: () => Promise<number>
  readonly url: (process: RivalProcess) => string
  readonly subject: (inFlight: number) => Comparison.Subject
}

export interface Measured {
  readonly figures: { [name: string]: Figure }
  /** The columns of a table, and the cells of its rows. */
  readonly columns: ReadonlyArray<string>
  readonly cells: ReadonlyArray<Comparison.Cell>
  /** How busy the server was. */
  readonly note: string
}

export const measure = async (
  processes: ReadonlyArray<RivalProcess>,
  { plan, serverCpu, subject, url }: Loads
): Promise<Measured> => {
  const turn = (inFlight: number, millis: number) => (process: RivalProcess) =>
    process.run("calls", url(process), { inFlight, millis })
  await Rounds.interleaved(processes, warmUpTurns, turn(comparedLoad, plan.warmupMillis / warmUpTurns))

  const figures: Measured["figures"] = {}
  const serverBusy: Array<number> = []
  for (const { inFlight, millis, rounds } of plan.loads) {
    await Rounds.interleaved(processes, 1, turn(inFlight, millis / 2))
    const measured = await Rounds.interleaved(processes, rounds, async (process) => {
      const before = await serverCpu()
      const cost = await turn(inFlight, millis)(process)
      serverBusy.push(((await serverCpu()) - before) / (cost.millis * 1000))
      return cost
    })
    Object.assign(figures, Comparison.figuresOf(subject(inFlight), measured))
  }
  const counts = plan.loads.map(({ inFlight }) => inFlight)
  return {
    figures,
    columns: [...counts.map(String), ...Comparison.comparingColumns],
    cells: [
      ...counts.map((inFlight) => Comparison.rateCell(subject(inFlight))),
      ...Comparison.comparingCells(subject(comparedLoad))
    ],
    note: `The server was busy for at most ${Math.round(100 * Math.max(...serverBusy))} % of a turn.`
  }
}
