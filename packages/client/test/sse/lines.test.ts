import { FastCheck as fc } from "effect"
import { describe, expect, it } from "vitest"
import { type LineDecoder, LineReader, makeLineDecoder, utf8Length } from "../../src/sse/lines.js"

const encoder = new TextEncoder()
const bytesOf = (text: string): Uint8Array => encoder.encode(text)

const split = (bytes: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size)
  )

interface Outcome {
  readonly lines: ReadonlyArray<string>
  readonly exceeded: boolean
}

/** All lines of a chunk. */
const feed = (decoder: LineDecoder, chunk: Uint8Array): ReadonlyArray<string> => {
  decoder.write(chunk)
  return Array.from(drained(decoder)).flat()
}

function* drained<A>(reader: { readonly next: () => A | undefined }): Generator<A> {
  for (let read = reader.next(); read !== undefined; read = reader.next()) yield read
}

const run = (chunks: ReadonlyArray<Uint8Array>, maxLineBytes?: number): Outcome => {
  const decoder = makeLineDecoder(maxLineBytes === undefined ? undefined : { maxLineBytes })
  const lines = chunks.flatMap((chunk) => feed(decoder, chunk))
  return { lines: [...lines, ...decoder.end()], exceeded: decoder.exceeded }
}

const reference = (body: Uint8Array): ReadonlyArray<string> =>
  new TextDecoder()
    .decode(body)
    .split("\n")
    .map((line) => line.replace(/\r$/, ""))
    .filter((line) => !/^[ \t\r]*$/.test(line))

describe("makeLineDecoder", () => {
  it.each<readonly [rule: string, body: string, lines: ReadonlyArray<string>]>([
    ["an empty body has no lines", "", []],
    ["LF and CRLF end a line", "1\n2\r\n3\n", ["1", "2", "3"]],
    ["the last line needs no line end", "1\n2", ["1", "2"]],
    ["a CR at the end of the body is dropped", "1\n2\r", ["1", "2"]],
    ["blank lines are skipped", "\n\r\n1\n \t\r\n\n2\n\n", ["1", "2"]],
    ["other white space is kept", " 1 \n\t2\n", [" 1 ", "\t2"]],
    ["a lone CR does not end a line", "1\r2\n", ["1\r2"]],
    ["one leading BOM is dropped", "\ufeff1\n\ufeff2\n", ["1", "\ufeff2"]],
    ["U+2028 and U+0085 do not end a line", '"\u2028\u0085"\n', ['"\u2028\u0085"']],
    ["multi-byte characters survive any split", '"из 漢 😀"\n', ['"из 漢 😀"']]
  ])("%s", (_rule, body, lines) => {
    for (const size of [1, 2, 3, 1000]) {
      expect(run(split(bytesOf(body), size)).lines).toStrictEqual(lines)
    }
    expect(reference(bytesOf(body))).toStrictEqual(lines)
  })

  it("emits a line as soon as its line end arrives", () => {
    const decoder = makeLineDecoder()
    expect(feed(decoder, bytesOf("1\r"))).toStrictEqual([])
    expect(feed(decoder, bytesOf("\n2"))).toStrictEqual(["1"])
    expect(decoder.end()).toStrictEqual(["2"])
    expect(feed(decoder, bytesOf("\ufeff3\n"))).toStrictEqual(["3"])
  })

  it("flushes a truncated last character as U+FFFD", () => {
    expect(run([Uint8Array.of(0x61, 0xe2, 0x82)]).lines).toStrictEqual(["a\ufffd"])
  })

  it.each<readonly [body: string, limit: number, lines: ReadonlyArray<string>, exceeded: boolean]>([
    ["123\n1234\n", 4, ["123", "1234"], false],
    ["123\n12345\n1\n", 4, ["123"], true],
    ["123\n12345", 4, ["123"], true],
    ["\ufeff1234\n", 4, ["1234"], false],
    ["éé\n", 4, ["éé"], false],
    ["ééé\n", 4, [], true],
    ["1".repeat(100), 4, [], true]
  ])("stops %j at a limit of %d bytes per line", (body, limit, lines, exceeded) => {
    for (const size of [1, 2, 3, 1000]) {
      expect(run(split(bytesOf(body), size), limit)).toStrictEqual({ lines, exceeded })
    }
  })

  it("any split of any bytes gives the lines of the complete body", () => {
    const piece = fc.oneof(
      fc.constantFrom("\n", "\r\n", "\r", "\ufeff", "{}", " ", "é", "漢", "😀").map(bytesOf),
      fc.uint8Array({ maxLength: 8 })
    )
    const body = fc.array(piece, { maxLength: 30 }).map((pieces) => new Uint8Array(Buffer.concat(pieces)))
    fc.assert(
      fc.property(
        body,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 20 }),
        (bytes, size, limit) => {
          expect(run(split(bytes, size)).lines).toStrictEqual(reference(bytes))
          expect(run(split(bytes, size), limit)).toStrictEqual(run([bytes], limit))
        }
      ),
      { numRuns: 1000 }
    )
  })
})

describe("LineReader", () => {
  it("every block ends with a line end, and the blocks together are the body", () => {
    const body = bytesOf(
      Array.from({ length: 9000 }, (_, index) => `${index} ${index % 900 ? "" : "é"}\r\n`).join("")
    )
    for (const size of [1, 1000, 65_536, body.length]) {
      const blocks: Array<string> = []
      const reader = new LineReader(false)
      for (const chunk of split(body, size)) {
        reader.write(chunk)
        for (const text of drained(reader)) {
          blocks.push(text)
          expect(reader.sizeOf(text, 1, text.length)).toBe(bytesOf(text.slice(1)).length)
        }
      }
      expect(blocks.every((block) => block.endsWith("\n"))).toBe(true)
      expect(blocks.join("") === new TextDecoder().decode(body)).toBe(true)
      expect(reader.pendingBytes).toBe(0)
    }
  })

  it("pendingBytes excludes the byte order mark", () => {
    const reader = new LineReader(true)
    const pendingAfter = (bytes: Uint8Array): number => {
      reader.write(bytes)
      Array.from(drained(reader))
      return reader.pendingBytes
    }
    const pending = [0xef, 0xbb, 0xbf, 0x31, 0x32].map((byte) => pendingAfter(Uint8Array.of(byte)))
    expect(pending).toStrictEqual([0, 0, 0, 1, 2])
    expect(pendingAfter(bytesOf("\n"))).toBe(0)
    expect(pendingAfter(Uint8Array.of(0xef))).toBe(1)
  })

  it("reads no more of a chunk than is taken", () => {
    const reader = new LineReader(true)
    const line = `${"x".repeat(600)}\n`
    const chunk = bytesOf(`${line}${line}${line}rest`)
    reader.write(chunk)
    expect(reader.next()).toBe(line)
    chunk.fill(0x79, line.length, 2 * line.length - 1)
    expect(reader.next()).toBe(`${"y".repeat(600)}\n`)
    expect(Array.from(drained(reader))).toStrictEqual([line])
    // The rest is a copy.
    chunk.fill(0)
    reader.finish()
    expect(Array.from(drained(reader))).toStrictEqual(["rest\n"])
  })

  it("drops the unread part of a chunk when it is reset", () => {
    const reader = new LineReader(true)
    reader.write(bytesOf(`${"x".repeat(1200)}\nsecond\nrest`))
    reader.next()
    reader.reset()
    reader.write(bytesOf("\ufeffother\n"))
    expect(Array.from(drained(reader))).toStrictEqual(["other\n"])
  })
})

describe("utf8Length", () => {
  it("is the length of the UTF-8 encoding", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (before, text) => {
        const whole = before + text
        expect(utf8Length(whole, before.length, whole.length)).toBe(bytesOf(text).length)
      })
    )
  })
})
