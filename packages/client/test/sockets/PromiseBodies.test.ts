/**
 * The abort signal and close() end a body that a promise client returned as a stream, whether it is read or not.
 */
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, PromiseClient, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect, Stream } from "effect"
import { rejection } from "../fixtures/promises.js"
import { direct } from "../fixtures/transports.js"

const big = TestServer.bytes(new Uint8Array(16 * 1024 * 1024))
const download = ApiRequest.get("/x", { success: ResponseDecoder.stream() })

type Body = Stream.Stream<Uint8Array, unknown>

/** What ends the body. */
const ends = [
  {
    by: "the signal",
    end: (_: PromiseClient.PromiseClient, controller: AbortController) => controller.abort()
  },
  { by: "close()", end: (client: PromiseClient.PromiseClient) => client.close() }
] as const

const ways = [
  {
    way: "execute",
    open: (client: PromiseClient.PromiseClient, signal: AbortSignal) => client.execute(download, { signal })
  },
  {
    way: "executeWithResponse",
    open: async (client: PromiseClient.PromiseClient, signal: AbortSignal) =>
      (await client.executeWithResponse(download, { signal })).value
  }
] as const

const rows = ends.flatMap((end) => ways.map((way) => ({ ...end, ...way })))

describe.each(direct)("on $name", ({ layer }) => {
  it.scopedLive.each(rows)("10.7 $by ends an unread body from $way", ({ end, open }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": big })
      const client = PromiseClient.make({ baseUrl: server.url, transport: layer })
      const controller = new AbortController()
      const body: Body = yield* Effect.promise(() => open(client, controller.signal))
      yield* Effect.promise(async () => end(client, controller))
      expect(yield* server.awaitClosed(0)).toBe("client")
      yield* Effect.promise(() => rejection(Effect.runPromise(Stream.runDrain(body))))
      yield* Effect.promise(() => client.close())
    })
  )

  it.scopedLive.each(rows)("10.7 $by ends a body from $way while it is read", ({ end, open }) =>
    Effect.gen(function* () {
      const reply = TestServer.stallAfter(TestServer.text("0123456789"), 4)
      const server = yield* TestServer.make({ "*": reply })
      const client = PromiseClient.make({ baseUrl: server.url, transport: layer })
      const controller = new AbortController()
      const body: Body = yield* Effect.promise(() => open(client, controller.signal))
      let began = (): void => {}
      const first = new Promise<void>((resolve) => {
        began = resolve
      })
      const reading = rejection(Effect.runPromise(Stream.runForEach(body, () => Effect.sync(() => began()))))
      yield* Effect.promise(() => first)
      yield* Effect.promise(async () => end(client, controller))
      yield* Effect.promise(() => reading)
      expect(yield* server.awaitClosed(0)).toBe("client")
      yield* Effect.promise(() => client.close())
    })
  )
})
