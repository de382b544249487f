/**
 * Schemas and decoders by the status of a response. An exact status comes before its range, and a range before
 * `default`.
 */
import { type InvalidInput, invalid } from "../shared/invalid.js"

/** A hundred of statuses, such as all of 400 to 499. */
export type Range = "2xx" | "3xx" | "4xx" | "5xx"

/** Values by status. */
export type ByStatus<A> = {
  readonly [status: number]: A
  readonly "2xx"?: A
  readonly "3xx"?: A
  readonly "4xx"?: A
  readonly "5xx"?: A
  readonly default?: A
}

/** The names that {@link ByStatus} has. A literal with another one does not compile. */
export type Names = number | keyof ByStatus<unknown>

/** Nothing for any status. */
export const none: ByStatus<never> = {}

const ranges: ReadonlyArray<string> = ["2xx", "3xx", "4xx", "5xx"]

const rangeOf = (status: number): Range | undefined => {
  const range = ranges[Math.floor(status / 100) - 2]
  return range as Range | undefined
}

/** How exactly a status is named: 3 by itself, 2 by its range, 1 by `default`, 0 not at all. */
export const rank = (values: ByStatus<unknown>, status: number): 0 | 1 | 2 | 3 => {
  if (values === none) return 0
  if (values[status] !== undefined) return 3
  const range = rangeOf(status)
  if (range !== undefined && values[range] !== undefined) return 2
  return values.default === undefined ? 0 : 1
}

/** All values for a status, the most exact first. */
export const all = <A>(values: ByStatus<A>, status: number): ReadonlyArray<A> => {
  if (values === none) return []
  const range = rangeOf(status)
  const found = [values[status], range === undefined ? undefined : values[range], values.default]
  return found.filter((value) => value !== undefined)
}

/** The most exact value for a status. */
export const find = <A>(values: ByStatus<A>, status: number): A | undefined => all(values, status)[0]

/** All values. */
export const values = <A>(byStatus: ByStatus<A>): ReadonlyArray<A> =>
  entries<A>(byStatus).map(([, value]) => value)

/** The same statuses with other values. */
export const map = <A, B>(byStatus: ByStatus<A>, f: (value: A) => B): ByStatus<B> =>
  Object.fromEntries(entries<A>(byStatus).map(([name, value]) => [name, f(value)]))

const entries = <A>(byStatus: {
  readonly [name: string]: A | undefined
}): ReadonlyArray<readonly [string, A]> =>
  Object.entries(byStatus).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))

/** The first name that is no status, or the first value that fails a check. */
export const problem = (
  byStatus: object,
  isFit: (value: unknown) => boolean,
  must: string
): InvalidInput | undefined => {
  for (const [name, value] of Object.entries(byStatus)) {
    if (value === undefined) continue
    const status = Number(name)
    const isStatus = Number.isInteger(status) && status >= 100 && status <= 599
    if (!isStatus && name !== "default" && !ranges.includes(name))
      return invalid(name, "must be a status, such as 404, a range, such as 4xx, or default")
    if (!isFit(value)) return invalid(name, must)
  }
  return undefined
}
