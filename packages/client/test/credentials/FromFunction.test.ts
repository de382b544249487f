import { ApiRequest, Credentials, Tokens } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { canaries } from "../fixtures/canary.js"
import { expectNoUnhandledRejection, rejection, scriptedPromises } from "../fixtures/promises.js"
import { list, ok, status } from "../fixtures/retry.js"

expectNoUnhandledRejection()

const sentBy = async (transport: MockTransport.MockTransport) => {
  const requests = await Effect.runPromise(transport.requests)
  return requests.map(({ headers }) => headers["authorization"] ?? headers["x-api-key"])
}

describe("credentials from a function", () => {
  const given: ReadonlyArray<readonly [string, Credentials.Credentials, string]> = [
    ["a promise of a string", Credentials.from(async () => "t-1"), "Bearer t-1"],
    ["a string", Credentials.from(() => "t-1"), "Bearer t-1"],
    ["a Redacted", Credentials.from(async () => Redacted.make("t-1")), "Bearer t-1"],
    ["other credentials", Credentials.from(async () => Credentials.header("x-api-key", "k-1")), "k-1"],
    ["bearer of a string", Credentials.bearer("t-1"), "Bearer t-1"],
    ["header of a string", Credentials.header("x-api-key", "k-1"), "k-1"],
    ["basic of a string", Credentials.basic("ann", "pass"), `Basic ${btoa("ann:pass")}`],
    [
      "cached, an async function",
      Credentials.cached({ fetch: async () => ({ token: "t-1" }) }),
      "Bearer t-1"
    ],
    ["an effect of a string", Credentials.effect(Effect.succeed("t-1")), "Bearer t-1"]
  ]

  it.each(given)("sends what it gives: %s", async (_name, credentials, sent) => {
    const { client, transport } = scriptedPromises([ok], { credentials })
    await client.execute(list)
    expect(await sentBy(transport)).toEqual([sent])
  })

  it("runs before every attempt", async () => {
    let runs = 0
    const credentials = Credentials.from(async () => `t-${++runs}`)
    const { client, transport } = scriptedPromises([status(503), ok], {
      credentials,
      retry: { initialDelay: 1 }
    })
    await client.execute(list)
    expect(await sentBy(transport)).toEqual(["Bearer t-1", "Bearer t-2"])
  })

  it("6.9 after a 401 invalidate runs with what was refused, and the call is replayed once", async () => {
    let token = "t-1"
    const refused: Array<string> = []
    const credentials = Credentials.from(async () => token, {
      invalidate: async (given) => {
        refused.push(given)
        token = "t-2"
      }
    })
    const { client, transport } = scriptedPromises([status(401), ok], { credentials })
    await client.execute(list)
    expect(await sentBy(transport)).toEqual(["Bearer t-1", "Bearer t-2"])
    expect(refused).toEqual(["t-1"])
  })

  it("cached fetches once for all callers, and again after a 401", async () => {
    let fetches = 0
    const credentials = Credentials.cached({
      fetch: async () => ({ token: `t-${++fetches}`, expiresIn: "1 hour" })
    })
    const { client, transport } = scriptedPromises([ok, ok, status(401), ok], { credentials })
    await Promise.all([client.execute(list), client.execute(list)])
    await client.execute(list)
    expect(await sentBy(transport)).toEqual(["Bearer t-1", "Bearer t-1", "Bearer t-1", "Bearer t-2"])
  })

  it.each([
    ["rejects", () => Promise.reject(new Error("no login")), /no login/],
    [
      "throws",
      () => {
        throw new Error("no login")
      },
      /no login/
    ],
    ["gives nothing", async () => undefined, /must be a Redacted or a string, and is undefined/],
    ["gives a number", () => 5, /must be a Redacted or a string, and is a number/],
    ["is none", "text", /must be a function, and is a string/]
  ])("6.9 a function that %s is a CredentialsError, and nothing is sent", async (_name, give, reason) => {
    const credentials = Reflect.apply(Credentials.from, undefined, [give])
    const { client, transport } = scriptedPromises([], { credentials, retry: { maxRetries: 0 } })
    const error = await rejection(client.execute(list))
    expect(error).toMatchObject({ _tag: "CredentialsError", reason: expect.stringMatching(reason) })
    expect(await sentBy(transport)).toEqual([])
  })

  it("8.6 its signal aborts when the call ends first", async () => {
    let ask = (_signal: AbortSignal): void => {}
    const asked = new Promise<AbortSignal>((resolve) => {
      ask = resolve
    })
    const credentials = Credentials.from((signal) => {
      ask(signal)
      return new Promise<string>(() => {})
    })
    const { client } = scriptedPromises([], { credentials })
    const controller = new AbortController()
    const call = rejection(client.execute(list, { signal: controller.signal }))
    const signal = await asked
    expect(signal.aborted).toBe(false)
    controller.abort()
    expect(await call).toMatchObject({ name: "AbortError" })
    expect(signal.aborted).toBe(true)
  })

  it("12.4 a plain string is hidden as a Redacted is", async () => {
    const token = canaries.token("p")
    const { client } = scriptedPromises(
      [MockTransport.json({ error: { message: `no ${token}` } }, { status: 403 })],
      {
        credentials: Credentials.bearer(token)
      }
    )
    const error = await rejection(client.execute(ApiRequest.get("/todos", { query: { token } })))
    expect(JSON.stringify(error)).not.toContain(token)
    expect(String(error)).not.toContain(token)
  })

  it("12.4 a secret of a form is sent, and shows in no error", async () => {
    const secret = Credentials.secret(canaries.token("s"))
    expect(Credentials.reveal(secret)).toBe(canaries.token("s"))
    const script = [MockTransport.json({ error: { message: `no ${canaries.token("s")}` } }, { status: 400 })]
    const { client, transport } = scriptedPromises(script)
    const error = await rejection(client.post("/token", { form: { client_secret: secret } }))
    const [request] = await Effect.runPromise(transport.requests)
    expect(request?.text).toContain(canaries.token("s"))
    expect(JSON.stringify(error)).not.toContain(canaries.token("s"))
  })

  it("6.9 a refresh token rotates through async functions", async () => {
    let stored = "r-1"
    const sent: Array<string> = []
    const credentials = Tokens.refreshing({
      store: {
        get: async () => stored,
        set: async (token) => {
          stored = Credentials.reveal(token)
        }
      },
      refresh: async (token) => {
        sent.push(Redacted.value(token))
        return Tokens.fromResponse({
          access_token: `t-${sent.length}`,
          refresh_token: `r-${sent.length + 1}`
        })
      }
    })
    const { client, transport } = scriptedPromises([ok, status(401), ok], { credentials })
    await client.execute(list)
    await client.execute(list)
    expect(await sentBy(transport)).toEqual(["Bearer t-1", "Bearer t-1", "Bearer t-2"])
    expect([sent, stored]).toEqual([["r-1", "r-2"], "r-3"])
  })

  const boom = (): never => {
    throw new Error("boom r-1")
  }
  const throwing = (field: string) => Object.defineProperty({ token: "t-1" }, field, { get: boom })

  it.each([
    // No refresh token is known yet.
    ["get throws", { store: { get: boom } }, "boom r-1"],
    ["set throws", { store: { set: boom } }, "boom <redacted>"],
    ["refresh throws", { refresh: boom }, "boom <redacted>"],
    ["refresh rejects", { refresh: async () => boom() }, "boom <redacted>"],
    [
      "isRefused throws",
      { refresh: () => Promise.reject(new Error("late")), isRefused: (error: any) => error.body.code === 1 },
      "late"
    ],
    [
      "refresh gives nothing",
      { refresh: async () => undefined },
      "refresh must give an object with `token`, and gives undefined"
    ],
    [
      "refresh gives null",
      { refresh: () => null },
      "refresh must give an object with `token`, and gives null"
    ],
    [
      "refresh gives a number",
      { refresh: () => 5 },
      "the fetched token must be a Redacted or a string, and is a number"
    ],
    ["the refresh token throws", { refresh: async () => throwing("refreshToken") }, "boom <redacted>"],
    ["the token throws", { refresh: async () => throwing("token") }, "boom <redacted>"]
  ])("4.7 a refresh where %s is a CredentialsError, and nothing is sent", async (_name, own, reason) => {
    const store = { get: async () => "r-1", set: async () => {}, ...("store" in own ? own.store : {}) }
    const refresh = async () => ({ token: "t-1", refreshToken: "r-2" })
    const credentials = Reflect.apply(Tokens.refreshing, undefined, [{ refresh, ...own, store }])
    const { client, transport } = scriptedPromises([], { credentials, retry: { maxRetries: 0 } })
    const error = await rejection(client.execute(list))
    expect(error).toMatchObject({ _tag: "CredentialsError", reason: `no credentials: ${reason}` })
    expect(await sentBy(transport)).toEqual([])
  })

  it("4.7 a store that throws loses nothing: the next call stores first", async () => {
    const log: Array<string> = []
    const credentials = Tokens.refreshing({
      store: {
        get: async () => "r-1",
        set: (token) => {
          log.push(`set ${Credentials.reveal(token)}`)
          return log.length < 3 ? boom() : Promise.resolve()
        }
      },
      refresh: async () => {
        log.push("refresh")
        return { token: "t-1", refreshToken: "r-2" }
      }
    })
    const { client, transport } = scriptedPromises([ok], { credentials })
    await rejection(client.execute(list))
    await client.execute(list)
    expect(log).toEqual(["refresh", "set r-2", "set r-2"])
    expect(await sentBy(transport)).toEqual(["Bearer t-1"])
  })

  it.each(["token", "expiresIn"])(
    "6.9 a cached token whose %s throws is a CredentialsError",
    async (field) => {
      const credentials = Reflect.apply(Credentials.cached, undefined, [
        { fetch: async () => throwing(field) }
      ])
      const { client, transport } = scriptedPromises([], { credentials })
      expect(await rejection(client.execute(list))).toMatchObject({
        _tag: "CredentialsError",
        reason: "no credentials: boom r-1"
      })
      expect(await sentBy(transport)).toEqual([])
    }
  )
})
