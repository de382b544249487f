/**
 * Parses JSON that arrives in chunks, such as the input of a tool. It gives the value so far at any time, and the result of
 * `JSON.parse` at the end.
 *
 * The parser reads every character once, whatever the chunks, and only if a value is read before the end.
 */
import * as Either from "effect/Either"

/** The parser's state: the token it expects or reads. */
type Mode =
  | "value"
  | "firstItem"
  | "key"
  | "firstKey"
  | "colon"
  | "next"
  | "string"
  | "number"
  | "literal"
  | "invalid"

/**
 * An open object or array, and its position in its parent. The parent gets no new values while a child is open, and values
 * are never removed. A count of values therefore identifies an earlier state of a container.
 */
class OpenContainer {
  /** The keys of an object, or `undefined` for an array. The last key may still lack its value. */
  readonly keys: Array<string> | undefined
  readonly values: Array<unknown> = []
  readonly parent: OpenContainer | undefined
  readonly depth: number
  private readonly before: number

  constructor(isObject: boolean, parent: OpenContainer | undefined) {
    this.keys = isObject ? [] : undefined
    this.parent = parent
    this.before = parent?.values.length ?? 0
    this.depth = (parent?.depth ?? 0) + 1
  }

  /** Copies the first `count` values, and adds the incomplete value that follows them. */
  upTo(count: number, inner: unknown): unknown {
    const { keys, values } = this
    // `slice` copies memory as a block; a spread would iterate over the items.
    if (keys === undefined) return values.slice(0, count).concat(inner === undefined ? [] : [inner])
    const fields: Record<string, unknown> = {}
    for (let at = 0; at < count; at++) set(fields, keys[at] ?? "", values[at])
    if (inner !== undefined) set(fields, keys[count] ?? "", inner)
    return fields
  }

  /** Copies the outermost container around this one, as it was when this one held `count` values. */
  rootAt(count: number, inner: unknown): unknown {
    let value = this.upTo(count, inner)
    for (let open: OpenContainer = this; open.parent !== undefined; open = open.parent) {
      value = open.parent.upTo(open.before, value)
    }
    return value
  }
}

/** The depth that the API accepts in a request. No tool's input comes close. */
const maxDepth = 1000

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const literals: ReadonlyArray<readonly [string, boolean | null]> = [
  ["true", true],
  ["false", false],
  ["null", null]
]
const escapes: { readonly [letter: string]: string } = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t"
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

export class PartialJson {
  private readonly chunks: Array<string> = []
  /** The number of chunks already read. */
  private readCount = 0
  private mode: Mode = "value"
  private top: OpenContainer | undefined = undefined
  /** The complete value. A top-level number is complete only at the end. */
  private root: { readonly value: unknown } | undefined = undefined
  /** The part of the current string, number or literal read so far. Strings are decoded. */
  private token = ""
  private isKey = false
  /** The characters after a backslash. */
  private escape: string | undefined = undefined
  /** The first half of a surrogate pair, kept back until the second half arrives. */
  private half = ""
  /** Whether {@link end} has found truncated JSON. */
  isCut = false

  push(chunk: string): void {
    this.chunks.push(chunk)
  }

  /**
   * The value so far, or `undefined` if there is none. A string grows; a number, a literal or a key appears once it is
   * complete. Invalid JSON adds nothing: {@link end} reports it.
   *
   * The result never changes later. It costs a copy of the open containers.
   */
  value(): unknown {
    return this.lazyValue()?.()
  }

  /** A function that makes the value so far. Only calling it costs a copy. */
  lazyValue(): (() => unknown) | undefined {
    this.read()
    return this.soFar(true)
  }

  /**
   * Parses the whole text. Truncated JSON gives its complete parts, without an unclosed string: half a string may be worse
   * than none. Invalid JSON gives the reason. Whitespace alone gives `undefined`.
   */
  end(): Either.Either<unknown, string> {
    const raw = this.raw()
    if (isDeep(raw)) return Either.left(tooDeep)
    try {
      return Either.right(JSON.parse(raw))
    } catch (error) {
      this.read()
      if (this.mode === "invalid") return Either.left(reasonOf(error))
      this.isCut = raw.trim() !== ""
      return Either.right(this.soFar(false)?.())
    }
  }

  /** The whole text received. */
  raw(): string {
    return this.chunks.join("")
  }

  private soFar(growing: boolean): (() => unknown) | undefined {
    const { root, top } = this
    if (root !== undefined) return () => root.value
    const token = growing && this.mode === "string" && !this.isKey ? this.token : undefined
    if (top === undefined) return token === undefined ? undefined : () => token
    const count = top.values.length
    return () => top.rootAt(count, token)
  }

  private read(): void {
    while (this.readCount < this.chunks.length) this.readChunk(this.chunks[this.readCount++] ?? "")
  }

  private readChunk(text: string): void {
    for (let at = 0; at < text.length && this.mode !== "invalid"; ) {
      if (this.mode === "string")
        at = this.escape === undefined ? this.readString(text, at) : this.readEscape(text, at)
      else if (this.mode === "number") at = this.readNumber(text, at)
      else if (this.mode === "literal") at = this.readLiteral(text, at)
      else at = this.readStructure(text, at)
    }
  }

  private readStructure(text: string, at: number): number {
    const char = text.charAt(at)
    const { top } = this
    const wantsValue = this.mode === "value" || this.mode === "firstItem"
    if (char === " " || char === "\n" || char === "\r" || char === "\t") return at + 1
    if (char === '"' && (wantsValue || this.mode === "key" || this.mode === "firstKey")) {
      this.isKey = !wantsValue
      this.start("string", "")
    } else if ((char === "{" || char === "[") && wantsValue && (top?.depth ?? 0) < maxDepth) {
      this.top = new OpenContainer(char === "{", top)
      this.mode = char === "{" ? "firstKey" : "firstItem"
    } else if (char === "}" && (this.mode === "firstKey" || (this.mode === "next" && isObject(top)))) {
      this.close()
    } else if (char === "]" && (this.mode === "firstItem" || (this.mode === "next" && isArray(top)))) {
      this.close()
    } else if (char === "," && this.mode === "next" && top !== undefined) {
      this.mode = isObject(top) ? "key" : "value"
    } else if (char === ":" && this.mode === "colon") {
      this.mode = "value"
    } else if (wantsValue && (char === "-" || isDigit(char))) {
      this.start("number", char)
    } else if (wantsValue && literals.some(([name]) => name.startsWith(char))) {
      this.start("literal", char)
    } else {
      this.mode = "invalid"
    }
    return at + 1
  }

  private start(mode: Mode, token: string): void {
    this.mode = mode
    this.token = token
  }

  private close(): void {
    const { top } = this
    this.top = top?.parent
    this.complete(top?.keys === undefined ? top?.values : top.upTo(top.values.length, undefined))
  }

  private complete(value: unknown): void {
    this.mode = "next"
    if (this.top === undefined) this.root = { value }
    else this.top.values.push(value)
  }

  /** Reads a string up to its end or to an escape. */
  private readString(text: string, at: number): number {
    let end = at
    let code = text.charCodeAt(end)
    while (end < text.length && code !== QUOTE && code !== BACKSLASH && code >= 0x20) {
      code = text.charCodeAt(++end)
    }
    if (end > at) this.append(text.slice(at, end))
    if (end === text.length) return end
    if (code === BACKSLASH) this.escape = ""
    else if (code === QUOTE) this.endString()
    else this.mode = "invalid"
    return end + 1
  }

  private readEscape(text: string, at: number): number {
    const escape = this.escape + text.charAt(at)
    const simple = escapes[escape]
    if (simple !== undefined) this.unescape(simple)
    else if (!/^u[0-9a-fA-F]{0,4}$/.test(escape)) this.mode = "invalid"
    else if (escape.length === 5) this.unescape(String.fromCharCode(Number.parseInt(escape.slice(1), 16)))
    else this.escape = escape
    return at + 1
  }

  private unescape(char: string): void {
    this.escape = undefined
    this.append(char)
  }

  private append(text: string): void {
    const all = this.half + text
    const last = all.charCodeAt(all.length - 1)
    const isHalf = last >= 0xd800 && last <= 0xdbff
    this.token += isHalf ? all.slice(0, -1) : all
    this.half = isHalf ? all.slice(-1) : ""
  }

  private endString(): void {
    const text = this.token + this.half
    this.half = ""
    if (!this.isKey) return this.complete(text)
    this.top?.keys?.push(text)
    this.mode = "colon"
  }

  /** Reads the characters that a number can contain. The end shows whether they form a valid number. */
  private readNumber(text: string, at: number): number {
    let end = at
    while (end < text.length && /[\d.eE+-]/.test(text.charAt(end))) end++
    this.token += text.slice(at, end)
    if (end === text.length) return end
    if (number.test(this.token)) this.complete(Number(this.token))
    else this.mode = "invalid"
    return end
  }

  private readLiteral(text: string, at: number): number {
    this.token += text.charAt(at)
    const known = literals.find(([name]) => name.startsWith(this.token))
    if (known === undefined) this.mode = "invalid"
    else if (known[0] === this.token) this.complete(known[1])
    return at + 1
  }
}

const isArray = (open: OpenContainer | undefined): boolean => open !== undefined && open.keys === undefined
const isObject = (open: OpenContainer | undefined): boolean => open?.keys !== undefined

const tooDeep = `it is nested deeper than ${maxDepth} levels`

/** Whether a text is nested too deeply. A regular expression would overflow the stack on a long text. */
const isDeep = (text: string): boolean => {
  if (text.length <= maxDepth) return false
  let depth = 0
  let isText = false
  for (let at = 0; at < text.length && depth <= maxDepth; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) isText = !isText
    else if (isText && code === BACKSLASH) at++
    else if (!isText && (code === 0x5b || code === 0x7b)) depth++
    else if (!isText && (code === 0x5d || code === 0x7d)) depth--
  }
  return depth > maxDepth
}

const isDigit = (char: string): boolean => char >= "0" && char <= "9"

/** Sets a field as `JSON.parse` does: `__proto__` is an ordinary key and not the prototype. */
const set = (fields: Record<string, unknown>, key: string, value: unknown): void => {
  if (key !== "__proto__") fields[key] = value
  else {
    Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true })
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
