/**
 * Path templates, by RFC 6570 where it makes sense for requests. One rule holds throughout: only the author of a base URL
 * or a template decides where a request goes. A value adds a segment only where the author wrote `{+name}` or `{/name*}`,
 * never removes one, and never names a host.
 */
import type * as Redacted from "effect/Redacted"
import type { InvalidInput } from "../shared/invalid.js"
import { hasLoneSurrogate, loneSurrogate, Problem, scalarText } from "../shared/invalid.js"
import * as Result from "../shared/result.js"
import {
  authorityOf,
  badScheme,
  badSmuggling,
  fail,
  isOtherScheme,
  smuggling,
  splitQuery,
  withQuery
} from "./url.js"

/** The value of a placeholder. */
export type PathValue = string | number | bigint | boolean | Redacted.Redacted<string>

/** The value of a placeholder that may be left out, `{/name}`, `{?name}` or `{&name}`, or be a list. */
export type OptionalPathValue = PathValue | ReadonlyArray<PathValue> | undefined

/** The values of a template's placeholders. */
export type PathParams = Readonly<Record<string, OptionalPathValue>>

/** A name in braces, with what it is written by. `,` is the operator of `{a,b}`, which RFC 6570 has none for. */
interface Variable {
  readonly name: string
  readonly operator: string
  /** Precedes the first value, and each of a list with `*`. */
  readonly prefix: string
  /** Precedes the others. */
  readonly separator: string
  /** Whether it may be left out, or be a list. */
  readonly isOptional: boolean
}

/** The literals around variables: always one more than these. */
interface Pieces {
  readonly literals: ReadonlyArray<string>
  readonly variables: ReadonlyArray<Variable>
}

/** A segment with variables, and the path before it, from the segment before that has some. */
interface Segment extends Pieces {
  readonly before: string
}

interface Template {
  readonly origin: string
  readonly segments: ReadonlyArray<Segment>
  /** The path after the last of these. */
  readonly after: string
  readonly query: Pieces | undefined
  readonly names: ReadonlySet<string>
}

/** unreserved, sub-delims, `:` and `@` (RFC 3986 pchar); in a template also its own escapes. */
const valueSafe = /^[A-Za-z0-9\-._~!$&'()*+,;=:@]*$/
const pathUnsafe = /[^A-Za-z0-9\-._~!$&'()*+,;=:@%]+/g
const queryUnsafe = /[^A-Za-z0-9\-._~!$&'()*+,;=:@%/?]+/g

/** `.` or `..` in any spelling, `%2e` included: URL parsers resolve them after our check. */
const dotSegment = /(?:^|\/)(?:\.|%2e){1,2}(?:$|\/)/i
/** Servers that strip path parameters at `;` (Tomcat and others) read `..;x` as `..` and `;x` as nothing. */
const parameterSegment = /(?:^|\/)(?:(?:\.|%2e){2})?(?:;|%3b)/i

/** Why one of these segments cannot be sent. */
const whyBadSegment = (segments: string): string | undefined =>
  dotSegment.test(segments)
    ? "must not make a dot segment"
    : parameterSegment.test(segments)
      ? "must not make a segment that starts with ; or ..;"
      : undefined

/** A `%` that starts no escape is escaped itself, so that no value can complete it: `%2{x}` stays text. */
const encodeLiteral = (text: string, unsafe: RegExp): string =>
  text.replace(/%(?![0-9a-f]{2})/gi, "%25").replace(unsafe, encodeURIComponent)

const badBraces = "must have balanced braces, each around a name, or names after one of + / ? &"

/** What is in braces: names, and an operator of RFC 6570 that a request has a use for. Only optional names explode. */
const expression = /^(?![#.;=,!@|])(?:\+?[^+/?&*:]+|[/?&][^+/?&:]+)$/

const variablesOf = (text: string): ReadonlyArray<Variable> => {
  const [operator = ""] = /^[+/?&]/.exec(text) ?? []
  const isOptional = /[/?&]/.test(operator)
  return text
    .slice(operator.length)
    .split(",")
    .map((each, i, all) => {
      const name = each.replace("*", "")
      const named = operator === "/" ? "/" : `&${encodeURIComponent(name)}=`
      const prefix = isOptional ? named : i === 0 ? "" : ","
      return {
        name,
        operator: operator === "" && all.length > 1 ? "," : operator,
        prefix,
        separator: name === each ? "," : prefix,
        isOptional
      }
    })
}

const parsePieces = (text: string, unsafe: RegExp): Pieces | undefined => {
  const literals: Array<string> = []
  const variables: Array<Variable> = []
  // Alternately literals and what is in braces.
  for (const [i, part] of text.split(/\{([^{}]+)\}/).entries()) {
    // Only another parameter can follow those of `{?name}`.
    const bad = unsafe === queryUnsafe && variables.at(-1)?.isOptional ? /^[^&]|[{}]/ : /[{}]/
    if (i % 2 === 0 ? bad.test(part) : !expression.test(part)) return undefined
    if (i % 2 === 0) literals[variables.length] = encodeLiteral(part, unsafe)
    else variables.push(...variablesOf(part))
  }
  return { literals, variables }
}

const parseTemplate = (template: string): Result.Result<Template, InvalidInput> => {
  if (smuggling.test(template)) return fail(badSmuggling)
  if (hasLoneSurrogate(template)) return fail(loneSurrogate.reason)
  const unhashed = template.replace(/(?<!\{)#.*/s, "")
  const origin = authorityOf(unhashed)
  if (origin === "" && isOtherScheme(unhashed)) return fail(badScheme)
  // A value in the authority would choose the host that receives the credentials.
  if (/[{}]/.test(origin)) return fail("must not have a placeholder in its host")
  const rest = origin === "" ? unhashed.replace(/^\/+/, "/") : unhashed.slice(origin.length)
  // The first `{?name}` begins the query, as a `?` does.
  const [path, queryText] = splitQuery(rest.replace(/^[^?]*?(?=\{[?&])/, "$&?"))

  const segments: Array<Segment> = []
  let literal = ""
  for (const [i, segment] of path.split(/(?<!\{)\//).entries()) {
    const pieces = parsePieces(segment, pathUnsafe)
    if (pieces === undefined) return fail(badBraces)
    const isLiteral = pieces.variables.length === 0
    literal += (i === 0 ? "" : "/") + (isLiteral ? pieces.literals.join("") : "")
    const why = isLiteral ? whyBadSegment(literal) : undefined
    if (why !== undefined) return fail(why)
    if (isLiteral) continue
    segments.push({ ...pieces, before: literal })
    literal = ""
  }
  const query = queryText === undefined ? undefined : parsePieces(queryText, queryUnsafe)
  if (queryText !== undefined && query === undefined) return fail(badBraces)
  const all = query === undefined ? segments : [...segments, query]
  const names = new Set(all.flatMap(({ variables }) => variables.map(({ name }) => name)))
  return Result.succeed({ origin, segments, after: literal, query, names })
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

const missing = new Problem("is missing from the path values")
const badEmpty = new Problem("must not make an empty segment")
const badBytes = new Problem(badSmuggling)

const textOf = (value: unknown, operator: string): string | Problem => {
  const text = value === undefined ? missing : scalarText(value)
  if (typeof text !== "string") return text
  if (hasLoneSurrogate(text)) return loneSurrogate
  if (operator === "/" && text === "") return badEmpty
  return operator === "+" && smuggling.test(text) ? badBytes : text
}

type Encode = (text: string) => string

/** The text of a variable with an operator (RFC 6570, 3.2). */
const expand = (
  { isOptional, operator, prefix, separator }: Variable,
  value: unknown,
  encode: Encode
): string | Problem => {
  let result = ""
  for (const each of isOptional ? [value ?? []].flat() : [value]) {
    const text = textOf(each, operator)
    if (typeof text !== "string") return text
    const encoded = encode(text)
    result += result === "" ? prefix : separator
    // A comma of a value separates nothing.
    result += operator === "+" ? encoded.replaceAll("%2F", "/") : encoded.replaceAll(",", "%2C")
  }
  return result
}

const fill = (
  { literals, variables }: Pieces,
  params: PathParams,
  encode: Encode
): Result.Result<string, InvalidInput> => {
  let result = literals[0] ?? ""
  for (const [i, variable] of variables.entries()) {
    const { name, operator } = variable
    const value = Object.hasOwn(params, name) ? params[name] : undefined
    const text = operator === "" ? textOf(value, "") : expand(variable, value, encode)
    if (typeof text !== "string") return fail(text.reason, `path.${name}`)
    result += (operator === "" ? encode(text) : text) + (literals[i + 1] ?? "")
  }
  return Result.succeed(result)
}

/**
 * Fills a template's placeholders. The value of `{name}` stays inside its one segment, that of `{+name}` and `{/name*}`
 * inside the path. The template's query is kept, with placeholders in it encoded as query values; its fragment is never
 * sent. A relative result has one leading slash.
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
  const { after, names, origin, query, segments } = parsed.value
  for (const name of Object.keys(params)) {
    if (!names.has(name)) return fail("is no placeholder of the path template", `path.${name}`)
  }
  let path = ""
  for (const segment of segments) {
    const filled = fill(segment, params, encodeSegmentValue)
    if (!filled.ok) return filled
    const text = filled.value
    path += segment.before + text
    const [first] = segment.variables
    // The base URL ends with a slash, so a second one at the start would be dropped.
    const isEmpty = (text === "" && first?.isOptional === false) || (origin === "" && path.startsWith("//"))
    const why = isEmpty ? badEmpty.reason : whyBadSegment(text)
    if (why !== undefined) return fail(why, `path.${first?.name}`)
  }
  path += after
  // `{a}//x` with `https:` is a path, not a URL.
  const start = origin === "" && !path.startsWith("/") ? "/" : origin
  if (query === undefined) return Result.succeed(start + path)
  const filled = fill(query, params, encodeURIComponent)
  return filled.ok ? Result.succeed(withQuery(start + path, filled.value.replace(/^&/, ""))) : filled
}
