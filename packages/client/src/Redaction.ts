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
 * Shows text, headers, URLs and parsed JSON with the secrets taken out.
 *
 * @since 0.1.0
 * @category models
 */
export interface Redactor {
  readonly text: (text: string) => string
  readonly headers: (headers: Readonly<Record<string, string>>) => Record<string, string>
  readonly url: (url: string) => string
  readonly json: (value: unknown) => unknown
}

/**
 * The secret strings inside a value: every `Redacted` in it, however deep in plain objects and arrays. A `Redacted` that
 * holds no string hides its JSON.
 *
 * @since 0.1.0
 * @category constructors
 */
export const collect = (value: unknown, into: Set<string> = new Set()): Set<string> => {
  const seen = new Set<object>()
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return
    seen.add(value)
    if (Redacted.isRedacted(value)) {
      const secret = unwrap(value)
      into.add(typeof secret === "string" ? secret : (JSON.stringify(secret) ?? ""))
    } else if (Array.isArray(value) || isRecord(value)) {
      for (const inner of Object.values(value)) walk(inner)
    }
  }
  walk(value)
  return into
}

/**
 * A redactor for the given secrets, in every spelling a server or a library may send them back in: as they are,
 * percent-encoded, JSON-escaped and base64.
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
  const spellings = [...new Set(Array.from(options.secrets ?? []).flatMap(spell))]
    .filter((spelling) => spelling.trim() !== "")
    // The longest first: a secret inside another must not break the longer one up.
    .sort((a, b) => b.length - a.length)
  const hiddenHeaders = union(headerNames, options.headerNames)
  const hiddenQuery = union(queryNames, options.queryNames)

  const text = (text: string): string =>
    spellings.reduce((text, spelling) => text.replaceAll(spelling, hidden), text)

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

const spell = (secret: string): ReadonlyArray<string> => {
  // A scheme in front of a token (`Bearer abc`) is no secret, the token alone is.
  const bare = /^[A-Za-z]+ (\S+)$/.exec(secret)?.[1]
  return [secret, ...(bare === undefined ? [] : [bare])].flatMap((secret) => [
    secret,
    percent(secret),
    // A path segment keeps these as they are (RFC 3986, pchar).
    percent(secret).replace(/%(?:2[46BC]|3[ABD]|40)/g, decodeURIComponent),
    new URLSearchParams({ "": secret }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    base64(secret)
  ])
}

const percent = (secret: string): string => encodeURIComponent(secret.replace(/\p{Surrogate}/gu, "\uFFFD"))

const base64 = (secret: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(secret.slice(0, 4096))))

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
