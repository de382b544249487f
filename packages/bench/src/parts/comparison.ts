/** Comparisons of the clients, as figures and as the cells of a table. */
import * as Findings from "../report/Findings.js"
import * as Print from "../report/print.js"
import * as Stats from "../report/stats.js"
import { type RivalId, twinOf } from "../rivals/all.js"
import * as Rounds from "./rounds.js"

/** A measurement: its name, its unit, and how many units one `done` of a turn stands for. */
export interface Subject {
  readonly what: string
  readonly unit: "request" | "event"
  readonly each: (id: RivalId) => number
  /** Our clients, with Effect, with promises and on Effect 4, which are compared to all others. */
  readonly ours?: Ours
}

type Ours = readonly [RivalId, RivalId, RivalId]

const oursOf = ({ ours = ["ours", "ours-promise", "ours-4"] }: Subject): Ours => ours

const byCpu = (what: string): string => `${what}, by cpu`

/**
 * Rates, processor time, and the ratios of both. A ratio above 1 means that ours is faster, or takes less time. Between the lines
 * of Effect, the ratio of processor time is that of Effect 4 over that of Effect 3.
 */
export const figuresOf = (subject: Subject, measured: Rounds.Measured): Findings.Findings["figures"] => {
  const { each, unit, what } = subject
  const figures: { [name: string]: Stats.Figure } = {}
  const rates = (id: RivalId): ReadonlyArray<number> => Rounds.rates(measured, id, each(id))
  const cpu = (id: RivalId): ReadonlyArray<number> => Rounds.cpuOfOne(measured, id, each(id))
  for (const id of measured.keys()) {
    figures[Findings.named(`${what}, ${unit}s/s`, id)] = Stats.figure(rates(id))
    figures[Findings.named(`${what}, cpu us/${unit}`, id)] = Stats.figure(cpu(id))
    for (const our of oursOf(subject)) {
      if (our === id || !measured.has(our)) continue
      figures[Findings.against(what, our, id)] = Stats.ratio(rates(our), rates(id))
      figures[Findings.against(byCpu(what), our, id)] = Stats.ratio(cpu(id), cpu(our))
    }
    const twin = twinOf(id)
    if (twin === undefined || !measured.has(twin)) continue
    figures[Findings.against(what, id, twin)] = Stats.ratio(rates(id), rates(twin))
    figures[Findings.against(`${what}, cpu us/${unit}`, id, twin)] = Stats.ratio(cpu(id), cpu(twin))
  }
  return figures
}

export type Cell = (figures: Findings.Findings["figures"], id: RivalId) => string

const cell =
  (name: (id: RivalId) => string, show: (figure: Stats.Figure) => string): Cell =>
  (figures, id) => {
    const figure = figures[name(id)]
    return figure === undefined ? "" : show(figure)
  }

/** The rate of a client. */
export const rateCell = ({ unit, what }: Subject): Cell =>
  cell(
    (id) => Findings.named(`${what}, ${unit}s/s`, id),
    ({ median }) => Print.short(median)
  )

/** The processor time of a client, and the ratios of ours to it. */
export const comparingCells = (subject: Subject): ReadonlyArray<Cell> => {
  const { unit, what } = subject
  const [effect, promises, effect4] = oursOf(subject)
  return [
    cell(
      (id) => Findings.named(`${what}, cpu us/${unit}`, id),
      ({ median }) => Print.short(median)
    ),
    cell((id) => Findings.against(what, effect, id), Print.times),
    cell((id) => Findings.against(byCpu(what), effect, id), Print.times),
    cell((id) => Findings.against(what, promises, id), Print.times),
    cell((id) => Findings.against(what, effect4, id), Print.times),
    cell((id) => Findings.against(byCpu(what), effect4, id), Print.times)
  ]
}

/** The columns of {@link comparingCells}. */
export const comparingColumns: ReadonlyArray<string> = [
  "cpu us each",
  "effect-api against it",
  "by cpu",
  "promises against it",
  "Effect 4 against it",
  "by cpu"
]
