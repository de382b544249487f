import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Frames from "../fixtures/frames.js"
import { codeOf, connected, type Sending } from "../fixtures/http2.js"

const { code, data, flag, headers, ok, reset, type } = Frames

interface Row {
  readonly what: string
  readonly sending?: Sending
  readonly frames: (id: number) => ReadonlyArray<Buffer>
  /** All calls that the exchange received, and the body. */
  readonly calls: ReadonlyArray<string>
  readonly text?: string
  readonly code?: string
  readonly sent?: "refused"
}

const whole = ["200", "received", "completed"]
const cut = ["200", "received", "broke"]
const partial = (id: number) => [headers(id, ok), data(id, "ab")]
const withLength = (id: number, length: string, flags = 0) =>
  headers(id, [...ok, ["content-length", length]], flags)

const ends: ReadonlyArray<Row> = [
  {
    what: "a body",
    frames: (id) => [...partial(id), data(id, "c", flag.end)],
    calls: whole,
    text: "abc"
  },
  { what: "no body", frames: (id) => [headers(id, ok, flag.end)], calls: ["200", "completed"] },
  {
    what: "an empty frame at the end",
    frames: (id) => [...partial(id), data(id, "", flag.end)],
    calls: whole,
    text: "ab"
  },
  {
    what: "trailers",
    frames: (id) => [...partial(id), headers(id, [["x-sum", "1"]], flag.end)],
    calls: whole,
    text: "ab"
  },
  {
    what: "interim responses",
    frames: (id) => [
      headers(id, [[":status", "100"]]),
      headers(id, [
        [":status", "103"],
        ["link", "</a>"]
      ]),
      headers(id, ok, flag.end)
    ],
    calls: ["200", "completed"]
  },
  {
    what: "RST_STREAM with NO_ERROR after the end",
    frames: (id) => [...partial(id), data(id, "c", flag.end), reset(id, code.none)],
    calls: whole,
    text: "abc"
  },
  {
    what: "RST_STREAM with CANCEL after the end",
    frames: (id) => [...partial(id), data(id, "c", flag.end), reset(id, code.cancel)],
    calls: whole,
    text: "abc"
  },
  {
    what: "a length",
    frames: (id) => [withLength(id, "2"), data(id, "ab", flag.end)],
    calls: whole,
    text: "ab"
  },
  {
    what: "HEAD with a length and no end",
    sending: { method: "HEAD" },
    frames: (id) => [withLength(id, "7")],
    calls: ["200", "completed"]
  },
  {
    what: "HEAD with an end",
    sending: { method: "HEAD" },
    frames: (id) => [withLength(id, "7", flag.end)],
    calls: ["200", "completed"]
  },
  {
    what: "204 without an end",
    frames: (id) => [headers(id, [[":status", "204"]])],
    calls: ["204", "completed"]
  },
  {
    what: "304 without an end",
    frames: (id) => [headers(id, [[":status", "304"]])],
    calls: ["304", "completed"]
  },
  {
    what: "421, for which Node keeps a list of origins",
    frames: (id) => [headers(id, [[":status", "421"]], flag.end)],
    calls: ["421", "completed"]
  }
]

const breaks: ReadonlyArray<Row> = [
  ...[
    ["NO_ERROR", code.none],
    ["CANCEL", code.cancel],
    ["INTERNAL_ERROR", code.internal],
    ["ENHANCE_YOUR_CALM", code.calm]
  ].flatMap(
    ([name, number]): ReadonlyArray<Row> => [
      {
        what: `RST_STREAM with ${name} in a body`,
        frames: (id) => [...partial(id), reset(id, Number(number))],
        calls: cut,
        text: "ab",
        code: `ERR_HTTP2_${name}`
      },
      {
        what: `RST_STREAM with ${name} behind the head`,
        frames: (id) => [headers(id, ok), reset(id, Number(number))],
        calls: ["200", "broke"],
        code: `ERR_HTTP2_${name}`
      },
      {
        what: `RST_STREAM with ${name} before the head`,
        frames: (id) => [reset(id, Number(number))],
        calls: ["broke"],
        code: `ERR_HTTP2_${name}`
      }
    ]
  ),
  {
    what: "RST_STREAM with an unknown code",
    frames: (id) => [reset(id, 0xabc)],
    calls: ["broke"],
    code: "ERR_HTTP2_INTERNAL_ERROR"
  },
  {
    what: "REFUSED_STREAM",
    frames: (id) => [reset(id, code.refused)],
    calls: ["broke"],
    code: "ERR_HTTP2_REFUSED_STREAM",
    sent: "refused"
  },
  {
    what: "HTTP_1_1_REQUIRED",
    frames: (id) => [reset(id, code.http11)],
    calls: ["broke"],
    code: "ERR_HTTP2_HTTP_1_1_REQUIRED",
    sent: "refused"
  },
  {
    what: "a body shorter than its length",
    frames: (id) => [withLength(id, "9"), data(id, "ab", flag.end)],
    calls: cut,
    text: "ab",
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "no body despite a declared length",
    frames: (id) => [withLength(id, "9", flag.end)],
    calls: ["broke"],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  },
  {
    what: "an interim response at the end",
    frames: (id) => [headers(id, [[":status", "103"]], flag.end)],
    calls: ["broke"],
    code: "ERR_HTTP2_PROTOCOL_ERROR"
  }
]

const play = (row: Row, apart: boolean) =>
  Effect.gen(function* () {
    const { own, peer } = yield* connected()
    const exchange = own.send(row.sending)
    yield* Effect.promise(async () => {
      const { id } = await peer.next(type.headers)
      const frames = row.frames(id)
      if (apart) for (const frame of frames) await peer.arrived(frame)
      else peer.write(...frames)
      const end = await exchange.ended
      expect(exchange.calls).toEqual(["begun", ...row.calls])
      expect(exchange.text).toBe(row.text ?? "")
      if (end.is === "broke") expect([codeOf(end.cause), end.unprocessed]).toEqual([row.code, row.sent])
      // The connection stays open, and the stream takes no slot.
      const next = own.send()
      const { id: nextId } = await peer.next(type.headers)
      peer.write(headers(nextId, ok, flag.end))
      expect(await next.ended).toEqual({ is: "completed" })
      expect(next.wasReused).toBe(exchange.calls.includes("200") || row.calls.length > 1)
      expect(own.connection.freeSlots).toBe(1000)
    })
  })

describe("a response ends", () => {
  it.scopedLive.each(ends)("8.1 with END_STREAM: $what", (row) => play(row, false))
  it.scopedLive.each(ends)("8.1 with END_STREAM, one frame at a time: $what", (row) => play(row, true))
})

describe("a response breaks", () => {
  it.scopedLive.each(breaks)("7.3 $what", (row) => play(row, false))
  it.scopedLive.each(breaks)("7.3 one frame at a time: $what", (row) => play(row, true))
})

describe("a body that is not allowed or too long", () => {
  // Newer versions of Node end the connection for it.
  it.scopedLive("7.3 is an error if it exceeds its length", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      const exchange = own.send()
      yield* Effect.promise(async () => {
        const { id } = await peer.next(type.headers)
        peer.write(withLength(id, "1"), data(id, "ab", flag.end))
        const end = await exchange.ended
        expect(exchange.calls).toEqual(["begun", "200", "broke"])
        expect(end.is === "broke" && codeOf(end.cause)).toMatch(/^ERR_HTTP2_(PROTOCOL_)?ERROR$/)
      })
    })
  )

  it.scopedLive("8.1 is waited for only briefly after HEAD", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      const exchange = own.send({ method: "HEAD" })
      yield* Effect.promise(async () => {
        const { id } = await peer.next(type.headers)
        peer.write(headers(id, ok))
        expect(await exchange.ended).toEqual({ is: "completed" })
        await peer.arrived()
        expect(peer.of(type.reset)).toHaveLength(0)
        const { payload } = await peer.next(type.reset)
        expect(payload.readUInt32BE(0)).toBe(code.cancel)
      })
    })
  )

  it.scopedLive("8.1 is ignored after 204", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      const exchange = own.send()
      yield* Effect.promise(async () => {
        const { id } = await peer.next(type.headers)
        peer.write(headers(id, [[":status", "204"]]), data(id, "ab"))
        expect(await exchange.ended).toEqual({ is: "completed" })
        await Promise.race([peer.next(type.reset), own.isGone])
        expect(exchange.calls).toEqual(["begun", "204", "completed"])
      })
    })
  )
})

describe("the head of a response", () => {
  it.scopedLive("4.1 has names and values as received, without the status", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      const exchange = own.send()
      yield* Effect.promise(async () => {
        const { id } = await peer.next(type.headers)
        const pairs: Frames.Pairs = [
          ["set-cookie", "a=1"],
          ["x-name", "caf\u00e9"],
          ["set-cookie", "b=2"],
          ["x-empty", ""]
        ]
        peer.write(headers(id, [...ok, ...pairs], flag.end))
        await exchange.ended
        expect(exchange.raw).toEqual(pairs.flat())
      })
    })
  )
})
