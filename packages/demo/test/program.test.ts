import { expect, it, layer } from "@effect/vitest"
import { AnthropicApi, TestServer } from "@effect-api/testing"
import { ConfigProvider, Context, Effect, Layer, Logger } from "effect"
import { demo, type Reporter, sections } from "../src/program.js"
import type { Outcome } from "../src/Section.js"

const silent: Reporter = {
  start: () => Effect.void,
  section: () => Effect.void,
  write: () => Effect.void,
  outcome: () => Effect.void
}

const demoWith = (environment: Readonly<Record<string, string>>, reporter: Reporter = silent) =>
  demo(reporter).pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))),
    Effect.provide(Logger.remove(Logger.defaultLogger))
  )

class Shown extends Context.Tag("Shown")<
  Shown,
  { readonly outcomes: ReadonlyArray<Outcome>; readonly written: ReadonlyArray<string> }
>() {}

const localDemo = Effect.suspend(() => {
  const written: Array<string> = []
  const write = (text: string) => Effect.sync(() => void written.push(text))
  return Effect.map(demoWith({}, { ...silent, write }), (outcomes) => ({ outcomes, written }))
})

const shown: ReadonlyArray<readonly [title: string, section: string, lines: ReadonlyArray<RegExp>]> = [
  [
    "8.4 a message decodes, with its rate limits",
    "Create a message",
    [
      /^the model replied 'You said: Good morning!'$/,
      /^2 input tokens, 4 output tokens, stop reason end_turn$/,
      /^rate limit after req_0+2: 3998 of 4000 requests left$/
    ]
  ],
  [
    "10.2 a message streams as deltas, and is complete at the end",
    "Stream a message token by token",
    [
      /^9 text deltas within \d+ ms, printed as they arrived$/,
      /^accumulated 'You said: Tell me .* words\.', 9 output tokens$/
    ]
  ],
  [
    "tools run, the model gets their errors, and replies",
    "Run tools until the model is done",
    [
      /^message 1 calls weather\(\{"city":"Bern"\}\)$/,
      /^message 1 calls weather\(\{"city":"Atlantis"\}\)$/,
      /^message 2 replies 'The tools returned .*"temperature":21.* and there is no such city'$/
    ]
  ],
  [
    "6.2 a 529 is retried after the delay of its header",
    "Retry a 529 after the delay of its retry-after header",
    [/^attempt 1: 529 OverloadedError, retry-after: 0\.3$/, /^attempt 2: 200, after a delay of \d+ ms$/]
  ],
  [
    "7.1 a program recovers from an error by its tag",
    "Recover from an error by its tag",
    [/^NotFoundError: 404 model: no-such-model$/, /^type not_found_error, request id req_\d+$/]
  ],
  [
    "7.1 a program recovers from an OverloadedError",
    "Fall back to another model if one is overloaded",
    [/an OverloadedError \(529\)$/, /^claude-sonnet-5-5 replied instead$/]
  ],
  [
    "7.4 an invalid response has a path and an excerpt",
    "Reject a response that does not match its schema",
    [/at content\.0\.text$/, /^the body starts with \{"model":/]
  ],
  [
    "8.3 unknown blocks and values are accepted",
    "Accept blocks and values that are newer than the client",
    [/^blocks: hologram, text; stop reason: vanished$/, /as usual: 'Look!'$/]
  ],
  [
    "7.3 a timeout has its phase",
    "Limit the wait for a response",
    [/phase "response" after 100ms$/, /"maybe-applied"/]
  ],
  ["6.1 an interruption closes the socket", "Interrupt a request", [/^interrupted/, /^the client closed/]],
  [
    "6.6 an error has all its attempts",
    "See all attempts of a failed call",
    [
      /^InternalServerError: 500 out of order$/,
      /^#\s+started\s+took\s+outcome\s+then$/,
      /^1\s+\+0 ms\s+\d+ ms\s+503 ServiceUnavailableError\s+waited 100 ms$/,
      /^2\s+\+\d+ ms\s+\d+ ms\s+ConnectionError\s+waited \d+ ms$/,
      /^3\s+\+\d+ ms\s+\d+ ms\s+500 InternalServerError\s+stopped by: attempts$/
    ]
  ],
  [
    "10.3 a stream that ends before its terminal event fails",
    "Detect a truncated stream",
    [/^StreamTruncatedError: .*after 5 events$/, /^the program got the 5 events .*: 'Once upon a'$/]
  ],
  [
    "10.4 an error in a stream has its own tag, and the request id",
    "Handle an error in the middle of a stream",
    [/^OverloadedError: .*Overloaded \(req_\d+\)$/, /not-replayable$/]
  ],
  [
    "11.1 a list gives pages and items",
    "List models page by page",
    [
      /^page 1: claude-opus-5-5, claude-sonnet-5-5$/,
      /^page 2: claude-haiku-5-5, claude-opus-5$/,
      /^page 3: claude-sonnet-5$/,
      /^all items: claude-opus-5-5, claude-sonnet-5-5, claude-haiku-5-5, claude-opus-5, claude-sonnet-5$/
    ]
  ],
  [
    "10.2 the results of a batch are a stream, each with its id",
    "Process a batch",
    [
      /^the batch ended: 2 succeeded, 1 errored$/,
      /^one: 'Bonjour!'$/,
      /^three: 'You said: Good/,
      /^two: errored, api_error$/
    ]
  ],
  [
    "5.2 a file is uploaded as a form, and downloaded as bytes",
    "Upload and download files",
    [
      /^uploaded greeting\.txt: 22 bytes of text\/plain$/,
      /^deleted it: .* a NotFoundError$/,
      /^downloaded a file that a tool created: 'Good morning, Zürich!'$/
    ]
  ],
  [
    "7.5 your own request has your class and your error",
    "Send your own request on the same client",
    [/your class Model: claude-haiku-5-5$/, /your error ModelMissing: model: no-such-model$/]
  ],
  [
    "12.4 a secret is redacted in the URL and in the response",
    "Keep a secret out of a printed error",
    [/\?invitation=<redacted>$/, /404 invalid invitation <redacted>$/]
  ],
  [
    "7.1 a promise rejects with the typed error",
    "Use promises instead of Effect",
    [
      /OverloadedError: 529 Overloaded$/,
      /'You said: Is anybody there\?'$/,
      /\[ 'You', ' said:', ' And', ' now,', ' streaming' \], 5 output tokens$/
    ]
  ]
]

layer(Layer.effect(Shown, localDemo), { excludeTestServices: true })("the demo on the local API", (it) => {
  for (const [title, section, lines] of shown) {
    it.effect(title, () =>
      Effect.map(Shown, ({ outcomes }) => {
        const outcome = outcomes.find((outcome) => outcome.title === section)
        expect(outcome?.result, outcome?.lines.join("\n")).toBe("shown")
        expect(outcome?.lines).toEqual(lines.map((line) => expect.stringMatching(line)))
      })
    )
  }

  it.effect("10.2 streamed text is written as it arrives", () =>
    Effect.map(Shown, ({ written }) => {
      const deltas = ["You", " said:", " Tell", " me", " a", " story", " in", " six", " words."]
      expect(written).toEqual(["  ", ...deltas, "\n"])
    })
  )

  it.effect("every section is asserted", () =>
    Effect.map(Shown, ({ outcomes }) => {
      expect(outcomes.map(({ title }) => title)).toEqual(sections.map(({ title }) => title))
      expect(outcomes.map(({ title }) => title)).toEqual(shown.map(([, section]) => section))
    })
  )
})

const named = (outcomes: ReadonlyArray<Outcome>, result: Outcome["result"]) =>
  outcomes.flatMap((outcome) => (outcome.result === result ? [outcome.title] : []))

const onTheRealApi = [
  "Create a message",
  "Stream a message token by token",
  "Run tools until the model is done",
  "Recover from an error by its tag",
  "List models page by page",
  "Upload and download files",
  "Send your own request on the same client",
  "Keep a secret out of a printed error"
]

/** A stand-in for a real model. */
const realModel: AnthropicApi.Step = ({ text }) =>
  text.includes("Use the tool")
    ? AnthropicApi.response(AnthropicApi.toolUse("weather", { city: "Bern" }))
    : `Quite so: ${text}`

it.scopedLive("1.1 with a key, the demo uses its API and the chosen model, and leaves out faults", () =>
  Effect.gen(function* () {
    const api = yield* AnthropicApi.make({
      script: realModel,
      apiKeys: ["key-of-the-test"],
      models: ["chosen", "other"]
    })
    const printed: Array<string> = []
    const print = (text: string) => Effect.sync(() => void printed.push(text))
    const outcomes = yield* demoWith(
      {
        ANTHROPIC_API_KEY: "key-of-the-test",
        ANTHROPIC_BASE_URL: `${api.url}?token=password`,
        ANTHROPIC_MODEL: "chosen"
      },
      { ...silent, start: print, outcome: ({ lines }) => print(lines.join("\n")) }
    )
    expect(outcomes.filter(({ result }) => result === "failed")).toEqual([])
    expect(named(outcomes, "shown")).toEqual(onTheRealApi)
    expect(outcomes.find(({ title }) => title === "Process a batch")?.lines).toEqual([
      "left out: it may take a day"
    ])
    expect(printed[0]).toBe(api.url)
    expect(printed.join("\n")).not.toMatch(/key-of-the-test|password/)
    const seen = yield* api.requests
    expect(new Set(seen.map(({ headers }) => headers["authorization"]))).toEqual(
      new Set(["Bearer key-of-the-test"])
    )
    const models = seen
      .filter(({ path }) => path === "/v1/messages")
      .map(({ json }) => (json as { readonly model: string }).model)
    expect(new Set(models)).toEqual(new Set(["chosen", "no-such-model"]))
  })
)

it.scopedLive("a section fails if a call does not behave as expected", () =>
  Effect.gen(function* () {
    const server = yield* TestServer.make(TestServer.json({}, { status: 403 }))
    const outcomes = yield* demoWith({ ANTHROPIC_API_KEY: "key", ANTHROPIC_BASE_URL: server.url })
    const failed = outcomes.filter(({ result }) => result === "failed")
    expect(failed.map(({ title }) => title)).toEqual(
      onTheRealApi.filter((title) => title !== "Keep a secret out of a printed error")
    )
    expect(failed[0]?.lines[0]).toMatch(/^PermissionDeniedError: 403/)
  })
)

it.scopedLive("1.1 with a blank key, the demo uses the local API", () =>
  Effect.gen(function* () {
    const urls: Array<string> = []
    yield* demoWith(
      { ANTHROPIC_API_KEY: " ", ANTHROPIC_BASE_URL: "http://192.0.2.1" },
      { ...silent, start: (url) => Effect.sync(() => void urls.push(url)), section: () => Effect.interrupt }
    ).pipe(Effect.exit)
    expect(urls).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)])
  })
)
