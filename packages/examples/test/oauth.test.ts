import { describe, expect, it } from "@effect/vitest"
import { NodeTransport } from "@effect-api/node"
import { TestServer } from "@effect-api/testing"
import { Effect, Layer, Redacted } from "effect"
import { type App, InvalidGrant, make, type StoreOf, whoami } from "../src/oauth.js"
import { app, oauth } from "./servers/oauth.js"

const secretApp: App = { ...app, client_secret: Redacted.make(app.client_secret) }

const started = (own = secretApp) =>
  Effect.gen(function* () {
    const { access, next, refresh, routes } = oauth()
    const server = yield* TestServer.make(routes)
    const stored = new Map([
      ["alice", "refresh-alice-0"],
      ["bob", "refresh-bob-0"]
    ])
    const storeOf: StoreOf = (user) => ({
      get: Effect.sync(() => Redacted.make(stored.get(user) ?? "")),
      set: (token) => Effect.sync(() => stored.set(user, Redacted.value(token)))
    })
    const context = yield* Layer.build(NodeTransport.layer)
    const { client, credentialsOf } = yield* Effect.provide(make(server.url, own, storeOf), context)
    const quick = client.withOptions({ retry: { initialDelay: "1 millis" } })
    const of = (user: string) => Effect.map(quick.execute(whoami(credentialsOf(user))), ({ user }) => user)
    const asApp = Effect.map(quick.execute(whoami()), ({ user }) => user)
    const tokens = Effect.map(server.requests, (requests) =>
      requests.filter(({ path }) => path === "/token").map(({ text }) => new URLSearchParams(text))
    )
    return { access, asApp, next, of, refresh, server, stored, tokens }
  })

const all = { concurrency: "unbounded" } as const

describe("OAuth", () => {
  it.scopedLive("a program has one token for all its calls", () =>
    Effect.gen(function* () {
      const { asApp, tokens } = yield* started()
      const users = yield* Effect.all(
        Array.from({ length: 10 }, () => asApp),
        all
      )
      expect(new Set(users)).toEqual(new Set(["app"]))
      const forms = yield* tokens
      expect(forms.map((form) => Object.fromEntries(form))).toEqual([
        { ...app, grant_type: "client_credentials" }
      ])
    })
  )

  it.scopedLive("many users share a client, and no token", () =>
    Effect.gen(function* () {
      const { asApp, of, server, tokens } = yield* started()
      const users = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? "alice" : "bob"))
      expect(yield* Effect.forEach(users, of, all)).toEqual(users)
      expect(yield* asApp).toBe("app")
      expect((yield* tokens).length).toBe(3)
      const sent = (yield* server.requests).flatMap(({ headers }) => headers["authorization"] ?? [])
      expect(new Set(sent).size).toBe(3)
    })
  )

  it.scopedLive("a rotated refresh token is stored, and none is sent twice", () =>
    Effect.gen(function* () {
      const { access, of, refresh, stored, tokens } = yield* started()
      for (const round of [1, 2, 3]) {
        expect(yield* Effect.forEach(["alice", "alice", "alice"], of, all)).toEqual(Array(3).fill("alice"))
        expect(refresh.get(stored.get("alice") ?? "")).toBe("alice")
        expect((yield* tokens).length).toBe(round)
        // The server revokes every access token: each call gets a 401, and one of them refreshes.
        access.clear()
      }
      const sent = (yield* tokens).map((form) => form.get("refresh_token"))
      expect(new Set(sent).size).toBe(sent.length)
    })
  )

  it.scopedLive("a refresh token that is spent ends the calls of its user alone, and is asked for once", () =>
    Effect.gen(function* () {
      const { of, refresh, tokens } = yield* started()
      refresh.delete("refresh-alice-0")
      for (const _ of [1, 2, 3]) {
        const error = yield* Effect.flip(of("alice"))
        expect(error).toMatchObject({ _tag: "CredentialsError", cause: expect.any(InvalidGrant) })
      }
      expect(yield* of("bob")).toBe("bob")
      expect((yield* tokens).map((form) => form.get("refresh_token"))).toEqual([
        "refresh-alice-0",
        "refresh-bob-0"
      ])
    })
  )

  it.scopedLive("a token server that is busy is tried again", () =>
    Effect.gen(function* () {
      const { next, of, tokens } = yield* started()
      next.busy = 1
      expect(yield* of("alice")).toBe("alice")
      expect((yield* tokens).length).toBe(2)
    })
  )

  it.scopedLive("a wrong secret of the program fails its calls, and shows nowhere", () =>
    Effect.gen(function* () {
      const { asApp } = yield* started({ ...secretApp, client_secret: Redacted.make("not-the-secret") })
      const error = yield* Effect.flip(asApp)
      expect(error).toMatchObject({ _tag: "CredentialsError", cause: { _tag: "AuthenticationError" } })
      expect(JSON.stringify([error, error.cause])).not.toContain("not-the-secret")
    })
  )
})
