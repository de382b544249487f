import { describe, expect, it } from "@effect/vitest"
import type { Middleware } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, FiberRef } from "effect"
import { scripted } from "../fixtures/requests.js"

describe("a call with a time limit", () => {
  it.effect("6.8 what it sets in a fiber ref reaches the caller", () =>
    Effect.gen(function* () {
      const mark = FiberRef.unsafeMake("unset")
      const marking: Middleware.Middleware = (request, next) =>
        Effect.zipRight(FiberRef.set(mark, "set"), next(request))
      const { client } = yield* scripted([MockTransport.json(1)], {
        timeouts: { total: "1 minute" },
        middleware: [marking]
      })
      yield* Effect.uninterruptible(client.get("/x"))
      expect(yield* FiberRef.get(mark)).toBe("set")
    })
  )
})
