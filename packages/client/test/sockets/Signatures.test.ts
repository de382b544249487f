import { createHmac } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, Credentials, Signing } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect, Redacted } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { direct } from "../fixtures/transports.js"

const key = "s3cret"

const sign = (method: string, url: string, type: string, body: Uint8Array | string) =>
  createHmac("sha256", key).update([method, url, type, ""].join("\n")).update(body).digest("hex")

const credentials = Signing.credentials(({ body = new Uint8Array(0), headers, method, url }) =>
  Effect.sync(() => ({ "x-signature": sign(method, url, headers["content-type"] ?? "", body) }))
)

const isSigned = (origin: string, { headers, method, text, url }: TestServer.SeenRequest) =>
  headers["x-signature"] === sign(method, `${origin}${url}`, headers["content-type"] ?? "", text)

const ok = TestServer.json("there")

describe.each(direct)("over $name", ({ layer }) => {
  it.scopedLive("4.6 the signature covers what the server receives, for every attempt and hop", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "POST /a": TestServer.sequence(
          TestServer.empty(503),
          TestServer.empty(307, { location: "/b?to=%C3%BC%20'x'" })
        ),
        "POST /b": TestServer.empty(303, { location: "/c" }),
        "GET /c": TestServer.sequence(TestServer.reset, ok)
      })
      const client = yield* clientOf(server, { credentials })
      const request = ApiRequest.post("/a", { query: { q: "é '1+1'" }, body: { a: "ü" } })
      expect(yield* client.execute(request)).toBe("there")
      const requests = yield* server.requests
      expect(requests.map(({ method }) => method)).toEqual(["POST", "POST", "POST", "GET", "GET"])
      expect(requests.map((request) => isSigned(server.url, request))).toEqual(Array(5).fill(true))
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("4.6 another origin gets no signature", () =>
    Effect.gen(function* () {
      const other = yield* TestServer.make({ "GET /*": ok })
      const server = yield* TestServer.make({
        "GET /a": TestServer.empty(302, { location: `${other.url}/b` })
      })
      const client = yield* clientOf(server, { credentials: Credentials.bearer(Redacted.make("own")) })
      yield* client.execute(ApiRequest.get("/a", { credentials }))
      yield* client.execute(ApiRequest.get(`${other.url}/c`, { credentials }))
      const sent = [...(yield* server.requests), ...(yield* other.requests)].map(({ headers }) => headers)
      expect(sent.map((headers) => "x-signature" in headers)).toEqual([true, false, false])
      expect(sent.filter((headers) => "authorization" in headers)).toEqual([])
    }).pipe(Effect.provide(layer))
  )
})
