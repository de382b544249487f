/**
 * The secrets of a response that its schema decodes to a `Redacted`. They are found by field name anywhere in a body,
 * because a body that does not fit its schema may have any shape.
 */
import type * as Schema from "effect/Schema"
import { memo } from "../shared/memo.js"
import type { Secrets } from "./knownSecrets.js"
import { secretsOf } from "./secretFields.js"

/**
 * Returns the strings and numbers of a body that must not be shown. `text` is the body or its start, `parsed` its
 * parsed value. Returns `undefined` if there are too many, and no part of the body may be shown.
 */
export type Finder = (text: string, parsed: unknown) => ReadonlySet<string> | undefined

/**
 * The finder of a schema's secrets. The schema is walked at the first use, because its references may be defined
 * later.
 */
export const finderOf: (schema: Schema.Schema.AnyNoContext) => Finder = memo(
  new WeakMap<Schema.Schema.AnyNoContext, Finder>(),
  (schema) => {
    let secrets: Secrets | undefined
    return (text, parsed) => {
      secrets ??= secretsOf(schema.ast)
      const { isSecret, names } = secrets
      const found = new Found()
      if (!isSecret && names.size === 0) return found.texts
      inValue(found, names, isSecret, parsed)
      inText(found, names, isSecret, text.slice(0, maxSearched))
      return found.isFull ? undefined : found.texts
    }
  }
)

/** Combines several finders. */
export const combined = (all: Iterable<Finder | undefined>): Finder | undefined => {
  const finders = Array.from(all).filter((finder) => finder !== undefined)
  if (finders.length === 0) return undefined
  return (text, parsed) => {
    const found = new Set<string>()
    for (const finder of finders) {
      const more = finder(text, parsed)
      if (more === undefined) return undefined
      for (const secret of more) found.add(secret)
    }
    return found
  }
}

interface Laden {
  readonly secrets?: Finder | undefined
}

/** The finder for all schemas of a request: a server may send their secrets with any status. */
export const ofRequest = (request: {
  readonly failure: { readonly [status: number]: Laden }
  readonly success?: Laden
  readonly events?: Laden
}): Finder | undefined =>
  combined([request.success, request.events, ...Object.values(request.failure)].map((part) => part?.secrets))

/** More than an error shows of a body. */
const maxSearched = 64 * 1024

/** Searching for more or longer secrets would take longer than an error is worth. */
const maxCount = 2_000
const maxLength = 256 * 1024

/** JSON keywords, which cannot be secrets. */
const isWord = /^(?:true|false|null)?$/

class Found {
  readonly texts = new Set<string>()
  private length = 0

  get isFull(): boolean {
    return this.texts.size > maxCount || this.length > maxLength
  }

  add(text: string): void {
    if (this.isFull || this.texts.has(text) || isWord.test(text)) return
    this.texts.add(text)
    this.length += text.length
  }
}

/** No recursion: the server decides how deep a body is. */
const inValue = (found: Found, names: ReadonlySet<string>, isSecret: boolean, root: unknown): void => {
  const rest: Array<readonly [value: unknown, isSecret: boolean]> = [[root, isSecret]]
  for (let next = rest.pop(); next !== undefined && !found.isFull; next = rest.pop()) {
    const [value, isSecret] = next
    if (typeof value === "object" && value !== null) {
      const isList = Array.isArray(value)
      for (const [key, inner] of Object.entries(value)) {
        if (isSecret || typeof inner === "object" || names.has(key))
          rest.push([inner, isSecret || (!isList && names.has(key))])
      }
    } else if (isSecret && (typeof value === "string" || typeof value === "number")) {
      found.add(String(value))
    }
  }
}

/** The strings, words and punctuation of JSON, valid or not; a string may lack its end. */
const token = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|[{}[\]:,]|[^\s"{}[\]:,]+/g

/** For a body that is truncated, or not JSON. */
const inText = (found: Found, names: ReadonlySet<string>, isSecret: boolean, text: string): void => {
  let depth = 0
  /** The depth of the secret value that contains the current position. */
  let secretFrom = isSecret ? 0 : Number.POSITIVE_INFINITY
  let last: string | undefined
  let isNamed = false
  const settle = (): void => {
    if (last !== undefined && (isNamed || depth >= secretFrom)) addToken(found, last)
    if (last !== undefined) isNamed = false
    last = undefined
  }
  for (const [part] of text.matchAll(token)) {
    if (found.isFull) return
    if (part === ":") {
      isNamed = last !== undefined && names.has(stringOf(last))
      last = undefined
      continue
    }
    settle()
    if (part === "{" || part === "[") {
      if (isNamed && depth < secretFrom) secretFrom = depth + 1
      isNamed = false
      depth++
    } else if (part === "}" || part === "]") {
      depth--
      if (depth < secretFrom && !isSecret) secretFrom = Number.POSITIVE_INFINITY
    } else if (part === ",") {
      isNamed = false
    } else {
      last = part
    }
  }
  settle()
  inPairs(found, names, text)
}

const addToken = (found: Found, part: string): void => {
  if (part.startsWith('"')) found.add(part.replace(/^"|"$/g, ""))
  found.add(stringOf(part))
}

const stringOf = (part: string): string => {
  if (!part.startsWith('"')) return part
  try {
    return String(JSON.parse(part.length > 1 && part.endsWith('"') ? part : `${part}"`))
  } catch {
    return part.slice(1)
  }
}

/** Forms, headers and XML: `name=value`, `name: value`, `<name>value</name>`. */
const inPairs = (found: Found, names: ReadonlySet<string>, text: string): void => {
  for (const name of names) {
    for (let at = text.indexOf(name); at >= 0 && !found.isFull; at = text.indexOf(name, at + 1)) {
      pair.lastIndex = at + name.length
      const value = pair.exec(text)?.[1]
      if (value !== undefined) found.add(value)
    }
    if (name === "") return
  }
}

const pair = /['"]?\s{0,8}[=:>]\s{0,8}['"]?([^\s"'&,;<>{}[\]]{1,4096})/y
