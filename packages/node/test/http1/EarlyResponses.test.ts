import { createServer, type Socket } from "node:net"
import { createServer as createSecureServer } from "node:tls"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { Effect, Stream } from "effect"
import { makeCertificates } from "../fixtures/certificates.js"
import { clientOf, listening, once } from "../fixtures/clients.js"

const { ca, local } = makeCertificates()
const tls = { ca: [ca] }

const body = '{"error":{"message":"too large"}}'
const head = `HTTP/1.1 413 Too Large\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`

/** Reads only the start of a request; the unread rest turns its close into a reset. */
const hasty =
  (response: string) =>
  (socket: Socket): void =>
    void socket.once("data", () => socket.pause().write(response, () => socket.destroy()))

const piece = new Uint8Array(64 * 1024)
const bodies: ReadonlyArray<readonly [string, ApiRequest.ApiRequest<unknown>]> = [
  ["bytes", ApiRequest.post("/x", { bytes: new Uint8Array(16 * 1024 * 1024) })],
  [
    "a stream",
    ApiRequest.post("/x", { bodyStream: Stream.fromIterable(Array.from({ length: 256 }, () => piece)) })
  ]
]

const servers = [
  ["http", (response: string) => createServer(hasty(response))],
  ["https", (response: string) => createSecureServer(local, hasty(response))]
] as const

const cases = servers.flatMap(([scheme, make]) =>
  bodies.map(([what, request]) => [what, scheme, make, request] as const)
)

describe("a server that closes before it has read the whole body", () => {
  it.scopedLive.each(cases)(
    "7.1 the response status is kept (body of %s, over %s)",
    ([, scheme, make, request]) =>
      Effect.gen(function* () {
        const { port } = yield* listening(() => make(`${head}connection: close\r\n\r\n${body}`))
        const client = yield* clientOf({ url: `${scheme}://127.0.0.1:${port}` }, { retry: once }, { tls })
        const error = yield* Effect.flip(client.execute(request))
        expect(error).toMatchObject({ _tag: "RequestTooLargeError", status: 413 })
        expect(error.message).toContain("too large")
      })
  )

  it.scopedLive.each(cases)(
    "7.3 without a complete response the connection has failed (body of %s, over %s)",
    ([, scheme, make, request]) =>
      Effect.gen(function* () {
        const { port } = yield* listening(() => make("HTTP/1.1 4"))
        const client = yield* clientOf({ url: `${scheme}://127.0.0.1:${port}` }, { retry: once }, { tls })
        const error = yield* Effect.flip(client.execute(request))
        expect(error).toMatchObject({ _tag: "ConnectionError", delivery: "maybe-applied" })
      })
  )
})
