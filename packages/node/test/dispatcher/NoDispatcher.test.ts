import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { NodeTransport } from "@effect-api/node"
import { Cause, Effect, Exit } from "effect"
import { vi } from "vitest"

/** Bun's replacement for undici. */
vi.mock("undici", () => {
  class Shim {
    on(): this {
      return this
    }
  }
  return { Agent: Shim, Client: Shim, Pool: Shim, ProxyAgent: Shim, EnvHttpProxyAgent: Shim }
})

const problem = {
  _tag: "InvalidConfigError",
  key: "undici",
  reason: expect.stringContaining("use FetchTransport of @effect-api/client")
}

describe("an undici that cannot send", () => {
  it.effect("1.2 fails the layer with the reason", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        Effect.provide(HttpClient.HttpClient, NodeTransport.layerWith({ proxy: "none" }))
      )
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject(problem)
      const died = yield* Effect.exit(Effect.provide(HttpClient.HttpClient, NodeTransport.layer))
      expect(Exit.isFailure(died) && Cause.squash(died.cause)).toMatchObject(problem)
    })
  )
})
