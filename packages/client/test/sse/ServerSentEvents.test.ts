import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Either, FastCheck as fc, Stream } from "effect"
import * as ServerSentEvents from "../../src/sse/ServerSentEvents.js"

type Event = ServerSentEvents.ServerSentEvent
type Unterminated = "drop" | "emit"

interface Vector {
  readonly name: string
  readonly chunks: ReadonlyArray<string | { readonly hex: string }>
  readonly events: ReadonlyArray<Event>
}

const vectors: { readonly cases: ReadonlyArray<Vector> } = JSON.parse(
  readFileSync(new URL("../vectors/sse.json", import.meta.url), "utf8")
)

const encoder = new TextEncoder()
const bytesOf = (text: string): Uint8Array => encoder.encode(text)
const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(parts))

interface Outcome {
  readonly events: ReadonlyArray<Event>
  readonly tooLarge: boolean
  readonly lastEventId: string | undefined
  readonly retry: number | undefined
}

const run = (
  chunks: ReadonlyArray<Uint8Array>,
  options?: ServerSentEvents.DecoderOptions,
  decoder: ServerSentEvents.Decoder = ServerSentEvents.makeDecoder(options)
): Outcome => {
  const events: Array<Event> = []
  for (const chunk of chunks) events.push(...decoder.feed(chunk))
  events.push(...decoder.end())
  return {
    events,
    tooLarge: decoder.failure !== undefined,
    lastEventId: decoder.lastEventId,
    retry: decoder.retry
  }
}

const decodeText = (text: string, options?: ServerSentEvents.DecoderOptions): Outcome =>
  run([bytesOf(text)], options)

const split = (bytes: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size)
  )

/** The standard's algorithm, written out for a complete body, with the documented size limit. */
const reference = (body: Uint8Array, unterminated: Unterminated = "drop", cap = Infinity): Outcome => {
  const lines = new TextDecoder().decode(body).split(/\r\n|\n|\r/)
  const last = lines.pop() ?? ""
  const events: Array<Event> = []
  let data = ""
  let type = ""
  let idBuffer: string | undefined
  let blockRetry: number | undefined
  let held = 0
  let lastEventId: string | undefined
  let retry: number | undefined
  const outcome = (tooLarge: boolean): Outcome => ({ events, tooLarge, lastEventId, retry })
  const dispatch = (): void => {
    lastEventId = idBuffer
    if (data !== "") {
      events.push({
        event: type === "" ? "message" : type,
        data: data.slice(0, -1),
        ...(lastEventId === undefined ? {} : { id: lastEventId }),
        ...(blockRetry === undefined ? {} : { retry: blockRetry })
      })
    }
    data = ""
    type = ""
    blockRetry = undefined
    held = 0
  }
  const process = (line: string): boolean => {
    if (line === "") {
      dispatch()
      return true
    }
    const size = bytesOf(line).length
    if (held + size > cap) return false
    const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === "event") type = value
    if (name === "data") {
      data += `${value}\n`
      held += size
    }
    if (name === "id" && !value.includes("\0")) idBuffer = value
    if (name === "retry" && /^[0-9]+$/.test(value)) {
      retry = Math.min(Number(value), Number.MAX_SAFE_INTEGER)
      blockRetry = retry
    }
    return true
  }
  for (const line of lines) if (!process(line)) return outcome(true)
  if (unterminated === "emit") {
    if (last !== "" && !process(last)) return outcome(true)
    if (data !== "") dispatch()
  } else if (held + bytesOf(last).length > cap) {
    return outcome(true)
  }
  return outcome(false)
}

/** Bodies made of valid and invalid parts. */
const text = fc.oneof(
  fc.constantFrom(
    "",
    "a",
    " ",
    "  x",
    ":",
    "é",
    "из",
    "漢字",
    "😀",
    "\u2028",
    "\0",
    "\ufeff",
    "12",
    "007",
    "data"
  ),
  fc.string({ unit: "grapheme", maxLength: 20 }).map((value) => value.replace(/[\r\n]/g, "")),
  fc.integer({ min: 0, max: 200 }).map((length) => "x".repeat(length))
)
const name = fc.constantFrom(
  "data",
  "data",
  "data",
  "event",
  "id",
  "retry",
  "Data",
  "dat",
  "data ",
  "events",
  ""
)
const line = fc.oneof(
  fc.tuple(name, fc.constantFrom(":", ": ", ":  "), text).map((parts) => parts.join("")),
  name,
  text,
  fc.constant(""),
  fc.constant("")
)
const lineEnd = fc.oneof(fc.constant("\n"), fc.constantFrom("\n", "\r", "\r\n", "\r\n\r\n", "\n\r"))
const validBody = fc
  .array(fc.tuple(line, lineEnd), { maxLength: 30 })
  .chain((lines) =>
    fc
      .tuple(fc.constantFrom("", "\ufeff", "\ufeff\ufeff"), fc.option(line, { nil: "" }))
      .map(([start, last]) => bytesOf(start + lines.map((parts) => parts.join("")).join("") + last))
  )
const anyBody = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: validBody },
      {
        weight: 1,
        arbitrary: fc
          .array(
            fc.constantFrom(
              0xef,
              0xbb,
              0xbf,
              0xe2,
              0x82,
              0xf0,
              0x9f,
              0xc3,
              0xed,
              0xa0,
              0x80,
              0xff,
              10,
              13,
              0x61
            )
          )
          .map((bytes) => Uint8Array.from(bytes))
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) }
    ),
    { maxLength: 4 }
  )
  .map(concat)
const unterminated = fc.constantFrom<Unterminated>("drop", "emit")

/** Cuts at the given positions, modulo the length. Chunks may be empty. */
const cut = (bytes: Uint8Array, positions: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const at = [...positions.map((position) => position % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b
  )
  return at.map((to, index) => bytes.slice(at[index - 1] ?? 0, to))
}
const positions = fc.array(fc.nat(), { maxLength: 12 })

describe("makeDecoder", () => {
  it.each(vectors.cases)("9.1 vector: $name", ({ chunks, events }) => {
    const bytes = chunks.map((chunk) =>
      typeof chunk === "string" ? bytesOf(chunk) : new Uint8Array(Buffer.from(chunk.hex, "hex"))
    )
    expect(run(bytes).events).toStrictEqual(events)
    expect(run(split(concat(bytes), 1)).events).toStrictEqual(events)
    expect(reference(concat(bytes)).events).toStrictEqual(events)
  })

  const message = (data: string): Event => ({ event: "message", data })

  it.each<readonly [rule: string, body: string, events: ReadonlyArray<Event>]>([
    ["an empty body has no events", "", []],
    ["blank lines give no events", "\n\r\n\r\n\n", []],
    ["LF CR is two line ends", "data: 1\n\rdata: 2\n\r", [message("1"), message("2")]],
    ["CRLF CR is two line ends", "data: 1\r\n\rdata: 2\r\n\r", [message("1"), message("2")]],
    ["a second BOM is part of the field name", "\ufeff\ufeffdata: 1\n\n", []],
    ["a BOM inside the body is kept", "data: \ufeff\n\n\ufeffdata: 2\n\n", [message("\ufeff")]],
    [
      "only one leading space is removed",
      "data:  1\n\ndata:\t2\n\ndata:3\n\n",
      [message(" 1"), message("\t2"), message("3")]
    ],
    ["`data` alone is an empty line", "data\n\n", [message("")]],
    ["`data:` alone is an empty line", "data:\n\ndata: \n\n", [message(""), message("")]],
    ["two empty data lines join with a line break", "data\ndata\n\n", [message("\n")]],
    ["`data` without a colon adds an empty line", "data: 1\ndata\ndata:2\n\n", [message("1\n\n2")]],
    ["a value may contain a colon", "data: a: b\n\n", [message("a: b")]],
    ["comments", ":\n: x\n:data: no\ndata: 1\n:y\n\n", [message("1")]],
    ["field names match exactly", "Data: 1\n data: 2\ndata : 3\ndatas: 4\ndat: 5\nx\n\n", []],
    ["unknown fields are ignored", "foo: bar\ndata: 1\nfoo\n\n", [message("1")]],
    [
      "the event type resets after each event",
      "event: a\n\ndata: 1\n\nevent: b\ndata: 2\n\ndata: 3\n\n",
      [message("1"), { event: "b", data: "2" }, message("3")]
    ],
    [
      "the last event type wins, and an empty one is `message`",
      "event: a\nevent: b\ndata: 1\n\nevent: a\nevent\ndata: 2\n\n",
      [{ event: "b", data: "1" }, message("2")]
    ],
    ["the event type may follow the data", "data: 1\nevent: a\n\n", [{ event: "a", data: "1" }]],
    ["an event type keeps its spaces", "event:  a \ndata: 1\n\n", [{ event: " a ", data: "1" }]],
    [
      "an empty id resets the id",
      "id: 1\ndata: 1\n\nid\ndata: 2\n\ndata: 3\n\n",
      [
        { event: "message", data: "1", id: "1" },
        { event: "message", data: "2", id: "" },
        { event: "message", data: "3", id: "" }
      ]
    ],
    [
      "an id without data applies to the next event",
      "id: 1\n\ndata: 1\n\n",
      [{ event: "message", data: "1", id: "1" }]
    ],
    ["the id may follow the data", "data: 1\nid: 1\n\n", [{ event: "message", data: "1", id: "1" }]],
    ["a retry without data does not apply to the next event", "retry: 5\n\ndata: 1\n\n", [message("1")]],
    [
      "a retry must be ASCII digits",
      ["", "+1", "-1", "1.5", "1e3", "0x1", " 1", "1 ", "١"]
        .map((value) => `retry: ${value}\ndata: 1\n\n`)
        .join(""),
      Array.from({ length: 9 }, () => message("1"))
    ],
    [
      "the last valid retry wins, with leading zeros",
      "retry: 007\nretry:8\nretry: x\ndata: 1\n\n",
      [{ event: "message", data: "1", retry: 8 }]
    ],
    [
      "a retry is capped at the largest safe integer",
      `retry: ${"9".repeat(400)}\ndata: 1\n\n`,
      [{ event: "message", data: "1", retry: Number.MAX_SAFE_INTEGER }]
    ],
    ["NUL is data", "data: a\0b\n\n", [message("a\0b")]]
  ])("9.1 %s", (_rule, body, events) => {
    expect(decodeText(body).events).toStrictEqual(events)
    expect(reference(bytesOf(body)).events).toStrictEqual(events)
  })

  it.each<readonly [hex: string, data: string]>([
    ["ff", "\ufffd"],
    ["c3", "\ufffd"],
    ["e282", "\ufffd"],
    ["f09f98", "\ufffd"],
    ["c080", "\ufffd\ufffd"],
    ["eda080", "\ufffd\ufffd\ufffd"],
    ["f0808080", "\ufffd\ufffd\ufffd\ufffd"],
    ["e28261", "\ufffda"]
  ])("9.1 the invalid bytes %s become U+FFFD", (hex, data) => {
    const value = new Uint8Array(Buffer.from(hex, "hex"))
    const body = concat([bytesOf("data: 1\n\ndata: "), value, bytesOf("\n\n")])
    // Alone, after ASCII and after other text: each takes a different decoding path.
    expect(run([value, bytesOf("\n"), body]).events).toStrictEqual([message("1"), message(data)])
    expect(run([body]).events[1]).toStrictEqual(message(data))
    expect(run([bytesOf("data: é\n\n"), body]).events[2]).toStrictEqual(message(data))
    expect(run(split(concat([bytesOf("data: é\n\n"), body]), 1)).events[2]).toStrictEqual(message(data))
  })

  it("9.1 the CR that completes an event emits it, and the LF that follows is not a blank line", () => {
    const decoder = ServerSentEvents.makeDecoder()
    expect(decoder.feed(bytesOf("data: 1\r\n\r"))).toStrictEqual([message("1")])
    expect(decoder.feed(bytesOf("\ndata: 2\r"))).toStrictEqual([])
    expect(decoder.feed(bytesOf("\n"))).toStrictEqual([])
    expect(decoder.feed(bytesOf("\r"))).toStrictEqual([message("2")])
    expect(decoder.feed(new Uint8Array(0))).toStrictEqual([])
    expect(decoder.feed(bytesOf("\n"))).toStrictEqual([])
    expect(decoder.feed(bytesOf("data: 3\r\r"))).toStrictEqual([message("3")])
  })

  it("9.1 lastEventId and retry change without an event", () => {
    const decoder = ServerSentEvents.makeDecoder()
    expect([decoder.lastEventId, decoder.retry]).toStrictEqual([undefined, undefined])
    decoder.feed(bytesOf("id: 7\nretry: 250\n"))
    // In the standard a retry applies with its line, an id with the blank line.
    expect([decoder.lastEventId, decoder.retry]).toStrictEqual([undefined, 250])
    decoder.feed(bytesOf("\n"))
    expect([decoder.lastEventId, decoder.retry]).toStrictEqual(["7", 250])
    decoder.feed(bytesOf("id: 8\ndata: lost"))
    expect(decoder.end()).toStrictEqual([])
    expect([decoder.lastEventId, decoder.retry]).toStrictEqual(["7", 250])
  })

  it("9.1 after end(), the decoder reads a new body and keeps the last id", () => {
    const decoder = ServerSentEvents.makeDecoder()
    run([bytesOf("id: 7\ndata: 1\n\nid: 8\nevent: lost\nretry: 9\ndata: lost\r")], undefined, decoder)
    const events = run([bytesOf("\ufeffdata: 2\n\n")], undefined, decoder).events
    expect(events).toStrictEqual([{ event: "message", data: "2", id: "7" }])
  })

  it("9.1 does not keep the caller's buffer", () => {
    const decoder = ServerSentEvents.makeDecoder()
    const buffer = new Uint8Array(1)
    const events = [...bytesOf("data: из\n\n")].flatMap((byte) => {
      buffer[0] = byte
      return decoder.feed(buffer)
    })
    expect(events).toStrictEqual([message("из")])
  })

  it("9.1 a chunk may be a view of a larger buffer", () => {
    const bytes = bytesOf("xxdata: 1\n\ndata: 2\n\nxx")
    expect(run([bytes.subarray(2, 13), Buffer.from(bytes.buffer, 13, 7)]).events).toStrictEqual([
      message("1"),
      message("2")
    ])
  })

  it.each<readonly [rest: string, event: Event | undefined]>([
    ["", undefined],
    ["event: a", undefined],
    ["id: 2\n", undefined],
    [": x", undefined],
    ["data: 2", message("2")],
    ["data: 2\n", message("2")],
    ["data: 2\r", message("2")],
    ["data", message("")],
    ["event: a\ndata: 2\ndata: 3", { event: "a", data: "2\n3" }],
    ["data: 2\nevent: a", { event: "a", data: "2" }],
    ["data: 2\nid: 3\nretry: 4", { event: "message", data: "2", id: "3", retry: 4 }]
  ])("9.3 the unterminated %j is dropped by default, and emitted with `emit`", (rest, event) => {
    const body = `data: 1\n\n${rest}`
    expect(decodeText(body).events).toStrictEqual([message("1")])
    expect(decodeText(body, { unterminated: "drop" }).events).toStrictEqual([message("1")])
    const emitted = decodeText(body, { unterminated: "emit" })
    expect(emitted.events).toStrictEqual(event === undefined ? [message("1")] : [message("1"), event])
    expect(emitted.lastEventId).toBe(event?.id)
  })

  it("9.3 a truncated last character becomes U+FFFD", () => {
    const body = concat([bytesOf("data: a"), Uint8Array.of(0xe2, 0x82)])
    expect(run([body], { unterminated: "emit" }).events).toStrictEqual([message("a\ufffd")])
    expect(run(split(body, 1), { unterminated: "emit" }).events).toStrictEqual([message("a\ufffd")])
  })
})

describe("the size limit of an event", () => {
  const limited = (body: string, maxEventBytes: number, size = 1_000_000): Outcome =>
    run(split(bytesOf(body), size), { maxEventBytes })

  it.each<readonly [rule: string, body: string, limitBytes: number, events: number, tooLarge: boolean]>([
    ["a data line of exactly the limit", "data: 12\n\n", 8, 1, false],
    ["a data line above the limit", "data: 123\n\n", 8, 0, true],
    ["an unterminated line above the limit", "data: 123", 8, 0, true],
    ["a byte order mark is not counted", "\ufeffdata: 12\n\n", 8, 1, false],
    ["several data lines within the limit", "data: 1\ndata: 2\n\n", 14, 1, false],
    ["several data lines above the limit", "data: 1\ndata: 2\n\n", 13, 0, true],
    ["each event is counted from zero", "data: 1\n\n".repeat(9), 8, 9, false],
    ["earlier events are emitted", "data: 1\n\ndata: 123\n\ndata: 2\n\n", 8, 1, true],
    ["bytes are counted, not characters", "data: éé\n\n", 9, 0, true],
    ["multi-byte characters within the limit", "data: éé\n\ndata: 😀\n\n", 10, 2, false],
    ["a comment above the limit", `:${"x".repeat(20)}\n`, 20, 0, true],
    ["many comments within the limit", ": 3456789\n".repeat(20), 10, 0, false],
    ["many unknown fields within the limit", "x: 456789\n".repeat(20), 10, 0, false],
    ["an event type above the limit", "event: 345678\n\n", 12, 0, true]
  ])("9.2 %s", (_rule, body, limitBytes, events, tooLarge) => {
    for (const size of [1, 2, 3, 5, 8, 13, 1000]) {
      const outcome = limited(body, limitBytes, size)
      expect([outcome.events.length, outcome.tooLarge]).toStrictEqual([events, tooLarge])
    }
  })

  it("9.2 exceeding the limit sets decoder.failure, and no event follows", () => {
    const decoder = ServerSentEvents.makeDecoder({ maxEventBytes: 10 })
    expect(decoder.feed(bytesOf("data: 1\n\ndata: 12345"))).toHaveLength(1)
    expect(decoder.failure).toBeInstanceOf(ServerSentEvents.EventTooLargeError)
    expect(decoder.failure).toMatchObject({ _tag: "EventTooLargeError", limitBytes: 10 })
    expect(decoder.failure?.message).toBe("A server-sent event is larger than 10 bytes")
    expect(decoder.feed(bytesOf("\n\ndata: 2\n\n"))).toStrictEqual([])
    expect(decoder.end()).toStrictEqual([])
  })

  it.each([
    ["data: ", "x"],
    [":", "x"],
    ["unknown: ", "x"],
    ["", "data: x\n"]
  ])("9.2 an endless %j%j fails within one chunk of the limit", (start, more) => {
    const decoder = ServerSentEvents.makeDecoder({ maxEventBytes: 100_000 })
    decoder.feed(bytesOf(start))
    const chunk = bytesOf(more.repeat(1000))
    let fed = 0
    while (decoder.failure === undefined && fed < 1_000_000) {
      decoder.feed(chunk)
      fed += chunk.length
    }
    expect(fed).toBeLessThanOrEqual(100_000 * 1.2 + chunk.length)
  })

  it("9.2 the default limit is 16 MiB", () => {
    const mebibyte = new Uint8Array(1024 * 1024).fill(0x78)
    const decoder = ServerSentEvents.makeDecoder()
    for (let count = 0; count < 16; count++) decoder.feed(mebibyte)
    expect(decoder.failure).toBeUndefined()
    decoder.feed(Uint8Array.of(0x78))
    expect(decoder.failure?.limitBytes).toBe(16 * 1024 * 1024)
  })

  it("9.2 any split of a valid body stops at the same event as the reference", () => {
    fc.assert(
      fc.property(
        validBody,
        positions,
        unterminated,
        fc.integer({ min: 1, max: 60 }),
        (body, at, rest, cap) => {
          const options = { maxEventBytes: cap, unterminated: rest }
          const expected = reference(body, rest, cap)
          for (const chunks of [[body], split(body, 1), cut(body, at)]) {
            const outcome = run(chunks, options)
            expect(outcome.events).toStrictEqual(expected.events)
            expect(outcome.tooLarge).toBe(expected.tooLarge)
          }
        }
      ),
      { numRuns: 500 }
    )
  })

  it("9.2 any split of arbitrary bytes gives the same events and failure", () => {
    fc.assert(
      fc.property(
        anyBody,
        positions,
        unterminated,
        fc.integer({ min: 1, max: 60 }),
        (body, at, rest, cap) => {
          const options = { maxEventBytes: cap, unterminated: rest }
          expect(run(cut(body, at), options)).toStrictEqual(run([body], options))
        }
      ),
      { numRuns: 500 }
    )
  })
})

describe("any split", () => {
  it("9.1 any split of any bytes gives the events of the standard's algorithm", () => {
    fc.assert(
      fc.property(anyBody, positions, unterminated, (body, at, rest) => {
        const expected = reference(body, rest)
        for (const chunks of [[body], split(body, 1), split(body, 2), cut(body, at)]) {
          expect(run(chunks, { unterminated: rest })).toStrictEqual(expected)
        }
      }),
      { numRuns: 1000 }
    )
  })

  it.each(["\n", "\r\n", "\r"])("9.2 decodes bodies of many blocks with the line end %j", (end) => {
    for (let shift = 0; shift < 24; shift++) {
      const body = bytesOf(
        `:${"x".repeat(shift)}${end}` +
          Array.from({ length: 7000 }, (_, index) => {
            const data = index % 1000 < 100 ? `${index} é — 漢` : `${index}`
            return index === 3000 ? `data: ${"y".repeat(40_000)}${end}${end}` : `data: ${data}${end}${end}`
          }).join("")
      )
      const expected = reference(body).events
      expect(expected).toHaveLength(7000)
      expect(run([body]).events).toStrictEqual(expected)
      if (shift === 0) {
        for (const size of [7, 1000, 32 * 1024, 65_536]) {
          expect(run(split(body, size)).events).toStrictEqual(expected)
        }
      }
    }
  })

  it("9.2 decodes one large event from small chunks", () => {
    const data = "0123456789abcde\u00e9".repeat(256 * 1024)
    const [event] = run(split(bytesOf(`data: ${data}\n\n`), 16)).events
    expect(event?.data === data).toBe(true)
  })
})

describe("decode", () => {
  const message = (data: string): Event => ({ event: "message", data })
  const collect = <E>(stream: Stream.Stream<Event, E>): Effect.Effect<ReadonlyArray<Event>, E> =>
    Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

  it.effect("9.2 one network chunk gives one chunk of events, or no chunk if it has none", () =>
    Effect.gen(function* () {
      const body = Stream.make("data: 1\n\ndata: 2\n\nda", "ta: 3", "\n\n").pipe(
        Stream.encodeText,
        Stream.rechunk(1)
      )
      const chunks = yield* body.pipe(ServerSentEvents.decode, Stream.chunks, Stream.runCollect)
      expect(Chunk.toReadonlyArray(chunks).map((chunk) => Chunk.toReadonlyArray(chunk))).toStrictEqual([
        [message("1"), message("2")],
        [message("3")]
      ])
    })
  )

  it.effect("9.2 decodes a chunk of several byte arrays", () =>
    Effect.gen(function* () {
      const body = Stream.fromIterable(["data: 1\n\nda", "ta: 2\n\n"].map(bytesOf))
      const chunks = yield* body.pipe(ServerSentEvents.decode, Stream.chunks, Stream.runCollect)
      expect(Chunk.toReadonlyArray(chunks).map((chunk) => Chunk.toReadonlyArray(chunk))).toStrictEqual([
        [message("1"), message("2")]
      ])
    })
  )

  it.effect("9.3 emits the unterminated event with `emit`, and each run decodes from the start", () =>
    Effect.gen(function* () {
      const body = Stream.make(bytesOf("data: 1\n\nda"), bytesOf("ta: 2"))
      expect(yield* collect(ServerSentEvents.decode(body))).toStrictEqual([message("1")])
      const emitting = ServerSentEvents.decode(body, { unterminated: "emit" })
      expect(yield* collect(emitting)).toStrictEqual([message("1"), message("2")])
      expect(yield* collect(emitting)).toStrictEqual([message("1"), message("2")])
    })
  )

  it.effect("9.2 fails above the limit after emitting earlier events, and releases the body", () =>
    Effect.gen(function* () {
      const seen: Array<Event> = []
      let released = false
      const body = Stream.make(bytesOf("data: 1\n\ndata: 12345"), bytesOf("\n\n")).pipe(
        Stream.concat(Stream.never),
        Stream.ensuring(Effect.sync(() => (released = true)))
      )
      const outcome = yield* ServerSentEvents.decode(body, { maxEventBytes: 10 }).pipe(
        Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
        Effect.either
      )
      expect(seen).toStrictEqual([message("1")])
      expect(outcome).toStrictEqual(Either.left(new ServerSentEvents.EventTooLargeError({ limitBytes: 10 })))
      expect(released).toBe(true)
    })
  )

  it.effect("9.2 fails above the limit at the end of the body", () =>
    Effect.gen(function* () {
      const body = Stream.make(concat([bytesOf("data: "), Uint8Array.of(0xff, 0xff)]))
      const outcome = yield* ServerSentEvents.decode(body, { maxEventBytes: 10, unterminated: "emit" }).pipe(
        Stream.runDrain,
        Effect.either
      )
      expect(Either.isLeft(outcome)).toBe(true)
    })
  )

  it.effect("9.3 a failing body keeps its error, and its unterminated event is dropped", () =>
    Effect.gen(function* () {
      const seen: Array<Event> = []
      const body = Stream.make(bytesOf("data: 1\n\ndata: 2")).pipe(
        Stream.concat(Stream.fail("reset" as const))
      )
      const outcome = yield* ServerSentEvents.decode(body, { unterminated: "emit" }).pipe(
        Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
        Effect.either
      )
      expect(seen).toStrictEqual([message("1")])
      expect(outcome).toStrictEqual(Either.left("reset"))
    })
  )
})
