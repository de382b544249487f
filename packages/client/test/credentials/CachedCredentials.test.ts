import { describe, expect, it } from "@effect/vitest"
import { Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Deferred, Duration, Effect, Fiber, Redacted, TestClock } from "effect"
import * as Fibers from "../../src/effect/fibers.js"
import { endOf } from "../fixtures/exits.js"
import { scripted } from "../fixtures/requests.js"
import { issueTokens, list, ok, tokens } from "../fixtures/retry.js"
import { yieldingAt } from "../fixtures/schedulers.js"

const secret = Redacted.make("s3cret")

describe("the life of a cached token", () => {
  const callWithToken = <E>(
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
  ])("6.9 a token is renewed in the background $ahead s before it expires", ({ ahead, refreshAhead }) =>
    Effect.gen(function* () {
      const issuer = issueTokens({ expiresIn: "1 hour", delay: "1 second" })
      const use = yield* callWithToken(issuer, refreshAhead)
      const first = yield* Effect.fork(use)
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(first)).toBe("token-1")
      yield* TestClock.adjust(Duration.seconds(3600 - ahead - 1))
      expect(yield* use).toBe("token-1")
      expect(issuer.fetched).toBe(1)
      yield* TestClock.adjust("1 second")
      // Nobody waits for the new token, and several calls start one fetch.
      expect(yield* use).toBe("token-1")
      expect(yield* use).toBe("token-1")
      yield* TestClock.adjust("1 second")
      expect(yield* use).toBe("token-2")
      expect(issuer.fetched).toBe(2)
    })
  )

  it.effect("6.9 a call waits for the new token once the old one has expired", () =>
    Effect.gen(function* () {
      const issuer = issueTokens({ expiresIn: "1 hour" })
      const use = yield* callWithToken(issuer)
      expect(yield* use).toBe("token-1")
      yield* TestClock.adjust("1 hour")
      expect(yield* use).toBe("token-2")
    })
  )

  it.effect("6.9 a token that lives shorter than refreshAhead is renewed at half its life", () =>
    Effect.gen(function* () {
      const issuer = issueTokens({ expiresIn: "40 seconds" })
      const use = yield* callWithToken(issuer)
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

  it.effect("6.9 a token without expiresIn is kept", () =>
    Effect.gen(function* () {
      const issuer = issueTokens()
      const use = yield* callWithToken(issuer)
      yield* use
      yield* TestClock.adjust("1000 days")
      expect(yield* use).toBe("token-1")
    })
  )
})

describe("a shared fetch", () => {
  const waiting = (resolver: Credentials.Resolver, count: number) =>
    Effect.forEach(Array.from({ length: count }), () => Effect.fork(resolver.resolve))

  it.effect("6.9 a failed fetch fails every waiting call, and the next call fetches again", () =>
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

  it.effect("6.9 a fetch continues when its callers are interrupted, and serves later calls", () =>
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

  it.effect("6.9 a background renewal continues when the call that started it is interrupted", () =>
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

  it.effect("6.9 a defect of the fetch dies in its caller, and the next call fetches again", () =>
    Effect.gen(function* () {
      let fetched = 0
      const fetch = Effect.suspend(() => (++fetched === 1 ? Effect.die("bug") : Effect.succeed(secret)))
      const resolver = Credentials.cached({ fetch }).make()
      expect(endOf(yield* Effect.exit(resolver.resolve))).toEqual({ defect: "bug" })
      expect((yield* resolver.resolve).secrets).toEqual(["s3cret"])
    })
  )

  const steps = Array.from({ length: 100 }, (_, index) => index + 1)

  it.effect("6.9 a rejected token is fetched again, wherever the fiber yields", () =>
    Effect.forEach(steps, (step) =>
      Effect.gen(function* () {
        const issuer = issueTokens()
        const resolver = Credentials.cached({ fetch: issuer.fetch }).make()
        const rejectToken = Effect.map(resolver.resolve, (resolved) => resolver.invalidate?.(resolved))
        yield* Effect.withScheduler(rejectToken, yieldingAt(step))
        yield* rejectToken
        expect([step, (yield* resolver.resolve).secrets]).toEqual([step, ["token-3"]])
        expect(issuer.fetched).toBe(3)
      })
    )
  )

  it.effect("6.9 a new caller gets the token, wherever the last waiting caller is interrupted", () =>
    Effect.forEach(steps, (step) =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<Redacted.Redacted>()
        const resolver = Credentials.cached({ fetch: Deferred.await(gate) }).make()
        const leaving = yield* Effect.fork(resolver.resolve)
        yield* Effect.repeatN(Effect.yieldNow(), 5)
        const scheduler = yieldingAt(step, () => Fibers.interrupt(leaving))
        const coming = yield* Effect.fork(Effect.withScheduler(resolver.resolve, scheduler))
        yield* Effect.repeatN(Effect.yieldNow(), 5)
        yield* Deferred.succeed(gate, secret)
        expect([step, yield* Fiber.join(coming)]).toMatchObject([step, { secrets: ["s3cret"] }])
      })
    )
  )
})
