/**
 * JSON that arrives in pieces, as the input of a tool does: the value so far at any time, and at the end what
 * `JSON.parse` says.
 *
 * Every character is read once, whatever the pieces, and only if somebody asks for the value before the end.
 */
import * as Either from "effect/Either"

/** What may come next. */
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
 * A container that is not closed yet, and where it stands in the one around it: what that one held when this was opened, it holds
 * until this is closed. Nothing is ever taken out, so that a number says what was there at a time.
 */
class Open {
  /** Those of an object; a list has none. The last may wait for its value. */
  readonly keys: Array<string> | undefined
  readonly values: Array<unknown> = []
  readonly parent: Open | undefined
  readonly depth: number
  private readonly before: number

  constructor(isObject: boolean, parent: Open | undefined) {
    this.keys = isObject ? [] : undefined
    this.parent = parent
    this.before = parent?.values.length ?? 0
    this.depth = (parent?.depth ?? 0) + 1
  }

  /** A copy of what it held when there were so many, with one more that is on its way. */
  upTo(count: number, inner: unknown): unknown {
    const { keys, values } = this
    // Copies as a block of memory, where a spread would walk the items.
    if (keys === undefined) return values.slice(0, count).concat(inner === undefined ? [] : [inner])
    const fields: Record<string, unknown> = {}
    for (let at = 0; at < count; at++) set(fields, keys[at] as string, values[at])
    if (inner !== undefined) set(fields, keys[count] as string, inner)
    return fields
  }

  /** The outermost container with this one in it, at the time when there were so many. */
  around(count: number, inner: unknown): unknown {
    let value = this.upTo(count, inner)
    for (let open: Open = this; open.parent !== undefined; open = open.parent) {
      value = open.parent.upTo(open.before, value)
    }
    return value
  }
}

/** Deeper than any tool's input, and as deep as a request may be. */
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
  private readonly pieces: Array<string> = []
  /** How many of the pieces are read. */
  private done = 0
  private mode: Mode = "value"
  private top: Open | undefined = undefined
  /** The value, once it is closed. A number at the top is closed by the end alone. */
  private root: { readonly value: unknown } | undefined = undefined
  /** What is read of the string, number or literal at hand, decoded if it is a string. */
  private token = ""
  private isKey = false
  /** The letters behind a backslash. */
  private escape: string | undefined = undefined
  /** Half a surrogate pair is no text yet. */
  private half = ""

  /** Takes what came next. */
  push(piece: string): void {
    this.pieces.push(piece)
  }

  /**
   * The value so far: containers hold what has come of them, a string grows; a number, a literal and a key are not there
   * before they are whole. `undefined` where nothing is there. What is no JSON adds nothing: {@link end} tells of it.
   *
   * The result is never changed later, and costs a copy of the containers that are open.
   */
  value(): unknown {
    return this.later()?.()
  }

  /** The value so far, to be made when it is asked for: then it costs the copy, and until then nothing. */
  later(): (() => unknown) | undefined {
    this.read()
    return this.soFar(true)
  }

  /**
   * Ends the text. JSON that was cut off gives what was whole of it: a string that was not closed is left out, for half of
   * one may be worse than none. What is no JSON gives the reason. Nothing but space gives `undefined`.
   */
  end(): Either.Either<unknown, string> {
    const raw = this.raw()
    if (isDeep(raw)) return Either.left(tooDeep)
    try {
      return Either.right(JSON.parse(raw))
    } catch (error) {
      this.read()
      return this.mode === "invalid" ? Either.left(reasonOf(error)) : Either.right(this.soFar(false)?.())
    }
  }

  /** All the text, as it came. */
  raw(): string {
    return this.pieces.join("")
  }

  private soFar(growing: boolean): (() => unknown) | undefined {
    const { root, top } = this
    if (root !== undefined) return () => root.value
    const token = growing && this.mode === "string" && !this.isKey ? this.token : undefined
    if (top === undefined) return token === undefined ? undefined : () => token
    const count = top.values.length
    return () => top.around(count, token)
  }

  private read(): void {
    while (this.done < this.pieces.length) this.readPiece(this.pieces[this.done++] ?? "")
  }

  private readPiece(text: string): void {
    for (let at = 0; at < text.length && this.mode !== "invalid"; ) {
      if (this.mode === "string")
        at = this.escape === undefined ? this.plain(text, at) : this.escaped(text, at)
      else if (this.mode === "number") at = this.digits(text, at)
      else if (this.mode === "literal") at = this.letter(text, at)
      else at = this.structure(text, at)
    }
  }

  private structure(text: string, at: number): number {
    const char = text.charAt(at)
    const { top } = this
    const wantsValue = this.mode === "value" || this.mode === "firstItem"
    if (char === " " || char === "\n" || char === "\r" || char === "\t") return at + 1
    if (char === '"' && (wantsValue || this.mode === "key" || this.mode === "firstKey")) {
      this.isKey = !wantsValue
      this.start("string", "")
    } else if ((char === "{" || char === "[") && wantsValue && (top?.depth ?? 0) < maxDepth) {
      this.top = new Open(char === "{", top)
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
    this.settle(top?.keys === undefined ? top?.values : top.upTo(top.values.length, undefined))
  }

  /** A value is whole. */
  private settle(value: unknown): void {
    this.mode = "next"
    if (this.top === undefined) this.root = { value }
    else this.top.values.push(value)
  }

  /** The letters of a string up to its end or an escape. */
  private plain(text: string, at: number): number {
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

  private escaped(text: string, at: number): number {
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
    if (!this.isKey) return this.settle(text)
    this.top?.keys?.push(text)
    this.mode = "colon"
  }

  /** What may stand in a number; whether it is one, its end shows. */
  private digits(text: string, at: number): number {
    let end = at
    while (end < text.length && /[\d.eE+-]/.test(text.charAt(end))) end++
    this.token += text.slice(at, end)
    if (end === text.length) return end
    if (number.test(this.token)) this.settle(Number(this.token))
    else this.mode = "invalid"
    return end
  }

  private letter(text: string, at: number): number {
    this.token += text.charAt(at)
    const known = literals.find(([name]) => name.startsWith(this.token))
    if (known === undefined) this.mode = "invalid"
    else if (known[0] === this.token) this.settle(known[1])
    return at + 1
  }
}

const isArray = (open: Open | undefined): boolean => open !== undefined && open.keys === undefined
const isObject = (open: Open | undefined): boolean => open?.keys !== undefined

const tooDeep = `it is nested deeper than ${maxDepth} levels`

/** Whether a text has more levels than are read. No regular expression: a long text would fill its stack. */
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

/** As `JSON.parse` does: `__proto__` is a key like any other and not the prototype. */
const set = (fields: Record<string, unknown>, key: string, value: unknown): void => {
  if (key !== "__proto__") fields[key] = value
  else {
    Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true })
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
