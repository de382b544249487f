import {
  FetchHttpClient,
  HttpBody,
  HttpClient,
  type HttpClientError,
  HttpClientRequest,
  UrlParams
} from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { MockTransport, TestServer } from "@effect-api/testing"
import { Cause, Effect, Exit, Fiber, Option, Ref, Schedule, Scope, Stream, TestClock } from "effect"

const url = "https://api.test/v1/todos"

/** Runs an effect while the clock advances, and returns its exit. */
const within = <A, E>(effect: Effect.Effect<A, E>, time: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust(time)
    return yield* Fiber.poll(fiber)
  })

/** Matches an error of the platform by its reason, which starts its message. */
const failing = (reason: "Transport" | "Decode" | "EmptyBody") => ({
  message: expect.stringMatching(new RegExp(`^${reason}( error|:)`))
})

describe("steps", () => {
  const steps: ReadonlyArray<
    readonly [string, MockTransport.MockStep, number, string, Record<string, string>]
  > = [
    [
      "json",
      MockTransport.json({ a: 1 }),
      200,
      '{"a":1}',
      { "content-type": "application/json", "content-length": "7" }
    ],
    [
      "text",
      MockTransport.text("ü", { status: 400 }),
      400,
      "ü",
      { "content-type": "text/plain; charset=utf-8" }
    ],
    [
      "bytes",
      MockTransport.bytes(new Uint8Array([65]), { headers: { "Content-Type": "image/png" } }),
      200,
      "A",
      { "content-type": "image/png" }
    ],
    ["empty", MockTransport.empty(503, { headers: { "retry-after": "1" } }), 503, "", { "retry-after": "1" }],
    [
      "stream",
      MockTransport.stream(["a", new Uint8Array([66])], { headers: { x: "y" } }),
      200,
      "aB",
      { x: "y" }
    ],
    ["stream of an Effect stream", MockTransport.stream(Stream.make("a", "b")), 200, "ab", {}],
    [
      "response",
      MockTransport.response((request) => new Response(`${request.method}!`, { status: 201 })),
      201,
      "GET!",
      {}
    ]
  ]
  for (const [name, step, status, body, headers] of steps) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const transport = yield* MockTransport.make([step, step])
        const response = yield* transport.client.get(url)
        expect([response.status, yield* response.text]).toEqual([status, body])
        expect(response.headers).toMatchObject(headers)
        const again = yield* transport.client.get(url)
        expect(new TextDecoder().decode(yield* again.arrayBuffer)).toBe(body)
        expect([yield* transport.inFlight, yield* transport.interrupted]).toEqual([0, 0])
      })
    )
  }

  it.effect("decodes cookies, forms and parameters as the platform does", () =>
    Effect.gen(function* () {
      const form = "a=1&b=x%20y"
      const headers = { "content-type": "application/x-www-form-urlencoded", "set-cookie": ["s=1", "t=2"] }
      const transport = yield* MockTransport.make([
        MockTransport.forever(MockTransport.text(form, { headers }))
      ])
      const one = yield* transport.client.get(url)
      expect(Object.keys(one.cookies.cookies)).toEqual(["s", "t"])
      expect(UrlParams.toString(yield* one.urlParamsBody)).toBe("a=1&b=x+y")
      const two = yield* transport.client.get(url)
      expect((yield* two.formData).get("b")).toBe("x y")
    })
  )

  it.effect("a body can be read only once", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.json([1])])
      const response = yield* transport.client.get(url)
      expect(yield* response.json).toEqual([1])
      expect(yield* response.text).toBe("[1]")
      expect(yield* Effect.flip(Stream.runDrain(response.stream))).toMatchObject(failing("Decode"))
    })
  )

  it.effect("invalid JSON fails as with fetch, and a missing body has no stream", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.text("<html>"), MockTransport.empty()])
      const page = yield* transport.client.get(url)
      expect(yield* Effect.flip(page.json)).toMatchObject({
        ...failing("Decode"),
        cause: expect.any(SyntaxError)
      })
      const nothing = yield* transport.client.get(url)
      expect(yield* Effect.flip(Stream.runDrain(nothing.stream))).toMatchObject(failing("EmptyBody"))
    })
  )

  it.effect("inspecting a response does not read its body", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.json({ a: 1 })])
      const response = yield* transport.client.get(url)
      expect(JSON.stringify(response)).toContain('"status":200')
      expect(yield* Stream.runCount(response.stream)).toBe(1)
    })
  )

  it.effect("the delay of a step uses the clock", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([
        MockTransport.forever(MockTransport.empty(200, { delay: 1000 }))
      ])
      expect(Option.isNone(yield* within(transport.client.get(url), 999))).toBe(true)
      expect(Option.isSome(yield* within(transport.client.get(url), 1000))).toBe(true)
    })
  )

  it.effect("never does not respond at any time", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.never])
      expect(Option.isNone(yield* within(transport.client.get(url), 1e12))).toBe(true)
      expect(yield* transport.inFlight).toBe(1)
    })
  )

  const shapes = [
    ["node", (error: HttpClientError.HttpClientError) => error.cause],
    ["fetch", (error: HttpClientError.HttpClientError) => (error.cause as Error).cause]
  ] as const
  for (const [as, find] of shapes) {
    it.effect(`connectionError as ${as}`, () =>
      Effect.gen(function* () {
        const transport = yield* MockTransport.make([
          MockTransport.connectionError({ code: "ECONNREFUSED", message: "refused", as, delay: 10 })
        ])
        const failed = yield* within(Effect.flip(transport.client.get(url)), 10)
        const error = yield* Option.getOrThrow(failed)
        expect(error).toMatchObject(failing("Transport"))
        expect(find(error)).toMatchObject({ code: "ECONNREFUSED", message: "refused" })
        expect([yield* transport.inFlight, yield* transport.interrupted]).toEqual([0, 0])
      })
    )
  }

  it.live("connectionError as fetch equals an error of fetch", () =>
    Effect.gen(function* () {
      const refused = yield* TestServer.refusedUrl
      const real = yield* Effect.flip(HttpClient.get(refused)).pipe(Effect.provide(FetchHttpClient.layer))
      const transport = yield* MockTransport.make([
        MockTransport.connectionError({ code: "ECONNREFUSED", as: "fetch" })
      ])
      const mocked = yield* Effect.flip(transport.client.get(refused))
      const shape = (error: HttpClientError.HttpClientError) => {
        const cause = error.cause as Error & { readonly cause: { readonly code: string } }
        return [error._tag, error.message, cause.constructor.name, cause.message, cause.cause.code]
      }
      expect(shape(mocked)).toEqual(shape(real))
    })
  )

  it.effect("die is a defect", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.die("bug")])
      const exit = yield* Effect.exit(transport.client.get(url))
      expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
      expect(yield* transport.inFlight).toBe(0)
    })
  )
})

describe("scripts", () => {
  it.effect("respond to successive requests, and a request too many dies", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.empty(500), MockTransport.empty(200)])
      const status = Effect.map(transport.client.get(url), (response) => response.status)
      expect(yield* Effect.all([status, status])).toEqual([500, 200])
      const exit = yield* Effect.exit(status)
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain(
        `request 3 (GET ${url}) has no step: the script has 2 step(s)`
      )
    })
  )

  it.effect("forever repeats a step, and a function gets the request and its index", () =>
    Effect.gen(function* () {
      const status = (client: HttpClient.HttpClient) =>
        Effect.map(client.get(url), (response) => response.status)
      const endless = yield* MockTransport.make([
        MockTransport.empty(200),
        MockTransport.forever(MockTransport.empty(503))
      ])
      expect(yield* Effect.all([1, 2, 3].map(() => status(endless.client)))).toEqual([200, 503, 503])
      const asked = yield* MockTransport.make((request, index) =>
        request.url.endsWith("/todos") ? MockTransport.empty(200 + index) : MockTransport.empty(404)
      )
      expect(yield* Effect.all([1, 2].map(() => status(asked.client)))).toEqual([200, 201])
    })
  )

  it.effect("a function that throws is a defect", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make((request) => MockTransport.json(request.json))
      const exit = yield* Effect.exit(transport.client.post(url, { body: HttpBody.text("{") }))
      expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
    })
  )

  it.effect("works as a layer", () =>
    Effect.gen(function* () {
      yield* HttpClient.get(url)
      const transport = yield* MockTransport.MockTransport
      expect(yield* transport.requestCount).toBe(1)
    }).pipe(Effect.provide(MockTransport.layer([MockTransport.empty()])))
  )
})

describe("the log", () => {
  const form = new FormData()
  form.append("a", "1")
  const bodies: ReadonlyArray<readonly [string, HttpBody.HttpBody, string | undefined, RegExp]> = [
    ["none", HttpBody.empty, undefined, /^undefined$/],
    ["json", HttpBody.unsafeJson({ a: 1 }), '{"a":1}', /^application\/json$/],
    ["text", HttpBody.text("ü"), "ü", /^text\/plain$/],
    ["bytes", HttpBody.uint8Array(new Uint8Array([65])), "A", /octet-stream/],
    ["raw", HttpBody.raw(new URLSearchParams({ a: "1" })), "a=1", /./],
    ["form", HttpBody.formData(form), 'name="a"', /^multipart\/form-data; boundary=/],
    ["stream", HttpBody.stream(Stream.make(new Uint8Array([65]), new Uint8Array([66]))), "AB", /octet-stream/]
  ]
  for (const [name, body, text, type] of bodies) {
    it.effect(`body: ${name}`, () =>
      Effect.gen(function* () {
        const transport = yield* MockTransport.make([MockTransport.empty()])
        yield* TestClock.adjust("5 seconds")
        yield* transport.client.post(`${url}?b=2#never-sent`, {
          body,
          urlParams: { a: "x y" },
          headers: { "X-One": "1" }
        })
        const [request] = yield* transport.requests
        expect(request).toMatchObject({ index: 0, method: "POST", url: `${url}?b=2&a=x+y`, at: 5000 })
        expect(request?.headers["x-one"]).toBe("1")
        expect(String(request?.headers["content-type"])).toMatch(type)
        if (text === undefined) expect(request?.body).toBeUndefined()
        else expect(request?.text).toContain(text)
      })
    )
  }

  it.effect("a streamed body stays unread with collect: false and for a connection error", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0)
      const stream = Stream.fromEffect(
        Effect.as(
          Ref.update(runs, (n) => n + 1),
          new Uint8Array([65])
        )
      )
      const post = HttpClientRequest.post(url).pipe(HttpClientRequest.bodyStream(stream))
      const transport = yield* MockTransport.make([
        MockTransport.connectionError({ code: "ECONNREFUSED" }),
        MockTransport.empty(503, { collect: false }),
        MockTransport.empty(200)
      ])
      yield* Effect.flip(transport.client.execute(post))
      yield* transport.client.execute(post)
      expect(yield* Ref.get(runs)).toBe(0)
      yield* transport.client.execute(post)
      expect(yield* Ref.get(runs)).toBe(1)
      expect((yield* transport.requests).map((request) => request.text)).toEqual(["", "", "A"])
    })
  )

  it.effect("awaitRequests waits, and every request has its time", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.forever(MockTransport.empty(503))])
      const schedule = Schedule.addDelay(Schedule.recurs(2), () => "2 seconds")
      const fiber = yield* Effect.fork(Effect.repeat(transport.client.get(url), schedule))
      expect(yield* transport.awaitRequests(1)).toHaveLength(1)
      yield* TestClock.adjust("4 seconds")
      yield* Fiber.join(fiber)
      expect((yield* transport.awaitRequests(3)).map((request) => request.at)).toEqual([0, 2000, 4000])
    })
  )
})

describe("streamed bodies", () => {
  it.effect("parts arrive by the clock", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([
        MockTransport.stream(["a", { delay: "1 second" }, "b", { delay: "1 second" }, "c"], {
          delay: "1 second"
        })
      ])
      const seen = yield* Ref.make("")
      const fiber = yield* transport.client.get(url).pipe(
        Effect.flatMap((response) =>
          response.stream.pipe(
            Stream.decodeText(),
            Stream.runForEach((text) => Ref.update(seen, (all) => all + text))
          )
        ),
        Effect.fork
      )
      const after: Array<string> = []
      for (const time of [0, 1000, 999, 1, 1000]) {
        yield* TestClock.adjust(time)
        after.push(yield* Ref.get(seen))
      }
      expect(after).toEqual(["", "a", "a", "ab", "abc"])
      yield* Fiber.join(fiber)
      expect([yield* transport.inFlight, yield* transport.interrupted]).toEqual([0, 0])
    })
  )

  const readers = [
    [
      "text",
      (response: { readonly text: Effect.Effect<unknown, HttpClientError.ResponseError> }) => response.text
    ],
    [
      "stream",
      (response: { readonly stream: Stream.Stream<Uint8Array, HttpClientError.ResponseError> }) =>
        Stream.runDrain(response.stream)
    ]
  ] as const
  for (const [name, read] of readers) {
    it.effect(`a body that breaks off fails ${name} as a reset does`, () =>
      Effect.gen(function* () {
        const cause = MockTransport.systemError("ECONNRESET")
        const transport = yield* MockTransport.make([MockTransport.stream(["a", { fail: cause }])])
        const error = yield* Effect.flip(Effect.flatMap(transport.client.get(url), read))
        expect(error).toMatchObject({
          ...failing("Decode"),
          cause: { code: "ECONNRESET" }
        })
        expect([yield* transport.inFlight, yield* transport.interrupted]).toEqual([0, 0])
      })
    )
  }

  it.effect("a reader can leave an endless body", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.stream(["a", "b", { delay: Infinity }])])
      const response = yield* transport.client.get(url)
      const taken = yield* Stream.runCollect(Stream.take(response.stream, 2))
      expect(Array.from(taken)).toHaveLength(2)
      expect(yield* transport.awaitInterrupted(1)).toBe(1)
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect("a body that nobody reads stays in flight", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.stream(["a"])])
      const response = yield* transport.client.get(url)
      expect(yield* transport.inFlight).toBe(1)
      yield* response.text
      expect(yield* transport.inFlight).toBe(0)
    })
  )
})

describe("interruption", () => {
  it.effect("before the response", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([
        MockTransport.never,
        MockTransport.empty(200, { delay: 10 })
      ])
      for (const count of [1, 2]) {
        const fiber = yield* Effect.fork(transport.client.get(url))
        yield* transport.awaitRequests(count)
        yield* Fiber.interrupt(fiber)
        expect(yield* transport.interrupted).toBe(count)
      }
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect("by a timeout", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.never])
      const failed = yield* within(Effect.flip(Effect.timeout(transport.client.get(url), 10)), 10)
      expect(Option.isSome(failed)).toBe(true)
      expect(yield* transport.interrupted).toBe(1)
    })
  )

  it.effect("in the middle of the body", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.stream(["a", { delay: Infinity }])])
      const response = yield* transport.client.get(url)
      const fiber = yield* Effect.fork(response.text)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      expect(yield* transport.interrupted).toBe(1)
    })
  )

  it.effect("closing the scope of HttpClient.withScope interrupts a pending response", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.never])
      const scope = yield* Scope.make()
      const request = Scope.extend(HttpClient.withScope(transport.client).get(url), scope)
      const fiber = yield* Effect.fork(Effect.flip(request))
      yield* transport.awaitRequests(1)
      yield* Scope.close(scope, Exit.void)
      expect(yield* Fiber.join(fiber)).toMatchObject({
        ...failing("Transport"),
        cause: { name: "AbortError" }
      })
      expect(yield* transport.interrupted).toBe(1)
    })
  )

  it.effect("closing the scope of HttpClient.withScope interrupts a body", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.stream(["a", { delay: "1 second" }, "b"])])
      const scope = yield* Scope.make()
      const response = yield* Scope.extend(HttpClient.withScope(transport.client).get(url), scope)
      const fiber = yield* Effect.fork(Effect.flip(response.text))
      yield* Effect.yieldNow()
      yield* Scope.close(scope, Exit.void)
      expect(yield* Fiber.join(fiber)).toMatchObject({ ...failing("Decode"), cause: { name: "AbortError" } })
      expect(yield* transport.interrupted).toBe(1)
    })
  )

  it.effect("closing the scope after a complete response interrupts nothing", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.json(1), MockTransport.stream(["a"])])
      const client = HttpClient.withScope(transport.client)
      expect(yield* Effect.scoped(Effect.flatMap(client.get(url), (response) => response.text))).toBe("1")
      expect(yield* Effect.scoped(Effect.flatMap(client.get(url), (response) => response.text))).toBe("a")
      yield* Effect.scoped(Effect.forkScoped(Effect.void))
      expect(yield* transport.interrupted).toBe(0)
    })
  )
})
