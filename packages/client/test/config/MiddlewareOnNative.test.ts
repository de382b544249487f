/** On a native transport, middleware that only changes the request takes a shorter way. It must come to the same. */
import { Cookies, Headers, HttpBody, HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, ApiRequest, type Middleware, NativeTransport } from "@effect-api/client"
import { Effect, Fiber, Option, Stream } from "effect"
import { clientOn } from "../fixtures/requests.js"

const body = new TextEncoder().encode(`{"id":1}`)

/** A transport that responds by the path, and what it was asked for. */
const transport = () => {
  const seen: Array<string> = []
  const source = (request: HttpClientRequest.HttpClientRequest): NativeTransport.Source => ({
    status: /[0-9]{3}$/.test(new URL(request.url).pathname) ? Number(request.url.slice(-3)) : 200,
    headers: Headers.fromInput({ "content-type": "application/json", location: "/v1/there" }),
    cookies: Cookies.empty,
    remoteAddress: Option.none(),
    chunks: Stream.make(body)
  })
  const native: NativeTransport.NativeTransport = {
    setsLimits: true,
    exchange: (request, _timeouts, _cap, listener) => {
      const team = request.headers["x-team"] ?? "-"
      seen.push(`${request.method} ${request.url} ${team} ${request.body._tag}`)
      let isOver = new URL(request.url).pathname.endsWith("/never")
      if (!isOver)
        queueMicrotask(() => {
          if (!isOver) listener.done({ source: source(request), bytes: body, complete: true })
        })
      return () => {
        isOver = true
        seen.push("aborted")
      }
    },
    open: () => () => undefined
  }
  const http = HttpClient.make(() => Effect.dieMessage("the client sends by the native transport"))
  return { seen, client: NativeTransport.attach(http, native) }
}

type Change = (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest

const same: Change = (request) => request

const requests = {
  "a success": [ApiRequest.get("/todos"), same],
  "a header": [ApiRequest.get("/todos"), HttpClientRequest.setHeader("x-team", "search")],
  "a query": [ApiRequest.get("/todos?a=1"), HttpClientRequest.setUrlParam("b", "2")],
  "a streamed body": [
    ApiRequest.post("/todos", { text: "a" }),
    HttpClientRequest.setBody(HttpBody.stream(Stream.make(body), "text/plain"))
  ],
  "a header that cannot be sent": [ApiRequest.get("/todos"), HttpClientRequest.setHeader("x-team", "a\nb")],
  "a URL that is none": [ApiRequest.get("/todos"), HttpClientRequest.setUrl("no url")],
  "an error status": [ApiRequest.get("/todos/404"), same],
  "a retried status": [ApiRequest.get("/todos/503"), same],
  "a redirect": [ApiRequest.get("/todos/302"), same]
} as const satisfies Record<string, readonly [ApiRequest.ApiRequest<unknown, unknown>, Change]>

const outcome = (options: Partial<ApiConfig.Options>, request: ApiRequest.ApiRequest<unknown, unknown>) =>
  Effect.gen(function* () {
    const { client: http, seen } = transport()
    const client = yield* clientOn(http, { retry: { maxRetries: 1, initialDelay: 0 }, ...options })
    const exit = yield* Effect.exit(client.execute(request))
    return { exit: JSON.stringify(exit), seen }
  })

/** Middleware that makes the same of a request, with an effect of its own around the rest. */
const around =
  (change: Change): Middleware.Middleware =>
  (request, next) =>
    Effect.flatMap(next(change(request)), (response) => Effect.succeed(response))

const directly =
  (change: Change): Middleware.Middleware =>
  (request, next) =>
    next(change(request))

describe("middleware that only changes the request", () => {
  it.effect.each(Object.entries(requests))(
    "7.2 comes to the same as any other: %s",
    ([, [request, change]]) =>
      Effect.gen(function* () {
        const expected = yield* outcome({ middleware: [around(change)] }, request)
        expect(yield* outcome({ middleware: [directly(change)] }, request)).toEqual(expected)
        const twice = [directly(same), directly(change)]
        expect(yield* outcome({ middleware: twice }, request)).toEqual(expected)
        expect(expected.seen.length).toBeLessThanOrEqual(2)
      })
  )

  it.effect("7.2 sends the request whose response it returns, if it asks for several", () =>
    Effect.gen(function* () {
      const asksTwice: Middleware.Middleware = (request, next) => {
        const first = next(HttpClientRequest.setHeader(request, "x-team", "first"))
        next(HttpClientRequest.setHeader(request, "x-team", "second"))
        return first
      }
      const { seen } = yield* outcome({ middleware: [asksTwice] }, ApiRequest.get("/todos"))
      expect(seen).toEqual(["GET https://api.test/v1/todos first Empty"])
    })
  )

  it.effect("7.2 that throws is a defect, and the next attempt is not made", () =>
    Effect.gen(function* () {
      const { client: http, seen } = transport()
      const throws: Middleware.Middleware = () => {
        throw new Error("mine")
      }
      const client = yield* clientOn(http, { middleware: [throws] })
      const exit = yield* Effect.exit(client.execute(ApiRequest.get("/todos")))
      expect(JSON.stringify(exit)).toContain("Die")
      expect(seen).toEqual([])
    })
  )

  it.effect.each([
    ["a change", directly(same)],
    ["any other", around(same)]
  ] as const)("7.2 an interruption aborts the exchange: %s", ([, middleware]) =>
    Effect.gen(function* () {
      const { client: http, seen } = transport()
      const client = yield* clientOn(http, { middleware: [middleware] })
      const fiber = yield* Effect.fork(client.execute(ApiRequest.get("/never")))
      while (seen.length === 0) yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      expect(seen).toEqual(["GET https://api.test/v1/never - Empty", "aborted"])
    })
  )

  it.live.each([
    ["a change", directly(same)],
    ["any other", around(same)]
  ] as const)("7.2 the total limit holds: %s", ([, middleware]) =>
    Effect.gen(function* () {
      const { exit, seen } = yield* outcome(
        { middleware: [middleware], timeouts: { total: "20 millis" } },
        ApiRequest.get("/never")
      )
      expect(exit).toContain("TimeoutError")
      expect(seen).toEqual(["GET https://api.test/v1/never - Empty", "aborted"])
    })
  )
})
