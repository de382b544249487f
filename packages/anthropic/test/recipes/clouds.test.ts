import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Credentials, Middleware, Signing } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Layer, Redacted, Stream } from "effect"
import { Anthropic, type AnthropicConfig, AnthropicPromise, MessageStream } from "../../src/index.js"
import { params } from "../fixtures/client.js"
import { messageEvents } from "../fixtures/cloudEvents.js"
import { message } from "../fixtures/responses.js"
import { awsMessages } from "./awsEventStream.js"
import { bedrock } from "./bedrock.js"
import { vertex } from "./vertex.js"

const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

const decoded = async (...chunks: ReadonlyArray<Uint8Array>) => {
  const messages = []
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    }
  })
  const reader = source.pipeThrough(awsMessages()).getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) messages.push(next.value)
  return messages
}

/** The test vectors that AWS publishes with its implementations: `aws/protocol/eventstream/testdata`. */
const vectors = {
  empty_message: "000000100000000005c248eb7d98c8ff",
  payload_no_headers: "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936",
  payload_one_str_header:
    "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1",
  int32_header:
    "0000002d0000001041c424b80a6576656e742d747970650400" + "00a00c7b27666f6f273a27626172277d36f480a0"
}

describe("the messages of an AWS event stream", () => {
  const json = { "content-type": "application/json" }
  const payload = "{'foo':'bar'}"

  it.each([
    ["empty_message", { headers: {}, payload: "" }],
    ["payload_no_headers", { headers: {}, payload }],
    ["payload_one_str_header", { headers: json, payload }],
    ["int32_header", { headers: {}, payload }]
  ] as const)("%s", async (name, expected) => {
    expect(await decoded(bytesOf(vectors[name]))).toEqual([expected])
  })

  it("come out whole, however their bytes arrive", async () => {
    const all = bytesOf(Object.values(vectors).join(""))
    const expected = await decoded(all)
    expect(expected).toHaveLength(4)
    for (const size of [1, 7, 16, 61]) {
      const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
        all.subarray(index * size, (index + 1) * size)
      )
      expect(await decoded(...chunks)).toEqual(expected)
    }
  })

  it.each([
    ["corrupted_length", 3, /wrong length/],
    ["corrupted_header_len", 7, /wrong length/],
    ["corrupted_headers", 15, /wrong checksum/],
    ["corrupted_payload", 50, /wrong checksum/]
  ] as const)("%s fails", async (_, at, reason) => {
    const bytes = bytesOf(vectors.payload_one_str_header)
    bytes[at] = (bytes[at] ?? 0) + 1
    await expect(decoded(bytes)).rejects.toThrow(reason)
  })

  it("a stream that ends within a message fails", async () => {
    await expect(decoded(bytesOf(vectors.int32_header).subarray(0, 30))).rejects.toThrow(/ended within/)
  })
})

interface Cloud {
  readonly options: AnthropicConfig.Options
  readonly model: string
}

const clouds = {
  bedrock: {
    model: "anthropic.claude-sonnet-5-5-v1:0",
    options: {
      baseUrl: "https://bedrock-runtime.eu-central-1.amazonaws.com",
      // The signature must cover what is sent: here it is what is sent.
      credentials: Signing.credentials(async ({ body, url }) => ({
        authorization: `AWS4 ${new URL(url).pathname} ${new TextDecoder().decode(body)}`
      })),
      middleware: [Middleware.fromAsync(bedrock)]
    }
  },
  vertex: {
    model: "claude-sonnet-5-5@20260601",
    options: {
      baseUrl: "https://europe-west1-aiplatform.googleapis.com",
      credentials: Credentials.cached({
        fetch: Effect.succeed({ token: Redacted.make("ya29"), expiresIn: "1 hour" })
      }),
      middleware: [Middleware.fromAsync(vertex({ project: "my-project", region: "europe-west1" }))]
    }
  },
  foundry: {
    model: "claude-sonnet-5-5",
    options: {
      baseUrl: "https://my-resource.services.ai.azure.com/anthropic",
      credentials: Credentials.header("x-api-key", Redacted.make("key"))
    }
  }
} satisfies Readonly<Record<string, Cloud>>

const withCloud = (name: keyof typeof clouds, script: MockTransport.Script) =>
  Effect.gen(function* () {
    const { model, options } = clouds[name]
    const transport = yield* MockTransport.make(script)
    const anthropic = yield* Effect.provideService(
      Anthropic.make({ ...options, betas: ["one-2026-01-01"], retry: { maxRetries: 0 } }),
      HttpClient.HttpClient,
      transport.client
    )
    const promises = AnthropicPromise.make({
      ...options,
      betas: ["one-2026-01-01"],
      retry: { maxRetries: 0 },
      transport: Layer.succeed(HttpClient.HttpClient, transport.client)
    })
    return { anthropic, promises, transport, params: { ...params, model } }
  })

const { model: _, ...conversation } = params

const expected = {
  bedrock: {
    whole: "/model/anthropic.claude-sonnet-5-5-v1%3A0/invoke",
    streamed: "/model/anthropic.claude-sonnet-5-5-v1%3A0/invoke-with-response-stream",
    body: { anthropic_version: "2026-10-21", anthropic_beta: ["one-2026-01-01"], ...conversation },
    headers: { "anthropic-version": undefined, "anthropic-beta": undefined }
  },
  vertex: {
    whole:
      "/v1/projects/my-project/locations/europe-west1/publishers/anthropic/models/claude-sonnet-5-5%4020260601:rawPredict",
    streamed:
      "/v1/projects/my-project/locations/europe-west1/publishers/anthropic/models/claude-sonnet-5-5%4020260601:streamRawPredict",
    body: { anthropic_version: "2026-10-21", ...conversation },
    headers: {
      "anthropic-version": undefined,
      "anthropic-beta": "one-2026-01-01",
      authorization: "Bearer ya29"
    }
  },
  foundry: {
    whole: "/anthropic/v1/messages",
    streamed: "/anthropic/v1/messages",
    body: { ...conversation, model: "claude-sonnet-5-5" },
    headers: { "anthropic-version": "2026-10-21", "anthropic-beta": "one-2026-01-01", "x-api-key": "key" }
  }
} as const

describe.each(["bedrock", "vertex", "foundry"] as const)("%s", (name) => {
  const { body, headers, streamed, whole } = expected[name]
  const stream =
    name === "bedrock"
      ? MockTransport.stream(messageEvents.aws, {
          headers: { "content-type": "application/vnd.amazon.eventstream" }
        })
      : MockTransport.stream(messageEvents.sse, { headers: { "content-type": "text/event-stream" } })

  it.effect("takes a message, from Effect and from promises", () =>
    Effect.gen(function* () {
      const { anthropic, params, promises, transport } = yield* withCloud(name, [
        MockTransport.json(message),
        MockTransport.json(message)
      ])
      expect(yield* anthropic.messages.create(params)).toMatchObject({ id: message.id })
      expect(yield* Effect.promise(() => promises.messages.create(params))).toMatchObject({ id: message.id })
      for (const request of yield* transport.requests) {
        expect(new URL(request.url).pathname).toBe(whole)
        expect(request.json).toEqual(body)
        for (const [header, value] of Object.entries(headers)) expect(request.headers[header]).toBe(value)
        if (name === "bedrock") expect(request.headers["authorization"]).toBe(`AWS4 ${whole} ${request.text}`)
      }
      yield* Effect.promise(() => promises.close())
    })
  )

  it.effect("streams a message, to Effect and to promises", () =>
    Effect.gen(function* () {
      const { anthropic, params, promises, transport } = yield* withCloud(name, [stream, stream])
      const text = yield* Stream.mkString(MessageStream.textDeltas(anthropic.messages.stream(params)))
      expect(text).toBe("Hello, grün 🌱!")
      const final = yield* Effect.promise(() => promises.messages.stream(params).finalMessage())
      expect(final).toMatchObject({ stop_reason: "end_turn", content: [{ text: "Hello, grün 🌱!" }] })
      for (const { json, url } of yield* transport.requests) {
        expect(new URL(url).pathname).toBe(streamed)
        expect(json).toEqual(name === "bedrock" ? body : { ...body, stream: true })
      }
      yield* Effect.promise(() => promises.close())
    })
  )
})

describe("Bedrock", () => {
  const aws = (...chunks: ReadonlyArray<Uint8Array>) =>
    MockTransport.stream(chunks, { headers: { "content-type": "application/vnd.amazon.eventstream" } })

  it.effect.each([
    ["throttlingException", "RateLimitError"],
    ["validationException", "BadRequestError"],
    ["internalServerException", "InternalServerError"]
  ] as const)("%s within a stream is a %s", ([exception, tag]) =>
    Effect.gen(function* () {
      const failure = messageEvents.exception(exception, "too much")
      const { anthropic, params } = yield* withCloud("bedrock", [
        aws(...messageEvents.aws.slice(0, 2), failure)
      ])
      const error = yield* Effect.flip(Stream.runDrain(anthropic.messages.stream(params)))
      expect(error).toMatchObject({ _tag: tag })
      expect(error.message).toContain("too much")
    })
  )

  it.effect("a stream that breaks off fails", () =>
    Effect.gen(function* () {
      const { anthropic, params } = yield* withCloud("bedrock", [aws(...messageEvents.aws.slice(0, 2))])
      const error = yield* Effect.flip(Stream.runDrain(anthropic.messages.stream(params)))
      expect(error._tag).toBe("StreamTruncatedError")
    })
  )

  it.effect("leaving a stream closes its connection", () =>
    Effect.gen(function* () {
      const step = MockTransport.stream([...messageEvents.aws.slice(0, 3), { delay: Infinity }], {
        headers: { "content-type": "application/vnd.amazon.eventstream" }
      })
      const { anthropic, params, transport } = yield* withCloud("bedrock", [step])
      yield* Stream.runDrain(Stream.take(anthropic.messages.stream(params), 1))
      expect(yield* transport.awaitInterrupted(1)).toBe(1)
    })
  )

  it.effect("an error response keeps its tag", () =>
    Effect.gen(function* () {
      const { anthropic, params } = yield* withCloud("bedrock", [
        MockTransport.json({ message: "The model is not there" }, { status: 404 })
      ])
      expect(yield* Effect.flip(anthropic.messages.create(params))).toMatchObject({ _tag: "NotFoundError" })
    })
  )
})

it.effect("Vertex counts tokens under a path of their own", () =>
  Effect.gen(function* () {
    const { anthropic, params, transport } = yield* withCloud("vertex", [
      MockTransport.json({ input_tokens: 3 })
    ])
    const { max_tokens: _, ...counted } = params
    yield* anthropic.messages.countTokens(counted)
    const [request] = yield* transport.requests
    expect(request?.url).toMatch(/\/publishers\/anthropic\/models\/count-tokens:rawPredict$/)
    expect(request?.json).toMatchObject({ model: params.model, anthropic_version: "2026-10-21" })
  })
)
