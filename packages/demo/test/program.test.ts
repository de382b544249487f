import { expect, it, layer } from "@effect/vitest"
import { AnthropicApi, TestServer } from "@effect-api/testing"
import { ConfigProvider, Context, Effect, Layer, Logger } from "effect"
import { type Audience, demo, sections } from "../src/program.js"
import type { Outcome } from "../src/Section.js"

const nobody: Audience = {
  server: () => Effect.void,
  begins: () => Effect.void,
  ended: () => Effect.void,
  writes: () => Effect.void
}

const demoWith = (environment: Readonly<Record<string, string>>, tell: Audience = nobody) =>
  demo(tell).pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))),
    Effect.provide(Logger.remove(Logger.defaultLogger))
  )

class Shown extends Context.Tag("Shown")<
  Shown,
  { readonly outcomes: ReadonlyArray<Outcome>; readonly written: ReadonlyArray<string> }
>() {}

const demoOfItsOwn = Effect.suspend(() => {
  const written: Array<string> = []
  const writes = (text: string) => Effect.sync(() => void written.push(text))
  return Effect.map(demoWith({}, { ...nobody, writes }), (outcomes) => ({ outcomes, written }))
})

const shown: ReadonlyArray<readonly [title: string, section: string, lines: ReadonlyArray<RegExp>]> = [
  [
    "8.4 a message is a value of its schema, with the limits beside it",
    "A message",
    [
      /^create gives a Message: 'You said: Good morning!'$/,
      /^2 tokens in, 4 out, over for end_turn$/,
      /^left after req_0+2: 3998 of 4000 requests$/
    ]
  ],
  [
    "10.2 an answer is told piece by piece, and is the whole message at its end",
    "A streamed answer, token by token",
    [/^9 pieces, written as they came, over \d+ ms$/, /^together: 'You said: Tell me .* words\.', 9 tokens$/]
  ],
  [
    "tools run, what goes wrong with them is told, and the model answers",
    "Tools, run until the answer is there",
    [
      /^message 1 calls weather\(\{"city":"Bern"\}\)$/,
      /^message 1 calls weather\(\{"city":"Atlantis"\}\)$/,
      /^message 2 says 'I was told: .*"temperature":21.*, and: there is no such city'$/
    ]
  ],
  [
    "6.2 a 529 is asked again after as long as its header says",
    "A 529 that says when to come back",
    [
      /^answered 529 \(OverloadedError\) with retry-after: 0\.3$/,
      /^waited \d+ ms, asked again, answered 200$/
    ]
  ],
  [
    "7.1 an error is recovered by its tag, with its type and its request id",
    "An error, recovered by its tag",
    [
      /^404 is a NotFoundError: 404 model: no-such-model$/,
      /^its type is not_found_error, its request req_\d+$/
    ]
  ],
  [
    "7.1 a 529 is an OverloadedError to recover from",
    "An overloaded model, replaced by another",
    [/529, an OverloadedError/, /^claude-sonnet-5-5 answers/]
  ],
  [
    "7.4 a misfit tells its path and the start of the body",
    "An answer that does not fit its schema",
    [/at content\.0\.text$/, /^the answer began: \{"model":/]
  ],
  [
    "8.3 kinds that are not known yet are let through",
    "An answer of an API that has moved on",
    [/^blocks: hologram, text; over for vanished$/, /as it was: Look!$/]
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
    "10.3 a stream that ends before its terminal event is no success",
    "A stream that is cut off",
    [/^StreamTruncatedError: .*after 5 events$/, /^the 5 events .*: 'Once upon a'$/]
  ],
  [
    "10.4 an error inside a stream has its own tag, its request id kept",
    "An error in the middle of a stream",
    [/^OverloadedError: .*Overloaded \(req_\d+\)$/, /not-replayable$/]
  ],
  [
    "11.1 pages are walked, and their items with them",
    "A walk over pages",
    [
      /^page 1: claude-opus-5-5, claude-sonnet-5-5$/,
      /^page 2: claude-haiku-5-5, claude-opus-5$/,
      /^page 3: claude-sonnet-5$/,
      /^as items: claude-opus-5-5, claude-sonnet-5-5, claude-haiku-5-5, claude-opus-5, claude-sonnet-5$/
    ]
  ],
  [
    "10.2 the results of a batch are a stream, each known by its name",
    "A batch and its results",
    [
      /^ended: 2 succeeded, 1 errored$/,
      /^one: 'Bonjour!'$/,
      /^three: 'You said: Good/,
      /^two: errored, api_error$/
    ]
  ],
  [
    "5.2 a file is uploaded as a form, and downloaded as bytes",
    "Files",
    [
      /^uploaded greeting\.txt: 22 bytes of text\/plain$/,
      /^deleted, and so the next retrieve is a NotFoundError$/,
      /^downloaded what a tool has made: 'Good morning, Zürich!'$/
    ]
  ],
  [
    "7.5 a request of one's own has its own class and its own error",
    "A request of one's own, on the same client",
    [/class of our own: claude-haiku-5-5$/, /error of our own: ModelMissing, model: no-such-model$/]
  ],
  [
    "12.4 a secret is hidden in the URL and in what the server says back",
    "A secret in an error that is printed",
    [/\?invitation=<redacted>$/, /404 no model for the invitation <redacted>$/]
  ],
  [
    "7.1 a promise rejects with the error itself",
    "Plain async code",
    [
      /OverloadedError: 529 Overloaded$/,
      /'You said: Anybody there\?'$/,
      /\[ 'You', ' said:', ' And', ' now', ' in', ' pieces' \], 6 tokens in all$/
    ]
  ]
]

layer(Layer.effect(Shown, demoOfItsOwn), { excludeTestServices: true })("the demo's own API", (it) => {
  for (const [title, section, lines] of shown) {
    it.effect(title, () =>
      Effect.map(Shown, ({ outcomes }) => {
        const outcome = outcomes.find((outcome) => outcome.title === section)
        expect(outcome?.result, outcome?.lines.join("\n")).toBe("shown")
        expect(outcome?.lines).toEqual(lines.map((line) => expect.stringMatching(line)))
      })
    )
  }

  it.effect("10.2 a streamed answer is written as it comes", () =>
    Effect.map(Shown, ({ written }) => {
      const pieces = ["You", " said:", " Tell", " me", " a", " story", " in", " six", " words."]
      expect(written).toEqual(["  ", ...pieces, "\n"])
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
  "A message",
  "A streamed answer, token by token",
  "Tools, run until the answer is there",
  "An error, recovered by its tag",
  "A walk over pages",
  "Files",
  "A request of one's own, on the same client",
  "A secret in an error that is printed"
]

/** What a real model would make of the questions, as far as it matters. */
const asked: AnthropicApi.Step = ({ text }) =>
  text.includes("Ask the tool")
    ? AnthropicApi.response(AnthropicApi.toolUse("weather", { city: "Bern" }))
    : `Quite so: ${text}`

it.scopedLive("1.1 with a key: on the API it is for, the model chosen, what needs a fault left out", () =>
  Effect.gen(function* () {
    const api = yield* AnthropicApi.make({
      script: asked,
      apiKeys: ["key-of-the-test"],
      models: ["chosen", "other"]
    })
    const told: Array<string> = []
    const tell = (text: string) => Effect.sync(() => void told.push(text))
    const outcomes = yield* demoWith(
      {
        ANTHROPIC_API_KEY: "key-of-the-test",
        ANTHROPIC_BASE_URL: `${api.url}?token=password`,
        ANTHROPIC_MODEL: "chosen"
      },
      { ...nobody, server: tell, ended: ({ lines }) => tell(lines.join("\n")) }
    )
    expect(outcomes.filter(({ result }) => result === "failed")).toEqual([])
    expect(named(outcomes, "shown")).toEqual(onTheRealApi)
    expect(outcomes.find(({ title }) => title === "A batch and its results")?.lines).toEqual([
      "left out: it may take a day"
    ])
    expect(told[0]).toBe(api.url)
    expect(told.join("\n")).not.toMatch(/key-of-the-test|password/)
    const seen = yield* api.requests
    expect(new Set(seen.map(({ headers }) => headers["x-api-key"]))).toEqual(new Set(["key-of-the-test"]))
    const models = seen
      .filter(({ path }) => path === "/v1/messages")
      .map(({ json }) => (json as { readonly model: string }).model)
    expect(new Set(models)).toEqual(new Set(["chosen", "no-such-model"]))
  })
)

it.scopedLive("a section that does not show what it must has failed", () =>
  Effect.gen(function* () {
    const server = yield* TestServer.make(TestServer.json({}, { status: 403 }))
    const outcomes = yield* demoWith({ ANTHROPIC_API_KEY: "key", ANTHROPIC_BASE_URL: server.url })
    const failed = outcomes.filter(({ result }) => result === "failed")
    expect(failed.map(({ title }) => title)).toEqual(
      onTheRealApi.filter((title) => title !== "A secret in an error that is printed")
    )
    expect(failed[0]?.lines[0]).toMatch(/^PermissionDeniedError: 403/)
  })
)

it.scopedLive("1.1 a blank key is none: the demo is on its own API", () =>
  Effect.gen(function* () {
    const urls: Array<string> = []
    yield* demoWith(
      { ANTHROPIC_API_KEY: " ", ANTHROPIC_BASE_URL: "http://192.0.2.1" },
      { ...nobody, server: (url) => Effect.sync(() => void urls.push(url)), begins: () => Effect.interrupt }
    ).pipe(Effect.exit)
    expect(urls).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)])
  })
)
