/** A circuit breaker through a client and a scripted server on the test clock. */
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiError,
  ApiRequest,
  CircuitBreaker,
  Credentials,
  EventStream,
  Pagination,
  Polling,
  RateLimit,
  ResponseDecoder
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Cause, Chunk, Duration, Effect, Either, Exit, Fiber, Layer, Schema, Stream, TestClock } from "effect"
import { failureOf } from "../../src/effect/platformErrors.js"
import { countsOf, labelled, metricsOf } from "../fixtures/metrics.js"
import { baseUrl, scripted } from "../fixtures/requests.js"

const list = ApiRequest.get("/todos")
const ok = MockTransport.json("ok")
const down = MockTransport.json({ error: "down" }, { status: 503 })
const refused = MockTransport.connectionError({ code: "ECONNREFUSED" })

const breaker = CircuitBreaker.make({ jitter: 0, probes: 1 })
const once = { maxRetries: 0 } as const

/** A server that a test takes down and up again, and a client with a breaker. */
const serverOf = (options: Partial<ApiConfig.Options> = {}, failing: MockTransport.MockStep = down) =>
  Effect.gen(function* () {
    const server = { isDown: true, path: "" }
    const { client, transport } = yield* scripted(
      ({ url }) => (server.isDown && url.includes(server.path) ? failing : ok),
      { circuitBreaker: breaker, retry: once, ...options }
    )
    return { client, server, transport }
  })

const tagOf = (ended: Either.Either<unknown, ApiError.ApiError>): string =>
  Either.match(ended, { onLeft: ({ _tag }) => _tag, onRight: () => "ok" })

const tagsOf = (calls: Iterable<Effect.Effect<unknown, ApiError.ApiError>>) =>
  Effect.forEach(calls, (call) => Effect.map(Effect.either(call), tagOf))

const times = <A>(count: number, value: A): ReadonlyArray<A> => Array.from({ length: count }, () => value)

const failures = times(5, "ServiceUnavailableError")

describe("a server that is down", () => {
  it.effect("6.25 after five failures in a row, calls fail at once and nothing is sent", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const { client, transport } = yield* serverOf()
      expect(yield* tagsOf(times(7, client.execute(list)))).toEqual([
        ...failures,
        "CircuitOpenError",
        "CircuitOpenError"
      ])
      expect(yield* transport.requestCount).toBe(5)
      yield* TestClock.adjust("2 seconds")
      const error = yield* Effect.flip(client.execute(list))
      expect(error).toMatchObject({
        _tag: "CircuitOpenError",
        origin: "https://api.test",
        since: Date.UTC(2026, 0, 1),
        retryAfter: Duration.seconds(3),
        retryAfterMillis: 3000,
        delivery: "not-sent",
        stoppedBy: "not-retryable",
        attempts: [],
        message:
          "not sent: https://api.test is down since 2026-01-01T00:00:00.000Z, the next probe goes in 3s",
        cause: { _tag: "ServiceUnavailableError", status: 503, request: { url: "https://api.test" } }
      })
    })
  )

  it.effect("6.26 a probe finds out that it is well: the circuit closes", () =>
    Effect.gen(function* () {
      const { client, server, transport } = yield* serverOf()
      yield* tagsOf(times(6, client.execute(list)))
      yield* TestClock.adjust("5 seconds")
      expect(yield* tagsOf(times(2, client.execute(list)))).toEqual([
        "ServiceUnavailableError",
        "CircuitOpenError"
      ])
      yield* TestClock.adjust("5 seconds")
      expect(yield* tagsOf([client.execute(list)])).toEqual(["CircuitOpenError"])
      server.isDown = false
      yield* TestClock.adjust("5 seconds")
      expect(yield* tagsOf(times(9, client.execute(list)))).toEqual(times(9, "ok"))
      expect(yield* transport.requestCount).toBe(5 + 1 + 9)
    })
  )

  it.effect.each<readonly [string, MockTransport.MockStep]>([
    ["an interruption", MockTransport.never],
    ["a defect", MockTransport.die("a defect")],
    ["a failure of TLS", MockTransport.connectionError({ code: "CERT_HAS_EXPIRED" })]
  ])("6.26 a probe gives its place back at once after %s", ([, step]) =>
    Effect.gen(function* () {
      let next: MockTransport.MockStep = down
      const { client, transport } = yield* scripted(() => next, { circuitBreaker: breaker, retry: once })
      yield* tagsOf(times(5, client.execute(list)))
      yield* TestClock.adjust("5 seconds")
      next = step
      const probe = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(probe)
      next = ok
      expect(yield* client.execute(list)).toBe("ok")
      expect(yield* transport.requestCount).toBe(7)
    })
  )

  it.effect("6.26 of many calls at once a single one is the probe", () =>
    Effect.gen(function* () {
      let next: MockTransport.MockStep = down
      const { client, transport } = yield* scripted(() => next, {
        circuitBreaker: CircuitBreaker.make({ jitter: 0, probes: 4 }),
        retry: once
      })
      yield* tagsOf(times(5, client.execute(list)))
      yield* TestClock.adjust("5 seconds")
      next = MockTransport.json("ok", { delay: "1 second" })
      const many = Effect.gen(function* () {
        const calls = times(50, Effect.map(Effect.either(client.execute(list)), tagOf))
        const fibers = yield* Effect.forEach(calls, (call) => Effect.fork(call))
        yield* TestClock.adjust("1 second")
        const tags = yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
        return tags.filter((tag) => tag === "ok").length
      })
      expect([yield* many, yield* many, yield* many]).toEqual([1, 3, 50])
      expect(yield* transport.requestCount).toBe(5 + 1 + 3 + 50)
    })
  )

  it.effect("6.25 half of twenty attempts are enough, however they are mixed", () =>
    Effect.gen(function* () {
      let count = 0
      const { client } = yield* scripted(() => (count++ % 2 === 0 ? refused : ok), {
        circuitBreaker: breaker,
        retry: once
      })
      const tags = yield* tagsOf(times(22, client.execute(list)))
      expect(tags.indexOf("CircuitOpenError")).toBe(21)
    })
  )

  it.effect("6.25 a call whose retry meets an open circuit ends with its own attempts", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* serverOf({
        circuitBreaker: CircuitBreaker.make({ consecutiveFailures: 2 }),
        retry: { initialDelay: "1 second", maxRetries: 5 }
      })
      const fiber = yield* Effect.fork(Effect.flip(client.execute(list)))
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(fiber)).toMatchObject({
        _tag: "CircuitOpenError",
        attempts: [{ status: 503 }, { status: 503 }],
        delivery: "maybe-applied",
        stoppedBy: "not-retryable"
      })
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  const patient = (error: ApiError.ApiError) => (error._tag === "CircuitOpenError" ? true : undefined)

  it.effect.each([
    ["waits for the probe", {}, "ok"],
    ["not beyond maxRetryAfter", { maxRetryAfter: "4 seconds" }, "retry-after"],
    ["not without retries", { maxRetries: 0 }, "attempts"]
  ] as const)("6.25 with retryable, a call %s", ([, retry, end]) =>
    Effect.gen(function* () {
      const { client, server, transport } = yield* serverOf()
      yield* tagsOf(times(5, client.execute(list)))
      server.isDown = false
      const call = client.execute(
        ApiRequest.get("/todos", { retry: { maxRetries: 2, retryable: patient, ...retry } })
      )
      const fiber = yield* Effect.fork(Effect.either(call))
      yield* TestClock.adjust("5 seconds")
      const ended = yield* Fiber.join(fiber)
      expect(Either.match(ended, { onLeft: ({ stoppedBy }) => stoppedBy, onRight: () => "ok" })).toBe(end)
      expect(yield* transport.requestCount).toBe(end === "ok" ? 6 : 5)
    })
  )

  it.effect("6.25 with retryable, not beyond the deadline either", () =>
    Effect.gen(function* () {
      const { client } = yield* serverOf()
      yield* tagsOf(times(5, client.execute(list)))
      const call = ApiRequest.get("/todos", {
        retry: { maxRetries: 2, retryable: patient },
        timeouts: { total: "3 seconds" }
      })
      expect(yield* Effect.flip(client.execute(call))).toMatchObject({
        _tag: "CircuitOpenError",
        stoppedBy: "deadline",
        delivery: "not-sent"
      })
    })
  )

  it.effect("6.26 a retry-after of the failure puts the probe off, up to maxOpenFor", () =>
    Effect.gen(function* () {
      const waits: Array<number> = []
      for (const seconds of [2, 20, 200]) {
        const { client } = yield* serverOf(
          {},
          MockTransport.json({}, { status: 503, headers: { "retry-after": String(seconds) } })
        )
        yield* tagsOf(times(5, client.execute(list)))
        const error = yield* Effect.flip(client.execute(list))
        if (error._tag === "CircuitOpenError") waits.push(error.retryAfterMillis)
      }
      expect(waits).toEqual([5000, 20_000, 60_000])
    })
  )
})

describe("what counts", () => {
  const total = (seconds: number) => ApiRequest.get("/todos", { timeouts: { total: `${seconds} seconds` } })

  it.effect.each<readonly [string, MockTransport.MockStep, ApiRequest.ApiRequest<unknown>, boolean]>([
    ["a connection failure", refused, list, true],
    ["a failure of TLS", MockTransport.connectionError({ code: "CERT_HAS_EXPIRED" }), list, false],
    ["500", MockTransport.json({}, { status: 500 }), list, true],
    ["529", MockTransport.json({}, { status: 529 }), list, true],
    ["404", MockTransport.json({}, { status: 404 }), list, false],
    ["408", MockTransport.json({}, { status: 408 }), list, false],
    ["429", MockTransport.json({}, { status: 429 }), list, false],
    [
      "x-should-retry: false",
      MockTransport.json({}, { status: 500, headers: { "x-should-retry": "false" } }),
      list,
      false
    ],
    [
      "a body that is reset",
      MockTransport.stream(["1", { fail: MockTransport.systemError("ECONNRESET") }]),
      list,
      true
    ],
    ["a body that does not fit", ok, ApiRequest.get("/todos", { success: Schema.Number }), false],
    ["a defect", MockTransport.die("a defect"), list, false],
    [
      "the response limit",
      MockTransport.never,
      ApiRequest.get("/todos", { timeouts: { response: "1 second" } }),
      true
    ],
    ["the total limit", MockTransport.never, total(1), true]
  ])("6.25 is by the table: %s", ([, step, request, isFailure]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* serverOf({}, step)
      const fiber = yield* Effect.fork(Effect.forEach(times(7, client.execute(request)), Effect.exit))
      yield* TestClock.adjust("2 minutes")
      const ends = yield* Fiber.join(fiber)
      const last = ends.at(-1)
      const error = last !== undefined && Exit.isFailure(last) ? Cause.squash(last.cause) : undefined
      expect(ApiError.isApiError(error) && error._tag === "CircuitOpenError").toBe(isFailure)
      // Whoever waits for a call that its deadline ends goes on before the attempt is over.
      expect((yield* transport.requestCount) < 7).toBe(isFailure)
    })
  )

  it.effect("6.25 an attempt with less than half of the total finds out nothing", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* serverOf(
        {
          circuitBreaker: CircuitBreaker.make({ consecutiveFailures: 1 }),
          rateLimit: RateLimit.make({ concurrency: 1 })
        },
        MockTransport.never
      )
      const first = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("1 second")
      const second = yield* Effect.fork(Effect.flip(client.execute(total(10))))
      yield* TestClock.adjust("6 seconds")
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("4 seconds")
      expect(yield* Fiber.join(second)).toMatchObject({ _tag: "TimeoutError", phase: "total" })
      expect(yield* transport.requestCount).toBe(2)
      const third = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("1 second")
      expect(yield* transport.requestCount).toBe(3)
      yield* Fiber.interrupt(third)
    })
  )

  it.effect("6.25 interruptions are ignored", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* serverOf({}, MockTransport.never)
      for (let count = 0; count < 10; count++) {
        const fiber = yield* Effect.fork(client.execute(list))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
      }
      expect(yield* transport.requestCount).toBe(10)
    })
  )

  it.effect("6.25 isFailure decides first", () =>
    Effect.gen(function* () {
      const { client } = yield* serverOf(
        {
          circuitBreaker: CircuitBreaker.make({
            isFailure: (error) => (ApiError.isStatusError(error) ? error.status === 404 : undefined)
          })
        },
        MockTransport.json({}, { status: 404 })
      )
      expect((yield* tagsOf(times(6, client.execute(list)))).at(-1)).toBe("CircuitOpenError")
    })
  )

  it.effect("6.25 the target of a redirect fails for itself", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(
        ({ url }) =>
          url.startsWith(baseUrl)
            ? MockTransport.json({}, { status: 307, headers: { location: "https://dead.test/x" } })
            : refused,
        { circuitBreaker: breaker, retry: once }
      )
      expect(yield* tagsOf(times(8, client.execute(list)))).toEqual(times(8, "ConnectionError"))
      const direct = client.execute(ApiRequest.atUrl(list, "https://dead.test/x"))
      expect(yield* tagsOf([direct])).toEqual(["CircuitOpenError"])
      expect(yield* transport.requestCount).toBe(16)
    })
  )
})

describe("circuits", () => {
  it.effect("6.25 are those of an origin, a key and credentials", () =>
    Effect.gen(function* () {
      const { client, server } = yield* serverOf({
        rateLimit: RateLimit.make({ key: ({ template }) => template })
      })
      server.path = "/todos"
      const as = (name: string) => ApiRequest.get("/todos", { credentials: tenants[name] })
      const tenants: Readonly<Record<string, Credentials.Credentials>> = {
        a: Credentials.header("x-api-key", "a"),
        b: Credentials.header("x-api-key", "b")
      }
      yield* tagsOf(times(5, client.execute(list)))
      yield* tagsOf(times(5, client.execute(as("a"))))
      const calls = [
        list,
        ApiRequest.get("/other"),
        ApiRequest.atUrl(list, "https://elsewhere.test/todos"),
        as("a"),
        as("b")
      ]
      expect(yield* tagsOf(calls.map(client.execute))).toEqual([
        "CircuitOpenError",
        "ok",
        "ServiceUnavailableError",
        "CircuitOpenError",
        "ServiceUnavailableError"
      ])
    })
  )

  it.effect(
    "6.25 are shared by withOptions, whose own breaker replaces them, and which false turns off",
    () =>
      Effect.gen(function* () {
        const { client } = yield* serverOf()
        const other = client.withOptions({ headers: { "x-team": "search" } })
        const limited = client.withOptions({ rateLimit: RateLimit.make({ concurrency: 1 }) })
        yield* tagsOf([...times(3, other.execute(list)), ...times(2, limited.execute(list))])
        const clients = [
          client,
          other,
          limited,
          client.withOptions({ circuitBreaker: false }),
          client.withOptions({ circuitBreaker: CircuitBreaker.make() })
        ]
        expect(yield* tagsOf(clients.map((each) => each.execute(list)))).toEqual([
          ...times(3, "CircuitOpenError"),
          ...times(2, "ServiceUnavailableError")
        ])
      })
  )

  it.effect("6.25 of a client without limits, with rateLimit: false", () =>
    Effect.gen(function* () {
      const { client } = yield* serverOf({ rateLimit: false })
      expect((yield* tagsOf(times(6, client.execute(list)))).at(-1)).toBe("CircuitOpenError")
    })
  )
})

describe("beside limits", () => {
  it.effect("6.25 a call that the circuit refuses waits for no place, and takes none", () =>
    Effect.gen(function* () {
      const { client, server, transport } = yield* serverOf(
        {
          rateLimit: RateLimit.make({ concurrency: 1, quotas: { requests: { limit: 6, window: "1 hour" } } })
        },
        MockTransport.json({}, { status: 503, delay: "1 second" })
      )
      const fibers = yield* Effect.forEach(times(8, list), (request) =>
        Effect.fork(Effect.either(client.execute(request)))
      )
      yield* TestClock.adjust("5 seconds")
      const ended = yield* Effect.forEach(fibers, Fiber.join)
      // Three waited for their place, and met the open circuit with it.
      expect(ended.map(tagOf)).toEqual([...failures, ...times(3, "CircuitOpenError")])
      expect(yield* tagsOf(times(20, client.execute(list)))).toEqual(times(20, "CircuitOpenError"))
      server.isDown = false
      yield* TestClock.adjust("5 seconds")
      expect(yield* tagsOf([client.execute(list)])).toEqual(["ok"])
      expect(yield* transport.requestCount).toBe(6)
    })
  )

  it.effect("6.26 a call inside the probe goes with it", () =>
    Effect.gen(function* () {
      const { client, server, transport } = yield* serverOf()
      const outer = client.withOptions({
        middleware: [(request, next) => Effect.zipRight(Effect.orDie(client.execute(list)), next(request))]
      })
      yield* tagsOf(times(5, client.execute(list)))
      server.isDown = false
      yield* TestClock.adjust("5 seconds")
      expect(yield* outer.execute(list)).toBe("ok")
      expect(yield* client.execute(list)).toBe("ok")
      expect(yield* transport.requestCount).toBe(5 + 2 + 1)
    })
  )

  it.effect("6.25 a response that a middleware makes counts as any other", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* serverOf({
        middleware: [
          (request) => Effect.succeed(HttpClientResponse.fromWeb(request, new Response("", { status: 503 })))
        ]
      })
      expect((yield* tagsOf(times(6, client.execute(list)))).at(-1)).toBe("CircuitOpenError")
      expect(yield* transport.requestCount).toBe(0)
    })
  )
})

describe("every way in", () => {
  const events = ApiRequest.get("/todos", { events: EventStream.make({ event: Schema.Number }) })
  const pages = ApiRequest.paginate(
    ApiRequest.get("/todos", { success: Schema.Struct({ data: Schema.Array(Schema.Number) }) }),
    Pagination.pageNumber({ items: (page) => page.data })
  )

  it.effect.each<
    readonly [
      string,
      (client: ApiClient.ApiClient) => Effect.Effect<unknown, ApiError.ApiError | Polling.PollingTimeoutError>
    ]
  >([
    ["execute", (client) => client.execute(list)],
    ["executeWithResponse", (client) => client.executeWithResponse(list)],
    [
      "a download",
      (client) => client.execute(ApiRequest.get("/todos", { success: ResponseDecoder.stream() }))
    ],
    ["a stream", (client) => Stream.runDrain(client.stream(events))],
    ["pages", (client) => Stream.runDrain(client.items(pages))],
    ["a poll", (client) => client.poll(Polling.until(list, { done: () => true }))]
  ])("6.25 %s counts, and fails at once", ([, call]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* serverOf()
      const tags = yield* Effect.forEach(times(6, call(client)), (each) =>
        Effect.map(Effect.flip(each), ({ _tag }) => _tag)
      )
      expect(tags).toEqual([...failures, "CircuitOpenError"])
      expect(yield* transport.requestCount).toBe(5)
    })
  )

  it.effect("6.25 a plain HttpClient fails with a RequestError whose cause is the error", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make(() => down)
      const layer = ApiClient.layerHttpClient.pipe(
        Layer.provide(ApiClient.layer({ baseUrl, circuitBreaker: breaker, retry: once })),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, transport.client))
      )
      yield* Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        for (const _ of times(5, 0)) expect((yield* client.get("/todos")).status).toBe(503)
        const error = yield* Effect.flip(client.get("/todos"))
        expect(failureOf(error).cause).toMatchObject({ _tag: "CircuitOpenError", delivery: "not-sent" })
        expect(yield* transport.requestCount).toBe(5)
      }).pipe(Effect.provide(layer))
    })
  )

  const silent = MockTransport.stream([{ delay: "1 minute" }, "data: 1\n\n"], {
    headers: { "content-type": "text/event-stream" }
  })

  it.effect("6.26 the headers of a stream are enough for a probe", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(
        (_, index) => (index < 5 ? down : index === 5 ? silent : ok),
        { circuitBreaker: breaker, retry: once }
      )
      yield* tagsOf(times(5, client.execute(list)))
      yield* TestClock.adjust("5 seconds")
      const reading = yield* Effect.fork(Stream.runCollect(client.stream(events)))
      yield* TestClock.adjust("1 second")
      expect(yield* client.execute(list)).toBe("ok")
      yield* TestClock.adjust("1 minute")
      expect(Chunk.toReadonlyArray(yield* Fiber.join(reading))).toEqual([1])
      expect(yield* transport.requestCount).toBe(7)
    })
  )

  it.effect("6.25 a stream that is cut off after an event is ignored", () =>
    Effect.gen(function* () {
      const cut = MockTransport.stream(["data: 1\n\n", { fail: MockTransport.systemError("ECONNRESET") }], {
        headers: { "content-type": "text/event-stream" }
      })
      const { client } = yield* scripted(() => cut, { circuitBreaker: breaker, retry: once })
      const tags = yield* tagsOf(times(10, Stream.runDrain(client.stream(events))))
      expect(tags).toEqual(times(10, "ConnectionError"))
    })
  )
})

describe("telemetry", () => {
  it.effect("12.2 the metrics count open circuits and refused requests by server", () =>
    Effect.gen(function* () {
      const { client, server } = yield* serverOf({ name: "payments" })
      const call = Effect.either(client.execute(list)).pipe(labelled("circuits"))
      const open = () => countsOf("http.client.open_circuits", "circuits")
      for (const _ of times(7, 0)) yield* call
      expect(open()).toEqual([1])
      const series = metricsOf("http.client.circuit.refusals", "circuits")
      expect(series).toMatchObject([
        {
          count: 2,
          tags: {
            unit: "{request}",
            "server.address": "api.test",
            "server.port": "443",
            "peer.service": "payments"
          }
        }
      ])
      expect(series[0]?.tags).not.toHaveProperty("http.request.method")
      yield* TestClock.adjust("5 seconds")
      yield* call
      expect(open()).toEqual([1])
      server.isDown = false
      yield* TestClock.adjust("10 seconds")
      yield* call
      expect(open()).toEqual([0])
    })
  )
})

describe("bad options", () => {
  it.effect.each([
    ["consecutiveFailures", { consecutiveFailures: 0 }],
    ["consecutiveFailures", { consecutiveFailures: 1.5 }],
    ["consecutiveFailures", { consecutiveFailures: true }],
    ["failureRate", { failureRate: 0 }],
    ["failureRate", { failureRate: 50 }],
    ["failureRate", { failureRate: Number.NaN }],
    ["minimumCalls", { minimumCalls: -1 }],
    ["window", { window: "soon" }],
    ["window", { window: Number.POSITIVE_INFINITY }],
    ["openFor", { openFor: 0 }],
    ["maxOpenFor", { maxOpenFor: null }],
    ["jitter", { jitter: 2 }],
    ["probes", { probes: "3" }],
    ["isFailure", { isFailure: "5xx" }],
    ["treshold", { treshold: 5 }]
  ] as const)("1.3 %s is named: %j", ([field, options]) =>
    Effect.gen(function* () {
      const make: (options: never) => CircuitBreaker.CircuitBreaker = CircuitBreaker.make
      const error = yield* Effect.flip(scripted([], { circuitBreaker: make(options as never) }))
      expect(error).toMatchObject({ _tag: "InvalidConfigError", key: `circuitBreaker.${field}` })
    })
  )

  it.effect.each([true, {}, "on", 5])(
    "1.3 a setting that does not come from make is refused: %j",
    (setting) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(scripted([], { circuitBreaker: setting as never }))
        expect(error).toMatchObject({ _tag: "InvalidConfigError", key: "circuitBreaker" })
      })
  )

  it.effect("1.3 of withOptions fail its calls", () =>
    Effect.gen(function* () {
      const { client } = yield* serverOf()
      const other = client.withOptions({ circuitBreaker: CircuitBreaker.make({ probes: 0 }) })
      expect(yield* Effect.flip(other.execute(list))).toMatchObject({
        _tag: "InvalidRequestError",
        field: "circuitBreaker.probes"
      })
    })
  )
})
