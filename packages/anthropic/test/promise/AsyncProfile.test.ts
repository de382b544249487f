import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { HttpClient } from "@effect/platform"
import { ApiConfig } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Layer } from "effect"
import { afterEach, beforeEach, expect, it } from "vitest"
import { AnthropicPromise, AsyncProfile } from "../../src/index.js"
import { message } from "../fixtures/responses.js"

const hello = {
  model: "claude-sonnet-5-5",
  max_tokens: 64,
  messages: [{ role: "user", content: "Hello" }]
} as const

let configDir = ""

beforeEach(async () => {
  configDir = await fs.mkdtemp(join(tmpdir(), "profiles-"))
  await fs.mkdir(join(configDir, "configs"))
  await fs.mkdir(join(configDir, "credentials"))
})

afterEach(() => fs.rm(configDir, { recursive: true }))

const write = (name: string, content: object) =>
  fs.writeFile(join(configDir, name), JSON.stringify(content), { mode: 0o600 })

it("a profile gives the settings of a promise client, and its tokens are refreshed", async () => {
  await write("configs/work.json", { authentication: { type: "user_oauth", client_id: "app" } })
  await write("credentials/work.json", { access_token: "at1", expires_at: 1, refresh_token: "rt1" })
  const mock = Effect.runSync(
    MockTransport.make([
      MockTransport.json({ access_token: "at2", expires_in: 3600, refresh_token: "rt2" }),
      MockTransport.json(message)
    ])
  )
  const transport = Layer.succeed(HttpClient.HttpClient, mock.client)
  const settings = await AsyncProfile.load({ fs, profile: "work", configDir, transport })
  const anthropic = AnthropicPromise.make({ ...settings, transport })
  await anthropic.messages.create(hello)
  const requests = Effect.runSync(mock.requests)
  expect(requests.map(({ headers, url }) => [new URL(url).pathname, headers["authorization"]])).toEqual([
    ["/v1/oauth/token", undefined],
    ["/v1/messages", "Bearer at2"]
  ])
  await anthropic.close()
})

it("a profile that cannot be used rejects with an error that names its field", async () => {
  await write("configs/default.json", { authentication: { type: "magic" } })
  const error = await AsyncProfile.load({ fs, profile: "default", configDir }).catch(
    (error: unknown) => error
  )
  expect(error).toBeInstanceOf(ApiConfig.InvalidConfigError)
  expect(error).toMatchObject({ key: "authentication.type" })
})
