import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, ResponseDecoder } from "@effect-api/client"
import { Effect } from "effect"
import { clientOf } from "../fixtures/clients.js"
import { rawServer } from "../fixtures/rawServer.js"

const name = "undici:request:headers"

interface Head {
  readonly response: { readonly headers: ReadonlyArray<Buffer> }
}

const request = ApiRequest.get("/x", { success: ResponseDecoder.text })

/** Collects the heads that undici publishes. */
const heads = Effect.acquireRelease(
  Effect.sync(() => {
    const seen: Array<Head> = []
    const listen = (message: unknown): void => void seen.push(message as Head)
    subscribe(name, listen)
    return { seen, listen }
  }),
  ({ listen }) => Effect.sync(() => unsubscribe(name, listen))
)

describe("the heads of responses", () => {
  it.scopedLive("stay as they are for whoever observes undici, and the client has them too", () =>
    Effect.gen(function* () {
      const { seen } = yield* heads
      const server = yield* rawServer(() => ({
        parts: ["HTTP/1.1 200 OK\r\nx-a: one\r\ncontent-length: 3\r\n\r\nabc"]
      }))
      const client = yield* clientOf(server)
      const { headers, value } = yield* client.executeWithResponse(request)
      expect([value, headers["x-a"]]).toEqual(["abc", "one"])
      const fields = seen.map(({ response }) => response.headers.map(String))
      expect(fields).toEqual([["x-a", "one", "content-length", "3"]])
    })
  )
})
