import { describe, expect, it } from "@effect/vitest"
import { ResponseHeads } from "../../src/http1/ResponseHeads.js"

const ok = "HTTP/1.1 200 OK\r\n"
const end = "content-length: 2\r\n\r\n"
const body = " \r\n a: b\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"

/** The parser's input, with the text split at an index or into single bytes. */
const seen = (text: string, ...splits: ReadonlyArray<number>): string => {
  const heads = new ResponseHeads()
  heads.expectHead()
  const bytes = Buffer.from(text, "latin1")
  const places = [0, ...splits, bytes.length]
  const parts = places
    .slice(1)
    .map((to, index) => heads.filter(Buffer.from(bytes.subarray(places[index], to))))
  return Buffer.concat(parts.filter((part) => part !== null)).toString("latin1")
}

const cases: ReadonlyArray<readonly [name: string, given: string, expected: string]> = [
  ["a plain response", ok + end + body, ok + end + body],
  ["a fold", `${ok}a: one\r\n two\r\n${end}`, `${ok}a: one two\r\n${end}`],
  ["a fold with a tab", `${ok}a: one\r\n\ttwo\r\n${end}`, `${ok}a: one two\r\n${end}`],
  [
    "folds with surrounding blanks",
    `${ok}a: one \t\r\n \t two\r\n  three \r\n${end}`,
    `${ok}a: one two three\r\n${end}`
  ],
  ["a value that starts in the next line", `${ok}a:\r\n two\r\n${end}`, `${ok}a: two\r\n${end}`],
  ["a line of blanks", `${ok}a: one\r\n \r\n${end}`, `${ok}a: one \r\n${end}`],
  ["a fold in the last line", `${ok}a: one\r\n two\r\n\r\n${body}`, `${ok}a: one two\r\n\r\n${body}`],
  ["a fold with non-ASCII bytes", `${ok}a: \xe9\r\n \xff\r\n${end}`, `${ok}a: \xe9 \xff\r\n${end}`],
  ["a fold after the status line, unchanged", `${ok} a: one\r\n${end}`, `${ok} a: one\r\n${end}`],
  ["a 100", `HTTP/1.1 100 Continue\r\n\r\n${ok}${end}${body}`, `${ok}${end}${body}`],
  [
    "interim responses of all kinds",
    `HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nlink: <a>\r\n\r\nHTTP/1.0 100 \r\nconnection: close\r\n\r\nHTTP/1.1 199 X\r\n\r\n${ok}${end}`,
    `${ok}${end}`
  ],
  [
    "a 101",
    `HTTP/1.1 100 C\r\n\r\nHTTP/1.1 101 S\r\nupgrade: x\r\n\r\n`,
    "HTTP/1.1 101 S\r\nupgrade: x\r\n\r\n"
  ],
  [
    "a fold after a folded interim response",
    `HTTP/1.1 100 C\r\na: one\r\n two\r\n\r\n${ok}a: one\r\n two\r\n${end}${body}`,
    `${ok}a: one two\r\n${end}${body}`
  ],
  ["a status of four digits", `HTTP/1.1 1000 C\r\n\r\n${ok}`, `HTTP/1.1 1000 C\r\n\r\n${ok}`],
  ["a status that is not a number", `HTTP/1.1 1xx C\r\n\r\n${ok}`, `HTTP/1.1 1xx C\r\n\r\n${ok}`],
  ["leading empty lines", `\r\n\r\nHTTP/1.1 100 C\r\n\r\n\r\n${ok}${end}`, `${ok}${end}`],
  ["bytes that are not HTTP", "<html>\r\n\r\n</html>", "<html>\r\n\r\n</html>"]
]

describe("heads", () => {
  it.each(cases)("8.5 %s, split at every byte", (_, given, expected) => {
    expect(seen(given)).toBe(expected)
    for (let at = 1; at < given.length; at++) expect([at, seen(given, at)]).toEqual([at, expected])
    expect(seen(given, ...Array.from({ length: given.length - 1 }, (_, index) => index + 1))).toBe(expected)
  })

  it.each([
    ["text", "<html>"],
    ["the start of another protocol", "SSH-2.0-x\r\n"],
    ["another version", "HTTP/2.0 200 OK\r\n"],
    ["lines without CR", "HTTP/1.1 200 OK\na: b\n\n"],
    ["an empty line without CR", "HTTP/1.1 200 OK\r\na: b\r\n\n"]
  ])("8.5 invalid bytes reach the parser at once: %s", (_, text) => {
    expect(seen(text)).toBe(text)
    expect(seen(text, ...Array.from({ length: text.length - 1 }, (_, index) => index + 1))).toBe(text)
  })

  it("8.5 an endless head reaches the parser unchanged", () => {
    const heads = new ResponseHeads()
    heads.expectHead()
    expect(heads.filter(Buffer.from(ok))).toBeNull()
    const line = Buffer.from(`a: ${"b".repeat(10_000)}\r\n`)
    const passed = Array.from({ length: 5 }, () => heads.filter(line)).map((part) => part?.length ?? 0)
    expect(passed).toEqual([0, 0, 0, ok.length + 4 * line.length, line.length])
  })

  it("8.5 the heads of the next request are filtered again", () => {
    const heads = new ResponseHeads()
    const pass = (text: string): string | undefined => heads.filter(Buffer.from(text))?.toString()
    const hundred = "HTTP/1.1 100 C\r\n\r\n"
    expect(pass(hundred)).toBe(hundred)
    for (let request = 0; request < 2; request++) {
      heads.expectHead()
      expect(pass(hundred)).toBeUndefined()
      expect(pass(hundred + ok + end)).toBe(ok + end)
      expect(pass(hundred)).toBe(hundred)
      // The start of a head that never completes.
      heads.expectHead()
      expect(pass(ok)).toBeUndefined()
    }
  })
})
