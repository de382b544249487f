import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, Credentials, Tokens } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Data, Deferred, Effect, Exit, Fiber, Redacted, Schedule, Scope, TestClock } from "effect"
import { canaries, leaks, observe } from "../fixtures/canary.js"
import { clientOn, scripted, withoutDelay } from "../fixtures/requests.js"
import { list, ok, play, playError, status, tokens } from "../fixtures/retry.js"

class InvalidGrant extends Data.TaggedError("InvalidGrant")<{ readonly message: string }> {}
class Unsaved extends Data.TaggedError("Unsaved") {}

/** A token server that takes each refresh token once, and a store. */
const makeServer = (users: ReadonlyArray<string> = ["alice"]) => {
  const server = {
    /** The refresh token that is good now, by user. */
    current: new Map(users.map((user) => [user, `r-${user}-0`])),
    stored: new Map(users.map((user) => [user, `r-${user}-0`])),
    log: [] as Array<string>,
    running: 0,
    most: 0,
    count: 0,
    failSets: 0,
    hold: Effect.void as Effect.Effect<void>,
    rotates: true
  }
  const refresh = (token: Redacted.Redacted) =>
    Effect.gen(function* () {
      const text = Redacted.value(token)
      server.log.push(text)
      server.most = Math.max(server.most, ++server.running)
      yield* Effect.ensuring(
        server.hold,
        Effect.sync(() => server.running--)
      )
      const user = users.find((user) => server.current.get(user) === text)
      if (user === undefined) return yield* new InvalidGrant({ message: `no ${text}` })
      const next = `r-${user}-${++server.count}`
      if (server.rotates) server.current.set(user, next)
      const access = { token: Redacted.make(`${user}-${server.count}`), expiresIn: "1 hour" as const }
      return server.rotates ? { ...access, refreshToken: Redacted.make(next) } : access
    })
  const storeOf = (user: string) => ({
    get: Effect.sync(() => Redacted.make(server.stored.get(user) ?? "none")),
    set: (token: Redacted.Redacted) =>
      Effect.suspend(() => {
        if (server.failSets-- > 0) return new Unsaved()
        server.stored.set(user, Redacted.value(token))
        return Effect.void
      })
  })
  const credentialsOf = Tokens.perTenant((user: string) =>
    Tokens.refreshing({
      store: storeOf(user),
      refresh,
      isRefused: (error) => error._tag === "InvalidGrant"
    })
  )
  return { server, credentialsOf }
}

const as = (credentials: Credentials.Credentials) => ApiRequest.override(list, { credentials })

const always = [MockTransport.forever(ok)]

const turns = Effect.repeat(Effect.yieldNow(), Schedule.recurs(100))

describe("a refresh token that rotates", () => {
  it.effect("4.7 brings a token, and the next one is stored", () =>
    Effect.gen(function* () {
      const { credentialsOf, server } = makeServer()
      const { client, transport } = yield* scripted(always, { credentials: credentialsOf("alice") })
      yield* client.execute(list)
      yield* client.execute(list)
      yield* TestClock.adjust("2 hours")
      yield* client.execute(list)
      expect(tokens(yield* transport.requests)).toEqual(["alice-1", "alice-1", "alice-2"])
      expect(server.log).toEqual(["r-alice-0", "r-alice-1"])
      expect(server.stored.get("alice")).toBe("r-alice-2")
    })
  )

  it.effect("4.7 a server that does not rotate keeps the old one", () =>
    Effect.gen(function* () {
      const { credentialsOf, server } = makeServer()
      server.rotates = false
      const { ended } = yield* play([ok], { credentials: credentialsOf("alice") }, list, 0)
      expect(ended).toMatchObject({ _tag: "Right" })
      expect(server.stored.get("alice")).toBe("r-alice-0")
    })
  )

  it.effect("4.7 one refresh at a time, for many calls, after a 401, and on several clients", () =>
    Effect.gen(function* () {
      const { credentialsOf, server } = makeServer(["alice", "bob"])
      server.hold = Effect.yieldNow()
      let revoked = false
      const script: MockTransport.Script = ({ headers }) =>
        revoked && /-[12]$/.test(headers["authorization"] ?? "") ? status(401) : ok
      const one = yield* scripted(script)
      const two = yield* scripted(script)
      const calls = Array.from({ length: 60 }, (_, index) => {
        const { client } = index % 2 === 0 ? one : two
        return client.execute(as(credentialsOf(index % 4 < 2 ? "alice" : "bob")))
      })
      yield* Effect.all(calls, { concurrency: "unbounded" })
      expect(server.log).toHaveLength(4)
      revoked = true
      yield* Effect.all(calls, { concurrency: "unbounded" })
      expect(new Set(server.log).size).toBe(server.log.length)
      expect(server.current).toEqual(server.stored)
      // One of each user.
      expect(server.most).toBe(2)
    })
  )

  it.effect("4.7 a refused one is sent once, until the store has another", () =>
    Effect.gen(function* () {
      const { credentialsOf, server } = makeServer()
      server.current.set("alice", "r-new")
      const { client, transport } = yield* scripted(always, {
        credentials: credentialsOf("alice"),
        retry: withoutDelay
      })
      const errors = yield* Effect.forEach(
        Array.from({ length: 10 }),
        () => Effect.flip(client.execute(list)),
        { concurrency: 3 }
      )
      for (const error of errors) {
        expect(error).toMatchObject({ _tag: "CredentialsError", stoppedBy: "not-retryable" })
        // The text of the refused token would be in the cause.
        expect(error.message).toBe("no credentials: no <redacted>")
      }
      expect(server.log).toEqual(["r-alice-0"])
      expect(yield* transport.requestCount).toBe(0)
      server.stored.set("alice", "r-new")
      yield* client.execute(list)
      expect(server.log).toEqual(["r-alice-0", "r-new"])
    })
  )

  it.effect("4.7 the cause of a refusal is the program's own error", () =>
    Effect.gen(function* () {
      const refused = new InvalidGrant({ message: "revoked" })
      const credentials = Tokens.refreshing({
        store: { get: Effect.succeed(Redacted.make("r-alice")), set: () => Effect.void },
        refresh: () => Effect.fail(refused)
      })
      const { error } = yield* playError([], { credentials }, list, 0)
      expect(error.cause).toBe(refused)
    })
  )

  it.effect("4.7 what another process has stored meanwhile is tried once", () =>
    Effect.gen(function* () {
      const { credentialsOf, server } = makeServer()
      server.hold = Effect.sync(() => {
        // Just before the server looks: the other process was first.
        server.current.set("alice", "r-other")
        server.stored.set("alice", "r-other")
        server.hold = Effect.void
      })
      const { ended } = yield* play([ok], { credentials: credentialsOf("alice") }, list, 0)
      expect(ended).toMatchObject({ _tag: "Right" })
      expect(server.log).toEqual(["r-alice-0", "r-other"])
      expect(server.stored.get("alice")).toBe("r-alice-1")
    })
  )

  it.effect("4.7 a store that fails loses nothing: the next call stores first", () =>
    Effect.gen(function* () {
      const { credentialsOf, server } = makeServer()
      server.failSets = 2
      const { client, transport } = yield* scripted(always, { credentials: credentialsOf("alice") })
      for (const _ of [1, 2]) {
        expect(yield* Effect.flip(client.execute(list))).toMatchObject({
          _tag: "CredentialsError",
          cause: { _tag: "Unsaved" }
        })
      }
      expect(yield* transport.requestCount).toBe(0)
      yield* client.execute(list)
      expect(server.log).toEqual(["r-alice-0"])
      expect(server.stored.get("alice")).toBe("r-alice-1")
    })
  )

  it.effect.each(["the caller", "the client"])("4.7 no interruption of %s loses one", (who) =>
    Effect.gen(function* () {
      const { credentialsOf, server } = makeServer()
      const gate = yield* Deferred.make<void>()
      server.hold = Deferred.await(gate)
      const scope = yield* Scope.make()
      const transport = yield* MockTransport.make(always)
      const client = yield* clientOn(transport.client, { credentials: credentialsOf("alice") }).pipe(
        Effect.provideService(Scope.Scope, scope)
      )
      const call = yield* Effect.fork(client.execute(list))
      yield* turns
      yield* who === "the client" ? Scope.close(scope, Exit.void) : Fiber.interrupt(call)
      yield* Deferred.succeed(gate, undefined)
      yield* turns
      expect(server.stored.get("alice")).toBe("r-alice-1")
      expect(server.running).toBe(0)
    })
  )

  it.effect("12.4 no refresh token shows in an error", () =>
    Effect.gen(function* () {
      const token = canaries.token("r")
      const credentials = Tokens.refreshing({
        store: { get: Effect.succeed(Redacted.make(token)), set: () => Effect.void },
        refresh: () => Effect.fail(new InvalidGrant({ message: `unknown token ${token}` }))
      })
      const { client } = yield* scripted([], { credentials })
      const { evidence, exit } = yield* observe(client.execute(list))
      expect(Exit.isFailure(exit)).toBe(true)
      expect(leaks(evidence)).toEqual([])
    })
  )

  it.effect.each([
    [
      { refresh: () => Effect.void },
      "store must have `get`, an Effect or a function, and the function `set`"
    ],
    [{ store: { get: Effect.void, set: () => Effect.void } }, "refresh must be a function, and is undefined"],
    [
      { store: { get: 1, set: 1 }, refresh: () => Effect.void },
      "store must have `get`, an Effect or a function, and the function `set`"
    ]
  ])("1.2 a wrong kind is a CredentialsError: %j", ([options, reason]) =>
    Effect.gen(function* () {
      const credentials = Reflect.apply(Tokens.refreshing, undefined, [options])
      const { error } = yield* playError([], { credentials }, list, 0)
      expect(error.message).toBe(`no credentials: ${reason}`)
    })
  )
})

describe("credentials by tenant", () => {
  it("4.5 makes one value for each key, and drops the key that was asked for longest ago", () => {
    const made: Array<string> = []
    const of = Tokens.perTenant(
      (key: string) => {
        made.push(key)
        return Credentials.bearer(Redacted.make(key))
      },
      { capacity: 2 }
    )
    expect(of("a")).toBe(of("a"))
    for (const key of ["b", "a", "c", "a", "b"]) of(key)
    expect(made).toEqual(["a", "b", "c", "b"])
  })

  it.effect("1.2 a capacity below one is a CredentialsError", () =>
    Effect.gen(function* () {
      const credentials = Tokens.perTenant(() => Credentials.none, { capacity: 0 })("a")
      const { error } = yield* playError([], { credentials }, list, 0)
      expect(error.message).toBe("no credentials: capacity must be a number of at least 1")
    })
  )
})
