/**
 * The spellings of a secret: servers and libraries send it back encoded, each encoder escaping what it likes, and one
 * upon the other. A secret is searched for character by character, each in any of its spellings.
 */
import { memo } from "./memo.js"

/** A secret as a row of parts, each with the ways to write it. */
export type Spelling = ReadonlyArray<ReadonlyArray<string>>

/** All that a secret is to be found by: itself, and its base64 wherever that begins. */
export const ofSecret = (secret: string): ReadonlyArray<Spelling> => [spell(secret), ...spellBase64(secret)]

/** Letters, digits and these no encoder touches. Of the rest each escapes what it likes, so each stands for itself. */
const plain = /^[\w.-]+$/

const spell = (secret: string): Spelling =>
  (secret.match(/[\w.-]+|[\s\S]/gu) ?? []).map((part) => (plain.test(part) ? [part] : waysToWrite(part)))

/** Shorter than this, a base64 without its edges would be found in any text. */
const leastBase64 = 6

/** The base64 of a secret, alone or somewhere inside a longer text: in one of three places of a triple it begins. */
const spellBase64 = (secret: string): ReadonlyArray<Spelling> => {
  const bytes = new TextEncoder().encode(secret)
  if (bytes.length < leastBase64) return []
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")
  return [0, 1, 2].map((before) => {
    const encoded = btoa("\0".repeat(before) + binary)
    // Without the letters that hold bits of a neighbour, and without the padding, which may be missing.
    const own = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    return (own.match(/\w+|\W/g) ?? []).map((part) =>
      plain.test(part) ? [part] : [part === "+" ? "-" : "_", ...waysToWrite(part)]
    )
  })
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0")

const percent = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => `%${hex(byte, 2)}`).join("")

const unicode = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${hex(text.charCodeAt(at), 4)}`).join("")

/** What encoders do to a text. Letters of escapes are in either case. */
const encoders: ReadonlyArray<(text: string) => string> = [
  (text) => text.replace(/[^\w.~!*'()-]/gu, percent),
  (text) => text.replace(/[^\w.*-]/gu, (char) => (char === " " ? "+" : percent(char))),
  (text) => JSON.stringify(text).slice(1, -1),
  (text) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replaceAll("/", "\\/")
      .replace(/[^\0-\x7f]/g, unicode),
  (text) => text.replace(/[&<>"']/g, (char) => entities[char] ?? char)
]

/** What they do to a single character on top of that, where they mean it. */
const escapes = (char: string): ReadonlyArray<string> => {
  const code = char.codePointAt(0) ?? 0
  const numbers = [`&#${code};`, `&#x${hex(code, 1)};`, `&#x${hex(code, 2)};`, char === "'" ? "&apos;" : char]
  return [char, percent(char), unicode(char), ...numbers]
}

const upperCase = (way: string): string =>
  way.replace(/(%|\\u|&#x)([0-9a-f]+)/g, (_, start: string, digits: string) => start + digits.toUpperCase())

/** A character as it is, encoded, and encoded twice: as a link inside a link has it, or JSON inside a form. */
const waysToWrite = memo(new Map<string, ReadonlyArray<string>>(), (char) => {
  const encode = (way: string): ReadonlyArray<string> => encoders.map((encoder) => encoder(way))
  const both = (ways: ReadonlyArray<string>): ReadonlyArray<string> => [
    ...new Set(ways.flatMap((way) => [way, upperCase(way)]))
  ]
  const once = both([...escapes(char), ...encode(char)])
  return both([...once, ...once.flatMap(encode)])
})

/** Where a spelling that begins here ends. Where the text is cut, its end may be in the middle. */
const endOf = (text: string, spelling: Spelling, start: number, cut: boolean): number | undefined => {
  let ends = [start]
  for (const part of spelling) {
    const next = new Set<number>()
    for (const end of ends) {
      for (const way of part) {
        if (text.startsWith(way, end)) next.add(end + way.length)
        else if (cut && way.startsWith(text.slice(end))) return text.length
      }
    }
    if (next.size === 0) return undefined
    ends = [...next]
  }
  return Math.max(...ends)
}

/** The text with something else in the place of every spelling. `cut` says that the text goes on where it ends. */
export const hide = (
  text: string,
  spelling: Spelling,
  { by, cut }: { readonly by: string; readonly cut: boolean }
): string => {
  const first = spelling[0] ?? []
  const lastStart = text.length - (cut ? Math.max(...first.map((way) => way.length)) : 0)
  // Where each way to write the first part comes next: looked for again only when passed, so a text is read once.
  const next = first.map(() => -1)
  let shown = ""
  let done = 0
  for (let at = 0; ; ) {
    for (const [index, way] of first.entries()) {
      const found = next[index] ?? -1
      if (found < at) {
        const again = text.indexOf(way, at)
        next[index] = again < 0 ? Number.POSITIVE_INFINITY : again
      }
    }
    at = Math.min(...next, cut ? Math.max(at, lastStart) : Number.POSITIVE_INFINITY)
    if (at >= text.length) return shown + text.slice(done)
    const end = endOf(text, spelling, at, cut)
    if (end === undefined) {
      at++
    } else {
      shown += text.slice(done, at) + by
      done = at = end
    }
  }
}
