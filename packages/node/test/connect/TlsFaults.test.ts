import { createSecureServer } from "node:http2"
import type { Socket } from "node:net"
import { createServer, type Server, type TlsOptions } from "node:tls"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { Effect } from "effect"
import { makeCertificates } from "../fixtures/certificates.js"
import { clientOf, listening, once } from "../fixtures/clients.js"
import { until } from "../fixtures/sockets.js"

const { ca, local } = makeCertificates()

/** Servers that receive a request and never respond. */
const speaking = {
  "http/1.1": (options: TlsOptions, onRequest: () => void): Server =>
    createServer(
      { ...options, ALPNProtocols: ["http/1.1"] },
      (socket) => void socket.once("data", onRequest)
    ),
  h2: (options: TlsOptions, onRequest: () => void): Server =>
    createSecureServer(options).on("stream", (stream) => {
      stream.on("error", () => undefined)
      onRequest()
    })
}

/** Such a server, which damages the socket below TLS when a request arrives, and its open sockets. */
const faulty = (
  protocol: keyof typeof speaking,
  options: TlsOptions,
  fault: (below: Socket) => void = () => undefined
) =>
  Effect.gen(function* () {
    const open = new Set<Socket>()
    let below: Socket | undefined
    const { port } = yield* listening(() =>
      speaking[protocol]({ ...local, ...options }, () => below && fault(below))
        .on("connection", (socket: Socket) => {
          below = socket
          open.add(socket)
          socket.on("close", () => open.delete(socket))
        })
        .on("secureConnection", (socket) => void socket.on("error", () => undefined))
        .on("sessionError", () => undefined)
        .on("tlsClientError", () => undefined)
    )
    return { url: `https://127.0.0.1:${port}`, open }
  })

const post = ApiRequest.post("/x", { body: {} })

describe.each([{ protocol: "http/1.1" }, { protocol: "h2" }] as const)(
  "TLS over $protocol",
  ({ protocol }) => {
    it.scopedLive.each(["TLSv1.2", "TLSv1.3"] as const)(
      "6.11 nothing was sent if the server rejects a missing client certificate: %s",
      (version) =>
        Effect.gen(function* () {
          const wants = { ca, requestCert: true, rejectUnauthorized: true }
          const server = yield* faulty(protocol, { ...wants, minVersion: version, maxVersion: version })
          const client = yield* clientOf(server, { retry: once }, { tls: { ca: [ca] } })
          const error = yield* Effect.flip(client.execute(post))
          expect(error).toMatchObject({ _tag: "ConnectionError", kind: "tls", delivery: "not-sent" })
          expect(error.message).toMatch(
            /^TLS failed: .*\(.*alert (handshake failure|certificate required)\)$/
          )
          yield* Effect.promise(() => until(() => server.open.size === 0))
        })
    )

    it.scopedLive.each<readonly [string, string]>([
      ["a damaged record", `1703030020${"ab".repeat(32)}`],
      ["plain text", Buffer.from("HTTP/1.1 200 OK\r\n\r\n").toString("hex")]
    ])("6.11 the request may have been processed if TLS breaks after it: %s", ([, bytes]) =>
      Effect.gen(function* () {
        const server = yield* faulty(protocol, {}, (below) => below.write(Buffer.from(bytes, "hex")))
        const client = yield* clientOf(server, { retry: once }, { tls: { ca: [ca] } })
        const error = yield* Effect.flip(client.execute(post))
        expect(error).toMatchObject({ _tag: "ConnectionError", kind: "tls", delivery: "maybe-applied" })
        expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_SSL_/) })
        // Node's HTTP/2 server does not notice the end of a socket that was written to below it.
        if (protocol === "http/1.1") yield* Effect.promise(() => until(() => server.open.size === 0))
      })
    )
  }
)
