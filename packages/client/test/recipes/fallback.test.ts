import { describe, expect, it } from "@effect/vitest"
import { MockTransport } from "@effect-api/testing"
import { Effect, Stream } from "effect"
import { advancing } from "../fixtures/advancing.js"
import { answer, answerInParts } from "./fallback.js"

const places = ["eu.api.test", "us.api.test", "other.test"]

/** What each place responds, in the order of the plan. */
const by =
  (...steps: ReadonlyArray<MockTransport.MockStep>): MockTransport.Script =>
  ({ url }) =>
    steps[places.indexOf(new URL(url).host)] ?? MockTransport.empty(500)

const hello = MockTransport.json({ text: "hello" })

const events = (...parts: ReadonlyArray<MockTransport.BodyPart>) =>
  MockTransport.stream(parts, { headers: { "content-type": "text/event-stream" } })

const part = (text: string) => `data: ${JSON.stringify({ text })}\n\n`

const whole = events(part("a"), part("b"), "data: [DONE]\n\n")

/** How a program ends, and the places and models that it called. */
const run = <A, E extends { readonly _tag: string }, R>(program: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const end = Effect.match(program, {
      onSuccess: (value) => JSON.stringify(value),
      onFailure: ({ _tag }) => _tag
    })
    const ended = yield* advancing(end)
    const { requests } = yield* MockTransport.MockTransport
    const called = (yield* requests).map(({ text, url }) => `${new URL(url).host} ${JSON.parse(text).model}`)
    return { end: ended, called }
  })

const eu = "eu.api.test large"
const us = "us.api.test large"
const other = "other.test small"

describe("a fallback goes on to the next place", () => {
  const cases: ReadonlyArray<readonly [string, MockTransport.Script, ReadonlyArray<string>, string]> = [
    ["not if the first responds", by(hello), [eu], '{"text":"hello"}'],
    [
      "if one is overloaded, once its own retries are spent",
      by(MockTransport.empty(529), hello),
      [eu, eu, us],
      '{"text":"hello"}'
    ],
    [
      "and on, up to the last",
      by(MockTransport.empty(503), MockTransport.connectionError({ code: "ECONNREFUSED" }), hello),
      [eu, eu, us, us, other],
      '{"text":"hello"}'
    ],
    ["not if the key is wrong", by(MockTransport.empty(401), hello), [eu], "AuthenticationError"],
    ["not if the request is wrong", by(MockTransport.empty(400), hello), [eu], "BadRequestError"],
    [
      "and stops where another error comes",
      by(MockTransport.empty(529), MockTransport.empty(403), hello),
      [eu, eu, us],
      "PermissionDeniedError"
    ],
    [
      "and fails with the last error if none can",
      by(MockTransport.empty(529), MockTransport.empty(529), MockTransport.empty(500)),
      [eu, eu, us, us, other, other],
      "InternalServerError"
    ]
  ]
  for (const [name, script, places, end] of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        expect(yield* run(answer("why?"))).toEqual({ end, called: places })
      }).pipe(Effect.provide(MockTransport.layer(script)))
    )
  }
})

describe("a fallback of a stream", () => {
  const cases: ReadonlyArray<
    readonly [string, MockTransport.Script, ReadonlyArray<string>, ReadonlyArray<string>, string]
  > = [
    [
      "goes on before the first part",
      by(MockTransport.empty(529), whole),
      [eu, eu, us],
      ["a", "b"],
      '"done"'
    ],
    [
      "does not go on after a part: no part comes twice",
      by(events(part("a"), { fail: MockTransport.systemError("ECONNRESET") }), whole),
      [eu],
      ["a"],
      "ConnectionError"
    ]
  ]
  for (const [name, script, places, texts, end] of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const parts = Stream.runForEach(answerInParts("why?"), ({ text }) =>
          Effect.sync(() => seen.push(text))
        )
        expect(yield* run(Effect.as(parts, "done"))).toEqual({ end, called: places })
        expect(seen).toEqual(texts)
      }).pipe(Effect.provide(MockTransport.layer(script)))
    )
  }
})
