/** A transport of the program's own whose response throws: the call dies, and nothing of the client stays taken. */
import { Cookies, Headers, HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, CircuitBreaker, NativeTransport, RateLimit } from "@effect-api/client"
import { Cause, Effect, Exit, Option, Stream, TestClock } from "effect"
import { clientOn } from "../fixtures/requests.js"

const bytes = new TextEncoder().encode("1")

const fine: NativeTransport.Source = {
  status: 200,
  headers: Headers.fromInput({ "content-type": "application/json" }),
  cookies: Cookies.empty,
  remoteAddress: Option.none(),
  chunks: Stream.make(bytes)
}

const thrown = new Error("a getter of the transport")

const hostile: ReadonlyArray<readonly [what: string, source: NativeTransport.Source]> = [
  "status",
  "headers",
  "hasHeader",
  "url"
].map((name) => [
  name,
  Object.defineProperty({ ...fine }, name, {
    get: () => {
      throw thrown
    }
  })
])

const transport = (sources: ReadonlyArray<NativeTransport.Source>): HttpClient.HttpClient => {
  const left = [...sources]
  return NativeTransport.attach(
    HttpClient.make(() => Effect.dieMessage("is native")),
    {
      setsLimits: true,
      exchange: (_request, _timeouts, _cap, listener) => {
        listener.done({ source: left.shift() ?? fine, bytes, complete: true })
        return () => undefined
      },
      open: () => () => undefined
    }
  )
}

const down: NativeTransport.Source = { ...fine, status: 503 }

describe("a native transport", () => {
  it.effect.each(hostile)("6.26 whose %s throws gives the place of a probe back at once", ([, source]) =>
    Effect.gen(function* () {
      const client = yield* clientOn(transport([down, source]), {
        circuitBreaker: CircuitBreaker.make({ consecutiveFailures: 1, jitter: 0, probes: 1 }),
        retry: { maxRetries: 0 }
      })
      const call = client.execute(ApiRequest.get("/todos"))
      expect(yield* Effect.flip(call)).toMatchObject({ status: 503 })
      expect(yield* Effect.flip(call)).toMatchObject({ _tag: "CircuitOpenError" })
      yield* TestClock.adjust("5 seconds")
      yield* Effect.exit(call)
      expect(yield* call).toBe(1)
    })
  )

  it.effect.each(hostile)(
    "6.20 whose %s throws makes the call die, and the next call has its place",
    ([, source]) =>
      Effect.gen(function* () {
        const client = yield* clientOn(transport([source]), { rateLimit: RateLimit.make({ concurrency: 1 }) })
        const exit = yield* Effect.exit(client.execute(ApiRequest.get("/todos")))
        if (Exit.isFailure(exit)) expect(Cause.squash(exit.cause)).toBe(thrown)
        expect(yield* client.execute(ApiRequest.get("/todos"))).toBe(1)
      })
  )
})
