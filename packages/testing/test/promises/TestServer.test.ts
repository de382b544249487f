import { once } from "node:events"
import { connect } from "node:net"
import { TestServer } from "@effect-api/testing"
import { describe, expect, it } from "vitest"

const busy = TestServer.json({ error: "busy" }, { status: 503 })

describe("TestServer.start", () => {
  it("async functions of the request reply", async () => {
    await using server = await TestServer.start({
      "GET /todos/{id}": async ({ params }) => {
        await Promise.resolve()
        return TestServer.json({ id: Number(params["id"]) })
      },
      "POST /todos": ({ json }) => TestServer.json(json, { status: 201 }),
      "GET /flaky": TestServer.sequence(busy, async () => TestServer.empty(204))
    })
    const todo = await fetch(`${server.url}/todos/7?a=1`)
    expect([todo.status, await todo.json()]).toEqual([200, { id: 7 }])
    const made = await fetch(`${server.url}/todos`, { method: "POST", body: '{"title":"x"}' })
    expect([made.status, await made.json()]).toEqual([201, { title: "x" }])
    const statuses = [await fetch(`${server.url}/flaky`), await fetch(`${server.url}/flaky`)]
    expect(statuses.map(({ status }) => status)).toEqual([503, 204])
    expect(server.requests().map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /todos/7?a=1",
      "POST /todos",
      "GET /flaky",
      "GET /flaky"
    ])
    expect([server.requestCount(), server.exchanges().length]).toEqual([4, 4])
    server.reset()
    expect([server.requestCount(), (await fetch(`${server.url}/flaky`)).status]).toEqual([0, 503])
  })

  it("one handler serves every request", async () => {
    await using server = await TestServer.start(async ({ path }) => TestServer.text(path))
    expect(await (await fetch(`${server.url}/a/b`)).text()).toBe("/a/b")
  })

  it("a streamed body arrives in an async iterable", async () => {
    await using server = await TestServer.start({
      "PUT /files/{name}": TestServer.streamingAsync(async ({ params }, body) => {
        let size = 0
        for await (const bytes of body) size += bytes.length
        return TestServer.json({ name: params["name"], size })
      })
    })
    const response = await fetch(`${server.url}/files/a`, { method: "PUT", body: new Uint8Array(200_000) })
    expect(await response.json()).toEqual({ name: "a", size: 200_000 })
    expect(server.exchanges()[0]?.bytesReceived).toBe(200_000)
  })

  it("chunks come from an async generator", async () => {
    const events = async function* () {
      yield "data: 1\n\n"
      yield "data: 2\n\n"
    }
    await using server = await TestServer.start(() => TestServer.chunks(events))
    expect(await (await fetch(server.url)).text()).toBe("data: 1\n\ndata: 2\n\n")
  })

  const failing: ReadonlyArray<readonly [string, (request: TestServer.SeenRequest) => unknown, string]> = [
    [
      "throws",
      () => {
        throw new Error("no luck")
      },
      "no luck"
    ],
    [
      "rejects",
      async () => {
        throw new Error("no luck")
      },
      "no luck"
    ],
    ["returns nothing", () => undefined, "the handler of GET /x returned undefined, which is no reply"],
    [
      "resolves with a plain object",
      async () => ({ ok: true }),
      "returned an object with ok, which is no reply"
    ],
    ["returns a web response", () => new Response("x"), "which is no reply"]
  ]
  it.each(failing)("a handler that %s responds with 500 and the reason", async (_, handler, reason) => {
    // A program without types.
    const routes: TestServer.Routes = JSON.parse("{}")
    Object.assign(routes, { "GET /x": handler })
    await using server = await TestServer.start(routes)
    const response = await fetch(`${server.url}/x`)
    expect(response.status).toBe(500)
    expect(await response.text()).toContain(reason)
    expect(server.exchanges()[0]?.failure).toBeInstanceOf(Error)
  })

  const malformed: ReadonlyArray<readonly [string, object, string]> = [
    ["a route without a method", { "/x": busy }, 'the route "/x" is not "METHOD /path" or "*"'],
    ["a plain object", { "GET /x": { ok: true } }, 'the route "GET /x" is an object with ok: use a reply'],
    ["a wrong step", { "GET /x": [busy, 200] }, 'step 2 of the route "GET /x" is 200: use a reply'],
    ["nothing", { "GET /x": undefined }, 'the route "GET /x" is undefined: use a reply'],
    ["a wrong list", [busy, "ok"], 'step 2 of the route "*" is "ok": use a reply']
  ]
  it.each(malformed)("%s rejects, and names the route and the step", async (_, routes, message) => {
    const untyped: TestServer.Routes = JSON.parse(Array.isArray(routes) ? "[]" : "{}")
    Object.assign(untyped, routes)
    await expect(TestServer.start(untyped)).rejects.toThrow(message)
  })

  it("a wrong duration names the option", () => {
    // A text of a program without types.
    const delay: `${number} seconds` = JSON.parse('"5 secnds"')
    expect(() => TestServer.delayed(busy, delay)).toThrow('TestServer.delayed: "5 secnds" is no duration')
    expect(() => TestServer.chunks([], { delay })).toThrow(
      'TestServer.chunks: delay: "5 secnds" is no duration'
    )
  })

  it("the signal of a handler aborts when the client leaves", async () => {
    let leave = (_: string): void => {}
    const left = new Promise<string>((resolve) => {
      leave = resolve
    })
    await using server = await TestServer.start(async (_, signal) => {
      await once(signal, "abort")
      leave("left")
      return TestServer.empty()
    })
    const leaving = new AbortController()
    const response = fetch(server.url, { signal: leaving.signal })
    await server.awaitRequests(1)
    leaving.abort()
    await expect(response).rejects.toThrow("aborted")
    expect([await left, await server.awaitClosed(0)]).toEqual(["left", "client"])
    expect(await server.awaitOpenSockets((open) => open === 0)).toBe(0)
  })

  it("waits see what has happened already, and what happens later", async () => {
    await using server = await TestServer.start(
      TestServer.text("0123456789").pipe(TestServer.truncateAfter(4))
    )
    const sent = server.awaitExchange(0, ({ bytesSent }) => bytesSent === 4)
    await expect(fetch(server.url).then((response) => response.text())).rejects.toThrow()
    expect((await sent).replied).toBe(false)
    expect(await server.awaitClosed(0)).toBe("server")
    expect((await server.awaitRequests(1)).length).toBe(1)
    expect([server.openSockets(), server.socketsSeen()]).toEqual([0, 1])
  })

  it("a predicate that throws rejects its wait alone", async () => {
    await using server = await TestServer.start(TestServer.empty())
    const wait = server.awaitExchange(0, ({ replied }) => {
      throw new RangeError(`replied: ${replied}`)
    })
    const rejected = expect(wait).rejects.toThrow(RangeError)
    expect((await fetch(server.url)).status).toBe(204)
    await rejected
  })

  it("a streaming handler that leaves its body early, or fails, replies all the same", async () => {
    await using server = await TestServer.start({
      "PUT /left": TestServer.streamingAsync(async (_, body) => {
        for await (const bytes of body) return TestServer.json({ first: bytes.length > 0 })
        return TestServer.empty()
      }),
      "PUT /failed": TestServer.streamingAsync(async (_, body) => {
        for await (const _ of body) throw new Error("too much")
        return TestServer.empty()
      })
    })
    const put = (path: string) =>
      fetch(`${server.url}${path}`, { method: "PUT", body: new Uint8Array(2_000_000) })
    const left = await put("/left")
    expect([left.status, await left.json()]).toEqual([200, { first: true }])
    const failed = await put("/failed")
    expect([failed.status, await failed.text()]).toEqual([500, "TestServer handler failed: too much"])
  })

  it("close ends running responses, is idempotent, frees the port, and leaves nothing that holds the process", async () => {
    const listening = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length
    const before = listening()
    const server = await TestServer.start({
      "*": TestServer.never,
      "GET /open": TestServer.stallAfter(TestServer.text("abc"), 1)
    })
    const [never, open] = [
      fetch(`${server.url}/never`),
      fetch(`${server.url}/open`).then((response) => response.text())
    ]
    const ends = Promise.allSettled([never, open])
    await server.awaitRequests(2)
    await Promise.all([server.close(), server.close()])
    await server.close()
    await server[Symbol.asyncDispose]()
    expect(listening()).toBe(before)
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected"])
    const socket = connect(server.port, "127.0.0.1")
    const [error] = await once(socket, "error")
    expect(error).toMatchObject({ code: "ECONNREFUSED" })
  })

  it("close rejects the waits for what did not happen, and reports what did", async () => {
    const server = await TestServer.start(TestServer.never)
    const response = fetch(server.url).catch(() => "ended")
    await server.awaitRequests(1)
    const waits = Promise.allSettled([
      server.awaitRequests(2),
      server.awaitExchange(5, () => true),
      server.awaitClosed(0)
    ])
    await server.close()
    const after = Promise.allSettled([server.awaitRequests(3)])
    expect(await response).toBe("ended")
    expect(await waits).toMatchObject([
      {
        reason: { message: "TestServer: closed before 2 request(s) arrived. 1 request(s) reached a handler" }
      },
      { reason: { message: expect.stringContaining("before exchange 5 satisfied the predicate") } },
      { value: "server" }
    ])
    expect(await after).toMatchObject([
      { reason: { message: expect.stringContaining("closed before 3 request(s) arrived") } }
    ])
    expect(await server.awaitClosed(0)).toBe("server")
  })

  it("a signal ends a wait with its own reason, and nothing else", async () => {
    await using server = await TestServer.start(TestServer.empty())
    const ending = new AbortController()
    const wait = server.awaitRequests(1, { signal: ending.signal })
    ending.abort(new Error("enough"))
    await expect(wait).rejects.toThrow("enough")
    await expect(server.awaitRequests(1, { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow(
      "before"
    )
    expect((await fetch(server.url)).status).toBe(204)
    expect((await server.awaitRequests(1, { signal: new AbortController().signal })).length).toBe(1)
  })

  it("nothing listens on a refused URL", async () => {
    const url = await TestServer.findRefusedUrl()
    const error = await fetch(url).catch((error: unknown) => error)
    expect(error).toMatchObject({ cause: { code: "ECONNREFUSED" } })
  })
})
