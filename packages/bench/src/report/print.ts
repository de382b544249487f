/** Numbers and tables as text. */
import type { Table } from "./Findings.js"
import type { Figure } from "./stats.js"

/** Three significant digits. */
export const short = (value: number): string =>
  Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en-US")
    : value.toLocaleString("en-US", { maximumSignificantDigits: 3 })

export const withSpread = ({ max, median, min }: Figure): string =>
  `${short(median)} (${short(min)}..${short(max)})`

export const times = (figure: Figure): string => {
  const digits = (value: number): string => value.toFixed(2)
  return `${digits(figure.median)}x (${digits(figure.min)}..${digits(figure.max)})`
}

/** The first column is left-aligned, the others right-aligned. */
export const table = ({ columns, notes = [], rows, title }: Table): string => {
  const lines = [columns, ...rows]
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)))
  const line = (cells: ReadonlyArray<string>): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
      )
      .join("  ")
      .trimEnd()
  return [title, "", ...lines.map(line), ...notes.map((note) => `  ${note}`), ""].join("\n")
}
