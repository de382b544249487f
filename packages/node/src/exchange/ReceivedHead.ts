/** The head of a response, parsed lazily from the raw headers. */
import * as ContentCodings from "../body/contentCodings.js"
import { isBodiless, type RawHeaders } from "./Exchange.js"

const latin1Text = (bytes: Buffer | string | undefined): string =>
  bytes === undefined ? "" : typeof bytes === "string" ? bytes : bytes.toString("latin1")

const isBlank = (character: string): boolean => character === " " || character === "\t"

/** The value without trailing blanks (RFC 9110, 5.5), which undici leaves in. */
const valueOf = (bytes: Buffer | string | undefined): string => {
  const value = latin1Text(bytes)
  let end = value.length
  while (end > 0 && isBlank(value.charAt(end - 1))) end--
  return end === value.length ? value : value.slice(0, end)
}

const recordOf = (raw: RawHeaders): Record<string, string> => {
  // Without a prototype: a header may be called `constructor`.
  const record: Record<string, string> = Object.create(null)
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = latin1Text(raw[index]).toLowerCase()
    const value = valueOf(raw[index + 1])
    const known = record[name]
    record[name] = known === undefined ? value : `${known}, ${value}`
  }
  return record
}

/** The index of a header from a start index on, or -1. `name` is lower-case. */
const indexOfHeader = (raw: RawHeaders, name: string, from = 0): number => {
  for (let index = from; index + 1 < raw.length; index += 2) {
    if (raw[index]?.length === name.length && latin1Text(raw[index]).toLowerCase() === name) return index
  }
  return -1
}

const setCookies = (raw: RawHeaders): ReadonlyArray<string> => {
  const values: Array<string> = []
  for (let at = indexOfHeader(raw, "set-cookie"); at >= 0; at = indexOfHeader(raw, "set-cookie", at + 2)) {
    values.push(valueOf(raw[at + 1]))
  }
  return values
}

/** Values by lower-case names. */
export type Fields = Record<string, string>

const noRawHeaders: RawHeaders = []
const noCookies: ReadonlyArray<string> = []

/** Makes of a head what its listener gets. */
export type Receive<R> = (status: number, raw: RawHeaders) => R

/** Parses headers on first access, and then releases the raw headers, which are slices of a socket's buffer. */
export class ReceivedHead {
  readonly status: number
  decoded = false
  private raw: RawHeaders
  private parsed: Fields | undefined
  private cookieValues: ReadonlyArray<string> = noCookies

  constructor(status: number, raw: RawHeaders) {
    this.status = status
    this.raw = raw
  }

  protected get fields(): Fields {
    return this.parsed ?? this.parse()
  }

  /** The lines of `set-cookie`, as received. */
  get setCookies(): ReadonlyArray<string> {
    if (this.parsed === undefined) this.parse()
    return this.cookieValues
  }

  hasHeader(name: string): boolean {
    return this.parsed === undefined ? indexOfHeader(this.raw, name) >= 0 : this.parsed[name] !== undefined
  }

  /** Parses the headers now and releases the raw ones. */
  detachHeaders(): void {
    if (this.parsed === undefined) this.parse()
  }

  private parse(): Fields {
    const fields = recordOf(this.raw)
    if (fields["set-cookie"] !== undefined) this.cookieValues = setCookies(this.raw)
    this.parsed = fields
    this.raw = noRawHeaders
    return fields
  }

  /**
   * The codings to decode. The headers of a response without a body describe another response (RFC 9110, 9.3.2 and
   * 15.4.5).
   */
  codings(method: string, decompress: boolean): ReturnType<typeof ContentCodings.parseCodings> {
    const hasBody = method !== "HEAD" && !isBodiless(this.status)
    return ContentCodings.parseCodings(decompress && hasBody ? this.encoding : undefined)
  }

  /** The names and values of the headers in turn. */
  get lines(): ReadonlyArray<string> {
    if (this.parsed === undefined) return this.raw.map(latin1Text)
    return [
      ...Object.entries(this.parsed)
        .filter(([name]) => name !== "set-cookie")
        .flat(),
      ...this.cookieValues.flatMap((value) => ["set-cookie", value])
    ]
  }

  private get encoding(): string | undefined {
    return this.parsed === undefined && indexOfHeader(this.raw, "content-encoding") < 0
      ? undefined
      : this.fields["content-encoding"]
  }
}
