import { createSecureServer, type ServerHttp2Stream } from "node:http2"
import { connect } from "node:net"
import { createServer } from "node:tls"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeCertificates } from "../fixtures/certificates.js"
import { listening } from "../fixtures/clients.js"
import * as Frames from "../fixtures/frames.js"
import { codeOf, secure, socketTo, TestOwner } from "../fixtures/http2.js"

const { ca, local } = makeCertificates()

/** Returns the number of bytes it received. */
const counting = (stream: ServerHttp2Stream): void => {
  let size = 0
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length
  })
  stream.on("end", () => {
    stream.respond({ ":status": 200 })
    stream.end(String(size))
  })
}

const server = Effect.map(
  listening(() => createSecureServer({ ...local }).on("stream", counting)),
  ({ port }) => port
)

/** Forwards the decrypted bytes to a port. */
const relayTo = (port: number) =>
  Effect.map(
    listening(() =>
      createServer({ ...local }, (socket) => {
        const onward = connect(port, "127.0.0.1")
        socket.pipe(onward).pipe(socket)
        onward.on("error", () => socket.destroy())
      })
    ),
    ({ port }) => port
  )

const served = (own: TestOwner) =>
  Effect.promise(async () => {
    const exchanges = [1, 300_000].map((size) => own.send({ method: "POST", body: Buffer.alloc(size) }))
    for (const exchange of exchanges) expect(await exchange.ended).toEqual({ is: "completed" })
    expect(exchanges.map(({ text }) => text)).toEqual(["1", "300000"])
    own.connection.close()
    await new Promise((resolve) => own.socket.on("close", resolve))
  })

describe("a connection over TLS", () => {
  it.scopedLive("1.1 serves and closes", () =>
    Effect.gen(function* () {
      yield* served(new TestOwner(yield* secure(yield* socketTo(yield* server), ca), {}))
    })
  )

  it.scopedLive("1.1 serves and closes within TLS to a proxy", () =>
    Effect.gen(function* () {
      const outer = yield* secure(yield* socketTo(yield* relayTo(yield* server)), ca)
      yield* served(new TestOwner(yield* secure(outer, ca), {}))
      yield* Effect.promise(
        () => new Promise((resolve) => (outer.closed ? resolve(0) : outer.on("close", resolve)))
      )
    })
  )

  it.scopedLive("7.7 limits the origins that a server may name", () =>
    Effect.gen(function* () {
      const hostile = yield* Frames.serving(Frames.settings(), { pair: local })
      const own = new TestOwner(yield* secure(yield* socketTo(hostile.port), ca), {})
      const peer = yield* hostile.accept
      const exchange = own.send()
      yield* Effect.promise(async () => {
        await peer.next(Frames.type.headers)
        for (let n = 0; n < 200; n++) {
          const origin = `https://${n}.test`
          const length = Buffer.from([0, origin.length])
          peer.write(Frames.frame(Frames.type.origin, 0, 0, Buffer.concat([length, Buffer.from(origin)])))
        }
        const end = await exchange.ended
        expect(end.is === "broke" && codeOf(end.cause)).toMatch(/^ERR_HTTP2_/)
        await own.isGone
      })
    })
  )
})
