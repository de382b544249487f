import { readFileSync } from "node:fs"
import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiConfig, Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import { Anthropic, AnthropicConfig } from "../../src/index.js"
import { params, scripted } from "../fixtures/client.js"
import { message } from "../fixtures/responses.js"

const secret = (text: string) => Redacted.make(text)

/** The first request of a client configured by environment variables. */
const firstRequest = (environment: Record<string, string>, explicit?: AnthropicConfig.Options) =>
  Effect.gen(function* () {
    const transport = yield* MockTransport.make([MockTransport.json(message)])
    const live = Anthropic.layerConfig(explicit).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, transport.client)),
      Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))))
    )
    yield* Effect.provide(
      Effect.flatMap(Anthropic.Anthropic, ({ messages }) => messages.create(params)),
      live
    )
    const [request] = yield* transport.requests
    return { url: request?.url ?? "", headers: request?.headers ?? {} }
  })

const bearer = (token: string) => `Bearer ${token}`

describe("layerConfig", () => {
  const ANTHROPIC_API_KEY = "env-key"
  const ANTHROPIC_AUTH_TOKEN = "env-token"

  it.effect.each<{
    readonly name: string
    readonly environment: Record<string, string>
    readonly explicit?: AnthropicConfig.Options
    readonly key?: string
    readonly authorization?: string
  }>([
    { name: "a key", environment: { ANTHROPIC_API_KEY }, authorization: bearer("env-key") },
    {
      name: "a key in x-api-key, if set",
      environment: { ANTHROPIC_API_KEY },
      explicit: { apiKeyHeader: "x-api-key" },
      key: "env-key"
    },
    {
      name: "a key and a token, if the key is sent in x-api-key",
      environment: {},
      explicit: { apiKey: secret("key"), authToken: secret("token"), apiKeyHeader: "x-api-key" },
      key: "key",
      authorization: bearer("token")
    },
    { name: "a token", environment: { ANTHROPIC_AUTH_TOKEN }, authorization: bearer("env-token") },
    {
      name: "a key before a token",
      environment: { ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN },
      authorization: bearer("env-key")
    },
    {
      name: "a token if the key is blank",
      environment: { ANTHROPIC_API_KEY: " ", ANTHROPIC_AUTH_TOKEN },
      authorization: bearer("env-token")
    },
    {
      name: "an explicit key rather than both",
      environment: { ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN },
      explicit: { apiKey: secret("own") },
      authorization: bearer("own")
    },
    {
      name: "an explicit token rather than a key",
      environment: { ANTHROPIC_API_KEY },
      explicit: { authToken: secret("own") },
      authorization: bearer("own")
    },
    {
      name: "explicit credentials rather than a key",
      environment: { ANTHROPIC_API_KEY },
      explicit: { credentials: Credentials.header("x-gateway-key", secret("own")) }
    },
    {
      name: "the key of the environment if the explicit one is blank or undefined",
      environment: { ANTHROPIC_API_KEY },
      explicit: { authToken: secret(" "), credentials: undefined },
      authorization: bearer("env-key")
    }
  ])("1.1 sends $name", ({ authorization, environment, explicit, key }) =>
    Effect.gen(function* () {
      const { headers } = yield* firstRequest(environment, explicit)
      expect([headers["x-api-key"], headers["authorization"]]).toEqual([key, authorization])
    })
  )

  it.effect.each([
    ["", "https://api.anthropic.com/v1/messages"],
    ["https://gateway.example", "https://gateway.example/v1/messages"],
    ["https://gateway.example/", "https://gateway.example/v1/messages"],
    ["https://gateway.example/anthropic", "https://gateway.example/anthropic/v1/messages"],
    ["https://gateway.example/anthropic/", "https://gateway.example/anthropic/v1/messages"]
  ] as const)("2.1 ANTHROPIC_BASE_URL=%s sends to %s", ([ANTHROPIC_BASE_URL, url]) =>
    Effect.gen(function* () {
      expect((yield* firstRequest({ ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL })).url).toBe(url)
    })
  )

  it.effect("1.1 an explicit base URL takes precedence, an undefined one does not", () =>
    Effect.gen(function* () {
      const environment = { ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: "https://gateway.example" }
      const explicit = yield* firstRequest(environment, { baseUrl: "https://own.example" })
      expect(explicit.url).toBe("https://own.example/v1/messages")
      const open = yield* firstRequest(environment, { baseUrl: undefined })
      expect(open.url).toBe("https://gateway.example/v1/messages")
    })
  )

  it.effect.each([
    { lines: "X-Team: search", sent: { "x-team": "search" } },
    { lines: "X-Team: a: b \n  x-Cost-Center :42\r\n", sent: { "x-team": "a: b", "x-cost-center": "42" } },
    { lines: "nothing\n\nX-Team:search\n: none", sent: { "x-team": "search" } },
    { lines: "anthropic-beta: a, b", sent: { "anthropic-beta": "a,b,c" } },
    { lines: "X-Own: environment", sent: { "x-own": "explicit" } }
  ])("4.1 ANTHROPIC_CUSTOM_HEADERS=$lines sends its lines", ({ lines, sent }) =>
    Effect.gen(function* () {
      const { headers } = yield* firstRequest(
        { ANTHROPIC_API_KEY, ANTHROPIC_CUSTOM_HEADERS: lines },
        { headers: { "x-own": "explicit" }, betas: ["c"] }
      )
      expect(headers).toMatchObject(sent)
    })
  )

  it.effect.each([
    { environment: {}, key: "apiKey" },
    { environment: { ANTHROPIC_API_KEY: "", ANTHROPIC_AUTH_TOKEN: "  " }, key: "apiKey" },
    { environment: { ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: "gateway" }, key: "baseUrl" },
    { environment: { ANTHROPIC_API_KEY, ANTHROPIC_CUSTOM_HEADERS: "x y: 1" }, key: "headers.x y" }
  ])("1.2 %j is an InvalidConfigError when the layer is built", ({ environment, key }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(firstRequest(environment))
      expect(error).toMatchObject({ _tag: "InvalidConfigError", key })
    })
  )

  it.effect.each(["Authorization: Bearer own", "x-api-key: own"])(
    "1.2 accepts a header as the credential: %s",
    (header) =>
      Effect.gen(function* () {
        const { headers } = yield* firstRequest({ ANTHROPIC_CUSTOM_HEADERS: header })
        expect([headers["authorization"], headers["x-api-key"]]).toContain(header.split(": ")[1])
      })
  )
})

describe("layer", () => {
  it.effect("1.2 names the missing settings, and reveals none that are set", () =>
    Effect.gen(function* () {
      const build = (options: AnthropicConfig.Options) =>
        Effect.flip(Effect.provide(Anthropic.make(options), MockTransport.layer([])))
      const missing = yield* build({})
      expect(missing).toBeInstanceOf(ApiConfig.InvalidConfigError)
      expect(missing.message).toContain("ANTHROPIC_AUTH_TOKEN")
      const wrong = yield* build({ apiKey: secret("sk-secret"), retry: { maxRetries: -1 } })
      expect(wrong).toMatchObject({ key: "retry.maxRetries" })
      expect(JSON.stringify(wrong)).not.toContain("sk-secret")
    })
  )

  it.effect.each([
    ["apiKey", "sk-plain", "authorization", "Bearer sk-plain"],
    ["authToken", " plain ", "authorization", "Bearer plain"]
  ] as const)("12.4 accepts a plain string as a secret from JavaScript: %s", ([name, value, header, sent]) =>
    Effect.gen(function* () {
      const { headers } = yield* firstRequest({}, { [name]: value as unknown as Redacted.Redacted })
      expect(headers[header]).toBe(sent)
    })
  )

  it.effect.each([
    ["apiKey", 5_318_008, "apiKey must be a Redacted or a string"],
    ["apiKey", Redacted.make({ sk: "s3cret" }), "apiKey must be a Redacted or a string"],
    ["authToken", Promise.resolve("s3cret"), "authToken must be a Redacted or a string"],
    // Unset variables.
    ["apiKey", Redacted.make(undefined), /^apiKey is missing/],
    ["apiKey", null, /^apiKey is missing/]
  ] as const)(
    "1.2 rejects a value that is not a secret, by the name of the setting: %s %s",
    ([name, value, message]) =>
      Effect.gen(function* () {
        const options = { [name]: value as unknown as Redacted.Redacted }
        const error = yield* Effect.flip(firstRequest({}, options))
        expect(error).toBeInstanceOf(ApiConfig.InvalidConfigError)
        expect(error.message).toMatch(message)
      })
  )

  it.effect.each<readonly [AnthropicConfig.Options, string]>([
    [{ apiKey: secret("key"), authToken: secret("token") }, "authToken"],
    [{ apiKey: secret("key"), authToken: secret("token"), apiKeyHeader: "authorization" }, "authToken"],
    [{ apiKey: secret("key"), credentials: Credentials.none }, "credentials"],
    [{ authToken: secret("token"), credentials: Credentials.none }, "credentials"],
    [{ apiKey: secret("key"), apiKeyHeader: "x-key" as "x-api-key" }, "apiKeyHeader"]
  ])("1.2 rejects credentials that exclude each other, by the name of the setting: %#", ([options, key]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(firstRequest({}, options))
      expect(error).toMatchObject({ _tag: "InvalidConfigError", key })
      expect(String(error)).not.toContain("token:")
    })
  )

  it.effect("1.4 withOptions moves the key to another header, and rejects what excludes each other", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json(message)], {
        apiKey: secret("key")
      })
      yield* anthropic.withOptions({ apiKeyHeader: "x-api-key" }).messages.create(params)
      const [request] = yield* transport.requests
      expect(request?.headers).toMatchObject({ "x-api-key": "key" })
      expect(request?.headers).not.toHaveProperty("authorization")
      const both = anthropic.withOptions({ apiKey: secret("a"), authToken: secret("b") })
      const error = yield* Effect.flip(both.messages.create(params))
      expect(error).toMatchObject({ _tag: "CredentialsError", cause: { key: "authToken" } })
      expect(yield* transport.requests).toHaveLength(1)
    })
  )

  it.effect("4.1 sends both a key and a token if the key has its own header", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json(message)], {
        apiKey: secret("key"),
        authToken: secret("token"),
        apiKeyHeader: "x-api-key",
        version: "2023-06-01",
        userAgent: "my-app/1"
      })
      yield* anthropic.messages.create(params)
      expect((yield* transport.requests)[0]?.headers).toMatchObject({
        "x-api-key": "key",
        authorization: "Bearer token",
        "anthropic-version": "2023-06-01",
        "user-agent": "my-app/1"
      })
    })
  )

  it("4.3 sends the version of the package", () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
    expect(AnthropicConfig.packageVersion).toBe(version)
  })
})
