import { Cookies, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, Middleware, PromiseClient, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { direct } from "../fixtures/transports.js"

const lines = ["session=abc; Path=/; HttpOnly", "theme=dark"]

const fetched = (client: ApiClient.ApiClient) =>
  Effect.flatMap(PromiseClient.toFetch(client), (fetch) => Effect.promise(() => fetch("/x")))

/** The ways to a web `Response`. */
const webResponses = {
  "the client as a fetch": (server: TestServer.TestServer) => Effect.flatMap(clientOf(server), fetched),
  "an open body": (server: TestServer.TestServer) =>
    Effect.flatMap(clientOf(server), (client) =>
      client.execute(ApiRequest.get("/x", { success: ResponseDecoder.response() }))
    ),
  "a middleware of fetch": (server: TestServer.TestServer) =>
    Effect.gen(function* () {
      const seen: Array<Response> = []
      const middleware = Middleware.fromAsync(async (request, next) => {
        const response = await next(request)
        seen.push(response.clone())
        return response
      })
      const client = yield* clientOf(server, { middleware: [middleware] })
      yield* client.execute(ApiRequest.get("/x"))
      return yield* Effect.fromNullable(seen[0])
    }),
  "a fetch above a middleware that makes its own": (server: TestServer.TestServer) => {
    const middleware = Middleware.fromAsync(async (request, next) => {
      const response = await next(request)
      return new Response(response.body, response)
    })
    return Effect.flatMap(clientOf(server, { middleware: [middleware] }), fetched)
  }
}

describe.each(direct)("on $name", ({ layer }) => {
  it.scopedLive("4.1 every set-cookie is in the joined header and in cookies", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "*": TestServer.json("ok", { headers: { "set-cookie": lines } })
      })
      const client = yield* clientOf(server)
      const { headers } = yield* client.executeWithResponse(ApiRequest.get("/x"))
      expect(headers["set-cookie"]).toBe(lines.join(", "))

      const plain = yield* ApiClient.httpClient(client).execute(HttpClientRequest.get("/x"))
      expect(plain.headers["set-cookie"]).toBe(lines.join(", "))
      expect(Cookies.toRecord(plain.cookies)).toEqual({ session: "abc", theme: "dark" })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each(Object.entries(webResponses))(
    "4.1 the Response of %s has every set-cookie as a line of its own",
    ([, responseOf]) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({
          "*": TestServer.json("ok", { headers: { "set-cookie": lines } })
        })
        const response = yield* responseOf(server)
        expect(response.headers.getSetCookie()).toEqual(lines)
        yield* Effect.promise(() => response.text())
      }).pipe(Effect.provide(layer))
  )
})
