import { FetchHttpClient, HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, type ApiError, ApiRequest, Credentials, FetchTransport } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Context, Effect, Layer, Redacted } from "effect"
import { isSharedWithin } from "../fixtures/layers.js"
import { baseUrl, withoutDelay } from "../fixtures/requests.js"
import { issueTokens, list, ok, status, tokens } from "../fixtures/retry.js"

/** A layer of a client whose token and budget are its own: the budget pays for a single retry. */
const made = Effect.gen(function* () {
  const server = yield* MockTransport.make(({ url }) => (url.endsWith("/down") ? status(503) : ok))
  const layer = ApiClient.layer({
    baseUrl,
    credentials: Credentials.cached({ fetch: issueTokens().fetch }),
    retry: { ...withoutDelay, maxRetries: 1, budget: { capacity: 1, retryCost: 1 } }
  }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, server.client)))
  return { layer, tokens: Effect.map(server.requests, tokens) }
})

const call = ApiClient.execute(list)

/** Why a call of a server that is down gave up. */
const stopped = ApiClient.execute(ApiRequest.get("/down")).pipe(
  Effect.flip,
  Effect.map(({ stoppedBy }: ApiError.ApiError) => stoppedBy)
)

describe("a layer that is provided twice", () => {
  it.effect("1.1 one after the other, it makes two clients", () =>
    Effect.gen(function* () {
      const { layer, tokens } = yield* made
      for (const _ of [1, 2]) yield* Effect.provide(call, layer)
      expect(yield* tokens).toEqual(["token-1", "token-2"])
    })
  )

  it.effect("1.1 one inside the other, it makes as many clients as Effect makes of any layer", () =>
    Effect.gen(function* () {
      const { layer, tokens } = yield* made
      const seen = yield* Effect.gen(function* () {
        yield* call
        yield* Effect.provide(call, layer)
        return [yield* stopped, yield* Effect.provide(stopped, layer)]
      }).pipe(Effect.provide(layer))
      const [first, second] = (yield* tokens).filter((token) => token !== undefined)
      expect(second === first).toBe(isSharedWithin)
      expect(seen[0]).toBe("attempts")
      expect(seen[1]).toBe(isSharedWithin ? "budget" : "attempts")
    })
  )

  it.effect("1.1 fresh, one inside the other, it makes two clients", () =>
    Effect.gen(function* () {
      const { layer, tokens } = yield* made
      yield* Effect.zipRight(call, Effect.provide(call, Layer.fresh(layer))).pipe(Effect.provide(layer))
      expect(yield* tokens).toEqual(["token-1", "token-2"])
    })
  )

  it.effect("1.1 with equal options, two layers make two clients", () =>
    Effect.gen(function* () {
      const outer = yield* made
      const inner = yield* made
      yield* Effect.zipRight(call, Effect.provide(call, inner.layer)).pipe(Effect.provide(outer.layer))
      expect([yield* outer.tokens, yield* inner.tokens]).toEqual([["token-1"], ["token-1"]])
    })
  )
})

class First extends Context.Tag("test/First")<First, HttpClient.HttpClient>() {}

class Second extends Context.Tag("test/Second")<Second, HttpClient.HttpClient>() {}

/** Sends a request with each of two services, which are made of the HttpClient of one layer each, in one graph. */
const throughBoth = <E>(
  first: Layer.Layer<HttpClient.HttpClient, E>,
  second: Layer.Layer<HttpClient.HttpClient, E>
) =>
  Effect.gen(function* () {
    yield* (yield* First).get("/x")
    yield* (yield* Second).get("/x")
  }).pipe(
    Effect.provide(
      Layer.merge(
        Layer.provide(Layer.effect(First, HttpClient.HttpClient), first),
        Layer.provide(Layer.effect(Second, HttpClient.HttpClient), second)
      )
    )
  )

describe("one layer value over two clients", () => {
  const clientWith = (key: string) =>
    Effect.map(
      MockTransport.make(() => ok),
      (server) => ({
        keys: Effect.map(server.requests, (requests) => requests.map(({ headers }) => headers["x-key"])),
        layer: ApiClient.layerHttpClient.pipe(
          Layer.provide(
            ApiClient.layer({ baseUrl, credentials: Credentials.header("x-key", Redacted.make(key)) })
          ),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, server.client))
        )
      })
    )

  it.effect("4.1 in one graph, each HttpClient is of its own client, and sends its own key", () =>
    Effect.gen(function* () {
      const a = yield* clientWith("key-a")
      const b = yield* clientWith("key-b")
      yield* throughBoth(a.layer, b.layer)
      expect([yield* a.keys, yield* b.keys]).toEqual([["key-a"], ["key-b"]])
    })
  )

  it.effect("4.1 one inside the other, too", () =>
    Effect.gen(function* () {
      const a = yield* clientWith("key-a")
      const b = yield* clientWith("key-b")
      const get = HttpClient.get("/x")
      yield* Effect.zipRight(get, Effect.provide(get, b.layer)).pipe(Effect.provide(a.layer))
      expect([yield* a.keys, yield* b.keys]).toEqual([["key-a"], ["key-b"]])
    })
  )

  it.effect("2.2 each FetchTransport has the fetch that is provided to it", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const transportOf = (name: string) =>
        ApiClient.layerHttpClient.pipe(
          Layer.provide(ApiClient.layer({ baseUrl })),
          Layer.provide(FetchTransport.layer),
          Layer.provide(
            Layer.succeed(FetchHttpClient.Fetch, () => {
              asked.push(name)
              return Promise.resolve(Response.json({}))
            })
          )
        )
      yield* throughBoth(transportOf("a"), transportOf("b"))
      const get = HttpClient.get("/x")
      yield* Effect.zipRight(get, Effect.provide(get, transportOf("b"))).pipe(
        Effect.provide(transportOf("a"))
      )
      expect(asked).toEqual(["a", "b", "a", "b"])
    })
  )
})
