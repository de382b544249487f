import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Data, Duration, Effect, Fiber, Redacted, TestClock } from "effect"
import * as Redaction from "../../src/secrets/Redaction.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"
import {
  acceptOnly,
  issueTokens,
  list,
  ok,
  play,
  playError,
  status,
  tokens,
  withoutJitter
} from "../fixtures/retry.js"

const secret = Redacted.make("s3cret")

/** The credentials of one attempt. */
const resolved = (credentials: Credentials.Credentials) => credentials.make().resolve

describe("kinds of credentials", () => {
  it.effect.each([
    { name: "none", credentials: Credentials.none, headers: {} },
    {
      name: "a header",
      credentials: Credentials.header("X-Api-Key", secret),
      headers: { "x-api-key": "s3cret" }
    },
    {
      name: "a bearer token",
      credentials: Credentials.bearer(secret),
      headers: { authorization: "Bearer s3cret" }
    },
    // RFC 7617, sections 2 and 2.1.
    {
      name: "basic",
      credentials: Credentials.basic("Aladdin", Redacted.make("open sesame")),
      headers: { authorization: "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" }
    },
    {
      name: "basic with UTF-8",
      credentials: Credentials.basic("test", Redacted.make("123£")),
      headers: { authorization: "Basic dGVzdDoxMjPCow==" }
    },
    {
      name: "a secret with surrounding whitespace",
      credentials: Credentials.bearer(Redacted.make(" s3cret\n")),
      headers: { authorization: "Bearer s3cret" }
    },
    { name: "a blank bearer token", credentials: Credentials.bearer(Redacted.make(" \t")), headers: {} },
    { name: "a blank header", credentials: Credentials.header("x-api-key", Redacted.make("")), headers: {} },
    {
      name: "an effect",
      credentials: Credentials.effect(Effect.succeed(secret)),
      headers: { authorization: "Bearer s3cret" }
    },
    {
      name: "an effect of credentials",
      credentials: Credentials.effect(Effect.succeed(Credentials.header("x-api-key", secret))),
      headers: { "x-api-key": "s3cret" }
    },
    {
      name: "a cached token",
      credentials: Credentials.cached({ fetch: Effect.succeed(secret) }),
      headers: { authorization: "Bearer s3cret" }
    },
    {
      name: "a cached token in a header",
      credentials: Credentials.cached({
        fetch: Effect.succeed(secret),
        as: (token) => Credentials.header("x-api-key", token)
      }),
      headers: { "x-api-key": "s3cret" }
    },
    {
      name: "the first that is not blank",
      credentials: Credentials.firstOf([
        Credentials.none,
        Credentials.bearer(Redacted.make("")),
        Credentials.header("x-api-key", secret),
        Credentials.bearer(secret)
      ]),
      headers: { "x-api-key": "s3cret" }
    },
    {
      name: "the first that does not fail",
      credentials: Credentials.firstOf([
        Credentials.effect(Effect.fail("no vault")),
        Credentials.firstOf([Credentials.bearer(secret)])
      ]),
      headers: { authorization: "Bearer s3cret" }
    },
    { name: "an empty firstOf", credentials: Credentials.firstOf([]), headers: {} },
    { name: "a firstOf of blanks", credentials: Credentials.firstOf([Credentials.none]), headers: {} }
  ])("6.9 sends $name", ({ credentials, headers }) =>
    Effect.gen(function* () {
      expect((yield* resolved(credentials)).headers).toEqual(headers)
      const { requests } = yield* play([ok], { credentials }, list, 0)
      expect(requests[0]?.headers).toMatchObject(headers)
      if (Object.keys(headers).length === 0) expect(requests[0]?.headers).not.toHaveProperty("authorization")
    })
  )

  it.effect("6.9 an effect runs before every attempt", () =>
    Effect.gen(function* () {
      const issuer = issueTokens()
      const credentials = Credentials.effect(Effect.map(issuer.fetch, ({ token }) => token))
      const { requests } = yield* play([status(503), status(503), ok], { credentials, retry: withoutJitter })
      expect(tokens(requests)).toEqual(["token-1", "token-2", "token-3"])
    })
  )

  class VaultSealed extends Data.TaggedError("VaultSealed") {}

  it.effect.each([
    { failure: "the vault is sealed", reason: "the vault is sealed" },
    { failure: new Error("the vault is sealed"), reason: "the vault is sealed" },
    { failure: new VaultSealed(), reason: "VaultSealed" },
    { failure: { _tag: "VaultSealed" }, reason: "VaultSealed" },
    { failure: undefined, reason: "the effect failed" }
  ])("6.9 a failure sends nothing, and its reason is in the message: $failure", ({ failure, reason }) =>
    Effect.gen(function* () {
      for (const credentials of [
        Credentials.effect(Effect.fail(failure)),
        Credentials.cached({ fetch: Effect.fail(failure) }),
        Credentials.firstOf([Credentials.none, Credentials.effect(Effect.fail(failure))])
      ]) {
        const { error, times } = yield* playError([], { credentials }, list, 0)
        expect(error).toMatchObject({
          _tag: "CredentialsError",
          stoppedBy: "not-retryable",
          delivery: "not-sent"
        })
        expect(error.message).toBe(`no credentials: ${reason}`)
        // The program's own error is the cause, unless it is only a string.
        expect(error.cause).toBe(typeof failure === "object" ? failure : undefined)
        expect(times).toEqual([])
      }
    })
  )

  it.effect("6.9 a rejected promise gives the reason and the cause", () =>
    Effect.gen(function* () {
      const sealed = new Error("the vault is sealed")
      const fetch = Effect.tryPromise(() => Promise.reject(sealed))
      const { client } = yield* scripted([], { credentials: Credentials.cached({ fetch }) })
      const error = yield* Effect.flip(client.execute(list))
      expect(error.message).toBe("no credentials: the vault is sealed")
      expect(error.cause).toBe(sealed)
    })
  )

  it.effect("6.9 a firstOf that fails lists every reason", () =>
    Effect.gen(function* () {
      const credentials = Credentials.firstOf([
        Credentials.effect(Effect.fail("no file")),
        Credentials.effect(Effect.fail("no network"))
      ])
      expect((yield* playError([], { credentials }, list, 0)).error.message).toContain("no file; no network")
    })
  )

  it.effect("6.9 a token that is invalid in a header is neither sent nor shown", () =>
    Effect.gen(function* () {
      const credentials = Credentials.bearer(Redacted.make("s3cret\r\nx-evil: 1"))
      const { error, times } = yield* playError([ok], { credentials }, list, 0)
      expect(error).toMatchObject({ _tag: "CredentialsError", delivery: "not-sent" })
      expect(JSON.stringify(error)).not.toContain("s3cret")
      expect(times).toEqual([])
    })
  )

  it.effect("6.9 an echoed secret is redacted", () =>
    Effect.gen(function* () {
      for (const credentials of [
        Credentials.bearer(secret),
        Credentials.cached({ fetch: Effect.succeed(secret) }),
        Credentials.basic("user", secret)
      ]) {
        const echo: MockTransport.Script = ({ headers }) =>
          MockTransport.json({ message: `s3cret ${headers["authorization"]}` }, { status: 400 })
        const { error } = yield* playError(echo, { credentials }, list, 0)
        expect(error.message).toContain(Redaction.hidden)
        expect(JSON.stringify(error)).not.toMatch(/s3cret|dXNlcjpzM2NyZXQ/)
      }
    })
  )
})

/** A value that plain JavaScript can pass in place of a `Redacted`. */
const untypedSecret = (value: unknown) => value as Redacted.Redacted<string>

const constructors: Readonly<Record<string, (value: unknown) => Credentials.Credentials>> = {
  bearer: (value) => Credentials.bearer(untypedSecret(value)),
  header: (value) => Credentials.header("x-key", untypedSecret(value)),
  basic: (value) => Credentials.basic("me", untypedSecret(value)),
  effect: (value) => Credentials.effect(Effect.succeed(untypedSecret(value))),
  cached: (value) => Credentials.cached({ fetch: Effect.succeed(untypedSecret(value)) }),
  "a cached token with expiresIn": (value) =>
    Credentials.cached({ fetch: Effect.succeed({ token: untypedSecret(value), expiresIn: "1 hour" }) }),
  "a cached token with `as`": (value) =>
    Credentials.cached({
      fetch: Effect.succeed(untypedSecret(value)),
      as: (token) => Credentials.header("x-key", token)
    }),
  firstOf: (value) => Credentials.firstOf([Credentials.none, Credentials.bearer(untypedSecret(value))])
}

describe("a secret from plain JavaScript", () => {
  it.effect.each(Object.entries(constructors))(
    "12.4 may be a plain string, which is redacted: %s",
    ([, make]) =>
      Effect.gen(function* () {
        const echo: MockTransport.Script = ({ headers }) =>
          MockTransport.json({ message: `plain-token ${JSON.stringify(headers)}` }, { status: 400 })
        const { client, transport } = yield* scripted(echo, { credentials: make(" plain-token ") })
        const error = yield* Effect.flip(client.execute(list))
        expect(error._tag).toBe("BadRequestError")
        expect(JSON.stringify(error)).not.toContain("plain-token")
        const sent = JSON.stringify((yield* transport.requests)[0]?.headers)
        expect(sent).toMatch(/Bearer plain-token|"x-key":"plain-token"|Basic bWU6IHBsYWluLXRva2VuIA==/)
      })
  )

  const invalidSecrets: Readonly<Record<string, readonly [value: unknown, expected: RegExp]>> = {
    undefined: [undefined, /undefined/],
    null: [null, /null/],
    "a number": [5_318_008, /a number/],
    "an object": [{ secret: "plain-token" }, /an object/],
    "a list": [["plain-token"], /an array/],
    "a function": [() => "plain-token", /a function/],
    "a promise": [Promise.resolve("plain-token"), /a promise: await it/],
    "a Redacted of undefined": [Redacted.make(undefined), /a Redacted that holds a string/],
    "a Redacted of a number": [Redacted.make(5_318_008), /a Redacted that holds a string/]
  }

  it.effect.each(
    Object.entries(constructors).flatMap(([way, make]) =>
      Object.entries(invalidSecrets).map(([kind, [value, expected]]) => ({
        way,
        make,
        kind,
        value,
        expected
      }))
    )
  )(
    "12.4 an invalid secret fails the call and is never shown: $way with $kind",
    ({ make, expected, value }) =>
      Effect.gen(function* () {
        const { error, times } = yield* playError([ok], { credentials: make(value) }, list, 0)
        expect(error).toMatchObject({ _tag: "CredentialsError", stoppedBy: "not-retryable" })
        expect(error.message).toMatch(/(token|the header|password) must be a Redacted/)
        expect(error.message).toMatch(expected)
        expect(JSON.stringify(error)).not.toMatch(/plain-token|5318008/)
        expect(times).toEqual([])
      })
  )

  it.effect.each([
    ["effect", () => Credentials.effect((() => "x") as never), /must be an Effect, and is a function/],
    [
      "cached",
      () => Credentials.cached({ fetch: "x" as never }),
      /fetch must be an Effect or a function, and is a string/
    ],
    [
      "as",
      () => Credentials.cached({ fetch: Effect.succeed(secret), as: () => "x" as never }),
      /`as` returns must be Credentials/
    ],
    [
      "an `as` that throws",
      () =>
        Credentials.cached({
          fetch: Effect.succeed(secret),
          as: (token) => {
            throw new Error(`no use for ${Redacted.value(token)}`)
          }
        }),
      /no use for <redacted>/
    ],
    ["a missing user", () => Credentials.basic(undefined as never, secret), /the user must be/],
    ["a user with a colon", () => Credentials.basic("a:b", secret), /must not contain a colon/],
    [
      "a header without a name",
      () => Credentials.header(undefined as never, secret),
      /name must be a string/
    ],
    [
      "a missing candidate",
      () => Credentials.firstOf([undefined as never]),
      /candidate 0 must be Credentials, and is undefined/
    ],
    ["no candidates", () => Credentials.firstOf(undefined as never), /candidates must be a list/],
    [
      "refreshAhead",
      () => Credentials.cached({ fetch: Effect.succeed(secret), refreshAhead: -1 }),
      /refreshAhead/
    ],
    [
      "timeout",
      () => Credentials.cached({ fetch: Effect.succeed(secret), timeout: "soon" as never }),
      /timeout/
    ]
  ] as const)("6.9 invalid credentials fail every call: %s", ([, make, expected]) =>
    Effect.gen(function* () {
      const { error } = yield* playError([ok], { credentials: make() }, list, 0)
      expect(error).toMatchObject({ _tag: "CredentialsError", delivery: "not-sent" })
      expect(error.message).toMatch(expected)
    })
  )
})

describe("a rejected token", () => {
  it.effect(
    "6.9 a 401 drops the token, fetches a new one and repeats the request, outside the retry count",
    () =>
      Effect.gen(function* () {
        const issuer = issueTokens()
        const credentials = Credentials.cached({ fetch: issuer.fetch })
        const script = [status(401), status(503), ok]
        const { ended, requests, times } = yield* play(script, {
          credentials,
          retry: { ...withoutJitter, maxRetries: 1 }
        })
        expect(tokens(requests)).toEqual(["token-1", "token-2", "token-2"])
        expect(times).toEqual([0, 0, 500])
        expect(ended).toMatchObject({
          right: {
            attempts: [
              { tag: "AuthenticationError", status: 401, delay: Duration.zero },
              { tag: "ServiceUnavailableError", delay: Duration.millis(500) },
              { status: 200 }
            ]
          }
        })
      })
  )

  it.effect("6.9 a second 401 is returned to the caller", () =>
    Effect.gen(function* () {
      const issuer = issueTokens()
      const { error, times } = yield* playError(
        [status(401), status(401)],
        { credentials: Credentials.cached({ fetch: issuer.fetch }), retry: withoutDelay },
        list,
        0
      )
      expect(error).toMatchObject({ _tag: "AuthenticationError", stoppedBy: "not-retryable" })
      expect(error.attempts).toHaveLength(2)
      expect(times).toHaveLength(2)
      expect(issuer.fetched).toBe(2)
    })
  )

  it.effect.each([
    { name: "none", credentials: Credentials.none, sent: 1 },
    { name: "bearer", credentials: Credentials.bearer(secret), sent: 1 },
    { name: "effect", credentials: Credentials.effect(Effect.succeed(secret)), sent: 1 },
    {
      name: "firstOf without a cached one",
      credentials: Credentials.firstOf([Credentials.none, Credentials.bearer(secret)]),
      sent: 1
    },
    { name: "cached", credentials: Credentials.cached({ fetch: Effect.succeed(secret) }), sent: 2 },
    {
      name: "firstOf that uses a cached one",
      credentials: Credentials.firstOf([
        Credentials.none,
        Credentials.cached({ fetch: Effect.succeed(secret) })
      ]),
      sent: 2
    },
    {
      name: "firstOf that does not use its cached one",
      credentials: Credentials.firstOf([
        Credentials.bearer(secret),
        Credentials.cached({ fetch: Effect.succeed(secret) })
      ]),
      sent: 1
    }
  ])("6.9 a 401 repeats the request only with refreshable credentials: $name", ({ credentials, sent }) =>
    Effect.gen(function* () {
      const { error, times } = yield* playError(
        [MockTransport.forever(status(401))],
        { credentials },
        list,
        0
      )
      expect(error._tag).toBe("AuthenticationError")
      expect(times).toHaveLength(sent)
    })
  )

  it.effect("6.9 the repeat costs no budget, and happens without retries and for an unsafe method", () =>
    Effect.gen(function* () {
      const issuer = issueTokens()
      const { ended } = yield* play(
        acceptOnly(() => "token-2"),
        {
          credentials: Credentials.cached({ fetch: issuer.fetch }),
          retry: { maxRetries: 0, budget: { capacity: 0 } }
        },
        ApiRequest.post("/todos", { body: 1, retry: { maxRetries: 0, retryUnsafe: "never" } }),
        0
      )
      expect(ended).toMatchObject({ right: { value: "ok" } })
    })
  )

  it.effect("6.9 50 concurrent callers share one fetch", () =>
    Effect.gen(function* () {
      const issuer = issueTokens({ delay: "1 second" })
      const { client, transport } = yield* scripted(
        acceptOnly(() => "token-2"),
        { credentials: Credentials.cached({ fetch: issuer.fetch }) }
      )
      const calls = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 50 }, () => client.execute(list)),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(calls)).toEqual(Array.from({ length: 50 }, () => "ok"))
      expect(issuer.fetched).toBe(2)
      expect(yield* transport.requestCount).toBe(100)
    })
  )

  it.effect("6.9 a late 401 for an old token does not drop the new one", () =>
    Effect.gen(function* () {
      const issuer = issueTokens()
      const script: MockTransport.Script = ({ headers, index }) =>
        headers["authorization"] !== "Bearer token-1"
          ? ok
          : MockTransport.empty(401, { delay: index === 0 ? "10 seconds" : 0 })
      const { client, transport } = yield* scripted(script, {
        credentials: Credentials.cached({ fetch: issuer.fetch })
      })
      const late = yield* Effect.fork(client.execute(list))
      yield* transport.awaitRequests(1)
      yield* client.execute(list)
      expect(issuer.fetched).toBe(2)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(late)
      yield* client.execute(list)
      expect(tokens(yield* transport.requests)).toEqual([
        "token-1",
        "token-1",
        "token-2",
        "token-2",
        "token-2"
      ])
      expect(issuer.fetched).toBe(2)
    })
  )

  it.effect("6.9 withOptions clients share the token, other clients fetch their own", () =>
    Effect.gen(function* () {
      const issuer = issueTokens()
      const credentials = Credentials.cached({ fetch: issuer.fetch })
      const { client } = yield* scripted([MockTransport.forever(ok)], { credentials })
      yield* client.execute(list)
      yield* client.withOptions({ headers: { "x-team": "search" } }).execute(list)
      expect(issuer.fetched).toBe(1)
      const { client: other } = yield* scripted([MockTransport.forever(ok)], { credentials })
      yield* other.execute(list)
      expect(issuer.fetched).toBe(2)
    })
  )
})
