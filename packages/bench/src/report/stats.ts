/** Medians with their spread. */

/** The median of several measurements, and their range. */
export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const figure = (values: ReadonlyArray<number>): Figure => {
  if (values.length === 0) throw new Error("there are no measurements")
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1)
  }
}

const median = (values: ReadonlyArray<number>): number => figure(values).median

/** Measurements process by process, and in each process round by round. */
export type ByProcess = ReadonlyArray<ReadonlyArray<number>>

/** Each process counts by the median of its rounds. So the range shows how much processes of one program differ. */
export const ofProcesses = (processes: ByProcess): Figure => figure(processes.map(median))

/**
 * Each process beside each process of the other, round by round. One unlucky process of three takes part in three of nine ratios,
 * so the median does not depend on it. The median does not depend on a machine that slows down either: it makes one ratio higher
 * and its counterpart lower.
 */
export const ratioOfProcesses = (processes: ByProcess, over: ByProcess): Figure =>
  figure(processes.flatMap((values) => over.map((others) => ratio(values, others).median)))

/** The figure of a single number. */
export const exactly = (value: number): Figure => ({ median: value, min: value, max: value })

/** The figure of a ratio, taken round by round because a disturbance affects both sides. */
export const ratio = (values: ReadonlyArray<number>, over: ReadonlyArray<number>): Figure =>
  figure(values.map((value, round) => value / (over[round] ?? Number.NaN)))
