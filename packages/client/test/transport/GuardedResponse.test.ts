import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Cause, Chunk, Effect, Exit, Redacted, Schema, Stream } from "effect"
import * as Redaction from "../../src/secrets/Redaction.js"
import { canaries, leaks, observe } from "../fixtures/canary.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"

const { json, stream, systemError, text } = MockTransport

const Answered = Schema.Struct({ id: Schema.Number })
const secret = Redacted.make(canaries.hard("x"))

describe("a body that fails to arrive", () => {
  const broken: Readonly<Record<string, ReadonlyArray<MockTransport.BodyPart>>> = {
    "breaks off before its first byte": [{ fail: systemError("ECONNRESET") }],
    "breaks off in its middle": ['{"error":', { fail: systemError("ECONNRESET") }],
    "never begins": [{ delay: Infinity }],
    "falls silent": ['{"error":', { delay: Infinity }],
    "comes too slowly": [{ delay: "1 minute" }, '{"error":{}}']
  }

  it.effect.each(Object.entries(broken))("7.1 keeps the status where it %s", ([, body]) =>
    Effect.gen(function* () {
      const step = stream(body, { status: 429, headers: { "request-id": "req_1", "retry-after": "2" } })
      const { client } = yield* scripted([step], { retry: { maxRetries: 0 } })
      const { exit } = yield* observe(client.get("/todos"))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
        _tag: "RateLimitError",
        message: "429 Too Many Requests",
        status: 429,
        requestId: "req_1",
        body: undefined
      })
    })
  )

  it.effect.each(Object.entries(broken))("7.1 does not stop retries where it %s", ([, body]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted([stream(body, { status: 503 }), json(1)], { retry: withoutDelay })
      const { exit } = yield* observe(client.get("/todos"))
      expect(exit).toEqual(Exit.succeed(1))
    })
  )

  it.effect("6.8 no attempt is left open", () =>
    Effect.gen(function* () {
      const step = stream(["x", { delay: Infinity }], { status: 503 })
      const { client, transport } = yield* scripted([step, step, step], { retry: withoutDelay })
      yield* observe(client.get("/todos"))
      expect([yield* transport.inFlight, yield* transport.interrupted]).toEqual([0, 3])
    })
  )
})

describe("caps", () => {
  const body = (length: number): string => "é".repeat(length / 2)

  it.effect.each([
    [64 * 1024, 64 * 1024],
    [64 * 1024 + 2, 64 * 1024],
    [1024 * 1024, 64 * 1024]
  ] as const)("7.1 of an error's body of %d bytes, %d are kept", ([length, kept]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted([text(body(length), { status: 400 })])
      expect(yield* Effect.flip(client.get("/todos"))).toMatchObject({ body: body(kept) })
    })
  )

  it.effect("7.1 how much is kept is configurable, and a character is not cut in two", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([text(body(100), { status: 400 })], { limits: { errorBytes: 9 } })
      expect(yield* Effect.flip(client.get("/todos"))).toMatchObject({ message: "400 éééé", body: "éééé" })
    })
  )

  it.effect("7.1 JSON that is cut off is text", () =>
    Effect.gen(function* () {
      const step = json({ error: { message: "No." } }, { status: 400 })
      const { client } = yield* scripted([step], { limits: { errorBytes: 12 } })
      expect(yield* Effect.flip(client.get("/todos"))).toMatchObject({
        message: '400 {"error":{"m',
        body: '{"error":{"m',
        type: undefined
      })
    })
  )

  it.effect("7.1 an error's body is not read beyond its cap", () =>
    Effect.gen(function* () {
      let pulled = 0
      const endless = Stream.tap(Stream.repeatValue("x".repeat(10)), () => Effect.sync(() => pulled++))
      const step = stream(Stream.rechunk(endless, 1), { status: 400 })
      const { client, transport } = yield* scripted([step], { limits: { errorBytes: 35 } })
      expect(yield* Effect.flip(client.get("/todos"))).toMatchObject({ body: "x".repeat(35) })
      expect(pulled).toBeLessThan(10)
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect.each([8, 9])("7.4 an answer of %d bytes fits a cap of 9", (length) =>
    Effect.gen(function* () {
      const { client } = yield* scripted([text("x".repeat(length))], { limits: { responseBytes: 9 } })
      expect(yield* client.get("/todos")).toBe("x".repeat(length))
    })
  )

  it.effect("7.4 an answer above its cap is a ResponseValidationError, and not asked for again", () =>
    Effect.gen(function* () {
      const endless = stream(Stream.repeatValue("x".repeat(4)))
      const { client, transport } = yield* scripted([endless], {
        limits: { responseBytes: 9 },
        retry: withoutDelay
      })
      expect(yield* Effect.flip(client.get("/todos"))).toMatchObject({
        _tag: "ResponseValidationError",
        message: "the body is larger than 9 bytes",
        status: 200,
        stoppedBy: "not-retryable"
      })
      expect([yield* transport.requestCount, yield* transport.inFlight]).toEqual([1, 0])
    })
  )
})

describe("a secret where a text is cut off", () => {
  const lengths = Array.from({ length: 30 }, (_, index) => index + 1)
  const body = (length: number, before: string): MockTransport.Script => [
    text(before.repeat(length) + canaries.hard("x"), { status: 400 })
  ]

  it.effect.each(lengths)("12.4 an error's body does not end in %d bytes of it", (kept) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(body(99, "."), { limits: { errorBytes: 99 + kept } })
      const request = ApiRequest.get("/todos", { headers: { "x-secret": secret } })
      const error = yield* Effect.flip(client.execute(request))
      expect(error).toMatchObject({ body: ".".repeat(99) + Redaction.hidden })
    })
  )

  it.effect("12.4 nor does a body of 64 KiB, nor its excerpt", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(body(64 * 1024 - 12, " "))
      const { evidence, exit } = yield* observe(client.get("/todos", { headers: { "x-secret": secret } }))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
        message: `400 ${Redaction.hidden}`
      })
      expect(leaks(evidence)).toEqual([])
    })
  )

  it.effect("12.4 nor does the excerpt of an answer that does not fit", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([text(" ".repeat(64 * 1024 - 12) + canaries.hard("x"))])
      const { evidence, exit } = yield* observe(
        client.get("/todos", { headers: { "x-secret": secret }, success: Answered })
      )
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
        _tag: "ResponseValidationError",
        excerpt: Redaction.hidden
      })
      expect(leaks(evidence)).toEqual([])
    })
  )

  it.effect("12.4 a character that is cut in two does not cover for it", () =>
    Effect.gen(function* () {
      const said = `${"x".repeat(40)}k9Zq7WnTvé`
      const { client } = yield* scripted([text(said, { status: 400 })], {
        limits: { errorBytes: said.length }
      })
      const request = ApiRequest.get("/todos", { headers: { "x-secret": Redacted.make("k9Zq7WnTvéXv3") } })
      expect(yield* Effect.flip(client.execute(request))).toMatchObject({
        body: "x".repeat(40) + Redaction.hidden
      })
    })
  )
})

describe("a response of the client as an HttpClient", () => {
  it.effect("8.4 streams its body as it comes", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([stream(["one ", { delay: "1 second" }, "two"])])
      const { exit } = yield* observe(
        Effect.flatMap(ApiClient.httpClient(client).get("/todos"), ({ stream }) =>
          Effect.map(Stream.runCollect(Stream.decodeText(stream)), Chunk.join(""))
        )
      )
      expect(exit).toEqual(Exit.succeed("one two"))
    })
  )
})
