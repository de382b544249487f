/** The sections about messages: whole, as they come, and with tools. */
import { inspect } from "node:util"
import {
  Anthropic,
  Message,
  MessageStream,
  Messages,
  RateLimits,
  Tool,
  ToolRunner
} from "@effect-api/anthropic"
import { AnthropicApi } from "@effect-api/testing"
import { Clock, Effect, type Option, Ref, Schema, Stream } from "effect"
import { model, must, type OwnApi, question, Screen, scripted } from "./Section.js"

export const message = Effect.gen(function* () {
  const { client, messages } = yield* Anthropic.Anthropic
  const greeting = question(yield* model, "Good morning!")
  const answer = yield* messages.create(greeting)
  const { usage } = answer
  const response = yield* client.executeWithResponse(Messages.create(greeting))
  const { requests } = RateLimits.from(response)
  return [
    `create gives a Message: ${inspect(Message.text(answer))}`,
    `${usage.input_tokens} tokens in, ${usage.output_tokens} out, over for ${answer.stop_reason}`,
    `left after ${response.requestId}: ${requests?.remaining ?? "?"} of ${requests?.limit ?? "?"} requests`
  ]
})

export const tokenByToken = Effect.gen(function* () {
  const { write } = yield* Screen
  const { messages } = yield* Anthropic.Anthropic
  const times = yield* Ref.make<ReadonlyArray<number>>([])
  yield* write("  ")
  const last = yield* messages.stream(question(yield* model, "Tell me a story in six words.")).pipe(
    MessageStream.accumulate,
    Stream.tap(({ event }) => {
      if (event.type !== "content_block_delta" || event.delta.type !== "text_delta") return Effect.void
      const now = Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Ref.update(times, (times) => [...times, now])
      )
      return Effect.zipRight(write(event.delta.text), now)
    }),
    Stream.runLast,
    Effect.flatten,
    Effect.ensuring(write("\n"))
  )
  const pieces = yield* Ref.get(times)
  yield* must(pieces.length > 0, "the answer had no text")
  return [
    `${pieces.length} pieces, written as they came, over ${Math.max(...pieces) - Math.min(...pieces)} ms`,
    `together: ${inspect(Message.text(last.message))}, ${last.message.usage.output_tokens} tokens`
  ]
})

const weather = Tool.make({
  name: "weather",
  description: "The weather in a city, now.",
  input: Schema.Struct({ city: Schema.String.annotations({ description: "The city alone, such as Bern" }) }),
  run: ({ city }) =>
    city === "Atlantis"
      ? Effect.fail({ message: "there is no such city" })
      : Effect.succeed({ city, temperature: 21, sky: "clear" })
})

/** What a message asks for, or says. */
const told = (message: Message.Message): ReadonlyArray<string> => {
  const calls = Message.toolUses(message).map(({ input, name }) => `calls ${name}(${JSON.stringify(input)})`)
  return calls.length > 0 ? calls : [`says ${inspect(Message.text(message), { breakLength: Infinity })}`]
}

export const tools = (api: Option.Option<OwnApi>) =>
  Effect.gen(function* () {
    const { response, toolUse } = AnthropicApi
    yield* scripted(
      api,
      response([toolUse("weather", { city: "Bern" }), toolUse("weather", { city: "Atlantis" })]),
      ({ text }) => `I was told: ${text.split("\n").join(", and: ")}`
    )
    const { messages } = yield* Anthropic.Anthropic
    const asked = question(
      yield* model,
      "What is the weather in Bern, and in Atlantis? Ask the tool for both."
    )
    const lines = yield* ToolRunner.run(messages, asked, { tools: [weather], maxIterations: 5 }).pipe(
      Stream.map(told),
      Stream.runCollect
    )
    yield* must(lines.length > 1, "the tool was not called")
    return [...lines].flatMap((lines, at) => lines.map((line) => `message ${at + 1} ${line}`))
  })
