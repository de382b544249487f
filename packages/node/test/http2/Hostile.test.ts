import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Frames from "../fixtures/frames.js"
import { codeOf, connected } from "../fixtures/http2.js"

const { block, code, data, flag, frame, headers, ok, ping, reset, settings, type, windowUpdate } = Frames

interface Row {
  readonly what: string
  readonly frames: (id: number) => ReadonlyArray<Buffer>
  readonly code: string
}

const pushed: Frames.Pairs = [
  [":method", "GET"],
  [":scheme", "http"],
  [":authority", "localhost"],
  [":path", "/"]
]

const many = (count: number, one: Buffer): ReadonlyArray<Buffer> => Array.from({ length: count }, () => one)

/** A head in several frames, each with a header of 16 KiB. */
const continued = (id: number, count: number): ReadonlyArray<Buffer> => {
  const large = block([["x-large", "a".repeat(16_000)]])
  return [
    frame(type.headers, 0, id, Buffer.concat([block(ok), large])),
    ...many(count, frame(type.continuation, 0, id, large)),
    frame(type.continuation, flag.endHeaders, id, large)
  ]
}

/** Faults that break one stream. */
const streams: ReadonlyArray<Row> = [
  {
    what: "no status",
    frames: (id) => [headers(id, [["x-a", "1"]], flag.end)],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "two statuses",
    frames: (id) => [headers(id, [...ok, [":status", "204"]], flag.end)],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "a status after the headers",
    frames: (id) => [headers(id, [["x-a", "1"], ...ok], flag.end)],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "a status that is not a number",
    frames: (id) => [headers(id, [[":status", "2OO"]], flag.end)],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "101",
    frames: (id) => [headers(id, [[":status", "101"]])],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "a connection header of HTTP/1.1",
    frames: (id) => [headers(id, [...ok, ["connection", "close"]], flag.end)],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "a name in upper case",
    frames: (id) => [headers(id, [...ok, ["X-A", "1"]], flag.end)],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "an unknown pseudo-header",
    frames: (id) => [headers(id, [...ok, [":other", "1"]], flag.end)],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "two lengths",
    frames: (id) => [
      headers(id, [...ok, ["content-length", "1"], ["content-length", "2"]]),
      data(id, "a", flag.end)
    ],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "trailers without END_STREAM",
    frames: (id) => [headers(id, ok), data(id, "a"), headers(id, [["x-a", "1"]])],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "a status in trailers",
    frames: (id) => [headers(id, ok), data(id, "a"), headers(id, ok, flag.end)],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "a head of 1,800 headers",
    frames: (id) => [
      headers(id, [...ok, ...Array.from({ length: 1800 }, (_, n): [string, string] => [`x-${n}`, ""])])
    ],
    code: "ERR_HTTP2_ENHANCE_YOUR_CALM"
  },
  {
    what: "a head of 100 KiB",
    frames: (id) => [...continued(id, 5)],
    code: "ERR_HTTP2_ENHANCE_YOUR_CALM"
  }
]

/** Faults that break the connection. Node 20 leaves some of them to an unacknowledged PING. */
const sessions: ReadonlyArray<Omit<Row, "code">> = [
  { what: "text of HTTP/1.1", frames: () => [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")] },
  { what: "bytes of an unknown protocol", frames: () => [Buffer.alloc(100_000, 0xee)] },
  { what: "a frame that is too large", frames: (id) => [headers(id, ok), data(id, Buffer.alloc(20_000))] },
  { what: "a body before its head", frames: (id) => [data(id, "ab", flag.end)] },
  { what: "a body on a stream that was never opened", frames: () => [data(777, "ab")] },
  { what: "a head on a stream that was never opened", frames: () => [headers(777, ok)] },
  { what: "a head on a stream of the server", frames: () => [headers(2, ok)] },
  { what: "RST_STREAM on a stream that was never opened", frames: () => [reset(777, code.cancel)] },
  { what: "RST_STREAM on the connection", frames: () => [reset(0, code.cancel)] },
  {
    what: "a push",
    frames: (id) => [
      frame(type.pushPromise, flag.endHeaders, id, Buffer.concat([Buffer.from([0, 0, 0, 2]), block(pushed)]))
    ]
  },
  { what: "a window that overflows", frames: () => [windowUpdate(0, 0x7fff_ffff)] },
  { what: "a window update of zero", frames: () => [windowUpdate(0, 0)] },
  {
    what: "a head that is not HPACK",
    frames: (id) => [frame(type.headers, flag.endHeaders, id, Buffer.alloc(50, 0xff))]
  },
  { what: "a head that breaks off", frames: (id) => [frame(type.headers, 0, id, block(ok)), data(id, "ab")] },
  { what: "SETTINGS of an invalid length", frames: () => [frame(type.settings, 0, 0, Buffer.alloc(5))] },
  { what: "endless SETTINGS", frames: () => many(100_000, settings()) },
  { what: "endless PINGs", frames: () => many(100_000, ping()) },
  { what: "endless RST_STREAMs", frames: (id) => many(100_000, reset(id, code.cancel)) },
  { what: "endless empty frames", frames: (id) => [headers(id, ok), ...many(100_000, data(id, ""))] },
  { what: "endless CONTINUATIONs", frames: (id) => continued(id, 2_000) },
  { what: "frames of unknown types", frames: () => many(1000, frame(0xee, 0, 0, Buffer.alloc(10))) },
  { what: "silence", frames: () => [] }
]

describe("a hostile server breaks one stream", () => {
  it.scopedLive.each(streams)("7.7 $what", (row) =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        // Limits apply from the time the server knows them.
        await peer.arrived()
        await peer.arrived()
        const exchange = own.send()
        const { id } = await peer.next(type.headers)
        peer.write(...row.frames(id))
        const end = await exchange.ended
        expect([end.is, end.is === "broke" && codeOf(end.cause)]).toEqual(["broke", row.code])
        const next = own.send()
        const { id: nextId } = await peer.next(type.headers)
        peer.write(headers(nextId, ok, flag.end))
        expect((await next.ended).is).toBe("completed")
        expect(own.connection.freeSlots).toBe(1000)
      })
    })
  )
})

describe("a hostile server breaks the connection", () => {
  it.scopedLive.each(sessions)("7.7 $what", (row) =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected({ pingAfter: 200 })
      const exchanges = [own.send(), own.send({ method: "POST", body: Buffer.alloc(300_000) })]
      peer.acknowledgesPings = false
      yield* Effect.promise(async () => {
        const { id } = await peer.next(type.headers)
        peer.write(...row.frames(id))
        for (const exchange of exchanges) {
          const end = await exchange.ended
          expect(end.is === "broke" && codeOf(end.cause)).toMatch(/^ERR_HTTP2_/)
        }
        await own.isGone
        await peer.closed
        expect(own.goneCalls).toBe(1)
      })
    })
  )
})
