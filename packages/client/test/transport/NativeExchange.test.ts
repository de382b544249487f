import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import * as Fibers from "../../src/effect/fibers.js"
import * as NativeExchange from "../../src/transport/NativeExchange.js"

/** An exchange that a fiber waits for, with what its transport knows of it. */
const begun = Effect.sync(() => {
  const seen: Array<string> = []
  const listener: { current?: NativeExchange.Listener<string> } = {}
  const exchange = NativeExchange.awaiting<string>(
    HttpClientRequest.get("http://a.example"),
    (_, listening) => {
      listener.current = listening
      return () => void seen.push("aborted")
    }
  )
  return { exchange, listener, seen }
})

describe("an exchange", () => {
  it.effect("continues after the code of the transport that ends it", () =>
    Effect.gen(function* () {
      const { exchange, listener, seen } = yield* begun
      const fiber = yield* Effect.fork(Effect.map(exchange, (response) => void seen.push(response)))
      yield* Effect.yieldNow()
      listener.current?.done("response")
      seen.push("ended")
      yield* Fiber.join(fiber)
      expect(seen).toEqual(["ended", "response"])
    })
  )

  it.effect("is aborted by an interruption that comes between its end and what follows", () =>
    Effect.gen(function* () {
      const { exchange, listener, seen } = yield* begun
      const fiber = yield* Effect.fork(exchange)
      yield* Effect.yieldNow()
      listener.current?.done("response")
      Fibers.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      expect(Exit.isInterrupted(exit)).toBe(true)
      expect(seen).toEqual(["aborted"])
    })
  )
})
