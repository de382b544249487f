import { ApiError, ApiRequest, Credentials, Middleware } from "@effect-api/client"
import { MockTransport, TestServer } from "@effect-api/testing"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { canaries } from "../fixtures/canary.js"
import { expectNoUnhandledRejection, rejection, scriptedPromises, withServer } from "../fixtures/promises.js"
import { ok, status } from "../fixtures/retry.js"

expectNoUnhandledRejection()

const { fromAsync } = Middleware

const sentBy = (transport: MockTransport.MockTransport) => Effect.runPromise(transport.requests)

const withMiddleware = (script: MockTransport.Script, ...middleware: ReadonlyArray<Middleware.Middleware>) =>
  scriptedPromises(script, { middleware, retry: { initialDelay: 1 } })

describe("a middleware in async code", () => {
  it("sees the request with its credentials, and the response of every attempt", async () => {
    const seen: Array<unknown> = []
    const watching = fromAsync(async (request, next) => {
      const { method, url } = request
      const response = await next(request)
      seen.push([
        method,
        url,
        request.headers.get("authorization"),
        response.status,
        response.headers.get("x-a")
      ])
      return response
    })
    const { client } = scriptedPromises(
      [status(503), MockTransport.json("ok", { headers: { "x-a": "1" } })],
      {
        middleware: [watching],
        credentials: Credentials.bearer("t-1"),
        retry: { initialDelay: 1 }
      }
    )
    expect(await client.get("/todos", { query: { full: true } })).toBe("ok")
    expect(seen).toEqual([
      ["GET", "https://api.test/v1/todos?full=true", "Bearer t-1", 503, null],
      ["GET", "https://api.test/v1/todos?full=true", "Bearer t-1", 200, "1"]
    ])
  })

  it("changes method, URL, headers and body, and the body can be sent again", async () => {
    const changing = fromAsync(async (request, next) => {
      const body = { ...(await request.json()), team: "a" }
      const url = new URL(request.url)
      url.searchParams.set("team", "a")
      const headers = new Headers(request.headers)
      headers.set("x-team", "a")
      headers.delete("accept")
      return next(new Request(url, { method: "PUT", headers, body: JSON.stringify(body) }))
    })
    const { client, transport } = withMiddleware([status(503), ok], changing)
    expect(await client.put("/todos", { body: { title: "x" } })).toBe("ok")
    for (const request of await sentBy(transport)) {
      expect([request.method, request.url, request.text]).toEqual([
        "PUT",
        "https://api.test/v1/todos?team=a",
        '{"title":"x","team":"a"}'
      ])
      expect(request.headers).toMatchObject({ "x-team": "a", "content-type": "application/json" })
      expect(request.headers["accept"]).toBeUndefined()
    }
    expect(await sentBy(transport)).toHaveLength(2)
  })

  it.each<readonly [string, object, string]>([
    ["JSON", { body: { a: 1 } }, '{"a":1}'],
    ["a form", { form: { a: "ü" } }, "a=%C3%BC"],
    ["text", { text: "läuft" }, "läuft"],
    ["bytes", { bytes: new TextEncoder().encode("bytes") }, "bytes"],
    ["a stream", { bodyStream: () => new Blob(["streamed"]).stream() }, "streamed"]
  ])("a changed header keeps the body: %s", async (_name, options, text) => {
    const adding = fromAsync((request, next) => {
      const headers = new Headers(request.headers)
      headers.set("x-team", "a")
      return next(new Request(request, { headers }))
    })
    const { client, transport } = withMiddleware([ok], adding)
    const post = ApiRequest.post("/todos", options)
    await client.execute(post)
    const [request] = await sentBy(transport)
    expect([request?.text, request?.headers["x-team"]]).toEqual([text, "a"])
  })

  it("responds without sending", async () => {
    const cached = fromAsync(() => Response.json({ from: "cache" }))
    const { client, transport } = withMiddleware([], cached)
    expect(await client.get("/todos")).toEqual({ from: "cache" })
    expect(await sentBy(transport)).toEqual([])
  })

  it.each<readonly [string, (response: Response) => Promise<Response>]>([
    ["the response as it is", async (response) => response],
    [
      "a response whose clone was read",
      async (response) => {
        expect(await response.clone().json()).toBe("ok")
        return response
      }
    ],
    ["a new response", async (response) => Response.json(await response.json())]
  ])("the decoder gets the body of %s", async (_name, change) => {
    const { client } = withMiddleware(
      [ok],
      fromAsync(async (request, next) => change(await next(request)))
    )
    expect(await client.get("/todos")).toBe("ok")
  })

  it("several run in their order, beside those of Effect", async () => {
    const order: Array<string> = []
    const named = (name: string) =>
      fromAsync(async (request, next) => {
        order.push(`${name} out`)
        const response = await next(request)
        order.push(`${name} back`)
        return response
      })
    const effect: Middleware.Middleware = (request, next) =>
      Effect.tap(next(request), () => Effect.sync(() => order.push("effect back")))
    const { client } = withMiddleware([ok], named("a"), effect, named("b"))
    await client.get("/todos")
    expect(order).toEqual(["a out", "b out", "b back", "effect back", "a back"])
  })

  it("may send again, and gets the tagged error of a request without a response", async () => {
    const caught: Array<unknown> = []
    const twice = fromAsync(async (request, next) => {
      try {
        return await next(request)
      } catch (error) {
        caught.push(error)
        return next(request)
      }
    })
    const { client } = withMiddleware([MockTransport.connectionError({ code: "ECONNRESET" }), ok], twice)
    expect(await client.post("/todos", { body: {} })).toBe("ok")
    expect(caught).toMatchObject([{ _tag: "ConnectionError", kind: "reset" }])
  })
})

describe("what a middleware in async code fails with", () => {
  it("an error of the package is retried by the policy", async () => {
    let runs = 0
    const failing = fromAsync(async (request, next) => {
      runs++
      if (runs === 1) throw ApiError.make("OverloadedError", { message: "full" })
      return next(request)
    })
    const { client } = withMiddleware([ok], failing)
    expect(await client.get("/todos")).toBe("ok")
    expect(runs).toBe(2)
  })

  it("any other error rejects the promise of the call with itself", async () => {
    const problem = new Error("no tenant")
    const { client } = withMiddleware(
      [],
      fromAsync(() => Promise.reject(problem))
    )
    expect(await rejection(client.get("/todos"))).toBe(problem)
  })

  it.each<readonly [string, unknown, string]>([
    ["nothing", () => undefined, "must return a Response"],
    ["a text", async () => "text", "must return a Response"],
    [
      "a URL passed on",
      (request: Request, next: (request: unknown) => Promise<Response>) => next(request.url),
      "must pass on a Request"
    ]
  ])("a wrong kind is an InvalidRequestError: %s", async (_name, handle, reason) => {
    const middleware = Reflect.apply(fromAsync, undefined, [handle])
    const { client, transport } = withMiddleware([], middleware)
    expect(await rejection(client.get("/todos"))).toMatchObject({
      _tag: "InvalidRequestError",
      field: "middleware",
      reason
    })
    expect(await sentBy(transport)).toEqual([])
  })

  it("a response whose body it has read is an InvalidRequestError", async () => {
    const reading = fromAsync(async (request, next) => {
      const response = await next(request)
      await response.text()
      return response
    })
    const { client } = withMiddleware([ok], reading)
    expect(await rejection(client.get("/todos"))).toMatchObject({
      _tag: "InvalidRequestError",
      reason: "gave back a response whose body has been read"
    })
  })

  it("12.4 a secret header that it sets shows in no error", async () => {
    const token = canaries.token("m")
    const adding = fromAsync((request, next) => {
      const headers = new Headers(request.headers)
      headers.set("x-api-key", token)
      return next(new Request(request, { headers }))
    })
    const { client } = withMiddleware(
      [MockTransport.json({ error: { message: `no ${token}` } }, { status: 403 })],
      adding
    )
    expect(JSON.stringify(await rejection(client.get("/todos")))).not.toContain(token)
  })
})

describe("the end of a call in async middleware", () => {
  const passing = fromAsync((request, next) => next(request))

  it("8.6 the signal of a call ends the request below, and aborts request.signal", async () => {
    let seen: AbortSignal | undefined
    let sent = (): void => {}
    const isSent = new Promise<void>((resolve) => {
      sent = resolve
    })
    const watching = fromAsync((request, next) => {
      seen = request.signal
      const response = next(request)
      sent()
      return response
    })
    const { client, transport } = withMiddleware([MockTransport.never], watching, passing)
    const controller = new AbortController()
    const call = rejection(client.get("/todos", { signal: controller.signal }))
    await isSent
    controller.abort(new Error("enough"))
    expect(await call).toMatchObject({ message: "enough" })
    expect(seen?.aborted).toBe(true)
    expect(await Effect.runPromise(transport.inFlight)).toBe(0)
  })

  it("8.6 a signal of the middleware's own ends the request that carries it", async () => {
    const impatient = fromAsync(async (request, next) => {
      try {
        return await next(new Request(request, { signal: AbortSignal.timeout(5) }))
      } catch (error) {
        return Response.json({ gaveUp: error instanceof Error && error.name })
      }
    })
    const { client, transport } = withMiddleware([MockTransport.never], impatient)
    expect(await client.get("/todos")).toEqual({ gaveUp: "TimeoutError" })
    expect(await Effect.runPromise(transport.inFlight)).toBe(0)
  })

  it.each<readonly [string, Middleware.AsyncMiddleware]>([
    ["passes on", (request, next) => next(request)],
    [
      "wraps in a new Response",
      async (request, next) => {
        const response = await next(request)
        return new Response(response.body, response)
      }
    ],
    [
      "clones, and leaves the clone unread",
      async (request, next) => {
        const response = await next(request)
        response.clone()
        return response
      }
    ]
  ])("8.6 leaving a body that it %s closes the connection", (_name, handle) =>
    withServer(
      { "GET /endless": TestServer.stallAfter(TestServer.text("0123456789"), 4) },
      async (server, plain) => {
        const client = plain.withOptions({ middleware: [fromAsync(handle)] })
        const { body } = await client.download("/endless")
        if (body === null) throw new Error("no body")
        for await (const _ of body) break
        expect(await Effect.runPromise(server.awaitClosed(0))).toBe("client")
        await plain.close()
      }
    )
  )

  it("8.6 a response that it replaces, and nobody has read, is closed", () =>
    withServer(
      { "GET /endless": TestServer.stallAfter(TestServer.text("0123456789"), 4) },
      async (server, plain) => {
        const replacing = fromAsync(async (request, next) => {
          await next(request)
          return Response.json("mine")
        })
        const client = plain.withOptions({ middleware: [replacing] })
        const value = await (await client.download("/endless")).json()
        expect([value, await Effect.runPromise(server.awaitClosed(0))]).toEqual(["mine", "client"])
        await plain.close()
      }
    ))

  it("a stream, a download and a body that breaks off pass through it on real sockets", () =>
    withServer(
      {
        "GET /whole": TestServer.chunks(["one,", "two"]),
        "GET /broken": TestServer.resetAfter(TestServer.text("0123456789"), 4)
      },
      async (server, plain) => {
        const client = plain.withOptions({ middleware: [passing], retry: { maxRetries: 0 } })
        expect(await (await client.download("/whole")).text()).toBe("one,two")
        expect(await rejection(client.get("/broken"))).toMatchObject({
          _tag: "ConnectionError",
          kind: "reset"
        })
        const changed = plain.withOptions({
          retry: { maxRetries: 0 },
          middleware: [
            fromAsync(async (request, next) => {
              const response = await next(request)
              return new Response(response.body, response)
            })
          ]
        })
        expect(await (await changed.download("/whole")).text()).toBe("one,two")
        expect(await rejection(changed.get("/broken"))).toMatchObject({
          _tag: "ConnectionError",
          kind: "reset"
        })
        expect(await Effect.runPromise(server.requestCount)).toBe(4)
        await plain.close()
      }
    ))
})
