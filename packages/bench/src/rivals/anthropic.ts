/** This project's client of the Anthropic API with default settings: it validates responses and events. */
import { Anthropic, AnthropicPromise, Message, MessageStream } from "@effect-api/anthropic"
import { NodeTransport } from "@effect-api/node"
import { Effect, identity, Layer, ManagedRuntime, Redacted, Stream } from "effect"
import { effectClient } from "./effectClient.js"
import type { Open } from "./Rival.js"
import { apiKey, messageBody } from "./requests.js"

export const effect: Open = async (baseUrl) => {
  const runtime = ManagedRuntime.make(
    Layer.provide(Anthropic.layer({ baseUrl, apiKey: Redacted.make(apiKey) }), NodeTransport.layer)
  )
  const { messages } = await runtime.runPromise(Anthropic.Anthropic)
  return effectClient(runtime, {
    call: Effect.suspend(() => Effect.map(messages.create(messageBody()), Message.text)),
    events: Stream.suspend(() => MessageStream.textDeltas(messages.stream(messageBody()))),
    textOf: identity
  })
}

export const promises: Open = (baseUrl) => {
  const { messages } = AnthropicPromise.make({ baseUrl, apiKey, transport: NodeTransport.layer })
  return {
    call: async () => Message.text(await messages.create(messageBody())),
    // The client accumulates the message meanwhile, as Anthropic's SDK does.
    stream: async (onText) => {
      for await (const text of messages.stream(messageBody()).textDeltas()) onText(text)
    }
  }
}
