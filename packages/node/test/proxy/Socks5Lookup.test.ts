import { createServer } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, ApiRequest } from "@effect-api/client"
import type { NodeTransport } from "@effect-api/node"
import { Effect, Exit, Fiber, Scope } from "effect"
import { clientOf, listening, once } from "../fixtures/clients.js"
import { socksProxy } from "../fixtures/proxies.js"
import { until } from "../fixtures/sockets.js"

const get = ApiRequest.get("/x")

/** A client whose calls to `api.test` go through a SOCKS5 proxy and use this lookup. */
const clientWith = (
  url: string,
  lookup: NodeTransport.Lookup,
  port = 80,
  timeouts: ApiConfig.Options["timeouts"] = {}
) =>
  clientOf(
    { url: `http://api.test:${port}` },
    { retry: once, timeouts },
    { lookup, proxy: url === "" ? "none" : { url } }
  )

describe("the lookup of a transport with a SOCKS5 proxy", () => {
  const kinds = [
    { kind: "socks5", found: ["api.test"], seen: "ipv4 127.0.0.1" },
    { kind: "socks5h", found: [], seen: "name api.test" }
  ]
  it.scopedLive.each(kinds)("1.1 $kind: the names $found are resolved here", ({ found, kind, seen }) =>
    Effect.gen(function* () {
      const { port } = yield* listening(() => createServer((_, response) => void response.end('"ok"')))
      const proxy = yield* socksProxy()
      const names: Array<string> = []
      const client = yield* clientWith(
        `${kind}://127.0.0.1:${proxy.port}`,
        (name, _options, callback) => {
          names.push(name)
          callback(null, [{ address: "127.0.0.1", family: 4 }])
        },
        port
      )
      // No server is behind the name of the test, so a call by name fails at the proxy.
      yield* Effect.exit(client.execute(get))
      expect(names).toEqual(found)
      expect(proxy.seen).toEqual([`${seen}:${port}`])
    })
  )

  const failures: ReadonlyArray<readonly [string, NodeTransport.Lookup]> = [
    ["fails", (_host, _options, callback) => callback(new Error("no"), [])],
    ["finds nothing", (_host, _options, callback) => callback(null, [])],
    [
      "throws",
      () => {
        throw Object.assign(new Error("no"), { code: "EAI_AGAIN" })
      }
    ]
  ]
  it.scopedLive.each(failures)("7.3 fails a call as without a proxy if it %s", ([, lookup]) =>
    Effect.gen(function* () {
      const proxy = yield* socksProxy()
      const [direct, proxied] = yield* Effect.forEach(["", `socks5://127.0.0.1:${proxy.port}`], (url) =>
        Effect.flatMap(clientWith(url, lookup), (client) => Effect.flip(client.execute(get)))
      )
      expect(proxied).toMatchObject({ _tag: "ConnectionError", kind: "dns", delivery: "not-sent" })
      expect({ ...proxied, message: proxied?.message }).toMatchObject({
        message: direct?.message,
        code: direct !== undefined && "code" in direct ? direct.code : "none"
      })
      yield* Effect.promise(() => until(() => proxy.open() === 0))
    })
  )

  /** A lookup that never calls back. */
  const pending = Effect.gen(function* () {
    const proxy = yield* socksProxy()
    let lookup: NodeTransport.Lookup = () => undefined
    const asked = new Promise<void>((resolve) => {
      lookup = () => resolve()
    })
    return { asked: Effect.promise(() => asked), lookup, proxy, url: `socks5://127.0.0.1:${proxy.port}` }
  })

  it.scopedLive("6.15 the connect timeout ends a pending lookup", () =>
    Effect.gen(function* () {
      const { lookup, proxy, url } = yield* pending
      const client = yield* clientWith(url, lookup, 80, { connect: 30 })
      const error = yield* Effect.flip(client.execute(get))
      expect(error).toMatchObject({ _tag: "TimeoutError", phase: "connect", delivery: "not-sent" })
      yield* Effect.promise(() => until(() => proxy.open() === 0))
    })
  )

  it.scopedLive("6.15 an interruption ends a pending lookup", () =>
    Effect.gen(function* () {
      const { asked, lookup, proxy, url } = yield* pending
      const client = yield* clientWith(url, lookup)
      const call = yield* Effect.fork(client.execute(get))
      yield* asked
      yield* Fiber.interrupt(call)
      yield* Effect.promise(() => until(() => proxy.open() === 0))
    })
  )

  it.scopedLive("6.15 the end of the layer ends a pending lookup", () =>
    Effect.gen(function* () {
      const { asked, lookup, proxy, url } = yield* pending
      const scope = yield* Scope.make()
      const client = yield* Scope.extend(clientWith(url, lookup), scope)
      const call = yield* Effect.fork(Effect.flip(client.execute(get)))
      yield* asked
      yield* Scope.close(scope, Exit.void)
      expect(yield* Fiber.join(call)).toMatchObject({ _tag: "InvalidRequestError", delivery: "not-sent" })
      yield* Effect.promise(() => until(() => proxy.open() === 0))
    })
  )
})
