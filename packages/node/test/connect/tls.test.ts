import { once } from "node:events"
import net from "node:net"
import { Duplex } from "node:stream"
import nodeTls, { type SecureContext, type TlsOptions as ServerOptions, type TLSSocket } from "node:tls"
import { afterEach, describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import { secureContext } from "../../src/connect/secureContext.js"
import { tcp } from "../../src/connect/tcp.js"
import type { TlsOptions } from "../../src/connect/tls.js"
import { tls } from "../../src/connect/tls.js"
import { makeCertificates } from "../fixtures/certificates.js"
import {
  activeSocketsNow,
  type Counting,
  counting,
  listenersOf,
  outcome,
  uncalled,
  until
} from "../fixtures/sockets.js"

const certificates = makeCertificates()
const { ca, local } = certificates

const context = (tls: Parameters<typeof secureContext>[0]): SecureContext =>
  Either.getOrThrow(secureContext(tls))
const trusting = context({ ca: [ca] })

const closing: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
const kept = <R extends { readonly close: () => unknown }>(resource: R): R => {
  closing.push(resource.close)
  return resource
}

/** A server that runs `onSocket` for each connection: TLS, or any other protocol. */
const server = async (onSocket: (socket: net.Socket) => void): Promise<Counting> =>
  kept(await counting(onSocket))

const secured = (
  options: ServerOptions = local,
  onSecure: (socket: TLSSocket) => void = (socket) => socket.resume()
): Promise<Counting> => {
  const inner = nodeTls.createServer(options, (socket) => {
    socket.on("error", () => undefined)
    onSecure(socket)
  })
  inner.on("tlsClientError", () => undefined)
  return server((socket) => inner.emit("connection", socket))
}

/** A server that runs this and reads all input, since otherwise it would not notice the end. */
const peer = (speak: (socket: net.Socket) => void): Promise<Counting> =>
  server((socket) => {
    speak(socket)
    socket.resume()
  })

const connected = (port: number): Promise<net.Socket> =>
  outcome((listener) => tcp({ host: "127.0.0.1", port }, { tcpKeepAlive: 60_000 }, listener))

const defaults: TlsOptions = { host: "localhost", context: trusting, verify: true, alpn: ["http/1.1"] }

const shake = (socket: Duplex, options: Partial<TlsOptions> = {}): Promise<TLSSocket> =>
  outcome((listener) => tls(socket, { ...defaults, ...options }, listener))

const secure = async (to: Counting, options: Partial<TlsOptions> = {}): Promise<TLSSocket> =>
  shake(await connected(to.port), options)

/** The failure, after the socket below has closed. */
const failure = async (to: Counting, options: Partial<TlsOptions> = {}): Promise<Error> => {
  const socket = await connected(to.port)
  const failed = await shake(socket, options).then(
    () => undefined,
    (cause: Error) => cause
  )
  expect(failed).toBeInstanceOf(Error)
  expect(socket.destroyed).toBe(true)
  await to.empty()
  return failed as Error
}

describe("the name of a server", () => {
  const { elsewhere } = certificates
  it.each<readonly [string, ServerOptions, Partial<TlsOptions>, string | false]>([
    ["is the host", local, {}, "localhost"],
    ["has no trailing dot (RFC 6066, 3)", local, { host: "localhost." }, "localhost"],
    ["is not an address (RFC 6066, 3)", local, { host: "127.0.0.1" }, false],
    ["is the configured one", elsewhere, { servername: "elsewhere.test" }, "elsewhere.test"],
    ["may be configured as an address", local, { host: "api.test", servername: "127.0.0.1" }, false]
  ])("1.1 %s", async (_name, options, names, servername) => {
    const names_: Array<string | false> = []
    const to = await secured(options, (socket) => names_.push(socket.servername ?? false))
    const socket = await secure(to, names)
    expect(socket.authorized).toBe(true)
    await until(() => names_.length > 0)
    expect(names_).toEqual([servername])
    socket.destroy()
  })

  it.each([
    ["an IPv6 address", "[::1]", "::1"],
    ["an address with a zone", "[fe80::1%25eth0]", "fe80::1"],
    ["an address", "127.0.0.2", "127.0.0.2"],
    ["a name", "api.test", "api.test"]
  ])("6.1 the certificate must be for %s", async (_name, host, verified) => {
    const error = await failure(await secured(), { host })
    expect(error).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID", syscall: "connect" })
    expect(error.cause).toMatchObject({ host: verified })
  })
})

describe("a connection with TLS", () => {
  it("1.1 negotiates a protocol that both sides support", async () => {
    const to = await secured({ ...local, ALPNProtocols: ["h2", "http/1.1"] })
    for (const [alpn, spoken] of [
      [["h2", "http/1.1"], "h2"],
      [["http/1.1"], "http/1.1"],
      [[], false]
    ] as const) {
      const socket = await secure(to, { alpn })
      expect(socket.alpnProtocol).toBe(spoken)
      socket.destroy()
    }
  })

  it("8.6 has no listeners of ours on either socket and has lost no byte", async () => {
    const to = await secured(local, (socket) => socket.end("first bytes"))
    const below = await connected(to.port)
    const plain = await connected(to.port)
    const byHand = nodeTls.connect({
      socket: plain,
      host: "localhost",
      servername: "localhost",
      secureContext: trusting
    })
    await until(() => byHand.authorized)
    const socket = await shake(below)
    expect(listenersOf(socket)).toEqual(listenersOf(byHand))
    expect(listenersOf(below)).toEqual(listenersOf(plain))
    const chunks: Array<Buffer> = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).toString()).toBe("first bytes")
    byHand.destroy()
  })

  it.each(["TLSv1.2", "TLSv1.3"] as const)("1.1 resumes an earlier session: %s", async (maxVersion) => {
    const to = await secured({ ...local, maxVersion }, (socket) => socket.write("x"))
    const sessions: Array<Buffer> = []
    const first = await secure(to, { onSession: (session) => sessions.push(session) })
    first.resume()
    await until(() => sessions.length > 0)
    expect(first.isSessionReused()).toBe(false)
    const second = await secure(to, { session: sessions[0] })
    expect(second.isSessionReused()).toBe(true)
    for (const socket of [first, second]) socket.destroy()
  })

  it("7.7 ignores an invalid session", async () => {
    const to = await secured()
    for (const session of [Buffer.alloc(0), Buffer.from("garbage")]) {
      const socket = await secure(to, { session })
      expect(socket.isSessionReused()).toBe(false)
      socket.destroy()
    }
  })

  it("1.1 runs over TLS to a proxy, and over any duplex", async () => {
    const target = await secured()
    const proxy = await secured(local, (socket) => {
      const through = net.connect({ host: "127.0.0.1", port: target.port })
      through.on("error", () => socket.destroy())
      socket.on("close", () => through.destroy())
      socket.pipe(through).pipe(socket)
    })
    const inner = await shake(await secure(proxy))
    expect(inner.authorized).toBe(true)
    inner.destroy()
    await target.empty()
    await proxy.empty()

    const below = await connected(target.port)
    const onAny = await shake(wrapped(below))
    expect(onAny.authorized).toBe(true)
    onAny.destroy()
    await target.empty()
  })
})

/** A duplex that is not a Node socket. */
const wrapped = (socket: net.Socket): Duplex => {
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk, _encoding, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy()
      done(error)
    }
  })
  socket.on("data", (chunk) => duplex.push(chunk))
  socket.on("end", () => duplex.push(null))
  socket.on("error", (error) => duplex.destroy(error))
  return duplex
}

describe("an untrusted certificate", () => {
  it.each<readonly [string, ServerOptions, Partial<TlsOptions>, string]>([
    ["expired", certificates.expired, {}, "CERT_HAS_EXPIRED"],
    ["for another name", certificates.elsewhere, {}, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["self-signed", certificates.selfSigned, {}, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["from an unknown authority", local, { context: context(undefined) }, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"]
  ])("6.1 fails with its code, and nothing was sent: %s", async (_name, options, more, code) => {
    expect(await failure(await secured(options), more)).toMatchObject({ code, syscall: "connect" })
    const unverified = await secure(await secured(options), { ...more, verify: false })
    expect(unverified.authorized).toBe(false)
    unverified.destroy()
  })
})

const rejects: ServerOptions = { ...local, ca, requestCert: true, rejectUnauthorized: true }
const bytes = (hex: string) => (socket: net.Socket) => void socket.end(Buffer.from(hex, "hex"))
const afterHello = (then: (socket: net.Socket) => void) => (socket: net.Socket) =>
  void socket.once("data", () => then(socket))

describe("a peer that fails the handshake", () => {
  const notTls = /^the server's response is not TLS, perhaps it is plain http \(/

  it.each<readonly [string, (socket: net.Socket) => void, object]>([
    [
      "speaks plain http",
      afterHello((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
      { message: expect.stringMatching(notTls), code: "ERR_SSL_WRONG_VERSION_NUMBER" }
    ],
    [
      "speaks plain http and stays open",
      afterHello((socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n")),
      { message: expect.stringMatching(notTls) }
    ],
    ["greets", (socket) => socket.write("SSH-2.0-OpenSSH_9\r\n"), { message: expect.stringMatching(notTls) }],
    ["sends zeros", bytes("00".repeat(100)), { message: expect.stringMatching(notTls) }],
    [
      "sends a record that is too long",
      bytes(`160303ffff${"00".repeat(50)}`),
      { message: expect.stringMatching(notTls) }
    ],
    [
      "sends another message",
      bytes("160303000405000000"),
      { message: "the handshake failed (unexpected message)", code: "ERR_SSL_UNEXPECTED_MESSAGE" }
    ],
    [
      "refuses",
      bytes("15030300020228"),
      {
        message: expect.stringContaining("alert handshake failure"),
        code: expect.stringMatching(/^ERR_SSL_.*HANDSHAKE_FAILURE$/)
      }
    ],
    ["sends close_notify", bytes("15030300020100"), { code: "ECONNRESET" }],
    ["sends a part of a record", bytes("16"), { code: "ECONNRESET" }],
    ["closes", (socket) => socket.end(), { code: "ECONNRESET" }],
    ["closes after the hello", afterHello((socket) => socket.end()), { code: "ECONNRESET" }],
    [
      "resets after the hello",
      afterHello((socket) => socket.resetAndDestroy()),
      { code: "ECONNRESET", cause: { syscall: "read" } }
    ]
  ])("6.11 has received no part of a request: %s", async (_name, speak, expected) => {
    expect(await failure(await peer(speak))).toMatchObject({ syscall: "connect", ...expected })
  })

  it("6.11 has received no part of a request if no protocol is common to both", async () => {
    const error = await failure(await secured({ ...local, ALPNProtocols: ["h2"] }))
    expect(error).toMatchObject({ code: "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL", syscall: "connect" })
    expect(error.message).toBe("the handshake failed (tlsv1 alert no application protocol)")
  })

  it("6.11 has received no part of a request if it requires a certificate: TLS 1.2 reports that in the handshake, 1.3 after it", async () => {
    expect(await failure(await secured({ ...rejects, maxVersion: "TLSv1.2" }))).toMatchObject({
      syscall: "connect"
    })
    const socket = await secure(await secured({ ...rejects, minVersion: "TLSv1.3" }))
    const error = await new Promise((resolve) =>
      socket.once("error", resolve).resume().write("GET / HTTP/1.1\r\n\r\n")
    )
    expect(error).toMatchObject({ code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" })
  })

  it.each<readonly [string, (socket: Duplex) => unknown]>([
    ["is closed", (socket) => socket.destroy()],
    [
      "has ended",
      (socket) => {
        socket.resume().push(null)
        return once(socket, "end")
      }
    ],
    ["is not writable", (socket) => socket.end()]
  ])("6.11 a socket that %s fails in the next turn", async (_name, close) => {
    const to = await peer(() => undefined)
    const socket = wrapped(await connected(to.port))
    await close(socket)
    await expect(shake(socket)).rejects.toMatchObject({ code: "ECONNRESET", syscall: "connect" })
    await to.empty()
  })

  it.each([
    ["with an error", new Error("below"), { message: "below", syscall: "connect" }],
    ["without", undefined, { code: "ECONNRESET", syscall: "connect" }]
  ])("6.11 a socket destroyed underneath fails: %s", async (_name, reason, expected) => {
    const to = await peer(() => undefined)
    for (const around of [(socket: net.Socket) => socket, wrapped]) {
      const socket = around(await connected(to.port))
      const failed = shake(socket)
      socket.destroy(reason)
      await expect(failed).rejects.toMatchObject(expected)
      await to.empty()
    }
  })
})

describe("an abort", () => {
  it.each<readonly [string, (socket: net.Socket) => void]>([
    ["hangs", () => undefined],
    ["closed its side", (socket) => socket.end()],
    ["sent a part of a record", (socket) => socket.write(Buffer.from("16", "hex"))]
  ])("8.6 of a handshake whose peer %s leaves no socket open", async (_name, speak) => {
    const to = await peer(speak)
    const before = await activeSocketsNow()
    for (const around of [(socket: net.Socket) => socket, wrapped]) {
      const socket = await connected(to.port)
      const abort = tls(around(socket), defaults, uncalled)
      abort()
      abort()
      expect(socket.destroyed).toBe(true)
      await to.empty()
    }
    expect(await activeSocketsNow()).toBe(before)
  })

  it("8.6 of a handshake within a proxy's TLS ends both", async () => {
    const proxy = await secured()
    const outer = await secure(proxy)
    let calls = 0
    outer.on("close", () => calls++)
    tls(outer, defaults, uncalled)()
    await proxy.empty()
    await until(() => calls === 1)
  })
})
