import { describe, expect, it } from "@effect/vitest"
import { Credentials } from "@effect-api/client"
import { Cause, Deferred, Effect, Exit, Fiber, Redacted, Schedule } from "effect"
import { canaries, leaks, observe } from "../fixtures/canary.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"
import { acceptOnly, issueTokens, list, play, playError, status, tokens } from "../fixtures/retry.js"

/** A program that keeps its own token: `token-1`, and the next after each login. */
const program = () => {
  let current = 1
  const refused: Array<string> = []
  return {
    refused,
    get current() {
      return current
    },
    token: Effect.sync(() => Redacted.make(`token-${current}`)),
    login: (token: Redacted.Redacted) =>
      Effect.sync(() => {
        refused.push(Redacted.value(token))
        current++
      })
  }
}

describe("credentials of the program's own effect after a 401", () => {
  it.effect("6.9 runs invalidate with what was refused, and replays the call once", () =>
    Effect.gen(function* () {
      const own = program()
      const credentials = Credentials.effect(own.token, { invalidate: own.login })
      const { ended, requests } = yield* play(
        acceptOnly(() => "token-2"),
        { credentials },
        list,
        0
      )
      expect(ended).toMatchObject({ _tag: "Right" })
      expect(tokens(requests)).toEqual(["token-1", "token-2"])
      expect(own.refused).toEqual(["token-1"])
    })
  )

  it.effect("6.9 a second 401 is the call's error", () =>
    Effect.gen(function* () {
      const own = program()
      const credentials = Credentials.effect(own.token, { invalidate: own.login })
      const { ended, requests } = yield* play(
        acceptOnly(() => "none"),
        { credentials },
        list,
        0
      )
      expect(ended).toMatchObject({ left: { _tag: "AuthenticationError", attempts: [{}, {}] } })
      expect(tokens(requests)).toEqual(["token-1", "token-2"])
    })
  )

  it.effect("6.9 takes an effect as well, and may replay what the effect gave before", () =>
    Effect.gen(function* () {
      let runs = 0
      const invalidate = Effect.sync(() => runs++)
      const credentials = Credentials.effect(Effect.succeed(Credentials.bearer(Redacted.make("same"))), {
        invalidate
      })
      const { client, transport } = yield* scripted(
        acceptOnly(() => "other"),
        { credentials }
      )
      yield* Effect.flip(client.execute(list))
      yield* Effect.flip(client.execute(list))
      expect(tokens(yield* transport.requests)).toEqual(["same", "same", "same", "same"])
      expect(runs).toBe(2)
    })
  )

  it.effect("6.9 runs once for all calls that sent the same, and not for one that comes late", () =>
    Effect.gen(function* () {
      const own = program()
      const gate = yield* Deferred.make<void>()
      const credentials = Credentials.effect(own.token, {
        invalidate: (token) => Effect.zipRight(Deferred.await(gate), own.login(token))
      })
      const { client, transport } = yield* scripted(
        acceptOnly(() => "token-2"),
        { credentials }
      )
      const calls = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.fork(client.execute(list)))
      yield* Effect.repeat(Effect.yieldNow(), Schedule.recurs(100))
      // Whoever runs it may leave: the next caller takes over.
      yield* Effect.forEach(calls.slice(0, 5), Fiber.interrupt)
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.forEach(calls.slice(5), Fiber.join)
      expect(own.refused).toEqual(["token-1"])
      expect(yield* transport.requestCount).toBe(35)
    })
  )

  it.effect("6.9 keeps and refreshes the token of credentials that it gives again", () =>
    Effect.gen(function* () {
      const issuer = issueTokens()
      const cached = Credentials.cached({ fetch: issuer.fetch })
      const credentials = Credentials.firstOf([
        Credentials.none,
        Credentials.effect(Effect.sync(() => cached))
      ])
      let accepted = "token-1"
      const { client, transport } = yield* scripted(
        acceptOnly(() => accepted),
        { credentials }
      )
      yield* client.execute(list)
      yield* client.execute(list)
      accepted = "token-2"
      yield* client.execute(list)
      expect(tokens(yield* transport.requests)).toEqual(["token-1", "token-1", "token-1", "token-2"])
      expect(issuer.fetched).toBe(2)
    })
  )

  it.effect.each([
    { name: "fails", invalidate: Effect.fail(new Error(`no login for ${canaries.token("t")}`)) },
    { name: "is absent", invalidate: undefined }
  ])("6.9 the call fails with its 401 where invalidate $name", ({ invalidate }) =>
    Effect.gen(function* () {
      const token = Redacted.make(canaries.token("t"))
      const { client, transport } = yield* scripted(
        acceptOnly(() => "other"),
        {
          credentials: Credentials.effect(Effect.succeed(token), { invalidate })
        }
      )
      const { evidence, exit } = yield* observe(client.execute(list))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: "AuthenticationError" })
      expect(leaks(evidence)).toEqual([])
      const logged = evidence.filter(
        ([where, text]) =>
          where === "log" && text.includes("could not be invalidated: no login for <redacted>")
      )
      expect(logged).toHaveLength(invalidate === undefined ? 0 : 1)
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect.each([
    [
      () => {
        throw new Error("broken")
      }
    ],
    [() => Promise.reject(new Error("broken"))]
  ])("6.9 the call fails with its 401 where invalidate throws or rejects", ([invalidate]) =>
    Effect.gen(function* () {
      const credentials = Reflect.apply(Credentials.effect, undefined, [
        Effect.succeed(Redacted.make("token-1")),
        { invalidate }
      ])
      const { ended } = yield* play(
        acceptOnly(() => "token-2"),
        { credentials },
        list,
        0
      )
      expect(ended).toMatchObject({ left: { _tag: "AuthenticationError", attempts: [{}] } })
    })
  )

  const failed = { tag: "ServiceUnavailableError", status: 503 }
  const refused = { tag: "AuthenticationError", status: 401 }

  it.effect.each([
    { name: "the only attempt", script: [status(401)], attempts: [refused], delivery: "rejected" },
    {
      name: "the last attempt",
      script: [status(503), status(401)],
      attempts: [failed, refused],
      delivery: "maybe-applied"
    }
  ])(
    "6.9 invalidate runs under the deadline of the call, whose error has the 401 of $name",
    ({ attempts, delivery, script }) =>
      Effect.gen(function* () {
        const credentials = Credentials.effect(Effect.succeed(Redacted.make("token-1")), {
          invalidate: Effect.never
        })
        const options = { credentials, retry: withoutDelay, timeouts: { total: "1 second" } } as const
        const { error, requests } = yield* playError(script, options, list, "2 seconds")
        expect(error).toMatchObject({
          _tag: "TimeoutError",
          phase: "total",
          stoppedBy: "deadline",
          attempts,
          delivery
        })
        expect(error.attempts).toHaveLength(requests.length)
      })
  )

  it.effect("1.2 an invalidate of another kind is a CredentialsError", () =>
    Effect.gen(function* () {
      const credentials = Reflect.apply(Credentials.effect, undefined, [
        Effect.succeed(Redacted.make("s")),
        { invalidate: "never" }
      ])
      const { ended } = yield* play([], { credentials }, list, 0)
      expect(ended).toMatchObject({
        left: { reason: "no credentials: invalidate must be an Effect or a function, and is a string" }
      })
    })
  )
})
