import { ApiError, ApiRequest, PromiseClient } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { z } from "zod"
import { expectNoUnhandledRejection, rejection, scriptedPromises } from "../fixtures/promises.js"
import { baseUrl, getTodo, milk, Todo } from "../fixtures/requests.js"
import { status } from "../fixtures/retry.js"

expectNoUnhandledRejection()

const sent = async (transport: MockTransport.MockTransport) => {
  const requests = await Effect.runPromise(transport.requests)
  return requests.map(({ method, url }) => `${method} ${url.replace(baseUrl, "")}`)
}

describe("the verbs of a client", () => {
  it.each(["get", "head", "post", "put", "patch", "del"] as const)("%s sends its method", async (verb) => {
    const { client, transport } = scriptedPromises([MockTransport.json(milk)])
    const call: PromiseClient.Verb = client[verb]
    await call("/todos/{id}", { path: { id: 1 }, query: { full: true } })
    const method = verb === "del" ? "DELETE" : verb.toUpperCase()
    expect(await sent(transport)).toEqual([`${method} /todos/1?full=true`])
  })

  it("8.2 resolves to the decoded value, which its type names", async () => {
    const { client } = scriptedPromises([
      MockTransport.json(milk),
      MockTransport.json(milk),
      MockTransport.json(1)
    ])
    const todo = await client.get("/todos/{id}", { path: { id: 1 }, success: Todo })
    expectTypeOf(todo).toEqualTypeOf<Todo>()
    expect(todo).toBeInstanceOf(Todo)
    const made = await client.post("/todos", {
      body: { title: "x" },
      success: z.object({ title: z.string() })
    })
    expectTypeOf(made).toEqualTypeOf<{ title: string }>()
    expect(made.title).toBe(milk.title)
    expectTypeOf(await client.get("/count")).toEqualTypeOf<unknown>()
  })

  it("a missing name of the template does not compile, and sends nothing", async () => {
    const { client, transport } = scriptedPromises([])
    // @ts-expect-error no path
    expect(await rejection(client.get("/todos/{id}"))).toMatchObject({
      _tag: "InvalidRequestError",
      field: "path.id"
    })
    expect(await sent(transport)).toEqual([])
  })

  it.each([
    ["timeout", { timeout: 5 }],
    ["signals", { signals: new AbortController().signal }]
  ])("1.2 an unknown option rejects: %s", async (field, options) => {
    const { client, transport } = scriptedPromises([])
    const call = Reflect.apply(client.get, undefined, ["/todos", options])
    expect(await rejection(call)).toMatchObject({ _tag: "InvalidRequestError", field })
    expect(await sent(transport)).toEqual([])
  })

  it("8.6 the signal is one of the options, and ends the call with its reason", async () => {
    const { client } = scriptedPromises([MockTransport.never])
    const controller = new AbortController()
    const call = client.post("/todos", { body: {}, signal: controller.signal })
    const reason = new Error("enough")
    controller.abort(reason)
    expect(await rejection(call)).toBe(reason)
    const gone = client.get("/todos", { signal: AbortSignal.abort(reason) })
    expect(await rejection(gone)).toBe(reason)
  })

  it("the stack of an error shows the line of the call", async () => {
    const { client } = scriptedPromises([status(404)])
    const askForTodos = async () => {
      await client.get("/todos")
    }
    const error = await rejection(askForTodos())
    expect(error).toBeInstanceOf(ApiError.NotFoundError)
    expect(error instanceof Error && error.stack).toContain("askForTodos")
  })

  it("clients that withOptions makes have verbs of their own", async () => {
    const { client, transport } = scriptedPromises([MockTransport.json(milk)])
    await client.withOptions({ query: { team: "a" } }).get("/todos")
    expect(await sent(transport)).toEqual(["GET /todos?team=a"])
  })
})

describe("an own error that is plain data", () => {
  const Refused = z.object({ error: z.object({ message: z.string() }) })
  const refusing = () => [status(402, { "x-request-id": "r1" })]

  it("7.13 rejects with an Error that holds it, and the response's error as its cause", async () => {
    const { client } = scriptedPromises(refusing())
    const error = await rejection(client.get("/todos", { failure: { 402: Refused } }))
    expect(error).toBeInstanceOf(PromiseClient.FailureError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      _tag: "FailureError",
      name: "FailureError",
      status: 402,
      failure: { error: { message: "no" } },
      cause: { _tag: "UnexpectedStatusError", requestId: "r1", attempts: [{}] }
    })
  })

  it.each([
    [
      "execute",
      (client: PromiseClient.PromiseClient) =>
        client.execute(ApiRequest.get("/a", { failure: { 402: Refused } }))
    ],
    [
      "the client's failure",
      (client: PromiseClient.PromiseClient) => client.withOptions({ failure: { "4xx": Refused } }).get("/a")
    ],
    [
      "the failure of a client made by withOptions twice",
      (client: PromiseClient.PromiseClient) =>
        client
          .withOptions({ failure: { default: Refused } })
          .withOptions({ query: { a: 1 } })
          .get("/a")
    ]
  ])("7.13 also through %s", async (_name, call) => {
    const { client } = scriptedPromises(refusing())
    expect(await rejection(call(client))).toBeInstanceOf(PromiseClient.FailureError)
  })

  it("7.13 a tagged class stays what it is", async () => {
    class Missing extends Schema.TaggedError<Missing>()("Missing", {
      error: Schema.Struct({ message: Schema.String })
    }) {}
    const { client } = scriptedPromises([status(404)])
    expect(await rejection(client.get("/todos", { failure: { 404: Missing } }))).toBeInstanceOf(Missing)
  })
})

describe("the hint of the server", () => {
  it.each([
    ["2", 2000],
    [undefined, undefined]
  ])("6.3 retryAfterMillis beside retryAfter: %s", async (seconds, millis) => {
    const headers = seconds === undefined ? {} : { "retry-after": seconds }
    const { client } = scriptedPromises([status(429, headers)], { retry: { maxRetries: 0 } })
    const error = await rejection(client.execute(getTodo(1)))
    if (!(error instanceof ApiError.RateLimitError)) throw error
    expect(error.retryAfterMillis).toBe(millis)
    expect(JSON.stringify(error)).not.toContain("retryAfterMillis")
  })
})
