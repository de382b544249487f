/** Values cut down to what somebody reads. */
import { isObject, isPlainObject } from "./isPlainObject.js"
import { clipped } from "./shownText.js"

/** The longest text of a value that is shown. */
export const maxString = 500
/** Of a list or an object that is longer. */
const maxEntries = 8
const maxDepth = 4

/** The value itself where it is short, else one that is like it. */
export const shortValue = (value: unknown): unknown => (isShort(value) ? value : shortened(value, 0))

/** Whether a value has few parts, and all of its text is short. */
const isShort = (root: unknown): boolean => {
  let length = 0
  let depth = 0
  for (let level: ReadonlyArray<unknown> = [root]; level.length > 0; depth++) {
    const next: Array<unknown> = []
    for (const value of level) {
      length += typeof value === "string" ? value.length : 4
      if (isListed(value)) for (const key in value) next.push(key, value[key])
      if (length + next.length > maxString) return false
    }
    level = next
  }
  return depth <= maxString
}

const isListed = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && (Array.isArray(value) || isPlainObject(value) || Symbol.iterator in value)

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
