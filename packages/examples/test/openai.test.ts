import type { ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Redacted, Stream } from "effect"
import { describe, expect, it } from "vitest"
import * as Effects from "../src/openai.js"
import * as EffectService from "../src/openaiService.js"
import * as Plain from "../src/promises/openai.js"
import * as PlainService from "../src/promises/openaiService.js"
import * as Twins from "./fixtures/twins.js"
import { fileSize, openai } from "./servers/openai.js"

type Sizes = { readonly size: number; readonly concurrency: number }
const asked = (content: string) => ({ model: "gpt-5", messages: [{ role: "user" as const, content }] })

/** What the tests use besides a client. */
interface Opened extends Twins.Opened {
  readonly assembled: (question: string) => Promise<unknown>
  readonly embed: (
    texts: ReadonlyArray<string>,
    options: Sizes
  ) => Promise<ReadonlyArray<ReadonlyArray<number>>>
  /** The size of a file. */
  readonly content: (id: string) => Promise<number>
  readonly deltas: (question: string) => AsyncIterable<{
    readonly choices: ReadonlyArray<{ readonly delta: { readonly content?: string | null | undefined } }>
  }>
  readonly embeddings: () => Promise<unknown>
  readonly upload: (...args: Parameters<typeof Plain.upload>) => Promise<{ readonly bytes: number }>
}

const openEffects = async (destination: Twins.Destination): Promise<Opened> => {
  const opened = await Twins.openLayer(
    EffectService.OpenAi,
    EffectService.OpenAi.layer(Redacted.make("sk-1"), destination.baseUrl),
    destination
  )
  const { client, own } = opened
  return {
    ...opened,
    assembled: (question: string) =>
      Twins.promised(EffectService.assembled(own.stream(Effects.chatStream(asked(question))))),
    embed: (texts: ReadonlyArray<string>, options: Sizes) =>
      Twins.promised(Effect.provideService(EffectService.embed(texts, options), EffectService.OpenAi, own)),
    content: (id: string) =>
      Twins.promised(
        Stream.unwrap(own.execute(Effects.content(id))).pipe(
          Stream.runFold(0, (size, bytes) => size + bytes.length)
        )
      ),
    deltas: (question: string) => client.stream(Effects.chatStream(asked(question))),
    embeddings: () => client.execute(Effects.embeddings(["a"])),
    upload: (...args: Parameters<typeof Effects.upload>) => client.execute(Effects.upload(...args))
  }
}
const openPlain = (destination: Twins.Destination): Opened => {
  const opened = Twins.openPlain(PlainService.connect("sk-1", destination))
  const { client, own } = opened
  return {
    ...opened,
    assembled: (question: string) => PlainService.assembled(own.stream(Plain.chatStream(asked(question)))),
    embed: (texts: ReadonlyArray<string>, options: Sizes) => PlainService.embed(own, texts, options),
    content: async (id: string) => (await (await Plain.content(own, id)).arrayBuffer()).byteLength,
    deltas: (question: string) => client.stream(Plain.chatStream(asked(question))),
    embeddings: () => client.execute(Plain.embeddings(["a"])),
    upload: (...args: Parameters<typeof Plain.upload>) => client.execute(Plain.upload(...args))
  }
}
/** When requests arrived. A wait for no time is a timer as well, of up to a millisecond. */
const arrivals = ({ mock }: { readonly mock: MockTransport.AsyncMockTransport }) =>
  mock.requests().map(({ at }) => Math.round(at / 10) * 10)

const twins = [
  { name: "Effect", OpenAi: Effects, open: openEffects },
  { name: "promises", OpenAi: Plain, open: openPlain }
]

describe.each(twins)("OpenAI with $name", ({ OpenAi, open }) => {
  const started = async () => {
    const { busy, routes } = openai()
    return { ...(await Twins.served<Opened>(routes, open)), busy }
  }

  it("a chat calls a tool", async () => {
    await using it = await started()
    const { requestId, value } = await it.client.executeWithResponse(OpenAi.chat(asked("weather")))
    const [call] = value.choices[0]?.message.tool_calls ?? []
    expect([requestId, call?.function.name]).toEqual(["req_1", "weather"])
    const [request] = it.server.requests()
    expect(request?.headers["authorization"]).toBe("Bearer sk-1")
    expect(request?.json).toEqual(asked("weather"))
  })

  it("the chunks of a stream add up to a text and calls of tools", async () => {
    await using it = await started()
    expect(await it.assembled("weather")).toEqual({
      text: "Hello",
      calls: [
        { id: "call_1", name: "weather", arguments: '{"city":"Bern"}' },
        { id: "call_2", name: "time", arguments: "{}" }
      ]
    })
  })

  it("an error in a stream is the API's own, after what came before it", async () => {
    await using it = await started()
    const before: Array<string> = []
    const reading = async () => {
      for await (const { choices } of it.deltas("error")) before.push(choices[0]?.delta.content ?? "")
    }
    const error = await Twins.rejection(reading())
    expect(before).toEqual(["He"])
    expect(error).toBeInstanceOf(OpenAi.OpenAiError)
    expect(error).toMatchObject({ error: { type: "server_error" } })
  })

  const ends = [
    ["that ends without its last event", "cut", "StreamTruncatedError"],
    ["that is reset", "reset", "ConnectionError"]
  ] as const
  it.each(ends)("a stream %s fails", async (_, question, tag) => {
    await using it = await started()
    expect(await Twins.rejection(it.assembled(question))).toMatchObject({ _tag: tag })
  })

  it("texts are embedded in batches, so many at a time, in their order", async () => {
    await using it = await started()
    const texts = Array.from({ length: 10 }, (_, i) => "x".repeat(i))
    const vectors = await it.embed(texts, { size: 3, concurrency: 2 })
    expect(vectors.map(([first]) => first)).toEqual(texts.map(({ length }) => length))
    expect([it.server.requestCount(), it.busy.most]).toEqual([4, 2])
  })

  it("an upload reports its progress to the last byte", async () => {
    await using it = await started()
    const seen: Array<ResponseDecoder.Progress> = []
    const content = new Blob(["x".repeat(200_000)])
    const file = await it.upload({ content, filename: "batch.jsonl" }, (progress) => seen.push(progress))
    const [request] = it.server.requests()
    expect(request?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/)
    expect(request?.text).toContain('filename="batch.jsonl"')
    expect(seen.at(-1)).toEqual({ bytes: file.bytes, total: file.bytes })
    expect(seen.map(({ bytes }) => bytes)).toEqual(seen.map(({ bytes }) => bytes).sort((a, b) => a - b))
  })

  it("a download streams", async () => {
    await using it = await started()
    expect(await it.content("file-1")).toBe(fileSize)
    const error = await Twins.rejection(it.content("file-2"))
    expect(error).toBeInstanceOf(OpenAi.OpenAiError)
    expect(error).toMatchObject({ error: { code: "model_not_found" } })
  })

  const limits: ReadonlyArray<readonly [kind: string, reset: string, millis: number]> = [
    ["requests", "1m30.5s", 90_500],
    ["tokens", "6m0s", 360_000],
    ["tokens", "250ms", 250]
  ]
  it.each(limits)("with no %s left, the next call waits for %s", async (kind, reset, millis) => {
    const used = { [`x-ratelimit-remaining-${kind}`]: "0", [`x-ratelimit-reset-${kind}`]: reset }
    const left = { [`x-ratelimit-remaining-${kind}`]: "7", [`x-ratelimit-reset-${kind}`]: "1h" }
    const steps = [{ headers: used }, { headers: left }, {}].map((head) =>
      MockTransport.json({ data: [] }, head)
    )
    await using it = await Twins.scripted<Opened>(steps, open, 0)
    await Twins.withoutWaiting(it.embeddings().then(it.embeddings).then(it.embeddings))
    expect(arrivals(it)).toEqual([0, millis, millis])
  })

  it("a 429 is retried, and is the API's own error in the end", async () => {
    const error = { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" }
    const busy = MockTransport.json({ error }, { status: 429, headers: { "retry-after": "3" } })
    await using it = await Twins.scripted<Opened>([busy, busy, busy], open, 0)
    const chat = it.client.execute(OpenAi.chat(asked("weather")))
    const rejected = await Twins.withoutWaiting(Twins.rejection(chat))
    expect(rejected).toBeInstanceOf(OpenAi.OpenAiError)
    expect(rejected).toMatchObject({ error })
    expect(arrivals(it)).toEqual([0, 3000, 6000])
  })
})
