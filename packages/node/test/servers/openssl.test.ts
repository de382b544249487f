import { createServer } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, ResponseDecoder } from "@effect-api/client"
import type { NodeTransport } from "@effect-api/node"
import { Effect } from "effect"
import { makeCertificates, type Pair } from "../fixtures/certificates.js"
import { clientOf, listening } from "../fixtures/clients.js"
import { describeWith, folderOf, freePorts, running } from "../fixtures/programs.js"

const certificates = makeCertificates()
const ours = { tls: { ca: [certificates.ca] } }
const page = ApiRequest.get("/", { success: ResponseDecoder.text })

/** OpenSSL's own server, which serves a page about each connection. */
const serving = ({ cert, key }: Pair, ...more: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const [port = 0] = yield* freePorts(1)
    const folder = yield* folderOf({ "server.crt": cert, "server.key": key, "ca.crt": certificates.ca })
    const files = ["-cert", "server.crt", "-key", "server.key"]
    const args = ["s_server", "-accept", `127.0.0.1:${port}`, "-www", ...files, ...more]
    yield* running("openssl", args, { folder, ports: [port] })
    return { url: `https://127.0.0.1:${port}` }
  })

/** The fault, further arguments of the server, the client's trust, and the error. */
type Fault = readonly [string, Pair, ReadonlyArray<string>, NodeTransport.Options, string, RegExp]

const certificateFaults: ReadonlyArray<Fault> = [
  ["has expired", certificates.expired, [], ours, "CERT_HAS_EXPIRED", /TLS failed: certificate has expired/],
  [
    "is self-signed",
    certificates.selfSigned,
    [],
    ours,
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    /TLS failed: self[- ]signed certificate/
  ],
  [
    "is for another name",
    certificates.elsewhere,
    [],
    ours,
    "ERR_TLS_CERT_ALTNAME_INVALID",
    /TLS failed: .*does not match/
  ],
  [
    "is from an unknown authority",
    certificates.local,
    [],
    {},
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    /TLS failed: unable to verify/
  ],
  [
    "has an unknown authority in its chain",
    certificates.local,
    ["-CAfile", "ca.crt", "-build_chain"],
    {},
    "SELF_SIGNED_CERT_IN_CHAIN",
    /TLS failed: self[- ]signed certificate in certificate chain/
  ]
]

describeWith("openssl", () => {
  it.scopedLive("1.1 a certificate of a custom authority is trusted", () =>
    Effect.gen(function* () {
      const server = yield* serving(certificates.local)
      const client = yield* clientOf(server, {}, ours)
      expect(yield* client.execute(page)).toContain("TLSv1.3")
    })
  )

  for (const allowH2 of [false, true]) {
    const offering = allowH2 ? ", HTTP/2 offered" : ""
    it.scopedLive.each(certificateFaults)(
      `6.1 a certificate that %s is named and not retried${offering}`,
      ([, pair, more, options, code, message]) =>
        Effect.gen(function* () {
          const server = yield* serving(pair, ...more)
          const client = yield* clientOf(server, { retry: { initialDelay: 0 } }, { ...options, allowH2 })
          const error = yield* Effect.flip(client.execute(page))
          expect(error).toMatchObject({
            _tag: "ConnectionError",
            kind: "tls",
            code,
            message: expect.stringMatching(message),
            delivery: "not-sent",
            stoppedBy: "not-retryable"
          })
          expect(error.attempts).toHaveLength(1)
        })
    )
  }

  it.scopedLive.each(certificateFaults)(
    "1.1 a certificate that %s is accepted without verification",
    ([, pair, more]) =>
      Effect.gen(function* () {
        const server = yield* serving(pair, ...more)
        const client = yield* clientOf(server, {}, { tls: { verify: false } })
        expect(yield* client.execute(page)).toContain("TLSv1.3")
      })
  )

  it.scopedLive(
    "7.3 a server that supports only outdated versions is a TLS failure, and nothing was sent",
    () =>
      Effect.gen(function* () {
        const old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]
        const server = yield* serving(certificates.local, ...old)
        const client = yield* clientOf(server, { retry: { maxRetries: 0 } }, ours)
        expect(yield* Effect.flip(client.execute(page))).toMatchObject({
          _tag: "ConnectionError",
          kind: "tls",
          delivery: "not-sent"
        })
      })
  )
})

describe("a server without TLS", () => {
  it.scopedLive("7.3 is a TLS failure for an https URL, and nothing was sent", () =>
    Effect.gen(function* () {
      const { port } = yield* listening(() =>
        createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
      )
      const url = `https://127.0.0.1:${port}`
      const client = yield* clientOf({ url }, { retry: { maxRetries: 0 } }, ours)
      expect(yield* Effect.flip(client.execute(page))).toMatchObject({
        _tag: "ConnectionError",
        kind: "tls",
        delivery: "not-sent"
      })
    })
  )
})
