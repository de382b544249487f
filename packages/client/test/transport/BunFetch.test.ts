import { FetchHttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, FetchTransport } from "@effect-api/client"
import { Effect, Layer } from "effect"
import { vi } from "vitest"
import { baseUrl } from "../fixtures/requests.js"

vi.mock("../../src/shared/runtime.js", async (original) => ({
  ...(await original<object>()),
  runtime: "bun"
}))

describe.each([
  ["FetchTransport", FetchTransport.layer],
  ["platform fetch", FetchHttpClient.layer]
] as const)("on Bun, over %s", (_name, transport) => {
  it.effect("7.3 the fetch gets no limit of its own, which is shorter than the client's", () =>
    Effect.gen(function* () {
      const sent: Array<RequestInit | undefined> = []
      const fetch: typeof globalThis.fetch = (_input, init) => {
        sent.push(init)
        return Promise.resolve(Response.json({}))
      }
      const fetched = Layer.succeed(FetchHttpClient.Fetch, fetch)
      const live = Layer.provide(
        ApiClient.layer({ baseUrl }),
        Layer.merge(Layer.provide(transport, fetched), fetched)
      )
      yield* Effect.provide(ApiClient.get("/x"), live)
      expect(sent).toMatchObject([{ timeout: false }])
    })
  )
})
