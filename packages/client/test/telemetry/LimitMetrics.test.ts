/** The metrics of limits, on the test clock. Each test has a client of its own name, and so gauges of its own. */
import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, ApiRequest, Credentials, RateLimit } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Clock, Effect, Redacted, TestClock } from "effect"
import { allSeries, countsOf, labelled, metricsOf } from "../fixtures/metrics.js"
import { scripted } from "../fixtures/requests.js"

const ok = MockTransport.json("ok")
const busy = (retryAfter: string, delay: number | string = 0) =>
  MockTransport.json({}, { status: 429, headers: { "retry-after": retryAfter }, delay: delay as "1 second" })

const list = ApiRequest.get("/todos")
const other = ApiRequest.get("/other")

const limits = "http.client.rate_limit."

/** Runs requests at once, each with one attempt, and returns the metrics of limits by the end of their names. */
const measured = (
  name: string,
  script: MockTransport.Script,
  options: Partial<ApiConfig.Options> = {},
  requests: ReadonlyArray<ApiRequest.ApiRequest<unknown>> = [list]
) =>
  Effect.gen(function* () {
    const { client } = yield* scripted(script, { name, retry: { maxRetries: 0 }, ...options })
    const fiber = yield* Effect.fork(
      Effect.forEach(requests, (request) => Effect.exit(client.execute(request)), {
        concurrency: "unbounded"
      }).pipe(labelled(name))
    )
    yield* TestClock.adjust("1 second")
    yield* fiber
    return shown(name)
  })

const shown = (label: string): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    allSeries()
      .filter((series) => series.label === label && series.name.startsWith(limits))
      .map(({ count, name, tags }) => [
        [name.slice(limits.length), tags["rate_limit.unit"]].filter(Boolean).join(" "),
        count
      ])
  )

describe("gates", () => {
  it.effect("12.10 a 429 that makes calls wait is counted, and the gauge passes by itself", () =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const found = yield* measured("closed", [busy("3")])
      expect(found).toEqual({ refusals: 1, "closed.time": 3, open_timestamp: now / 1000 + 3 })
      // No call comes: two seconds later the time is not in the future any more.
      yield* TestClock.adjust("2 seconds")
      expect(shown("closed")["open_timestamp"]).toBe((yield* Clock.currentTimeMillis) / 1000)
    })
  )

  it.effect("12.10 the tags are the server and the client's name, and never a key", () =>
    Effect.gen(function* () {
      yield* measured("tagged", [busy("3")], {
        rateLimit: RateLimit.make({ key: ({ template }) => template })
      })
      const tags = { "server.address": "api.test", "server.port": "443", "peer.service": "tagged" }
      expect(metricsOf(`${limits}refusals`, "tagged").map(({ tags }) => tags)).toEqual([
        { ...tags, unit: "{response}" }
      ])
      for (const name of ["closed.time", "open_timestamp"])
        expect(metricsOf(limits + name, "tagged").map(({ tags }) => tags)).toEqual([{ ...tags, unit: "s" }])
    })
  )

  it.effect("12.10 refusals of calls in flight count once for the time that they share", () =>
    Effect.gen(function* () {
      const script = [busy("1", "250 millis"), busy("1", "750 millis"), busy("1", "500 millis")]
      const found = yield* measured("shared", script, {}, [list, list, list])
      expect(found).toMatchObject({ refusals: 3, "closed.time": 1.5, open_timestamp: 1.75 })
    })
  )

  it.effect("12.10 of two keys the last to open is shown", () =>
    Effect.gen(function* () {
      const script: MockTransport.Script = (request) => busy(request.url.endsWith("/todos") ? "20" : "5")
      const options = { rateLimit: RateLimit.make({ key: ({ template }) => template }) }
      const found = yield* measured("keys", script, options, [list, other])
      expect(found).toEqual({ refusals: 2, "closed.time": 25, open_timestamp: 20 })
    })
  )

  it.effect.each([
    ["without a hint", [MockTransport.json({}, { status: 429 })], {}],
    ["of another status", [MockTransport.json({}, { status: 503, headers: { "retry-after": "5" } })], {}],
    ["of a client without limits", [busy("5")], { rateLimit: false }],
    ["that the policy ignores", [busy("500")], { retry: { onLongRetryAfter: "backoff", maxRetries: 0 } }],
    ["that is none", [ok], { rateLimit: RateLimit.make({ concurrency: 1 }) }]
  ] as const)("12.10 a refusal %s is not counted", ([title, script, options]) =>
    Effect.gen(function* () {
      expect(yield* measured(title, script, options)).toEqual({})
    })
  )

  it.effect("12.10 a wait ends when the client tries again", () =>
    Effect.gen(function* () {
      const options = { retry: { maxRetryAfter: "30 seconds", maxRetries: 0 } } as const
      expect(yield* measured("long", [busy("3600")], options)).toEqual({
        refusals: 1,
        "closed.time": 30,
        open_timestamp: 30
      })
    })
  )
})

describe("learned limits", () => {
  const reporting = (headers: Readonly<Record<string, string>>) => MockTransport.json("ok", { headers })
  const requests = (remaining: number, limit = 50, reset = 60) => ({
    "x-ratelimit-limit-requests": String(limit),
    "x-ratelimit-remaining-requests": String(remaining),
    "x-ratelimit-reset-requests": `${reset}s`
  })
  const learn = { rateLimit: RateLimit.make({ learn: true }) }

  it.effect("12.11 shows what a response reports, by unit", () =>
    Effect.gen(function* () {
      const headers = {
        ...requests(49),
        "anthropic-ratelimit-input-tokens-limit": "10000",
        "anthropic-ratelimit-input-tokens-remaining": "9000"
      }
      expect(yield* measured("units", [reporting(headers)], learn)).toEqual({
        "limit requests": 50,
        "remaining requests": 49,
        "reset_timestamp requests": 60,
        "limit input-tokens": 10_000,
        "remaining input-tokens": 9000,
        // The server names no reset: the number is good for a minute.
        "reset_timestamp input-tokens": 60
      })
      expect(metricsOf(`${limits}limit`, "units")[0]?.tags).toEqual({
        unit: "{unit}",
        "server.address": "api.test",
        "server.port": "443",
        "peer.service": "units",
        "rate_limit.unit": "requests"
      })
    })
  )

  it.effect("12.11 nothing is shown without learn", () =>
    Effect.gen(function* () {
      const options = { rateLimit: RateLimit.make({ concurrency: 1 }) }
      expect(yield* measured("unlearnt", [reporting(requests(1))], options)).toEqual({})
    })
  )

  it.effect("12.11 of several keys the one with the least left is shown, until its time has passed", () =>
    Effect.gen(function* () {
      const left = { todos: 20, other: 30 }
      const { client } = yield* scripted(
        (request) => reporting(requests(request.url.endsWith("/todos") ? left.todos : left.other)),
        { name: "least", rateLimit: RateLimit.make({ learn: true, key: ({ template }) => template }) }
      )
      const remaining = (request: ApiRequest.ApiRequest<unknown>) =>
        client.execute(request).pipe(
          labelled("least"),
          Effect.map(() => shown("least")["remaining requests"])
        )
      expect(yield* remaining(other)).toBe(30)
      expect(yield* remaining(list)).toBe(20)
      expect(yield* remaining(other)).toBe(20)
      // The key whose limit is shown shows whatever it has.
      left.todos = 40
      yield* TestClock.adjust("1 second")
      expect(yield* remaining(list)).toBe(40)
      expect(yield* remaining(other)).toBe(30)
      yield* TestClock.adjust("61 seconds")
      expect(yield* remaining(list)).toBe(40)
    })
  )

  it.effect("12.11 a key whose reset is far away is shown for an hour", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(
        (request) => reporting(request.url.endsWith("/todos") ? requests(1, 50, 1e12) : requests(30)),
        { name: "far", rateLimit: RateLimit.make({ learn: true, key: ({ template }) => template }) }
      )
      const remaining = (request: ApiRequest.ApiRequest<unknown>) =>
        client.execute(request).pipe(
          labelled("far"),
          Effect.map(() => shown("far")["remaining requests"])
        )
      expect(yield* remaining(list)).toBe(1)
      yield* TestClock.adjust("59 minutes")
      expect(yield* remaining(other)).toBe(1)
      yield* TestClock.adjust("1 minute")
      expect(yield* remaining(other)).toBe(30)
    })
  )

  it.effect("12.11 of several limits on one unit the one with the least left is shown", () =>
    Effect.gen(function* () {
      const headers = {
        ratelimit: '"day";r=900;t=3600, "minute";r=7;t=30',
        "ratelimit-policy": '"day";q=1000;w=86400, "minute";q=10;w=60'
      }
      expect(yield* measured("policies", [reporting(headers)], learn)).toEqual({
        "limit requests": 10,
        "remaining requests": 7,
        "reset_timestamp requests": 30
      })
    })
  )

  it.effect("12.11 a server cannot name units without end, nor show a secret", () =>
    Effect.gen(function* () {
      let response = 0
      const { client } = yield* scripted(
        () =>
          reporting({
            [`x-ratelimit-remaining-s3cret-key-${response++}`]: "1",
            ratelimit: '"a";r=1, "b";r=1',
            "ratelimit-policy": `"a";q=5;qu="unit ${response}", "b";q=5;qu="${"u".repeat(41)}"`
          }),
        {
          name: "hostile",
          credentials: Credentials.bearer(Redacted.make("s3cret-key")),
          rateLimit: RateLimit.make({ learn: true })
        }
      )
      for (let index = 0; index < 30; index++) {
        yield* client.execute(list).pipe(labelled("hostile"))
        yield* TestClock.adjust("1 second")
      }
      expect(Object.keys(shown("hostile")).sort()).toEqual([
        "limit other",
        "remaining other",
        "reset_timestamp other"
      ])
      const many = yield* scripted(() => reporting({ [`x-ratelimit-remaining-unit${response++}`]: "1" }), {
        name: "many",
        rateLimit: RateLimit.make({ learn: true, key: () => String(response) })
      })
      for (let index = 0; index < 50; index++) yield* many.client.execute(list).pipe(labelled("many"))
      const units = metricsOf(`${limits}remaining`, "many").map(({ tags }) => tags["rate_limit.unit"])
      expect(units).toHaveLength(17)
      expect(units).toContain("other")
      expect(countsOf(`${limits}limit`, "many")).toEqual([])
    })
  )
})
