import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, type Middleware, RetryPolicy, Timeouts } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Duration, Effect } from "effect"
import { scripted } from "../fixtures/requests.js"
import { errors, list, ok, play, playError, settle, status, withoutJitter } from "../fixtures/retry.js"

const never = MockTransport.never
const once = { retry: RetryPolicy.none }

/** A response whose body arrives in these parts. */
const body = (...parts: ReadonlyArray<MockTransport.BodyPart>) => MockTransport.stream(parts)
const wait = (delay: Duration.DurationInput): MockTransport.BodyPart => ({ delay })

describe("the timeouts", () => {
  it("1.3 connect 5 s, response and idle 600 s, no total", () => {
    expect(Timeouts.defaults).toEqual({ connect: 5000, response: 600_000, idle: 600_000, total: Infinity })
  })

  it.each<[Timeouts.Options | undefined, Partial<Timeouts.Timeouts>]>([
    [undefined, {}],
    [{}, {}],
    [{ response: undefined }, {}],
    [{ response: "30 seconds" }, { response: 30_000 }],
    [
      { connect: 1, idle: Duration.minutes(1) },
      { connect: 1, idle: 60_000 }
    ],
    [
      { idle: Infinity, response: Duration.infinity },
      { idle: Infinity, response: Infinity }
    ],
    [{ total: 0.5 }, { total: 0.5 }]
  ])("1.3 merges %j with the defaults", (options, changed) => {
    expect(Effect.runSync(Timeouts.merge(Timeouts.defaults, options))).toEqual({
      ...Timeouts.defaults,
      ...changed
    })
  })

  it.each([0, -1, Number.NaN, "soon" as never, Duration.zero])("1.2 %s is not a valid timeout", (limit) => {
    for (const name of ["connect", "response", "idle", "total"]) {
      const merged = Timeouts.merge(Timeouts.defaults, { [name]: limit })
      expect(Effect.runSync(Effect.flip(merged))).toMatchObject({ key: `timeouts.${name}` })
    }
  })

  it.effect("1.2 a request with an invalid timeout is not sent", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/todos", { timeouts: { idle: -1 } })
      const { error, times } = yield* playError([], {}, request, 0)
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "timeouts.idle" })
      expect(times).toEqual([])
    })
  )
})

describe("response", () => {
  it.effect("7.3 applies to each attempt; a timed-out attempt is aborted and retried", () =>
    Effect.gen(function* () {
      const options = { timeouts: { response: "10 seconds" }, retry: withoutJitter } as const
      const { ended, times, transport } = yield* play([never, never, ok], options)
      expect(times).toEqual([0, 10_500, 21_500])
      expect(ended).toMatchObject({ right: { value: "ok" } })
      expect(yield* transport.interrupted).toBe(2)
    })
  )

  it.effect("7.3 the TimeoutError has the phase and the limit", () =>
    Effect.gen(function* () {
      const { error } = yield* playError([never], { timeouts: { response: "10 seconds" }, ...once })
      expect(error).toMatchObject({
        _tag: "TimeoutError",
        phase: "response",
        limit: Duration.seconds(10),
        message: "the response limit of 10s passed",
        delivery: "maybe-applied",
        stoppedBy: "attempts"
      })
    })
  )

  it.effect.each([
    { limit: undefined, delay: "599 seconds", passed: false },
    { limit: undefined, delay: "601 seconds", passed: true },
    { limit: "5 seconds", delay: "4999 millis", passed: false },
    { limit: "5 seconds", delay: "5001 millis", passed: true },
    { limit: Infinity, delay: "1 day", passed: false }
  ] as const)("7.3 a limit of $limit and a response after $delay", ({ delay, limit, passed }) =>
    Effect.gen(function* () {
      const script = [MockTransport.json(1, { delay })]
      const { ended } = yield* play(script, { timeouts: { response: limit }, ...once }, list, "25 hours")
      expect(ended).toMatchObject(passed ? { left: { phase: "response" } } : { right: { value: 1 } })
    })
  )

  it.effect("7.3 ends with the headers, so the body may take longer", () =>
    Effect.gen(function* () {
      const { ended } = yield* play([body("[", wait("1 minute"), "1]")], {
        timeouts: { response: "1 second" }
      })
      expect(ended).toMatchObject({ right: { value: [1] } })
    })
  )

  it.effect("7.3 excludes the time spent in a middleware", () =>
    Effect.gen(function* () {
      const slow: Middleware.Middleware = (request, next) => Effect.delay(next(request), "1 minute")
      const { ended } = yield* play([ok], { timeouts: { response: "1 second" }, middleware: [slow] })
      expect(ended).toMatchObject({ right: { value: "ok" } })
    })
  )
})

describe("idle", () => {
  const timeouts = { idle: "5 seconds" } as const

  it.effect("7.3 a stalled body is aborted and retried", () =>
    Effect.gen(function* () {
      const silent = body("[1, ", wait(Infinity))
      const { ended, times, transport } = yield* play([silent, body(wait(Infinity)), ok], {
        timeouts,
        retry: withoutJitter
      })
      expect(times).toEqual([0, 5500, 11_500])
      expect(ended).toMatchObject({ right: { value: "ok" } })
      expect(yield* transport.interrupted).toBe(2)
    })
  )

  it.effect("7.3 the TimeoutError has the phase and the limit", () =>
    Effect.gen(function* () {
      const { error } = yield* playError([body("[1, ", wait(Infinity))], { timeouts, ...once })
      expect(error).toMatchObject({
        _tag: "TimeoutError",
        phase: "idle",
        limit: Duration.seconds(5),
        message: "the idle limit of 5s passed",
        attempts: [{ duration: Duration.seconds(5) }]
      })
    })
  )

  it.effect.each([
    {
      name: "a pause within the limit before the first chunk",
      parts: [wait("4999 millis"), "1"],
      cut: undefined
    },
    { name: "a pause above the limit before the first chunk", parts: [wait("5001 millis"), "1"], cut: 5000 },
    {
      name: "a pause within the limit before each chunk",
      parts: Array.from({ length: 20 }, () => [wait("4 seconds"), " "])
        .flat()
        .concat("1"),
      cut: undefined
    },
    {
      name: "a pause above the limit between two chunks",
      parts: [wait("4 seconds"), "1", wait("6 seconds"), "1"],
      cut: 9000
    },
    { name: "a pause above the limit before the end", parts: ["1", wait("6 seconds")], cut: 5000 }
  ])("7.3 a body with $name", ({ cut, parts }) =>
    Effect.gen(function* () {
      const { ended } = yield* play([body(...parts)], { timeouts, ...once })
      expect(ended).toMatchObject(
        cut === undefined
          ? { right: { value: 1 } }
          : { left: { phase: "idle", attempts: [{ duration: Duration.millis(cut) }] } }
      )
    })
  )

  it.effect.each([
    { limit: undefined, delay: "599 seconds", passed: false },
    { limit: undefined, delay: "601 seconds", passed: true },
    { limit: Infinity, delay: "1 day", passed: false }
  ] as const)("7.3 a limit of $limit and a pause of $delay", ({ delay, limit, passed }) =>
    Effect.gen(function* () {
      const { ended } = yield* play(
        [body(wait(delay), "1")],
        { timeouts: { idle: limit }, ...once },
        list,
        "25 hours"
      )
      expect(ended).toMatchObject(passed ? { left: { phase: "idle" } } : { right: { value: 1 } })
    })
  )

  it.effect.each([
    { idle: "1 second", took: 1000 },
    { idle: "1 hour", took: 5000 },
    { idle: Infinity, took: 5000 }
  ] as const)("7.1 an error's stalled body does not hide the status: idle $idle", ({ idle, took }) =>
    Effect.gen(function* () {
      const step = MockTransport.stream(['{"error"', wait(Infinity)], { status: 404 })
      const { error, transport } = yield* playError([step], { timeouts: { idle } })
      expect(error).toMatchObject({
        _tag: "NotFoundError",
        status: 404,
        body: undefined,
        message: "404 Not Found"
      })
      expect(error.attempts).toMatchObject([{ duration: Duration.millis(took) }])
      expect(yield* transport.interrupted).toBe(1)
    })
  )

  it.effect("7.1 an error's reset body does not hide the status", () =>
    Effect.gen(function* () {
      const broken = ["{", { fail: MockTransport.systemError("ECONNRESET") }]
      const { error } = yield* playError([MockTransport.stream(broken, { status: 404 })])
      expect(error).toMatchObject({ _tag: "NotFoundError", status: 404, body: undefined })
    })
  )
})

describe("precedence of timeouts", () => {
  it.effect("1.3 a request's timeouts override the client's, one by one", () =>
    Effect.gen(function* () {
      const options = { timeouts: { response: "10 seconds", idle: "20 seconds" }, ...once } as const
      const request = ApiRequest.get("/todos", { timeouts: { idle: "3 seconds" } })
      const { error } = yield* playError([body(wait(Infinity))], options, request)
      expect(error).toMatchObject({ phase: "idle", limit: Duration.seconds(3) })
      const { error: other } = yield* playError([never], options, request)
      expect(other).toMatchObject({ phase: "response", limit: Duration.seconds(10) })
    })
  )

  it.effect("1.4 withOptions overrides the client's timeouts, one by one", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([never, body(wait(Infinity))], {
        timeouts: { response: "10 seconds", idle: "20 seconds" },
        ...once
      })
      const other = client.withOptions({ timeouts: { response: "1 second" } })
      expect(yield* settle(other.execute(list))).toMatchObject({ left: { limit: Duration.seconds(1) } })
      expect(yield* settle(other.execute(list))).toMatchObject({ left: { limit: Duration.seconds(20) } })
    })
  )

  it.effect("6.4 a retry after an idle timeout has the price of a timeout", () =>
    Effect.gen(function* () {
      const options = { timeouts: { idle: 1000 }, retry: { ...withoutJitter, budget: { capacity: 19 } } }
      const { error, times } = yield* playError([MockTransport.forever(body(wait(Infinity)))], options)
      expect(times).toEqual([0, 1500])
      expect(error.stoppedBy).toBe("budget")
    })
  )

  it.effect("6.1 a TimeoutError from a middleware is retried", () =>
    Effect.gen(function* () {
      const limited: Middleware.Middleware = (request, next) =>
        Effect.timeoutFail(next(request), { duration: "1 second", onTimeout: () => errors.TimeoutError })
      const { times } = yield* play([never, status(404)], { middleware: [limited], retry: withoutJitter })
      expect(times).toEqual([0, 1500])
    })
  )
})
