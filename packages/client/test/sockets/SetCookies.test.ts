import { Cookies, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { direct } from "../fixtures/transports.js"

const lines = ["session=abc; Path=/; HttpOnly", "theme=dark"]

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
})
