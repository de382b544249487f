import { describe, expect, it } from "@effect/vitest"
import { TestServer } from "@effect-api/testing"
import { Cause, Context, Deferred, Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import { fetched, get, hold, http, oneSocket, untilClosed } from "../fixtures/rawClient.js"

const textOf = (response: Response): Effect.Effect<string> => Effect.promise(() => response.text())
const ok = TestServer.json({ ok: true })

describe("replies", () => {
  const cases: ReadonlyArray<
    readonly [string, TestServer.Reply, number, string, Record<string, string | null>]
  > = [
    [
      "json",
      TestServer.json({ a: 1 }),
      200,
      '{"a":1}',
      { "content-type": "application/json", "content-length": "7" }
    ],
    ["json null", TestServer.json(null, { status: 201 }), 201, "null", { "content-length": "4" }],
    [
      "text",
      TestServer.text("héé"),
      200,
      "héé",
      { "content-type": "text/plain; charset=utf-8", "content-length": "5" }
    ],
    [
      "bytes",
      TestServer.bytes(new Uint8Array([65, 66])),
      200,
      "AB",
      { "content-type": "application/octet-stream" }
    ],
    ["empty", TestServer.empty(), 204, "", { "content-length": null, "content-type": null }],
    ["empty 500", TestServer.empty(500, { "x-a": "1" }), 500, "", { "content-length": "0", "x-a": "1" }],
    [
      "chunks",
      TestServer.chunks(["a", new Uint8Array([66]), "c"]),
      200,
      "aBc",
      { "transfer-encoding": "chunked" }
    ],
    ["chunks with a delay", TestServer.chunks(["a", "b"], { delay: 1 }), 200, "ab", {}],
    ["delayed", ok.pipe(TestServer.delayed("1 millis")), 200, '{"ok":true}', {}],
    [
      "a custom content type in any case",
      TestServer.json([], { status: 400, headers: { "Content-Type": "application/problem+json" } }),
      400,
      "[]",
      { "content-type": "application/problem+json" }
    ]
  ]
  for (const [name, reply, status, body, headers] of cases) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(reply)
        const response = yield* fetched(server.url)
        expect([response.status, yield* textOf(response)]).toEqual([status, body])
        for (const [header, value] of Object.entries(headers))
          expect(response.headers.get(header)).toBe(value)
      })
    )
  }

  const sources: ReadonlyArray<readonly [string, TestServer.Chunks]> = [
    ["an array", ["one", "two"]],
    ["a set", new Set(["one", "two"])],
    [
      "a generator function",
      function* () {
        yield* ["one", "two"]
      }
    ],
    [
      "an async generator function",
      async function* () {
        yield* ["one", "two"]
      }
    ],
    ["a stream", Stream.make("one", "two")]
  ]
  for (const [name, source] of sources) {
    it.scopedLive(`chunks from ${name}, twice`, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(TestServer.chunks(source))
        const once = Effect.flatMap(fetched(server.url), textOf)
        expect(yield* Effect.all([once, once])).toEqual(["onetwo", "onetwo"])
      })
    )
  }

  it.scopedLive("sends each chunk as one write, after the headers", () =>
    Effect.gen(function* () {
      const second = yield* Deferred.make<string>()
      const server = yield* TestServer.make(
        TestServer.chunks(Stream.concat(Stream.make("one"), Stream.fromEffect(Deferred.await(second))))
      )
      const client = yield* hold(server.port)
      client.socket.write(get("/"))
      yield* client.awaitText("3\r\none\r\n")
      yield* Deferred.succeed(second, "second")
      expect(yield* client.awaitText("0\r\n\r\n")).toMatch(/\r\n\r\n3\r\none\r\n6\r\nsecond\r\n0\r\n\r\n$/)
    })
  )

  it.scopedLive("sends repeated headers and the reason phrase", () =>
    Effect.gen(function* () {
      const headers = { "set-cookie": ["a=1", "b=2"] }
      const server = yield* TestServer.make(TestServer.text("", { status: 503, statusText: "Busy", headers }))
      const response = yield* fetched(server.url)
      expect(response.statusText).toBe("Busy")
      expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"])
    })
  )

  it.scopedLive("sends HEAD the headers without the body", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(TestServer.text("hello"))
      const got = yield* http(server.url, { method: "HEAD" })
      expect([got.headers["content-length"], got.text]).toEqual(["5", ""])
      expect((yield* server.exchanges)[0]?.bytesSent).toBe(0)
    })
  )
})

describe("routes", () => {
  const routes: TestServer.Routes = {
    "GET /todos/{id}": (request) => TestServer.json(request.params),
    "* /any/{name}.json": (request) => TestServer.json({ method: request.method, ...request.params }),
    "GET /files/*": (request) => TestServer.json(request.params),
    "GET /a b": TestServer.text("spaces"),
    "GET /": TestServer.text("root")
  }
  const cases: ReadonlyArray<readonly [string, string, number, unknown]> = [
    ["GET", "/todos/1", 200, { id: "1" }],
    ["GET", "/todos/a%2Fb%20c?x=1", 200, { id: "a/b c" }],
    ["GET", "/todos/%E0%A4%A", 200, { id: "%E0%A4%A" }],
    ["GET", "/todos/", 404, "TestServer has no route for GET /todos/"],
    ["GET", "/todos/1/2", 404, "TestServer has no route for GET /todos/1/2"],
    ["POST", "/todos/1", 404, "TestServer has no route for POST /todos/1"],
    ["PUT", "/any/x.y.json", 200, { method: "PUT", name: "x.y" }],
    ["GET", "/any/xjson", 404, "TestServer has no route for GET /any/xjson"],
    ["GET", "/files/a/b%20c", 200, { "*": "a/b c" }],
    ["GET", "/files", 404, "TestServer has no route for GET /files"],
    ["GET", "/a%20b", 200, "spaces"],
    ["GET", "/", 200, "root"]
  ]
  for (const [method, target, status, body] of cases) {
    it.scopedLive(`${method} ${target} -> ${status}`, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(routes)
        const got = yield* http(`${server.url}${target}`, { method })
        expect([
          got.status,
          status === 200 && typeof body !== "string" ? JSON.parse(got.text) : got.text
        ]).toEqual([status, body])
      })
    )
  }

  it.scopedLive("the route * handles all other requests, in any position", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.empty(410), "GET /here": ok })
      expect((yield* http(`${server.url}/here`)).status).toBe(200)
      expect((yield* http(`${server.url}/gone`, { method: "POST" })).status).toBe(410)
    })
  )

  it.scopedLive("a malformed route is a defect", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(TestServer.make({ "/todos": ok }))
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain('the route "/todos" is not')
    })
  )

  it.scopedLive(
    "steps follow each other, the last repeats, reset restarts them, servers count separately",
    () =>
      Effect.gen(function* () {
        const steps = TestServer.sequence(
          TestServer.empty(503),
          () => TestServer.empty(429),
          Effect.succeed(TestServer.empty(200))
        )
        const [one, two] = yield* Effect.all([TestServer.make({ "GET /": steps }), TestServer.make(steps)])
        const status = (server: TestServer.TestServer) => Effect.map(http(server.url), (got) => got.status)
        expect(yield* Effect.all(Array.from({ length: 4 }, () => status(one)))).toEqual([503, 429, 200, 200])
        expect(yield* status(two)).toBe(503)
        yield* one.reset
        expect(yield* status(one)).toBe(503)
        expect(yield* one.requestCount).toBe(1)
      })
  )

  it.scopedLive("handlers use the services of the fiber that made the server", () =>
    Effect.gen(function* () {
      class Name extends Context.Tag("Name")<Name, string>() {}
      const server = yield* TestServer.make({
        "GET /": () => Effect.map(Name, (name) => TestServer.text(name))
      }).pipe(Effect.provideService(Name, "mine"))
      expect((yield* http(server.url)).text).toBe("mine")
    })
  )

  const failing: ReadonlyArray<readonly [string, TestServer.Handler, string | RegExp]> = [
    [
      "throws",
      () => {
        throw new Error("thrown")
      },
      "thrown"
    ],
    ["dies", Effect.die(new Error("dead")), "dead"],
    ["fails", () => Effect.fail("failed"), "failed"],
    ["interrupts itself", () => Effect.interrupt, /interrupted/i],
    ["reads invalid JSON", (request) => TestServer.json(request.json), "JSON"],
    ["replies with an invalid header", TestServer.empty(200, { "x-a": "a\nb" }), "Invalid character"],
    ["has no steps", [], "empty list"]
  ]
  for (const [name, handler, message] of failing) {
    it.scopedLive(`a handler that ${name} becomes a 500 with the message`, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(handler)
        const got = yield* http(server.url, { method: "POST", body: "{" })
        expect(got.status).toBe(500)
        expect(got.text).toMatch(message)
        const [exchange] = yield* server.exchanges
        expect(String(exchange?.failure)).toMatch(message)
      })
    )
  }

  it.scopedLive("a body that fails midway resets the connection", () =>
    Effect.gen(function* () {
      const body = Stream.concat(Stream.make("one"), Stream.fail(new Error("broken")))
      const server = yield* TestServer.make(TestServer.chunks(body))
      const seen = yield* untilClosed(server.port, get("/"))
      expect(seen.ended).toBe("reset")
      expect(String((yield* server.exchanges)[0]?.failure)).toContain("broken")
    })
  )
})

describe("the log", () => {
  it.scopedLive("has a request exactly as sent", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "POST /a/{x}/*": ok })
      const head =
        "POST /a/%41/../b?q=1&q=2?&r=%20 HTTP/1.1\r\nHost: h\r\nX-Twice: 1\r\nx-twice: 2\r\n" +
        "cookie: a=1\r\ncookie: b=2\r\nconnection: close\r\ncontent-length: 9\r\n\r\n"
      expect((yield* untilClosed(server.port, `${head}{"ü":1}\n`)).text).toContain("200 OK")
      const [request] = yield* server.requests
      expect(request).toMatchObject({
        index: 0,
        socketId: 0,
        method: "POST",
        url: "/a/%41/../b?q=1&q=2?&r=%20",
        path: "/a/%41/../b",
        params: { x: "A", "*": "../b" },
        headers: {
          host: "h",
          "x-twice": "1, 2",
          cookie: "a=1; b=2",
          connection: "close",
          "content-length": "9"
        },
        text: '{"ü":1}\n',
        json: { ü: 1 }
      })
      expect(request?.query.getAll("q")).toEqual(["1", "2?"])
      expect(request?.query.get("r")).toBe(" ")
      expect(request?.rawHeaders.slice(0, 3)).toEqual([
        ["Host", "h"],
        ["X-Twice", "1"],
        ["x-twice", "2"]
      ])
      expect(request?.body).toHaveLength(9)
    })
  )

  it.scopedLive("has the absolute form of a proxy in url, and without its origin in path", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "GET /x": ok })
      yield* untilClosed(server.port, get("http://api.test:81/x?y=1", "connection: close\r\n"))
      expect((yield* server.requests)[0]).toMatchObject({ url: "http://api.test:81/x?y=1", path: "/x" })
    })
  )

  it.scopedLive("counts and numbers sockets", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(ok)
      const agent = yield* oneSocket
      yield* http(server.url, { agent })
      yield* http(server.url, { agent })
      yield* http(server.url, { agent: yield* oneSocket })
      expect((yield* server.requests).map((request) => request.socketId)).toEqual([0, 0, 1])
      expect([yield* server.openSockets, yield* server.socketsSeen]).toEqual([2, 2])
      agent.destroy()
      expect(yield* server.awaitOpenSockets((open) => open === 1)).toBe(1)
      expect(yield* server.awaitClosed(0)).toBe("client")
      expect((yield* server.exchanges).map(({ replied, closed }) => [replied, closed])).toEqual([
        [true, "client"],
        [true, "client"],
        [true, undefined]
      ])
      yield* server.reset
      expect([yield* server.requestCount, yield* server.socketsSeen, yield* server.openSockets]).toEqual([
        0, 0, 1
      ])
    })
  )

  it.scopedLive("awaitRequests waits for requests, not for their replies", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(TestServer.never)
      const waiting = yield* Effect.fork(server.awaitRequests(2))
      yield* Effect.fork(fetched(`${server.url}/1`))
      yield* server.awaitRequests(1)
      expect(Option.isNone(yield* Fiber.poll(waiting))).toBe(true)
      yield* Effect.fork(fetched(`${server.url}/2`))
      expect((yield* Fiber.join(waiting)).map((request) => request.path)).toEqual(["/1", "/2"])
    })
  )

  it.scopedLive("has a truncated upload that never reached the handler", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(ok)
      const client = yield* hold(server.port)
      client.socket.write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\n12345")
      yield* server.awaitExchange(0, (exchange) => exchange.bytesReceived === 5)
      client.socket.destroy()
      expect(yield* server.awaitClosed(0)).toBe("client")
      expect(yield* server.requestCount).toBe(0)
    })
  )

  it.scopedLive("an abort closes the socket and interrupts the handler", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const server = yield* TestServer.make(() =>
        Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      )
      const fiber = yield* Effect.fork(fetched(server.url))
      yield* server.awaitRequests(1)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(interrupted)
      expect(yield* server.awaitClosed(0)).toBe("client")
      expect((yield* server.exchanges)[0]?.replied).toBe(false)
    })
  )
})

describe("bodies of any size", () => {
  const chunk = new Uint8Array(65_536)
  const count = 1024

  it.scopedLive("a streaming route counts an upload without collecting it", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "POST /": TestServer.streaming((request, body) =>
          Stream.runFold(body, 0, (size, bytes) => size + bytes.length).pipe(
            Effect.map((size) => TestServer.json({ size, held: request.body.length }))
          )
        )
      })
      let sent = 0
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => (sent++ < count ? controller.enqueue(chunk) : controller.close())
      })
      const init = { method: "POST", body, duplex: "half" } as RequestInit
      const response = yield* fetched(server.url, init)
      expect(JSON.parse(yield* textOf(response))).toEqual({ size: count * chunk.length, held: 0 })
      expect((yield* server.exchanges)[0]?.bytesReceived).toBe(count * chunk.length)
    })
  )

  it.scopedLive("a streaming route can reply before the body arrives", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(
        TestServer.streaming((_request, body) =>
          Effect.as(Stream.runHead(body), TestServer.empty(413, { connection: "close" }))
        )
      )
      const client = yield* hold(server.port)
      client.socket.write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\n\r\n12345")
      expect(yield* client.awaitText("\r\n\r\n")).toContain("413")
    })
  )

  it.scopedLive("the rest of a body that a streaming route has begun to read is discarded", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "POST /": TestServer.streaming((_request, body) =>
          Effect.as(Stream.runHead(body), TestServer.empty(413))
        ),
        "GET /": TestServer.text("the next one")
      })
      const client = yield* hold(server.port)
      const size = 4 * 1024 * 1024
      client.socket.write(`POST / HTTP/1.1\r\nhost: h\r\ncontent-length: ${size}\r\n\r\n`)
      client.socket.write(Buffer.alloc(size))
      client.socket.write(get("/"))
      expect(yield* client.awaitText("the next one")).toContain("413")
    })
  )

  it.scopedLive("a client that does not read pauses the source, and leaving ends it", () =>
    Effect.gen(function* () {
      let pulled = 0
      const ended = yield* Deferred.make<void>()
      const source = Stream.repeatEffect(
        Effect.sync(() => {
          pulled++
          return chunk
        })
      ).pipe(Stream.ensuring(Deferred.succeed(ended, undefined)))
      const server = yield* TestServer.make(TestServer.chunks(source))
      const client = yield* hold(server.port)
      client.socket.pause()
      client.socket.write(get("/"))
      const { bytesSent } = yield* server.awaitExchange(0, (exchange) => exchange.bytesSent > 0)
      expect(bytesSent % chunk.length).toBe(0)
      // Without backpressure, this many turns of the event loop would pull thousands of chunks.
      yield* Effect.repeatN(
        Effect.promise(() => new Promise(setImmediate)),
        100
      )
      expect(pulled).toBeLessThan(500)
      client.socket.destroy()
      yield* Deferred.await(ended)
      expect(yield* server.awaitClosed(0)).toBe("client")
      const [exchange] = yield* server.exchanges
      expect(exchange?.replied).toBe(false)
      expect(pulled * chunk.length - (exchange?.bytesSent ?? 0)).toBeLessThanOrEqual(chunk.length)
    })
  )

  it.scopedLive("a source that never resumes does not keep the scope open", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const source = async function* (): AsyncGenerator<string> {
        yield "one"
        await new Promise(() => undefined)
      }
      const server = yield* Scope.extend(TestServer.make(TestServer.chunks(source)), scope)
      const client = yield* hold(server.port)
      client.socket.write(get("/"))
      yield* client.awaitText("one")
      yield* Scope.close(scope, Exit.void)
      expect(yield* server.openSockets).toBe(0)
    })
  )
})

describe("the scope", () => {
  it.live("closes sockets, handlers, timers and the port", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const interrupted = yield* Deferred.make<void>()
      const server = yield* Scope.extend(
        TestServer.make({
          "GET /never": TestServer.never,
          "GET /slow": ok.pipe(TestServer.delayed("1 hour")),
          "GET /effect": Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
        }),
        scope
      )
      const fibers = yield* Effect.forEach(["/never", "/slow", "/effect"], (path) =>
        Effect.fork(http(`${server.url}${path}`))
      )
      yield* server.awaitRequests(3)
      yield* Scope.close(scope, Exit.void)
      yield* Deferred.await(interrupted)
      const ended = yield* Effect.forEach(fibers, Fiber.join)
      expect(ended.map((got) => got.error)).toEqual(["ECONNRESET", "ECONNRESET", "ECONNRESET"])
      expect((yield* server.exchanges).map((exchange) => exchange.closed)).toEqual([
        "server",
        "server",
        "server"
      ])
      expect((yield* http(server.url)).error).toBe("ECONNREFUSED")
      expect(process.getActiveResourcesInfo()).not.toContain("TCPServerWrap")
    })
  )

  it.live("works as a layer", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.TestServer
      expect((yield* http(server.url)).status).toBe(200)
    }).pipe(Effect.provide(TestServer.layer({ "GET /": ok })))
  )

  it.scoped("delays use real time even under a test clock", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(ok.pipe(TestServer.delayed("1 millis")))
      expect((yield* http(server.url)).status).toBe(200)
    })
  )
})
