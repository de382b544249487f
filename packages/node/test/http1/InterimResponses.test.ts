import { describe, expect, it } from "@effect/vitest"
import { type ApiClient, type ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import { Chunk, Effect, Stream } from "effect"
import { clientOf, once, settled } from "../fixtures/clients.js"
import { type Bytes, rawServer } from "../fixtures/rawServer.js"

const buffered = ApiRequest.get("/x", { success: ResponseDecoder.bytes })
const file = ApiRequest.get("/x", { success: ResponseDecoder.stream() })

const ways: ReadonlyArray<
  readonly [way: string, read: (client: ApiClient.ApiClient) => Effect.Effect<string, ApiError.ApiError>]
> = [
  ["buffered", (client) => Effect.map(client.execute(buffered), (bytes) => Buffer.from(bytes).toString())],
  [
    "streaming",
    (client) =>
      Effect.flatMap(client.execute(file), (stream) =>
        Effect.map(Stream.runCollect(stream), (chunks) =>
          Buffer.concat(Chunk.toReadonlyArray(chunks)).toString()
        )
      )
  ]
]

const last = "HTTP/1.1 200 OK\r\na: one\r\n  two\r\ncontent-length: 3\r\n\r\nabc"
const hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"

/** RFC 9110, 15.2: a client skips them, requested or not. */
const interim: ReadonlyArray<readonly [name: string, bytes: string]> = [
  ["an unrequested 100", "HTTP/1.1 100 Continue\r\n\r\n"],
  ["a 100 with headers", "HTTP/1.1 100 Continue\r\nx-a: 1\r\nx-b: one\r\n two\r\n\r\n"],
  ["a 100 without a reason phrase", "HTTP/1.1 100\r\n\r\n"],
  ["a 100 of HTTP/1.0", "HTTP/1.0 100 Continue\r\n\r\n"],
  ["three 100s", "HTTP/1.1 100 Continue\r\n\r\n".repeat(3)],
  ["a 102", "HTTP/1.1 102 Processing\r\n\r\n"],
  ["a 103", hints],
  ["a 199", "HTTP/1.1 199 Whatever\r\n\r\n"],
  ["a 103 with a length", "HTTP/1.1 103 Early Hints\r\ncontent-length: 0\r\n\r\n"],
  ["a mixture", `${hints}HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${hints}`]
]

describe.each(ways)("interim responses, %s", (_, read) => {
  it.scopedLive.each(interim)("8.5 %s is skipped, in one piece and in single bytes", ([, bytes]) =>
    Effect.gen(function* () {
      const text = bytes + last
      for (const parts of [[text], [bytes, last], [...text]]) {
        const server = yield* rawServer(() => ({ parts }))
        const client = yield* clientOf(server, { retry: once })
        expect(yield* read(client)).toBe("abc")
        yield* settled
        expect(yield* read(client)).toBe("abc")
        // One connection has served both requests.
        expect([server.requests.length, server.open()]).toEqual([2, 1])
      }
    })
  )

  it.scopedLive("8.5 a 100 and the response, split at every byte", () =>
    Effect.gen(function* () {
      const text = `HTTP/1.1 100 Continue\r\n\r\n${last}`
      const server = yield* rawServer((_, count) => ({ parts: [text.slice(0, count), text.slice(count)] }))
      const client = yield* clientOf(server, { retry: once })
      for (let at = 1; at < text.length; at++) expect([at, yield* read(client)]).toEqual([at, "abc"])
    })
  )

  it.scopedLive("8.5 a thousand interim responses are skipped", () =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => ({ parts: [...Array.from({ length: 1000 }, () => hints), last] }))
      const client = yield* clientOf(server, { retry: once })
      expect(yield* read(client)).toBe("abc")
    })
  )

  it.scopedLive.each(["HTTP/1.1 100 Continue\r\n\r\n", hints])(
    "6.15 the `response` timeout expires while they keep arriving: %j",
    (bytes) =>
      Effect.gen(function* () {
        const endless = function* (): Generator<Bytes> {
          for (;;) yield bytes
        }
        const server = yield* rawServer(() => ({ parts: endless() }))
        for (const response of ["50 millis", "600 millis"] as const) {
          const client = yield* clientOf(server, { retry: once, timeouts: { response } })
          expect(yield* Effect.flip(read(client))).toMatchObject({ _tag: "TimeoutError", phase: "response" })
          yield* server.allClosed
        }
      })
  )

  it.scopedLive("6.15 the `response` timeout expires after the last one, too", () =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => ({ parts: [hints] }))
      const client = yield* clientOf(server, { retry: once, timeouts: { response: "50 millis" } })
      expect(yield* Effect.flip(read(client))).toMatchObject({ _tag: "TimeoutError", phase: "response" })
      yield* server.allClosed
    })
  )

  it.scopedLive("8.5 an unrequested protocol switch is an error", () =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => ({
        parts: ["HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", last]
      }))
      const client = yield* clientOf(server, { retry: once })
      expect(yield* Effect.flip(read(client))).toMatchObject({ _tag: "ConnectionError" })
      yield* server.allClosed
    })
  )

  it.scopedLive("8.5 an interim response after the response is ignored", () =>
    Effect.gen(function* () {
      const server = yield* rawServer((_, count) => ({
        parts: [count === 1 ? `${last}HTTP/1.1 100 Continue\r\n\r\n` : last]
      }))
      const client = yield* clientOf(server, { retry: once })
      expect([yield* read(client), yield* read(client)]).toEqual(["abc", "abc"])
    })
  )
})

describe("folded headers", () => {
  const folds = [
    ["with a space", "a: one\r\n two\r\n"],
    ["with a tab", "a: one\r\n\ttwo\r\n"],
    ["with surrounding blanks", "a: one \t\r\n \t two \t\r\n"],
    ["at its start", "a:\r\n one two\r\n"],
    ["with an empty line of blanks", "a: one two\r\n \r\n"]
  ] as const

  it.scopedLive.each(folds)("8.5 a value folded %s is one line, split at every byte", ([, lines]) =>
    Effect.gen(function* () {
      const text = `HTTP/1.1 200 OK\r\n${lines}content-length: 2\r\n\r\n{}`
      const server = yield* rawServer((_, count) => ({ parts: [text.slice(0, count), text.slice(count)] }))
      const client = yield* clientOf(server, { retry: once })
      for (let at = 1; at <= text.length; at++) {
        const { headers } = yield* client.executeWithResponse(ApiRequest.get("/x"))
        expect([at, headers["a"]]).toEqual([at, "one two"])
      }
      expect(server.open()).toBe(1)
    })
  )
})

describe("bodies delimited by the end of the connection", () => {
  it.scopedLive.each(ways)("7.3 a reset is a failure, %s", ([, read]) =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => ({ parts: ["HTTP/1.1 200 OK\r\n\r\n", "abc"], ending: "reset" }))
      const client = yield* clientOf(server, { retry: once })
      expect(yield* Effect.flip(read(client))).toMatchObject({ _tag: "ConnectionError", kind: "reset" })
    })
  )
})
