/** What a schema finds wrong, cut down to what somebody reads: Effect's formatters print whole values, once for each issue. */
import * as ParseResult from "effect/ParseResult"
import { isPlainObject } from "../shared/isPlainObject.js"
import { clipped } from "../shared/shownText.js"

const maxIssues = 50
const maxString = 500
/** Of a list or an object that is longer. */
const maxEntries = 8
const maxDepth = 4

/** The first issues of a tree, with values that are short. */
export const boundedIssue = (issue: ParseResult.ParseIssue): ParseResult.ParseIssue => {
  let left = maxIssues
  const copy = (issue: ParseResult.ParseIssue): ParseResult.ParseIssue => {
    left--
    const actual = short(issue.actual)
    switch (issue._tag) {
      case "Type":
        return new ParseResult.Type(issue.ast, actual, shortMessage(issue.message))
      case "Forbidden":
        return new ParseResult.Forbidden(issue.ast, actual, shortMessage(issue.message))
      case "Unexpected":
        return new ParseResult.Unexpected(actual, shortMessage(issue.message))
      case "Missing":
        return issue
      case "Pointer":
        return new ParseResult.Pointer(shortPath(issue.path), actual, copy(issue.issue))
      case "Refinement":
        return new ParseResult.Refinement(issue.ast, actual, issue.kind, copy(issue.issue))
      case "Transformation":
        return new ParseResult.Transformation(issue.ast, actual, issue.kind, copy(issue.issue))
      case "Composite": {
        const [first, ...rest] = Array.isArray(issue.issues) ? issue.issues : [issue.issues]
        const issues: [ParseResult.ParseIssue, ...Array<ParseResult.ParseIssue>] = [copy(first)]
        for (const inner of rest) if (left > 0) issues.push(copy(inner))
        return new ParseResult.Composite(issue.ast, actual, issues)
      }
    }
  }
  return copy(issue)
}

const shortMessage = (message: string | undefined): string | undefined =>
  message === undefined ? undefined : clipped(message, maxString)

const shortPath = (path: ParseResult.Path): ParseResult.Path => {
  const short = (key: PropertyKey): PropertyKey => (typeof key === "string" ? clipped(key, maxString) : key)
  if (typeof path !== "object") return short(path)
  const [first, ...rest] = path
  return [short(first), ...rest.map(short)]
}

/** The value itself where it is short, else one that is like it. */
const short = (value: unknown): unknown => (isShort(value) ? value : shortened(value, 0))

/** Whether a value has few parts, and all of its text is short. */
const isShort = (root: unknown): boolean => {
  let length = 0
  let depth = 0
  for (let level: ReadonlyArray<unknown> = [root]; level.length > 0; depth++) {
    const next: Array<unknown> = []
    for (const value of level) {
      length += typeof value === "string" ? value.length : 4
      if (isListed(value)) for (const key in value) next.push(key, (value as Record<string, unknown>)[key])
      if (length + next.length > maxString) return false
    }
    level = next
  }
  return depth <= maxString
}

const isListed = (value: unknown): value is object =>
  typeof value === "object" &&
  value !== null &&
  (Array.isArray(value) || isPlainObject(value) || Symbol.iterator in value)

const shortened = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") return clipped(value, maxString / maxEntries)
  if (typeof value !== "object" || value === null) return value
  if (!Array.isArray(value) && !isPlainObject(value)) return Symbol.iterator in value ? "…" : value
  if (depth === maxDepth) return "…"
  if (Array.isArray(value)) {
    const items = value.slice(0, maxEntries).map((item) => shortened(item, depth + 1))
    return value.length > maxEntries ? [...items, "…"] : items
  }
  const entries: Array<readonly [string, unknown]> = []
  for (const key in value) {
    if (entries.length === maxEntries) break
    entries.push([clipped(key, maxString / maxEntries), shortened(value[key], depth + 1)])
  }
  return Object.fromEntries(entries)
}
