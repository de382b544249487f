import { describe, expect, it } from "@effect/vitest"
import { Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, LogLevel, Redacted, Schema, TestClock } from "effect"
import * as Redaction from "../../src/secrets/Redaction.js"
import { countsOf, labelled, metricsOf } from "../fixtures/metrics.js"
import { recorder } from "../fixtures/recorder.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"
import { yieldingAt } from "../fixtures/schedulers.js"

const { json, text } = MockTransport

describe("metrics", () => {
  it.effect("12.2 records every attempt's duration in seconds, with the caller's labels", () =>
    Effect.gen(function* () {
      const script = [text("", { status: 503, delay: "2 seconds" }), json(1, { delay: "30 millis" })]
      const { client } = yield* scripted(script, { retry: withoutDelay })
      const fiber = yield* Effect.fork(client.get("/todos").pipe(labelled("duration")))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      const found = metricsOf("http.client.request.duration", "duration")
      const where = {
        unit: "s",
        "http.request.method": "GET",
        "server.address": "api.test",
        "server.port": "443"
      }
      expect(found.map(({ tags }) => tags)).toEqual(
        expect.arrayContaining([
          { ...where, "http.response.status_code": "503", "error.type": "ServiceUnavailableError" },
          { ...where, "http.response.status_code": "200" }
        ])
      )
      expect(found.map(({ sum }) => sum).sort()).toEqual([0.03, 2])
      expect(found.map(({ count }) => count)).toEqual([1, 1])
      // The boundaries that OpenTelemetry recommends for this metric.
      expect(found[0]?.boundaries).toEqual([
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10
      ])
    })
  )

  it.effect("12.2 counts an active request until it ends, fails or is interrupted", () =>
    Effect.gen(function* () {
      const name = "http.client.active_requests"
      const script = [json(1, { delay: "1 second" }), text("", { status: 400 }), MockTransport.never]
      const { client } = yield* scripted(script)
      const call = client.get("/todos").pipe(labelled("active"))
      const first = yield* Effect.fork(call)
      yield* TestClock.adjust("500 millis")
      expect(countsOf(name, "active")).toEqual([1])
      yield* TestClock.adjust("500 millis")
      yield* Fiber.join(first)
      expect(countsOf(name, "active")).toEqual([0])
      yield* Effect.exit(call)
      expect(countsOf(name, "active")).toEqual([0])
      const third = yield* Effect.fork(call)
      yield* TestClock.adjust(1)
      expect(countsOf(name, "active")).toEqual([1])
      yield* Fiber.interrupt(third)
      expect(countsOf(name, "active")).toEqual([0])
      expect(
        metricsOf("http.client.request.duration", "active")
          .map(({ tags }) => tags["error.type"])
          .sort()
      ).toEqual(["BadRequestError", "interrupted", undefined])
    })
  )

  it.effect("12.2 an interruption at any step returns the active requests to zero", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => json(1))
      const call = client.get("/todos").pipe(labelled("struck"))
      for (let step = 1; step <= 400; step++) {
        const fiber = yield* Effect.fork(Effect.withScheduler(call, yieldingAt(step)))
        for (let turn = 0; turn <= step % 40; turn++) yield* Effect.yieldNow()
        yield* Fiber.interrupt(fiber)
        expect(countsOf("http.client.active_requests", "struck").filter((count) => count !== 0)).toEqual([])
      }
      // Some calls were interrupted, and some had already ended.
      const ended = metricsOf("http.client.request.duration", "struck").map(({ tags }) => tags["error.type"])
      expect(ended.sort()).toEqual(["interrupted", undefined])
    })
  )

  it.effect("12.2 an attribute without a value is absent", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.connectionError({ code: "EPIPE" })], {
        retry: { maxRetries: 0 }
      })
      yield* Effect.exit(client.get("/todos")).pipe(labelled("absent"))
      const [found] = metricsOf("http.client.request.duration", "absent")
      expect(found?.tags).toMatchObject({ unit: "s", "error.type": "ConnectionError" })
      expect(found?.tags).not.toHaveProperty("http.response.status_code")
    })
  )

  it.effect("12.2 a status listed in failure is not an error", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([json({ _tag: "Missing" }, { status: 404 })])
      const failure = { 404: Schema.TaggedStruct("Missing", {}) }
      yield* Effect.exit(client.get("/todos", { failure })).pipe(labelled("named"))
      const [found] = metricsOf("http.client.request.duration", "named")
      expect(found?.tags["http.response.status_code"]).toBe("404")
      expect(found?.tags).not.toHaveProperty("error.type")
    })
  )

  it.effect("12.2 counts retries by their cause", () =>
    Effect.gen(function* () {
      const script = [
        text("", { status: 503 }),
        MockTransport.connectionError({ code: "EPIPE" }),
        text("", { status: 503 })
      ]
      const { client } = yield* scripted([...script, json(1)], { retry: { ...withoutDelay, maxRetries: 3 } })
      yield* client.get("/todos").pipe(labelled("retries"))
      const found = metricsOf("http.client.retries", "retries")
      const counts = found.map(({ count, tags }) => [tags["error.type"], count])
      expect(counts.sort()).toEqual([
        ["ConnectionError", 1],
        ["ServiceUnavailableError", 2]
      ])
    })
  )

  it.effect("8.3 counts the mismatches that lenient validation accepts", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([json("x")], { validation: "lenient" })
      yield* client.get("/todos", { success: Schema.Number }).pipe(labelled("lenient"))
      expect(countsOf("http.client.lenient_misfits", "lenient")).toEqual([1])
    })
  )
})

describe("logs", () => {
  const loggedBy = (
    script: MockTransport.Script,
    level: LogLevel.LogLevel,
    options: object = {},
    request: object = {}
  ) =>
    Effect.gen(function* () {
      const { layer, lines } = recorder(level)
      const { client } = yield* scripted(script, {
        credentials: Credentials.bearer(Redacted.make("s3cret-1")),
        ...options
      })
      const call = client.post("/todos/{id}", {
        path: { id: 1 },
        query: { page: 2 },
        body: { key: "plain" },
        ...request
      })
      const fiber = yield* Effect.fork(Effect.exit(Effect.provide(call, layer)))
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(fiber)
      return lines.map(({ annotations, level, message }) => ({ level, message, annotations }))
    })

  it.effect.each([LogLevel.Info, LogLevel.Warning] as const)("12.3 a success logs nothing", (level) =>
    Effect.gen(function* () {
      expect(yield* loggedBy([json(1)], level)).toEqual([])
    })
  )

  it.effect("12.3 a failure logs nothing", () =>
    Effect.gen(function* () {
      expect(yield* loggedBy([text("", { status: 400 })], LogLevel.Info)).toEqual([])
    })
  )

  it.effect("12.3 a retry logs one line at info", () =>
    Effect.gen(function* () {
      const script = [text("", { status: 503 }), MockTransport.connectionError({ code: "EPIPE" }), json(1)]
      const lines = yield* loggedBy(script, LogLevel.Info, {
        retry: { initialDelay: "300 millis", jitter: 0 }
      })
      expect(lines).toEqual([
        {
          level: "INFO",
          message: "retrying POST /todos/{id} in 300ms: ServiceUnavailableError 503 (retry 1)",
          annotations: {}
        },
        {
          level: "INFO",
          message: "retrying POST /todos/{id} in 600ms: ConnectionError (retry 2)",
          annotations: {}
        }
      ])
    })
  )

  it.effect("12.3 an attempt logs one line at debug, with redacted headers and no body", () =>
    Effect.gen(function* () {
      const headers = { "set-cookie": "session=1", "x-echo": "s3cret-1" }
      const script = [text("", { status: 503, headers }), MockTransport.connectionError({ code: "EPIPE" })]
      const lines = yield* loggedBy(script, LogLevel.Debug, { retry: { ...withoutDelay, maxRetries: 1 } })
      const debug = lines.filter(({ level }) => level === "DEBUG")
      expect(debug.map(({ message }) => message)).toEqual([
        "POST https://api.test/v1/todos/1?page=2 -> 503",
        "POST https://api.test/v1/todos/1?page=2 -> ConnectionError"
      ])
      expect(debug[0]?.annotations).toEqual({
        "http.request.headers": expect.objectContaining({
          authorization: Redaction.hidden,
          "content-type": "application/json"
        }),
        "http.response.headers": expect.objectContaining({
          "set-cookie": Redaction.hidden,
          "x-echo": Redaction.hidden
        })
      })
      expect(Object.keys(debug[1]?.annotations ?? {})).toEqual(["http.request.headers"])
    })
  )

  it.effect("12.3 logBodies logs redacted bodies", () =>
    Effect.gen(function* () {
      const body = { open: "plain", key: Redacted.make('s3"cret') }
      const lines = yield* loggedBy([json(1)], LogLevel.Debug, { logBodies: true }, { body })
      expect(lines.map(({ annotations }) => annotations["http.request.body"])).toEqual([
        `{"open":"plain","key":"${Redaction.hidden}"}`
      ])
    })
  )

  it.effect("8.3 a mismatch that lenient validation accepts logs a warning", () =>
    Effect.gen(function* () {
      const options = { validation: "lenient" }
      const lines = yield* loggedBy([json("s3cret-1")], LogLevel.Info, options, { success: Schema.Number })
      expect(lines).toEqual([
        {
          level: "WARN",
          message: expect.stringMatching(`^the response \\(200\\) does not fit: .*"${Redaction.hidden}"$`),
          annotations: {}
        }
      ])
    })
  )
})
