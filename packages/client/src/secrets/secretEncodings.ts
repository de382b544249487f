/**
 * How secrets are encoded when they come back. Servers and libraries escape in many ways, one on top of another. Each
 * position of a text is read unchanged, and as it was before an encoder escaped it.
 */

/** The characters that a position may stand for, and where it ends. */
export interface Decoded {
  readonly chars: string
  readonly end: number
}

type DecodeAt = (at: number) => Decoded

/** The text ends within an escape sequence. */
export const cutOff: Decoded = { chars: "", end: Number.POSITIVE_INFINITY }

/** Whether a code unit starts an escape sequence. */
export const isStart = (unit: number): boolean =>
  unit === 0x25 || unit === 0x26 || unit === 0x2b || unit === 0x5c

/** Whether a text may hold an escape sequence. */
export const mayEscape = (text: string): boolean => /[%&+\\]/.test(text)

/** A longer entity encodes no character: `&#x0001F600;`. */
const longestEntity = 10

const entities: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["nbsp", "\u00a0"]
])

/** Escapes of JSON and JavaScript. */
const controls: ReadonlyMap<string, string> = new Map([
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["0", "\0"]
])

/** A number of so many hexadecimal digits; `NaN` without one. */
const hexAt = (at: number, digits: number, next: DecodeAt): readonly [code: number, end: number] => {
  let code = 0
  let end = at
  for (let count = 0; count < digits; count++) {
    const digit = next(end)
    if (digit === cutOff) return [0, digit.end]
    code = code * 16 + (/^[0-9a-f]$/i.test(digit.chars) ? Number.parseInt(digit.chars, 16) : Number.NaN)
    end = digit.end
  }
  return [code, end]
}

const charAt = (code: number, end: number): Decoded | undefined => {
  if (end === cutOff.end) return cutOff
  return code <= 0x10ffff ? { chars: String.fromCodePoint(code), end } : undefined
}

/** RFC 3986 over UTF-8. A byte that starts no character counts as ISO 8859-1. */
const percent = (at: number, next: DecodeAt): Decoded | undefined => {
  const [first, after] = hexAt(at, 2, next)
  const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0
  let code = more === 0 ? first : first & (0x3f >> more)
  let end = after
  for (let count = 0; count < more && end !== cutOff.end; count++) {
    const sign = next(end)
    const [byte, behind] =
      sign === cutOff ? [0x80, sign.end] : sign.chars === "%" ? hexAt(sign.end, 2, next) : [0, 0]
    if (behind === cutOff.end) return cutOff
    if (byte >> 6 !== 2) return charAt(first, after)
    code = (code << 6) | (byte & 0x3f)
    end = behind
  }
  return charAt(code, end)
}

/** RFC 8259, section 7, and its JavaScript and PHP variants: any character may follow a backslash. */
const backslash = (at: number, next: DecodeAt): Decoded | undefined => {
  const sign = next(at)
  if (sign === cutOff) return cutOff
  const { chars, end } = sign
  if (chars === "u") return charAt(...hexAt(end, 4, next))
  if (chars === "x") return charAt(...hexAt(end, 2, next))
  const control = controls.get(chars)
  if (control !== undefined) return { chars: control, end }
  return /\w/.test(chars) ? undefined : { chars, end }
}

const entity = (at: number, next: DecodeAt): Decoded | undefined => {
  let name = ""
  for (let end = at; name.length <= longestEntity; ) {
    const part = next(end)
    if (part === cutOff) return cutOff
    if (part.chars === ";") {
      const number = /^#(?:x([0-9a-f]+)|([0-9]+))$/i.exec(name)
      if (number !== null)
        return charAt(
          Number.parseInt(number[1] ?? number[2] ?? "", number[1] === undefined ? 10 : 16),
          part.end
        )
      const chars = entities.get(name)
      return chars === undefined ? undefined : { chars, end: part.end }
    }
    if (!/^[#\w]$/.test(part.chars)) return undefined
    name += part.chars
    end = part.end
  }
  return undefined
}

const unescape = ({ chars, end }: Decoded, next: DecodeAt): Decoded | undefined => {
  switch (chars) {
    case "%":
      return percent(end, next)
    case "\\":
      return backslash(end, next)
    case "&":
      return entity(end, next)
    case "+":
      return { chars: " ", end }
    default:
      return undefined
  }
}

/**
 * What the positions of a text may stand for: themselves, once escaped, and twice escaped, as a link within a link or
 * JSON within a form.
 */
export const readingsOf = (text: string): ((at: number) => ReadonlyArray<Decoded>) => {
  const plain: DecodeAt = (at) => (at < text.length ? { chars: text.charAt(at), end: at + 1 } : cutOff)
  const once: DecodeAt = (at) => {
    const as = plain(at)
    return unescape(as, plain) ?? as
  }
  return (at) => {
    const as = plain(at)
    const decoded = unescape(as, plain)
    const readings = [as]
    if (decoded !== undefined) readings.push(decoded)
    const twice = decoded === undefined ? undefined : unescape(decoded, once)
    if (twice !== undefined) readings.push(twice)
    // The first character of the escape is plain, the rest is escaped: JSON in HTML.
    const mixed = unescape(as, once)
    if (mixed !== undefined && mixed.end !== decoded?.end) readings.push(mixed)
    return readings
  }
}

/** Base64 shorter than this, without its edges, occurs in any text. */
const leastBase64 = 6

/** A number of arguments that every runtime accepts. */
const piece = 0x2000

/** One character per byte, as `btoa` takes it. A secret may be a whole document, so no value is made per byte. */
const binaryOf = (bytes: Uint8Array): string => {
  let binary = ""
  for (let at = 0; at < bytes.length; at += piece) {
    binary += String.fromCharCode(...bytes.subarray(at, at + piece))
  }
  return binary
}

/** A secret as it is, and its base64 at any offset. */
export const encodings = (
  secret: string
): { readonly own: ReadonlyArray<string>; readonly base64: ReadonlyArray<string> } => {
  const bytes = new TextEncoder().encode(secret)
  // Half a surrogate pair does not survive UTF-8.
  const own = [secret, new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)]
  if (bytes.length < leastBase64) return { own, base64: [] }
  const binary = binaryOf(bytes)
  const base64 = [0, 1, 2].flatMap((before) => {
    // Without the characters that share bits with a neighbour, and without the padding, which is optional.
    const encoded = btoa("\0".repeat(before) + binary).slice(
      Math.ceil((before * 8) / 6),
      Math.floor(((before + bytes.length) * 8) / 6)
    )
    return [encoded, encoded.replaceAll("+", "-").replaceAll("/", "_")]
  })
  return { own, base64 }
}
