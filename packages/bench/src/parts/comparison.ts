/** Comparisons of the clients, as figures and as the cells of a table. */
import * as Findings from "../report/Findings.js"
import * as Print from "../report/print.js"
import * as Stats from "../report/stats.js"
import { all, type RivalId, twinOf } from "../rivals/all.js"
import * as Rounds from "./rounds.js"

/** A measurement: its name, its unit, and how many units one `done` of a turn stands for. */
export interface Subject {
  readonly what: string
  readonly unit: "request" | "event" | "stream"
  readonly each: (id: RivalId) => number
  /** Our clients, which are compared to all others. */
  readonly ours?: ReadonlyArray<RivalId>
  /** The only comparisons, if not of all. */
  readonly pairs?: ReadonlyArray<readonly [our: RivalId, other: RivalId]>
}

const defaults: ReadonlyArray<RivalId> = ["ours", "ours-promise", "ours-4", "ours-4-promise"]

/** Our clients beside all others, and each client on Effect 4 beside the same on Effect 3. */
const allPairs = (ours: ReadonlyArray<RivalId>, ids: ReadonlyArray<RivalId>): NonNullable<Subject["pairs"]> =>
  ours.flatMap((our) => ids.filter((id) => id !== our).map((id) => [our, id] as const))

/**
 * Rates, processor time, and the ratios of both. A ratio above 1 means that ours is faster, or takes less time. Between the lines
 * of Effect, the ratio of processor time is that of Effect 4 over that of Effect 3.
 */
export const figuresOf = (subject: Subject, measured: Rounds.Measured): Findings.Findings["figures"] => {
  const { each, ours = defaults, unit, what } = subject
  const figures: { [name: string]: Stats.Figure } = {}
  const rates = (id: RivalId): Stats.ByProcess => Rounds.rates(measured, id, each(id))
  const cpu = (id: RivalId): Stats.ByProcess => Rounds.cpuOfOne(measured, id, each(id))
  const ids = [...measured.keys()]
  for (const id of ids) {
    figures[Findings.named(`${what}, ${unit}s/s`, id)] = Stats.ofProcesses(rates(id))
    figures[Findings.named(`${what}, cpu us/${unit}`, id)] = Stats.ofProcesses(cpu(id))
    const twin = twinOf(id)
    if (twin === undefined || !measured.has(twin)) continue
    figures[Findings.against(what, id, twin)] = Stats.ratioOfProcesses(rates(id), rates(twin))
    figures[Findings.against(`${what}, cpu us/${unit}`, id, twin)] = Stats.ratioOfProcesses(
      cpu(id),
      cpu(twin)
    )
  }
  for (const [our, id] of subject.pairs ?? allPairs(ours, ids)) {
    if (!measured.has(our) || !measured.has(id)) continue
    figures[Findings.against(what, our, id)] = Stats.ratioOfProcesses(rates(our), rates(id))
    figures[Findings.against(Findings.byCpu(what), our, id)] = Stats.ratioOfProcesses(cpu(id), cpu(our))
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

/** What the clients are compared to by throughput and by processor time: ours with Effect, with promises and on Effect 4. */
const comparing = ({ ours = defaults }: Subject): ReadonlyArray<RivalId> =>
  ours.filter((id) => id !== "ours-4-promise")

/** The processor time of a client, and the ratios of ours to it. */
export const comparingCells = (subject: Subject): ReadonlyArray<Cell> => {
  const { unit, what } = subject
  return [
    cell(
      (id) => Findings.named(`${what}, cpu us/${unit}`, id),
      ({ median }) => Print.short(median)
    ),
    ...comparing(subject).flatMap((our) => [
      cell((id) => Findings.against(what, our, id), Print.times),
      cell((id) => Findings.against(Findings.byCpu(what), our, id), Print.times)
    ])
  ]
}

/** The columns of {@link comparingCells}. */
export const comparingColumns = (subject: Subject): ReadonlyArray<string> => [
  "cpu us each",
  ...comparing(subject).flatMap((our) => [`${all[our].title} against it`, "by cpu"])
]
