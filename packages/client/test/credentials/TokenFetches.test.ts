import { describe, expect, it } from "@effect/vitest"
import { ApiClient, Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import {
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  LogLevel,
  Option,
  Redacted,
  Schedule,
  Scope,
  TestClock
} from "effect"
import { withWallClock } from "../fixtures/clocks.js"
import { callersLabels } from "../fixtures/metrics.js"
import { recorder } from "../fixtures/recorder.js"
import { baseUrl, scripted } from "../fixtures/requests.js"
import { issueTokens, list, ok, playError, settle, status, tokens } from "../fixtures/retry.js"

type Fetch = Effect.Effect<Redacted.Redacted<string> | Credentials.Token, unknown>

/** A fetch that takes the next step on each run and repeats the last one. It counts how many run at once. */
const fetching = (...steps: ReadonlyArray<Fetch>) => {
  const log = { begun: 0, running: 0, most: 0 }
  const fetch = Effect.suspend(() => {
    const step = steps[Math.min(log.begun++, steps.length - 1)] ?? Effect.never
    log.most = Math.max(log.most, ++log.running)
    return Effect.ensuring(
      step,
      Effect.sync(() => log.running--)
    )
  })
  return { fetch, log }
}

const token = (name: string, expiresIn?: Duration.DurationInput): Effect.Effect<Credentials.Token> =>
  Effect.succeed({ token: Redacted.make(name), expiresIn })

const secretOf = (resolver: Credentials.Resolver) => Effect.map(resolver.resolve, ({ secrets }) => secrets[0])

/** The token or the reason of its failure, after the clock has advanced. */
const outcome = (resolver: Credentials.Resolver, within: Duration.DurationInput = 0) =>
  Effect.map(settle(secretOf(resolver), within), (ended) =>
    ended._tag === "Right" ? ended.right : ended.left.reason
  )

const cannotStop = (gate: Deferred.Deferred<Redacted.Redacted<string>>) =>
  Effect.uninterruptible(Deferred.await(gate))

describe("never two fetches at once", () => {
  const callers: Readonly<
    Record<string, (call: Effect.Effect<Credentials.Resolved, Credentials.Failure>) => typeof call>
  > = {
    "an interruptible call": (call) => call,
    "a call with a timeout": (call) => Effect.timeoutFail(call, { duration: 1, onTimeout: () => late }),
    "an uninterruptible call": Effect.uninterruptible
  }
  const late = { reason: "late", retryable: false }

  it.effect.each(Object.entries(callers))(
    "6.9 a fetch serves the next caller after every waiting caller left: %s",
    ([, wrap]) =>
      Effect.gen(function* () {
        for (const hold of [cannotStop, Deferred.await<Redacted.Redacted<string>, never>]) {
          const gate = yield* Deferred.make<Redacted.Redacted<string>>()
          const { fetch, log } = fetching(hold(gate))
          const resolver = Credentials.cached({ fetch }).make()
          const first = yield* Effect.fork(wrap(resolver.resolve))
          yield* TestClock.adjust(10)
          yield* Effect.fork(Fiber.interrupt(first))
          yield* TestClock.adjust(10)
          const second = yield* Effect.fork(secretOf(resolver))
          yield* TestClock.adjust(10)
          yield* Deferred.succeed(gate, Redacted.make("token-1"))
          expect(yield* Fiber.join(second)).toBe("token-1")
          expect(log).toMatchObject({ begun: 1, most: 1 })
        }
      })
  )

  it.effect("6.9 a hanging fetch times out, and the next caller starts another", () =>
    Effect.gen(function* () {
      for (const hung of [Effect.never, Effect.uninterruptible(Effect.never)]) {
        const { fetch, log } = fetching(hung, token("token-2"))
        const resolver = Credentials.cached({ fetch, timeout: "10 seconds" }).make()
        const waiting = yield* Effect.fork(Effect.flip(resolver.resolve))
        yield* TestClock.adjust("9 seconds")
        const joined = yield* Effect.fork(Effect.flip(resolver.resolve))
        yield* TestClock.adjust("1 second")
        for (const fiber of [waiting, joined]) {
          expect(yield* Fiber.join(fiber)).toMatchObject({
            reason: "the token's fetch took too long",
            retryable: true
          })
        }
        expect(log.begun).toBe(1)
        expect(yield* secretOf(resolver)).toBe("token-2")
      }
    })
  )

  it.effect("6.9 the default timeout is 2 minutes", () =>
    Effect.gen(function* () {
      const { fetch, log } = fetching(Effect.never, token("token-2"))
      const resolver = Credentials.cached({ fetch }).make()
      expect(yield* outcome(resolver, "2 minutes")).toBe("the token's fetch took too long")
      expect([yield* secretOf(resolver), log.most]).toEqual(["token-2", 1])
    })
  )

  it.effect("6.9 the timeout also ends an uninterruptible call", () =>
    Effect.gen(function* () {
      const { fetch } = fetching(Effect.uninterruptible(Effect.never))
      const resolver = Credentials.cached({ fetch, timeout: "1 second" }).make()
      const call = yield* Effect.fork(Effect.uninterruptible(Effect.flip(resolver.resolve)))
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(call)).reason).toBe("the token's fetch took too long")
    })
  )

  it.effect("6.9 lives and timeouts ignore changes of the wall clock", () =>
    Effect.gen(function* () {
      const test = yield* Effect.clock
      let shift = 0
      const { fetch, log } = fetching(token("token-1", "1 hour"), token("token-2", "1 hour"))
      const resolver = Credentials.cached({ fetch }).make()
      yield* Effect.gen(function* () {
        yield* resolver.resolve
        for (const days of [1, 0, -300]) {
          shift = days * 86_400_000
          expect(yield* secretOf(resolver)).toBe("token-1")
        }
        yield* TestClock.adjust("1 hour")
        expect([yield* secretOf(resolver), log.begun]).toEqual(["token-2", 2])
      }).pipe(Effect.withClock(withWallClock(test, () => shift)))
    })
  )

  it.effect("6.9 the late token of a timed-out fetch is not used", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<Redacted.Redacted<string>>()
      const { fetch } = fetching(cannotStop(gate), token("token-2"))
      const resolver = Credentials.cached({ fetch, timeout: "1 second" }).make()
      yield* outcome(resolver, "1 second")
      expect(yield* secretOf(resolver)).toBe("token-2")
      yield* Deferred.succeed(gate, Redacted.make("token-1"))
      yield* TestClock.adjust(0)
      expect(yield* secretOf(resolver)).toBe("token-2")
    })
  )

  it.effect("6.9 a rotated refresh token is stored even if the caller is interrupted", () =>
    Effect.gen(function* () {
      let stored = "refresh-1"
      const rotate = Effect.gen(function* () {
        const used = stored
        yield* Effect.sleep("1 second")
        stored = `${used}+`
        return Redacted.make(stored)
      })
      const { client } = yield* scripted([MockTransport.forever(ok)], {
        credentials: Credentials.cached({ fetch: rotate })
      })
      const call = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interrupt(call)
      yield* TestClock.adjust("500 millis")
      expect(stored).toBe("refresh-1+")
    })
  )

  it.effect("6.9 the fetch inherits no scope, labels, annotations or span from its first caller", () =>
    Effect.gen(function* () {
      const { layer, lines, spans } = recorder()
      const fetch = Effect.gen(function* () {
        yield* Effect.logInfo("fetching")
        expect(Option.isNone(yield* Effect.serviceOption(Scope.Scope))).toBe(true)
        expect(yield* callersLabels).toEqual({})
        return Redacted.make("token-1")
      }).pipe(Effect.withSpan("fetch"))
      const { client } = yield* scripted([ok], { credentials: Credentials.cached({ fetch }) })
      yield* client
        .execute(list)
        .pipe(
          Effect.annotateLogs("user", "first"),
          Effect.withLogSpan("first"),
          Effect.tagMetrics("user", "first"),
          Effect.withSpan("first"),
          Effect.scoped,
          Effect.provide(layer)
        )
      const line = lines.find(({ message }) => message === "fetching")
      expect(line?.annotations).toEqual({})
      expect(spans.find(({ name }) => name === "fetch")?.parent).toEqual(Option.none())
    })
  )
})

const concurrently = { concurrency: "unbounded" } as const

describe("a background renewal", () => {
  const life = "1 hour"
  const renewing = (...renewals: ReadonlyArray<Fetch>) =>
    Effect.gen(function* () {
      const { fetch, log } = fetching(token("token-1", life), ...renewals)
      const resolver = Credentials.cached({ fetch }).make()
      yield* resolver.resolve
      yield* TestClock.adjust("59 minutes")
      return { resolver, log }
    })
  /** Resolves once a second, and gives every token it got. */
  const resolveEachSecond = (resolver: Credentials.Resolver, seconds: number) =>
    Effect.forEach(Array.from({ length: seconds }), () =>
      Effect.tap(secretOf(resolver), () => TestClock.adjust("1 second"))
    )

  it.effect("6.9 a failing renewal runs once in 5 seconds, however many calls there are", () =>
    Effect.gen(function* () {
      const { log, resolver } = yield* renewing(Effect.fail("no"))
      expect(new Set(yield* resolveEachSecond(resolver, 20))).toEqual(new Set(["token-1"]))
      expect(log.begun).toBe(1 + 4)
    })
  )

  it.effect("6.9 a renewal that failed with a hint waits for the hint", () =>
    Effect.gen(function* () {
      const { error } = yield* playError([status(429, { "retry-after": "30" })], {
        retry: { maxRetries: 0 }
      })
      const { log, resolver } = yield* renewing(Effect.fail(error), token("token-3", life))
      yield* resolveEachSecond(resolver, 29)
      expect(log.begun).toBe(2)
      yield* resolveEachSecond(resolver, 2)
      expect([yield* secretOf(resolver), log.begun]).toEqual(["token-3", 3])
    })
  )

  it.effect(
    "6.9 no call waits for a hanging renewal, and it is dropped at its timeout or the token's end",
    () =>
      Effect.gen(function* () {
        for (const hung of [Effect.never, Effect.uninterruptible(Effect.never)]) {
          const { fetch, log } = fetching(token("token-1", "10 seconds"), hung, token("token-3"))
          const resolver = Credentials.cached({ fetch }).make()
          yield* resolver.resolve
          yield* TestClock.adjust("5 seconds")
          expect(new Set(yield* resolveEachSecond(resolver, 5))).toEqual(new Set(["token-1"]))
          expect(log.begun).toBe(2)
          expect(yield* secretOf(resolver)).toBe("token-3")
        }
      })
  )

  it.effect("6.9 a call waits for a renewal that is running when the token expires", () =>
    Effect.gen(function* () {
      const { log, resolver } = yield* renewing(Effect.delay(token("token-2", life), "500 millis"))
      yield* TestClock.adjust("59900 millis")
      expect(yield* secretOf(resolver)).toBe("token-1")
      yield* TestClock.adjust("100 millis")
      expect([yield* outcome(resolver, "400 millis"), log.begun]).toEqual(["token-2", 2])
    })
  )

  it.effect("6.9 a renewal that still hangs after the token expired is replaced by one new fetch", () =>
    Effect.gen(function* () {
      for (const hung of [Effect.never, Effect.uninterruptible(Effect.never)]) {
        const { log, resolver } = yield* renewing(hung, Effect.delay(token("token-3", life), "5 seconds"))
        yield* TestClock.adjust("59900 millis")
        expect(yield* secretOf(resolver)).toBe("token-1")
        yield* TestClock.adjust("100 millis")
        const waiting = yield* Effect.fork(Effect.all([secretOf(resolver), secretOf(resolver)], concurrently))
        yield* TestClock.adjust("6 seconds")
        expect([yield* Fiber.join(waiting), log.begun]).toEqual([["token-3", "token-3"], 3])
      }
    })
  )

  it.effect("6.9 failing renewals log one warning per token, with secrets redacted", () =>
    Effect.gen(function* () {
      const { layer, lines } = recorder(LogLevel.Info)
      const failing = Effect.fail("token-1 is no good")
      const { fetch } = fetching(
        token("token-1", life),
        failing,
        failing,
        token("token-4", life),
        Effect.die("bug")
      )
      const resolver = Credentials.cached({ fetch }).make()
      const warnings = () => lines.map(({ level, message }) => `${level} ${message}`)
      yield* Effect.gen(function* () {
        yield* resolver.resolve
        yield* TestClock.adjust("59 minutes")
        yield* resolveEachSecond(resolver, 9)
        const first = "WARN a token could not be renewed, the one before goes on: <redacted> is no good"
        expect(warnings()).toEqual([first])
        yield* resolveEachSecond(resolver, 4)
        yield* TestClock.adjust("59 minutes")
        yield* resolveEachSecond(resolver, 9)
        expect(warnings()).toEqual([
          first,
          "WARN a token could not be renewed, the one before goes on: the effect died"
        ])
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("6.9 an infinite refreshAhead never renews a token without an end", () =>
    Effect.gen(function* () {
      const { fetch, log } = fetching(token("token-1"))
      const resolver = Credentials.cached({ fetch, refreshAhead: Duration.infinity }).make()
      yield* resolver.resolve
      yield* resolveEachSecond(resolver, 3)
      expect(log.begun).toBe(1)
    })
  )
})

describe("a failing fetch", () => {
  it.effect("6.9 the next call fetches again", () =>
    Effect.gen(function* () {
      const { fetch, log } = fetching(Effect.fail("no"), token("token-2"))
      const resolver = Credentials.cached({ fetch }).make()
      expect(yield* outcome(resolver)).toBe("no")
      expect([yield* outcome(resolver), log.begun]).toEqual(["token-2", 2])
    })
  )

  it.effect.each([
    { hint: "20", again: 20 },
    // A client must not be blocked for days.
    { hint: "86400", again: 60 }
  ])("6.9 after a hint of $hint s the next fetch starts after $again s", ({ again, hint }) =>
    Effect.gen(function* () {
      const { error } = yield* playError([status(429, { "retry-after": hint })], { retry: { maxRetries: 0 } })
      const { fetch, log } = fetching(Effect.fail(error), token("token-2"))
      const { client } = yield* scripted([MockTransport.forever(ok)], {
        credentials: Credentials.cached({ fetch }),
        retry: { maxRetries: 0 }
      })
      expect(yield* Effect.flip(client.execute(list))).toMatchObject({ cause: error })
      yield* TestClock.adjust(Duration.seconds(again - 1))
      expect(yield* Effect.flip(client.execute(list))).toMatchObject({
        _tag: "CredentialsError",
        retryAfter: Duration.seconds(1)
      })
      expect(log.begun).toBe(1)
      yield* TestClock.adjust("1 second")
      yield* client.execute(list)
      expect(log.begun).toBe(2)
    })
  )

  it.effect("6.9 a call that retries waits for the hint and fetches again", () =>
    Effect.gen(function* () {
      const { error } = yield* playError([status(429, { "retry-after": "7" })], { retry: { maxRetries: 0 } })
      const { fetch, log } = fetching(Effect.fail(error), token("token-2"))
      const { client } = yield* scripted([ok], { credentials: Credentials.cached({ fetch }) })
      expect(yield* settle(client.execute(list), "7 seconds")).toMatchObject({ right: "ok" })
      expect(log.begun).toBe(2)
    })
  )

  it.effect("6.9 a fetch that interrupts itself fails the call, and does not interrupt it", () =>
    Effect.gen(function* () {
      const { fetch } = fetching(Effect.interrupt, token("token-2"))
      const resolver = Credentials.cached({ fetch }).make()
      expect(yield* outcome(resolver)).toBe("the token's fetch was interrupted")
      expect(yield* outcome(resolver)).toBe("token-2")
    })
  )

  it.effect("6.9 concurrent 401s cause one fetch, and a later 401 causes one more", () =>
    Effect.gen(function* () {
      const issuer = issueTokens({ delay: "10 millis" })
      const { client, transport } = yield* scripted(() => status(401), {
        credentials: Credentials.cached({ fetch: issuer.fetch })
      })
      const all = Effect.all(
        Array.from({ length: 50 }, () => Effect.flip(client.execute(list))),
        { concurrency: "unbounded" }
      )
      yield* settle(all, "1 minute")
      expect([issuer.fetched, yield* transport.requestCount]).toEqual([2, 100])
      yield* settle(Effect.flip(client.execute(list)), "1 minute")
      expect([issuer.fetched, yield* transport.requestCount]).toEqual([3, 102])
      expect(new Set(tokens(yield* transport.requests))).toEqual(new Set(["token-1", "token-2", "token-3"]))
    })
  )
})

describe("releasing the client", () => {
  const clientIn = (scope: Scope.Scope, fetch: Fetch) =>
    Layer.buildWithScope(
      ApiClient.layer({ baseUrl, credentials: Credentials.cached({ fetch }) }).pipe(
        Layer.provide(MockTransport.layer([MockTransport.forever(ok)]))
      ),
      scope
    )

  it.effect("6.9 interrupts a background fetch and logs nothing", () =>
    Effect.gen(function* () {
      const { layer, lines } = recorder(LogLevel.Debug)
      const { fetch, log } = fetching(token("token-1", "1 hour"), Effect.never)
      yield* Effect.gen(function* () {
        const scope = yield* Scope.make()
        const context = yield* clientIn(scope, fetch)
        const call = Effect.provide(
          Effect.flatMap(ApiClient.ApiClient, (client) => client.execute(list)),
          context
        )
        yield* call
        yield* TestClock.adjust("59 minutes")
        yield* call
        yield* TestClock.adjust(0)
        expect(log.running).toBe(1)
        lines.length = 0
        yield* Scope.close(scope, Exit.void)
        yield* Effect.repeat(Effect.yieldNow(), Schedule.recurs(20))
        expect(log.running).toBe(0)
      }).pipe(Effect.provide(layer))
      expect(lines).toEqual([])
    })
  )

  it.effect("6.9 does not wait for an uninterruptible fetch", () =>
    Effect.gen(function* () {
      const { fetch, log } = fetching(Effect.uninterruptible(Effect.never))
      const scope = yield* Scope.make()
      const context = yield* clientIn(scope, fetch)
      const call = yield* Effect.fork(
        Effect.provide(
          Effect.flatMap(ApiClient.ApiClient, (client) => Effect.flip(client.execute(list))),
          context
        )
      )
      yield* TestClock.adjust(0)
      expect(log.running).toBe(1)
      yield* Scope.close(scope, Exit.void)
      expect(yield* Fiber.join(call)).toMatchObject({
        _tag: "CredentialsError",
        reason: "no credentials: the token's fetch was interrupted"
      })
    })
  )
})
