import { HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, ApiRequest, type Middleware, Signing } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { everyTransport } from "../fixtures/transports.js"

/** As code does that passes the headers to `fetch`. */
const reading: Middleware.Middleware = (request, next) => {
  const { length } = Array.from(new Headers(request.headers))
  return next(HttpClientRequest.setHeader(request, "x-headers", String(length)))
}

interface Case {
  readonly what: string
  readonly options?: Partial<ApiConfig.Options>
  readonly headers?: Record<string, null>
}

const cases: ReadonlyArray<Case> = [
  { what: "of a request", headers: { accept: null } },
  { what: "of several", headers: { accept: null, "user-agent": null, "x-own": null } },
  { what: "of the client", options: { headers: { "user-agent": null, "x-own": null } } },
  { what: "before a middleware", options: { middleware: [reading] }, headers: { "x-own": null } },
  {
    what: "before a signature",
    options: { credentials: Signing.credentials(() => Effect.succeed({ "x-signature": "a" })) },
    headers: { "x-own": null }
  }
]

describe.each(everyTransport)("on $name", ({ layer }) => {
  it.scopedLive.each(cases)(
    "4.1 a header $what is removed, and the request is sent",
    ({ headers, options }) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({ "*": TestServer.json("ok") })
        const client = yield* clientOf(server, { ...options, retry: { maxRetries: 0 } })
        const request = ApiRequest.get("/x", { headers: { "x-kept": "1", ...headers } })
        expect(yield* client.execute(request)).toBe("ok")
        const [sent, ...others] = yield* server.requests
        expect(others).toEqual([])
        expect(sent?.headers).toMatchObject({ "x-kept": "1" })
        expect(sent?.headers).not.toHaveProperty("x-own")
      }).pipe(Effect.provide(layer))
  )
})
