import { expect, it, layer } from "@effect/vitest"
import { TestServer } from "@effect-api/testing"
import { ConfigProvider, Context, Effect, Layer, Logger } from "effect"
import { type Audience, demo, sections } from "../src/program.js"
import type { Outcome } from "../src/Section.js"

const nobody: Audience = {
  server: () => Effect.void,
  begins: () => Effect.void,
  ended: () => Effect.void
}

const demoWith = (environment: Readonly<Record<string, string>>, tell: Audience = nobody) =>
  demo(tell).pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))),
    Effect.provide(Logger.remove(Logger.defaultLogger))
  )

class Outcomes extends Context.Tag("Outcomes")<Outcomes, ReadonlyArray<Outcome>>() {}

const shown: ReadonlyArray<readonly [title: string, section: string, lines: ReadonlyArray<RegExp>]> = [
  [
    "8.4 a typed request gives values of its schemas",
    "A typed request",
    [/ModelList: demo-large, demo-small$/, /Message: 'You said: Good morning!', 4 tokens$/]
  ],
  [
    "6.2 a 429 is asked again after as long as its header says",
    "A 429 that says when to come back",
    [
      /^answered 429 \(RateLimitError\) with retry-after-ms: 300$/,
      /^waited \d+ ms, asked again, answered 200$/
    ]
  ],
  [
    "7.5 a 404 is the caller's own error, its message from the body",
    "An error of one's own, recovered by its tag",
    [/^404 is a ModelMissing.*: no model at \/v1\/models\/no-such-model$/, /caught/]
  ],
  [
    "7.1 a 529 is an OverloadedError to recover from",
    "An overloaded model, replaced by another",
    [/529, an OverloadedError/, /^demo-small answers/]
  ],
  [
    "7.4 a misfit tells its path and the start of the body",
    "An answer that does not fit its schema",
    [/at content\.0\.text$/, /"text":42/]
  ],
  ["7.3 a timeout tells its phase", "A timeout", [/phase "response" after 100ms$/, /"maybe-applied"$/]],
  ["6.1 an interruption closes the socket", "An interruption", [/^interrupted/, /saw the client close/]],
  [
    "6.6 an error carries the ledger of its attempts",
    "The ledger of attempts",
    [
      /^InternalServerError: 500 out of order$/,
      /^#\s+started\s+took\s+answer\s+then$/,
      /^1\s+\+0 ms\s+\d+ ms\s+503 ServiceUnavailableError\s+waited 100 ms$/,
      /^2\s+\+\d+ ms\s+\d+ ms\s+ConnectionError\s+waited \d+ ms$/,
      /^3\s+\+\d+ ms\s+\d+ ms\s+500 InternalServerError\s+stopped by: attempts$/
    ]
  ],
  [
    "12.4 a secret is hidden in the URL and in what the server says back",
    "A secret in an error that is printed",
    [/\?invitation=<redacted>$/, /404 no model at .*invitation=<redacted>$/]
  ]
]

layer(Layer.effect(Outcomes, demoWith({})), { excludeTestServices: true })("the demo's own server", (it) => {
  for (const [title, section, lines] of shown) {
    it.effect(title, () =>
      Effect.map(Outcomes, (outcomes) => {
        const outcome = outcomes.find((outcome) => outcome.title === section)
        expect(outcome?.result, outcome?.lines.join("\n")).toBe("shown")
        expect(outcome?.lines).toEqual(lines.map((line) => expect.stringMatching(line)))
      })
    )
  }

  it.effect("every section is asserted", () =>
    Effect.map(Outcomes, (outcomes) => {
      expect(outcomes.map(({ title }) => title)).toEqual(sections.map(({ title }) => title))
      expect(outcomes.map(({ title }) => title)).toEqual(shown.map(([, section]) => section))
    })
  )
})

it.scopedLive("1.1 another server: the key goes along, sections that need a fault are left out", () =>
  Effect.gen(function* () {
    const server = yield* TestServer.make({
      "GET /v1/models": TestServer.json({ data: [{ id: "other" }] }),
      "POST /v1/messages": TestServer.json({
        id: "msg_2",
        model: "other",
        content: [{ type: "text", text: "Hello" }],
        usage: { input_tokens: 1, output_tokens: 1 }
      }),
      "*": TestServer.json({ error: { message: "unknown" } }, { status: 404 })
    })
    const urls: Array<string> = []
    const outcomes = yield* demoWith(
      { API_BASE_URL: server.url, API_KEY: "key-of-the-test" },
      { ...nobody, server: (url) => Effect.sync(() => void urls.push(url)) }
    )
    expect(urls).toEqual([server.url])
    const named = (result: Outcome["result"]) =>
      outcomes.flatMap((outcome) => (outcome.result === result ? [outcome.title] : []))
    expect(named("failed")).toEqual([])
    expect(named("shown")).toEqual([
      "A typed request",
      "An error of one's own, recovered by its tag",
      "A secret in an error that is printed"
    ])
    const seen = yield* server.requests
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /v1/models",
      "POST /v1/messages",
      "GET /v1/models/no-such-model",
      "GET /v1/models/no-such-model"
    ])
    expect(new Set(seen.map(({ headers }) => headers["x-api-key"]))).toEqual(new Set(["key-of-the-test"]))
    expect(seen[1]?.json).toEqual({
      model: "other",
      messages: [{ role: "user", content: "Good morning!" }],
      max_tokens: 64
    })
  })
)

it.scopedLive("a section that does not show what it must has failed", () =>
  Effect.gen(function* () {
    const server = yield* TestServer.make(TestServer.json({}, { status: 403 }))
    const outcomes = yield* demoWith({ API_BASE_URL: server.url })
    const failed = outcomes.filter(({ result }) => result === "failed")
    expect(failed.map(({ title }) => title)).toEqual([
      "A typed request",
      "An error of one's own, recovered by its tag"
    ])
    expect(failed[0]?.lines[0]).toMatch(/^PermissionDeniedError: 403/)
  })
)
