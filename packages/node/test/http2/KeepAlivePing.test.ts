import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import { unwrittenBytes } from "../../src/http2/unwrittenBytes.js"
import { makeCertificates } from "../fixtures/certificates.js"
import * as Frames from "../fixtures/frames.js"
import {
  codeOf,
  connected,
  fakeTimers,
  type RecordingExchange,
  secure,
  socketTo,
  TestOwner
} from "../fixtures/http2.js"
import { turns } from "../fixtures/pools.js"

const { data, flag, frame, headers, ok, settings, type, windowUpdate } = Frames

const { ca, local } = makeCertificates()

const timeout = ["broke", "ERR_HTTP2_PING_TIMEOUT"]

const outcome = async (exchange: RecordingExchange) => {
  const end = await exchange.ended
  return [end.is, end.is === "broke" ? codeOf(end.cause) : undefined]
}

/** With a `pingAfter` of 20 ms, a PING is sent after 20 ms of silence. */
const untilPing = 20

/** The wait for its acknowledgement ends after another 10 ms. */
const wait = async (): Promise<void> => {
  vi.advanceTimersByTime(10)
  await turns()
}

const pingsTo = (peer: Frames.Peer): number => peer.of(type.ping).filter(({ flags }) => flags === 0).length

/** Lets the peer acknowledge three PINGs. */
const acknowledged = async (peer: Frames.Peer): Promise<void> => {
  while (pingsTo(peer) < 3) {
    await wait()
    // The peer has read the PING, and then its acknowledgement has been read.
    await peer.arrived()
    await peer.arrived()
  }
}

/** Waits until the kernel has taken some of the bytes that wait. */
const untilTaken = async (own: TestOwner): Promise<void> => {
  const before = unwrittenBytes(own.socket)
  while (unwrittenBytes(own.socket) === before) await turns(1)
}

/** A connection whose peer accepts two gigabytes. */
const roomy = (secured: boolean) =>
  Effect.gen(function* () {
    const server = yield* Frames.serving(
      settings({ window: 0x7fff_ffff }),
      secured ? { pair: local } : undefined
    )
    const socket = yield* socketTo(server.port)
    const own = new TestOwner(secured ? yield* secure(socket, ca) : socket, { pingAfter: 20 })
    const peer = yield* server.accept
    yield* Effect.promise(() => peer.arrived(windowUpdate(0, 0x7000_0000)))
    return { own, peer }
  })

describe("a PING behind an upload", () => {
  it.scopedLive.each([
    { over: "TCP", secured: false },
    { over: "TLS", secured: true }
  ])("6.17 waits as long as the peer takes bytes (over $over)", ({ secured }) =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* roomy(secured)
      yield* Effect.promise(async () => {
        peer.acknowledgesPings = false
        peer.socket.pause()
        const exchange = own.send({ method: "POST", body: Buffer.alloc(50_000_000) })
        await untilTaken(own)
        vi.advanceTimersByTime(untilPing)
        for (let n = 0; n < 3; n++) {
          peer.socket.resume()
          await untilTaken(own)
          peer.socket.pause()
          await wait()
          expect(unwrittenBytes(own.socket)).toBeGreaterThan(0)
          expect(exchange.calls).toEqual(["begun"])
        }
        // What the kernels still pass on from buffer to buffer counts, too.
        while (exchange.calls.length === 1) await wait()
        expect(await outcome(exchange)).toEqual(timeout)
        await own.isGone
      })
    })
  )

  it.scopedLive("6.17 waits as long as the peer sends frames", () =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* roomy(false)
      yield* Effect.promise(async () => {
        peer.acknowledgesPings = false
        const exchange = own.send({ method: "POST", body: Buffer.alloc(50_000) })
        await peer.next(type.data, flag.end)
        await peer.arrived()
        vi.advanceTimersByTime(untilPing)
        await peer.next(type.ping)
        for (let n = 0; n < 3; n++) {
          await peer.arrived(windowUpdate(1, 1))
          await wait()
          expect(exchange.calls).toEqual(["begun"])
        }
        await wait()
        expect(await outcome(exchange)).toEqual(timeout)
      })
    })
  )

  it.scopedLive("6.17 is not sent behind a large one as long as the peer sends frames", () =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* roomy(false)
      yield* Effect.promise(async () => {
        peer.acknowledgesPings = false
        const exchange = own.send({ method: "POST", body: Buffer.alloc(100_000) })
        await peer.next(type.data, flag.end)
        for (let n = 0; n < 8; n++) {
          await peer.arrived(windowUpdate(1, 1))
          await wait()
        }
        expect(pingsTo(peer)).toBe(0)
        while (exchange.calls.length === 1) await wait()
        expect(await outcome(exchange)).toEqual(timeout)
        expect(pingsTo(peer)).toBe(1)
      })
    })
  )

  it.scopedLive("6.17 detects a dead peer though the kernel takes further bytes", () =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* roomy(false)
      yield* Effect.promise(async () => {
        peer.acknowledgesPings = false
        const body = new ReadableStream<Uint8Array>({
          pull: async (controller) => {
            await turns(1)
            controller.enqueue(Buffer.alloc(1))
          }
        })
        const exchange = own.send({ method: "POST", body })
        await peer.next(type.data)
        await peer.arrived()
        vi.advanceTimersByTime(untilPing)
        await peer.next(type.ping)
        await peer.next(type.data)
        await wait()
        expect(await outcome(exchange)).toEqual(timeout)
      })
    })
  )

  it.scopedLive("6.17 is acknowledged by a peer whose window is closed", () =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* connected({ pingAfter: 20 }, settings({ window: 0 }))
      yield* Effect.promise(async () => {
        await peer.arrived()
        const exchange = own.send({ method: "POST", body: Buffer.alloc(100_000) })
        await peer.next(type.headers)
        await acknowledged(peer)
        expect(exchange.calls).toEqual(["begun"])
        peer.acknowledgesPings = false
        while (exchange.calls.length === 1) await wait()
        expect(await outcome(exchange)).toEqual(timeout)
      })
    })
  )
})

describe("a PING during a download", () => {
  it.scopedLive("6.17 is acknowledged while the reader pauses", () =>
    Effect.gen(function* () {
      yield* fakeTimers
      const { own, peer } = yield* connected({ pingAfter: 20 })
      yield* Effect.promise(async () => {
        const exchange = own.send()
        exchange.capacity = 1
        await peer.next(type.headers)
        await peer.arrived(headers(1, ok), ...Array.from({ length: 64 }, () => data(1, Buffer.alloc(16_384))))
        await acknowledged(peer)
        expect(exchange.calls).toEqual(["begun", "200", "received"])
      })
    })
  )

  it.scopedLive("6.17 does not wait for a peer whose frames are rejected", () =>
    Effect.gen(function* () {
      const { own, peer } = yield* connected({ pingAfter: 20 })
      yield* Effect.promise(async () => {
        peer.acknowledgesPings = false
        const exchange = own.send()
        await peer.next(type.headers)
        peer.write(frame(type.settings, 0, 0, Buffer.alloc(5)))
        const endless = setInterval(() => peer.write(windowUpdate(0, 1)), 1)
        const end = await exchange.ended
        clearInterval(endless)
        expect(end.is === "broke" && codeOf(end.cause)).toMatch(/^ERR_HTTP2_/)
      })
    })
  )
})
