/**
 * Finds secrets in bytes, in the encodings in which clients send them and servers send them back: as they are,
 * percent-encoded, JSON-escaped, in HTML entities and in base64, also one on top of another.
 *
 * Bytes are searched as binary strings, with a character for each byte, so that a place in the text is one in the bytes.
 */

/** The text in place of a secret. */
export const hidden = "<redacted>"

export type Interval = readonly [from: number, to: number]

/** Base64 of fewer bytes, without its edges, occurs in any text. */
const leastBase64 = 6

/** The start of a secret that is shorter, at the end of a body that was cut off, occurs in any text. */
const leastStart = 4

const encoder = new TextEncoder()

/** One character for each byte. */
export const toBinary = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")

export const fromBinary = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"))

const binaryOf = (text: string): string => toBinary(encoder.encode(text))

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")

const hex = (code: number, digits: number): string =>
  Array.from(code.toString(16).padStart(digits, "0"), (digit) =>
    /[a-f]/.test(digit) ? `[${digit}${digit.toUpperCase()}]` : digit
  ).join("")

/** JSON in JSON in JSON: each level doubles the backslashes. */
const slashes = "\\\\{0,7}"

/** `%25` stands for the percent sign of an inner encoding. */
const percent = "%(?:25){0,3}"

/** `&amp;` stands for the ampersand of an inner encoding. */
const ampersand = "&(?:amp;){0,3}"

const controls: Readonly<Record<string, string>> = { "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t" }

const entities: Readonly<Record<string, string>> = {
  "&": "amp",
  "<": "lt",
  ">": "gt",
  '"': "quot",
  "'": "apos"
}

/** What a character may look like. */
const character = (char: string): string => {
  const code = char.codePointAt(0) ?? 0
  const bytes = encoder.encode(char)
  const units = Array.from({ length: char.length }, (_, at) => char.charCodeAt(at))
  const ways = [
    quoted(toBinary(bytes)),
    Array.from(bytes, (byte) => percent + hex(byte, 2)).join(""),
    units.map((unit) => `\\\\{1,8}u${hex(unit, 4)}`).join(""),
    `${ampersand}#(?:0{0,4}${code}|[xX]0{0,4}${hex(code, 1)});`
  ]
  if (char === " ") ways.push("\\+")
  if (controls[char] !== undefined) ways.push(`\\\\{1,8}${controls[char]}`)
  if (entities[char] !== undefined) ways.push(`${ampersand}${entities[char]};`)
  return `(?:${ways.join("|")})`
}

/** A run of backslashes is as long as it is, or each of them is escaped. */
const backslashes = (count: number): string => `(?:\\\\|${percent}5[cC]){${count},${count * 8}}`

/** One expression for each character of a secret, and the backslashes before it. */
const pattern = (secret: string): ReadonlyArray<string> =>
  Array.from(secret.matchAll(/(\\*)([^\\]?)/gu), ([, run = "", char = ""]) => {
    // A run takes in the backslashes that escape the character after it.
    const before = run === "" ? slashes : backslashes(run.length)
    return run === "" && char === "" ? "" : `${before}${char === "" ? "" : character(char)}`
  })

/** The base64 of a secret at each of the three offsets, without the characters that share bits with a neighbour. */
const base64 = (secret: string): ReadonlyArray<string> => {
  const bytes = encoder.encode(secret)
  if (bytes.length < leastBase64) return []
  return [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
  )
}

/** Standard or for URLs, and then as a text of its own: percent-encoded, or with `\/`. */
const base64Pattern = (text: string): ReadonlyArray<string> =>
  Array.from(text, (char) => {
    if (char === "+") return `${slashes}(?:${character("+")}|-)`
    if (char === "/") return `${slashes}(?:${character("/")}|_)`
    return char
  })

/** So many characters make one expression: the compiler of expressions runs out of stack at some thousands. */
const mostAtOnce = 200

/** A letter or a digit: none of its encodings begins like another one. A piece that ends with it matches in one way only. */
const isClear = (character: string): boolean => /(?:^|\(\?:)[A-Za-z0-9](?:\||$)/.test(character)

const piecesOf = (characters: ReadonlyArray<string>): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  let piece: Array<string> = []
  for (const character of characters) {
    piece.push(character)
    const isLong = piece.length >= mostAtOnce && isClear(character)
    if (!isLong && piece.length < 2 * mostAtOnce) continue
    pieces.push(piece.join(""))
    piece = []
  }
  return piece.length === 0 ? pieces : [...pieces, piece.join("")]
}

/** A form of a secret: what begins it, and what must follow, piece by piece. */
class Form {
  private readonly first: RegExp
  private readonly rest: ReadonlyArray<RegExp>

  constructor(characters: ReadonlyArray<string>) {
    const [first = "", ...rest] = piecesOf(characters)
    this.first = new RegExp(first, "g")
    this.rest = rest.map((piece) => new RegExp(piece, "y"))
  }

  find(binary: string): ReadonlyArray<Interval> {
    const found: Array<Interval> = []
    this.first.lastIndex = 0
    for (let match = this.first.exec(binary); match !== null; match = this.first.exec(binary)) {
      const { index } = match
      const end = this.endOf(binary, this.first.lastIndex)
      if (end !== undefined) found.push([index, end])
      this.first.lastIndex = end ?? index + 1
    }
    return found
  }

  private endOf(binary: string, from: number): number | undefined {
    let end = from
    for (const piece of this.rest) {
      piece.lastIndex = end
      if (!piece.test(binary)) return undefined
      end = piece.lastIndex
    }
    return end
  }
}

/** Finds secrets in binary strings. */
export interface Finder {
  /** In a text that was cut, the start of a secret at the end counts. */
  readonly find: (binary: string, isCut?: boolean) => ReadonlyArray<Interval>
}

const nothing: ReadonlyArray<Interval> = []

export const make = (secrets: Iterable<string>): Finder => {
  const all = [...new Set(secrets)].filter((secret) => secret !== "").sort((a, b) => b.length - a.length)
  if (all.length === 0) return { find: () => nothing }
  const forms = all.flatMap((secret) =>
    [pattern(secret), ...base64(secret).map(base64Pattern)].map((characters) => new Form(characters))
  )
  const starts = all.flatMap((secret) => [
    binaryOf(secret),
    encodeURIComponent(secret.toWellFormed()),
    binaryOf(JSON.stringify(secret).slice(1, -1)),
    ...base64(secret)
  ])
  return {
    find: (binary, isCut = false) => {
      const all: Array<Interval> = forms.flatMap((form) => form.find(binary))
      if (isCut) {
        for (const start of starts) {
          let length = Math.min(start.length - 1, binary.length)
          while (length >= leastStart && !binary.endsWith(start.slice(0, length))) length--
          if (length >= leastStart) all.push([binary.length - length, binary.length])
        }
      }
      return merged(all)
    }
  }
}

/** In order, and without overlaps. */
export const merged = (intervals: ReadonlyArray<Interval>): ReadonlyArray<Interval> => {
  const all: Array<Interval> = []
  for (const [from, to] of [...intervals].sort((a, b) => a[0] - b[0] || b[1] - a[1])) {
    const last = all.at(-1)
    if (last === undefined || from >= last[1]) all.push([from, to])
    else if (to > last[1]) all[all.length - 1] = [last[0], to]
  }
  return all
}

/** The text with `hidden` in place of each interval. */
export const replaced = (text: string, intervals: ReadonlyArray<Interval>): string => {
  let shown = ""
  let done = 0
  for (const [from, to] of intervals) {
    shown += text.slice(done, from) + hidden
    done = to
  }
  return shown + text.slice(done)
}
