import { describe, expect, it } from "@effect/vitest"
import { Credentials } from "@effect-api/client"
import { Deferred, Effect, Fiber, Redacted, TestClock } from "effect"
import { vi } from "vitest"

vi.mock("../../src/shared/runtime.js", async (original) => ({
  ...(await original<object>()),
  isIoBound: true
}))

const secretOf = (resolver: Credentials.Resolver) => Effect.map(resolver.resolve, ({ secrets }) => secrets[0])

/** A fetch whose runs take the steps in turn, and how many have begun. */
const fetching = (...steps: ReadonlyArray<Effect.Effect<Redacted.Redacted<string>, unknown>>) => {
  const log = { begun: 0 }
  return { log, fetch: Effect.suspend(() => steps[log.begun++] ?? Effect.never) }
}

describe("where I/O belongs to the request that began it", () => {
  it.effect(
    "6.9 a caller that waits for another's fetch looks for its end, and does not wait to be woken",
    () =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<Redacted.Redacted<string>>()
        const { fetch, log } = fetching(Deferred.await(gate))
        const resolver = Credentials.cached({ fetch }).make()
        const owner = yield* Effect.fork(secretOf(resolver))
        yield* TestClock.adjust(10)
        let isWoken = false
        const woken = Effect.sync(() => {
          isWoken = true
        })
        const other = yield* Effect.fork(Effect.tap(secretOf(resolver), () => woken))
        yield* TestClock.adjust(10)
        yield* Deferred.succeed(gate, Redacted.make("token-1"))
        expect(yield* Fiber.join(owner)).toBe("token-1")
        // Nothing but its own timer wakes it.
        expect(isWoken).toBe(false)
        yield* TestClock.adjust(20)
        expect(yield* Fiber.join(other)).toBe("token-1")
        expect(log.begun).toBe(1)
      })
  )

  it.effect(
    "6.9 a fetch whose request is gone holds other callers for two seconds, and then one fetches again",
    () =>
      Effect.gen(function* () {
        const { fetch, log } = fetching(Effect.never, Effect.succeed(Redacted.make("token-2")))
        const resolver = Credentials.cached({ fetch }).make()
        yield* Effect.fork(resolver.resolve)
        yield* TestClock.adjust(10)
        const others = yield* Effect.fork(
          Effect.all([secretOf(resolver), secretOf(resolver)], { concurrency: "unbounded" })
        )
        yield* TestClock.adjust(1990)
        expect(log.begun).toBe(1)
        yield* TestClock.adjust(100)
        expect(yield* Fiber.join(others)).toEqual(["token-2", "token-2"])
        expect(log.begun).toBe(2)
      })
  )

  it.effect("6.9 every caller gets the failure of the fetch that they wait for", () =>
    Effect.gen(function* () {
      const { fetch, log } = fetching(Effect.delay(Effect.fail("no such user"), 50))
      const resolver = Credentials.cached({ fetch }).make()
      const all = [1, 2, 3].map(() => Effect.flip(resolver.resolve))
      const failing = yield* Effect.fork(Effect.all(all, { concurrency: "unbounded" }))
      yield* TestClock.adjust(100)
      const reasons = (yield* Fiber.join(failing)).map(({ reason }) => reason)
      expect(reasons.every((reason) => reason.includes("no such user"))).toBe(true)
      expect(log.begun).toBe(1)
    })
  )

  it.effect("8.6 an interruption ends the wait for another's fetch", () =>
    Effect.gen(function* () {
      const { fetch } = fetching(Effect.never)
      const resolver = Credentials.cached({ fetch }).make()
      yield* Effect.fork(resolver.resolve)
      yield* TestClock.adjust(10)
      const other = yield* Effect.fork(resolver.resolve)
      yield* TestClock.adjust(10)
      expect((yield* Fiber.interrupt(other))._tag).toBe("Failure")
    })
  )
})
