import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, RetryPolicy } from "@effect-api/client"
import { Effect } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { direct, type Name } from "../fixtures/transports.js"

const afterHello =
  (then: (socket: Socket) => void) =>
  (socket: Socket): void =>
    void socket.once("data", () => then(socket))

/** Accepts raw TCP connections until the scope closes. */
const listen = (onConnection: (socket: Socket) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const sockets = new Set<Socket>()
        const server = createServer((socket) => {
          sockets.add(socket)
          socket.on("error", () => undefined)
          onConnection(socket)
        })
        server.listen(0, "127.0.0.1")
        await once(server, "listening")
        return { server, sockets }
      }),
      ({ server, sockets }) =>
        Effect.sync(() => {
          server.close()
          for (const socket of sockets) socket.destroy()
        })
    ),
    ({ server }) => `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  )

/**
 * A reset has the same code during and after the handshake. Only a transport that makes its own connections can distinguish
 * them.
 */
const distinguishesReset: ReadonlyArray<Name> = ["NodeTransport"]

describe.each(direct)("a failing TLS handshake, over $name", ({ layer, name }) => {
  it.scopedLive.each<readonly [string, (socket: Socket) => void, object]>([
    [
      "a plain HTTP response",
      afterHello((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
      { kind: "tls", code: "ERR_SSL_WRONG_VERSION_NUMBER" }
    ],
    ["a TLS alert", (socket) => socket.end(Buffer.from("15030300020228", "hex")), { kind: "tls" }],
    ["a close", afterHello((socket) => socket.end()), { kind: "reset", code: "ECONNRESET" }],
    [
      "a reset",
      afterHello((socket) => socket.resetAndDestroy()),
      { kind: "reset", delivery: distinguishesReset.includes(name) ? "not-sent" : "maybe-applied" }
    ]
  ])("6.11 with %s is not-sent, where the transport can tell", ([, onConnection, expected]) =>
    Effect.gen(function* () {
      const client = yield* clientOf({ url: yield* listen(onConnection) }, { retry: RetryPolicy.none })
      const error = yield* Effect.flip(client.execute(ApiRequest.post("/x", { body: {} })))
      expect(error).toMatchObject({ _tag: "ConnectionError", delivery: "not-sent", ...expected })
    }).pipe(Effect.provide(layer))
  )
})
