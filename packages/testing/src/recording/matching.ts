/** Which recorded request a request is, and how far it is from the others. */
import type { MockRequest } from "../mock/MockRequest.js"
import { noBytes, toText } from "../shared/bytes.js"
import * as ContentCoding from "./contentCoding.js"
import { hidden, toBinary } from "./secretPatterns.js"

/** A request in a form that equal requests share. */
export interface Canonical {
  readonly method: string
  /** Without the query. */
  readonly address: string
  /** In the order of the names. */
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  /** By path: one text, or each value of a JSON body. */
  readonly body: ReadonlyMap<string, string>
}

const queryOf = (search: string): Canonical["query"] =>
  [...new URLSearchParams(search)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

/** The values of JSON by their paths. An empty object or array is a value. */
const flattened = (json: unknown): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  // No recursion: a body may be of any depth.
  const rest: Array<readonly [path: string, value: unknown]> = [["body", json]]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [path, value] = next
    const inner =
      typeof value !== "object" || value === null
        ? []
        : Object.entries(value).map(
            ([key, value]) => [Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, value] as const
          )
    for (const each of inner.reverse()) rest.push(each)
    if (inner.length === 0) found.set(path, JSON.stringify(value) ?? "")
  }
  return found
}

const boundaryOf = (type: string): string | undefined => {
  const [, quoted, plain] = /^multipart\/.*?;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type) ?? []
  return quoted ?? plain
}

const bodyOf = (bytes: Uint8Array, type: string): Canonical["body"] => {
  if (bytes.length === 0) return new Map()
  const boundary = boundaryOf(type)
  if (boundary !== undefined) {
    const binary = toBinary(bytes).replaceAll(boundary, "boundary")
    return new Map([["body", Buffer.from(binary, "latin1").toString()]])
  }
  if (!ContentCoding.isText(bytes)) return new Map([["body", toBinary(bytes)]])
  const text = toText(bytes)
  if (!/^\s*[[{]/.test(text)) return new Map([["body", text]])
  try {
    return flattened(JSON.parse(text))
  } catch {
    return new Map([["body", text]])
  }
}

/** The body without its content coding. `undefined`: it cannot be read. */
export const bytesOf = ({ body = noBytes, headers }: MockRequest, isCut = false): Uint8Array | undefined => {
  const coding = headers["content-encoding"]
  const decoded = ContentCoding.decode(body, coding)?.bytes
  return decoded ?? (ContentCoding.isPlain(body, coding, isCut) ? body : undefined)
}

export const canonical = (request: MockRequest): Canonical => {
  const at = request.url.indexOf("?")
  return {
    method: request.method.toUpperCase(),
    address: at < 0 ? request.url : request.url.slice(0, at),
    query: queryOf(at < 0 ? "" : request.url.slice(at + 1)),
    body: bodyOf(request.body ?? noBytes, request.headers["content-type"] ?? "")
  }
}

/** Whether a text is the recorded one, in which a secret stands for any text. */
export const fits = (text: string, recorded: string): boolean => {
  const [first = "", ...rest] = recorded.split(hidden)
  const last = rest.pop()
  if (last === undefined) return text === recorded
  let at = first.length
  const end = text.length - last.length
  if (!text.startsWith(first) || !text.endsWith(last) || end < at) return false
  for (const part of rest) {
    const next = text.indexOf(part, at)
    if (next < 0 || next + part.length > end) return false
    at = next + part.length
  }
  return true
}

/** A value of JSON that was a secret and no string has become a string. */
const fitsValue = (value: string | undefined, recorded: string | undefined): boolean =>
  recorded === undefined || value === undefined
    ? value === recorded
    : fits(value, recorded) || recorded === `"${hidden}"`

/** What differs between a request and a recorded one, a line each. None: they are equal. */
export const differences = (
  request: Canonical,
  recorded: Canonical,
  sent: "whole" | "part" | "unknown"
): ReadonlyArray<string> => {
  const found: Array<string> = []
  const add = (what: string, value: string | undefined, recorded: string | undefined): void => {
    found.push(`${what}: ${short(value)}, recorded: ${short(recorded)}`)
  }
  if (request.method !== recorded.method) add("method", request.method, recorded.method)
  if (!fits(request.address, recorded.address)) add("url", request.address, recorded.address)
  for (const name of namesOf(request.query, recorded.query)) {
    const values = valuesOf(request.query, name)
    const others = valuesOf(recorded.query, name)
    const isSame =
      values.length === others.length && values.every((value, at) => fitsValue(value, others[at]))
    if (!isSame) add(`query ${name}`, values.join(", ") || undefined, others.join(", ") || undefined)
  }
  if (sent === "unknown") return found
  if (sent === "part") {
    const [whole = "", part = ""] = [request.body.get("body"), recorded.body.get("body")]
    if (!fits(whole.slice(0, part.length), part) && recorded.body.size === 1) add("body", whole, part)
    return found
  }
  const paths = new Set([...request.body.keys(), ...recorded.body.keys()])
  for (const path of paths) {
    const value = request.body.get(path)
    const other = recorded.body.get(path)
    if (!fitsValue(value, other)) add(path, value, other)
  }
  return found
}

/** Whether there are none: the cheap comparisons come first. */
export const isSame = (
  request: Canonical,
  recorded: Canonical,
  sent: "whole" | "part" | "unknown"
): boolean =>
  request.method === recorded.method &&
  request.query.length === recorded.query.length &&
  (sent !== "whole" || request.body.size === recorded.body.size) &&
  fits(request.address, recorded.address) &&
  differences(request, recorded, sent).length === 0

const namesOf = (...queries: ReadonlyArray<Canonical["query"]>): ReadonlySet<string> =>
  new Set(queries.flatMap((query) => query.map(([name]) => name)))

const valuesOf = (query: Canonical["query"], name: string): ReadonlyArray<string> =>
  query.filter(([each]) => each === name).map(([, value]) => value)

const longest = 120

const short = (value: string | undefined): string => {
  if (value === undefined) return "nothing"
  const text = value.replace(/\p{Cc}/gu, "?")
  return text.length <= longest ? text : `${text.slice(0, longest)}... (${text.length} characters)`
}

/** How far apart two requests are: another place weighs more than another body. */
export const distance = (request: Canonical, recorded: Canonical, count: number): number => {
  const method = request.method === recorded.method ? 0 : 10
  if (fits(request.address, recorded.address)) return method + count
  const parts = recorded.address.split("/")
  const same = request.address.split("/").filter((part, at) => part === parts[at]).length
  return method + 20 + count - Math.min(same, 15)
}
