import { describe, expect, it } from "@effect/vitest"
import { type ApiRequest, EventStream, type Middleware } from "@effect-api/client"
import type { MockTransport } from "@effect-api/testing"
import { Effect, Exit, Option, Stream } from "effect"
import { countsOf, labelled } from "../fixtures/metrics.js"
import { type RecordedSpan, recorder } from "../fixtures/recorder.js"
import { scripted } from "../fixtures/requests.js"
import { status, withoutJitter } from "../fixtures/retry.js"
import {
  done,
  errorEvent,
  getEvents,
  neverEnding,
  ping,
  playStream,
  reset,
  sse,
  Tick,
  tick,
  tickEvents,
  ticks,
  untilDone
} from "../fixtures/streams.js"

/** When a span ended, and whether it failed. */
const endOf = ({ name, status }: RecordedSpan) =>
  status._tag === "Ended" ? { name, at: status.endTime, failed: Exit.isFailure(status.exit) } : { name }

describe("the span of a stream", () => {
  const traced = <A, E>(script: MockTransport.Script, request: ApiRequest.StreamRequest<A, E>) =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const read = yield* Effect.provide(playStream(script, request, { retry: withoutJitter }), layer)
      return { ...read, spans }
    })

  it.effect("12.1 ends with the stream, and has an event per attempt", () =>
    Effect.gen(function* () {
      const script = [status(503), sse([tick(1), { delay: 3000 }, tick(2)])]
      const { spans, took } = yield* traced(script, getEvents(tickEvents))
      expect(took).toBe(3500)
      expect(spans.map(endOf)).toEqual([{ name: "GET /ticks", at: 3_500_000_000n, failed: false }])
      // The logged retry is an event of the span, too.
      const attempts = spans[0]?.events.filter(({ name }) => name === "http.client.attempt")
      expect(attempts).toHaveLength(2)
      expect(Object.fromEntries(spans[0]?.attributes ?? [])).toMatchObject({
        "http.response.status_code": 200,
        "http.request.resend_count": 1,
        "url.template": "/ticks"
      })
    })
  )

  it.effect("12.1 has the tag of the error that ended the stream", () =>
    Effect.gen(function* () {
      const script = [sse([tick(1), { delay: 3000 }, errorEvent("overloaded_error")])]
      const { spans } = yield* traced(script, getEvents(tickEvents))
      expect(spans.map(endOf)).toEqual([{ name: "GET /ticks", at: 3_000_000_000n, failed: true }])
      expect(spans[0]?.attributes.get("error.type")).toBe("OverloadedError")
    })
  )

  it.effect("12.1 ends without an error when the consumer leaves early", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client } = yield* scripted([sse([tick(1), neverEnding])])
      const head = yield* Effect.provide(Stream.runHead(client.stream(getEvents(tickEvents))), layer)
      expect(Option.getOrThrow(head)).toEqual({ n: 1 })
      expect(spans.map(endOf)).toEqual([{ name: "GET /ticks", at: 0n, failed: false }])
      expect(spans[0]?.attributes.has("error.type")).toBe(false)
    })
  )

  it.effect("12.1 is sent as traceparent with every attempt", () =>
    Effect.gen(function* () {
      const { requests, spans } = yield* traced([status(503), sse(tick(1))], getEvents(tickEvents))
      const traceparent = `00-${spans[0]?.traceId}-${spans[0]?.spanId}-01`
      expect(requests.map(({ headers }) => headers["traceparent"])).toEqual([traceparent, traceparent])
    })
  )
})

describe("the metrics of a stream", () => {
  it.effect("12.2 events are counted when they are emitted", () =>
    Effect.gen(function* () {
      const script = [sse([ticks(1, 2) + ping, tick(3), "data: 1\n\n", tick(4)])]
      const contract = EventStream.make({ event: { message: Tick } })
      yield* labelled("events")(playStream(script, getEvents(contract), {}, 0))
      expect(countsOf("http.client.stream.events", "events")).toEqual([3])
    })
  )

  it.effect.each([
    { name: "at its end", step: sse(ticks(1, 2)) },
    { name: "at its terminal event", step: sse([tick(1) + done, neverEnding]) },
    { name: "on a reset", step: sse([tick(1), reset]) },
    { name: "on a 404", step: status(404) }
  ])("12.2 the active request is released $name", ({ name, step }) =>
    Effect.gen(function* () {
      const active = () => countsOf("http.client.active_requests", name)
      const during: Array<unknown> = []
      const middleware: Middleware.Middleware = (request, next) =>
        Effect.suspend(() => {
          during.push(active())
          return next(request)
        })
      yield* labelled(name)(playStream([step], getEvents(untilDone), { middleware: [middleware] }, 0))
      expect(during).toEqual([[1]])
      expect(active()).toEqual([0])
    })
  )
})
