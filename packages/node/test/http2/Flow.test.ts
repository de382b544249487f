import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Frames from "../fixtures/frames.js"
import { connected } from "../fixtures/http2.js"

const { code, data, flag, headers, ok, reset, type } = Frames

const frame = Buffer.alloc(16_384, "a")
const window = 1024 * 1024

/** The total of window updates for a stream, or for the connection. */
const opened = (peer: Frames.Peer, id: number): number =>
  peer
    .of(type.windowUpdate)
    .filter((frame) => frame.id === id)
    .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0)

const fill = (id: number, size: number): ReadonlyArray<Buffer> =>
  Array.from({ length: size / frame.length }, () => data(id, frame))

describe("a reader that is slower than its server", () => {
  it.scopedLive("6.17 pauses its own stream only", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [slow, quick] = [own.send(), own.send()]
        slow.capacity = 1
        await peer.next(type.headers)
        await peer.next(type.headers)
        await peer.arrived(headers(1, ok), headers(3, ok), ...fill(1, window))
        expect(slow.chunks.length).toBe(1)
        expect(opened(peer, 1)).toBeLessThan(window / 2)
        // The connection's window holds sixteen of them and has reopened.
        for (let n = 0; n < 40; n++) {
          await peer.arrived(...fill(3, window / 2))
        }
        peer.write(data(3, "", flag.end))
        expect(await quick.ended).toEqual({ is: "completed" })
        expect(quick.text.length).toBe(20 * window)
        expect(slow.chunks.length).toBe(1)
        slow.capacity = Number.POSITIVE_INFINITY
        slow.resumeBody()
        await peer.next(type.windowUpdate)
        await peer.arrived()
        expect(slow.text.length).toBe(window)
        expect(opened(peer, 1)).toBeGreaterThan(window / 2)
        peer.write(data(1, "z", flag.end))
        expect(await slow.ended).toEqual({ is: "completed" })
        expect(slow.text.at(-1)).toBe("z")
      })
    })
  )

  it.scopedLive("10.7 receives the buffered bytes before the end, and before a failure", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const [ending, breaking, left] = [own.send(), own.send(), own.send()]
        for (const exchange of [ending, breaking, left]) exchange.capacity = 1
        await peer.arrived()
        for (const id of [1, 3, 5]) await peer.arrived(headers(id, ok), data(id, "a"))
        await peer.arrived(data(1, "b"), data(1, "c", flag.end), data(3, "b"), data(5, "b"))
        expect([ending.text, breaking.text, left.text]).toEqual(["a", "a", "a"])
        // The end has arrived, so the stream takes no slot.
        expect(own.connection.freeSlots).toBe(998)
        await peer.arrived(reset(3, code.cancel))
        expect(await breaking.ended).toMatchObject({ is: "broke" })
        expect(breaking.text).toBe("ab")
        ending.capacity = 2
        ending.resumeBody()
        expect(await ending.ended).toEqual({ is: "completed" })
        expect(ending.text).toBe("abc")
        left.abortRequest()
        left.resumeBody()
        expect([left.text, own.connection.freeSlots]).toEqual(["a", 1000])
      })
    })
  )

  it.scopedLive("10.7 may resume in the same turn", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const exchange = own.send()
        exchange.capacity = 1
        exchange.onChunk = ({ resumeBody }) => {
          exchange.capacity = 1
          resumeBody()
        }
        await peer.next(type.headers)
        await peer.arrived(headers(1, ok))
        for (let n = 0; n < 8; n++) await peer.arrived(...fill(1, window / 2))
        peer.write(data(1, "", flag.end))
        expect(await exchange.ended).toEqual({ is: "completed" })
        expect(exchange.text.length).toBe(4 * window)
      })
    })
  )

  it.scopedLive("10.7 buffers bytes, without an object per frame", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected()
      yield* Effect.promise(async () => {
        const exchange = own.send()
        exchange.capacity = 1
        await peer.next(type.headers)
        await peer.arrived(headers(1, ok), data(1, "a"))
        const before = process.memoryUsage()
        const tiny = Buffer.concat(Array.from({ length: 10_000 }, () => data(1, "b")))
        for (let n = 0; n < 100; n++) await peer.arrived(tiny)
        const after = process.memoryUsage()
        expect(exchange.text).toBe("a")
        // A million objects would take a hundred times the memory of their bytes.
        expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(64 * window)
        exchange.capacity = 2
        exchange.resumeBody()
        await peer.arrived(data(1, "", flag.end))
        expect(exchange.text.length).toBe(1_000_001)
      })
    })
  )
})
