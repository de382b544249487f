import Anthropic from "@anthropic-ai/sdk"
import { describe, expect, it } from "@effect/vitest"
import { AnthropicApi, TestServer } from "@effect-api/testing"
import { Effect } from "effect"
import { everything, hello, weather } from "../fixtures/anthropic.js"

const sdk = (api: AnthropicApi.AnthropicApi, options: object = {}) =>
  new Anthropic({ apiKey: "key", baseURL: api.url, maxRetries: 0, logLevel: "off", ...options })

/** Runs Anthropic's SDK on the test server. */
const withSdk = <A>(
  options: AnthropicApi.Options,
  use: (client: Anthropic, api: AnthropicApi.AnthropicApi) => Promise<A>
) =>
  Effect.flatMap(AnthropicApi.make(options), (api) =>
    Effect.tryPromise({ try: () => use(sdk(api), api), catch: (error) => error })
  )

const collect = async <A>(items: AsyncIterable<A>): Promise<Array<A>> => {
  const all: Array<A> = []
  for await (const item of items) all.push(item)
  return all
}

describe("@anthropic-ai/sdk", () => {
  it.scopedLive("creates a message, with the request id and the rate limits", () =>
    withSdk({}, async (client) => {
      const { data, request_id, response } = await client.messages.create(hello).withResponse()
      expect(data.content).toEqual([{ type: "text", text: "You said: Hello there", citations: null }])
      expect(request_id).toBe("req_000000000000000000000001")
      expect(response.headers.get("anthropic-ratelimit-requests-limit")).toBe("4000")
    })
  )

  it.scopedLive("streams thinking, text, citations and tools into the same message as create", () =>
    withSdk({ script: everything }, async (client) => {
      const whole = await client.messages.create({ ...hello, tools: [weather] })
      const stream = client.messages.stream({ ...hello, tools: [weather] })
      const text: Array<string> = []
      stream.on("text", (delta) => text.push(delta))
      const message = await stream.finalMessage()
      // The ids differ, and the SDK adds `parsed_output`.
      const apart = { id: "", content: [], parsed_output: null }
      expect({ ...message, ...apart }).toEqual({ ...whole, ...apart })
      const named = (content: Anthropic.Message["content"]) => content.map((block) => ({ ...block, id: "" }))
      expect(named(message.content)).toEqual(named(whole.content))
      expect(text.join("")).toBe("The grass is grün 🌱.")
      expect(message.content[3]).toMatchObject({ input: { city: "Zürich", note: 'a "quote", a \\, 🌱' } })
    })
  )

  it.scopedLive("counts tokens", () =>
    withSdk({}, async (client) => {
      const { max_tokens: _, ...params } = hello
      expect(await client.messages.countTokens(params)).toEqual({ input_tokens: 2 })
    })
  )

  it.scopedLive("creates a batch, polls it, and reads its results", () =>
    withSdk({}, async (client) => {
      const { batches } = client.messages
      const { id } = await batches.create({
        requests: ["a", "b"].map((custom_id) => ({ custom_id, params: hello }))
      })
      await expect(batches.results(id)).rejects.toThrow(/Has it finished processing\? in_progress/)
      const results = await collect(await batches.results(id))
      expect(results.map(({ custom_id }) => custom_id).sort()).toEqual(["a", "b"])
      expect(results.map(({ result }) => result.type)).toEqual(["succeeded", "succeeded"])
      const other = await batches.create({ requests: [{ custom_id: "c", params: hello }] })
      expect((await batches.cancel(other.id)).processing_status).toBe("canceling")
      expect((await collect(batches.list({ limit: 1 }))).map((batch) => batch.id)).toEqual([other.id, id])
      expect(await batches.delete(id)).toEqual({ id, type: "message_batch_deleted" })
    })
  )

  it.scopedLive("lists models over three pages, and retrieves one", () =>
    withSdk({ models: ["e", "d", "c", "b", "a"] }, async (client, api) => {
      const models = await collect(client.models.list({ limit: 2 }))
      expect(models.map(({ id }) => id)).toEqual(["e", "d", "c", "b", "a"])
      expect((await client.models.retrieve("c")).display_name).toBe("c")
      const seen = await Effect.runPromise(api.requests)
      expect(seen.map(({ url }) => url)).toEqual([
        "/v1/models?limit=2",
        "/v1/models?limit=2&after_id=d",
        "/v1/models?limit=2&after_id=b",
        "/v1/models/c"
      ])
    })
  )

  for (const namespace of ["files", "beta.files"]) {
    it.scopedLive(`uploads, lists, downloads and deletes ${namespace}`, () =>
      withSdk({}, async (client, api) => {
        const files = namespace === "files" ? client.files : client.beta.files
        const file = await Anthropic.toFile(new TextEncoder().encode("grün"), "a.txt", { type: "text/plain" })
        const uploaded = await files.upload({ file })
        expect(uploaded).toMatchObject({ filename: "a.txt", mime_type: "text/plain", size_bytes: 5 })
        const bytes = new TextEncoder().encode("made")
        const made = await Effect.runPromise(
          api.addFile({ filename: "b.txt", mimeType: "text/plain", bytes })
        )
        const listed = await collect(files.list({ limit: 1 }))
        expect(listed.map(({ id }) => id)).toEqual([made, uploaded.id])
        expect(await (await files.download(made)).text()).toBe("made")
        await expect(files.download(uploaded.id)).rejects.toBeInstanceOf(Anthropic.FileNotDownloadableError)
        expect((await files.retrieveMetadata(made)).downloadable).toBe(true)
        expect(await files.delete(made)).toEqual({ id: made, type: "file_deleted" })
        await expect(files.retrieveMetadata(made)).rejects.toBeInstanceOf(Anthropic.NotFoundError)
      })
    )
  }

  const classes: ReadonlyArray<
    readonly [
      AnthropicApi.FailureType,
      new (...args: Array<never>) => InstanceType<typeof Anthropic.APIError>
    ]
  > = [
    ["invalid_request_error", Anthropic.BadRequestError],
    ["authentication_error", Anthropic.AuthenticationError],
    ["billing_error", Anthropic.PaymentRequiredError],
    ["permission_error", Anthropic.PermissionDeniedError],
    ["not_found_error", Anthropic.NotFoundError],
    ["conflict_error", Anthropic.ConflictError],
    ["request_too_large", Anthropic.ContentTooLargeError],
    ["rate_limit_error", Anthropic.RateLimitError],
    ["api_error", Anthropic.InternalServerError],
    ["timeout_error", Anthropic.GatewayTimeoutError],
    ["overloaded_error", Anthropic.OverloadedError]
  ]
  for (const [type, errorClass] of classes) {
    it.scopedLive(`${type} becomes a ${errorClass.name}`, () =>
      withSdk({ script: AnthropicApi.failure(type) }, async (client) => {
        const error = await client.messages.create(hello).then(
          () => undefined,
          (error: unknown) => error
        )
        expect(error).toBeInstanceOf(errorClass)
        expect(error).toMatchObject({ type, requestID: "req_000000000000000000000001" })
      })
    )
  }

  it.scopedLive("retries retryable errors until a response arrives", () =>
    withSdk({}, async (_, api) => {
      await Effect.runPromise(
        api.inject(
          AnthropicApi.failure("overloaded_error", { headers: { "retry-after-ms": "1" } }),
          AnthropicApi.failure("rate_limit_error", { headers: { "retry-after-ms": "1" } })
        )
      )
      const message = await sdk(api, { maxRetries: 2 }).messages.create(hello)
      expect(message.stop_reason).toBe("end_turn")
      const seen = await Effect.runPromise(api.requests)
      expect(seen.map(({ headers }) => headers["x-stainless-retry-count"])).toEqual(["0", "1", "2"])
    })
  )

  it.scopedLive("fails for an error event in a stream, and for a truncated stream", () =>
    withSdk({}, async (client, api) => {
      const failsAfter = { events: 4, failure: AnthropicApi.failure("overloaded_error") }
      await Effect.runPromise(api.script(AnthropicApi.response("Once upon a time", { failsAfter })))
      await expect(client.messages.stream(hello).finalMessage()).rejects.toMatchObject({
        type: "overloaded_error",
        requestID: "req_000000000000000000000001"
      })
      await Effect.runPromise(api.inject(TestServer.resetAfter(300)))
      await expect(client.messages.stream(hello).finalMessage()).rejects.toBeInstanceOf(
        Anthropic.AnthropicError
      )
    })
  )
})
