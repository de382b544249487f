import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, ApiRequest, Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Cause, Effect, Exit, Redacted, Schema, TestClock } from "effect"
import { canaries, leaks, observe, printed } from "../fixtures/canary.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"

const { json, text } = MockTransport

const secret = Redacted.make(canaries.hard("x"))

const instance = { user: "me", password: secret }
const Password = Schema.Redacted(Schema.String)

/** Requests that are invalid because of the secret, or because of another field. */
const invalid: Readonly<Record<string, object>> = {
  "a secret that does not fit its schema": {
    body: { password: secret },
    bodySchema: Schema.Struct({ password: Schema.Redacted(Schema.String.pipe(Schema.minLength(999))) })
  },
  "a field that does not fit its schema beside the secret": {
    body: instance,
    bodySchema: Schema.Struct({ user: Schema.Number, password: Password })
  },
  "a secret of the wrong type": {
    body: { password: Redacted.make({ text: canaries.hard("x") }) },
    bodySchema: Schema.Struct({ password: Password })
  },
  "a header with a line break": {
    headers: { "x-broken": Redacted.make(`${canaries.hard("x")}\r\nx-more: 1`) }
  },
  "a header with a wide character": { headers: { "x-wide": Redacted.make(`${canaries.hard("x")}\u0100`) } },
  "an invalid path value": { path: { id: Redacted.make(`;${canaries.hard("x")}`) } },
  "a path value with a lone surrogate": { path: { id: Redacted.make(`${canaries.hard("x")}\ud800`) } },
  "an invalid query value": { query: { filter: { by: Redacted.make({ text: canaries.hard("x") }) } } },
  "an invalid form value": { form: { by: Redacted.make([canaries.hard("x")]) } },
  "a number that JSON cannot hold": { body: { password: secret, age: Number.NaN } }
}

describe("invalid requests", () => {
  for (const [name, options] of Object.entries(invalid)) {
    it.effect(`12.4 ${name} is an InvalidRequestError without the secret`, () =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted([])
        const request = ApiRequest.post("/keys/{id}", { path: { id: 1 }, ...options })
        const { evidence, exit } = yield* observe(client.execute(request))
        expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
          _tag: "InvalidRequestError"
        })
        expect(leaks(evidence)).toEqual([])
        expect(yield* transport.requestCount).toBe(0)
      })
    )
  }
})

const token = canaries.hard("t")

/** Gives the token first, then fails with a message that contains it. */
const expiring = Effect.sync(() => {
  let fetches = 0
  return Effect.suspend(() =>
    fetches++ === 0 ? Effect.succeed(Redacted.make(token)) : Effect.fail(new Error(`cannot renew ${token}`))
  )
})

type Fetch = Effect.Effect.Success<typeof expiring>

describe("failing credentials", () => {
  const kinds: Readonly<Record<string, (fetch: Fetch) => Credentials.Credentials>> = {
    effect: (fetch) => Credentials.effect(fetch),
    cached: (fetch) =>
      Credentials.cached({ fetch: Effect.map(fetch, (token) => ({ token, expiresIn: 1000 })) }),
    "cached, first of": (fetch) =>
      Credentials.firstOf([
        Credentials.cached({ fetch: Effect.map(fetch, (token) => ({ token, expiresIn: 1000 })) })
      ])
  }
  for (const [name, make] of Object.entries(kinds)) {
    it.effect(`12.4 a reason with the token of an earlier call is redacted: ${name}`, () =>
      Effect.gen(function* () {
        const fetch = yield* expiring
        const { client } = yield* scripted([json(1)], { credentials: make(fetch), retry: withoutDelay })
        yield* client.get("/todos")
        yield* TestClock.adjust("1 minute")
        const { evidence, exit } = yield* observe(client.get("/todos"))
        expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: "CredentialsError" })
        expect(leaks(evidence)).toEqual([])
      })
    )
  }

  it.effect("12.4 a reason with the token that a 401 rejected is redacted", () =>
    Effect.gen(function* () {
      const credentials = Credentials.cached({ fetch: yield* expiring })
      const { client } = yield* scripted([text("", { status: 401 })], { credentials })
      const { evidence, exit } = yield* observe(client.get("/todos"))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: "CredentialsError" })
      expect(leaks(evidence)).toEqual([])
    })
  )

  it.effect("12.4 a secret that no header can hold is redacted", () =>
    Effect.gen(function* () {
      const credentials = Credentials.header("x-auth", Redacted.make(`${token}\r\n${token}`))
      const { client, transport } = yield* scripted([], { credentials })
      const { evidence, exit } = yield* observe(client.get("/todos"))
      expect(Exit.isFailure(exit)).toBe(true)
      expect(leaks(evidence)).toEqual([])
      expect(yield* transport.requestCount).toBe(0)
    })
  )
})

describe("invalid settings", () => {
  const settings: Readonly<Record<string, Partial<ApiConfig.Options>>> = {
    "a header with a line break": { headers: { "x-config": Redacted.make(`${token}\n${token}`) } },
    "an invalid query": { query: { config: Redacted.make({ token }) as never } },
    "credentials in the base URL": { baseUrl: `https://me:${encodeURIComponent(token)}@api.test` },
    "an invalid base URL": { baseUrl: `https://${token}.test:port/` },
    "credentials in a trusted origin": {
      trustedOrigins: [`https://me:${encodeURIComponent(token)}@api.test`]
    }
  }
  for (const [name, options] of Object.entries(settings)) {
    it.effect(`12.4 ${name} is an InvalidConfigError without the secret`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(scripted([], options))
        expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: "InvalidConfigError" })
        expect(leaks(printed(exit))).toEqual([])
      })
    )
  }
})
