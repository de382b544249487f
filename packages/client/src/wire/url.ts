/** Base URLs, and the paths and links that requests add to them. */

import type { InvalidInput } from "../shared/invalid.js"
import { invalid } from "../shared/invalid.js"
import * as Result from "../shared/result.js"

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
export const smuggling = /[\0-\x1f\x7f\\]/
export const badSmuggling = "must not contain control characters or a backslash"
const badUserInfo = "must not contain a user name or password: secrets belong in credentials"

export const fail = (reason: string, field = "path") => Result.fail(invalid(field, reason))

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
export const authorityOf = (text: string): string => /^https?:\/\/[^/?#]+/i.exec(text)?.[0] ?? ""

/** Names that are always schemes. `models:list` has the same form, but is a path. */
const schemes = /^(?:https?|wss?|ftp|file|data|blob|about|mailto|javascript|vbscript):/i
const anyAuthority = /^[a-z][a-z0-9+.-]*:\/\//i

export const isOtherScheme = (path: string): boolean => schemes.test(path) || anyAuthority.test(path)
export const badScheme =
  "must be a path or an absolute http or https URL (give a path like x:y a leading slash)"

/** The path without its fragment, which is never sent. */
const withoutFragment = (text: string): string => text.replace(/#.*/s, "")

export const splitQuery = (text: string): readonly [string, string | undefined] => {
  const at = text.indexOf("?")
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
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
