/** Headers that nobody reads are not parsed: for most calls this costs more than their decoding. */
import { Cookies, Headers, HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, ApiRequest, CircuitBreaker, NativeTransport, RateLimit } from "@effect-api/client"
import { Effect, Option, Schema, Stream } from "effect"
import { clientOn } from "../fixtures/requests.js"

const bytes = new TextEncoder().encode('{"id":1}')

/** A source that counts how often its headers are read. */
const counting = (): { readonly source: NativeTransport.Source; readonly reads: () => number } => {
  let reads = 0
  return {
    reads: () => reads,
    source: {
      status: 200,
      get headers() {
        reads++
        return Headers.fromInput({ "content-type": "application/json" })
      },
      hasHeader: () => false,
      cookies: Cookies.empty,
      remoteAddress: Option.none(),
      chunks: Stream.make(bytes)
    }
  }
}

const transport = (source: NativeTransport.Source): HttpClient.HttpClient =>
  NativeTransport.attach(
    HttpClient.make(() => Effect.dieMessage("is native")),
    {
      setsLimits: true,
      exchange: (_request, _timeouts, _cap, listener) => {
        listener.done({ source, bytes, complete: true })
        return () => undefined
      },
      open: () => () => undefined
    }
  )

const unread: ReadonlyArray<readonly [what: string, options: Partial<ApiConfig.Options>]> = [
  ["no setting", {}],
  ["a total limit", { timeouts: { total: "1 minute" } }],
  ["a middleware", { middleware: [(request, next) => next(request)] }],
  ["a limit of concurrency", { rateLimit: RateLimit.make({ concurrency: 2 }) }],
  ["a quota", { rateLimit: RateLimit.make({ quotas: { requests: { limit: 9, window: "1 minute" } } }) }],
  ["no limits", { rateLimit: false }],
  ["a circuit breaker", { circuitBreaker: CircuitBreaker.make({ consecutiveFailures: 1 }) }]
]

const request = ApiRequest.get("/todos", { success: Schema.Struct({ id: Schema.Number }) })

describe("the headers of a response", () => {
  it.effect.each(unread)("are not read for a value with %s", ([, options]) =>
    Effect.gen(function* () {
      const { reads, source } = counting()
      const client = yield* clientOn(transport(source), options)
      expect(yield* client.execute(request)).toEqual({ id: 1 })
      expect(reads()).toBe(0)
    })
  )

  it.effect("are read where the caller asks for them, and where the client learns limits", () =>
    Effect.gen(function* () {
      const asked = counting()
      const client = yield* clientOn(transport(asked.source))
      const { headers } = yield* client.executeWithResponse(request)
      expect(headers).toMatchObject({ "content-type": "application/json" })
      expect(asked.reads()).toBeGreaterThan(0)
      const learnt = counting()
      const learning = yield* clientOn(transport(learnt.source), {
        rateLimit: RateLimit.make({ learn: true })
      })
      yield* learning.execute(request)
      expect(learnt.reads()).toBeGreaterThan(0)
    })
  )
})
