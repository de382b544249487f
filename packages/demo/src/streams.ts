/** The sections about streams that do not end well. */
import { inspect } from "node:util"
import { Anthropic, MessageStream } from "@effect-api/anthropic"
import { AnthropicApi } from "@effect-api/testing"
import { Effect, Ref, Stream } from "effect"
import { model, type OwnApi, question, succeeded } from "./Section.js"

export const truncated = (api: OwnApi) =>
  Effect.gen(function* () {
    yield* api.script(AnthropicApi.response("Once upon a time", { failsAfter: { events: 6 } }))
    const { messages } = yield* Anthropic.Anthropic
    const heard = yield* Ref.make("")
    return yield* messages.stream(question(yield* model, "Tell me a story")).pipe(
      MessageStream.textDeltas,
      Stream.runForEach((text) => Ref.update(heard, (before) => before + text)),
      Effect.flatMap(succeeded("a stream that was cut off seemed complete")),
      Effect.catchTag("StreamTruncatedError", ({ _tag, message, received }) =>
        Effect.map(heard, (text) => [
          `${_tag}: ${message}`,
          `the ${received} events that came were handed out: ${inspect(text)}`
        ])
      )
    )
  })

export const overloaded = (api: OwnApi) =>
  Effect.gen(function* () {
    const failsAfter = { events: 5, failure: AnthropicApi.failure("overloaded_error") }
    yield* api.script(AnthropicApi.response("Once upon a time", { failsAfter }))
    const { messages } = yield* Anthropic.Anthropic
    return yield* MessageStream.finalMessage(messages.stream(question(yield* model, "Tell me a story"))).pipe(
      Effect.flatMap(succeeded("the error was passed over")),
      Effect.catchTag("OverloadedError", ({ _tag, message, requestId, stoppedBy }) =>
        Effect.succeed([
          `${_tag}: ${message} (${requestId})`,
          `not asked for again, as events were handed out: ${stoppedBy}`
        ])
      )
    )
  })
