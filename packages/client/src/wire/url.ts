/**
 * Base URLs and path templates. One rule holds throughout: only the author of a base URL or a template decides where
 * a request goes. A value never adds a segment, never removes one, and never names a host.
 */

import type * as Redacted from "effect/Redacted"
import type { InvalidInput } from "../shared/invalid.js"
import { hasLoneSurrogate, invalid, loneSurrogate, scalarText } from "../shared/invalid.js"
import * as Result from "../shared/result.js"

/** The value of a placeholder. */
export type PathValue = string | number | bigint | boolean | Redacted.Redacted<string>

/** The values of a template's placeholders. */
export type PathParams = Readonly<Record<string, PathValue>>

/** A base URL, parsed once, so that a request is joined by concatenation. */
export interface BaseUrl {
  /** `https://api.example.com`, as `URL.origin` writes it. */
  readonly origin: string
  /** Origin and path, with a trailing slash. */
  readonly prefix: string
  /** The base URL's own query, encoded, without `?`. */
  readonly query: string
}

/** The target of a request. */
export interface ResolvedUrl {
  /** Without query and fragment. */
  readonly url: string
  /** The path's own query, encoded, without `?`. */
  readonly query: string
  readonly origin: string
  /** Whether credentials may be sent without `trustedOrigins`. */
  readonly sameOrigin: boolean
  /** An absolute URL replaced the base, and with it the base URL's query. */
  readonly absolute: boolean
}

/** WHATWG parsers drop tabs and newlines anywhere and read `\` as `/`: neither may reach one. */
const smuggling = /[\0-\x1f\x7f\\]/
const badSmuggling = "must not contain control characters or a backslash"
const badUserInfo = "must not contain a user name or password: secrets belong in credentials"

const fail = (reason: string, field = "path") => Result.fail(invalid(field, reason))

/** Why an absolute URL from elsewhere cannot be requested. */
export const absoluteProblem = (url: string): InvalidInput | undefined => {
  if (smuggling.test(url)) return invalid("url", badSmuggling)
  if (authorityOf(url) === "") return invalid("url", "must be an absolute http or https URL")
  const parsed = parseUrl(url, "url")
  return parsed.ok ? undefined : parsed.error
}

/** Parses an absolute http(s) URL. */
const parseUrl = (text: string, field?: string): Result.Result<URL, InvalidInput> => {
  if (!URL.canParse(text)) return fail("must be a URL that parses", field)
  return authorityOf(text).includes("@") ? fail(badUserInfo, field) : Result.succeed(new URL(text))
}

/** Parses a base URL. Drops surrounding whitespace, which environment variables often have. */
export const parseBase = (baseUrl: string): Result.Result<BaseUrl, InvalidInput> => {
  const text = baseUrl.trim()
  if (smuggling.test(text)) return fail(badSmuggling, "baseUrl")
  // `new URL("https:host")` and `new URL("https:///host")` parse as well, into a URL that the author did not write.
  if (authorityOf(text) === "") return fail("must be an absolute http or https URL", "baseUrl")
  return Result.map(parseUrl(text, "baseUrl"), ({ origin, pathname, search }) => ({
    origin,
    prefix: origin + (pathname.endsWith("/") ? pathname : `${pathname}/`),
    query: search.slice(1)
  }))
}

/** `https://host:port` at the start of an absolute http(s) URL, else empty. */
const authorityOf = (text: string): string => /^https?:\/\/[^/?#]+/i.exec(text)?.[0] ?? ""

/** Names that are always schemes. `models:list` has the same form, but is a path. */
const schemes = /^(?:https?|wss?|ftp|file|data|blob|about|mailto|javascript|vbscript):/i
const anyAuthority = /^[a-z][a-z0-9+.-]*:\/\//i

const isOtherScheme = (path: string): boolean => schemes.test(path) || anyAuthority.test(path)
const badScheme = "must be a path or an absolute http or https URL (give a path like x:y a leading slash)"

/** The literals around placeholders: always one more than names. */
interface Pieces {
  readonly literals: ReadonlyArray<string>
  readonly names: ReadonlyArray<string>
}

interface Template {
  /**
   * The text before the segments. A relative result starts with one slash: `{a}//x` with `https:` is a path, not a
   * URL.
   */
  readonly start: string
  readonly segments: ReadonlyArray<Pieces>
  readonly query: Pieces | undefined
  readonly names: ReadonlySet<string>
}

/** unreserved, sub-delims, `:` and `@` (RFC 3986 pchar); in a template also its own escapes. */
const valueSafe = /^[A-Za-z0-9\-._~!$&'()*+,;=:@]*$/
const pathUnsafe = /[^A-Za-z0-9\-._~!$&'()*+,;=:@%]+/g
const queryUnsafe = /[^A-Za-z0-9\-._~!$&'()*+,;=:@%/?]+/g

/** `.` or `..` in any spelling, `%2e` included: URL parsers resolve them after our check. */
const dotSegment = /^(?:\.|%2e){1,2}$/i
/** Servers that strip path parameters at `;` (Tomcat and others) read `..;x` as `..` and `;x` as nothing. */
const parameterSegment = /^(?:(?:\.|%2e){2})?(?:;|%3b)/i

const whyBadSegment = (segment: string): string | undefined =>
  dotSegment.test(segment)
    ? "must not make a dot segment"
    : parameterSegment.test(segment)
      ? "must not make a segment that starts with ; or ..;"
      : undefined

/** A `%` that starts no escape is escaped itself, so that no value can complete it: `%2{x}` stays text. */
const encodeLiteral = (text: string, unsafe: RegExp): string =>
  text.replace(/%(?![0-9a-f]{2})/gi, "%25").replace(unsafe, encodeURIComponent)

const parsePieces = (text: string, unsafe: RegExp): Pieces | undefined => {
  // Alternately literals and names.
  const parts = text.split(/\{([^{}]+)\}/)
  const literals = parts.filter((_, i) => i % 2 === 0)
  if (literals.some((literal) => /[{}]/.test(literal))) return undefined
  return {
    literals: literals.map((literal) => encodeLiteral(literal, unsafe)),
    names: parts.filter((_, i) => i % 2 === 1)
  }
}

const parseTemplate = (template: string): Result.Result<Template, InvalidInput> => {
  if (smuggling.test(template)) return fail(badSmuggling)
  if (hasLoneSurrogate(template)) return fail(loneSurrogate.reason)
  const unhashed = withoutFragment(template)
  const authority = authorityOf(unhashed)
  if (authority === "" && isOtherScheme(unhashed)) return fail(badScheme)
  // A value in the authority would choose the host that receives the credentials.
  if (/[{}]/.test(authority)) return fail("must not have a placeholder in its host")
  const isRelative = authority === ""
  const [path, query] = splitQuery(unhashed.slice(authority.length))

  const segments: Array<Pieces> = []
  for (const segment of (isRelative ? path.replace(/^\/+/, "") : path).split("/")) {
    const pieces = parsePieces(segment, pathUnsafe)
    if (pieces === undefined) return fail(badBraces)
    const why = pieces.names.length > 0 ? undefined : whyBadSegment(pieces.literals.join(""))
    if (why !== undefined) return fail(why)
    segments.push(pieces)
  }
  const queryPieces = query === undefined ? undefined : parsePieces(query, queryUnsafe)
  if (query !== undefined && queryPieces === undefined) return fail(badBraces)
  const names = new Set([...segments.flatMap((pieces) => pieces.names), ...(queryPieces?.names ?? [])])
  return Result.succeed({ start: isRelative ? "/" : authority, segments, query: queryPieces, names })
}

const badBraces = "must have balanced braces, with a name in each pair"

const withoutFragment = (text: string): string => text.replace(/#.*/s, "")

const splitQuery = (text: string): readonly [string, string | undefined] => {
  const at = text.indexOf("?")
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** Templates are constants of a program; the bound protects programs that build them from data. */
const cache = new Map<string, Result.Result<Template, InvalidInput>>()
const cacheSize = 1000

const cachedTemplate = (template: string): Result.Result<Template, InvalidInput> => {
  const known = cache.get(template)
  if (known !== undefined) return known
  const parsed = parseTemplate(template)
  const [oldest] = cache.keys()
  if (oldest !== undefined && cache.size >= cacheSize) cache.delete(oldest)
  cache.set(template, parsed)
  return parsed
}

const kept = /%(?:2[46BC]|3[ABD]|40)/g

const encodeSegmentValue = (text: string): string =>
  valueSafe.test(text) ? text : encodeURIComponent(text).replace(kept, decodeURIComponent)

const fill = (
  pieces: Pieces,
  params: PathParams,
  encode: (text: string) => string
): Result.Result<string, InvalidInput> => {
  let result = pieces.literals[0] ?? ""
  for (const [i, name] of pieces.names.entries()) {
    if (!Object.hasOwn(params, name)) return fail("is missing from the path values", `path.${name}`)
    const value: unknown = params[name]
    const text = scalarText(value)
    if (typeof text !== "string") return fail(text.reason, `path.${name}`)
    if (hasLoneSurrogate(text)) return fail(loneSurrogate.reason, `path.${name}`)
    result += encode(text) + (pieces.literals[i + 1] ?? "")
  }
  return Result.succeed(result)
}

/**
 * Fills a template's placeholders; each value stays inside its one segment. The template's query is kept, with
 * placeholders in it encoded as query values; its fragment is never sent. A relative result has one leading slash.
 *
 * In the template itself, space, non-ASCII and everything else that RFC 3986 forbids is percent-encoded. Controls and
 * backslashes are rejected: nobody means them, and URL parsers interpret them.
 */
export const expandPath = (
  template: string,
  params: PathParams = {}
): Result.Result<string, InvalidInput> => {
  const parsed = cachedTemplate(template)
  if (!parsed.ok) return parsed
  const { names, query, segments, start } = parsed.value
  for (const name of Object.keys(params)) {
    if (!names.has(name)) return fail("is no placeholder of the path template", `path.${name}`)
  }
  const filled: Array<string> = []
  for (const pieces of segments) {
    const segment = fill(pieces, params, encodeSegmentValue)
    if (!segment.ok) return segment
    const [name] = pieces.names
    if (name !== undefined) {
      const why = segment.value === "" ? "must not make an empty segment" : whyBadSegment(segment.value)
      if (why !== undefined) return fail(why, `path.${name}`)
    }
    filled.push(segment.value)
  }
  const path = start + filled.join("/")
  if (query === undefined) return Result.succeed(path)
  return Result.map(fill(query, params, encodeURIComponent), (text) => `${path}?${text}`)
}

/** The result of `expandPath`, and any link encoded by RFC 3986. */
const encodedPath = /^[\x21-\x5b\x5d-\x7e]*$/
const anyDotSegment = /(?<![^/])(?:\.|%2e){1,2}(?![^/])/i

/** Joins an encoded path to the base, or takes an absolute URL in its place. */
export const resolve = (base: BaseUrl, path: string): Result.Result<ResolvedUrl, InvalidInput> => {
  if (smuggling.test(path)) return fail(badSmuggling)
  const unhashed = withoutFragment(path)
  if (!unhashed.startsWith("/")) {
    if (authorityOf(unhashed) !== "") return resolveAbsolute(base, unhashed)
    if (isOtherScheme(unhashed)) return fail(badScheme)
  }
  if (!encodedPath.test(unhashed)) return fail("must be percent-encoded")
  const [relative, query = ""] = splitQuery(unhashed)
  if (anyDotSegment.test(relative)) return fail("must not make a dot segment")
  return Result.succeed({
    url: base.prefix + relative.replace(/^\/+/, ""),
    query,
    origin: base.origin,
    sameOrigin: true,
    absolute: false
  })
}

const resolveAbsolute = (base: BaseUrl, text: string): Result.Result<ResolvedUrl, InvalidInput> =>
  Result.map(parseUrl(text), ({ origin, pathname, search }) => ({
    url: origin + pathname,
    query: search.slice(1),
    origin,
    sameOrigin: origin === base.origin,
    absolute: true
  }))

/** The whole URL. */
export const withQuery = (url: string, query: string): string => (query === "" ? url : `${url}?${query}`)
