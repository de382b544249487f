import { describe, expect, it } from "@effect/vitest"
import { type ApiClient, type ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import { Chunk, Effect, Stream } from "effect"
import { clientOf, once } from "../fixtures/clients.js"
import { type Bytes, type RawReply, rawServer } from "../fixtures/rawServer.js"

type Outcome = string | { readonly error: object }

interface Case {
  readonly name: string
  readonly parts: ReadonlyArray<Bytes>
  readonly ending?: "end" | "reset"
  readonly expected: Outcome
}

const ok = (headers: string, body = ""): string => `HTTP/1.1 200 OK\r\n${headers}\r\n${body}`
const chunked = (body: string): string => ok("transfer-encoding: chunked\r\n", body)

/** Rejected by undici's parser; the message contains the reason. */
const refused = (why: string): Outcome => ({
  error: { _tag: "ConnectionError", kind: "other", message: expect.stringContaining(why) }
})
const closed: Outcome = { error: { _tag: "ConnectionError", kind: "closed", code: "UND_ERR_SOCKET" } }
/** Which of the two it is depends on the data that the system has delivered before. */
const reset: Outcome = {
  error: { _tag: "ConnectionError", kind: expect.stringMatching(/^(reset|closed)$/) }
}
const mismatch: Outcome = {
  error: { _tag: "ConnectionError", kind: "closed", code: "UND_ERR_RES_CONTENT_LENGTH_MISMATCH" }
}
const tooLarge: Outcome = {
  error: {
    _tag: "ConnectionError",
    code: "UND_ERR_HEADERS_OVERFLOW",
    message: expect.stringContaining("the head of the response is larger than the transport takes")
  }
}

const row = (
  name: string,
  text: string,
  expected: Outcome,
  ending: "end" | "reset" | undefined = undefined
): Case => ({
  name,
  parts: [Buffer.from(text, "latin1")],
  expected,
  ...(ending && { ending })
})

/** RFC 9112, 7.1. */
const chunks: ReadonlyArray<Case> = [
  row("an extension", chunked("3;a=b;c\r\nabc\r\n0\r\n\r\n"), "abc"),
  row("an extension of 100 KB", chunked(`3;${"a".repeat(100_000)}\r\nabc\r\n0\r\n\r\n`), "abc"),
  row("a line end in an extension", chunked('3;a="\r\n"\r\nabc\r\n0\r\n\r\n'), refused("chunk extensions")),
  row("a size with leading zeros", chunked(`${"0".repeat(100)}3\r\nabc\r\n0\r\n\r\n`), "abc"),
  row("a size that is not a number", chunked("zz\r\nabc\r\n0\r\n\r\n"), refused("chunk size")),
  row("a size with 0x", chunked("0x3\r\nabc\r\n0\r\n\r\n"), refused("chunk size")),
  row("a negative size", chunked("-3\r\nabc\r\n0\r\n\r\n"), refused("chunk size")),
  row("a size above 64 bits", chunked("ffffffffffffffffff\r\nabc\r\n0\r\n\r\n"), refused("size overflow")),
  row("an empty size", chunked("\r\nabc\r\n0\r\n\r\n"), refused("chunk size")),
  row("a blank after the size", chunked("3 \r\nabc\r\n0\r\n\r\n"), refused("chunk size")),
  row("more bytes than the declared size", chunked("3\r\nabcd\r\n0\r\n\r\n"), refused("chunk data")),
  row("lines without CR", chunked("3\nabc\n0\n\n"), refused("Missing expected CR")),
  row("trailers", chunked("3\r\nabc\r\n0\r\nx-a: 1\r\n\r\n"), "abc"),
  row("the end before the first size", chunked(""), closed, "end"),
  row("the end within a size", chunked("3"), closed, "end"),
  row("the end within a chunk", chunked("3\r\nab"), closed, "end"),
  row("the end after a chunk", chunked("3\r\nabc\r\n"), closed, "end"),
  row("the end within the last chunk", chunked("3\r\nabc\r\n0\r\n"), closed, "end"),
  row("the end within the trailers", chunked("3\r\nabc\r\n0\r\nx-a: 1\r\n"), closed, "end"),
  row(
    "chunked named twice",
    ok("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
    "abc"
  )
]

/** RFC 9112, 6.3. */
const lengths: ReadonlyArray<Case> = [
  row("a length", ok("content-length: 3\r\n", "abc"), "abc"),
  row("a length and more bytes", ok("content-length: 2\r\n", "abc"), "ab"),
  row("a length and fewer bytes", ok("content-length: 5\r\n", "abc"), closed, "end"),
  row("a length and a reset", ok("content-length: 5\r\n", "abc"), reset, "reset"),
  row("the same length twice", ok("content-length: 3\r\ncontent-length: 3\r\n", "abc"), mismatch),
  row("two different lengths", ok("content-length: 3\r\ncontent-length: 4\r\n", "abcd"), mismatch),
  row("a list of lengths", ok("content-length: 3, 3\r\n", "abc"), mismatch),
  row(
    "a length and chunks",
    ok("content-length: 3\r\ntransfer-encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
    mismatch
  ),
  row(
    "chunks and a length",
    ok("transfer-encoding: chunked\r\ncontent-length: 3\r\n", "3\r\nabc\r\n0\r\n\r\n"),
    refused("Content-Length")
  ),
  row("a negative length", ok("content-length: -3\r\n", "abc"), refused("Content-Length")),
  row("a length with a plus sign", ok("content-length: +3\r\n", "abc"), refused("Content-Length")),
  row("a hexadecimal length", ok("content-length: 0x3\r\n", "abc"), refused("Content-Length")),
  row("an empty length", ok("content-length: \r\n", "abc"), refused("Content-Length")),
  row("a length above 64 bits", ok("content-length: 99999999999999999999999\r\n", "abc"), mismatch),
  row(
    "a length of eight PiB, then the end",
    ok("content-length: 9007199254740993\r\n", "abc"),
    closed,
    "end"
  ),
  row("no length, until the connection ends", ok("", "abc"), "abc", "end")
]

const heads: ReadonlyArray<Case> = [
  row("no reason phrase", "HTTP/1.1 200\r\ncontent-length: 3\r\n\r\nabc", "abc"),
  row("leading empty lines", `\r\n\r\n${ok("content-length: 3\r\n", "abc")}`, "abc"),
  row("HTTP/1.0, until the connection ends", "HTTP/1.0 200 OK\r\n\r\nabc", "abc", "end"),
  row("HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nabc", "abc"),
  row("HTTP/0.9", "<html>hi</html>", refused("Expected HTTP/")),
  row("another protocol", "SSH-2.0-OpenSSH\r\n", refused("Expected HTTP/")),
  row("HTTP/1.2", "HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n", refused("version")),
  row("a status of two digits", "HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n", refused("status")),
  row("a status of four digits", "HTTP/1.1 1000 OK\r\ncontent-length: 0\r\n\r\n", refused("status")),
  row("a status below 100", "HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n", {
    error: { _tag: "ConnectionError", kind: "other" }
  }),
  row("a status of 600", "HTTP/1.1 600 OK\r\ncontent-length: 0\r\n\r\n", { error: { status: 600 } }),
  row("a status of 999", "HTTP/1.1 999 OK\r\ncontent-length: 0\r\n\r\n", { error: { status: 999 } }),
  row("an unrequested upgrade", "HTTP/1.1 101 S\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", closed),
  row("no bytes", "", closed, "end"),
  row("a reset", "", reset, "reset"),
  row("the end within the status line", "HTTP/1.1 20", closed, "end"),
  row("the end within a header", "HTTP/1.1 200 OK\r\na: b", closed, "end"),
  row("a NUL in a value", ok("a: b\0c\r\ncontent-length: 0\r\n"), refused("Invalid header value char")),
  row(
    "a control character in a value",
    ok("a: b\x01c\r\ncontent-length: 0\r\n"),
    refused("Invalid header value char")
  ),
  row("a bare CR in a value", ok("a: b\rc\r\ncontent-length: 0\r\n"), refused("Missing expected LF")),
  row("a bare LF in a value", ok("a: b\nc: d\r\ncontent-length: 0\r\n"), refused("Missing expected CR")),
  row("a blank after a name", ok("a : b\r\ncontent-length: 0\r\n"), refused("Invalid header token")),
  row("an empty name", ok(": b\r\ncontent-length: 0\r\n"), refused("Invalid header token")),
  row("a blank before the first name", ok(" a: b\r\ncontent-length: 0\r\n"), refused("Unexpected space")),
  row("a header of 15 KB", ok(`a: ${"b".repeat(15_000)}\r\ncontent-length: 3\r\n`, "abc"), "abc"),
  row("a header of 17 KB", ok(`a: ${"b".repeat(17_000)}\r\ncontent-length: 3\r\n`, "abc"), tooLarge),
  row("10,000 headers", ok(`${"a: b\r\n".repeat(10_000)}content-length: 3\r\n`, "abc"), tooLarge),
  row("5,000 headers of one name", ok(`${"a:\r\n".repeat(5_000)}content-length: 3\r\n`, "abc"), "abc")
]

const buffered = ApiRequest.get("/x", { success: ResponseDecoder.bytes })
const file = ApiRequest.get("/x", { success: ResponseDecoder.stream() })

const ways: ReadonlyArray<
  readonly [way: string, read: (client: ApiClient.ApiClient) => Effect.Effect<Uint8Array, ApiError.ApiError>]
> = [
  ["buffered", (client) => client.execute(buffered)],
  [
    "streaming",
    (client) =>
      Effect.flatMap(client.execute(file), (stream) =>
        Effect.map(Stream.runCollect(stream), (chunks) => Buffer.concat(Chunk.toReadonlyArray(chunks)))
      )
  ]
]

const check = (read: (typeof ways)[number][1], reply: RawReply, expected: Outcome) =>
  Effect.gen(function* () {
    const server = yield* rawServer(() => reply)
    const client = yield* clientOf(server, { retry: once })
    const outcome = yield* Effect.either(Effect.map(read(client), (bytes) => Buffer.from(bytes).toString()))
    expect(outcome).toMatchObject(
      typeof expected === "string"
        ? { _tag: "Right", right: expected }
        : { _tag: "Left", left: expected.error }
    )
    if (typeof expected !== "string") yield* server.allClosed
  })

describe.each(ways)("%s", (_, read) => {
  describe.each([
    ["chunks", chunks],
    ["lengths", lengths],
    ["heads", heads]
  ] as const)("%s", (_, cases) => {
    it.scopedLive.each(cases)("7.7 $name", ({ expected, ...reply }) => check(read, reply, expected))

    it.scopedLive.each(cases.filter(({ parts }) => (parts[0]?.length ?? 0) < 200))(
      "7.7 $name, in single bytes",
      ({ expected, parts, ...rest }) => {
        const bytes = parts.flatMap((part) => [...Buffer.from(part)]).map((byte) => Uint8Array.of(byte))
        return check(read, { parts: bytes, ...rest }, expected)
      }
    )
  })

  it.scopedLive.each([
    [
      "the next response in the same write",
      ok("content-length: 3\r\n", `abc${ok("content-length: 5\r\n", "wrong")}`)
    ],
    ["bytes that are not a response", ok("content-length: 3\r\n", "abcxyz")],
    ["a second last chunk", chunked("3\r\nabc\r\n0\r\n\r\n0\r\n\r\n")]
  ])("7.7 bytes after a response are ignored: %s", ([, first = ""]) =>
    Effect.gen(function* () {
      const server = yield* rawServer((_, count) => ({
        parts: [count === 1 ? first : ok("content-length: 5\r\n", "right")]
      }))
      const client = yield* clientOf(server, { retry: once })
      const texts = [yield* read(client), yield* read(client)].map((bytes) => Buffer.from(bytes).toString())
      expect(texts).toEqual(["abc", "right"])
      expect(server.requests).toHaveLength(2)
    })
  )
})

describe("responses without a body", () => {
  const length = "content-length: 7\r\n"
  const cases = [
    ["a 204 with a length", "204 No Content", length, ""],
    ["a 204 with chunks", "204 No Content", "transfer-encoding: chunked\r\n", ""],
    ["a 204 with a length and bytes", "204 No Content", length, "1234567"],
    [
      "a 204 with chunks and bytes",
      "204 No Content",
      "transfer-encoding: chunked\r\n",
      "7\r\n1234567\r\n0\r\n\r\n"
    ],
    ["a 204 with bytes, without a length", "204 No Content", "", "1234567"],
    ["a 204 without headers", "204 No Content", "", ""],
    ["a 205 with a length", "205 Reset Content", length, ""],
    ["a chunked 205 without content", "205 Reset Content", "transfer-encoding: chunked\r\n", "0\r\n\r\n"],
    ["a 205 with a length of zero", "205 Reset Content", "content-length: 0\r\n", ""]
  ] as const

  it.scopedLive.each(cases)("8.2 %s is an empty success, sent once", ([, status, headers, body]) =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => ({ parts: [`HTTP/1.1 ${status}\r\n${headers}\r\n${body}`] }))
      const client = yield* clientOf(server, { timeouts: { idle: "30 seconds" } })
      expect(yield* client.execute(ApiRequest.del("/x"))).toBeUndefined()
      expect(server.requests).toHaveLength(1)
      const stream = yield* client.execute(file)
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(stream))).toEqual([])
      expect(yield* client.execute(buffered)).toHaveLength(0)
      expect(server.requests).toHaveLength(3)
    })
  )

  it.scopedLive.each([length, "transfer-encoding: chunked\r\n", ""])(
    "8.2 a 304 and the response to a HEAD end after the head, with the headers %j",
    (headers) =>
      Effect.gen(function* () {
        const server = yield* rawServer((head) => ({
          parts: [`HTTP/1.1 ${head.startsWith("HEAD") ? "200 OK" : "304 Not Modified"}\r\n${headers}\r\n`]
        }))
        const client = yield* clientOf(server, { timeouts: { idle: "30 seconds" } })
        expect(yield* client.execute(ApiRequest.head("/x"))).toBeUndefined()
        expect(yield* Effect.flip(client.execute(buffered))).toMatchObject({ status: 304 })
        expect(yield* Effect.flip(client.execute(file))).toMatchObject({ status: 304 })
        expect(server.requests).toHaveLength(3)
      })
  )
})
