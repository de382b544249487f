import { describe, expect, it } from "@effect/vitest"
import { type ApiClient, ApiRequest, type Credentials, type Tokens } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, Redacted, TestClock } from "effect"
import * as oauth from "oauth4webapi"
import { canaries, leaks, observe } from "../fixtures/canary.js"
import { importFrom } from "../fixtures/pageCode.js"
import { clientOn } from "../fixtures/requests.js"
import { list, tokens } from "../fixtures/retry.js"

interface OAuthPage {
  readonly ofApp: (app: App) => Credentials.Credentials
  readonly ofUsers: (
    app: App,
    storeOf: (user: string) => Tokens.Store
  ) => (user: string) => Credentials.Credentials
}

interface App {
  readonly login: ApiClient.ApiClient
  readonly server: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly auth: oauth.ClientAuth
}

const { ofApp, ofUsers } = await importFrom<OAuthPage>("oauth", "ofUsers")

const url = "https://service.test"

const secret = canaries.token("c")

/** A service with a token endpoint that rotates refresh tokens, and a client of each kind. */
const service = Effect.gen(function* () {
  const state = {
    count: 0,
    busy: 0,
    access: new Map<string, string>(),
    refresh: new Map([
      [canaries.token("alice"), "alice"],
      [canaries.token("bob"), "bob"]
    ]),
    stored: new Map([
      ["alice", canaries.token("alice")],
      ["bob", canaries.token("bob")]
    ]),
    log: [] as Array<string>
  }
  const reply = (request: MockTransport.MockRequest): MockTransport.MockStep => {
    if (new URL(request.url).pathname !== "/token") {
      const token = request.headers["authorization"]?.replace("Bearer ", "") ?? ""
      const user = state.access.get(token)
      return user === undefined ? MockTransport.json({}, { status: 401 }) : MockTransport.json(user)
    }
    if (state.busy > 0) {
      state.busy--
      return MockTransport.json({ error: "busy" }, { status: 503, headers: { "retry-after": "1" } })
    }
    const form = new URLSearchParams(request.text)
    const sent = form.get("refresh_token")
    state.log.push(form.get("grant_type") ?? "", form.get("client_secret") === secret ? "ok" : "bad secret")
    const user = sent === null ? "app" : state.refresh.get(sent)
    if (user === undefined) {
      const error_description = `no ${sent}`
      return MockTransport.json({ error: "invalid_grant", error_description }, { status: 400 })
    }
    const access_token = `${user}-${++state.count}`
    state.access.set(access_token, user)
    const token = { access_token, token_type: "bearer", expires_in: 3600 }
    if (sent === null) return MockTransport.json(token)
    const refresh_token = canaries.token(`${user}${state.count}`)
    state.refresh.delete(sent)
    state.refresh.set(refresh_token, user)
    return MockTransport.json({ ...token, refresh_token })
  }
  const transport = yield* MockTransport.make(reply)
  const login = yield* clientOn(transport.client, { baseUrl: url })
  const client = yield* clientOn(transport.client, { baseUrl: url })
  const app: App = {
    login,
    server: { issuer: url, token_endpoint: `${url}/token` },
    client: { client_id: "app" },
    auth: oauth.ClientSecretPost(secret)
  }
  const storeOf = (user: string): Tokens.Store => ({
    get: Effect.sync(() => Redacted.make(state.stored.get(user) ?? "")),
    set: (token) => Effect.sync(() => state.stored.set(user, Redacted.value(token)))
  })
  return { app, client, credentialsOf: ofUsers(app, storeOf), state, transport }
})

const as = (credentials: Credentials.Credentials) => ApiRequest.override(list, { credentials })

/** The requests of the program, without those for tokens. */
const calls = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  tokens(requests.filter(({ url }) => !url.endsWith("/token")))

describe("OAuth 2, as the page has it", () => {
  it.effect("4.7 client credentials: one token for all calls, renewed after its lifetime", () =>
    Effect.gen(function* () {
      const { app, client, state, transport } = yield* service
      const credentials = ofApp(app)
      yield* Effect.all(
        Array.from({ length: 10 }, () => client.execute(as(credentials))),
        { concurrency: "unbounded" }
      )
      expect(state.log).toEqual(["client_credentials", "ok"])
      yield* TestClock.adjust("2 hours")
      yield* client.execute(as(credentials))
      expect(calls(yield* transport.requests)).toEqual([...Array(10).fill("app-1"), "app-2"])
    })
  )

  it.effect("4.7 users refresh with rotation, each with a token of its own", () =>
    Effect.gen(function* () {
      const { client, credentialsOf, state } = yield* service
      const users = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? "alice" : "bob"))
      const call = (user: string) => client.execute(as(credentialsOf(user)))
      expect(yield* Effect.forEach(users, call, { concurrency: "unbounded" })).toEqual(users)
      expect(state.count).toBe(2)
      state.access.clear()
      expect(yield* Effect.forEach(users, call, { concurrency: "unbounded" })).toEqual(users)
      expect(state.count).toBe(4)
      for (const [user, token] of state.stored) expect(state.refresh.get(token)).toBe(user)
    })
  )

  it.effect("4.7 invalid_grant is the cause of the call's error, and is asked for once", () =>
    Effect.gen(function* () {
      const { client, credentialsOf, state } = yield* service
      state.refresh.clear()
      for (const _ of [1, 2, 3]) {
        expect(yield* Effect.flip(client.execute(as(credentialsOf("alice"))))).toMatchObject({
          _tag: "CredentialsError",
          reason: "no credentials: InvalidGrant",
          cause: { _tag: "InvalidGrant" }
        })
      }
      expect(state.log).toEqual(["refresh_token", "ok"])
    })
  )

  it.effect("4.7 a token server that is down is retried by the call, after its hint", () =>
    Effect.gen(function* () {
      const { client, credentialsOf, state, transport } = yield* service
      state.busy = 2
      const call = yield* Effect.fork(client.execute(as(credentialsOf("alice"))))
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(call)).toBe("alice")
      const sent = (yield* transport.requests).map(({ at, url }) => [new URL(url).pathname, at])
      expect(sent).toEqual([
        ["/token", 0],
        ["/token", 1000],
        ["/token", 2000],
        ["/todos", 2000]
      ])
    })
  )

  it.effect("12.4 neither the client's secret nor a refresh token shows", () =>
    Effect.gen(function* () {
      const { client, credentialsOf, state } = yield* service
      state.refresh.clear()
      expect(leaks((yield* observe(client.execute(as(credentialsOf("bob"))))).evidence)).toEqual([])
    })
  )
})
