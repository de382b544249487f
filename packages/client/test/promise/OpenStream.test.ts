import type { ApiResponse, PromiseClient } from "@effect-api/client"
import type { MockTransport } from "@effect-api/testing"
import { Effect } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { list, numbersUpTo, type Page } from "../fixtures/pages.js"
import { collect, expectNoUnhandledRejection, rejection, scriptedPromises } from "../fixtures/promises.js"
import { withoutDelay } from "../fixtures/requests.js"
import { status } from "../fixtures/retry.js"
import {
  done,
  getEvents,
  neverEnding,
  sse,
  tick,
  tickEvents,
  ticks,
  untilDone,
  values
} from "../fixtures/streams.js"

expectNoUnhandledRejection()

const streaming = getEvents(untilDone)

const inFlight = ({ transport }: { readonly transport: MockTransport.MockTransport }): Promise<number> =>
  Effect.runPromise(transport.inFlight)

describe("a stream with its response", () => {
  it("10.9 resolves with status, headers, request id, URL and attempts, and the events", async () => {
    const scripted = scriptedPromises([status(503), sse(ticks(1, 2) + done)], { retry: withoutDelay })
    await using response = await scripted.client.streamWithResponse(streaming)
    expect(response).toMatchObject({ status: 200, requestId: "req_1", url: "https://api.test/v1/ticks" })
    expect(response.attempts.map(({ status }) => status)).toEqual([503, 200])
    expect(await collect(response.stream)).toEqual({ seen: values(1, 2), error: undefined })
    expect(await inFlight(scripted)).toBe(0)
  })

  it("10.9 leaving the loop closes the connection", async () => {
    const scripted = scriptedPromises([sse([ticks(1, 2), neverEnding])])
    const { stream } = await scripted.client.streamWithResponse(streaming)
    for await (const _ of stream) break
    expect(await inFlight(scripted)).toBe(0)
  })

  it("10.9 the loop runs once", async () => {
    const { client } = scriptedPromises([sse(ticks(1))])
    const { stream } = await client.streamWithResponse(getEvents(tickEvents))
    expect((await collect(stream)).seen).toEqual(values(1))
    expect(await collect(stream)).toMatchObject({ seen: [], error: { reason: "was taken as a stream" } })
  })

  it.each<readonly [string, (end: Ends) => unknown]>([
    ["close", ({ response }) => response.close()],
    ["the signal", ({ controller }) => controller.abort()],
    ["the end of the client", ({ client }) => client.close()]
  ])("10.9 %s closes a response that nobody reads", async (_, end) => {
    const scripted = scriptedPromises([sse([tick(1), neverEnding])])
    const { client } = scripted
    const controller = new AbortController()
    const response = await client.streamWithResponse(streaming, { signal: controller.signal })
    expect(await inFlight(scripted)).toBe(1)
    await end({ client, controller, response })
    expect(await inFlight(scripted)).toBe(0)
    await response.close()
  })

  it("10.9 the signal ends a loop with its reason", async () => {
    const { client } = scriptedPromises([sse([tick(1), neverEnding])])
    const controller = new AbortController()
    const { signal } = controller
    const { stream } = await client.streamWithResponse(streaming, { signal })
    const seen: Array<unknown> = []
    const loop = async () => {
      for await (const event of stream) {
        seen.push(event)
        controller.abort("enough")
      }
    }
    expect(await rejection(loop())).toBe("enough")
    expect(seen).toEqual(values(1))
  })

  it("10.9 rejects before the first event, and leaves nothing open", async () => {
    const scripted = scriptedPromises([status(404), sse([neverEnding])])
    expect(await rejection(scripted.client.streamWithResponse(streaming))).toMatchObject({
      _tag: "NotFoundError"
    })
    const signal = AbortSignal.timeout(10)
    expect(await rejection(scripted.client.streamWithResponse(streaming, { signal }))).toBe(signal.reason)
    expect(await inFlight(scripted)).toBe(0)
  })

  it("10.9 an option that belongs in the request is refused", async () => {
    const { client } = scriptedPromises([])
    const options = { timeout: 1 } as PromiseClient.CallOptions
    expect(await rejection(client.streamWithResponse(streaming, options))).toMatchObject({
      _tag: "InvalidRequestError",
      field: "timeout"
    })
  })
})

interface Ends {
  readonly client: PromiseClient.PromiseClient
  readonly controller: AbortController
  readonly response: PromiseClient.StreamResponse<unknown>
}

describe("pages with their responses", () => {
  it("11.1 each page comes with its response", async () => {
    const { client } = scriptedPromises(numbersUpTo(4))
    const { seen } = await collect(client.pagesWithResponse(list))
    expect(seen.map(({ status, url, value }) => [status, url, value.data])).toEqual([
      [200, "https://api.test/v1/list", [1, 2]],
      [200, "https://api.test/v1/list?after_id=2", [3, 4]]
    ])
    expectTypeOf(seen).toEqualTypeOf<Array<ApiResponse.ApiResponse<Page>>>()
  })
})
