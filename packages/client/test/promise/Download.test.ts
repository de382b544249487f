import {
  ApiClient,
  ApiError,
  ApiRequest,
  FetchTransport,
  type PromiseClient,
  ResponseDecoder
} from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect, Layer } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { expectNoUnhandledRejection, rejection, withServer } from "../fixtures/promises.js"

expectNoUnhandledRejection()

const pieces = Array.from({ length: 20 }, (_, index) => `piece ${index};`)

const routes: TestServer.Routes = {
  "GET /whole": TestServer.chunks(pieces, { headers: { "x-a": "1", "content-type": "text/plain" } }),
  "POST /exports": TestServer.text("exported"),
  "GET /busy": TestServer.sequence(TestServer.json({}, { status: 503 }), TestServer.text("at last")),
  "GET /gone": TestServer.json({ error: { message: "gone" } }, { status: 404 }),
  "GET /silent": TestServer.stallAfter(TestServer.text("0123456789"), 4),
  "GET /broken": TestServer.resetAfter(TestServer.text("0123456789"), 4),
  "GET /empty": TestServer.empty(),
  "GET /moved": TestServer.empty(307, { location: "/whole" })
}

/** Waits until the connection of the first request is closed, and returns by whom. */
const closed = (server: TestServer.TestServer) => Effect.runPromise(server.awaitClosed(0))

describe("a download", () => {
  it("8.9 resolves at the headers to a web Response, whose body arrives", () =>
    withServer(routes, async (server, client) => {
      const seen: Array<number> = []
      const response = await client.download("/{name}", {
        path: { name: "whole" },
        onDownload: ({ bytes }) => seen.push(bytes)
      })
      expectTypeOf(response).toEqualTypeOf<Response>()
      expect([response.status, response.headers.get("x-a"), response.url]).toEqual([
        200,
        "1",
        `${server.url}/whole`
      ])
      expect([response.headers.get("connection"), response.headers.get("transfer-encoding")]).toEqual([
        null,
        null
      ])
      let text = ""
      const decoder = new TextDecoder()
      if (response.body === null) throw new Error("no body")
      for await (const chunk of response.body) text += decoder.decode(chunk, { stream: true })
      expect(text).toBe(pieces.join(""))
      expect(seen.at(-1)).toBe(text.length)
      await client.close()
    }))

  it("8.9 the readers of a Response work: text, arrayBuffer, json", () =>
    withServer(routes, async (_, client) => {
      expect(await (await client.download("/whole")).text()).toBe(pieces.join(""))
      const bytes = await (await client.download("/whole")).arrayBuffer()
      expect(bytes.byteLength).toBe(pieces.join("").length)
      await client.close()
    }))

  it("8.9 another method decodes with ResponseDecoder.response", () =>
    withServer(routes, async (_, client) => {
      const response = await client.post("/exports", { body: {}, success: ResponseDecoder.response() })
      expect(await response.text()).toBe("exported")
      await client.close()
    }))

  it.each([
    ["/busy", "at last", 200],
    ["/empty", "", 204],
    ["/moved", pieces.join(""), 200]
  ])("8.9 retries and redirects come before the body: %s", (path, text, status) =>
    withServer(routes, async (_, client) => {
      const response = await client.withOptions({ retry: { initialDelay: 1 } }).download(path)
      expect([response.status, await response.text()]).toEqual([status, text])
      await client.close()
    })
  )

  it("7.1 an error status rejects with its error", () =>
    withServer(routes, async (_, client) => {
      expect(await rejection(client.download("/gone"))).toBeInstanceOf(ApiError.NotFoundError)
      await client.close()
    }))

  it("8.9 a body that breaks off fails its reader with the tagged error", () =>
    withServer(routes, async (_, client) => {
      const response = await client.download("/broken")
      expect(await rejection(response.text())).toMatchObject({ _tag: "ConnectionError", kind: "reset" })
      await client.close()
    }))

  it("8.6 the signal ends a body that is being read, with its reason", () =>
    withServer(routes, async (server, client) => {
      const controller = new AbortController()
      const response = await client.download("/silent", { signal: controller.signal })
      const reader = response.body?.getReader()
      expect((await reader?.read())?.value?.length).toBe(4)
      const next = reader?.read() ?? Promise.resolve()
      const reason = new Error("enough")
      controller.abort(reason)
      expect(await rejection(next)).toBe(reason)
      expect(await closed(server)).toBe("client")
      await client.close()
    }))

  it("8.9 the end of the client ends a body that is being read", () =>
    withServer(routes, async (server, client) => {
      const reader = (await client.download("/silent")).body?.getReader()
      await reader?.read()
      const next = rejection(reader?.read() ?? Promise.resolve())
      await client.close()
      expect(await next).toMatchObject({ name: "AbortError" })
      expect(await closed(server)).toBe("client")
    }))

  const ends: ReadonlyArray<
    readonly [string, (response: Response, client: PromiseClient.PromiseClient, abort: () => void) => unknown]
  > = [
    ["cancel", (response) => response.body?.cancel()],
    ["the signal", (_response, _client, abort) => abort()],
    ["the end of the client", (_response, client) => client.close()],
    [
      "leaving a loop",
      async ({ body }) => {
        if (body !== null) for await (const _ of body) break
      }
    ]
  ]

  it.each(ends)("8.9 %s closes a body that nobody reads on", (_name, end) =>
    withServer(routes, async (server, client) => {
      const controller = new AbortController()
      const response = await client.download("/silent", { signal: controller.signal })
      await end(response, client, () => controller.abort())
      expect(await closed(server)).toBe("client")
      await client.close()
    })
  )

  it("8.9 an Effect gets the same Response", () =>
    withServer(routes, async (server) => {
      const live = Layer.provide(ApiClient.layer({ baseUrl: server.url }), FetchTransport.layer)
      const request = ApiRequest.get("/whole", { success: ResponseDecoder.response() })
      const response = await Effect.runPromise(Effect.provide(ApiClient.execute(request), live))
      expect(await response.text()).toBe(pieces.join(""))
    }))
})
