import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Cause, Effect, Exit, Redacted, Schema, Stream } from "effect"
import * as Redaction from "../../src/secrets/Redaction.js"
import { canaries, leaks, observe } from "../fixtures/canary.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"

const { json, stream, systemError, text } = MockTransport

const Todo = Schema.Struct({ id: Schema.Number })
const secret = Redacted.make(canaries.hard("x"))

describe("a failing body of an error", () => {
  const failingBodies: Readonly<Record<string, ReadonlyArray<MockTransport.BodyPart>>> = {
    "is reset before its first byte": [{ fail: systemError("ECONNRESET") }],
    "is reset": ['{"error":', { fail: systemError("ECONNRESET") }],
    "never starts": [{ delay: Infinity }],
    stalls: ['{"error":', { delay: Infinity }],
    "is too slow": [{ delay: "1 minute" }, '{"error":{}}']
  }

  it.effect.each(Object.entries(failingBodies))("7.1 keeps the status if it %s", ([, body]) =>
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

  it.effect.each(Object.entries(failingBodies))("7.1 does not stop retries if it %s", ([, body]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted([stream(body, { status: 503 }), json(1)], { retry: withoutDelay })
      const { exit } = yield* observe(client.get("/todos"))
      expect(exit).toEqual(Exit.succeed(1))
    })
  )

  it.effect("6.8 leaves no attempt open", () =>
    Effect.gen(function* () {
      const step = stream(["x", { delay: Infinity }], { status: 503 })
      const { client, transport } = yield* scripted([step, step, step], { retry: withoutDelay })
      yield* observe(client.get("/todos"))
      expect([yield* transport.inFlight, yield* transport.interrupted]).toEqual([0, 3])
    })
  )
})

describe("size limits", () => {
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

  it.effect("7.1 limits.errorBytes is configurable, and never splits a character", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([text(body(100), { status: 400 })], { limits: { errorBytes: 9 } })
      expect(yield* Effect.flip(client.get("/todos"))).toMatchObject({ message: "400 éééé", body: "éééé" })
    })
  )

  it.effect("7.1 truncated JSON is text", () =>
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

  it.effect("7.1 an error's body is not read beyond the limit", () =>
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

  it.effect.each([8, 9])("7.4 a response of %d bytes is within a limit of 9", (length) =>
    Effect.gen(function* () {
      const { client } = yield* scripted([text("x".repeat(length))], { limits: { responseBytes: 9 } })
      expect(yield* client.get("/todos")).toBe("x".repeat(length))
    })
  )

  it.effect("7.4 a response above the limit is a ResponseValidationError and is not retried", () =>
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

describe("a secret at the cut of a text", () => {
  const lengths = Array.from({ length: 30 }, (_, index) => index + 1)
  const body = (length: number, before: string): MockTransport.Script => [
    text(before.repeat(length) + canaries.hard("x"), { status: 400 })
  ]

  it.effect.each(lengths)("12.4 an error's body never ends in %d bytes of a secret", (kept) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(body(99, "."), { limits: { errorBytes: 99 + kept } })
      const request = ApiRequest.get("/todos", { headers: { "x-secret": secret } })
      const error = yield* Effect.flip(client.execute(request))
      expect(error).toMatchObject({ body: ".".repeat(99) + Redaction.hidden })
    })
  )

  it.effect("12.4 a body truncated at 64 KiB shows no secret", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(body(64 * 1024 - 12, " "))
      const { evidence, exit } = yield* observe(client.get("/todos", { headers: { "x-secret": secret } }))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
        message: `400 ${Redaction.hidden}`
      })
      expect(leaks(evidence)).toEqual([])
    })
  )

  it.effect("12.4 the excerpt of a truncated response shows no secret", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([text(" ".repeat(64 * 1024 - 12) + canaries.hard("x"))])
      const { evidence, exit } = yield* observe(
        client.get("/todos", { headers: { "x-secret": secret }, success: Todo })
      )
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
        _tag: "ResponseValidationError",
        excerpt: Redaction.hidden
      })
      expect(leaks(evidence)).toEqual([])
    })
  )

  it.effect("12.4 a split character at the cut does not hide a secret from redaction", () =>
    Effect.gen(function* () {
      const body = `${"x".repeat(40)}k9Zq7WnTvé`
      const { client } = yield* scripted([text(body, { status: 400 })], {
        limits: { errorBytes: body.length }
      })
      const request = ApiRequest.get("/todos", { headers: { "x-secret": Redacted.make("k9Zq7WnTvéXv3") } })
      expect(yield* Effect.flip(client.execute(request))).toMatchObject({
        body: "x".repeat(40) + Redaction.hidden
      })
    })
  )
})

describe("a response of the HttpClient", () => {
  it.effect("8.4 streams its body as it arrives", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([stream(["one ", { delay: "1 second" }, "two"])])
      const { exit } = yield* observe(
        Effect.flatMap(ApiClient.httpClient(client).get("/todos"), ({ stream }) =>
          Stream.mkString(Stream.decodeText(stream))
        )
      )
      expect(exit).toEqual(Exit.succeed("one two"))
    })
  )
})
