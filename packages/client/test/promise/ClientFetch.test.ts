import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiError, Credentials, type Middleware, PromiseClient } from "@effect-api/client"
import { MockTransport, TestServer } from "@effect-api/testing"
import { Effect, Either, Fiber, Redacted, Stream, TestClock } from "effect"
import { canaries, leaks, observe } from "../fixtures/canary.js"
import { baseUrl, scripted, withoutDelay } from "../fixtures/requests.js"
import { ok, status } from "../fixtures/retry.js"
import { clientOf } from "../fixtures/sockets.js"
import { direct } from "../fixtures/transports.js"

const failure = (run: () => Promise<unknown>) =>
  Effect.map(Effect.either(Effect.tryPromise({ try: run, catch: (error) => error })), (either) =>
    Either.getOrThrow(Either.flip(either))
  )

describe("a client as a fetch", () => {
  it.effect(
    "4.8 sends method, headers and body with the client's credentials, and resolves with the response",
    () =>
      Effect.gen(function* () {
        const echo = MockTransport.response(
          ({ text }) => new Response(`got ${text}`, { status: 201, headers: { "x-a": "1" } })
        )
        const { client, transport } = yield* scripted([MockTransport.forever(echo)], {
          credentials: Credentials.bearer(Redacted.make("own"))
        })
        const fetch = yield* PromiseClient.toFetch(client)
        const form = new URLSearchParams({ a: "b c" })
        const response = yield* Effect.promise(() => fetch("/todos", { method: "POST", body: form }))
        expect([response.status, response.headers.get("x-a"), response.url]).toEqual([
          201,
          "1",
          `${baseUrl}/todos`
        ])
        expect(yield* Effect.promise(() => response.text())).toBe("got a=b+c")
        yield* Effect.promise(() => fetch(new URL("https://other.test/x")))
        yield* Effect.promise(() =>
          fetch(new Request(`${baseUrl}/y`, { method: "PUT", headers: { "x-b": "2" } }))
        )
        const requests = yield* transport.requests
        expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
          `POST ${baseUrl}/todos`,
          "GET https://other.test/x",
          `PUT ${baseUrl}/y`
        ])
        expect(requests[0]?.headers).toMatchObject({
          authorization: "Bearer own",
          "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
          accept: "*/*"
        })
        expect(requests[1]?.headers).not.toHaveProperty("authorization")
        expect(requests[2]?.headers).toMatchObject({ "x-b": "2" })
      })
  )

  it.effect(
    "4.8 a status that a retry might change rejects once the retries are spent, and resolves where `reject` takes none",
    () =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted([MockTransport.forever(status(503))], {
          retry: { ...withoutDelay, maxRetries: 2 }
        })
        const fetch = yield* PromiseClient.toFetch(client, { reject: () => false })
        const response = yield* Effect.promise(() => fetch("/a"))
        expect(response.status).toBe(503)
        expect(yield* Effect.promise(() => response.json())).toEqual({ error: { message: "no" } })
        expect(yield* transport.requestCount).toBe(3)
        const error = yield* Effect.flip(PromiseClient.withFetch(client, (fetch) => fetch("/a")))
        expect(error).toBeInstanceOf(ApiError.ServiceUnavailableError)
        expect(error).toMatchObject({ attempts: [{}, {}, {}] })
      })
  )

  it.effect("4.8 rejects with the tagged error, or with the signal's reason", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(
        [MockTransport.connectionError({ code: "ECONNREFUSED" }), MockTransport.never],
        {
          retry: { maxRetries: 0 }
        }
      )
      const fetch = yield* PromiseClient.toFetch(client)
      expect(yield* failure(() => fetch("/a"))).toMatchObject({ _tag: "ConnectionError", kind: "refused" })
      expect(yield* failure(() => fetch("/a", { headers: { te: "x" } }))).toMatchObject({
        _tag: "InvalidRequestError",
        field: "headers.te"
      })
      const reason = new Error("enough")
      const controller = new AbortController()
      const call = failure(() => fetch("/a", { signal: controller.signal }))
      const fiber = yield* Effect.fork(call)
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      controller.abort(reason)
      expect(yield* Fiber.join(fiber)).toBe(reason)
      expect(yield* failure(() => fetch("/a", { signal: AbortSignal.abort(reason) }))).toBe(reason)
    })
  )

  it.effect("4.8 what fetch itself refuses rejects, and nothing is sent", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([])
      const fetch = yield* PromiseClient.toFetch(client)
      const broken = new ReadableStream({
        pull: (controller) => controller.error(new Error("broken source"))
      })
      const streamed = { method: "POST", body: broken, duplex: "half" }
      expect(yield* failure(() => fetch("/a", { method: "GET", body: "x" }))).toBeInstanceOf(TypeError)
      expect(yield* failure(() => fetch("/a", { method: "CONNECT" }))).toBeInstanceOf(TypeError)
      expect(yield* failure(() => fetch("/a", streamed))).toMatchObject({ message: "broken source" })
      expect(yield* failure(() => fetch("/a/../../b"))).toMatchObject({ _tag: "InvalidRequestError" })
      expect(yield* failure(() => fetch("ftp://x.test/"))).toMatchObject({ _tag: "InvalidRequestError" })
      expect(yield* transport.requestCount).toBe(0)
    })
  )

  it.effect("4.8 a redirect resolves where the caller wants to see it", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([
        MockTransport.empty(302, { headers: { location: "/b" } }),
        MockTransport.empty(302, { headers: { location: "/b" } }),
        MockTransport.empty(302, { headers: { location: "/b" } }),
        ok
      ])
      const fetch = yield* PromiseClient.toFetch(client)
      expect(yield* failure(() => fetch("/a", { redirect: "error" }))).toMatchObject({ status: 302 })
      const seen = yield* Effect.promise(() => fetch("/a", { redirect: "manual" }))
      expect([seen.status, seen.headers.get("location")]).toEqual([302, "/b"])
      const followed = yield* Effect.promise(() => fetch("/a"))
      expect([followed.status, followed.redirected, seen.redirected]).toEqual([200, true, false])
    })
  )

  it.effect(
    "6.7 runs in the context of the effect that asked for it: its clock, and the loop around it",
    () =>
      Effect.gen(function* () {
        const inner = yield* scripted([status(503), ok])
        const fetch = yield* PromiseClient.toFetch(inner.client)
        const fiber = yield* Effect.fork(Effect.promise(() => fetch("/a")))
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        expect(yield* inner.transport.requestCount).toBe(1)
        yield* TestClock.adjust("1 second")
        expect((yield* Fiber.join(fiber)).status).toBe(200)

        const once = yield* scripted([MockTransport.forever(status(503))])
        const asking: Middleware.Middleware = (request, next) =>
          Effect.flatMap(PromiseClient.toFetch(once.client, { reject: () => false }), (fetch) =>
            Effect.zipRight(
              Effect.promise(() => fetch("/inside")),
              next(request)
            )
          )
        const outer = yield* scripted([ok], { middleware: [asking] })
        yield* outer.client.get("/a")
        expect(yield* once.transport.requestCount).toBe(1)
      })
  )

  it.effect.each([
    ["short", 10],
    ["longer than what is searched of a response", 70_000],
    ["longer than what is searched of a request", 2_000_000]
  ] as const)("12.4 the secret fields of a %s form show nowhere, and go to no other origin", ([, length]) =>
    Effect.gen(function* () {
      const token = canaries.token("r")
      const echo = MockTransport.response(({ text }) => new Response(text, { status: 500 }))
      const { client, transport } = yield* scripted(
        [echo, MockTransport.empty(307, { headers: { location: "https://other.test/" } })],
        { retry: { maxRetries: 0 } }
      )
      const fetch = yield* PromiseClient.toFetch(client, { reject: () => true })
      const body = new URLSearchParams({ more: "a".repeat(length), refresh_token: token })
      const posted = Effect.tryPromise({
        try: () => fetch("/token", { method: "POST", body }),
        catch: (e) => e
      })
      const { evidence } = yield* observe(posted)
      expect(leaks(evidence)).toEqual([])
      expect(yield* Effect.flip(posted)).toMatchObject({ status: 307 })
      expect(yield* transport.requestCount).toBe(2)
    })
  )
})

describe.each(direct)("over $name", ({ layer }) => {
  it.scopedLive("4.8 a body arrives as a stream, and a reader that leaves closes the connection", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "GET /whole": TestServer.json({ a: 1 }),
        "GET /endless": TestServer.chunks(Stream.concat(Stream.make("one"), Stream.never))
      })
      const client = yield* clientOf(server)
      const fetch = yield* PromiseClient.toFetch(client)
      expect(yield* Effect.promise(async () => (await fetch("/whole")).json())).toEqual({ a: 1 })
      const reader = (yield* Effect.promise(() => fetch("/endless"))).body?.getReader()
      const first = yield* Effect.promise(async () => reader?.read())
      expect(new TextDecoder().decode(first?.value)).toBe("one")
      yield* Effect.promise(async () => reader?.cancel())
    }).pipe(Effect.provide(layer))
  )

  const readers: ReadonlyArray<readonly [string, (response: Response) => Promise<unknown>]> = [
    [
      "a pending read",
      async (response) => {
        const reader = response.body?.getReader()
        await reader?.read()
        return reader?.read()
      }
    ],
    ["nobody yet", (response) => Promise.resolve(response)],
    ["both halves of a tee", (response) => Promise.all([response.clone().text(), response.text()])]
  ]
  it.scopedLive.each(readers)("4.8 the signal ends a body after its head (read by %s)", ([, read]) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "*": TestServer.chunks(Stream.concat(Stream.make("one"), Stream.never))
      })
      const fetch = yield* PromiseClient.toFetch(yield* clientOf(server))
      const controller = new AbortController()
      const reason = new Error("enough")
      const rejected = yield* Effect.promise(async () => {
        const response = await fetch("/endless", { signal: controller.signal })
        const reading = read(response).then((value) => (value === response ? response.text() : value))
        controller.abort(reason)
        return reading.catch((error: unknown) => error)
      })
      expect(rejected).toBe(reason)
      expect(yield* server.awaitClosed(0)).toBe("client")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.8 an interruption leaves a response that waits for new credentials", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "*": TestServer.text("0123456789", { status: 401 }).pipe(TestServer.stallAfter(4))
      })
      let refreshing = (): void => undefined
      const isRefreshing = new Promise<void>((resolve) => {
        refreshing = resolve
      })
      const invalidate = (): Promise<never> => {
        refreshing()
        return new Promise(() => undefined)
      }
      const client = yield* clientOf(server, {
        credentials: Credentials.from(async () => "token", { invalidate })
      })
      const call = yield* Effect.fork(ApiClient.httpClient(client).get("/x"))
      yield* Effect.promise(() => isRefreshing)
      yield* Fiber.interrupt(call)
      expect(yield* server.awaitClosed(0)).toBe("client")
    }).pipe(Effect.provide(layer))
  )
})
