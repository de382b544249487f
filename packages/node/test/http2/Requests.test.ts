import { createServer } from "node:http2"
import { Readable } from "node:stream"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { listening } from "../fixtures/clients.js"
import * as Frames from "../fixtures/frames.js"
import { codeOf, connected, ownedConnection, type Sending } from "../fixtures/http2.js"

const { code, data, flag, headers, ok, reset, settings, type, windowUpdate } = Frames

interface Seen {
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body: string
}

/** A Node server that echoes what it received. */
const echo = Effect.map(
  listening(() =>
    createServer().on("stream", (stream, headers) => {
      const chunks: Array<Buffer> = []
      stream.on("error", () => undefined)
      stream.on("data", (chunk: Buffer) => chunks.push(chunk))
      stream.on("end", () => {
        if (stream.aborted) return
        const body = Buffer.concat(chunks).toString("latin1")
        stream.respond({ ":status": 200 })
        stream.end(JSON.stringify({ headers, body }))
      })
    })
  ),
  ({ port }) => port
)

const seen = (sending: Sending) =>
  Effect.gen(function* () {
    const own = yield* ownedConnection(yield* echo)
    const exchange = own.send(sending)
    expect(yield* Effect.promise(() => exchange.ended)).toEqual({ is: "completed" })
    return JSON.parse(exchange.text) as Seen
  })

interface Head {
  readonly what: string
  readonly sending: Sending
  readonly sent: Readonly<Record<string, unknown>>
}

const heads: ReadonlyArray<Head> = [
  {
    what: "the origin's authority",
    sending: { origin: "http://localhost:8080", path: "/a?b=c" },
    sent: { ":method": "GET", ":scheme": "http", ":authority": "localhost:8080", ":path": "/a?b=c" }
  },
  {
    what: "no default port",
    sending: { origin: "https://localhost:443" },
    sent: { ":scheme": "https", ":authority": "localhost" }
  },
  {
    what: "no user and no password",
    sending: { origin: "https://user:secret@localhost" },
    sent: { ":authority": "localhost" }
  },
  {
    what: "the host header as the authority",
    sending: { headers: ["host", "elsewhere.test:81"] },
    sent: { ":authority": "elsewhere.test:81", host: undefined }
  },
  {
    what: "no connection headers of HTTP/1.1",
    sending: {
      headers: ["connection", "keep-alive", "keep-alive", "timeout=5", "proxy-connection", "close"]
    },
    sent: { connection: undefined, "keep-alive": undefined, "proxy-connection": undefined }
  },
  { what: "te: trailers", sending: { headers: ["te", "trailers"] }, sent: { te: "trailers" } },
  {
    what: "lower-case names",
    sending: { headers: ["X-Name", "A"] },
    sent: { "x-name": "A" }
  },
  {
    what: "a repeated name",
    sending: { headers: ["x-name", "a", "x-name", "b", "accept", "c", "accept", "d"] },
    sent: { "x-name": "a, b", accept: "c, d" }
  },
  {
    what: "non-ASCII values, one octet per character",
    sending: { headers: ["x-name", "caf\u00e9 \u00ff"] },
    sent: { "x-name": "caf\u00e9 \u00ff" }
  },
  {
    what: "secrets",
    sending: { headers: ["authorization", "Bearer a", "cookie", "a=1; b=2", "x-api-key", "k"] },
    sent: { authorization: "Bearer a", cookie: "a=1; b=2", "x-api-key": "k" }
  },
  { what: "no length without a body", sending: {}, sent: { "content-length": undefined } },
  { what: "a length of zero", sending: { method: "POST" }, sent: { "content-length": "0" } },
  {
    what: "a length of zero, despite a declared length",
    sending: { method: "POST", body: "", headers: ["content-length", "5"] },
    sent: { "content-length": "0" }
  },
  {
    what: "no length for GET, despite a declared length",
    sending: { headers: ["content-length", "5"] },
    sent: { "content-length": undefined }
  },
  {
    what: "the length of a text",
    sending: { method: "POST", body: "\u00e9" },
    sent: { "content-length": "2" }
  }
]

describe("the head of a request", () => {
  it.scopedLive.each(heads)("4.1 has $what", ({ sending, sent }) =>
    Effect.gen(function* () {
      const { headers } = yield* seen(sending)
      for (const [name, value] of Object.entries(sent)) expect([name, headers[name]]).toEqual([name, value])
    })
  )

  it.scopedLive("4.1 may be larger than Node's default", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      const exchange = own.send({ headers: ["x-name", "a".repeat(900_000)] })
      yield* Effect.promise(async () => {
        await peer.next(type.continuation, flag.endHeaders)
        peer.write(headers(1, [[":status", "431"]], flag.end))
        expect(await exchange.ended).toEqual({ is: "completed" })
      })
    })
  )

  it.scopedLive("4.1 keeps secrets out of compression tables (RFC 7541, 7.1.3)", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      own.send({ headers: ["authorization", "a", "cookie", "b", "user-agent", "c"] })
      const { payload } = yield* Effect.promise(() => peer.next(type.headers))
      // RFC 7541, 6.2 and appendix A: 0x10 is never indexed, 0x40 is; these headers have the indices 23, 32 and 58.
      const has = (...octets: ReadonlyArray<number>) => payload.includes(Buffer.from(octets))
      expect([has(0x1f, 23 - 15), has(0x1f, 32 - 15), has(0x40 + 58)]).toEqual([true, true, true])
    })
  )

  const refusals: ReadonlyArray<readonly [what: string, sending: Sending, code: string]> = [
    ["te", { headers: ["te", "gzip"] }, "ERR_HTTP2_INVALID_CONNECTION_HEADERS"],
    [
      "transfer-encoding",
      { headers: ["transfer-encoding", "chunked"] },
      "ERR_HTTP2_INVALID_CONNECTION_HEADERS"
    ],
    ["upgrade", { headers: ["upgrade", "websocket"] }, "ERR_HTTP2_INVALID_CONNECTION_HEADERS"],
    ["http2-settings", { headers: ["http2-settings", "AAMAAABk"] }, "ERR_HTTP2_INVALID_CONNECTION_HEADERS"],
    [
      "two values for a single-valued header",
      { headers: ["etag", "a", "etag", "b"] },
      "ERR_HTTP2_HEADER_SINGLE_VALUE"
    ],
    ["a pseudo-header", { headers: [":path", "/b"] }, "ERR_INVALID_HTTP_TOKEN"],
    ["a name with a space", { headers: ["x name", "a"] }, "ERR_INVALID_HTTP_TOKEN"],
    ["an empty name", { headers: ["", "a"] }, "ERR_INVALID_HTTP_TOKEN"],
    ["a line end in a value", { headers: ["x-name", "a\r\nx-other: b"] }, "ERR_INVALID_CHAR"],
    ["NUL in a value", { headers: ["x-name", "a\0x-other\0b\0"] }, "ERR_INVALID_CHAR"],
    ["a character of two octets", { headers: ["x-name", "\u20ac"] }, "ERR_INVALID_CHAR"],
    ["headers of 1 MiB", { headers: ["x-name", "a".repeat(1024 * 1024)] }, "ERR_HTTP2_INVALID_HEADER_VALUE"],
    ["a path of 1 MiB", { path: `/${"a".repeat(1024 * 1024)}` }, "ERR_HTTP2_INVALID_HEADER_VALUE"],
    ["a space in the path", { path: "/a b" }, "ERR_UNESCAPED_CHARACTERS"],
    ["NUL in the path", { path: "/a\0:method\0PUT\0" }, "ERR_UNESCAPED_CHARACTERS"],
    ["an invalid method", { method: "GE T" }, "ERR_INVALID_ARG_VALUE"],
    [
      "an invalid length",
      { method: "POST", body: "a", headers: ["content-length", "1e0"] },
      "ERR_INVALID_ARG_VALUE"
    ],
    [
      "a body longer than its length",
      { method: "POST", body: "abc", headers: ["content-length", "2"] },
      "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"
    ],
    [
      "a body shorter than its length",
      { method: "POST", body: "abc", headers: ["content-length", "4"] },
      "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"
    ],
    ["a body of numbers", { method: "POST", body: {} }, "ERR_INVALID_ARG_TYPE"],
    ["a body of one number", { method: "POST", body: 1 }, "ERR_INVALID_ARG_TYPE"],
    ["a body that is locked", { method: "POST", body: locked() }, "ERR_INVALID_STATE"],
    ["a body that was read", { method: "POST", body: read() }, "ERR_INVALID_ARG_VALUE"]
  ]

  it.scopedLive.each(refusals)("6.14 is rejected before a byte is sent: %s", ([, sending, refused]) =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      const exchange = own.send(sending)
      yield* Effect.promise(async () => {
        const end = await exchange.ended
        expect([end.is, end.is === "unreachable" && codeOf(end.cause)]).toEqual(["unreachable", refused])
        expect(exchange.calls).toEqual(["begun", "unreachable"])
        own.send()
        await peer.next(type.headers)
        expect(peer.of(type.headers)).toHaveLength(1)
        expect(own.connection.freeSlots).toBe(999)
      })
    })
  )
})

function locked(): ReadableStream<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>()
  stream.getReader()
  return stream
}

function read(): Readable {
  const stream = Readable.from([Buffer.from("a")])
  stream.resume()
  return stream
}

async function* pieces(...parts: ReadonlyArray<unknown>) {
  for (const part of parts) yield await Promise.resolve(part)
}

const bodies: ReadonlyArray<readonly [what: string, body: () => unknown, text: string]> = [
  ["a text", () => "abc", "abc"],
  ["bytes", () => new Uint8Array([97, 98]), "ab"],
  ["bytes of 3 MB", () => Buffer.alloc(3_000_000, "a"), "a".repeat(3_000_000)],
  ["an ArrayBuffer", () => new Uint8Array([97, 98]).buffer, "ab"],
  ["a Blob", () => new Blob(["abc"]), "abc"],
  ["an empty Blob", () => new Blob([]), ""],
  ["a list of bytes", () => [Buffer.from("a"), Buffer.from("b")], "ab"],
  [
    "a generator",
    () =>
      pieces(Buffer.from("a"), "b", new Uint8Array([99]).buffer, new DataView(new Uint8Array([100]).buffer)),
    "abcd"
  ],
  ["an empty generator", () => pieces(), ""],
  ["a generator of empty parts", () => pieces("", "a", ""), "a"],
  ["a ReadableStream", () => new Response("abc").body, "abc"],
  ["a Readable", () => Readable.from([Buffer.from("a"), Buffer.from("b")]), "ab"],
  [
    "a body of 3 MB in parts",
    () => pieces(...Array.from({ length: 300 }, () => Buffer.alloc(10_000, "a"))),
    "a".repeat(3_000_000)
  ]
]

describe("the body of a request", () => {
  it.scopedLive.each(bodies)("5.3 may be %s", ([, body, text]) =>
    Effect.gen(function* () {
      expect((yield* seen({ method: "POST", body: body() })).body).toBe(text)
    })
  )

  it.scopedLive("5.3 has the declared length", () =>
    Effect.gen(function* () {
      const { body, headers } = yield* seen({
        method: "PUT",
        body: pieces("ab", "c"),
        headers: ["content-length", "3"]
      })
      expect([body, headers["content-length"]]).toEqual(["abc", "3"])
    })
  )

  const failures: ReadonlyArray<
    readonly [what: string, body: () => AsyncIterable<unknown>, length: string, code: unknown]
  > = [
    ["a source that fails", () => failing(), "9", "ENOPE"],
    ["parts that are not bytes", () => pieces("a", 1), "9", "ERR_INVALID_ARG_TYPE"],
    ["more than its length", () => pieces("a", "b"), "1", "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"],
    ["less than its length", () => pieces("a", "b"), "3", "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"]
  ]

  const nope = Object.assign(new Error("nope"), { code: "ENOPE" })

  async function* failing() {
    yield Buffer.from("a")
    throw nope
  }

  it.scopedLive.each(failures)(
    "5.3 breaks off with its cause, without END_STREAM: %s",
    ([, body, length, failure]) =>
      Effect.gen(function* () {
        const { own, peer } = yield* connected()
        const exchange = own.send({ method: "POST", body: body(), headers: ["content-length", length] })
        yield* Effect.promise(async () => {
          const end = await exchange.ended
          expect([end.is === "broke" && codeOf(end.cause), end.is === "broke" && end.unprocessed]).toEqual([
            failure,
            undefined
          ])
          if (failure === "ENOPE") expect(end).toMatchObject({ cause: nope })
          const { payload } = await peer.next(type.reset)
          expect(payload.readUInt32BE(0)).toBe(code.internal)
          expect(peer.of(type.data).some((frame) => (frame.flags & flag.end) !== 0)).toBe(false)
        })
      })
  )

  it.scopedLive("5.3 is read at the server's pace", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected({}, settings({ window: 100_000 }))
      let made = 0
      async function* endless() {
        for (;;) {
          made++
          yield Buffer.alloc(10_000)
        }
      }
      own.send({ method: "POST", body: endless() })
      yield* Effect.promise(async () => {
        await peer.next(type.headers)
        let size = 0
        // RFC 9113, 6.9.2: the connection's initial window is 65,535 octets.
        while (size < 65_535) size += (await peer.next(type.data)).payload.length
        await peer.arrived()
        expect(made).toBeLessThan(20)
        peer.write(windowUpdate(0, 1_000_000), windowUpdate(1, 1_000_000))
        while (size < 1_000_000) size += (await peer.next(type.data)).payload.length
        expect(made).toBeGreaterThan(99)
      })
    })
  )
})

/** Sources that produce a part, then wait, and report their release. */
const hanging = {
  generator: (released: () => void) =>
    (async function* () {
      try {
        for (;;) yield Buffer.alloc(100_000)
      } finally {
        released()
      }
    })(),
  ReadableStream: (released: () => void) =>
    new ReadableStream<Uint8Array>(
      {
        start: (controller) => controller.enqueue(Buffer.from("a")),
        pull: () => new Promise(() => undefined),
        cancel: released
      },
      { highWaterMark: 0 }
    ),
  Readable: (released: () => void) => {
    let isFirst = true
    return new Readable({
      read() {
        if (isFirst) this.push("a")
        isFirst = false
      },
      destroy: (_, done) => {
        released()
        done(null)
      }
    })
  }
}

const early: Frames.Pairs = [[":status", "413"]]

const endings: ReadonlyArray<
  readonly [what: string, frames: (id: number) => ReadonlyArray<Buffer>, calls: string]
> = [
  ["an abort", () => [], "begun"],
  ["a response without a body", (id) => [headers(id, early, flag.end)], "completed"],
  ["a response", (id) => [headers(id, early), data(id, "too large", flag.end)], "completed"],
  [
    "a response and NO_ERROR",
    (id) => [headers(id, early), data(id, "too large", flag.end), reset(id, code.none)],
    "completed"
  ],
  ["NO_ERROR", (id) => [reset(id, code.none)], "broke"],
  ["CANCEL", (id) => [reset(id, code.cancel)], "broke"],
  [
    "NO_ERROR within a response",
    (id) => [headers(id, early), data(id, "too"), reset(id, code.none)],
    "broke"
  ],
  ["REFUSED_STREAM", (id) => [reset(id, code.refused)], "broke"],
  ["the end of the connection", () => [Buffer.alloc(0)], "broke"]
]

describe("an unfinished upload", () => {
  for (const [kind, make] of Object.entries(hanging)) {
    it.scopedLive.each(endings)(`5.3 of a ${kind} is released by %s`, ([, frames, calls]) =>
      Effect.gen(function* () {
        const { own, peer } = yield* connected()
        yield* Effect.promise(async () => {
          await new Promise<void>((released) => {
            const exchange = own.send({ method: "POST", body: make(() => released()) })
            void (async () => {
              const { id } = await peer.next(type.headers)
              await peer.next(type.data)
              const [first, ...rest] = frames(id)
              if (first === undefined) return exchange.abortRequest()
              if (first.length === 0) return peer.socket.destroy()
              peer.write(first, ...rest)
              await exchange.ended
              expect(exchange.calls.at(-1)).toBe(calls)
              if (calls === "completed") expect(exchange.text).toMatch(/^(too large)?$/)
            })()
          })
          expect(own.connection.freeSlots).toBe(frames(1)[0]?.length === 0 ? 0 : 1000)
        })
      })
    )
  }

  it.scopedLive.each(endings)("5.3 of bytes is cancelled by %s", ([, frames, calls]) =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      const exchange = own.send({ method: "POST", body: Buffer.alloc(1_000_000) })
      yield* Effect.promise(async () => {
        const { id } = await peer.next(type.headers)
        await peer.next(type.data)
        const [first, ...rest] = frames(id)
        if (first === undefined) exchange.abortRequest()
        else if (first.length === 0) peer.socket.destroy()
        else peer.write(first, ...rest)
        if (first !== undefined) await exchange.ended
        expect(exchange.calls.at(-1)).toBe(calls)
        if (first?.length === 0) return
        // RST_STREAM is sent unless the server has sent one, and the connection stays usable.
        if (!frames(id).some((frame) => frame[3] === type.reset)) {
          const { payload } = await peer.next(type.reset)
          expect(payload.readUInt32BE(0)).toBe(code.cancel)
        }
        const next = own.send()
        const { id: nextId } = await peer.next(type.headers)
        peer.write(headers(nextId, ok, flag.end))
        expect((await next.ended).is).toBe("completed")
        expect(peer.of(type.data).every((frame) => (frame.flags & flag.end) === 0)).toBe(true)
      })
    })
  )
})
