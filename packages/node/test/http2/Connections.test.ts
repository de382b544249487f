import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import * as Frames from "../fixtures/frames.js"
import {
  codeOf,
  connected,
  fakeTimers,
  ownedConnection,
  type RecordingExchange,
  socketTo,
  TestOwner
} from "../fixtures/http2.js"

const { code, data, flag, goaway, headers, ok, reset, settings, type } = Frames

/** A number of requests on one connection, all in flight. */
const sent = async (
  own: TestOwner,
  peer: Frames.Peer,
  count: number
): Promise<ReadonlyArray<RecordingExchange>> => {
  const exchanges = Array.from({ length: count }, () => own.send())
  for (let n = 0; n < count; n++) await peer.next(type.headers)
  return exchanges
}

const outcome = async (exchange: RecordingExchange) => {
  const end = await exchange.ended
  return end.is === "broke" ? [end.is, codeOf(end.cause), end.unprocessed] : [end.is]
}

describe("a closing server", () => {
  it.scopedLive("6.10 a graceful GOAWAY completes started streams and leaves the others unprocessed", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [first, second, third] = (await sent(own, peer, 3)) as [
          RecordingExchange,
          RecordingExchange,
          RecordingExchange
        ]
        peer.write(headers(1, ok), data(1, "a"), goaway(3, code.none))
        expect(await outcome(third)).toEqual(["broke", "ERR_HTTP2_NO_ERROR", "refused"])
        await own.isGone
        expect(own.connection.freeSlots).toBe(0)
        expect(await outcome(own.send())).toEqual(["broke", "UND_ERR_SOCKET", "not-written"])
        peer.write(data(1, "b", flag.end), headers(3, ok), data(3, "c", flag.end))
        expect([await outcome(first), first.text]).toEqual([["completed"], "ab"])
        expect([await outcome(second), second.text]).toEqual([["completed"], "c"])
        await peer.closed
        expect(own.goneCalls).toBe(1)
      })
    })
  )

  it.scopedLive("6.10 a first GOAWAY may precede the final one (RFC 9113, 6.8)", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [first, second] = (await sent(own, peer, 2)) as [RecordingExchange, RecordingExchange]
        await peer.arrived(goaway(0x7fff_ffff, code.none))
        expect([first.calls, second.calls]).toEqual([["begun"], ["begun"]])
        peer.write(goaway(1, code.none), headers(1, ok, flag.end))
        expect(await outcome(first)).toEqual(["completed"])
        expect(await outcome(second)).toEqual(["broke", "ERR_HTTP2_NO_ERROR", "refused"])
        await peer.closed
      })
    })
  )

  it.scopedLive("6.10 a GOAWAY with an error leaves streams above the last one unprocessed", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [first, second] = (await sent(own, peer, 2)) as [RecordingExchange, RecordingExchange]
        peer.write(goaway(1, code.calm))
        expect(await outcome(first)).toEqual(["broke", "ERR_HTTP2_ENHANCE_YOUR_CALM", undefined])
        expect(await outcome(second)).toEqual(["broke", "ERR_HTTP2_ENHANCE_YOUR_CALM", "refused"])
        await own.isGone
        await peer.closed
      })
    })
  )

  it.scopedLive("6.10 a GOAWAY with an error leaves streams unprocessed that were refused before", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [first] = (await sent(own, peer, 1)) as [RecordingExchange]
        peer.write(reset(1, code.refused), goaway(1, code.calm))
        expect(await outcome(first)).toEqual(["broke", "ERR_HTTP2_REFUSED_STREAM", "refused"])
      })
    })
  )

  it.scopedLive("6.10 HTTP_1_1_REQUIRED leaves every stream unprocessed", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [first] = (await sent(own, peer, 1)) as [RecordingExchange]
        peer.write(goaway(1, code.http11))
        expect(await outcome(first)).toEqual(["broke", "ERR_HTTP2_HTTP_1_1_REQUIRED", "refused"])
      })
    })
  )

  it.scopedLive("6.10 a GOAWAY on an idle connection closes it at once", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        peer.write(goaway(0, code.none))
        await own.isGone
        await peer.closed
        expect(own.goneCalls).toBe(1)
      })
    })
  )

  const deaths: ReadonlyArray<readonly [how: string, die: (peer: Frames.Peer) => void, code: string]> = [
    ["ends", (peer) => peer.socket.end(), "UND_ERR_SOCKET"],
    ["closes", (peer) => peer.socket.destroy(), "UND_ERR_SOCKET"],
    ["resets", (peer) => peer.socket.resetAndDestroy(), "ECONNRESET"]
  ]

  it.scopedLive.each(deaths)("7.3 it %s without a GOAWAY", ([, die, failure]) =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [first, second] = (await sent(own, peer, 2)) as [RecordingExchange, RecordingExchange]
        await peer.arrived(headers(1, ok), data(1, "a"))
        die(peer)
        expect(await outcome(first)).toEqual(["broke", failure, undefined])
        expect(first.text).toBe("a")
        expect(await outcome(second)).toEqual(["broke", failure, undefined])
        await own.isGone
        expect(own.goneCalls).toBe(1)
      })
    })
  )

  it.scopedLive.each(deaths)("7.3 it %s after a GOAWAY", ([, die]) =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [first, second] = (await sent(own, peer, 2)) as [RecordingExchange, RecordingExchange]
        await peer.arrived(goaway(1, code.none))
        die(peer)
        expect(await outcome(first)).toEqual(["broke", "UND_ERR_SOCKET", undefined])
        expect(await outcome(second)).toEqual(["broke", "ERR_HTTP2_NO_ERROR", "refused"])
      })
    })
  )

  it.scopedLive.each(deaths)("7.3 it %s while idle", ([, die]) =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        await peer.arrived()
        die(peer)
        await own.isGone
        expect(await outcome(own.send())).toEqual(["broke", "UND_ERR_SOCKET", "not-written"])
        expect(own.goneCalls).toBe(1)
      })
    })
  )
})

describe("the free slots of a connection", () => {
  it.scopedLive("1.1 are 100 until the server's SETTINGS arrive", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected({}, Buffer.alloc(0))
      expect(own.connection.freeSlots).toBe(100)
      yield* Effect.promise(async () => {
        peer.write(settings())
        await own.untilFree((room) => room === 1000)
      })
    })
  )

  it.scopedLive("1.1 follow the server's limit, down and up", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected({}, settings({ streams: 3 }))
      yield* Effect.promise(async () => {
        await peer.arrived()
        const exchanges = await sent(own, peer, 2)
        expect(own.connection.freeSlots).toBe(1)
        await peer.arrived(settings({ streams: 1 }))
        expect(own.connection.freeSlots).toBe(0)
        const { freeCalls } = own
        await peer.arrived(headers(1, ok, flag.end))
        expect(await outcome(exchanges[0] as RecordingExchange)).toEqual(["completed"])
        // One is in flight, and one more is allowed.
        expect([own.connection.freeSlots, own.freeCalls]).toEqual([0, freeCalls])
        peer.write(settings({ streams: 2 }))
        await own.untilFree((room) => room === 1)
        peer.write(headers(3, ok, flag.end))
        await own.untilFree((room) => room === 2)
        await peer.arrived(settings({ streams: 0 }))
        expect(own.connection.freeSlots).toBe(0)
        peer.write(settings({ streams: 100_000 }))
        await own.untilFree((room) => room === 1000)
      })
    })
  )

  it.scopedLive("6.10 a request sent before a lower limit arrived waits, or leaves unsent", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected({}, settings({ streams: 0 }))
      yield* Effect.promise(async () => {
        await peer.arrived()
        // The pool sends no more than the free slots, but the limit may drop meanwhile.
        const [first, left, last] = [own.send(), own.send({ method: "POST", body: "abc" }), own.send()]
        await peer.arrived()
        left.abortRequest()
        await peer.arrived()
        expect(peer.of(type.headers)).toHaveLength(0)
        await peer.arrived(settings({ streams: 5 }))
        expect((await peer.next(type.headers)).id).toBe(1)
        const { id } = await peer.next(type.headers)
        await peer.arrived()
        expect([peer.of(type.headers).length, peer.of(type.reset).length, peer.of(type.data).length]).toEqual(
          [2, 0, 0]
        )
        peer.write(headers(1, ok, flag.end), headers(id, ok, flag.end))
        expect([await outcome(first), await outcome(last)]).toEqual([["completed"], ["completed"]])
        expect([left.calls, own.connection.freeSlots]).toEqual([["begun"], 5])
        own.connection.close()
        await peer.closed
      })
    })
  )

  it.scopedLive.each([0, 0x7fff_ffff])(
    "6.10 a request that waits above the limit is never sent after GOAWAY (%i)",
    (last) =>
      Effect.gen(function* () {
        const { own, peer } = yield* connected({}, settings({ streams: 0 }))
        yield* Effect.promise(async () => {
          await peer.arrived()
          const exchange = own.send()
          await peer.arrived()
          peer.write(goaway(last, code.none))
          expect(await outcome(exchange)).toEqual([
            "broke",
            expect.stringMatching(/ERR_HTTP2_/),
            "not-written"
          ])
          await peer.closed
        })
      })
  )
})

describe("an abort", () => {
  it.scopedLive("10.7 resets the stream, and the connection stays usable", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [waiting, reading, other] = (await sent(own, peer, 3)) as [
          RecordingExchange,
          RecordingExchange,
          RecordingExchange
        ]
        await peer.arrived(headers(3, ok), data(3, "a"))
        waiting.abortRequest()
        reading.abortRequest()
        for (const id of [1, 3]) {
          const { payload, ...frame } = await peer.next(type.reset)
          expect([frame.id, payload.readUInt32BE(0)]).toEqual([id, code.cancel])
        }
        // Late frames of it are ignored.
        peer.write(headers(1, ok), data(1, "b"), data(3, "c", flag.end), headers(5, ok, flag.end))
        expect(await outcome(other)).toEqual(["completed"])
        expect([waiting.calls, reading.calls, reading.text]).toEqual([
          ["begun"],
          ["begun", "200", "received"],
          "a"
        ])
        expect([own.connection.freeSlots, peer.of(type.data).length]).toEqual([1000, 0])
      })
    })
  )

  it.scopedLive("10.7 also resets it in the turn of the request, or of a chunk", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const first = own.send({ method: "POST", body: Buffer.alloc(10_000_000) })
        first.abortRequest()
        const second = own.send()
        second.onChunk = ({ abortRequest }) => abortRequest()
        const { id } = await peer.next(type.reset)
        expect(id).toBe(1)
        expect(peer.of(type.data).every(({ flags }) => (flags & flag.end) === 0)).toBe(true)
        peer.write(headers(3, ok), data(3, "a"), data(3, "b"))
        const { payload } = await peer.next(type.reset)
        expect([payload.readUInt32BE(0), second.text, own.connection.freeSlots]).toEqual([
          code.cancel,
          "a",
          1000
        ])
      })
    })
  )
})

describe("a connection", () => {
  it.scopedLive("6.10 reports whether it has served before", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [first, second] = (await sent(own, peer, 2)) as [RecordingExchange, RecordingExchange]
        peer.write(headers(1, ok, flag.end))
        await first.ended
        expect([first, second, own.send()].map(({ wasReused }) => wasReused)).toEqual([false, false, true])
      })
    })
  )

  it.scopedLive("1.1 closes after its idle timeout", () =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* connected({ keepAlive: 30 })
      yield* Effect.promise(async () => {
        const [exchange] = (await sent(own, peer, 1)) as [RecordingExchange]
        vi.advanceTimersByTime(60)
        peer.write(headers(1, ok, flag.end))
        expect(await outcome(exchange)).toEqual(["completed"])
        vi.advanceTimersByTime(29)
        await peer.arrived()
        expect(own.goneCalls).toBe(0)
        vi.advanceTimersByTime(1)
        await own.isGone
        await peer.closed
        expect(await peer.next(type.goaway)).toMatchObject({ id: 0 })
      })
    })
  )

  it.scopedLive("1.1 keeps the process alive only while exchanges are in flight", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      const holds = () => (own.socket as unknown as { _handle: { hasRef: () => boolean } })._handle.hasRef()
      yield* Effect.promise(async () => {
        expect(holds()).toBe(false)
        const [first, second] = (await sent(own, peer, 2)) as [RecordingExchange, RecordingExchange]
        expect(holds()).toBe(true)
        peer.write(headers(1, ok, flag.end))
        await first.ended
        expect(holds()).toBe(true)
        second.abortRequest()
        expect(holds()).toBe(false)
      })
    })
  )

  it.scopedLive("1.1 once closed, ends with its last exchange", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [exchange] = (await sent(own, peer, 1)) as [RecordingExchange]
        own.connection.close()
        await own.isGone
        expect([own.connection.freeSlots, own.socket.destroyed]).toEqual([0, false])
        peer.write(headers(1, ok), data(1, "a", flag.end))
        expect([await outcome(exchange), exchange.text]).toEqual([["completed"], "a"])
        await peer.closed
        own.connection.close()
        own.connection.destroy()
        expect(own.goneCalls).toBe(1)
      })
    })
  )

  it.scopedLive("1.1 once closed, does not wait for a server that never closes", () =>
    Effect.gen(function* () {
      const server = yield* Frames.serving(settings(), { allowHalfOpen: true })
      const own = yield* ownedConnection(server.port)
      const peer = yield* server.accept
      yield* Effect.promise(async () => {
        await peer.arrived()
        own.connection.close()
        await new Promise((resolve) => own.socket.on("close", resolve))
        expect(own.goneCalls).toBe(1)
      })
    })
  )

  it.scopedLive("1.1 once destroyed, fails the exchanges in flight", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [first, second] = (await sent(own, peer, 2)) as [RecordingExchange, RecordingExchange]
        await peer.arrived(headers(1, ok), data(1, "a"))
        own.connection.destroy()
        for (const exchange of [first, second]) {
          expect(await outcome(exchange)).toEqual(["broke", "UND_ERR_DESTROYED", undefined])
        }
        await peer.closed
        await own.isGone
        expect([own.connection.freeSlots, own.goneCalls]).toEqual([0, 1])
      })
    })
  )

  it.scopedLive("6.10 on a dead socket accepts no exchange", () =>
    Effect.gen(function* () {
      const server = yield* Frames.serving()
      const own = yield* ownedConnection(server.port)
      own.socket.destroy()
      const socket = yield* socketTo(server.port)
      socket.destroy()
      yield* Effect.promise(async () => {
        for (const dead of [own, new TestOwner(socket, {})]) {
          expect(await outcome(dead.send())).toEqual(["broke", "UND_ERR_SOCKET", "not-written"])
          await dead.isGone
          expect(dead.goneCalls).toBe(1)
        }
      })
    })
  )
})

describe("a PING", () => {
  it.scopedLive("6.17 detects a dead peer", () =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* connected({ pingAfter: 20 })
      yield* Effect.promise(async () => {
        const exchanges = await sent(own, peer, 2)
        await peer.arrived(headers(1, ok), data(1, "a"))
        peer.acknowledgesPings = false
        vi.advanceTimersByTime(60)
        for (const exchange of exchanges) {
          expect(await outcome(exchange)).toEqual(["broke", "ERR_HTTP2_PING_TIMEOUT", undefined])
        }
        await peer.closed
        await own.isGone
      })
    })
  )

  it.scopedLive.each([code.none, undefined])("6.17 detects a peer that died after a GOAWAY (%s)", (goodbye) =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* connected({ pingAfter: 20 })
      yield* Effect.promise(async () => {
        const [exchange] = (await sent(own, peer, 1)) as [RecordingExchange]
        if (goodbye === undefined) own.connection.close()
        else await peer.arrived(goaway(1, goodbye))
        peer.acknowledgesPings = false
        vi.advanceTimersByTime(60)
        expect(await outcome(exchange)).toEqual(["broke", "ERR_HTTP2_PING_TIMEOUT", undefined])
        await peer.closed
      })
    })
  )

  it.scopedLive("6.17 detects a peer whose socket accepts no further data", () =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* connected({ pingAfter: 20 }, settings({ window: 0x7fff_ffff }))
      yield* Effect.promise(async () => {
        await peer.arrived(Frames.windowUpdate(0, 0x7000_0000))
        peer.socket.pause()
        const exchange = own.send({ method: "POST", body: Buffer.alloc(50_000_000) })
        vi.advanceTimersByTime(60)
        expect(await outcome(exchange)).toEqual(["broke", "ERR_HTTP2_PING_TIMEOUT", undefined])
        expect(own.socket.destroyed).toBe(true)
      })
    })
  )

  it.scopedLive("6.17 breaks nothing if acknowledged, and none is sent while idle", () =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* connected({ pingAfter: 100 })
      yield* Effect.promise(async () => {
        const [exchange] = (await sent(own, peer, 1)) as [RecordingExchange]
        for (let n = 0; n < 3; n++) {
          vi.advanceTimersByTime(100)
          await peer.next(type.ping)
          // The acknowledgement has been read, too.
          await peer.arrived()
        }
        expect(exchange.calls).toEqual(["begun"])
        await peer.arrived(headers(1, ok, flag.end))
        expect(await outcome(exchange)).toEqual(["completed"])
        const before = peer.of(type.ping).filter(({ flags }) => flags === 0).length
        vi.advanceTimersByTime(300)
        await peer.arrived()
        expect(peer.of(type.ping).filter(({ flags }) => flags === 0)).toHaveLength(before)
      })
    })
  )
})
