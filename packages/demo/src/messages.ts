/** The sections about messages: complete, streamed, and with tools. */
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
import { Clock, Effect, Option, Ref, Schema, Stream } from "effect"
import { ensure, type LocalApi, model, question, Screen, scripted } from "./Section.js"

export const message = Effect.gen(function* () {
  const { client, messages } = yield* Anthropic.Anthropic
  const greeting = question(yield* model, "Good morning!")
  const reply = yield* messages.create(greeting)
  const { usage } = reply
  // `client` runs the same request and returns the response with its headers.
  const response = yield* client.executeWithResponse(Messages.create(greeting))
  const { requests } = RateLimits.from(response)
  return [
    `the model replied ${inspect(Message.text(reply))}`,
    `${usage.input_tokens} input tokens, ${usage.output_tokens} output tokens, stop reason ${reply.stop_reason}`,
    `rate limit after ${response.requestId}: ${requests?.remaining ?? "?"} of ${requests?.limit ?? "?"} requests left`
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
      const recordTime = Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Ref.update(times, (times) => [...times, now])
      )
      return Effect.zipRight(write(event.delta.text), recordTime)
    }),
    Stream.runLast,
    Effect.map(Option.getOrThrow),
    Effect.ensuring(write("\n"))
  )
  const arrivals = yield* Ref.get(times)
  yield* ensure(arrivals.length > 0, "the message had no text")
  return [
    `${arrivals.length} text deltas within ${Math.max(...arrivals) - Math.min(...arrivals)} ms, printed as they arrived`,
    `accumulated ${inspect(Message.text(last.message))}, ${last.message.usage.output_tokens} output tokens`
  ]
})

const weather = Tool.make({
  name: "weather",
  description: "The weather in a city, now.",
  input: Schema.Struct({
    city: Schema.String.annotations({ description: "The name of the city only, such as Bern" })
  }),
  run: ({ city }) =>
    city === "Atlantis"
      ? Effect.fail({ message: "there is no such city" })
      : Effect.succeed({ city, temperature: 21, sky: "clear" })
})

/** The tool calls of a message, or its text. */
const describe = (message: Message.Message): ReadonlyArray<string> => {
  const calls = Message.toolUses(message).map(({ input, name }) => `calls ${name}(${JSON.stringify(input)})`)
  return calls.length > 0 ? calls : [`replies ${inspect(Message.text(message), { breakLength: Infinity })}`]
}

export const tools = (api: Option.Option<LocalApi>) =>
  Effect.gen(function* () {
    const { response, toolUse } = AnthropicApi
    yield* scripted(
      api,
      response([toolUse("weather", { city: "Bern" }), toolUse("weather", { city: "Atlantis" })]),
      ({ text }) => `The tools returned ${text.split("\n").join(" and ")}`
    )
    const { messages } = yield* Anthropic.Anthropic
    const params = question(
      yield* model,
      "What is the weather in Bern, and in Atlantis? Use the tool for both."
    )
    const turns = yield* ToolRunner.run(messages, params, { tools: [weather], maxIterations: 5 }).pipe(
      Stream.map(describe),
      Stream.runCollect
    )
    yield* ensure(turns.length > 1, "the model called no tool")
    return [...turns].flatMap((lines, index) => lines.map((line) => `message ${index + 1} ${line}`))
  })
