/** Medians with their spread. */

/** What several measurements say: the middle, and how far they lie apart. */
export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const figure = (values: ReadonlyArray<number>): Figure => {
  if (values.length === 0) throw new Error("nothing was measured")
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1)
  }
}

/** A number that was not measured several times. */
export const exactly = (value: number): Figure => ({ median: value, min: value, max: value })

/** The figure of a ratio: round by round, since what disturbs a round disturbs both. */
export const ratio = (values: ReadonlyArray<number>, over: ReadonlyArray<number>): Figure =>
  figure(values.map((value, round) => value / (over[round] ?? Number.NaN)))
