import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { everyTransport } from "../fixtures/transports.js"

describe.each(everyTransport)("on $name", ({ layer }) => {
  it.scopedLive.each(["QUERY", "OPTIONS", "PROPFIND", "REPORT", "DELETE", "PURGE"])(
    "2.5 %s is sent as it is written, with its body",
    (method) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({
          "*": ({ method, text }) => TestServer.json({ method, text })
        })
        const client = yield* clientOf(server)
        const request = ApiRequest.make(method)
        expect(yield* client.execute(request("/x", { body: { a: 1 } }))).toEqual({
          method,
          text: '{"a":1}'
        })
        expect(yield* client.execute(request("/x"))).toEqual({ method, text: "" })
      }).pipe(Effect.provide(layer))
  )
})
