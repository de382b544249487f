/** This project's client of the API, with its default settings: the answer and every event validated. */
import { Anthropic, AnthropicPromise, Message, MessageStream } from "@effect-api/anthropic"
import { NodeTransport } from "@effect-api/node"
import { Effect, Layer, ManagedRuntime, Redacted, Stream } from "effect"
import type { Open } from "./Rival.js"
import { apiKey, messageBody } from "./requests.js"

export const effect: Open = async (baseUrl) => {
  const runtime = ManagedRuntime.make(
    Layer.provide(Anthropic.layer({ baseUrl, apiKey: Redacted.make(apiKey) }), NodeTransport.layer)
  )
  const { messages } = await runtime.runPromise(Anthropic.Anthropic)
  const call = Effect.suspend(() => Effect.map(messages.create(messageBody()), Message.text))
  return {
    call: () => runtime.runPromise(call),
    calls: (more, seen) =>
      runtime.runPromise(Effect.whileLoop({ while: more, body: () => call, step: seen })),
    stream: (seen) =>
      runtime.runPromise(
        Stream.runForEachChunk(MessageStream.textDeltas(messages.stream(messageBody())), (texts) =>
          Effect.sync(() => {
            for (const text of texts) seen(text)
          })
        )
      )
  }
}

export const promises: Open = (baseUrl) => {
  const { messages } = AnthropicPromise.make({ baseUrl, apiKey, transport: NodeTransport.layer })
  return {
    call: async () => Message.text(await messages.create(messageBody())),
    // The message is put together meanwhile, as the vendor's SDK does.
    stream: async (seen) => {
      for await (const text of messages.stream(messageBody()).textDeltas()) seen(text)
    }
  }
}
