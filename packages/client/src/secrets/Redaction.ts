/**
 * Redaction. A secret is hidden because it is a `Redacted`, wherever it is or comes back. Some headers and query
 * parameters are hidden by their name as well.
 */
import * as Redacted from "effect/Redacted"
import { isPlainObject } from "../shared/isPlainObject.js"
import * as Scan from "./secretScan.js"

/** The text in place of a secret. */
export const hidden = "<redacted>"

/** Headers whose values are always hidden, in lower case. */
export const headerNames: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "api-key",
  "x-api-key",
  "x-goog-api-key",
  "x-amz-security-token"
])

/** Query parameters whose values are always hidden, in lower case: keys, and signatures of presigned URLs. */
export const queryNames: ReadonlySet<string> = new Set([
  "access_token",
  "api_key",
  "api-key",
  "apikey",
  "client_secret",
  "key",
  "password",
  "sig",
  "signature",
  "token",
  "x-amz-credential",
  "x-amz-security-token",
  "x-amz-signature",
  "x-goog-signature"
])

/**
 * Shows text, headers, URLs and parsed JSON without secrets. In a text that was cut, the start of a secret at the end
 * is hidden too.
 */
export interface Redactor {
  readonly text: (text: string, options?: { readonly cut?: boolean | undefined }) => string
  readonly headers: (headers: Readonly<Record<string, string>>) => Record<string, string>
  readonly url: (url: string) => string
  /** Whether the value of a header is a secret, or holds one. */
  readonly hidesHeader: (name: string, value: string) => boolean
  /** Whether a query, encoded as in a URL, holds a secret. */
  readonly hidesQuery: (query: string) => boolean
  readonly json: (value: unknown) => unknown
}

/**
 * The secret strings inside a value: every `Redacted` in it, at any depth of objects, arrays, maps and sets. In a
 * `Redacted` that holds no string, every string and number is a secret.
 */
export const collect = (value: unknown, into: Set<string> = new Set()): Set<string> => {
  if (typeof value !== "object" || value === null) return into
  const seen = { open: new Set<object>(), secret: new Set<object>() }
  // No recursion: the user's value may be of any depth.
  const rest: Array<readonly [value: unknown, within: keyof typeof seen]> = [[value, "open"]]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [value, within] = next
    if (typeof value !== "object" || value === null) {
      if (within === "secret" && isText(value)) into.add(String(value))
    } else if (!seen[within].has(value)) {
      seen[within].add(value)
      if (isSecret(value)) rest.push([unwrap(value), "secret"])
      else for (const part of partsOf(value)) rest.push([part, within])
    }
  }
  return into
}

/**
 * Makes a redactor for the given secrets, in every encoding in which a server or a library may send them back: as
 * they are, percent-encoded, JSON-escaped, HTML-escaped and base64.
 *
 * @example
 * ```js
 * const redactor = Redaction.make({ secrets: ["s3cret"] })
 * console.log(redactor.text("token s3cret refused")) // token <redacted> refused
 * console.log(redactor.url("https://api.example.com/v1?api_key=abc&limit=5"))
 * ```
 */
export const make = (options: {
  /** The secrets to hide, in all encodings. */
  readonly secrets?: Iterable<string>
  /** Headers to hide besides {@link headerNames}. */
  readonly headerNames?: Iterable<string> | undefined
  /** Query parameters to hide besides {@link queryNames}. */
  readonly queryNames?: Iterable<string> | undefined
}): Redactor => {
  const secrets = new Set(Array.from(options.secrets ?? []).flatMap(secretsIn))
  // Built when the first text is redacted.
  let patterns: Scan.Patterns | undefined
  const hiddenHeaders = union(headerNames, options.headerNames)
  const hiddenQuery = union(queryNames, options.queryNames)

  const hide = (text: string, cut: boolean, meter: Scan.Meter): string => {
    if (secrets.size === 0) return text
    patterns ??= patternsOf(secrets)
    return Scan.hide(text, patterns, hidden, cut, meter)
  }

  const text: Redactor["text"] = (text, options) =>
    secrets.size === 0 ? text : hide(text, options?.cut === true, { left: Scan.allowance(text.length) })

  const header = (name: string, value: string): string =>
    hiddenHeaders.has(name.toLowerCase()) ? hidden : pairsIn(text(value))

  /** A header may hold URLs, such as `location` and `link`. */
  const pairsIn = (text: string): string =>
    text.includes("?") ? text.replace(pairs, (pair) => (isHidden(pair) ? hiddenPair(pair) : pair)) : text

  const isHidden = (pair: string): boolean => namesOf(pair).some((name) => hiddenQuery.has(name))

  const headers = (headers: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, header(name, value)]))

  const hidesHeader = (name: string, value: string): boolean => header(name, value) !== value

  const pair = (pair: string): string => (isHidden(pair) ? hiddenPair(pair) : text(pair))

  const query = (query: string): string => query.split("&").map(pair).join("&")

  const hidesQuery = (text: string): boolean => query(text) !== text

  const url = (url: string): string => {
    // Most have no query, and every span shows one.
    if (!/[?#@]/.test(url)) return text(url)
    const [beforeFragment = ""] = url.split("#", 1)
    const [path = "", ...rest] = beforeFragment.split("?")
    const shown = text(path.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, "$1"))
    return rest.length === 0 ? shown : `${shown}?${query(rest.join("?"))}`
  }

  const json = (value: unknown): unknown => {
    const meter: Scan.Meter = { left: Scan.allowance(0) }
    const shown = (text: string): string => {
      meter.left += Scan.allowance(text.length) - Scan.allowance(0)
      return hide(text, false, meter)
    }
    const walk = (value: unknown, depth: number): unknown => {
      if (typeof value === "string") return shown(value)
      if (typeof value === "number") return shown(String(value)) === String(value) ? value : hidden
      const isList = Array.isArray(value)
      if (!isList && !isPlainObject(value)) return value
      if (depth === maxDepth) return hidden
      if (isList) return value.map((inner) => walk(inner, depth + 1))
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [shown(key), walk(inner, depth + 1)])
      )
    }
    return secrets.size === 0 ? value : walk(value, 0)
  }

  return { text, headers, url, hidesHeader, hidesQuery, json }
}

let last: { readonly key: string; readonly patterns: Scan.Patterns } | undefined

/** Cached, because consecutive calls have the same secrets. */
const patternsOf = (secrets: ReadonlySet<string>): Scan.Patterns => {
  const key = [...secrets].join("\0")
  if (last?.key !== key || key.length > longestKept) last = { key, patterns: new Scan.Patterns(secrets) }
  return last.patterns
}

/** The cache stays small, with everything learned about its patterns. */
const longestKept = 1024

/** Deeper than the responses of APIs, and far from the end of the stack. */
const maxDepth = 1000

/** A `Proxy` may throw. */
const isSecret = (value: object): value is Redacted.Redacted<unknown> => {
  try {
    return Redacted.isRedacted(value)
  } catch {
    return false
  }
}

/** A wiped secret has nothing left to hide. */
const unwrap = (redacted: Redacted.Redacted<unknown>): unknown => {
  try {
    return Redacted.value(redacted)
  } catch {
    return undefined
  }
}

const isText = (value: unknown): boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "bigint"

/** A value whose getter throws cannot be sent either. */
const partsOf = (value: object): Iterable<unknown> => {
  try {
    return readParts(value)
  } catch {
    return []
  }
}

const readParts = (value: object): Iterable<unknown> => {
  if (value instanceof Map) return [...value.keys(), ...value.values()]
  if (value instanceof Set) return value
  if (ArrayBuffer.isView(value)) return []
  const parts: Array<unknown> = Object.values(value)
  // An encoder calls it: of a URL, or of a class that keeps its secrets in private fields.
  if (hasToJSON(value)) parts.push(jsonOf(value))
  return parts
}

interface WithToJSON {
  readonly toJSON: (key: string) => unknown
}

const hasToJSON = (value: object): value is WithToJSON =>
  "toJSON" in value && typeof value.toJSON === "function"

const jsonOf = (value: WithToJSON): unknown => {
  try {
    return value.toJSON("")
  } catch {
    return undefined
  }
}

/** A secret known only by its name counts from this length on: shorter ones occur in any text. */
const leastNamed = 6

/** The headers to hide, in lower case: {@link headerNames} and more. */
export const hiddenHeaders = (more: Iterable<string> | undefined): ReadonlySet<string> =>
  union(headerNames, more)

/** The values of headers that are always hidden: each is a secret, whoever set it. Each value of a cookie is one. */
export const named = (
  headers: Readonly<Record<string, string | null>>,
  names: ReadonlySet<string>
): ReadonlyArray<string> => {
  const found: Array<string> = []
  // A request sets fewer headers than there are names.
  for (const name of Object.keys(headers))
    if (names.has(name)) found.push(...secretsOfHeader(name, headers[name] ?? ""))
  return found
}

const secretsOfHeader = (name: string, value: string): ReadonlyArray<string> => {
  const basic = /^basic +([\w+/=-]+)$/i.exec(value)?.[1]
  const secrets =
    basic !== undefined
      ? [value, ...passwordIn(basic)]
      : name.endsWith("cookie")
        ? value.split(";").map((pair) => pair.slice(pair.indexOf("=") + 1).trim())
        : [value]
  return secrets.filter((secret) => secret.length >= leastNamed)
}

/** RFC 7617. */
const passwordIn = (encoded: string): ReadonlyArray<string> => {
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0))
    const pair = new TextDecoder().decode(bytes)
    return [pair, pair.slice(pair.indexOf(":") + 1)]
  } catch {
    return []
  }
}

/**
 * The secrets of a string: the trimmed text, because headers lose the space; the token after a scheme; the password
 * of a URL.
 */
const secretsIn = (text: string): ReadonlyArray<string> => {
  const secret = text.trim()
  if (secret === "") return []
  const token = /^[A-Za-z]+ (\S+)$/.exec(secret)?.[1]
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/:@\s]*:([^/@\s]+)@/i.exec(secret)?.[1]
  return [secret, token, password === undefined ? undefined : decoded(password)].filter(
    (text) => text !== undefined
  )
}

/** The name of a parameter; of one with brackets or dots, as of lists and objects, each part as well. */
const namesOf = (pair: string): ReadonlyArray<string> => {
  const name = decoded(pair.split("=", 1)[0] ?? "").toLowerCase()
  return /[[.]/.test(name) ? [name, ...name.split(/[[\].]+/)] : [name]
}

/** Parameters in the query of a URL in a text. */
const pairs = /(?<=[?&])[^?&#=\s"'<>]+=[^&#\s"'<>]*/g

const hiddenPair = (pair: string): string => `${pair.split("=", 1)[0]}=${hidden}`

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const union = (names: ReadonlySet<string>, more: Iterable<string> | undefined): ReadonlySet<string> =>
  more === undefined ? names : new Set([...names, ...Array.from(more, (name) => name.toLowerCase())])
