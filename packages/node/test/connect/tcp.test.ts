import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "@effect/vitest"
import type { Lookup } from "../../src/config/TransportOptions.js"
import { type Destination, type TcpOptions, tcp } from "../../src/connect/tcp.js"
import {
  activeSockets,
  activeSocketsNow,
  type BlackHole,
  blackHole,
  type Counting,
  counting,
  finds,
  freePort,
  listenersOf,
  outcome,
  uncalled,
  until
} from "../fixtures/sockets.js"

const options: TcpOptions = { tcpKeepAlive: 60_000 }

const connect = (to: Destination, more: Partial<TcpOptions> = {}): Promise<net.Socket> =>
  outcome((listener) => tcp(to, { ...options, ...more }, listener))

const failure = async (to: Destination, more: Partial<TcpOptions> = {}): Promise<Error> => {
  const failed = await connect(to, more).then(
    () => undefined,
    (cause: Error) => cause
  )
  expect(failed).toBeInstanceOf(Error)
  return failed as Error
}

const closing: Array<() => unknown> = []
const kept = <R extends { readonly close: () => unknown }>(resource: R): R => {
  closing.push(resource.close)
  return resource
}
afterEach(async () => {
  vi.useRealTimers()
  for (const close of closing.splice(0)) await close()
})

describe("a connection", () => {
  it.each(["127.0.0.1", "::1", "[::1]"])("8.6 to an IP literal needs no lookup: %s", async (host) => {
    const server = kept(await counting(undefined, host.includes(":") ? "::1" : host))
    const lookup: Lookup = () => {
      throw new Error("looked up")
    }
    const socket = await connect({ host, port: server.port }, { lookup })
    expect(socket.remotePort).toBe(server.port)
    socket.destroy()
  })

  it("8.6 to a name uses the system's lookup", async () => {
    const server = kept(await counting())
    const socket = await connect({ host: "localhost", port: server.port })
    expect(socket.remoteAddress).toBe("127.0.0.1")
    socket.destroy()
  })

  it("8.6 has no listeners of ours and has lost no byte", async () => {
    const server = kept(await counting((socket) => socket.end("first bytes")))
    const socket = await connect({ host: "one.test", port: server.port }, { lookup: finds("127.0.0.1") })
    const bare = new net.Socket()
    expect(listenersOf(socket)).toEqual(listenersOf(bare))
    const chunks: Array<Buffer> = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).toString()).toBe("first bytes")
  })

  it("8.6 to a Unix socket is possible", async () => {
    const folder = mkdtempSync(join(tmpdir(), "effect-api-connect-"))
    const path = join(folder, "s")
    const server = net.createServer((socket) => socket.end("unix")).listen(path)
    await once(server, "listening")
    const socket = await connect({ path })
    const [chunk] = await once(socket, "data")
    expect(String(chunk)).toBe("unix")
    socket.destroy()
    server.close()
    rmSync(folder, { recursive: true })
  })
})

describe("several addresses", () => {
  let holes: ReadonlyArray<BlackHole>
  let server: Counting

  beforeAll(async () => {
    const dead = await blackHole("127.0.0.2")
    holes = [dead, await blackHole("127.0.0.3", dead.port)]
    server = await counting(undefined, "127.0.0.1", dead.port)
  })
  afterAll(async () => {
    server.close()
    for (const hole of holes) await hole.close()
  })

  it("6.16 the first address that accepts is used, and no other attempt remains", async () => {
    const before = await activeSocketsNow()
    const lookup = finds("127.0.0.2", "127.0.0.3", "127.0.0.1")
    const socket = await connect({ host: "api.test", port: server.port }, { lookup, attemptDelay: 5 })
    expect(socket.remoteAddress).toBe("127.0.0.1")
    socket.destroy()
    await server.empty()
    await until(() => activeSockets() === before)
  })

  it("6.16 after a refusal the next address starts at once", async () => {
    const lookup = finds("127.0.0.9", "::1", "127.0.0.1")
    const never = { lookup, attemptDelay: 2_147_483_647 }
    const socket = await connect({ host: "api.test", port: server.port }, never)
    expect(socket.remoteAddress).toBe("127.0.0.1")
    socket.destroy()
  })

  it("7.3 if all addresses refuse, the error names each", async () => {
    const port = await freePort()
    const error = await failure(
      { host: "api.test", port },
      { lookup: finds("::1", "127.0.0.1", "127.0.0.9") }
    )
    expect(error).toMatchObject({
      code: "ECONNREFUSED",
      syscall: "connect",
      message: `connect ECONNREFUSED api.test:${port} (::1 ECONNREFUSED, 127.0.0.1 ECONNREFUSED, 127.0.0.9 ECONNREFUSED)`
    })
    expect(error.cause).toBeInstanceOf(AggregateError)
    expect((error.cause as AggregateError).errors.map(({ address }) => address)).toEqual([
      "::1",
      "127.0.0.1",
      "127.0.0.9"
    ])
  })

  it("6.16 an abort ends every attempt at once", async () => {
    const before = await activeSocketsNow()
    const lookup = finds("127.0.0.2", "127.0.0.3")
    const abort = tcp(
      { host: "api.test", port: server.port },
      { ...options, lookup, attemptDelay: 1 },
      uncalled
    )
    await until(() => activeSockets() === before + 2)
    abort()
    abort()
    await until(() => activeSockets() === before)
  })

  it("6.16 an abort between two attempts clears the timer and starts no further attempt", async () => {
    const before = await activeSocketsNow()
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    const lookup = finds("127.0.0.2", "127.0.0.1")
    const abort = tcp({ host: "api.test", port: server.port }, { ...options, lookup }, uncalled)
    await until(() => vi.getTimerCount() === 1)
    const accepted = server.accepted()
    abort()
    expect(vi.getTimerCount()).toBe(0)
    await until(() => activeSockets() === before)
    expect(server.accepted()).toBe(accepted)
  })

  it("6.16 the next address starts after 250 ms", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    const lookup = finds("127.0.0.2", "127.0.0.1", "127.0.0.3")
    const connected = connect({ host: "api.test", port: server.port }, { lookup })
    await until(() => vi.getTimerCount() === 1)
    const accepted = server.accepted()
    vi.advanceTimersByTime(249)
    await activeSocketsNow()
    expect(server.accepted()).toBe(accepted)
    vi.advanceTimersByTime(1)
    const socket = await connected
    expect(socket.remoteAddress).toBe("127.0.0.1")
    expect(vi.getTimerCount()).toBe(0)
    socket.destroy()
  })
})

describe("an invalid destination", () => {
  it.each([0, -1, 65_536, 1.5, Number.NaN])("7.7 the port %s fails without an exception", async (port) => {
    expect(await failure({ host: "127.0.0.1", port })).toMatchObject({
      code: "ERR_SOCKET_BAD_PORT",
      syscall: "connect"
    })
  })

  it("7.7 an empty host fails, though Node would connect to localhost", async () => {
    expect(await failure({ host: "", port: 80 })).toMatchObject({
      code: "ERR_INVALID_URL",
      syscall: "connect"
    })
  })

  it.each(["/nowhere/s", "", "\0", `/${"x".repeat(500)}`])(
    "7.7 a path without a socket fails: %j",
    async (path) => {
      expect(await failure({ path })).toMatchObject({ syscall: "connect", code: expect.any(String) })
    }
  )

  it("6.11 the error of a refused address is the system's", async () => {
    const port = await freePort()
    const error = await failure({ host: "127.0.0.1", port })
    expect(error).toMatchObject({ message: `connect ECONNREFUSED 127.0.0.1:${port}`, syscall: "connect" })
  })

  it("6.16 no failure is reported after an abort", async () => {
    const before = await activeSocketsNow()
    for (const to of [{ host: "", port: 80 }, { path: "" }, { host: "127.0.0.1", port: await freePort() }]) {
      tcp(to, options, uncalled)()
    }
    await until(() => activeSockets() === before)
  })
})
