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

/** Listens below TLS, until the scope closes. */
const peer = (speak: (socket: Socket) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const sockets = new Set<Socket>()
        const server = createServer((socket) => {
          sockets.add(socket)
          socket.on("error", () => undefined)
          speak(socket)
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

/** The runtimes give the same code for a reset in the handshake and for one behind it: only who makes the connection knows. */
const knows: ReadonlyArray<Name> = ["NodeTransport"]

describe.each(direct)("a handshake of TLS that fails, over $name", ({ layer, name }) => {
  it.scopedLive.each<readonly [string, (socket: Socket) => void, object]>([
    [
      "plain http",
      afterHello((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
      { kind: "tls", code: "ERR_SSL_WRONG_VERSION_NUMBER" }
    ],
    ["an alert", (socket) => socket.end(Buffer.from("15030300020228", "hex")), { kind: "tls" }],
    ["the end", afterHello((socket) => socket.end()), { kind: "reset", code: "ECONNRESET" }],
    [
      "a reset",
      afterHello((socket) => socket.resetAndDestroy()),
      { kind: "reset", delivery: knows.includes(name) ? "not-sent" : "maybe-applied" }
    ]
  ])("6.11 by %s has sent nothing", ([, speak, told]) =>
    Effect.gen(function* () {
      const client = yield* clientOf({ url: yield* peer(speak) }, { retry: RetryPolicy.none })
      const error = yield* Effect.flip(client.execute(ApiRequest.post("/x", { body: {} })))
      expect(error).toMatchObject({ _tag: "ConnectionError", delivery: "not-sent", ...told })
    }).pipe(Effect.provide(layer))
  )
})
