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

/** Requests that cannot be sent, each because of the secret or beside it. */
const invalid: Readonly<Record<string, object>> = {
  "a value its schema refuses": {
    body: { password: secret },
    bodySchema: Schema.Struct({ password: Schema.Redacted(Schema.String.pipe(Schema.minLength(999))) })
  },
  "a value beside the secret that its schema refuses": {
    body: instance,
    bodySchema: Schema.Struct({ user: Schema.Number, password: Password })
  },
  "a secret of another type": {
    body: { password: Redacted.make({ text: canaries.hard("x") }) },
    bodySchema: Schema.Struct({ password: Password })
  },
  "a header with a line break": {
    headers: { "x-broken": Redacted.make(`${canaries.hard("x")}\r\nx-more: 1`) }
  },
  "a header with a wide character": { headers: { "x-wide": Redacted.make(`${canaries.hard("x")}\u0100`) } },
  "a path that is none": { path: { id: Redacted.make(`;${canaries.hard("x")}`) } },
  "a path with half a character": { path: { id: Redacted.make(`${canaries.hard("x")}\ud800`) } },
  "a query that is none": { query: { filter: { by: Redacted.make({ text: canaries.hard("x") }) } } },
  "a form that is none": { form: { by: Redacted.make([canaries.hard("x")]) } },
  "a number that JSON has not": { body: { password: secret, age: Number.NaN } }
}

describe("requests that are not sent", () => {
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

/** Gives the token first, and then fails naming it. */
const expiring = Effect.sync(() => {
  let asked = 0
  return Effect.suspend(() =>
    asked++ === 0 ? Effect.succeed(Redacted.make(token)) : Effect.fail(new Error(`cannot renew ${token}`))
  )
})

type Fetch = Effect.Effect.Success<typeof expiring>

describe("credentials that cannot be had", () => {
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
    it.effect(`12.4 a reason that names the last token of an earlier call does not show it: ${name}`, () =>
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

  it.effect("12.4 a reason that names the token a 401 refused does not show it", () =>
    Effect.gen(function* () {
      const credentials = Credentials.cached({ fetch: yield* expiring })
      const { client } = yield* scripted([text("", { status: 401 })], { credentials })
      const { evidence, exit } = yield* observe(client.get("/todos"))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: "CredentialsError" })
      expect(leaks(evidence)).toEqual([])
    })
  )

  it.effect("12.4 a secret that no header can hold is not shown", () =>
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

describe("settings that make no sense", () => {
  const settings: Readonly<Record<string, Partial<ApiConfig.Options>>> = {
    "a header with a line break": { headers: { "x-config": Redacted.make(`${token}\n${token}`) } },
    "a query that is none": { query: { config: Redacted.make({ token }) as never } },
    "a user in the base URL": { baseUrl: `https://me:${encodeURIComponent(token)}@api.test` },
    "a base URL that is none": { baseUrl: `https://${token}.test:port/` },
    "a user in an origin": { trustedOrigins: [`https://me:${encodeURIComponent(token)}@api.test`] }
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
