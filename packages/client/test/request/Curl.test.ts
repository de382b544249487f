import { execFileSync } from "node:child_process"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, Credentials, Curl } from "@effect-api/client"
import { Effect, Redacted } from "effect"
import { scripted } from "../fixtures/requests.js"

const curl = (
  request: ApiRequest.ApiRequest<unknown>,
  credentials: Credentials.Credentials = Credentials.none
) =>
  Effect.gen(function* () {
    const { client, transport } = yield* scripted([], { credentials, userAgent: "me" })
    const command = yield* Curl.command(client, request)
    expect(yield* transport.requestCount).toBe(0)
    return command
  })

const secret = "hunter2-secret"

describe("Curl.command", () => {
  it.effect.each([
    [
      "a GET",
      ApiRequest.get("/x", { query: { q: "a b" } }),
      "curl -X GET 'https://api.test/v1/x?q=a%20b' \\\n  -H 'user-agent: me' \\\n  -H 'accept: application/json'"
    ],
    [
      "JSON",
      ApiRequest.post("/x", { body: { a: "it's" } }),
      "curl -X POST 'https://api.test/v1/x' \\\n  -H 'user-agent: me' \\\n  -H 'accept: application/json' \\\n  -H 'content-type: application/json' \\\n  --data-raw '{\"a\":\"it'\\''s\"}'"
    ],
    [
      "bytes that are no text",
      ApiRequest.put("/x", { bytes: new Uint8Array([255, 0]) }),
      "curl -X PUT 'https://api.test/v1/x' \\\n  -H 'user-agent: me' \\\n  -H 'accept: application/json' \\\n  -H 'content-type: application/octet-stream' \\\n  --data-binary @-"
    ]
  ] as const)("12.8 shows %s", ([, request, command]) =>
    Effect.gen(function* () {
      expect(yield* curl(request)).toBe(command)
    })
  )

  it.effect.each([
    ["a path", ApiRequest.get("/u/{id}", { path: { id: Redacted.make(secret) } })],
    ["a query", ApiRequest.get("/x", { query: { q: Redacted.make(secret) } })],
    ["a header", ApiRequest.get("/x", { headers: { "x-a": Redacted.make(secret) } })],
    ["JSON", ApiRequest.post("/x", { body: { key: Redacted.make(secret) } })],
    ["a form", ApiRequest.post("/x", { form: { key: Redacted.make(secret) } })],
    [
      "a text",
      ApiRequest.post("/x", { text: `the key is ${secret}`, headers: { "x-a": Redacted.make(secret) } })
    ]
  ] as const)("12.8 hides a secret in %s", ([, request]) =>
    Effect.gen(function* () {
      const command = yield* curl(request)
      expect(command).not.toContain(secret)
      expect(command).toContain("redacted")
    })
  )

  it.effect("12.8 names the header of a key, and fetches no token", () =>
    Effect.gen(function* () {
      expect(yield* curl(ApiRequest.get("/x"), Credentials.header("x-key", Redacted.make(secret)))).toContain(
        "-H 'x-key: <redacted>'"
      )
      const fetched = Credentials.cached({ fetch: Effect.die("a token was fetched") })
      expect(yield* curl(ApiRequest.get("/x"), fetched)).not.toContain("authorization")
    })
  )

  it.effect("12.8 a shell reads each word as it is", () =>
    Effect.gen(function* () {
      const text = "a'b\"$(id)`id`\\ \n!;&|<>*?~#"
      const command = yield* curl(ApiRequest.post("/x", { text, headers: { "x-odd": "$HOME 'x'" } }))
      const words = execFileSync("sh", ["-c", command.replace("curl", "printf '%s\\0'")])
        .toString()
        .split("\0")
      expect(words).toContain(text)
      expect(words).toContain("x-odd: $HOME 'x'")
    })
  )

  it.effect("1.2 a request that cannot be sent has no command", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(curl(ApiRequest.get("/x", { headers: { "x-a": "\n" } })))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "headers.x-a" })
    })
  )
})
