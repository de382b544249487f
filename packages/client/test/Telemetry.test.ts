import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, Credentials, EventStream, Redaction } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, LogLevel, Metric, MetricState, Redacted, Schema, Stream, TestClock } from "effect"
import { type RecordedSpan, recorder } from "./fixtures/canary.js"
import { atOnce, scripted } from "./fixtures/requests.js"

const { json, stream, text } = MockTransport

const fields = (span: RecordedSpan | undefined) => ({
  name: span?.name,
  kind: span?.kind,
  attributes: Object.fromEntries(span?.attributes ?? []),
  // Log lines stand among them, as Effect has it.
  events: span?.events.filter(({ name }) => name === "http.client.attempt")
})

const traceparent = (span: RecordedSpan | undefined): string => `00-${span?.traceId}-${span?.spanId}-01`

describe("spans", () => {
  it.effect("12.1 one span a call, by the names of OpenTelemetry", () =>
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
      expect(spans[0]?.status).toMatchObject({ _tag: "Ended", exit: { _tag: "Success" } })
    })
  )

  it.effect.each([
    ["http://api.test", "api.test", 80],
    ["https://api.test", "api.test", 443],
    ["http://127.0.0.1:8080/v1", "127.0.0.1", 8080],
    ["https://[::1]:9443", "[::1]", 9443]
  ] as const)("12.1 the server of %s is %s, port %d", ([baseUrl, address, port]) =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([json(1)], { baseUrl })
      yield* Effect.provide(client.get("/todos"), layer)
      expect(fields(spans[0]).attributes).toMatchObject({ "server.address": address, "server.port": port })
    })
  )

  it.effect("12.1 an event for each attempt, in one span", () =>
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
    ["a status", text("", { status: 404 }), "NotFoundError", 404],
    ["a connection", MockTransport.connectionError({ code: "ECONNREFUSED" }), "ConnectionError", undefined],
    ["a misfit", text("no"), "ResponseValidationError", 200]
  ] as const)("12.1 error.type names what ended the call: %s", ([, step, tag, status]) =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([step], { retry: { maxRetries: 0 } })
      yield* Effect.exit(Effect.provide(client.get("/todos", { success: Schema.Number }), layer))
      const { attributes } = fields(spans[0])
      expect(attributes["error.type"]).toBe(tag)
      expect(attributes["http.response.status_code"]).toBe(status)
      expect(spans[0]?.status).toMatchObject({ _tag: "Ended", exit: { cause: { error: { _tag: tag } } } })
    })
  )

  it.effect("12.1 error.type of the caller's own error is its tag", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const Missing = Schema.TaggedStruct("Missing", {})
      const { client } = yield* scripted([json({ _tag: "Missing" }, { status: 404 })])
      yield* Effect.exit(Effect.provide(client.get("/todos", { failure: { 404: Missing } }), layer))
      expect(fields(spans[0]).attributes["error.type"]).toBe("Missing")
    })
  )

  it.effect("12.1 error.type of a bug and of an interruption", () =>
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

  const events = ApiRequest.get("/events", { events: EventStream.make({ event: Schema.Number }) })
  const ticking = stream(["data: 1\n\n", { delay: "5 seconds" }, "data: 2\n\n"], {
    headers: { "content-type": "text/event-stream" }
  })

  it.effect.each([
    ["is at its end", 2, 5_000_000_000n],
    ["is left", 1, 0n]
  ] as const)("12.1 the span of a stream ends when it %s", ([, count, endTime]) =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([ticking])
      const taken = Stream.runCollect(Stream.take(client.stream(events), count))
      const fiber = yield* Effect.fork(Effect.provide(taken, layer))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      expect(spans.map(({ name }) => name)).toEqual(["GET /events"])
      expect(spans[0]?.status).toMatchObject({ _tag: "Ended", endTime })
    })
  )

  it.effect("12.1 times that are no whole milliseconds are times", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([json(1)])
      yield* TestClock.adjust("250 micros")
      yield* Effect.provide(client.get("/todos"), layer)
      expect(fields(spans[0]).events?.length).toBe(1)
    })
  )

  it.effect("12.1 a link that is followed has the name of its request and shows no secret", () =>
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

describe("who listens", () => {
  const sentBy = (
    around: <A, E>(call: Effect.Effect<A, E>) => Effect.Effect<A, E>,
    headers: Readonly<Record<string, string | null>> = {}
  ) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([json(1)])
      yield* around(client.get("/todos", { headers }))
      return (yield* transport.requests)[0]?.headers["traceparent"]
    })

  it.effect("12.1 without a tracer or a parent nothing is opened and nothing sent", () =>
    Effect.gen(function* () {
      expect(yield* sentBy((call) => call)).toBeUndefined()
    })
  )

  it.effect("12.1 a parent span is enough", () =>
    Effect.gen(function* () {
      const sent = yield* sentBy(Effect.withSpan("parent"))
      expect(sent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    })
  )

  it.effect("12.1 the call's span is sent, its trace is the parent's", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const sent = yield* sentBy((call) => call.pipe(Effect.withSpan("parent"), Effect.provide(layer)))
      expect(spans.map(({ name }) => name)).toEqual(["parent", "GET /todos"])
      expect(sent).toBe(traceparent(spans[1]))
      expect(spans[1]?.traceId).toBe(spans[0]?.traceId)
    })
  )

  it.effect("12.1 tracing that is off is off", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const sent = yield* sentBy((call) => call.pipe(Effect.withTracerEnabled(false), Effect.provide(layer)))
      expect([sent, spans]).toEqual([undefined, []])
    })
  )

  it.effect("12.1 propagation that is off leaves the span", () =>
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
  ] as const)("12.1 the caller's traceparent %s wins", ([given, sent]) =>
    Effect.gen(function* () {
      const { layer } = recorder()
      expect(yield* sentBy(Effect.provide(layer), { traceparent: given })).toBe(sent)
    })
  )

  it.effect("12.1 propagation may be off for the client as an HttpClient", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client, transport } = yield* scripted([json(1)])
      const http = HttpClient.withTracerPropagation(client.httpClient, false)
      yield* Effect.provide(http.get("/todos"), layer)
      expect((yield* transport.requests)[0]?.headers).not.toHaveProperty("traceparent")
      expect(spans.length).toBe(1)
    })
  )

  it.effect("12.1 the client as an HttpClient has the same span", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client, transport } = yield* scripted([json(1)])
      yield* Effect.provide(client.httpClient.get("/todos?token=t"), layer)
      expect(spans.map(({ name }) => name)).toEqual(["GET https://api.test/v1/todos"])
      expect((yield* transport.requests)[0]?.headers["traceparent"]).toBe(traceparent(spans[0]))
    })
  )
})

/** What the metrics of this name under this test's own label say, by their other tags. */
const metrics = (name: string, label: string) =>
  Metric.unsafeSnapshot()
    .filter(({ metricKey }) => metricKey.name === name && metricKey.tags.some(({ value }) => value === label))
    .map(({ metricKey, metricState }) => ({
      tags: Object.fromEntries(
        metricKey.tags.filter(({ key }) => key !== "test").map(({ key, value }) => [key, value])
      ),
      state: metricState
    }))

const countOf = (name: string, label: string): ReadonlyArray<unknown> =>
  metrics(name, label).map(({ state }) => (MetricState.isCounterState(state) ? state.count : undefined))

describe("metrics", () => {
  it.effect("12.2 the duration of every attempt, in seconds, under the caller's labels", () =>
    Effect.gen(function* () {
      const script = [text("", { status: 503, delay: "2 seconds" }), json(1, { delay: "30 millis" })]
      const { client } = yield* scripted(script, { retry: atOnce })
      const fiber = yield* Effect.fork(client.get("/todos").pipe(Effect.tagMetrics("test", "duration")))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      const found = metrics("http.client.request.duration", "duration")
      const where = { "http.request.method": "GET", "server.address": "api.test", "server.port": "443" }
      expect(found.map(({ tags }) => tags)).toEqual(
        expect.arrayContaining([
          { ...where, "http.response.status_code": "503", "error.type": "ServiceUnavailableError" },
          { ...where, "http.response.status_code": "200", "error.type": "" }
        ])
      )
      const states = found.map(({ state }) => state).filter(MetricState.isHistogramState)
      expect(states.map(({ sum }) => sum).sort()).toEqual([0.03, 2])
      expect(states.map(({ count }) => count)).toEqual([1, 1])
      // The boundaries that OpenTelemetry advises for this metric.
      expect(states[0]?.buckets.map(([boundary]) => boundary).slice(0, -1)).toEqual([
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10
      ])
    })
  )

  it.effect("12.2 active requests while one is on its way, and none after", () =>
    Effect.gen(function* () {
      const name = "http.client.active_requests"
      const script = [json(1, { delay: "1 second" }), text("", { status: 400 }), MockTransport.never]
      const { client } = yield* scripted(script)
      const call = client.get("/todos").pipe(Effect.tagMetrics("test", "active"))
      const first = yield* Effect.fork(call)
      yield* TestClock.adjust("500 millis")
      expect(countOf(name, "active")).toEqual([1])
      yield* TestClock.adjust("500 millis")
      yield* Fiber.join(first)
      expect(countOf(name, "active")).toEqual([0])
      yield* Effect.exit(call)
      expect(countOf(name, "active")).toEqual([0])
      const third = yield* Effect.fork(call)
      yield* TestClock.adjust(1)
      expect(countOf(name, "active")).toEqual([1])
      yield* Fiber.interrupt(third)
      expect(countOf(name, "active")).toEqual([0])
      expect(
        metrics("http.client.request.duration", "active")
          .map(({ tags }) => tags["error.type"])
          .sort()
      ).toEqual(["", "BadRequestError", "interrupted"])
    })
  )

  it.effect("12.2 active requests come back to none wherever an interruption strikes", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => json(1))
      const call = client.get("/todos").pipe(Effect.tagMetrics("test", "struck"))
      // A fiber can be struck where it yields: here after every few steps, and a little later in each round.
      for (let ops = 3; ops < 10; ops++) {
        for (let turns = 0; turns < 40; turns++) {
          const fiber = yield* Effect.fork(Effect.withMaxOpsBeforeYield(call, ops))
          for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow()
          yield* Fiber.interrupt(fiber)
          expect(countOf("http.client.active_requests", "struck").filter((count) => count !== 0)).toEqual([])
        }
      }
      // Some were struck on their way, and some were not struck at all.
      const ended = metrics("http.client.request.duration", "struck").map(({ tags }) => tags["error.type"])
      expect(ended.sort()).toEqual(["", "interrupted"])
    })
  )

  it.effect("12.2 retries by their cause", () =>
    Effect.gen(function* () {
      const script = [
        text("", { status: 503 }),
        MockTransport.connectionError({ code: "EPIPE" }),
        text("", { status: 503 })
      ]
      const { client } = yield* scripted([...script, json(1)], { retry: { ...atOnce, maxRetries: 3 } })
      yield* client.get("/todos").pipe(Effect.tagMetrics("test", "retries"))
      const found = metrics("http.client.retries", "retries")
      const counts = found.map(({ state, tags }) => [
        tags["error.type"],
        (state as MetricState.MetricState.Counter<number>).count
      ])
      expect(counts.sort()).toEqual([
        ["ConnectionError", 1],
        ["ServiceUnavailableError", 2]
      ])
    })
  )

  it.effect("12.2 the events that streams hand out", () =>
    Effect.gen(function* () {
      const body = stream(["data: 1\n\ndata: 2\n\n", "data: 3\n\n"], {
        headers: { "content-type": "text/event-stream" }
      })
      const { client } = yield* scripted([body])
      const request = ApiRequest.get("/events", { events: EventStream.make({ event: Schema.Number }) })
      yield* Stream.runDrain(client.stream(request)).pipe(Effect.tagMetrics("test", "events"))
      expect(countOf("http.client.stream.events", "events")).toEqual([3])
    })
  )

  it.effect("8.3 answers that lenient validation hands on", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([json("x")], { validation: "lenient" })
      yield* client.get("/todos", { success: Schema.Number }).pipe(Effect.tagMetrics("test", "lenient"))
      expect(countOf("http.client.lenient_misfits", "lenient")).toEqual([1])
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

  it.effect.each([LogLevel.Info, LogLevel.Warning])("12.3 a success says nothing", (level) =>
    Effect.gen(function* () {
      expect(yield* loggedBy([json(1)], level)).toEqual([])
    })
  )

  it.effect("12.3 a failure is the caller's to tell", () =>
    Effect.gen(function* () {
      expect(yield* loggedBy([text("", { status: 400 })], LogLevel.Info)).toEqual([])
    })
  )

  it.effect("12.3 a line a retry at info", () =>
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

  it.effect("12.3 a line an attempt at debug, headers redacted, no body", () =>
    Effect.gen(function* () {
      const headers = { "set-cookie": "session=1", "x-answer": "s3cret-1" }
      const script = [text("", { status: 503, headers }), MockTransport.connectionError({ code: "EPIPE" })]
      const lines = yield* loggedBy(script, LogLevel.Debug, { retry: { ...atOnce, maxRetries: 1 } })
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
          "x-answer": Redaction.hidden
        })
      })
      expect(Object.keys(debug[1]?.annotations ?? {})).toEqual(["http.request.headers"])
    })
  )

  it.effect("12.3 bodies where they are asked for, secrets hidden", () =>
    Effect.gen(function* () {
      const body = { open: "plain", key: Redacted.make('s3"cret') }
      const lines = yield* loggedBy([json(1)], LogLevel.Debug, { logBodies: true }, { body })
      expect(lines.map(({ annotations }) => annotations["http.request.body"])).toEqual([
        `{"open":"plain","key":"${Redaction.hidden}"}`
      ])
    })
  )

  it.effect("8.3 a misfit that lenient validation hands on is a warning", () =>
    Effect.gen(function* () {
      const options = { validation: "lenient" }
      const lines = yield* loggedBy([json("s3cret-1")], LogLevel.Info, options, { success: Schema.Number })
      expect(lines).toEqual([
        {
          level: "WARN",
          message: `the answer (200) does not fit: Expected number, actual "${Redaction.hidden}"`,
          annotations: {}
        }
      ])
    })
  )
})
