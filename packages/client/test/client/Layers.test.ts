import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, type ApiError, ApiRequest, Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Layer } from "effect"
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
