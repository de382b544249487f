import { getEventListeners } from "node:events"
import { ApiRequest, Credentials, type PromiseClient } from "@effect-api/client"
import { MockTransport, TestServer } from "@effect-api/testing"
import { Effect, Stream } from "effect"
import { describe, expect, it } from "vitest"
import {
  expectNoUnhandledRejection,
  nextMacrotask,
  rejection,
  scriptedPromises,
  withServer
} from "../fixtures/promises.js"
import { list, ok } from "../fixtures/retry.js"
import { done, errorEvent, getEvents, neverEnding, sse, tick, ticks, untilDone } from "../fixtures/streams.js"

expectNoUnhandledRejection()

const streaming = getEvents(untilDone)
const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length

/** Leaves a loop in its first step. */
const leave = async (values: AsyncIterable<unknown>) => {
  for await (const _ of values) break
}

type Live = { readonly client: PromiseClient.PromiseClient; readonly controller: AbortController }

describe("a signal keeps no listener", () => {
  const calls: ReadonlyArray<readonly [string, MockTransport.Script, (live: Live) => Promise<unknown>]> = [
    ["after a value", [ok], ({ client, controller }) => client.execute(list, controller)],
    [
      "after an error",
      [MockTransport.empty(404)],
      ({ client, controller }) => rejection(client.execute(list, controller))
    ],
    [
      "after its own abort",
      [MockTransport.never],
      async ({ client, controller }) => {
        const call = rejection(client.execute(list, controller))
        expect(listeners(controller.signal)).toBe(1)
        controller.abort()
        await call
      }
    ],
    [
      "after its client is closed",
      [MockTransport.never],
      async ({ client, controller }) => {
        const call = rejection(client.execute(list, controller))
        await client.close()
        await call
      }
    ],
    [
      "after the end of a stream",
      [sse([ticks(1, 2), done])],
      async ({ client, controller }) => {
        for await (const _ of client.stream(streaming, controller))
          expect(listeners(controller.signal)).toBe(1)
      }
    ],
    [
      "after the error of a stream",
      [sse([tick(1), errorEvent("api_error")])],
      async ({ client, controller }) => {
        const loop = async () => {
          for await (const _ of client.stream(streaming, controller)) await nextMacrotask()
        }
        await rejection(loop())
      }
    ],
    [
      "after leaving a loop",
      [sse([tick(1), neverEnding])],
      ({ client, controller }) => leave(client.stream(streaming, controller))
    ],
    [
      "after it ended a loop",
      [sse([tick(1), neverEnding])],
      async ({ client, controller }) => {
        const loop = async () => {
          for await (const _ of client.stream(streaming, controller)) controller.abort()
        }
        await rejection(loop())
      }
    ],
    [
      "for a stream that is never read",
      [],
      async ({ client, controller }) => {
        client.stream(streaming, controller)[Symbol.asyncIterator]()
        await client.stream(streaming, controller).toReadableStream().cancel()
      }
    ]
  ]

  it.each(calls)("10.7 %s", async (_, script, use) => {
    const { client } = scriptedPromises(script)
    const controller = new AbortController()
    await use({ client, controller })
    expect(listeners(controller.signal)).toBe(0)
  })

  it("10.7 after ten thousand calls and a hundred streams, many concurrent", async () => {
    const warnings: Array<Error> = []
    const recordWarning = (warning: Error): void => {
      warnings.push(warning)
    }
    process.on("warning", recordWarning)
    const { client } = scriptedPromises(({ url }) =>
      url.endsWith("/ticks") ? sse([tick(1), neverEnding]) : ok
    )
    // Most calls die one step later, which keeps the test cheap.
    const bug = Effect.zipRight(Effect.yieldNow(), Effect.die("a bug"))
    const dying = client.withOptions({ credentials: Credentials.effect(bug) })
    const { signal } = new AbortController()
    const batch = () => [
      ...Array.from({ length: 95 }, () => rejection(dying.execute(list, { signal }))),
      ...Array.from({ length: 5 }, () => client.execute(list, { signal })),
      leave(client.stream(streaming, { signal }))
    ]
    for (let n = 0; n < 100; n++) {
      const calls = batch()
      // Node warns of a leak at the eleventh listener.
      expect(listeners(signal)).toBe(1)
      await Promise.all(calls)
    }
    await nextMacrotask()
    process.off("warning", recordWarning)
    expect(listeners(signal)).toBe(0)
    expect(warnings).toEqual([])
  })
})

describe("the socket closes", () => {
  const endless = TestServer.chunks(Stream.concat(Stream.make(ticks(1, 2)), Stream.never), {
    headers: { "content-type": "text/event-stream" }
  })
  const events = (client: PromiseClient.PromiseClient, signal?: AbortSignal) =>
    client.stream(streaming, { signal })
  const closed = (server: TestServer.TestServer, index = 0) => Effect.runPromise(server.awaitClosed(index))

  it("10.7 on an abort before the response", () =>
    withServer(TestServer.never, async (server, client) => {
      const controller = new AbortController()
      const call = rejection(client.execute(list, controller))
      await Effect.runPromise(server.awaitRequests(1))
      controller.abort()
      expect(await call).toBe(controller.signal.reason)
      expect(await closed(server)).toBe("client")
      expect(await Effect.runPromise(server.requestCount)).toBe(1)
    }))

  it("10.7 on an abort inside a body", () =>
    withServer(TestServer.text("0123456789").pipe(TestServer.stallAfter(4)), async (server, client) => {
      const controller = new AbortController()
      const call = rejection(client.execute(list, controller))
      await Effect.runPromise(server.awaitExchange(0, ({ bytesSent }) => bytesSent > 0))
      controller.abort("enough")
      expect(await call).toBe("enough")
      expect(await closed(server)).toBe("client")
    }))

  it("10.7 on break", () =>
    withServer(endless, async (server, client) => {
      await leave(events(client))
      expect(await closed(server)).toBe("client")
    }))

  it("10.7 on an error thrown in the loop", () =>
    withServer(endless, async (server, client) => {
      const bug = new Error("of the loop")
      const loop = async () => {
        for await (const _ of events(client)) throw bug
      }
      expect(await rejection(loop())).toBe(bug)
      expect(await closed(server)).toBe("client")
    }))

  it("10.7 on an abort in the loop's body, at once", () =>
    withServer(endless, async (server, client) => {
      const controller = new AbortController()
      const loop = async () => {
        for await (const _ of events(client, controller.signal)) {
          controller.abort("enough")
          // The loop continues only after this.
          expect(await closed(server)).toBe("client")
        }
      }
      expect(await rejection(loop())).toBe("enough")
    }))

  it("10.7 on an abort while the loop waits", () =>
    withServer(endless, async (server, client) => {
      const controller = new AbortController()
      const iterator = events(client, controller.signal)[Symbol.asyncIterator]()
      await iterator.next()
      await iterator.next()
      const pending = rejection(iterator.next())
      await nextMacrotask()
      controller.abort("enough")
      expect(await pending).toBe("enough")
      expect(await closed(server)).toBe("client")
    }))

  it("10.7 on cancelling the web stream", () =>
    withServer(endless, async (server, client) => {
      const reader = events(client).toReadableStream().getReader()
      await reader.read()
      await reader.cancel()
      expect(await closed(server)).toBe("client")
    }))

  it("10.7 on closing the client, between two steps as well", () =>
    withServer({ "GET /ticks": endless, "*": TestServer.never }, async (server, client) => {
      await events(client)[Symbol.asyncIterator]().next()
      const calls = [client.execute(list), client.execute(ApiRequest.post("/todos"))].map(rejection)
      await Effect.runPromise(server.awaitRequests(3))
      await client.close()
      expect(await Promise.all(calls)).toMatchObject([{ name: "AbortError" }, { name: "AbortError" }])
      expect(await Promise.all([0, 1, 2].map((index) => closed(server, index)))).toEqual([
        "client",
        "client",
        "client"
      ])
    }))
})
