import { expect, it, layer } from "@effect/vitest"
import { TestServer } from "@effect-api/testing"
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
    "8.4 a typed request gives values of its schemas",
    "A typed request",
    [
      /ModelList: demo-large, demo-small, demo-mini, demo-nano, demo-old$/,
      /Message: 'You said: Good morning!', 4 tokens$/
    ]
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
  ],
  [
    "10.2 an answer is told piece by piece, to its terminal event",
    "A streamed answer, token by token",
    [/^9 pieces, .* over \d+ ms; over at message_stop$/]
  ],
  [
    "10.3 a stream that ends before its terminal event is no success",
    "A stream that is cut off",
    [/^StreamTruncatedError: .*after 4 events$/, /^the 4 events .*: 'Once upon a'$/]
  ],
  [
    "10.4 an error inside a stream has its own tag, its request id kept",
    "An error in the middle of a stream",
    [/^OverloadedError: .*too many users \(req_1\)$/, /not-replayable$/]
  ],
  [
    "11.1 pages are walked to the last, and their items with them",
    "A walk over pages",
    [
      /^page 1: demo-large, demo-small$/,
      /^page 2: demo-mini, demo-nano$/,
      /^page 3: demo-old$/,
      /^as items: demo-large, demo-small, demo-mini, demo-nano, demo-old$/
    ]
  ],
  [
    "7.1 a promise rejects with the error itself",
    "Plain async code",
    [
      /OverloadedError: 529 too many users$/,
      /'You said: Anybody there\?'$/,
      /\[ 'You', ' said:', ' And', ' now', ' in', ' pieces' \]$/
    ]
  ]
]

layer(Layer.effect(Shown, demoOfItsOwn), { excludeTestServices: true })("the demo's own server", (it) => {
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

const answer = {
  id: "msg_2",
  model: "other",
  content: [{ type: "text", text: "Hello" }],
  usage: { input_tokens: 1, output_tokens: 1 }
}

const streamed = [
  { type: "message_start", message: answer },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } },
  { type: "message_stop" }
].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)

const otherServer = (messages: TestServer.Handler) =>
  TestServer.make({
    "GET /v1/models": TestServer.json({ data: [{ id: "other" }] }),
    "POST /v1/messages": messages,
    "*": TestServer.json({ error: { message: "unknown" } }, { status: 404 })
  })

const named = (outcomes: ReadonlyArray<Outcome>, result: Outcome["result"]) =>
  outcomes.flatMap((outcome) => (outcome.result === result ? [outcome.title] : []))

it.scopedLive("1.1 another server: the key goes along, sections that need a fault are left out", () =>
  Effect.gen(function* () {
    const server = yield* otherServer(({ text }) =>
      text.includes('"stream":true')
        ? TestServer.chunks(streamed, { headers: { "content-type": "text/event-stream" } })
        : TestServer.json(answer)
    )
    const urls: Array<string> = []
    const outcomes = yield* demoWith(
      { API_BASE_URL: server.url, API_KEY: "key-of-the-test" },
      { ...nobody, server: (url) => Effect.sync(() => void urls.push(url)) }
    )
    expect(urls).toEqual([server.url])
    expect(named(outcomes, "failed")).toEqual([])
    expect(named(outcomes, "shown")).toEqual([
      "A typed request",
      "An error of one's own, recovered by its tag",
      "A secret in an error that is printed",
      "A streamed answer, token by token",
      "A walk over pages"
    ])
    const seen = yield* server.requests
    expect(seen.map(({ method, url }) => `${method} ${url.split("?invitation")[0]}`)).toEqual([
      "GET /v1/models",
      "POST /v1/messages",
      "GET /v1/models/no-such-model",
      "GET /v1/models/no-such-model",
      "GET /v1/models",
      "POST /v1/messages",
      "GET /v1/models?limit=2",
      "GET /v1/models?limit=2"
    ])
    expect(new Set(seen.map(({ headers }) => headers["x-api-key"]))).toEqual(new Set(["key-of-the-test"]))
    expect(seen[1]?.json).toEqual({
      model: "other",
      messages: [{ role: "user", content: "Good morning!" }],
      max_tokens: 64
    })
  })
)

it.scopedLive("10.1 another server that does not stream: the section is left out, and says why", () =>
  Effect.gen(function* () {
    const server = yield* otherServer(TestServer.json(answer))
    const outcomes = yield* demoWith({ API_BASE_URL: server.url })
    expect(named(outcomes, "failed")).toEqual([])
    const outcome = outcomes.find(({ title }) => title === "A streamed answer, token by token")
    expect(outcome?.result).toBe("left out")
    expect(outcome?.lines[0]).toMatch(/^left out: the answer is application\/json, not text\/event-stream/)
  })
)

it.scopedLive("a section that does not show what it must has failed", () =>
  Effect.gen(function* () {
    const server = yield* TestServer.make(TestServer.json({}, { status: 403 }))
    const outcomes = yield* demoWith({ API_BASE_URL: server.url })
    const failed = outcomes.filter(({ result }) => result === "failed")
    expect(failed.map(({ title }) => title)).toEqual([
      "A typed request",
      "An error of one's own, recovered by its tag",
      "A streamed answer, token by token",
      "A walk over pages"
    ])
    expect(failed[0]?.lines[0]).toMatch(/^PermissionDeniedError: 403/)
  })
)
