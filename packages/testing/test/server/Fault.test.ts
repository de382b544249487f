import { describe, expect, it } from "@effect/vitest"
import { TestServer } from "@effect-api/testing"
import { Effect, Fiber, Option } from "effect"
import { fetched, get, hold, http, noticed, oneSocket, untilClosed } from "../fixtures/rawClient.js"

const body = TestServer.text("0123456789")
const chunked = TestServer.chunks(["01234", "56789"])

describe("faults that close the connection", () => {
  const cases: ReadonlyArray<readonly [string, TestServer.Reply, RegExp, "fin" | "reset"]> = [
    ["reset", TestServer.reset, /^$/, "reset"],
    ["reset, delayed", TestServer.reset.pipe(TestServer.delayed("1 millis")), /^$/, "reset"],
    ["hangUp", TestServer.hangUp, /^$/, "fin"],
    ["garbage", TestServer.garbage, /^\0\x01 this is not HTTP/, "fin"],
    ["raw", TestServer.raw("HTTP/1.1 200 OK\r\ncontent-le"), /^HTTP\/1.1 200 OK\r\ncontent-le$/, "fin"],
    ["raw, then reset", TestServer.raw("HTTP/1.1 2").pipe(TestServer.resetAfter(6)), /^HTTP\/1$/, "reset"],
    [
      "resetAfter the head",
      body.pipe(TestServer.resetAfter(0)),
      /content-length: 10\r\n[\s\S]*\r\n\r\n$/,
      "reset"
    ],
    [
      "resetAfter 4",
      body.pipe(TestServer.resetAfter(4)),
      /content-length: 10\r\n[\s\S]*\r\n\r\n0123$/,
      "reset"
    ],
    ["resetAfter 7 of chunks", chunked.pipe(TestServer.resetAfter(7)), /5\r\n01234\r\n2\r\n56\r\n$/, "reset"],
    ["resetAfter more than the body", body.pipe(TestServer.resetAfter(99)), /\r\n\r\n0123456789$/, "reset"],
    [
      "truncateAfter the head",
      body.pipe(TestServer.truncateAfter(0)),
      /content-length: 10\r\n[\s\S]*\r\n\r\n$/,
      "fin"
    ],
    [
      "truncateAfter 4",
      TestServer.truncateAfter(body, 4),
      /content-length: 10\r\n[\s\S]*\r\n\r\n0123$/,
      "fin"
    ],
    [
      "truncateAfter all chunks",
      chunked.pipe(TestServer.truncateAfter(10)),
      /5\r\n01234\r\n5\r\n56789\r\n$/,
      "fin"
    ],
    [
      "closeAfter",
      TestServer.closeAfter(body),
      /connection: keep-alive\r\n[\s\S]*\r\n\r\n0123456789$/i,
      "fin"
    ]
  ]
  for (const [name, reply, text, ended] of cases) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(reply)
        const seen = yield* untilClosed(server.port, get("/"))
        expect(seen.text).toMatch(text)
        expect(seen.ended).toBe(ended)
        expect(yield* server.awaitClosed(0)).toBe("server")
        expect((yield* server.exchanges)[0]?.replied).toBe(name === "closeAfter")
      })
    )
  }
})

describe("faults that leave the connection open", () => {
  const cases: ReadonlyArray<readonly [string, TestServer.Reply, RegExp, number]> = [
    ["stallAfter the head", body.pipe(TestServer.stallAfter(0)), /content-length: 10\r\n[\s\S]*\r\n\r\n$/, 0],
    ["stallAfter 4", body.pipe(TestServer.stallAfter(4)), /\r\n\r\n0123$/, 4],
    ["stallAfter 5 of chunks", chunked.pipe(TestServer.stallAfter(5)), /\r\n5\r\n01234\r\n$/, 5],
    [
      "contentLength too long",
      body.pipe(TestServer.contentLength(12)),
      /content-length: 12\r\n[\s\S]*0123456789$/,
      10
    ],
    [
      "contentLength too short",
      body.pipe(TestServer.contentLength(3)),
      /content-length: 3\r\n[\s\S]*0123456789$/,
      10
    ]
  ]
  for (const [name, reply, text, sent] of cases) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(reply)
        const client = yield* hold(server.port)
        client.socket.write(get("/"))
        const last =
          sent === 0 ? "\r\n\r\n" : name.includes("chunks") ? "01234\r\n" : "0123456789".slice(0, sent)
        expect(yield* client.awaitText(last)).toMatch(text)
        expect(yield* server.awaitExchange(0, (exchange) => exchange.bytesSent === sent)).toMatchObject({
          closed: undefined
        })
        client.socket.destroy()
        expect(yield* server.awaitClosed(0)).toBe("client")
      })
    )
  }

  it.scopedLive("raw, then stallAfter(Infinity)", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(
        TestServer.raw("HTTP/1.1 1").pipe(TestServer.stallAfter(Infinity))
      )
      const client = yield* hold(server.port)
      client.socket.write(get("/"))
      expect(yield* client.awaitText("HTTP/1.1 1")).toBe("HTTP/1.1 1")
      expect(yield* server.openSockets).toBe(1)
    })
  )

  it.scopedLive("never: sends nothing until the client leaves", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(TestServer.never)
      const fiber = yield* Effect.fork(fetched(server.url))
      yield* server.awaitRequests(1)
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )
})

describe("the error in node:http", () => {
  const cases: ReadonlyArray<readonly [string, TestServer.Reply, number, string]> = [
    ["reset", TestServer.reset, 0, "ECONNRESET"],
    ["hangUp", TestServer.hangUp, 0, "ECONNRESET"],
    ["garbage", TestServer.garbage, 0, "HPE_INVALID_CONSTANT"],
    ["resetAfter", body.pipe(TestServer.resetAfter(4)), 200, "ECONNRESET"],
    ["truncateAfter", body.pipe(TestServer.truncateAfter(4)), 200, "ECONNRESET"],
    [
      "too short a body, then closed",
      TestServer.closeAfter(TestServer.contentLength(body, 12)),
      200,
      "ECONNRESET"
    ]
  ]
  for (const [name, reply, status, error] of cases) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(reply)
        const got = yield* http(server.url)
        expect([got.status, got.error]).toEqual([status, error])
      })
    )
  }

  it.scopedLive("refusedUrl", () =>
    Effect.gen(function* () {
      expect((yield* http(yield* TestServer.refusedUrl)).error).toBe("ECONNREFUSED")
    })
  )
})

describe("faults of keep-alive sockets", () => {
  it.scopedLive("closeAfter: the next request uses a new socket", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(TestServer.closeAfter(body))
      const agent = yield* oneSocket
      expect((yield* http(server.url, { agent })).text).toBe("0123456789")
      expect(yield* server.awaitClosed(0)).toBe("server")
      yield* noticed(agent)
      expect((yield* http(server.url, { agent })).text).toBe("0123456789")
      expect((yield* server.requests).map((request) => request.socketId)).toEqual([0, 1])
    })
  )

  const reuse = [
    ["closeOnReuse", TestServer.closeOnReuse(body), "fin"],
    ["resetOnReuse", TestServer.resetOnReuse(body), "reset"]
  ] as const
  for (const [name, reply, ended] of reuse) {
    it.scopedLive(`${name}: closes the socket of the next request`, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({
          "*": TestServer.sequence(reply, TestServer.json("replayed"))
        })
        const agent = yield* oneSocket
        expect((yield* http(server.url, { agent })).text).toBe("0123456789")
        expect(yield* server.openSockets).toBe(1)
        expect(yield* http(server.url, { agent, method: "POST", body: "x" })).toMatchObject({
          status: 0,
          error: "ECONNRESET"
        })
        expect((yield* http(server.url, { agent })).text).toBe('"replayed"')
        expect(yield* server.requestCount).toBe(2)
        expect((yield* server.exchanges).map(({ replied, request }) => [request.socketId, replied])).toEqual([
          [0, true],
          [0, false],
          [1, true]
        ])
      })
    )

    it.scopedLive(`${name}: sends no byte to the second request`, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(reply)
        const client = yield* hold(server.port)
        client.socket.write(get("/"))
        const first = yield* client.awaitText("0123456789")
        client.socket.write(get("/again"))
        expect(yield* client.closed).toBe(ended)
        expect(yield* client.awaitText("")).toBe(first)
        expect(yield* server.awaitClosed(1)).toBe("server")
      })
    )
  }
})
