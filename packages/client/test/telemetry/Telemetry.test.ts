import { HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, EventStream } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Exit, Fiber, Redacted, Schema, Stream, TestClock } from "effect"
import * as RequestChanges from "../../src/request/requestChanges.js"
import * as Redaction from "../../src/secrets/Redaction.js"
import { endOf } from "../fixtures/exits.js"
import { type RecordedSpan, recorder } from "../fixtures/recorder.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"

const { json, stream, text } = MockTransport

const fields = (span: RecordedSpan | undefined) => ({
  name: span?.name,
  kind: span?.kind,
  attributes: Object.fromEntries(span?.attributes ?? []),
  // Effect also adds log lines to a span's events.
  events: span?.events.filter(({ name }) => name === "http.client.attempt")
})

const traceparent = (span: RecordedSpan | undefined): string => `00-${span?.traceId}-${span?.spanId}-01`

describe("spans", () => {
  it.effect("12.1 a call has one span with OpenTelemetry's names", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([json({ id: 1 }, { status: 201 })])
      const call = client.post("/todos/{id}", { path: { id: 7 }, query: { token: "t", page: 2 }, body: {} })
      yield* Effect.provide(call, layer)
      expect(spans.map(fields)).toEqual([
        {
          name: "POST /todos/{id}",
          kind: "client",
          attributes: {
            "http.request.method": "POST",
            "server.address": "api.test",
            "server.port": 443,
            "url.full": `https://api.test/v1/todos/7?token=${Redaction.hidden}&page=2`,
            "url.template": "/todos/{id}",
            "http.response.status_code": 201
          },
          events: [
            {
              name: "http.client.attempt",
              attributes: {
                "http.request.resend_count": 0,
                "http.client.attempt.duration": 0,
                "http.response.status_code": 201
              }
            }
          ]
        }
      ])
      // No value: a span that waits for its exporter must not keep the response.
      expect(spans[0]?.status).toMatchObject({ _tag: "Ended", exit: Exit.void })
    })
  )

  it.effect.each([
    ["http://api.test", "api.test", 80],
    ["https://api.test", "api.test", 443],
    ["http://127.0.0.1:8080/v1", "127.0.0.1", 8080],
    ["https://[::1]:9443", "::1", 9443]
  ] as const)("12.1 the server of %s is %s, port %d", ([baseUrl, address, port]) =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([json(1)], { baseUrl })
      yield* Effect.provide(client.get("/todos"), layer)
      expect(fields(spans[0]).attributes).toMatchObject({ "server.address": address, "server.port": port })
    })
  )

  it.effect("12.1 the span has an event for each attempt", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const script = [
        text("", { status: 503, delay: "2 seconds" }),
        MockTransport.connectionError({ code: "ECONNRESET" }),
        json(1)
      ]
      const { client, transport } = yield* scripted(script)
      const fiber = yield* Effect.fork(Effect.provide(client.get("/todos"), layer))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      const { attributes, events } = fields(spans[0])
      expect(spans.length).toBe(1)
      expect(attributes).toMatchObject({ "http.request.resend_count": 2, "http.response.status_code": 200 })
      expect(attributes).not.toHaveProperty("error.type")
      expect(events?.map((event) => event.attributes)).toEqual([
        {
          "http.request.resend_count": 0,
          "http.client.attempt.duration": 2,
          "http.response.status_code": 503,
          "error.type": "ServiceUnavailableError"
        },
        {
          "http.request.resend_count": 1,
          "http.client.attempt.duration": 0,
          "error.type": "ConnectionError"
        },
        {
          "http.request.resend_count": 2,
          "http.client.attempt.duration": 0,
          "http.response.status_code": 200
        }
      ])
      const sent = (yield* transport.requests).map(({ headers }) => headers["traceparent"])
      expect(new Set(sent)).toEqual(new Set([traceparent(spans[0])]))
    })
  )

  it.effect.each([
    ["an error status", text("", { status: 404 }), "NotFoundError", 404],
    [
      "a connection failure",
      MockTransport.connectionError({ code: "ECONNREFUSED" }),
      "ConnectionError",
      undefined
    ],
    ["a validation failure", text("no"), "ResponseValidationError", 200]
  ] as const)("12.1 error.type is the tag of %s", ([, step, tag, status]) =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([step], { retry: { maxRetries: 0 } })
      yield* Effect.exit(Effect.provide(client.get("/todos", { success: Schema.Number }), layer))
      const { attributes } = fields(spans[0])
      expect(attributes["error.type"]).toBe(tag)
      expect(attributes["http.response.status_code"]).toBe(status)
      const ended = spans[0]?.status
      expect(ended?._tag === "Ended" && endOf(ended.exit)).toMatchObject({ error: { _tag: tag } })
    })
  )

  const Missing = Schema.TaggedStruct("Missing", {})

  it.effect.each([
    ["a single attempt", json({ _tag: "Missing" }, { status: 404 })],
    ["a call that is retried", json({ _tag: "Missing" }, { status: 503 })]
  ] as const)("12.1 a status listed in failure is not an error: %s", ([, step]) =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([MockTransport.forever(step)], { retry: withoutDelay })
      const failure = { 404: Missing, 503: Missing }
      const calls = [
        client.get("/todos", { failure }),
        Stream.runDrain(
          client.stream(
            ApiRequest.get("/todos", { failure, events: EventStream.make({ event: Schema.Number }) })
          )
        )
      ]
      for (const call of calls) {
        const error = yield* Effect.flip(call as Effect.Effect<unknown, unknown>).pipe(Effect.provide(layer))
        expect(error).toEqual({ _tag: "Missing" })
      }
      expect(spans.length).toBe(2)
      for (const span of spans) {
        const { attributes, events } = fields(span)
        expect(span.status).toMatchObject({ _tag: "Ended", exit: { _tag: "Success" } })
        expect([404, 503]).toContain(attributes["http.response.status_code"])
        for (const at of [attributes, ...(events ?? []).map((event) => event.attributes)])
          expect(at).not.toHaveProperty("error.type")
      }
    })
  )

  it.effect("12.1 a failure body that does not fit its schema is an error", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([json({}, { status: 404 })])
      yield* Effect.exit(Effect.provide(client.get("/todos", { failure: { 404: Schema.Number } }), layer))
      expect(fields(spans[0]).attributes["error.type"]).toBe("NotFoundError")
      expect(spans[0]?.status).toMatchObject({ exit: { _tag: "Failure" } })
    })
  )

  it.effect.each([
    ["a request for a complete URL", ApiRequest.get("https://api.test/v1/users/17?page=2")],
    ["a request from fromUrl", RequestChanges.fromUrl("GET", "https://api.test/v1/users/17", undefined)]
  ] as const)("12.1 the span of %s is named after its method", ([, request]) =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([json(1)])
      yield* Effect.provide(client.execute(request), layer)
      expect(spans[0]?.name).toBe("GET")
      expect(fields(spans[0]).attributes).not.toHaveProperty("url.template")
    })
  )

  it.effect("12.1 error.type of a defect and of an interruption", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([MockTransport.die("bug"), MockTransport.never])
      yield* Effect.exit(Effect.provide(client.get("/todos"), layer))
      const fiber = yield* Effect.fork(Effect.provide(client.get("/todos"), layer))
      yield* TestClock.adjust(1)
      yield* Fiber.interrupt(fiber)
      expect(spans.map((span) => fields(span).attributes["error.type"])).toEqual(["defect", "interrupted"])
      expect(spans.map(({ status }) => status._tag)).toEqual(["Ended", "Ended"])
    })
  )

  it.effect("12.1 the span ends with the body", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([stream(["[1", { delay: "5 seconds" }, "]"])])
      const fiber = yield* Effect.fork(Effect.provide(client.get("/todos"), layer))
      yield* TestClock.adjust("4 seconds")
      expect(spans[0]?.status._tag).toBe("Started")
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toEqual([1])
      expect(spans[0]?.status).toMatchObject({ _tag: "Ended", endTime: 5_000_000_000n })
    })
  )

  it.effect("12.1 an attempt that starts at a fraction of a millisecond has its event", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([json(1)])
      yield* TestClock.adjust("250 micros")
      yield* Effect.provide(client.get("/todos"), layer)
      expect(fields(spans[0]).events?.length).toBe(1)
    })
  )

  it.effect("12.1 the span of a next link keeps the template's name and redacts the URL", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([json(1)])
      const request = ApiRequest.get("/todos", { query: { key: Redacted.make("s3cret-1") } })
      const next = ApiRequest.atUrl(request, "https://api.test/v1/s3cret-1?key=s3cret-1&page=2")
      yield* Effect.provide(client.execute(next), layer)
      expect(fields(spans[0])).toMatchObject({
        name: "GET /todos",
        attributes: { "url.full": `https://api.test/v1/${Redaction.hidden}?key=${Redaction.hidden}&page=2` }
      })
    })
  )
})

describe("tracing on and off", () => {
  const sentBy = (
    around: <A, E>(call: Effect.Effect<A, E>) => Effect.Effect<A, E>,
    headers: Readonly<Record<string, string | null>> = {}
  ) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([json(1)])
      yield* around(client.get("/todos", { headers }))
      return (yield* transport.requests)[0]?.headers["traceparent"]
    })

  it.effect("12.1 without a tracer or a parent there is no span and no traceparent", () =>
    Effect.gen(function* () {
      expect(yield* sentBy((call) => call)).toBeUndefined()
    })
  )

  it.effect("12.1 a parent span is enough to send traceparent", () =>
    Effect.gen(function* () {
      const sent = yield* sentBy(Effect.withSpan("parent"))
      expect(sent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    })
  )

  it.effect("12.1 the call's span is sent, in the parent's trace", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const sent = yield* sentBy((call) => call.pipe(Effect.withSpan("parent"), Effect.provide(layer)))
      expect(spans.map(({ name }) => name)).toEqual(["parent", "GET /todos"])
      expect(sent).toBe(traceparent(spans[1]))
      expect(spans[1]?.traceId).toBe(spans[0]?.traceId)
    })
  )

  it.effect("12.1 with tracing disabled there is no span", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const sent = yield* sentBy((call) => call.pipe(Effect.withTracerEnabled(false), Effect.provide(layer)))
      expect([sent, spans]).toEqual([undefined, []])
    })
  )

  it.effect("12.1 with propagation disabled there is a span and no traceparent", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const off = Effect.locally(HttpClient.currentTracerPropagation, false)
      const sent = yield* sentBy((call) => call.pipe(off, Effect.provide(layer)))
      expect([sent, spans.length]).toEqual([undefined, 1])
    })
  )

  it.effect.each([
    ["00-x-y-01", "00-x-y-01"],
    [null, undefined]
  ] as const)("12.1 the caller's traceparent %s wins", ([own, sent]) =>
    Effect.gen(function* () {
      const { layer } = recorder()
      expect(yield* sentBy(Effect.provide(layer), { traceparent: own })).toBe(sent)
    })
  )

  it.effect("12.1 propagation can be disabled for the client as an HttpClient", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client, transport } = yield* scripted([json(1)])
      const http = HttpClient.withTracerPropagation(ApiClient.httpClient(client), false)
      yield* Effect.provide(http.get("/todos"), layer)
      expect((yield* transport.requests)[0]?.headers).not.toHaveProperty("traceparent")
      expect(spans.length).toBe(1)
    })
  )

  it.effect("12.1 the client as an HttpClient has the same span", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client, transport } = yield* scripted([json(1)])
      yield* Effect.provide(ApiClient.httpClient(client).get("/todos?token=t"), layer)
      expect(spans.map(({ name }) => name)).toEqual(["GET"])
      expect(fields(spans[0]).attributes).not.toHaveProperty("url.template")
      expect((yield* transport.requests)[0]?.headers["traceparent"]).toBe(traceparent(spans[0]))
    })
  )

  it.effect("12.1 a call through the HttpClient has the tag of an error status", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted(
        [text("", { status: 404 }), MockTransport.connectionError({ code: "EPIPE" })],
        {
          retry: { maxRetries: 0 }
        }
      )
      const http = ApiClient.httpClient(client)
      expect((yield* Effect.provide(http.get("/todos/1"), layer)).status).toBe(404)
      yield* Effect.flip(Effect.provide(http.get("/todos/2"), layer))
      expect(spans.map((span) => fields(span).attributes["error.type"])).toEqual([
        "NotFoundError",
        "ConnectionError"
      ])
    })
  )

  it.effect("12.1 the span of an unknown method is named HTTP", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([json(1)])
      const request = HttpClientRequest.make("PURGE" as "GET")("/todos")
      yield* Effect.provide(ApiClient.httpClient(client).execute(request), layer)
      expect(fields(spans[0])).toMatchObject({
        name: "HTTP",
        attributes: { "http.request.method": "_OTHER", "http.request.method_original": "PURGE" }
      })
    })
  )
})
