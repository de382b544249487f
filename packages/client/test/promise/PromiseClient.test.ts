import { FetchHttpClient, HttpClient } from "@effect/platform"
import {
  ApiConfig,
  ApiError,
  ApiRequest,
  type ApiResponse,
  Credentials,
  PromiseClient
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Deferred, Effect, FiberId, Layer, Redacted, Schedule, Schema } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { untyped } from "../fixtures/bodies.js"
import {
  expectNoUnhandledRejection,
  nextMacrotask,
  rejection,
  scriptedPromises
} from "../fixtures/promises.js"
import { baseUrl, getTodo, milk, Todo, TodoMissing, withoutDelay } from "../fixtures/requests.js"
import { issueTokens, list, ok, status, tokens } from "../fixtures/retry.js"

expectNoUnhandledRejection()

const gone = MockTransport.json({ _tag: "TodoMissing", message: "eaten" }, { status: 404 })

describe("make", () => {
  it.each([
    { key: "baseUrl", options: { baseUrl: "ftp://api.test" } },
    { key: "retry.maxRetries", options: { baseUrl, retry: { maxRetries: -1 } } },
    { key: "headers.x-a", options: { baseUrl, headers: { "x-a": "a\nb" } } }
  ])("1.2 throws an error with the key $key", ({ key, options }) => {
    let thrown: unknown
    try {
      PromiseClient.make(options)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(ApiConfig.InvalidConfigError)
    expect(thrown).toMatchObject({ _tag: "InvalidConfigError", key })
  })

  it("1.2 instrument must be a function", () => {
    expect(() => PromiseClient.make({ baseUrl, instrument: "x" as never })).toThrow(/instrument/)
  })

  it("12.1 instrument is around the calls of the client, and of those with other options", async () => {
    const seen: Array<string> = []
    const transport = Layer.effect(
      HttpClient.HttpClient,
      Effect.map(
        MockTransport.make([MockTransport.json(milk), MockTransport.json(milk)]),
        ({ client }) => client
      )
    )
    const client = PromiseClient.make({
      baseUrl,
      transport,
      instrument: (client) => ({
        ...client,
        execute: (request) =>
          Effect.tap(client.execute(request), () => Effect.sync(() => seen.push(request.template)))
      })
    })
    await client.execute(getTodo(1))
    await client.withOptions({ headers: { "x-a": "1" } }).execute(getTodo(1))
    expect(seen).toEqual(["/todos/{id}", "/todos/{id}"])
    await client.close()
  })

  it("calls that take turns without end leave timers and sockets theirs", async () => {
    let hasTurn = false
    const turns = Effect.repeat(Effect.yieldNow(), { while: () => !hasTurn })
    const transport = Layer.effect(
      HttpClient.HttpClient,
      Effect.map(MockTransport.make([ok, ok]), ({ client }) => client)
    )
    const client = PromiseClient.make({
      baseUrl,
      transport,
      instrument: (client) => ({
        ...client,
        execute: (request) => Effect.zipLeft(client.execute(request), turns)
      })
    })
    const calls = Promise.all([client.execute(list), client.execute(list)])
    await nextMacrotask()
    hasTurn = true
    await calls
    await client.close()
  })

  it("sends nothing and builds no transport before the first call", async () => {
    let built = 0
    const transport = Layer.effect(
      HttpClient.HttpClient,
      Effect.map(MockTransport.make([ok, ok, ok]), ({ client }) => {
        built++
        return client
      })
    )
    const client = PromiseClient.make({ baseUrl, transport })
    expect(built).toBe(0)
    await Promise.all([client.execute(list), client.execute(list)])
    await client.execute(list)
    expect(built).toBe(1)
  })

  it("every call rejects with the failure of its transport's layer", async () => {
    const problem = new Error("no proxy")
    const client = PromiseClient.make({ baseUrl, transport: Layer.fail(problem) })
    expect(await rejection(client.execute(list))).toBe(problem)
    expect(await rejection(client.executeWithResponse(list))).toBe(problem)
    await client.close()
  })
})

describe("a call", () => {
  it("8.2 resolves to the decoded value", async () => {
    const { client } = scriptedPromises([MockTransport.json(milk)])
    const todo = await client.execute(getTodo(1))
    expect(todo).toBeInstanceOf(Todo)
    expect(todo.title).toBe("Buy milk")
  })

  it("6.6 resolves to the value with status, headers, request id and attempts", async () => {
    const script = [status(503), MockTransport.json(milk, { headers: { "x-request-id": "r1" } })]
    const { client } = scriptedPromises(script, { retry: withoutDelay })
    const response = await client.executeWithResponse(getTodo(1))
    expect(response).toMatchObject({ value: milk, status: 200, requestId: "r1" })
    expect(response.attempts.map((attempt) => attempt.status)).toEqual([503, 200])
  })

  it("7.1 rejects with the tagged error", async () => {
    const { client } = scriptedPromises([status(429, { "retry-after": "7" })], { retry: { maxRetries: 0 } })
    const error = await rejection(client.execute(list))
    expect(error).toBeInstanceOf(ApiError.RateLimitError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ _tag: "RateLimitError", status: 429, stoppedBy: "attempts" })
  })

  it("7.5 rejects with the caller's own error", async () => {
    const { client } = scriptedPromises([gone])
    const error = await rejection(client.execute(getTodo(1)))
    expect(error).toBeInstanceOf(TodoMissing)
    expect(error).toMatchObject({ message: "eaten" })
  })

  it("7.4 rejects when the response does not fit the schema", async () => {
    const { client } = scriptedPromises([MockTransport.json({ id: "one" })])
    expect(await rejection(client.execute(getTodo(1)))).toBeInstanceOf(ApiError.ResponseValidationError)
  })

  it("4.2 rejects an invalid request", async () => {
    const { client, transport } = scriptedPromises([])
    const error = await rejection(client.execute(ApiRequest.get("/", { headers: { "x-a": "\n" } })))
    expect(error).toBeInstanceOf(ApiError.InvalidRequestError)
    expect(await Effect.runPromise(transport.requestCount)).toBe(0)
  })

  it("7.4 the cause is the very value that a schema threw", async () => {
    const bug = new TypeError("a bug")
    const Broken = Schema.transformOrFail(Schema.Unknown, Schema.Unknown, {
      decode: (): Effect.Effect<unknown> => {
        throw bug
      },
      encode: Effect.succeed
    })
    const { client } = scriptedPromises([ok])
    const error = await rejection(client.execute(ApiRequest.get("/", { success: Broken })))
    expect(error).toBeInstanceOf(ApiError.ResponseValidationError)
    expect(error).toHaveProperty("cause", bug)
  })

  it("rejects with the very value that a middleware's bug threw", async () => {
    const bug = new TypeError("a bug")
    const { client } = scriptedPromises([MockTransport.forever(ok)])
    const buggy = () => {
      throw bug
    }
    expect(await rejection(client.execute(ApiRequest.get("/", { middleware: [buggy] })))).toBe(bug)
    expect(
      await rejection(client.execute(ApiRequest.get("/", { middleware: [() => Effect.die("text")] })))
    ).toBe("text")
  })
})

describe("the signal option", () => {
  const reasons: ReadonlyArray<readonly [string, () => AbortSignal, object]> = [
    ["an AbortError", () => AbortSignal.abort(), { name: "AbortError" }],
    ["a custom reason", () => AbortSignal.abort({ custom: true }), { custom: true }]
  ]

  it.each(reasons)("an aborted signal rejects with %s and sends nothing", async (_, aborted, expected) => {
    // The transport is built and there is no timeout, so only the signal can stop the request.
    const timeouts = { response: Number.POSITIVE_INFINITY }
    const { client, transport } = scriptedPromises([ok, ok], { timeouts })
    await client.execute(list)
    const signal = aborted()
    const error = await rejection(client.execute(list, { signal }))
    expect(error).toBe(signal.reason)
    expect(error).toMatchObject(expected)
    expect(await Effect.runPromise(transport.requestCount)).toBe(1)
  })

  it("4.8 null is no signal, as in fetch", async () => {
    const { client } = scriptedPromises([ok, ok, ok])
    await client.execute(list, { signal: null })
    expect(await client.get("/todos", { signal: null })).toEqual(await client.get("/todos"))
  })

  it.each([0, "", true, {}, [], new EventTarget()])(
    "1.5 %j is no signal: the call is not sent",
    async (signal) => {
      const { client, transport } = scriptedPromises([])
      const options = { signal: untyped(signal) }
      const calls: ReadonlyArray<() => Promise<unknown>> = [
        () => client.execute(list, options),
        () => client.executeWithResponse(list, options),
        () => client.get("/todos", options),
        () => client.download("/todos", options)
      ]
      for (const call of calls) {
        expect(await rejection(call())).toMatchObject({
          _tag: "InvalidRequestError",
          field: "signal",
          reason: "must be an AbortSignal"
        })
      }
      expect(await Effect.runPromise(transport.requestCount)).toBe(0)
    }
  )

  it("6.1 aborting in flight aborts the attempt and rejects with the reason", async () => {
    for (const reason of [undefined, "text", null, new Error("enough")]) {
      const { client, transport } = scriptedPromises([MockTransport.never])
      const controller = new AbortController()
      const call = rejection(client.execute(list, { signal: controller.signal }))
      await Effect.runPromise(transport.awaitRequests(1))
      controller.abort(reason)
      expect(await call).toBe(controller.signal.reason)
      expect(await Effect.runPromise(transport.awaitInterrupted(1))).toBe(1)
    }
  })

  it("6.1 rejects with the platform's AbortError or TimeoutError", async () => {
    const { client } = scriptedPromises([MockTransport.forever(MockTransport.never)])
    const controller = new AbortController()
    const call = rejection(client.execute(list, { signal: controller.signal }))
    controller.abort()
    expect(await call).toBeInstanceOf(DOMException)
    expect(await call).toHaveProperty("name", "AbortError")
    const late = await rejection(client.execute(list, { signal: AbortSignal.timeout(1) }))
    expect(late).toBeInstanceOf(DOMException)
    expect(late).toHaveProperty("name", "TimeoutError")
  })

  it("6.1 aborting ends the wait before a retry", async () => {
    const waiting = Deferred.unsafeMake<void>(FiberId.none)
    const retry = Schedule.tapOutput(Schedule.spaced("1 hour"), () => Deferred.succeed(waiting, undefined))
    const { client, transport } = scriptedPromises([status(503)], { retry })
    const controller = new AbortController()
    const call = rejection(client.execute(list, { signal: controller.signal }))
    await Effect.runPromise(Deferred.await(waiting))
    await nextMacrotask()
    controller.abort()
    expect(await call).toBe(controller.signal.reason)
    expect(await Effect.runPromise(transport.requestCount)).toBe(1)
  })

  it("aborting ends a call that waits for its transport, and no other call", async () => {
    const built = Deferred.unsafeMake<HttpClient.HttpClient>(FiberId.none)
    const client = PromiseClient.make({
      baseUrl,
      transport: Layer.effect(HttpClient.HttpClient, Deferred.await(built))
    })
    const controller = new AbortController()
    const aborted = rejection(client.execute(list, { signal: controller.signal }))
    const other = client.execute(list)
    controller.abort()
    expect(await aborted).toBe(controller.signal.reason)
    const transport = Effect.runSync(MockTransport.make([ok]))
    Effect.runSync(Deferred.succeed(built, transport.client))
    expect(await other).toBe("ok")
  })

  it("aborting while a middleware runs ends the call", async () => {
    const controller = new AbortController()
    const { client } = scriptedPromises([ok])
    const middleware = [
      () => {
        controller.abort("from within")
        return Effect.never
      }
    ]
    const request = ApiRequest.get("/", { middleware })
    await client.execute(list)
    expect(await rejection(client.execute(request, { signal: controller.signal }))).toBe("from within")
  })
})

describe("withOptions", () => {
  it("1.4 gives another client on the same transport with merged settings", async () => {
    const { client, transport } = scriptedPromises([MockTransport.forever(ok)], { headers: { "x-a": "1" } })
    const derived = client.withOptions({ headers: { "x-b": "2" } }).withOptions({ query: { q: "3" } })
    await derived.execute(list)
    await client.execute(list)
    const [first, second] = await Effect.runPromise(transport.requests)
    expect(first).toMatchObject({ headers: { "x-a": "1", "x-b": "2" }, url: `${baseUrl}/todos?q=3` })
    expect(second?.url).toBe(`${baseUrl}/todos`)
    expect(second?.headers).not.toHaveProperty("x-b")
  })

  it("1.4 shares the cached credentials", async () => {
    const issuer = issueTokens({ expiresIn: "1 hour" })
    const { client, transport } = scriptedPromises([MockTransport.forever(ok)], {
      credentials: Credentials.cached({ fetch: issuer.fetch })
    })
    await client.execute(list)
    await client.withOptions({ headers: { "x-b": "2" } }).execute(list)
    expect(issuer.fetched).toBe(1)
    expect(tokens(await Effect.runPromise(transport.requests))).toEqual(["token-1", "token-1"])
  })

  it("6.9 keeps the cache of its own credentials", async () => {
    const issuer = issueTokens({ expiresIn: "1 hour" })
    const { client, transport } = scriptedPromises([MockTransport.forever(ok)], {
      credentials: Credentials.bearer(Redacted.make("first"))
    })
    const derived = client.withOptions({ credentials: Credentials.cached({ fetch: issuer.fetch }) })
    for (let n = 0; n < 3; n++) await derived.execute(list)
    expect(issuer.fetched).toBe(1)
    expect(tokens(await Effect.runPromise(transport.requests))).toEqual(["token-1", "token-1", "token-1"])
  })

  it("1.4 with an invalid setting every call rejects", async () => {
    const { client } = scriptedPromises([])
    const derived = client.withOptions({ timeouts: { total: -1 } })
    expect(await rejection(derived.execute(list))).toMatchObject({
      _tag: "InvalidRequestError",
      field: "timeouts.total"
    })
  })
})

describe("close", () => {
  const withScopedTransport = (script: MockTransport.Script) => {
    const mock = Effect.runSync(MockTransport.make(script))
    const log: Array<string> = []
    const transport = Layer.scoped(
      HttpClient.HttpClient,
      Effect.acquireRelease(Effect.succeed(mock.client), () => Effect.sync(() => log.push("released")))
    )
    return { mock, log, client: PromiseClient.make({ baseUrl, transport }) }
  }

  it("aborts running calls with an AbortError, then releases the transport", async () => {
    const { client, log, mock } = withScopedTransport([MockTransport.forever(MockTransport.never)])
    const unwinding = Effect.zipRight(
      Effect.promise(nextMacrotask),
      Effect.sync(() => log.push("ended"))
    )
    const request = ApiRequest.get("/", {
      middleware: [(request, next) => Effect.ensuring(next(request), unwinding)]
    })
    const calls = [
      rejection(client.execute(request)),
      rejection(client.withOptions({}).executeWithResponse(request))
    ]
    await Effect.runPromise(mock.awaitRequests(2))
    await client.close()
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(DOMException)
      expect(error).toMatchObject({ name: "AbortError", message: "The client was closed" })
    }
    expect(await Effect.runPromise(mock.interrupted)).toBe(2)
    expect(log).toEqual(["ended", "ended", "released"])
  })

  it("later calls reject, and closing again does nothing", async () => {
    const { client, log } = withScopedTransport([ok])
    await client.execute(list)
    const derived = client.withOptions({})
    const first = client.close()
    expect(await rejection(client.execute(list))).toMatchObject({ message: "the client is closed" })
    expect(derived.close()).toBe(first)
    await first
    await client.close()
    await client[Symbol.asyncDispose]()
    expect(await rejection(derived.execute(list))).toMatchObject({ message: "the client is closed" })
    expect(log).toEqual(["released"])
  })

  it("does nothing for an unused client", async () => {
    const { client, log } = withScopedTransport([])
    await client.close()
    expect(log).toEqual([])
  })

  it("aborts a call that waits for its transport", async () => {
    const client = PromiseClient.make({
      baseUrl,
      transport: Layer.effect(HttpClient.HttpClient, Effect.never)
    })
    const call = rejection(client.execute(list))
    await client.close()
    expect(await call).toHaveProperty("name", "AbortError")
  })

  it("calls made while the transport is released reject", async () => {
    const { client: http } = Effect.runSync(MockTransport.make([ok, ok]))
    const calls: Array<Promise<unknown>> = []
    const release = Effect.sync(() => calls.push(rejection(client.execute(list)), client.close()))
    const transport = Layer.scoped(
      HttpClient.HttpClient,
      Effect.acquireRelease(Effect.succeed(http), () => release)
    )
    const client = PromiseClient.make({ baseUrl, transport })
    await client.execute(list)
    await client.close()
    expect(await Promise.all(calls)).toMatchObject([{ message: "the client is closed" }, undefined])
  })

  it("rejects with a defect of the transport's release", async () => {
    const bug = new Error("a bug")
    const { client: http } = Effect.runSync(MockTransport.make([ok]))
    const transport = Layer.scoped(
      HttpClient.HttpClient,
      Effect.acquireRelease(Effect.succeed(http), () => Effect.die(bug))
    )
    const client = PromiseClient.make({ baseUrl, transport })
    await client.execute(list)
    expect(await rejection(client.close())).toBe(bug)
  })

  it("runs at the end of an `await using` block", async () => {
    const { client, log } = withScopedTransport([ok])
    {
      await using used = client
      expect(await used.execute(list)).toBe("ok")
      expect(log).toEqual([])
    }
    expect(log).toEqual(["released"])
  })
})

describe("types", () => {
  it("follow the request", () => {
    const client = PromiseClient.make({ baseUrl, transport: FetchHttpClient.layer })
    expectTypeOf(client.execute<Todo, TodoMissing>).returns.toEqualTypeOf<Promise<Todo>>()
    expectTypeOf(() => client.execute(getTodo(1))).returns.toEqualTypeOf<Promise<Todo>>()
    expectTypeOf(() => client.executeWithResponse(getTodo(1))).returns.toEqualTypeOf<
      Promise<ApiResponse.ApiResponse<Todo>>
    >()
    expectTypeOf(() => client.execute(list)).returns.toEqualTypeOf<Promise<unknown>>()
    expectTypeOf(client.withOptions).returns.toEqualTypeOf<PromiseClient.PromiseClient>()
    expectTypeOf(client).toExtend<AsyncDisposable>()
    expectTypeOf<PromiseClient.CallOptions["signal"]>().toEqualTypeOf<AbortSignal | null | undefined>()
  })

  it("reject a request of another kind", () => {
    const client = PromiseClient.make({ baseUrl })
    // @ts-expect-error: no stream of events
    expect(() => client.stream(list)).not.toThrow()
    // @ts-expect-error: no pages
    expect(() => client.items(list)).not.toThrow()
  })
})
