import { describe, expect, it } from "@effect/vitest"
import { Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Deferred, Duration, Effect, Fiber, FiberId, Redacted, Scheduler, TestClock } from "effect"
import { scripted } from "../fixtures/requests.js"
import { issueTokens, list, ok, tokens } from "../fixtures/retry.js"

const secret = Redacted.make("s3cret")

describe("a token's life", () => {
  const aged = <E>(
    issuer: { readonly fetch: Effect.Effect<Credentials.Token, E> },
    refreshAhead?: Duration.DurationInput
  ) =>
    Effect.map(
      scripted([MockTransport.forever(ok)], {
        credentials: Credentials.cached({ fetch: issuer.fetch, refreshAhead })
      }),
      ({ client, transport }) =>
        Effect.zipRight(
          client.execute(list),
          Effect.map(transport.requests, (requests) => tokens(requests).at(-1))
        )
    )

  it.effect.each([
    { refreshAhead: undefined, ahead: 60 },
    { refreshAhead: "10 minutes" as const, ahead: 600 }
  ])("6.9 is renewed in the background ahead of its end: $ahead s", ({ ahead, refreshAhead }) =>
    Effect.gen(function* () {
      const issuer = issueTokens({ expiresIn: "1 hour", delay: "1 second" })
      const use = yield* aged(issuer, refreshAhead)
      const first = yield* Effect.fork(use)
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(first)).toBe("token-1")
      yield* TestClock.adjust(Duration.seconds(3600 - ahead - 1))
      expect(yield* use).toBe("token-1")
      expect(issuer.fetched).toBe(1)
      yield* TestClock.adjust("1 second")
      // Nobody waits for the new token, and there is one fetch however many ask.
      expect(yield* use).toBe("token-1")
      expect(yield* use).toBe("token-1")
      yield* TestClock.adjust("1 second")
      expect(yield* use).toBe("token-2")
      expect(issuer.fetched).toBe(2)
    })
  )

  it.effect("6.9 is waited for once it is over", () =>
    Effect.gen(function* () {
      const issuer = issueTokens({ expiresIn: "1 hour" })
      const use = yield* aged(issuer)
      expect(yield* use).toBe("token-1")
      yield* TestClock.adjust("1 hour")
      expect(yield* use).toBe("token-2")
    })
  )

  it.effect("6.9 is used to its half where it is shorter than the head start", () =>
    Effect.gen(function* () {
      const issuer = issueTokens({ expiresIn: "40 seconds" })
      const use = yield* aged(issuer)
      for (const _ of [1, 2, 3]) expect(yield* use).toBe("token-1")
      yield* TestClock.adjust("19 seconds")
      expect(yield* use).toBe("token-1")
      expect(issuer.fetched).toBe(1)
      yield* TestClock.adjust("1 second")
      yield* use
      yield* TestClock.adjust(0)
      expect(yield* use).toBe("token-2")
    })
  )

  it.effect("6.9 without an end is kept", () =>
    Effect.gen(function* () {
      const issuer = issueTokens()
      const use = yield* aged(issuer)
      yield* use
      yield* TestClock.adjust("1000 days")
      expect(yield* use).toBe("token-1")
    })
  )
})

describe("one fetch for all", () => {
  const waiting = (resolver: Credentials.Resolver, count: number) =>
    Effect.forEach(Array.from({ length: count }), () => Effect.fork(resolver.resolve))

  it.effect("6.9 fails all who wait, and is forgotten", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<never, string>()
      let fetched = 0
      const fetch = Effect.suspend(() => (++fetched === 1 ? Deferred.await(gate) : Effect.succeed(secret)))
      const resolver = Credentials.cached({ fetch }).make()
      const fibers = yield* waiting(resolver, 50)
      yield* TestClock.adjust(0)
      yield* Deferred.fail(gate, "no")
      for (const fiber of fibers) {
        expect(yield* Effect.flip(Fiber.join(fiber))).toEqual({ reason: "no", retryable: false })
      }
      expect(fetched).toBe(1)
      expect((yield* resolver.resolve).secrets).toEqual(["s3cret"])
      expect(fetched).toBe(2)
    })
  )

  it.effect("6.9 runs to its end, whoever leaves: the token is for the callers of tomorrow", () =>
    Effect.gen(function* () {
      const issuer = issueTokens({ delay: "1 minute" })
      const resolver = Credentials.cached({ fetch: issuer.fetch }).make()
      const fibers = yield* waiting(resolver, 20)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interruptAll(fibers)
      yield* TestClock.adjust("1 second")
      const [next] = yield* waiting(resolver, 1)
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(next as Fiber.RuntimeFiber<Credentials.Resolved>)).secrets).toEqual([
        "token-1"
      ])
      expect((yield* resolver.resolve).secrets).toEqual(["token-1"])
      expect(issuer).toMatchObject({ fetched: 1, interrupted: 0 })
    })
  )

  it.effect("6.9 a renewal in the background goes on when the call that began it is interrupted", () =>
    Effect.gen(function* () {
      const issuer = issueTokens({ expiresIn: "1 hour", delay: "1 second" })
      const resolver = Credentials.cached({ fetch: issuer.fetch }).make()
      yield* waiting(resolver, 1)
      yield* TestClock.adjust("1 second")
      yield* TestClock.adjust("59 minutes")
      const call = yield* Effect.fork(Effect.zipRight(resolver.resolve, Effect.never))
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(call)
      yield* TestClock.adjust("1 second")
      expect((yield* resolver.resolve).secrets).toEqual(["token-2"])
      expect(issuer.interrupted).toBe(0)
    })
  )

  it.effect("6.9 a defect of the fetch is the caller's, and the next asks again", () =>
    Effect.gen(function* () {
      let fetched = 0
      const fetch = Effect.suspend(() => (++fetched === 1 ? Effect.die("bug") : Effect.succeed(secret)))
      const resolver = Credentials.cached({ fetch }).make()
      expect(yield* Effect.exit(resolver.resolve)).toMatchObject({ cause: { _tag: "Die", defect: "bug" } })
      expect((yield* resolver.resolve).secrets).toEqual(["s3cret"])
    })
  )

  /** A scheduler that makes its fiber yield once, after so many steps, and does something else meanwhile. */
  const yieldingAt = (step: number, meanwhile: () => void = () => undefined): Scheduler.Scheduler => {
    let count = 0
    return {
      shouldYield: () => {
        if (++count !== step) return false
        meanwhile()
        return 0
      },
      scheduleTask: (task, priority) => Scheduler.defaultScheduler.scheduleTask(task, priority)
    }
  }
  const steps = Array.from({ length: 100 }, (_, index) => index + 1)

  it.effect("6.9 wherever a fiber yields, a refused token is fetched anew", () =>
    Effect.forEach(steps, (step) =>
      Effect.gen(function* () {
        const issuer = issueTokens()
        const resolver = Credentials.cached({ fetch: issuer.fetch }).make()
        const refused = Effect.map(resolver.resolve, (resolved) => resolver.invalidate?.(resolved))
        yield* Effect.withScheduler(refused, yieldingAt(step))
        yield* refused
        expect([step, (yield* resolver.resolve).secrets]).toEqual([step, ["token-3"]])
        expect(issuer.fetched).toBe(3)
      })
    )
  )

  it.effect("6.9 wherever the last who waits leaves, one who comes gets the token", () =>
    Effect.forEach(steps, (step) =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<Redacted.Redacted>()
        const resolver = Credentials.cached({ fetch: Deferred.await(gate) }).make()
        const leaving = yield* Effect.fork(resolver.resolve)
        yield* Effect.repeatN(Effect.yieldNow(), 5)
        const scheduler = yieldingAt(step, () => leaving.unsafeInterruptAsFork(FiberId.none))
        const coming = yield* Effect.fork(Effect.withScheduler(resolver.resolve, scheduler))
        yield* Effect.repeatN(Effect.yieldNow(), 5)
        yield* Deferred.succeed(gate, secret)
        expect([step, yield* Fiber.join(coming)]).toMatchObject([step, { secrets: ["s3cret"] }])
      })
    )
  )
})
