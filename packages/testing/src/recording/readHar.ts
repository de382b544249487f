/** Reads HAR 1.2, our own and that of browsers. A file may hold anything: what does not fit is named by its place. */
import { MockRequest } from "../mock/MockRequest.js"
import type * as Exchange from "./Exchange.js"

/** What is wrong with a file. */
export class HarProblem extends Error {}

type Fields = Readonly<Record<string, unknown>>

const fail = (place: string, expected: string): never => {
  throw new HarProblem(`${place} must be ${expected}`)
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const fields = (value: unknown, place: string): Fields => (isFields(value) ? value : fail(place, "an object"))

const list = (value: unknown, place: string): ReadonlyArray<unknown> =>
  Array.isArray(value) ? value : fail(place, "an array")

const text = (value: unknown, place: string): string =>
  typeof value === "string" ? value : fail(place, "a string")

/** A time or a size that is not known is -1 in files of browsers. */
const amount = (value: unknown, place: string): number =>
  typeof value === "number" && Number.isFinite(value) ? Math.max(value, 0) : fail(place, "a number")

const optional = <A>(
  value: unknown,
  read: (value: unknown, place: string) => A,
  place: string
): A | undefined => (value === undefined || value === null ? undefined : read(value, place))

const oneOf =
  <const A extends string>(...words: ReadonlyArray<A>) =>
  (value: unknown, place: string): A =>
    words.find((word) => word === value) ?? fail(place, `one of ${words.join(", ")}`)

const headersOf = (
  value: unknown,
  place: string
): ReadonlyArray<readonly [string, ReadonlyArray<string>]> => {
  const found = new Map<string, Array<string>>()
  for (const [index, each] of list(value, place).entries()) {
    const at = `${place}[${index}]`
    const pair = fields(each, at)
    const name = text(pair["name"], `${at}.name`).toLowerCase()
    // `:authority` and the like, of HTTP/2.
    if (name === "" || name.startsWith(":")) continue
    found.set(name, [...(found.get(name) ?? []), text(pair["value"], `${at}.value`)])
  }
  return [...found]
}

const bytesOf = (value: string, encoding: unknown, place: string): Uint8Array => {
  if (encoding !== "base64") return new Uint8Array(Buffer.from(value))
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value)) fail(place, "base64")
  return new Uint8Array(Buffer.from(value, "base64"))
}

const requestOf = (
  value: unknown,
  place: string,
  index: number
): { readonly request: MockRequest; readonly sent: Exchange.Exchange["sent"] } => {
  const request = fields(value, place)
  const post = optional(request["postData"], fields, `${place}.postData`)
  const body = optional(post?.["text"], text, `${place}.postData.text`)
  const sent = optional(post?.["_sent"], oneOf("whole", "part", "unknown"), `${place}.postData._sent`)
  return {
    request: new MockRequest({
      index,
      method: text(request["method"], `${place}.method`).toUpperCase(),
      url: (text(request["url"], `${place}.url`).split("#", 1)[0] ?? "").trim(),
      headers: Object.fromEntries(
        headersOf(request["headers"], `${place}.headers`).map(([name, values]) => [name, values.join(", ")])
      ),
      body: body === undefined ? undefined : bytesOf(body, post?.["_encoding"], `${place}.postData.text`),
      at: 0
    }),
    sent: sent ?? (post !== undefined && body === undefined ? "unknown" : "whole")
  }
}

const chunksOf = (
  value: unknown,
  bytes: Uint8Array,
  endedAt: number,
  place: string
): ReadonlyArray<Exchange.Chunk> => {
  if (value === undefined) return bytes.length === 0 ? [] : [{ at: endedAt, bytes }]
  const chunks: Array<Exchange.Chunk> = []
  let offset = 0
  for (const [index, each] of list(value, place).entries()) {
    const chunk = fields(each, `${place}[${index}]`)
    const size = amount(chunk["size"], `${place}[${index}].size`)
    const at = amount(chunk["at"], `${place}[${index}].at`)
    if (!Number.isInteger(size) || offset + size > bytes.length) {
      fail(`${place}[${index}].size`, "an integer within the body")
    }
    chunks.push({ at: Math.max(at, chunks.at(-1)?.at ?? 0), bytes: bytes.subarray(offset, offset + size) })
    offset += size
  }
  // An editor may have changed the text: what is beyond the sizes comes with the end.
  if (offset < bytes.length) chunks.push({ at: endedAt, bytes: bytes.subarray(offset) })
  return chunks
}

const causeOf = (value: unknown, place: string): Exchange.Cause => {
  const cause = fields(value, place)
  return {
    name: text(cause["name"], `${place}.name`),
    message: text(cause["message"], `${place}.message`),
    code: optional(cause["code"], text, `${place}.code`)
  }
}

const failureOf = (value: unknown, place: string): Exchange.Failure => {
  const failure = fields(value, place)
  return {
    reason: text(failure["reason"], `${place}.reason`),
    causes: list(failure["causes"], `${place}.causes`).map((cause, index) =>
      causeOf(cause, `${place}.causes[${index}]`)
    )
  }
}

const exchangeOf = (value: unknown, index: number): Exchange.Exchange => {
  const place = `log.entries[${index}]`
  const entry = fields(value, place)
  const response = fields(entry["response"], `${place}.response`)
  const status = amount(response["status"], `${place}.response.status`)
  const content = optional(response["content"], fields, `${place}.response.content`)
  const body = optional(content?.["text"], text, `${place}.response.content.text`)
  const timings = optional(entry["timings"], fields, `${place}.timings`)
  const wait = optional(timings?.["wait"], amount, `${place}.timings.wait`) ?? 0
  const endedAt = Math.max(optional(entry["time"], amount, `${place}.time`) ?? 0, wait)
  const failure = optional(entry["_failure"], failureOf, `${place}._failure`)
  const end = optional(
    entry["_end"],
    oneOf("complete", "failed", "interrupted", "unread", "missing"),
    `${place}._end`
  )
  const isSized = (optional(content?.["size"], amount, `${place}.response.content.size`) ?? 0) > 0
  // Browsers note a request without a response with the status 0.
  const hasResponse = status !== 0
  if (hasResponse && !(Number.isInteger(status) && status >= 100 && status <= 599)) {
    fail(`${place}.response.status`, "a status")
  }
  const bytes = bytesOf(body ?? "", content?.["encoding"], `${place}.response.content.text`)
  return {
    ...requestOf(entry["request"], `${place}.request`, index),
    startedAt: 0,
    wait,
    response: hasResponse
      ? {
          status,
          headers: Object.fromEntries(headersOf(response["headers"], `${place}.response.headers`)),
          chunks: chunksOf(content?.["_chunks"], bytes, endedAt, `${place}.response.content._chunks`)
        }
      : undefined,
    end: end ?? (failure || !hasResponse ? "failed" : body === undefined && isSized ? "missing" : "complete"),
    endedAt,
    failure: failure ?? (hasResponse ? undefined : noResponse)
  }
}

const noResponse: Exchange.Failure = {
  reason: "Transport",
  causes: [{ name: "Error", message: "the recording has no response" }]
}

/** The exchanges of a file. Throws a `HarProblem`, or a `SyntaxError` for invalid JSON. */
export const readHar = (file: string): ReadonlyArray<Exchange.Exchange> => {
  // Editors on Windows put a byte order mark before the text.
  const har = fields(JSON.parse(file.replace(/^\ufeff/, "")), "the file")
  const log = fields(har["log"], "log")
  return list(log["entries"], "log.entries").map(exchangeOf)
}
