/**
 * What may be shown. A secret is hidden because it is a `Redacted`, wherever it stands or comes back; some headers and
 * query parameters are hidden by their name as well.
 *
 * @since 0.1.0
 */
import { Predicate, Redacted } from "effect"

/**
 * What stands where a secret was.
 *
 * @since 0.1.0
 * @category models
 */
export const hidden = "<redacted>"

/**
 * Headers whose values are hidden whatever they hold, in lower case.
 *
 * @since 0.1.0
 * @category tables
 */
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

/**
 * Query parameters whose values are hidden whatever they hold, in lower case: keys and the signatures of presigned URLs.
 *
 * @since 0.1.0
 * @category tables
 */
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
 * Shows text, headers, URLs and parsed JSON with the secrets taken out. Of a text that was cut off, a secret's start at the
 * end goes too.
 *
 * @since 0.1.0
 * @category models
 */
export interface Redactor {
  readonly text: (text: string, options?: { readonly cut?: boolean | undefined }) => string
  readonly headers: (headers: Readonly<Record<string, string>>) => Record<string, string>
  readonly url: (url: string) => string
  readonly json: (value: unknown) => unknown
}

/**
 * The secret strings inside a value: every `Redacted` in it, however deep in objects of any class, arrays, maps and sets.
 * Of a `Redacted` that holds no string, every string and number in it is a secret.
 *
 * @since 0.1.0
 * @category constructors
 */
export const collect = (value: unknown, into: Set<string> = new Set()): Set<string> => {
  const seen = { open: new Set<object>(), secret: new Set<object>() }
  // No recursion: the value is the user's, as deep as it may be.
  const rest: Array<readonly [value: unknown, within: keyof typeof seen]> = [[value, "open"]]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [value, within] = next
    if (typeof value !== "object" || value === null) {
      if (within === "secret" && isText(value)) into.add(String(value))
    } else if (!seen[within].has(value)) {
      seen[within].add(value)
      if (Redacted.isRedacted(value)) rest.push([unwrap(value), "secret"])
      else for (const part of partsOf(value)) rest.push([part, within])
    }
  }
  return into
}

/**
 * A redactor for the given secrets, in every spelling a server or a library may send them back in: as they are,
 * percent-encoded, JSON-escaped, HTML-escaped and base64.
 *
 * @example
 * ```ts
 * import { Redaction } from "@effect-api/client"
 *
 * const redactor = Redaction.make({ secrets: ["s3cret"] })
 * console.log(redactor.text("token s3cret refused")) // token <redacted> refused
 * console.log(redactor.url("https://api.example.com/v1?api_key=abc&limit=5"))
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly secrets?: Iterable<string>
  readonly headerNames?: Iterable<string> | undefined
  readonly queryNames?: Iterable<string> | undefined
}): Redactor => {
  const spellings = [...new Set(Array.from(options.secrets ?? []).flatMap(secretsIn))]
    // The longest first: a secret inside another must not break the longer one up.
    .sort((a, b) => b.length - a.length)
    .flatMap((secret) => [spell(secret), ...spellBase64(secret)])
  const hiddenHeaders = union(headerNames, options.headerNames)
  const hiddenQuery = union(queryNames, options.queryNames)

  const text: Redactor["text"] = (text, { cut = false } = {}) =>
    spellings.reduce((text, spelling) => hide(text, spelling, cut), text)

  const headers = (headers: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        hiddenHeaders.has(name.toLowerCase()) ? hidden : text(value)
      ])
    )

  const url = (url: string): string => {
    const [beforeFragment = ""] = url.split("#", 1)
    const [path = "", ...rest] = beforeFragment.split("?")
    const shown = text(path.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, "$1"))
    if (rest.length === 0) return shown
    const pairs = rest.join("?").split("&")
    return `${shown}?${pairs.map((pair) => (hiddenQuery.has(nameOf(pair)) ? `${pair.split("=", 1)[0]}=${hidden}` : text(pair))).join("&")}`
  }

  const json = (value: unknown): unknown => {
    if (typeof value === "string") return text(value)
    if (typeof value === "number") return text(String(value)) === String(value) ? value : hidden
    if (Array.isArray(value)) return value.map(json)
    if (isRecord(value))
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [text(key), json(inner)]))
    return value
  }

  return spellings.length === 0
    ? { text: (text) => text, headers, url, json: (value) => value }
    : { text, headers, url, json }
}

/** A secret that was wiped has nothing left to hide. */
const unwrap = (redacted: Redacted.Redacted<unknown>): unknown => {
  try {
    return Redacted.value(redacted)
  } catch {
    return ""
  }
}

const isText = (value: unknown): boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "bigint"

const partsOf = (value: object): Iterable<unknown> =>
  value instanceof Map
    ? [...value.keys(), ...value.values()]
    : value instanceof Set
      ? value
      : value instanceof Date
        ? [value.toJSON()]
        : ArrayBuffer.isView(value)
          ? []
          : Object.values(value)

/** What is secret in a string: all but the space around it, which headers lose, and the scheme before a token. */
const secretsIn = (text: string): ReadonlyArray<string> => {
  const secret = text.trim()
  if (secret === "") return []
  const bare = /^[A-Za-z]+ (\S+)$/.exec(secret)?.[1]
  return bare === undefined ? [secret] : [secret, bare]
}

/** A secret as a row of parts, each with the ways to write it. */
type Spelling = ReadonlyArray<ReadonlyArray<string>>

/** Letters, digits and these no encoder touches. Of the rest each escapes what it likes, so each stands for itself. */
const plain = /^[\w.-]+$/

const spell = (secret: string): Spelling =>
  (secret.match(/[\w.-]+|[\s\S]/gu) ?? []).map((part) => (plain.test(part) ? [part] : waysToWrite(part)))

/** Shorter than this, a base64 without its edges would be found in any text. */
const leastBase64 = 6

/** The base64 of a secret, alone or somewhere inside a longer text: in one of three places of a triple it begins. */
const spellBase64 = (secret: string): ReadonlyArray<Spelling> => {
  const bytes = new TextEncoder().encode(secret)
  if (bytes.length < leastBase64) return []
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")
  return [0, 1, 2].map((before) => {
    const encoded = btoa("\0".repeat(before) + binary)
    // Without the letters that hold bits of a neighbour, and without the padding, which may be missing.
    const own = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    return (own.match(/\w+|\W/g) ?? []).map((part) =>
      plain.test(part) ? [part] : [part === "+" ? "-" : "_", ...waysToWrite(part)]
    )
  })
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0")

const percent = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => `%${hex(byte, 2)}`).join("")

const unicode = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${hex(text.charCodeAt(at), 4)}`).join("")

/** What encoders do to a text. Letters of escapes are in either case. */
const encoders: ReadonlyArray<(text: string) => string> = [
  (text) => text.replace(/[^\w.~!*'()-]/gu, percent),
  (text) => text.replace(/[^\w.*-]/gu, (char) => (char === " " ? "+" : percent(char))),
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/").replace(/[^\0-\x7f]/g, unicode),
  (text) => text.replace(/[&<>"']/g, (char) => entities[char] ?? char)
]

/** What they do to a single character on top of that, where they mean it. */
const escapes = (char: string): ReadonlyArray<string> => {
  const code = char.codePointAt(0) ?? 0
  const numbers = [`&#${code};`, `&#x${hex(code, 1)};`, `&#x${hex(code, 2)};`, char === "'" ? "&apos;" : char]
  return [char, percent(char), unicode(char), ...numbers]
}

const upperCase = (way: string): string =>
  way.replace(/(%|\\u|&#x)([0-9a-f]+)/g, (_, start: string, digits: string) => start + digits.toUpperCase())

const known = new Map<string, ReadonlyArray<string>>()

/** A character as it is, encoded, and encoded twice: as a link inside a link has it, or JSON inside a form. */
const waysToWrite = (char: string): ReadonlyArray<string> => {
  const made = known.get(char)
  if (made !== undefined) return made
  const encode = (way: string): ReadonlyArray<string> => encoders.map((encoder) => encoder(way))
  const both = (ways: ReadonlyArray<string>): ReadonlyArray<string> => [
    ...new Set(ways.flatMap((way) => [way, upperCase(way)]))
  ]
  const once = both([...escapes(char), ...encode(char)])
  const ways = both([...once, ...once.flatMap(encode)])
  known.set(char, ways)
  return ways
}

/** Where a spelling that begins here ends. Where the text is cut, its end may be in the middle. */
const endOf = (text: string, spelling: Spelling, start: number, cut: boolean): number | undefined => {
  let ends = [start]
  for (const part of spelling) {
    const next = new Set<number>()
    for (const end of ends) {
      for (const way of part) {
        if (text.startsWith(way, end)) next.add(end + way.length)
        else if (cut && way.startsWith(text.slice(end))) return text.length
      }
    }
    if (next.size === 0) return undefined
    ends = [...next]
  }
  return Math.max(...ends)
}

const hide = (text: string, spelling: Spelling, cut: boolean): string => {
  const first = spelling[0] ?? []
  const lastStart = text.length - (cut ? Math.max(...first.map((way) => way.length)) : 0)
  // Where each way to write the first part comes next: looked for again only when passed, so a text is read once.
  const next = first.map(() => -1)
  let shown = ""
  let done = 0
  for (let at = 0; ; ) {
    for (const [index, way] of first.entries()) {
      const found = next[index] ?? -1
      if (found < at) {
        const again = text.indexOf(way, at)
        next[index] = again < 0 ? Number.POSITIVE_INFINITY : again
      }
    }
    at = Math.min(...next, cut ? Math.max(at, lastStart) : Number.POSITIVE_INFINITY)
    if (at >= text.length) return shown + text.slice(done)
    const end = endOf(text, spelling, at, cut)
    if (end === undefined) {
      at++
    } else {
      shown += text.slice(done, at) + hidden
      done = at = end
    }
  }
}

const nameOf = (pair: string): string => {
  const name = pair.split("=", 1)[0] ?? ""
  try {
    return decodeURIComponent(name).toLowerCase()
  } catch {
    return name.toLowerCase()
  }
}

const union = (names: ReadonlySet<string>, more: Iterable<string> | undefined): ReadonlySet<string> =>
  more === undefined ? names : new Set([...names, ...Array.from(more, (name) => name.toLowerCase())])

const isRecord = (value: unknown): value is Record<string, unknown> => {
  if (!Predicate.isRecord(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
