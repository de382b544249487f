/** Compares a run with what is declared and with the results that the documentation shows. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Result } from "../suite/suite.js"
import { type Difference, differences } from "./differences.js"

/** A row of the table: what a runtime came to over one transport. */
export interface Row {
  readonly runtime: string
  readonly version: string
  readonly transport: string
  /** How many checks there are in each area. */
  readonly areas: Readonly<Record<string, number>>
  readonly differs: ReadonlyArray<Pick<Difference, "title" | "why">>
  /** Instead of a run: how the transport states that it cannot send there. */
  readonly refuses?: string
}

const keyOf = ({ refuses, runtime, transport }: Pick<Row, "runtime" | "transport" | "refuses">): string =>
  `${runtime} over ${transport}${refuses === undefined ? "" : ", refused"}`

const declaredFor = (key: string): ReadonlyArray<Difference> => differences.filter(({ on }) => on.test(key))

/** The row of a run. */
export const rowOf = (runtime: string, version: string, transport: string, { outcomes }: Result): Row => {
  const declared = declaredFor(keyOf({ runtime, transport }))
  const areas: Record<string, number> = {}
  for (const { area } of outcomes) areas[area] = (areas[area] ?? 0) + 1
  const differs = outcomes
    .filter(({ problem }) => problem !== undefined)
    .map(({ title }) => ({
      title,
      why: declared.find((each) => each.title === title)?.why ?? "not declared"
    }))
  return { runtime, version, transport, areas, differs }
}

/** How many checks a row has. */
export const checksOf = ({ areas }: Row): number =>
  Object.values(areas).reduce((sum, count) => sum + count, 0)

/** What is not as declared: a difference that nobody declared, or a declared one that is gone. */
export const problemsOf = (row: Row, { outcomes }: Result, isPart: boolean): ReadonlyArray<string> => {
  const key = keyOf(row)
  const declared = declaredFor(key)
  const unexpected = outcomes.flatMap(({ area, problem, title }) => {
    const expected = declared.filter((difference) => difference.title === title)
    if (problem === undefined)
      return expected.map(({ title }) => `${key}: the declared difference is gone: ${title}`)
    return expected.some(({ seen }) => seen.test(problem)) ? [] : [`${key}: ${area}: ${title}: ${problem}`]
  })
  const titles = new Set(outcomes.map(({ title }) => title))
  const unknown = isPart ? [] : declared.filter(({ title }) => !titles.has(title))
  return [
    ...unexpected,
    ...unknown.map(({ title }) => `${key}: a difference is declared for a case that is not there: ${title}`)
  ]
}

const folder = fileURLToPath(new URL("../../results/", import.meta.url))
const path = `${folder}latest.json`

const stored = (): ReadonlyArray<Row> => (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).rows : [])

/** Without the version: a new release of a runtime that changes nothing makes no results stale. */
const claim = ({ version: _, ...row }: Row): string => JSON.stringify(row)

/** The rows that are not what the documentation shows. */
export const staleRows = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const known = new Map(stored().map((row) => [keyOf(row), row]))
  return rows.flatMap((row) => {
    const shown = known.get(keyOf(row))
    return shown !== undefined && claim(shown) === claim(row)
      ? []
      : [
          `${keyOf(row)}: is not in the table as it is now: "npm run runtimes -- --write", "npm run docs:generate"`
        ]
  })
}

/** Keeps the results that the table of the documentation is written from, in the order of the runtimes. */
export const writeResults = (rows: ReadonlyArray<Row>, order: ReadonlyArray<string>): void => {
  const all = new Map([...stored(), ...rows].map((row) => [keyOf(row), row]))
  const place = ({ runtime }: Row): number => order.indexOf(runtime)
  const sorted = Array.from(all.values())
    .filter((row) => place(row) >= 0)
    .sort((one, other) => place(one) - place(other))
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, `${JSON.stringify({ rows: sorted }, null, 2)}\n`)
}
