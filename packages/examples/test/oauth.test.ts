import { inspect } from "node:util"
import { Credentials } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { TestServer } from "@effect-api/testing"
import { Context, Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import * as Effects from "../src/oauth.js"
import * as Plain from "../src/promises/oauth.js"
import * as Twins from "./fixtures/twins.js"
import { app, oauth } from "./servers/oauth.js"

type Stored = Map<string, string>

/** What the tests use: calls as the program, and as a user. */
interface Calls {
  readonly asApp: () => Promise<string>
  readonly of: (user: string) => Promise<string>
  readonly close: () => Promise<unknown>
}

class Made extends Context.Tag("Made")<Made, Effect.Effect.Success<ReturnType<typeof Effects.make>>>() {}

const openEffects = async (baseUrl: string, secret: string, stored: Stored): Promise<Calls> => {
  const own: Effects.App = { ...app, client_secret: Redacted.make(secret) }
  const storeOf: Effects.StoreOf = (user) => ({
    get: Effect.sync(() => Redacted.make(stored.get(user) ?? "")),
    set: (token) => Effect.sync(() => stored.set(user, Redacted.value(token)))
  })
  const live = Layer.scoped(Made, Effects.make(baseUrl, own, storeOf))
  const runtime = ManagedRuntime.make(Layer.provide(live, NodeTransport.layer))
  const { client, credentialsOf } = await runtime.runPromise(Made)
  const quick = Twins.asPromises(client).withOptions({ retry: { initialDelay: 1 } })
  return {
    asApp: async () => (await quick.execute(Effects.whoami())).user,
    of: async (user) => (await quick.execute(Effects.whoami(credentialsOf(user)))).user,
    close: () => runtime.dispose()
  }
}

const openPlain = async (baseUrl: string, client_secret: string, stored: Stored): Promise<Calls> => {
  const storeOf: Plain.StoreOf = (user) => ({
    get: async () => stored.get(user) ?? "",
    set: async (token) => stored.set(user, Credentials.reveal(token))
  })
  const target = { baseUrl, transport: NodeTransport.layer }
  const { client, close, credentialsOf } = Plain.make(target, { ...app, client_secret }, storeOf)
  const quick = client.withOptions({ retry: { initialDelay: 1 } })
  return {
    asApp: async () => (await quick.execute(Plain.whoami())).user,
    of: async (user) => (await quick.execute(Plain.whoami(credentialsOf(user)))).user,
    close
  }
}

const twins = [
  { name: "Effect", InvalidGrant: Effects.InvalidGrant, open: openEffects },
  { name: "promises", InvalidGrant: Plain.InvalidGrant, open: openPlain }
]

describe.each(twins)("OAuth with $name", ({ InvalidGrant, open }) => {
  const started = async (secret = app.client_secret) => {
    const { access, next, refresh, routes } = oauth()
    const server = await TestServer.start(routes)
    const stored: Stored = new Map([
      ["alice", "refresh-alice-0"],
      ["bob", "refresh-bob-0"]
    ])
    const { close, ...calls } = await open(server.url, secret, stored)
    const tokens = () =>
      server
        .requests()
        .filter(({ path }) => path === "/token")
        .map(({ text }) => new URLSearchParams(text))
    const dispose = async () => {
      await close()
      await server.close()
    }
    return { ...calls, access, next, refresh, server, stored, tokens, [Symbol.asyncDispose]: dispose }
  }

  it("a program has one token for all its calls", async () => {
    await using it = await started()
    const users = await Promise.all(Array.from({ length: 10 }, it.asApp))
    expect(new Set(users)).toEqual(new Set(["app"]))
    expect(it.tokens().map((form) => Object.fromEntries(form))).toEqual([
      { ...app, grant_type: "client_credentials" }
    ])
  })

  it("many users share a client, and no token", async () => {
    await using it = await started()
    const users = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? "alice" : "bob"))
    expect(await Promise.all(users.map(it.of))).toEqual(users)
    expect(await it.asApp()).toBe("app")
    expect(it.tokens().length).toBe(3)
    const sent = it.server.requests().flatMap(({ headers }) => headers["authorization"] ?? [])
    expect(new Set(sent).size).toBe(3)
  })

  it("a rotated refresh token is stored, and none is sent twice", async () => {
    await using it = await started()
    for (const round of [1, 2, 3]) {
      expect(await Promise.all(["alice", "alice", "alice"].map(it.of))).toEqual(Array(3).fill("alice"))
      expect(it.refresh.get(it.stored.get("alice") ?? "")).toBe("alice")
      expect(it.tokens().length).toBe(round)
      // The server revokes every access token: each call gets a 401, and one of them refreshes.
      it.access.clear()
    }
    const sent = it.tokens().map((form) => form.get("refresh_token"))
    expect(new Set(sent).size).toBe(sent.length)
  })

  it("a refresh token that is spent ends the calls of its user alone, and is asked for once", async () => {
    await using it = await started()
    it.refresh.delete("refresh-alice-0")
    for (const _ of [1, 2, 3])
      expect(await Twins.rejection(it.of("alice"))).toMatchObject({
        _tag: "CredentialsError",
        cause: expect.any(InvalidGrant)
      })
    expect(await it.of("bob")).toBe("bob")
    expect(it.tokens().map((form) => form.get("refresh_token"))).toEqual(["refresh-alice-0", "refresh-bob-0"])
  })

  it("a token server that is busy is tried again", async () => {
    await using it = await started()
    it.next.busy = 1
    expect(await it.of("alice")).toBe("alice")
    expect(it.tokens().length).toBe(2)
  })

  it("a wrong secret of the program fails its calls, and shows nowhere", async () => {
    await using it = await started("not-the-secret")
    const error = await Twins.rejection(it.asApp())
    expect(error).toMatchObject({ _tag: "CredentialsError", cause: { _tag: "AuthenticationError" } })
    expect(inspect(error, { depth: 10 })).not.toContain("not-the-secret")
    expect(JSON.stringify(error)).not.toContain("not-the-secret")
  })
})
