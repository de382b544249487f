/** The verdicts on the figures that `--check` requires. */
import type { Findings, Table } from "./Findings.js"
import { type Bound, type Threshold, thresholds } from "./floors.js"
import { short } from "./print.js"

export interface Verdict {
  readonly threshold: Threshold
  /** Missing if the part that measures it did not run. */
  readonly measured: number | undefined
  readonly cpu: number | undefined
  readonly holds: boolean
}

const within = (value: number, { limit }: Bound): boolean =>
  "atLeast" in limit ? value >= limit.atLeast : value <= limit.atMost

export const verdicts = (figures: Findings["figures"]): ReadonlyArray<Verdict> =>
  thresholds.map((threshold) => {
    const measured = figures[threshold.measure.figure]?.median
    const cpu = threshold.cpu && figures[threshold.cpu.figure]?.median
    const holds =
      measured !== undefined &&
      within(measured, threshold.measure) &&
      (threshold.cpu === undefined || (cpu !== undefined && within(cpu, threshold.cpu)))
    return { threshold, measured, cpu, holds }
  })

const format = (value: number, unit: Threshold["unit"]): string =>
  unit === "times"
    ? `${value.toFixed(2)}x`
    : unit === "KiB"
      ? `${(value / 1024).toFixed(1)} KiB`
      : short(value)

const limitOf = ({ limit }: Bound, unit: Threshold["unit"]): string =>
  "atLeast" in limit ? `at least ${format(limit.atLeast, unit)}` : `at most ${format(limit.atMost, unit)}`

/** The cells of a verdict: what it is about, each measurement beside its limit, and whether all hold. */
export const cellsOf = ({ cpu, holds, measured, threshold }: Verdict): ReadonlyArray<string> => {
  const { unit, what } = threshold
  return [
    what,
    measured === undefined ? "not run" : format(measured, unit),
    limitOf(threshold.measure, unit),
    cpu === undefined ? "" : format(cpu, unit),
    threshold.cpu === undefined ? "" : limitOf(threshold.cpu, unit),
    measured === undefined ? "" : holds ? "ok" : "MISSED"
  ]
}

export const verdictTable = (verdicts: ReadonlyArray<Verdict>): Table => ({
  title: "Thresholds",
  columns: ["", "measured", "must be", "by cpu", "must be", ""],
  rows: verdicts.map(cellsOf)
})
