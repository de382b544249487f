import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Exit, Fiber, Redacted, Scope, Stream, TestClock } from "effect"
import { scripted, withoutDelay } from "../fixtures/requests.js"
import { status } from "../fixtures/retry.js"
import {
  done,
  errorEvent,
  follow,
  getEvents,
  neverEnding,
  reset,
  resumable,
  sse,
  tick,
  tickEvents,
  ticks,
  untilDone,
  values
} from "../fixtures/streams.js"

const request = getEvents(tickEvents)

describe("a stream with its response", () => {
  it.effect("10.9 gives status, headers, request id, URL and attempts beside the events", () =>
    Effect.gen(function* () {
      const head = { headers: { "request-id": "r1", "x-ratelimit-remaining": "9" } }
      const { client, transport } = yield* scripted([status(503), sse([tick(1), ticks(2, 3)], head)], {
        retry: withoutDelay
      })
      const { attempts, stream, ...around } = yield* client.streamWithResponse(request)
      expect(around).toMatchObject({
        status: 200,
        requestId: "r1",
        url: "https://api.test/v1/ticks",
        headers: { "x-ratelimit-remaining": "9" }
      })
      expect(attempts.map(({ status, tag }) => [status, tag])).toEqual([
        [503, "ServiceUnavailableError"],
        [200, undefined]
      ])
      expect((yield* follow(stream)).chunks).toEqual([values(1), values(2, 3)])
      expect(yield* transport.inFlight).toBe(0)
    }).pipe(Effect.scoped)
  )

  it.effect("10.9 the accessor runs the client of the environment", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([sse(ticks(1, 2))])
      const { stream } = yield* Effect.provideService(
        ApiClient.streamWithResponse(request),
        ApiClient.ApiClient,
        client
      )
      expect((yield* follow(stream)).events).toEqual(values(1, 2))
    }).pipe(Effect.scoped)
  )

  it.effect.each([
    { name: "no events", script: sse(""), contract: tickEvents },
    { name: "the terminal event alone", script: sse(done), contract: untilDone },
    { name: "no body", script: status(204), contract: tickEvents }
  ])("10.9 a response with $name has an empty stream", ({ contract, script }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([script])
      const response = yield* client.streamWithResponse(getEvents(contract))
      expect((yield* follow(response.stream)).events).toEqual([])
      expect(yield* transport.inFlight).toBe(0)
    }).pipe(Effect.scoped)
  )

  it.effect.each([
    { name: "a status", script: [status(404)], tag: "NotFoundError" },
    { name: "an error event", script: [sse(errorEvent("overloaded_error"))], tag: "OverloadedError" },
    { name: "another media type", script: [MockTransport.text("<html>")], tag: "StreamProtocolError" },
    { name: "a break before the first event", script: [sse([": ping\n\n", reset])], tag: "ConnectionError" }
  ])("10.9 fails before the first event: $name", ({ script, tag }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(script, { retry: { maxRetries: 0 } })
      const scope = yield* Scope.make()
      const error = yield* Effect.flip(Scope.extend(client.streamWithResponse(request), scope))
      expect(error._tag).toBe(tag)
      expect(yield* transport.inFlight).toBe(0)
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.effect("10.9 fails in the stream after the first event", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([sse([tick(1), reset])])
      const { stream } = yield* client.streamWithResponse(request)
      const read = yield* follow(stream)
      expect(read).toMatchObject({ events: values(1), error: { _tag: "ConnectionError" } })
    }).pipe(Effect.scoped)
  )

  it.effect("10.9 a stream that nobody runs is closed with its scope", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([sse([tick(1), neverEnding])])
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* client.streamWithResponse(request)
          expect(yield* transport.inFlight).toBe(1)
        })
      )
      expect(yield* transport.inFlight).toBe(0)
      expect(yield* transport.interrupted).toBe(1)
    })
  )

  it.effect("10.9 leaving the stream closes the connection before the scope does", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([sse([tick(1), tick(2), neverEnding])])
      const { stream } = yield* client.streamWithResponse(request)
      const taken = yield* Stream.runCollect(Stream.take(stream, 2))
      expect(Chunk.toReadonlyArray(taken)).toEqual(values(1, 2))
      expect(yield* transport.interrupted).toBe(1)
      expect(yield* transport.inFlight).toBe(0)
    }).pipe(Effect.scoped)
  )

  it.effect("10.9 the stream runs once", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([sse(ticks(1, 2))])
      const { stream } = yield* client.streamWithResponse(request)
      expect((yield* follow(stream)).events).toEqual(values(1, 2))
      expect(yield* follow(stream)).toMatchObject({
        events: [],
        error: { _tag: "ResponseValidationError", reason: expect.stringContaining("taken") }
      })
      expect(yield* transport.requestCount).toBe(1)
    }).pipe(Effect.scoped)
  )

  it.effect("10.9 the stream fails once its scope has closed", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([sse([tick(1), neverEnding])])
      const { stream } = yield* Effect.scoped(client.streamWithResponse(request))
      expect(yield* follow(stream)).toMatchObject({
        events: [],
        error: { _tag: "ResponseValidationError", reason: expect.stringContaining("closed with its scope") }
      })
    })
  )

  it.effect.each([
    { name: "before the headers", step: MockTransport.never },
    { name: "before the first event", step: sse([": ping\n\n", neverEnding]) }
  ])("10.9 an interruption $name leaves nothing open", ({ step }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([step])
      const fiber = yield* Effect.fork(client.streamWithResponse(request))
      yield* transport.awaitRequests(1)
      yield* Effect.yieldNow()
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      // The scope of the test is still open.
      expect(yield* transport.interrupted).toBe(1)
      expect(yield* transport.inFlight).toBe(0)
    }).pipe(Effect.scoped)
  )

  it.effect("8.6 an interruption at any moment leaves nothing open", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 40; steps++) {
        const { client, transport } = yield* scripted([sse([tick(1), tick(2), neverEnding])])
        const reading = Effect.scoped(
          Effect.flatMap(client.streamWithResponse(request), ({ stream }) => Stream.runDrain(stream))
        )
        const fiber = yield* Effect.fork(reading)
        for (let step = 0; step < steps; step++) yield* Effect.yieldNow()
        yield* Fiber.interrupt(fiber)
        expect(yield* transport.inFlight).toBe(0)
      }
    })
  )

  it.effect("10.9 the stream resumes, and the attempts stay those that opened it", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([sse([tick(1, "a"), reset]), sse(tick(2, "b") + done)], {
        retry: withoutDelay
      })
      const { attempts, stream } = yield* client.streamWithResponse(getEvents(resumable))
      expect(attempts).toHaveLength(1)
      const fiber = yield* Effect.fork(follow(stream))
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(fiber)).events).toEqual(values(1, 2))
      expect(attempts).toHaveLength(1)
    }).pipe(Effect.scoped)
  )

  it.effect("10.9 closing the scope ends a read that waits, and a stream does not resume after it", () =>
    Effect.gen(function* () {
      for (const contract of [resumable, untilDone]) {
        const { client, transport } = yield* scripted([
          sse([tick(1, "a"), neverEnding]),
          sse(tick(2, "b") + done)
        ])
        const scope = yield* Scope.make()
        const { stream } = yield* Scope.extend(client.streamWithResponse(getEvents(contract)), scope)
        const fiber = yield* Effect.fork(follow(stream))
        yield* TestClock.adjust("1 second")
        yield* Scope.close(scope, Exit.void)
        yield* TestClock.adjust("1 minute")
        expect(yield* Fiber.join(fiber)).toMatchObject({
          events: values(1),
          error: { reason: "was closed with its scope" }
        })
        expect(yield* transport.requestCount).toBe(1)
        expect(yield* transport.inFlight).toBe(0)
      }
    })
  )

  it.effect("10.9 a stream of an invalid contract or request fails, and sends nothing", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([])
      const bad = ApiRequest.get("/x", { events: tickEvents, headers: { "x-a": "\n" } })
      const error = yield* Effect.flip(client.streamWithResponse(bad))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "headers.x-a" })
      expect(yield* transport.requestCount).toBe(0)
    }).pipe(Effect.scoped)
  )
})

describe("the URL of a response", () => {
  it.effect("8.7 is the one after redirects", () =>
    Effect.gen(function* () {
      const moved = status(302, { location: "/v2/there?a=1#part" })
      const { client } = yield* scripted([moved, MockTransport.json(1)])
      const { url, value } = yield* client.executeWithResponse(ApiRequest.get("/here"))
      expect([url, value]).toEqual(["https://api.test/v2/there?a=1", 1])
    })
  )

  it.effect("8.7 hides secrets as the URLs of errors do", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json(1)], {
        credentials: Credentials.header("x-auth", Redacted.make("s3cret-of-client"))
      })
      const query = {
        echoed: "s3cret-of-client",
        signature: "sig-of-url",
        page: 2,
        mine: Redacted.make("s3cret-of-call")
      }
      const { url } = yield* client.executeWithResponse(ApiRequest.get("/here", { query }))
      expect(url).not.toMatch(/s3cret|sig-of/)
      expect(url).toContain("page=2")
    })
  )
})
