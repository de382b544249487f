import { ApiRequest, Polling, type PromiseClient } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { collect, expectNoUnhandledRejection, rejection, scriptedPromises } from "../fixtures/promises.js"

expectNoUnhandledRejection()

const job = (done: boolean) => MockTransport.json({ done })

const polling = Polling.until(
  ApiRequest.get("/jobs/1", { success: Schema.Struct({ done: Schema.Boolean }) }),
  {
    done: ({ done }) => done,
    progress: ({ done }) => (done ? "done" : "running"),
    initialDelay: "1 millis"
  }
)

const slow = Polling.until(ApiRequest.get("/jobs/1"), { done: () => false, initialDelay: "1 hour" })

describe("work elsewhere", () => {
  it("11.5 poll resolves to the last value", async () => {
    const { client } = scriptedPromises([job(false), job(true)])
    const value = await client.poll(polling)
    expect(value).toEqual({ done: true })
    expectTypeOf(value).toEqualTypeOf<{ readonly done: boolean }>()
  })

  it("11.5 watch loops over the progress, anew in each loop", async () => {
    const { client } = scriptedPromises([job(false), job(true), job(true)])
    const progress = client.watch(polling)
    expect(await collect(progress)).toEqual({ seen: ["running", "done"], error: undefined })
    expect(await collect(progress)).toEqual({ seen: ["done"], error: undefined })
  })

  it("11.6 rejects with the PollingTimeoutError itself", async () => {
    const { client } = scriptedPromises([job(false)])
    const late = Polling.until(ApiRequest.get("/jobs/1"), { done: () => false, timeout: "10 millis" })
    expect(await rejection(client.poll(late))).toBeInstanceOf(Polling.PollingTimeoutError)
  })

  it.each<readonly [string, (client: PromiseClient.PromiseClient, signal: AbortSignal) => Promise<unknown>]>([
    ["poll", (client, signal) => rejection(client.poll(slow, { signal }))],
    ["watch", async (client, signal) => (await collect(client.watch(slow, { signal }))).error]
  ])("8.6 the signal ends the wait of %s", async (_, wait) => {
    const { client, transport } = scriptedPromises([job(false), job(false)])
    const controller = new AbortController()
    const waiting = wait(client, controller.signal)
    await Effect.runPromise(transport.awaitRequests(1))
    controller.abort("enough")
    expect(await waiting).toBe("enough")
    expect(await Effect.runPromise(transport.inFlight)).toBe(0)
    await client.close()
  })

  it("8.6 closing the client ends a wait", async () => {
    const { client, transport } = scriptedPromises([job(false)])
    const waiting = rejection(client.poll(slow))
    await Effect.runPromise(transport.awaitRequests(1))
    await client.close()
    expect(await waiting).toMatchObject({ name: "AbortError" })
  })

  it("11.5 an option that belongs in the polling is refused", async () => {
    const { client, transport } = scriptedPromises([])
    const options = { timeout: 1 } as PromiseClient.CallOptions
    const refusal = { _tag: "InvalidRequestError", field: "timeout" }
    expect(await rejection(client.poll(polling, options))).toMatchObject(refusal)
    expect((await collect(client.watch(polling, options))).error).toMatchObject(refusal)
    expect(await Effect.runPromise(transport.requestCount)).toBe(0)
  })
})
