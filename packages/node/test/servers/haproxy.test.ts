import { expect, layer } from "@effect/vitest"
import { type ApiConfig, ApiRequest, ResponseDecoder } from "@effect-api/client"
import type { NodeTransport } from "@effect-api/node"
import { Chunk, Deferred, Effect, Either, Fiber, Stream } from "effect"
import { clientOf, once } from "../fixtures/clients.js"
import * as Server from "../fixtures/haproxy.js"
import { describeWith } from "../fixtures/programs.js"

const { ca } = Server.certificates

type Name = keyof Server.Haproxy["url"]

const over = (name: Name, options: Partial<ApiConfig.Options> = {}, transport: NodeTransport.Options = {}) =>
  Effect.flatMap(Server.Haproxy, ({ url }) =>
    clientOf({ url: url[name] }, options, { proxy: "none", tls: { ca: [ca] }, ...transport })
  )

const ways: ReadonlyArray<readonly [string, Name, NodeTransport.Options]> = [
  ["HTTP/1.1", "plain", {}],
  ["TLS", "tls", {}],
  ["HTTP/2", "h2", {}]
]

const get = ApiRequest.get("/a")
const piece = new Uint8Array(64 * 1024)
const pieces = Stream.fromIterable(Array.from({ length: 16 }, () => piece))
const slow = ApiRequest.get("/slow", { success: ResponseDecoder.stream() })

const joined = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  Effect.map(Stream.runCollect(stream), (chunks) => Buffer.concat(Chunk.toReadonlyArray(chunks)).toString())

describeWith("haproxy", () => {
  layer(Server.layer, { excludeTestServices: true })((it) => {
    it.scoped.each(ways)("5 over %s: values, and bodies with a length and without", ([, name, options]) =>
      Effect.gen(function* () {
        const client = yield* over(name, {}, options)
        expect(yield* client.execute(get)).toEqual({ path: "/a" })
        expect(yield* client.execute(ApiRequest.post("/size", { bytes: piece }))).toEqual({
          size: piece.length
        })
        expect(yield* client.execute(ApiRequest.post("/size", { bodyStream: pieces }))).toEqual({
          size: 16 * piece.length
        })
        expect(yield* Effect.flatMap(client.execute(slow), joined)).toBe("1234")
      })
    )

    it.scoped.each(ways)("7.1 over %s: a missing backend is a 503 and is retried", ([, name, options]) =>
      Effect.gen(function* () {
        const client = yield* over(name, { retry: { initialDelay: 0, maxRetries: 2 } }, options)
        const error = yield* Effect.flip(client.execute(ApiRequest.get("/down")))
        expect(error).toMatchObject({ _tag: "ServiceUnavailableError", status: 503 })
        expect(error.attempts).toHaveLength(3)
        expect(yield* client.execute(get)).toEqual({ path: "/a" })
      })
    )

    it.scoped.each(ways)("7.1 over %s: an early rejection of a body keeps its status", ([, name, options]) =>
      Effect.gen(function* () {
        const client = yield* over(name, { retry: once }, options)
        const large = Stream.fromIterable(Array.from({ length: 256 }, () => piece))
        for (const body of [{ bytes: new Uint8Array(8 * 1024 * 1024) }, { bodyStream: large }]) {
          const error = yield* Effect.flip(client.execute(ApiRequest.post("/refused", body)))
          expect(error).toMatchObject({ _tag: "RequestTooLargeError", status: 413 })
          expect(error.message).toContain("too large")
        }
        expect(yield* client.execute(get)).toEqual({ path: "/a" })
      })
    )

    it.scoped.each(ways)("6.10 over %s: replacing the worker repeats no POST", ([, name, options]) =>
      Effect.gen(function* () {
        const { origin, reload } = yield* Server.Haproxy
        const retry = { initialDelay: 0, retryUnsafe: "when-safe", budget: false } as const
        const client = yield* over(name, { retry }, options)
        const before = (yield* origin.requests).length
        const calls = Array.from({ length: 120 }, (_, n) =>
          Effect.zipRight(
            n % 20 === 10 ? reload : Effect.void,
            Effect.either(client.execute(ApiRequest.post("/note", { query: { n } })))
          )
        )
        const ended = yield* Effect.all(calls, { concurrency: 8 })
        const came = (yield* origin.requests).slice(before).map(({ url }) => url)
        expect(new Set(came).size).toBe(came.length)
        for (const [n, end] of ended.entries()) {
          if (Either.isRight(end)) expect(came).toContain(`/note?n=${n}`)
          // A kept-alive HTTP/1.1 connection may close under any request without revealing its outcome.
          else expect(end.left).toMatchObject({ _tag: "ConnectionError", delivery: "maybe-applied" })
        }
        if (name === "h2") expect(ended.filter(Either.isLeft)).toEqual([])
      })
    )
  })
})

describeWith("haproxy", () => {
  layer(Server.layer, { excludeTestServices: true })((it) => {
    it.scoped("6.10 a soft stop completes requests in flight", () =>
      Effect.gen(function* () {
        const { softStop } = yield* Server.Haproxy
        const running = yield* Effect.forEach(ways, ([, name, options]) =>
          Effect.gen(function* () {
            const client = yield* over(name, { retry: once }, options)
            const stream = yield* client.execute(slow)
            const begun = yield* Deferred.make<void>()
            const text = yield* Effect.fork(
              joined(Stream.tap(stream, () => Deferred.succeed(begun, undefined)))
            )
            yield* Deferred.await(begun)
            return text
          })
        )
        yield* softStop
        expect(yield* Fiber.joinAll(running)).toEqual(["1234", "1234", "1234"])
      })
    )
  })
})
