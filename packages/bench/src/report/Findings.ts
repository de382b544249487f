/** The findings of a part: tables to print, and figures by name. */
import type { Figure } from "./stats.js"

export interface Table {
  readonly title: string
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
  readonly notes?: ReadonlyArray<string>
}

export interface Findings {
  readonly tables: ReadonlyArray<Table>
  readonly figures: { readonly [name: string]: Figure }
  /** Results that are saved in files of their own, by name. */
  readonly files?: { readonly [name: string]: object }
}

/** The name of a figure: its measurement and its rival. */
export const named = (what: string, rival: string): string => `${what}, ${rival}`

/** The name of a ratio. */
export const against = (what: string, rival: string, other: string): string => `${what}, ${rival} : ${other}`

/** The name of a measurement's ratios by processor time. */
export const byCpu = (what: string): string => `${what}, by cpu`
