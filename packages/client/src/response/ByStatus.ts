/**
 * Schemas and decoders by the status of a response. An exact status comes before its range, and a range before
 * `default`.
 */
import { type InvalidInput, invalid } from "../shared/invalid.js"

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

/** The names that stand for a status, the most exact first. */
const namesOf = (status: number): ReadonlyArray<string> => [
  String(status),
  `${Math.floor(status / 100)}xx`,
  "default"
]

const valueAt = <A>(values: ByStatus<A>, name: string): A | undefined => Reflect.get(values, name)

/** How exactly a status is named: 3 by itself, 2 by its range, 1 by `default`, 0 not at all. */
export const rank = (values: ByStatus<unknown>, status: number): number => {
  if (values === none) return 0
  const index = namesOf(status).findIndex((name) => valueAt(values, name) !== undefined)
  return index < 0 ? 0 : 3 - index
}

/** All values for a status, the most exact first. */
export const all = <A>(values: ByStatus<A>, status: number): ReadonlyArray<A> =>
  namesOf(status)
    .map((name) => valueAt(values, name))
    .filter((value) => value !== undefined)

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

const known = /^(?:[1-5]\d\d|[2-5]xx|default)$/

/** The first name that is no status, or the first value that fails a check. */
export const problem = (
  byStatus: object,
  isFit: (value: unknown) => boolean,
  must: string
): InvalidInput | undefined => {
  for (const [name, value] of Object.entries(byStatus)) {
    if (value === undefined) continue
    if (!known.test(name))
      return invalid(name, "must be a status, such as 404, a range, such as 4xx, or default")
    if (!isFit(value)) return invalid(name, must)
  }
  return undefined
}
