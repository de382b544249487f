import { ApiRequest, PromiseClient, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { afterEach, describe, expect, it, vi } from "vitest"

const clientOf = (mock: MockTransport.AsyncMockTransport, options: Partial<PromiseClient.Options> = {}) =>
  PromiseClient.make({ baseUrl: "https://api.test", transport: mock.transport, ...options })
const todo = ApiRequest.get("/todos/1", { success: ResponseDecoder.json })

afterEach(() => {
  vi.useRealTimers()
})

describe("MockTransport.start", () => {
  it("the steps of a script respond in order, and the log has the requests", async () => {
    const mock = MockTransport.start([
      MockTransport.connectionError({ code: "ECONNRESET" }),
      MockTransport.json({ id: 1 })
    ])
    await using client = clientOf(mock, { retry: { initialDelay: 1 } })
    const added = ApiRequest.put("/todos/1", { body: { title: "x" }, success: ResponseDecoder.json })
    expect(await client.execute(added)).toEqual({ id: 1 })
    expect(mock.requests().map(({ json, method, url }) => [method, url, json])).toEqual(
      Array(2).fill(["PUT", "https://api.test/todos/1", { title: "x" }])
    )
    expect([mock.requestCount(), mock.interrupted(), mock.inFlight()]).toEqual([2, 0, 0])
  })

  it("a function of the request is a script, and a response may be async", async () => {
    const mock = MockTransport.start((_, index) =>
      MockTransport.response(async ({ url }) => Response.json({ index, url }))
    )
    await using client = clientOf(mock)
    expect(await client.execute(todo)).toEqual({ index: 0, url: "https://api.test/todos/1" })
    expect(await client.execute(todo)).toEqual({ index: 1, url: "https://api.test/todos/1" })
  })

  it("a body comes from an async iterable", async () => {
    const parts = async function* () {
      yield "[1,"
      yield new TextEncoder().encode("2]")
    }
    const mock = MockTransport.start([
      MockTransport.stream(parts(), { headers: { "content-type": "application/json" } })
    ])
    await using client = clientOf(mock)
    expect(await client.execute(todo)).toEqual([1, 2])
  })

  it("waits for retry-after take no time with fake timers", async () => {
    vi.useFakeTimers()
    const mock = MockTransport.start([
      MockTransport.json({}, { status: 503, headers: { "retry-after": "30" } }),
      MockTransport.json({ id: 1 }, { delay: "5 seconds" })
    ])
    await using client = clientOf(mock)
    const called = client.execute(todo)
    await vi.advanceTimersByTimeAsync(29_999)
    expect(mock.requestCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(mock.requestCount()).toBe(2)
    await vi.advanceTimersByTimeAsync(5000)
    expect(await called).toEqual({ id: 1 })
    const [first, second] = mock.requests()
    expect(Number(second?.at) - Number(first?.at)).toBe(30_000)
  })

  it("an aborted call is interrupted, and seen as such", async () => {
    const mock = MockTransport.start([MockTransport.never])
    await using client = clientOf(mock)
    const leaving = new AbortController()
    const called = client.execute(todo, { signal: leaving.signal })
    expect((await mock.awaitRequests(1)).length).toBe(1)
    expect(mock.inFlight()).toBe(1)
    leaving.abort(new Error("enough"))
    await expect(called).rejects.toThrow("enough")
    expect(await mock.awaitInterrupted(1)).toBe(1)
    await expect(mock.awaitRequests(2, { signal: AbortSignal.abort(new Error("no more")) })).rejects.toThrow(
      "no more"
    )
  })

  const untyped = <A>(value: unknown): A => {
    const holder: { value: A } = JSON.parse("{}")
    Object.assign(holder, { value })
    return holder.value
  }
  const mistakes: ReadonlyArray<readonly [string, unknown, string]> = [
    [
      "a value",
      [MockTransport.json(1), { id: 1 }],
      "MockTransport: step 2 of the script is an object with id: make it with json"
    ],
    ["a function in place of a step", [() => MockTransport.json(1)], "step 1 of the script is a function"],
    ["a web response", [MockTransport.empty(), new Response()], "step 2 of the script is"],
    ["a hole", [MockTransport.empty(), undefined], "step 2 of the script is undefined"],
    ["no list", MockTransport.json(1), "the script is an object with"],
    ["nothing", undefined, "the script is undefined: use a list of steps"]
  ]
  it.each(mistakes)("%s in a script throws, and names the step", (_, script, message) => {
    expect(() => MockTransport.start(untyped(script))).toThrow(message)
  })

  it("a script that returns no step, or has none left, fails the call and names the request", async () => {
    const wrong = MockTransport.start(untyped((_: unknown, index: number) => (index === 0 ? undefined : {})))
    await using client = clientOf(wrong)
    await expect(client.execute(todo)).rejects.toThrow(
      "MockTransport: the script returned undefined for request 1 (GET https://api.test/todos/1), which is no step"
    )
    const short = MockTransport.start([MockTransport.json(1)])
    await using other = clientOf(short)
    await other.execute(todo)
    await expect(other.execute(todo)).rejects.toThrow(
      "MockTransport: request 2 (GET https://api.test/todos/1) has no step: the script has 1 step(s)"
    )
  })

  it("a function that throws or rejects fails the call with its error", async () => {
    const mock = MockTransport.start([
      MockTransport.response(() => {
        throw new Error("thrown")
      }),
      MockTransport.response(async () => {
        throw new Error("rejected")
      })
    ])
    await using client = clientOf(mock)
    await expect(client.execute(todo)).rejects.toThrow("thrown")
    await expect(client.execute(todo)).rejects.toThrow("rejected")
  })

  it("a wrong delay names the option", () => {
    expect(() => MockTransport.json(1, { delay: untyped("5 secnds") })).toThrow(
      'MockTransport: delay: "5 secnds" is no duration'
    )
  })
})
