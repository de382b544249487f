import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiRequest,
  Credentials,
  Polling,
  ResponseDecoder,
  RetryAfter
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import {
  Chunk,
  Clock,
  Data,
  Duration,
  Effect,
  Exit,
  Fiber,
  Redacted,
  Schedule,
  Schema,
  Stream,
  TestClock
} from "effect"
import { drain } from "../fixtures/pages.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"
import { settle, status } from "../fixtures/retry.js"

const Job = Schema.Struct({ status: Schema.String, percent: Schema.optional(Schema.Number) })
type Job = typeof Job.Type

const getJob = ApiRequest.get("/jobs/1", { success: Job })

class JobFailed extends Data.TaggedError("JobFailed")<{ readonly status: string }> {}

const running = (percent: number, headers: Record<string, string> = {}) =>
  MockTransport.json({ status: "running", percent }, { headers })
const over = MockTransport.json({ status: "done" })

const isDone = (job: Job) => job.status === "done"
const steady = { initialDelay: "1 second", factor: 1, jitter: 0 } as const

/** Polls over a script on the test clock: how it ended, and when each request was sent. */
const play = <A, P, E>(
  polling: Polling.Polling<A, P, E>,
  script: MockTransport.Script,
  options: Partial<ApiConfig.Options> = {}
) =>
  Effect.gen(function* () {
    const { client, transport } = yield* scripted(script, options)
    const start = yield* Clock.currentTimeMillis
    const ended = yield* settle(client.poll(polling), "1 day")
    const requests = yield* transport.requests
    expect(yield* transport.inFlight).toBe(0)
    return { ended, requests, sentAt: requests.map(({ at }) => at - start) }
  })

describe("when to poll", () => {
  it.effect("11.5 at once, then after waits that grow from initialDelay to maxDelay", () =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, {
        done: isDone,
        initialDelay: "1 second",
        factor: 3,
        maxDelay: "10 seconds",
        jitter: 0
      })
      const { ended, sentAt } = yield* play(polling, [running(0), running(1), running(2), running(3), over])
      expect(ended).toMatchObject({ _tag: "Right", right: { status: "done" } })
      expect(sentAt).toEqual([0, 1_000, 4_000, 13_000, 23_000])
    })
  )

  it.effect("11.5 the defaults double from one second, shortened by up to a quarter", () =>
    Effect.gen(function* () {
      const script = [running(0), running(1), running(2), over]
      const { sentAt } = yield* play(Polling.until(getJob, { done: isDone }), script)
      const waits = sentAt.slice(1).map((at, index) => at - (sentAt[index] ?? 0))
      for (const [index, wait] of waits.entries()) {
        expect(wait).toBeGreaterThanOrEqual(750 * 2 ** index)
        expect(wait).toBeLessThanOrEqual(1_000 * 2 ** index)
      }
    })
  )

  it.effect("11.5 after the wait that the response asks for", () =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, { ...steady, done: isDone })
      const { sentAt } = yield* play(polling, [
        running(0, { "retry-after": "7" }),
        running(1, { "retry-after-ms": "250" }),
        running(2, { "retry-after": "soon" }),
        over
      ])
      expect(sentAt).toEqual([0, 7_000, 7_250, 8_250])
    })
  )

  it.effect.each([
    { hint: { "retry-after-ms": "0.001" }, waits: 100 },
    { hint: { "retry-after": "0.000001" }, waits: 100 },
    { hint: { "retry-after": "3600" }, waits: 3_600_000 },
    { hint: { "retry-after": "31536000" }, waits: 3_600_000 },
    { hint: { "retry-after": "1e30" }, waits: 1000 }
  ])("11.5 not at once, nor in a year: $hint", ({ hint, waits }) =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, { ...steady, done: isDone })
      const { sentAt } = yield* play(polling, [running(0, hint), over])
      expect(sentAt).toEqual([0, waits])
    })
  )

  it.effect("11.5 after the wait that the client's own retryAfter reads from the headers", () =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, { ...steady, done: isDone })
      const names = { reset: "x-reset", remaining: "x-left" }
      const { sentAt } = yield* play(
        polling,
        [
          running(0, { "x-left": "0", "x-reset": "20" }),
          running(1, { "x-left": "5", "x-reset": "20" }),
          over
        ],
        { retry: { retryAfter: RetryAfter.rateLimit(names) } }
      )
      expect(sentAt).toEqual([0, 20_000, 21_000])
    })
  )

  it.effect("11.5 by a schedule, whose end ends the polling", () =>
    Effect.gen(function* () {
      const schedule = Schedule.intersect(Schedule.spaced("5 seconds"), Schedule.recurs(2))
      const polling = Polling.until(getJob, { done: isDone, schedule })
      const { ended, sentAt } = yield* play(polling, [
        running(0),
        running(1, { "retry-after": "60" }),
        running(2)
      ])
      expect(sentAt).toEqual([0, 5_000, 65_000])
      expect(ended).toMatchObject({
        left: {
          _tag: "PollingTimeoutError",
          limit: undefined,
          polls: 3,
          stoppedBy: "attempts"
        }
      })
    })
  )

  it.effect("11.5 each poll is a call with its own retries", () =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, { ...steady, done: isDone })
      const script = [status(503), running(0), status(503), status(500), over]
      const { ended, sentAt } = yield* play(polling, script, { retry: withoutDelay })
      expect(ended._tag).toBe("Right")
      expect(sentAt).toEqual([0, 0, 1_000, 1_000, 1_000])
    })
  )
})

describe("how it ends", () => {
  it.effect("11.5 a poll that fails ends it", () =>
    Effect.gen(function* () {
      const { ended } = yield* play(Polling.until(getJob, { ...steady, done: isDone }), [
        running(0),
        status(404)
      ])
      expect(ended).toMatchObject({ left: { _tag: "NotFoundError" } })
    })
  )

  it.effect("11.5 done may fail with the caller's own error", () =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, {
        ...steady,
        done: (job) =>
          job.status === "failed"
            ? Effect.fail(new JobFailed({ status: job.status }))
            : Effect.succeed(isDone(job))
      })
      const script = [running(0), MockTransport.json({ status: "failed" })]
      const { ended } = yield* play(polling, script)
      expect(ended).toMatchObject({ left: { _tag: "JobFailed" } })
    })
  )

  it.effect("11.5 done sees the response", () =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, {
        ...steady,
        done: (_job, { attempts, headers, status }) =>
          headers["x-state"] === "ready" && status === 200 && attempts.length === 1
      })
      const { ended, requests } = yield* play(polling, [running(0), running(1, { "x-state": "ready" })])
      expect(ended).toMatchObject({ right: { percent: 1 } })
      expect(requests).toHaveLength(2)
    })
  )

  it.effect("11.6 fails once the next poll would come after the timeout", () =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, { ...steady, done: isDone, timeout: "2500 millis" })
      const { client, transport } = yield* scripted([MockTransport.forever(running(7))])
      const fiber = yield* Effect.fork(Effect.flip(client.poll(polling)))
      yield* TestClock.adjust("2 seconds")
      const error = yield* Fiber.join(fiber)
      expect(error).toBeInstanceOf(Polling.PollingTimeoutError)
      expect(error).toMatchObject({
        polls: 3,
        limit: Duration.millis(2500),
        stoppedBy: "deadline",
        delivery: "maybe-applied",
        request: { method: "GET", url: "https://api.test/v1/jobs/1" },
        excerpt: '{"status":"running","percent":7}',
        message: 'the work was not done within 2s 500ms, after 3 polls: {"status":"running","percent":7}'
      })
      expect(yield* transport.requestCount).toBe(3)
    })
  )

  it.effect("11.6 the timeout ends a poll in flight", () =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, { ...steady, done: isDone, timeout: "5 seconds" })
      const { client, transport } = yield* scripted([running(0), MockTransport.never])
      const ended = yield* settle(client.poll(polling), "5 seconds")
      expect(ended).toMatchObject({ left: { _tag: "PollingTimeoutError", polls: 1 } })
      expect(yield* transport.interrupted).toBe(1)
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect("11.6 the timeout ends a done that waits", () =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, { done: () => Effect.never, timeout: "5 seconds" })
      const { ended } = yield* play(polling, [running(0)])
      expect(ended).toMatchObject({ left: { _tag: "PollingTimeoutError" } })
    })
  )

  it.effect("11.6 the error shows no secret of the last response", () =>
    Effect.gen(function* () {
      const Secret = Schema.Struct({ status: Schema.String, token: Schema.Redacted(Schema.String) })
      const polling = Polling.until(ApiRequest.get("/jobs/1", { success: Secret }), {
        done: () => false,
        timeout: "1 second",
        ...steady
      })
      const { ended } = yield* play(polling, [
        MockTransport.json({ status: "running", token: "s3cret-token" })
      ])
      expect(ended).toMatchObject({ left: { _tag: "PollingTimeoutError" } })
      expect(JSON.stringify(ended)).not.toContain("s3cret-token")
    })
  )

  it.effect.each([
    { name: "while it polls", script: [running(0), MockTransport.never], inFlight: 1 },
    { name: "while it waits", script: [running(0), running(1)], inFlight: 0 }
  ])("8.6 an interruption $name sends nothing more", ({ inFlight, script }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(script)
      const fiber = yield* Effect.fork(client.poll(Polling.until(getJob, { ...steady, done: isDone })))
      yield* TestClock.adjust(inFlight === 1 ? "1 second" : "500 millis")
      const count = yield* transport.requestCount
      expect(yield* transport.inFlight).toBe(inFlight)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      yield* TestClock.adjust("1 hour")
      expect(yield* transport.requestCount).toBe(count)
      expect(yield* transport.inFlight).toBe(0)
    })
  )
})

describe("a polling without an end", () => {
  it.effect("11.5 a thousand polls do not deepen the stack", () =>
    Effect.gen(function* () {
      const last = 1_000
      const { client } = yield* scripted((_, index) => (index === last ? over : running(index)))
      const polling = Polling.until(getJob, {
        done: isDone,
        schedule: Schedule.forever,
        next: () => ({ url: "" })
      })
      expect(yield* client.poll(polling)).toEqual({ status: "done" })
    })
  )
})

describe("an interruption at any moment", () => {
  it.effect("8.6 leaves nothing open, and sends nothing more", () =>
    Effect.gen(function* () {
      const polling = Polling.until(getJob, {
        ...steady,
        done: (job) => Effect.as(Effect.yieldNow(), isDone(job))
      })
      for (let steps = 0; steps < 60; steps++) {
        const { client, transport } = yield* scripted([running(0), running(1), over])
        const fiber = yield* Effect.fork(client.poll(polling))
        for (let step = 0; step < steps; step++) {
          yield* step % 10 === 9 ? TestClock.adjust("1 second") : Effect.yieldNow()
        }
        yield* Fiber.interrupt(fiber)
        const count = yield* transport.requestCount
        yield* TestClock.adjust("1 minute")
        expect([yield* transport.inFlight, yield* transport.requestCount]).toEqual([0, count])
      }
    })
  )
})

describe("progress", () => {
  const polling = Polling.until(getJob, {
    ...steady,
    done: isDone,
    progress: ({ percent = 100 }, { status }) => `${status} ${percent}`
  })

  it.effect("11.5 watch emits each poll, the last one included", () =>
    Effect.gen(function* () {
      const { client: again } = yield* scripted([running(10), over])
      const values = yield* settle(drain(again.watch(Polling.until(getJob, { ...steady, done: isDone }))))
      expect(values).toMatchObject({
        right: { chunks: [[{ percent: 10 }], [{ status: "done" }]] }
      })
      const { client: third } = yield* scripted([running(10), running(60), over])
      expect(yield* settle(drain(third.watch(polling)))).toMatchObject({
        right: { chunks: [["200 10"], ["200 60"], ["200 100"]] }
      })
    })
  )

  it.effect("11.6 watch emits what came before the timeout", () =>
    Effect.gen(function* () {
      const limited = Polling.until(getJob, { ...steady, done: isDone, timeout: "1500 millis" })
      const { client } = yield* scripted([running(10), running(60)])
      const { chunks, exit } = yield* Effect.flatMap(settle(drain(client.watch(limited))), (either) => either)
      expect(chunks.flat()).toMatchObject([{ percent: 10 }, { percent: 60 }])
      expect(Exit.isFailure(exit)).toBe(true)
    })
  )

  it.effect("11.5 each run of watch polls anew, and a slow reader is not waited for twice", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([running(10), over])
      const start = yield* Clock.currentTimeMillis
      const slow = Stream.runForEach(client.watch(polling), () => Effect.sleep("10 seconds"))
      yield* settle(slow)
      expect((yield* transport.requests).map(({ at }) => at - start)).toEqual([0, 10_000])
    })
  )

  it.effect("11.5 the accessors run the client of the environment", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([over, over])
      const provided = Effect.provideService(ApiClient.ApiClient, client)
      expect(yield* provided(ApiClient.poll(polling))).toMatchObject({ status: "done" })
      const watched = yield* provided(Stream.runCollect(ApiClient.watch(polling)))
      expect(Chunk.toReadonlyArray(watched)).toEqual(["200 100"])
    })
  )
})

describe("what to poll next", () => {
  const byCursor = Polling.until(
    ApiRequest.get("/changes", { query: { limit: 1 }, success: Schema.Number }),
    {
      ...steady,
      done: (index) => index === 3,
      next: (index) => ({ query: { after: index } })
    }
  )

  it.effect("11.5 other parameters", () =>
    Effect.gen(function* () {
      const { requests } = yield* play(
        byCursor,
        [1, 2, 3].map((index) => MockTransport.json(index))
      )
      expect(requests.map(({ url }) => new URL(url).search)).toEqual([
        "?limit=1",
        "?limit=1&after=1",
        "?limit=1&after=2"
      ])
    })
  )

  it.effect("11.5 another body", () =>
    Effect.gen(function* () {
      const polling = Polling.until(ApiRequest.post("/query", { body: { q: 1 }, success: Schema.Number }), {
        ...steady,
        done: (index) => index === 2,
        next: (index) => ({ body: { q: 1, index } })
      })
      const { requests } = yield* play(polling, [MockTransport.json(1), MockTransport.json(2)])
      expect(requests.map(({ text }) => text)).toEqual(['{"q":1}', '{"q":1,"index":1}'])
    })
  )

  it.effect.each([
    { name: "done throws", done: () => bug(), reason: "done failed: a bug", next: undefined },
    { name: "next throws", done: () => false, reason: "next failed: a bug", next: () => bug() },
    { name: "next returns a number", done: () => false, reason: "next must return", next: () => 7 as never },
    {
      name: "a URL does not parse",
      done: () => false,
      reason: "does not parse",
      next: () => ({ url: "http://[" })
    },
    {
      name: "a URL leaves http",
      done: () => false,
      reason: "leaves http",
      next: () => ({ url: "file:///etc" })
    },
    { name: "done returns a string", done: () => "yes" as never, reason: "done must return", next: undefined }
  ])("11.5 fails with a ResponseValidationError: $name", ({ done, next, reason }) =>
    Effect.gen(function* () {
      const { ended, requests } = yield* play(Polling.until(getJob, { ...steady, done, next }), [running(0)])
      expect(ended).toMatchObject({
        left: { _tag: "ResponseValidationError", reason: expect.stringContaining(reason) }
      })
      expect(requests).toHaveLength(1)
    })
  )
})

const bug = (): never => {
  throw new Error("a bug")
}

describe("an operation", () => {
  const start = ApiRequest.post("/reports", { body: { year: 2026 } })
  const report = ApiRequest.get("/operations", {
    success: Schema.UndefinedOr(Schema.Struct({ total: Schema.Number }))
  })
  const accepted = (headers: Record<string, string>) => MockTransport.empty(202, { headers })
  const finished = MockTransport.json({ total: 7 })

  it.effect("11.7 polls the location of a 202 until another status", () =>
    Effect.gen(function* () {
      const polling = Polling.operation(start, report, steady)
      const { ended, requests, sentAt } = yield* play(polling, [
        accepted({ location: "operations/1?v=2", "retry-after": "3" }),
        accepted({ "retry-after": "4" }),
        accepted({ location: "/v1/operations/1b" }),
        finished
      ])
      expect(ended).toMatchObject({ right: { total: 7 } })
      expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
        "POST https://api.test/v1/reports",
        "GET https://api.test/v1/operations/1?v=2",
        "GET https://api.test/v1/operations/1?v=2",
        "GET https://api.test/v1/operations/1b"
      ])
      expect(sentAt).toEqual([0, 3_000, 7_000, 8_000])
    })
  )

  it.effect.each([
    { headers: { "operation-location": "/a", location: "/b" }, path: "/a" },
    { headers: { "azure-asyncoperation": "https://api.test/c", location: "/b" }, path: "/c" }
  ])("11.7 $path is where the work is polled, not where its result is", ({ headers, path }) =>
    Effect.gen(function* () {
      const { requests } = yield* play(Polling.operation(start, report, steady), [
        accepted(headers),
        finished
      ])
      expect(requests[1]?.url).toBe(`https://api.test${path}`)
    })
  )

  it.effect("11.7 a location of the caller's, from the body, and a done", () =>
    Effect.gen(function* () {
      const started = ApiRequest.post("/reports", { success: Schema.Struct({ self: Schema.String }) })
      const polling = Polling.operation(started, getJob, {
        ...steady,
        done: isDone,
        location: ({ status, value }) => (status === 201 ? (value as { self: string }).self : undefined)
      })
      const { ended, requests } = yield* play(polling, [
        MockTransport.json({ self: "/v1/jobs/9" }, { status: 201 }),
        running(0),
        over
      ])
      expect(ended).toMatchObject({ right: { status: "done" } })
      expect(requests.map(({ url }) => new URL(url).pathname)).toEqual([
        "/v1/reports",
        "/v1/jobs/9",
        "/v1/jobs/9"
      ])
    })
  )

  it.effect("11.7 a 303 leads to where the work is polled, and the first request is sent once", () =>
    Effect.gen(function* () {
      const { ended, requests } = yield* play(Polling.operation(start, getJob, { ...steady, done: isDone }), [
        status(303, { location: "/v1/jobs/3" }),
        running(0),
        running(1),
        over
      ])
      expect(ended).toMatchObject({ right: { status: "done" } })
      expect(requests.map(({ method, url }) => `${method} ${new URL(url).pathname}`)).toEqual([
        "POST /v1/reports",
        "GET /v1/jobs/3",
        "GET /v1/jobs/3",
        "GET /v1/jobs/3"
      ])
    })
  )

  it.effect("11.7 a location is relative to the URL that responded", () =>
    Effect.gen(function* () {
      const moved = status(308, { location: "https://api.test/v2/deep/reports" })
      const { requests } = yield* play(Polling.operation(start, report, steady), [
        moved,
        accepted({ location: "operations/1" }),
        finished
      ])
      expect(requests[2]?.url).toBe("https://api.test/v2/deep/operations/1")
    })
  )

  it.effect.each([
    { name: "another origin", location: "https://elsewhere.test/op", trusted: [], sent: false },
    {
      name: "a trusted origin",
      location: "https://elsewhere.test/op",
      trusted: ["https://elsewhere.test"],
      sent: true
    },
    { name: "its own origin", location: "/op", trusted: [], sent: true }
  ])("8.1 $name gets the credentials: $sent", ({ location, sent, trusted }) =>
    Effect.gen(function* () {
      const secret = ApiRequest.get("/operations", {
        success: ResponseDecoder.json,
        headers: { "x-tenant": Redacted.make("s3cret-tenant") }
      })
      const { requests } = yield* play(
        Polling.operation(start, secret, { ...steady, done: (value) => value !== undefined }),
        [accepted({ location }), accepted({}), finished],
        { credentials: Credentials.bearer(Redacted.make("s3cret-key")), trustedOrigins: trusted }
      )
      expect(requests).toHaveLength(3)
      for (const { headers } of requests.slice(1)) {
        expect(headers["authorization"]).toBe(sent ? "Bearer s3cret-key" : undefined)
        // A secret of the request goes to no other origin, trusted or not.
        expect(headers["x-tenant"]).toBe(location.startsWith("/") ? "s3cret-tenant" : undefined)
      }
    })
  )

  it.effect.each([
    { name: "no location", step: accepted({}), reason: "does not say where" },
    {
      name: "a location that does not parse",
      step: accepted({ location: "http://[" }),
      reason: "does not parse"
    },
    { name: "a location of another scheme", step: accepted({ location: "ftp://x/" }), reason: "leaves http" },
    {
      name: "a location without TLS",
      step: accepted({ location: "http://api.test/" }),
      reason: "https to http"
    }
  ])("11.7 fails: $name", ({ reason, step }) =>
    Effect.gen(function* () {
      const { ended, requests } = yield* play(Polling.operation(start, report), [step])
      expect(ended).toMatchObject({
        left: { _tag: "ResponseValidationError", status: 202, reason: expect.stringContaining(reason) }
      })
      expect(requests).toHaveLength(1)
    })
  )

  it.effect("11.7 the timeout covers the request that starts the work, which is sent once", () =>
    Effect.gen(function* () {
      const polling = Polling.operation(start, report, { timeout: "1 second" })
      const { ended, requests } = yield* play(polling, [MockTransport.never])
      expect(ended).toMatchObject({
        left: { _tag: "PollingTimeoutError", polls: 0, request: { method: "POST" } }
      })
      expect(requests).toHaveLength(1)
    })
  )
})

describe("invalid options", () => {
  it.effect.each<{ readonly field: string; readonly options: object }>([
    { field: "polling.done", options: {} },
    { field: "polling.done", options: { done: true } },
    { field: "polling.timeout", options: { done: isDone, timeout: 0 } },
    { field: "polling.timeout", options: { done: isDone, timeout: "soon" } },
    { field: "polling.initialDelay", options: { done: isDone, initialDelay: 0 } },
    { field: "polling.maxDelay", options: { done: isDone, maxDelay: Number.POSITIVE_INFINITY } },
    { field: "polling.factor", options: { done: isDone, factor: 0.5 } },
    { field: "polling.jitter", options: { done: isDone, jitter: 2 } },
    { field: "polling.schedule", options: { done: isDone, schedule: 5 } },
    { field: "polling.interval", options: { done: isDone, interval: 5 } }
  ])("11.5 $field: nothing is sent", ({ field, options }) =>
    Effect.gen(function* () {
      const { ended, requests } = yield* play(Polling.until(getJob, options as never), [])
      expect(ended).toMatchObject({ left: { _tag: "InvalidRequestError", field } })
      expect(requests).toHaveLength(0)
    })
  )
})
