import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { MockTransport, TestServer } from "@effect-api/testing"
import { Effect, Redacted } from "effect"
import { labelled, metricsOf } from "../fixtures/metrics.js"
import { recorder } from "../fixtures/recorder.js"
import { clientOn, scripted, withoutDelay } from "../fixtures/requests.js"
import { transports } from "../fixtures/transports.js"

const ending = (headers: Readonly<Record<string, string>>, status = 200) =>
  MockTransport.forever(MockTransport.json({}, { status, headers }))

/** The warnings of some calls. */
const warnings = (
  headers: Readonly<Record<string, string>>,
  requests: ReadonlyArray<ApiRequest.ApiRequest<unknown>>,
  status?: number
) =>
  Effect.gen(function* () {
    const { layer, lines } = recorder()
    const { client } = yield* scripted([ending(headers, status)], {
      retry: { ...withoutDelay, maxRetries: 0 }
    })
    yield* Effect.forEach(requests, (request) => Effect.ignore(client.execute(request))).pipe(
      Effect.provide(layer)
    )
    return lines.filter(({ level }) => /^warn/i.test(level)).map(({ message }) => message)
  })

const get = ApiRequest.get("/todos/{id}", { path: { id: 1 } })
const sunset = "Sat, 31 Dec 2026 23:59:59 GMT"

describe("a response that announces an end", () => {
  it.effect.each([
    [
      "deprecation",
      { deprecation: "@1688169599" },
      "GET /todos/{id} of https://api.test is deprecated (deprecation: @1688169599)"
    ],
    ["sunset", { sunset }, `GET /todos/{id} of https://api.test will end (sunset: ${sunset})`],
    [
      "both",
      { deprecation: "@1", sunset },
      `GET /todos/{id} of https://api.test is deprecated (deprecation: @1, sunset: ${sunset})`
    ]
  ] as const)("12.6 %s is a warning", ([, headers, message]) =>
    Effect.gen(function* () {
      expect(yield* warnings(headers, [get])).toEqual([message])
    })
  )

  it.effect("12.6 one warning for an origin, and one for another", () =>
    Effect.gen(function* () {
      const other = ApiRequest.get("https://other.test/x")
      const found = yield* warnings({ deprecation: "@1" }, [get, ApiRequest.get("/more"), other, other])
      expect(found.map((message) => message.split(" is ")[0])).toEqual([
        "GET /todos/{id} of https://api.test",
        "GET https://other.test/x of https://other.test"
      ])
    })
  )

  it.effect("12.6 an error announces it, too, and other headers do not", () =>
    Effect.gen(function* () {
      expect(yield* warnings({ deprecation: "@1" }, [get], 503)).toHaveLength(1)
      expect(yield* warnings({ "x-other": "1" }, [get])).toEqual([])
    })
  )

  it.effect("12.4 shows no secret", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/x", { headers: { "x-key": Redacted.make("hunter2-secret") } })
      const found = yield* warnings({ deprecation: "hunter2-secret" }, [request])
      expect(found).toEqual(["GET /x of https://api.test is deprecated (deprecation: <redacted>)"])
    })
  )

  it.scopedLive.each(transports.map(({ layer, name }) => [name, layer] as const))(
    "12.6 over %s",
    ([, transport]) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({ "*": TestServer.json({}, { headers: { Sunset: sunset } }) })
        const { layer, lines } = recorder()
        const client = yield* clientOn(yield* HttpClient.HttpClient, { baseUrl: server.url })
        yield* Effect.provide(Effect.all([client.get("/a"), client.get("/b")]), layer)
        expect(lines.filter(({ message }) => message.includes("will end"))).toHaveLength(1)
      }).pipe(Effect.provide(transport))
  )
})

describe("the client's name", () => {
  it.effect("12.7 is on its errors, spans and metrics", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const step = MockTransport.forever(MockTransport.empty(429))
      const { client } = yield* scripted([step], { name: "todos-12-7", retry: { maxRetries: 0 } })
      const error = yield* Effect.flip(client.execute(get)).pipe(Effect.provide(layer), labelled("named"))
      expect(error).toMatchObject({ _tag: "RateLimitError", client: "todos-12-7" })
      expect(spans[0]?.attributes.get("peer.service")).toBe("todos-12-7")
      expect(
        metricsOf("http.client.request.duration", "named").map(({ tags }) => tags["peer.service"])
      ).toEqual(["todos-12-7"])
    })
  )

  it.effect("12.7 is on an error of a request that was not sent, and on none without a name", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([], { name: "todos" })
      expect(yield* Effect.flip(client.get("/x", { headers: { "x-a": "\n" } }))).toMatchObject({
        client: "todos"
      })
      const unnamed = yield* scripted([MockTransport.empty(404)])
      expect(yield* Effect.flip(unnamed.client.get("/x"))).not.toHaveProperty("client")
    })
  )

  it.effect.each(["", "  ", 7])("1.2 %j is no name", (name) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(scripted([], { name: name as string }))
      expect(error).toMatchObject({ key: "name", reason: "must be a string that is not blank" })
    })
  )
})
