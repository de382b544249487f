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

/** The figure of a single number. */
export const exactly = (value: number): Figure => ({ median: value, min: value, max: value })

/** The figure of a ratio, taken round by round because a disturbance affects both sides. */
export const ratio = (values: ReadonlyArray<number>, over: ReadonlyArray<number>): Figure =>
  figure(values.map((value, round) => value / (over[round] ?? Number.NaN)))
