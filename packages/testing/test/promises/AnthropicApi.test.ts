import { AnthropicApi, TestServer } from "@effect-api/testing"
import { describe, expect, it } from "vitest"

const send = (url: string, body: object, path = "/v1/messages") =>
  fetch(`${url}${path}`, {
    method: "POST",
    headers: { "x-api-key": "any", "anthropic-version": "2026-10-21" },
    body: JSON.stringify(body)
  })
const hello = {
  model: "claude-opus-5-5",
  max_tokens: 64,
  messages: [{ role: "user", content: "Rain in Bern?" }]
}

describe("AnthropicApi.start", () => {
  it("steps of a script may be async functions, and faults come first", async () => {
    await using api = await AnthropicApi.start({
      script: [async ({ text }) => `I heard: ${text}`, async () => undefined]
    })
    api.inject(AnthropicApi.failure("overloaded_error"), TestServer.reset)
    expect((await send(api.url, hello)).status).toBe(529)
    await expect(send(api.url, hello)).rejects.toThrow("fetch failed")
    const texts = []
    for (const _ of [1, 2]) texts.push(await (await send(api.url, hello)).json())
    api.script("Hello!")
    texts.push(await (await send(api.url, hello)).json())
    expect(texts).toMatchObject(
      ["I heard: Rain in Bern?", "You said: Rain in Bern?", "Hello!"].map((text) => ({ content: [{ text }] }))
    )
    expect(api.requestCount()).toBe(5)
    api.reset()
    expect(api.requests()).toEqual([])
    expect(await (await send(api.url, hello)).json()).toMatchObject({
      content: [{ text: "I heard: Rain in Bern?" }]
    })
  })

  it("a step that rejects responds with 500", async () => {
    await using api = await AnthropicApi.start({ script: () => Promise.reject(new Error("no luck")) })
    const response = await send(api.url, hello)
    expect([response.status, await response.text()]).toEqual([500, expect.stringContaining("no luck")])
  })

  it("batches end and files are added by the test", async () => {
    await using api = await AnthropicApi.start({ batchPolls: Number.POSITIVE_INFINITY })
    const batch = await (
      await send(api.url, { requests: [{ custom_id: "a", params: hello }] }, "/v1/messages/batches")
    ).json()
    const get = (path: string) =>
      fetch(`${api.url}${path}`, { headers: { "x-api-key": "any", "anthropic-version": "2026-10-21" } })
    const status = async () =>
      (await (await get(`/v1/messages/batches/${batch.id}`)).json()).processing_status
    expect(await status()).toBe("in_progress")
    await api.endBatch(batch.id, { a: "expired" })
    expect(await status()).toBe("ended")
    await expect(api.endBatch("none")).rejects.toThrow("there is no batch none")
    const id = await api.addFile({
      filename: "a.txt",
      mimeType: "text/plain",
      bytes: new Uint8Array([104, 105])
    })
    expect(await (await get(`/v1/files/${id}/content`)).text()).toBe("hi")
  })
})
