/** What a recording must not hold: the secrets that are known, and what is one by its name. */
import { Redacted } from "effect"
import * as Patterns from "./secretPatterns.js"

/** Names that mark a secret, besides the common ones. */
export interface SecretNames {
  readonly headers?: Iterable<string> | undefined
  readonly query?: Iterable<string> | undefined
  readonly fields?: Iterable<string> | undefined
}

const headerNames =
  "authorization proxy-authorization cookie set-cookie api-key x-api-key x-goog-api-key x-amz-security-token " +
  "x-auth-token x-csrf-token x-xsrf-token"

/** What the names of such headers end with. */
const headerEndings =
  /(?:^|[-_])(?:token|secret|password|auth|signature|session(?:[-_]?id)?|(?:access|api|auth|functions|secret|subscription)[-_]?key)$/

const queryNames =
  "access_token refresh_token id_token api_key api-key apikey client_secret key password sig signature token x-amz-credential " +
  "x-amz-security-token x-amz-signature x-goog-signature"

const fieldNames =
  "access_token refresh_token id_token client_secret client_assertion password api_key apikey accessToken refreshToken " +
  "idToken clientSecret private_key code_verifier device_code assertion"

/** A secret that is known by its name alone counts elsewhere from this length on: shorter ones occur in any text. */
const leastNamed = 6

/** Headers, by lower-case name. */
export type Headers = Readonly<Record<string, string | ReadonlyArray<string>>>

/** A body in pieces, as they came. */
export type Pieces = ReadonlyArray<Uint8Array>

/** Hides what a {@link SecretBook} knows. */
export interface Hider {
  readonly text: (text: string) => string
  readonly headers: (headers: Headers) => Record<string, string | ReadonlyArray<string>>
  /** The pieces of a body. In one that `isCut`, the start of a secret at the end is hidden, too. */
  readonly body: (pieces: Pieces, type: string | undefined, isCut: boolean) => Pieces
}

const list = (names: string, more: Iterable<string> | undefined): ReadonlyArray<string> => [
  ...new Set([...names.split(" "), ...(more ?? [])].map((name) => name.toLowerCase()))
]

const anyOf = (names: ReadonlyArray<string>): string =>
  names.map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|")

/** Secrets are added from anywhere and at any time, and hidden everywhere once the recording is written. */
export class SecretBook {
  private readonly secrets = new Set<string>()
  private readonly headerNames: ReadonlySet<string>
  private readonly fieldNames: ReadonlySet<string>
  private readonly inUrl: RegExp
  private readonly inForm: RegExp
  private readonly inJson: RegExp
  private readonly partNames: string

  constructor(names: SecretNames = {}) {
    this.headerNames = new Set(list(headerNames, names.headers))
    const query = anyOf(list(queryNames, names.query))
    const fields = anyOf(
      list(`${fieldNames} ${queryNames}`, [...(names.query ?? []), ...(names.fields ?? [])])
    )
    this.fieldNames = new Set(list(fieldNames, names.fields))
    const own = anyOf([...this.fieldNames])
    this.inUrl = new RegExp(`(?<=[?&#](?:${query})=)[^&\\s"'<>\\\\#]+`, "gi")
    this.inForm = new RegExp(`(?<=(?:^|&)(?:${fields})=)[^&]+`, "gi")
    // A string, a string within a JSON text that is a string itself, or a number. The body may end within it.
    const value =
      '"(?:[^"\\\\]|\\\\.)*(?:"|\\\\?$)|\\\\"(?:[^"\\\\]|\\\\\\\\(?:\\\\["\\\\]|[^"\\\\]))*(?:\\\\"|\\\\{0,3}$)|-?\\d[\\d.eE+-]*'
    this.inJson = new RegExp(
      `(?:(?<="(?:${own})"\\s{0,20}:\\s{0,20})|(?<=\\\\"(?:${own})\\\\"\\s{0,20}:\\s{0,20}))(?:${value})`,
      "gi"
    )
    this.partNames = own
  }

  /** Adds a secret; the token after a scheme and the password of a URL are secrets of their own. */
  add(secret: Redacted.Redacted | string): void {
    const text = (typeof secret === "string" ? secret : Redacted.value(secret)).trim()
    if (text === "" || text.includes(Patterns.hidden)) return
    this.secrets.add(text)
    const token = /^[A-Za-z]+ (\S+)$/.exec(text)?.[1]
    if (token !== undefined) this.secrets.add(token)
    const password = /^[a-z][a-z0-9+.-]*:\/\/[^/:@\s]*:([^/@\s]+)@/i.exec(text)?.[1]
    if (password !== undefined) this.secrets.add(decoded(password))
  }

  private hidesHeader(name: string): boolean {
    return this.headerNames.has(name) || headerEndings.test(name)
  }

  private addNamed(secret: string): void {
    if (secret.length >= leastNamed) this.add(secret)
  }

  /** Adds what the headers hold under the names of secrets. */
  addHeaders(headers: Headers): void {
    for (const [name, values] of Object.entries(headers)) {
      if (!this.hidesHeader(name)) continue
      for (const value of [values].flat()) {
        const basic = /^basic +([\w+/=-]+)$/i.exec(value)?.[1]
        if (basic !== undefined) {
          const pair = Buffer.from(basic, "base64").toString()
          this.addNamed(pair)
          this.addNamed(pair.slice(pair.indexOf(":") + 1))
        }
        if (name === "cookie") for (const pair of value.split(";")) this.addNamed(cookieValue(pair))
        else if (name === "set-cookie") this.addNamed(cookieValue(value.split(";", 1)[0] ?? ""))
        else this.addNamed(value)
      }
    }
  }

  /** Adds what a text holds under the names of secrets. */
  addText(text: string): void {
    for (const [value] of text.matchAll(this.inUrl)) this.addNamed(decoded(value))
  }

  /** Adds what a body holds under the names of secrets. */
  addBody(pieces: Pieces, type: string | undefined): void {
    const binary = Patterns.toBinary(Buffer.concat(pieces))
    for (const [from, to] of this.named(binary, type)) {
      this.addNamed(valueOf(Buffer.from(binary.slice(from, to), "latin1").toString(), isForm(type)))
    }
  }

  /** Finds the content of parts with the names of secrets: all of it, up to the boundary that begins the body. */
  private inParts(binary: string): RegExp {
    const boundary = /^--[^\r\n]+/.exec(binary)?.[0] ?? "--"
    const name = `name="?(?:${this.partNames})"?[^\\r\\n]*\\r\\n`
    return new RegExp(`(?<=${name}(?:[^\\r\\n]+\\r\\n)*\\r\\n)[^]+?(?=\\r\\n${anyOf([boundary])}|$)`, "gi")
  }

  /** The places of values with the names of secrets. */
  private named(binary: string, type: string | undefined): ReadonlyArray<Patterns.Interval> {
    const parts = /^multipart\//i.test(type ?? "") ? [this.inParts(binary)] : []
    const forms = isForm(type) ? [this.inForm] : [this.inUrl, this.inJson, ...parts]
    return Patterns.merged(
      forms.flatMap((form) =>
        Array.from(binary.matchAll(form), ({ 0: match, index }): Patterns.Interval => {
          // The quotes stay, so that JSON remains JSON.
          const quotes = form === this.inJson ? (/^\\?"/.exec(match)?.[0] ?? "") : ""
          const isWhole = match.length >= 2 * quotes.length && match.endsWith(quotes)
          return [index + quotes.length, index + match.length - (isWhole ? quotes.length : 0)]
        })
      )
    )
  }

  /** A hider of all that is known by now. */
  hider(): Hider {
    const finder = Patterns.make(this.secrets)
    const text = (text: string): string => {
      const binary = Patterns.toBinary(Buffer.from(text))
      const found = [
        ...finder.find(binary),
        ...Array.from(
          binary.matchAll(this.inUrl),
          ({ 0: match, index }): Patterns.Interval => [index, index + match.length]
        ),
        ...Array.from(
          binary.matchAll(userInfo),
          ({ 0: match, index }): Patterns.Interval => [index, index + match.length]
        )
      ]
      if (found.length === 0) return text
      return Buffer.from(Patterns.replaced(binary, Patterns.merged(found)), "latin1").toString()
    }
    const header = (name: string, value: string): string => {
      if (!this.hidesHeader(name)) return text(value)
      if (name === "cookie") return value.split(";").map(hiddenCookie).join(";")
      if (name !== "set-cookie") return Patterns.hidden
      const [pair = "", ...attributes] = value.split(";")
      return [hiddenCookie(pair), ...attributes.map(text)].join(";")
    }
    return {
      text,
      headers: (headers) =>
        Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [
            text(name),
            typeof value === "string" ? header(name, value) : value.map((each) => header(name, each))
          ])
        ),
      body: (pieces, type, isCut) => {
        const binary = Patterns.toBinary(Buffer.concat(pieces))
        const found = Patterns.merged([...finder.find(binary, isCut), ...this.named(binary, type)])
        if (found.length === 0) return pieces
        const shown = Patterns.replaced(binary, found)
        const json = isJson(binary) && !isJson(shown) ? hiddenJson(binary, text, this.fieldNames) : undefined
        return json === undefined ? cut(shown, found, pieces) : [Buffer.from(json)]
      }
    }
  }
}

/** User names and passwords in URLs. */
const userInfo = /(?<=[a-z][a-z0-9+.-]*:\/\/)[^/@\s"'<>\\]+(?=@)/gi

const isForm = (type: string | undefined): boolean => /x-www-form-urlencoded/i.test(type ?? "")

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const valueOf = (text: string, isForm: boolean): string => {
  if (isForm) return decoded(text.replaceAll("+", " "))
  try {
    return String(JSON.parse(`"${text}"`))
  } catch {
    return decoded(text)
  }
}

const cookieValue = (pair: string): string => pair.slice(pair.indexOf("=") + 1).trim()

const hiddenCookie = (pair: string): string => {
  const at = pair.indexOf("=")
  return at < 0 ? Patterns.hidden : `${pair.slice(0, at + 1)}${Patterns.hidden}`
}

const isJson = (binary: string): boolean => {
  try {
    JSON.parse(Buffer.from(binary, "latin1").toString())
    return true
  } catch {
    return false
  }
}

/** Without quotes `hidden` is no JSON: a number that is a secret becomes a string. `undefined`: it is too deep. */
const hiddenJson = (
  binary: string,
  text: (text: string) => string,
  names: ReadonlySet<string>
): string | undefined => {
  const hide = (key: string, value: unknown): unknown => {
    if (typeof value !== "object" && names.has(key.toLowerCase())) return Patterns.hidden
    if (typeof value === "string") return text(value)
    if (typeof value === "number") return text(String(value)) === String(value) ? value : Patterns.hidden
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [text(key), inner]))
  }
  try {
    return JSON.stringify(JSON.parse(Buffer.from(binary, "latin1").toString(), hide))
  } catch {
    return undefined
  }
}

/** Cuts a text where the pieces of the original end. A secret over such a place goes to the piece that it starts in. */
const cut = (shown: string, found: ReadonlyArray<Patterns.Interval>, pieces: Pieces): Pieces => {
  const cuts: Array<Uint8Array> = []
  let end = 0
  let done = 0
  let index = 0
  /** How much longer the text has become before the interval at `index`. */
  let shift = 0
  for (const piece of pieces) {
    end += piece.length
    let at = end + shift
    for (let next = found[index]; next !== undefined && next[0] < end; next = found[index]) {
      const [from, to] = next
      if (to > end) {
        at = from + shift + Patterns.hidden.length
        break
      }
      shift += Patterns.hidden.length - (to - from)
      at = end + shift
      index++
    }
    const next = Math.max(at, done)
    cuts.push(Patterns.fromBinary(shown.slice(done, next)))
    done = next
  }
  return cuts
}
