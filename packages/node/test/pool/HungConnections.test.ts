/** A slot in the pool is free again as soon as a hanging connection is given up. */
import { createSecureServer } from "node:http2"
import { createServer } from "node:https"
import { connect } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import type { NodeTransport } from "@effect-api/node"
import { Effect } from "effect"
import { makeCertificates } from "../fixtures/certificates.js"
import { clientOf, listening, once } from "../fixtures/clients.js"
import { httpProxy, socksProxy } from "../fixtures/proxies.js"
import { type Counting, counting, until } from "../fixtures/sockets.js"

const { ca, local } = makeCertificates()
const get = ApiRequest.get("/x")

/** Forwards to a port, except for the first connections, which it accepts and ignores. */
const hangingFor = (count: number, port: number) =>
  Effect.acquireRelease(
    Effect.promise(() => {
      const server: Promise<Counting> = counting((socket) => {
        if (seen++ < count) return void socket.resume()
        const onward = connect(port, "127.0.0.1")
        onward.on("error", () => socket.destroy())
        onward.on("close", () => socket.destroy())
        socket.on("close", () => onward.destroy())
        socket.pipe(onward).pipe(socket)
      })
      let seen = 0
      return server
    }),
    (server) => Effect.sync(server.close)
  )

const json = (
  _: unknown,
  response: { end: (text: string) => unknown; setHeader: (n: string, v: string) => unknown }
) => {
  response.setHeader("content-type", "application/json")
  response.end('{"a":1}')
}

const servers = {
  "HTTP/1.1": listening(() => createServer(local, json)),
  "HTTP/2": listening(() => createSecureServer(local, json))
}

const proxies = {
  http: httpProxy(),
  socks5h: socksProxy()
}

const routes = [
  ...(["HTTP/1.1", "HTTP/2"] as const).map((speaks) => ({
    route: `${speaks}, TLS`,
    speaks,
    kind: undefined
  })),
  ...(["HTTP/1.1", "HTTP/2"] as const).flatMap((speaks) =>
    (["http", "socks5h"] as const).map((kind) => ({ route: `${speaks} through ${kind}`, speaks, kind }))
  )
]

describe.each(routes)("$route", ({ kind, speaks }) => {
  it.scopedLive("6.15 the only connection of the pool serves the next call after two have hung", () =>
    Effect.gen(function* () {
      const server = yield* servers[speaks]
      const behind = kind === undefined ? server.port : (yield* proxies[kind]).port
      const front = yield* hangingFor(2, behind)
      const options: NodeTransport.Options = {
        connections: 1,
        tls: { ca: [ca] },
        proxy: kind === undefined ? "none" : { url: `${kind}://127.0.0.1:${front.port}` }
      }
      const url = `https://127.0.0.1:${kind === undefined ? front.port : server.port}`
      const client = yield* clientOf({ url }, { retry: once }, options)
      const impatient = client.withOptions({ timeouts: { connect: 300 } })
      for (const call of [1, 2]) {
        expect(yield* Effect.flip(impatient.execute(get))).toMatchObject({ _tag: "TimeoutError" })
        yield* Effect.promise(() => until(() => front.accepted() === call))
      }
      expect(yield* client.execute(get)).toEqual({ a: 1 })
      expect(front.accepted()).toBe(3)
      // The hanging connections are closed, and the one that served is kept.
      yield* Effect.promise(() => until(() => front.open.size === 1))
    })
  )
})
